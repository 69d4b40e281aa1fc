package crawler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"xinwen/crawler/frontier"
	"xinwen/crawler/lease"
	"xinwen/crawler/robots"
	"xinwen/crawler/source"
	"xinwen/news/bus"
	"xinwen/news/weburl"
)

// ownedPart is a part of the frontier that this crawler owns: it handles the
// part's entries, polls the sources whose home is there, and gives turns at the
// part's hosts, also to other crawlers.
type ownedPart struct {
	cancel context.CancelFunc
	// child returns a context that ends when the part must be given up.
	child  func() (context.Context, context.CancelFunc)
	work   sync.WaitGroup // the consumer, and turns lent
	lent   *nats.Subscription
	mu     sync.Mutex
	closed bool // no more turns are lent
}

// giveWithin bounds how long the end of requests under way is waited for when a
// part is given to another crawler: longer than any request takes.
const giveWithin = 45 * time.Second

// partOf returns the part that a source belongs to: that of its home, or else of
// its first way.
func partOf(src *source.Source) int {
	at := src.Home
	if ways := waysOf(src); at == "" && len(ways) > 0 {
		at = ways[0].url
	}
	canonical, err := weburl.Canonical(at)
	if err != nil {
		return 0
	}
	return frontier.Partition(weburl.Host(canonical))
}

// own takes parts of the frontier and works on them until ctx is done.
func (c *Crawler) own(ctx context.Context, failed chan<- error) error {
	name, before := c.opts.Bus.Runs()
	c.leases = lease.New(lease.Options{
		KV: c.opts.Bus.KV(bus.KVHosts), Name: name, Ended: before, Parts: frontier.Partitions, Log: c.log, TTL: c.opts.leaseTTL,
		// An embedded server without a port is reached by this process only.
		Alone: c.opts.Bus.URL() == "",
		Take:  func(part int, since time.Time) { c.take(ctx, part, since, failed) },
		Give:  c.give,
	})
	return c.leases.Run(ctx)
}

func (c *Crawler) take(ctx context.Context, part int, since time.Time, failed chan<- error) {
	p := new(ownedPart)
	ctx, p.cancel = context.WithCancel(ctx)
	p.child = func() (context.Context, context.CancelFunc) { return context.WithCancel(ctx) }
	c.hosts.Open(part, since)
	if c.opts.Bus.URL() != "" {
		var err error
		p.lent, err = c.opts.Bus.Conn().Subscribe(turnSubject(part), func(m *nats.Msg) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if !p.closed {
				p.work.Go(func() { c.lend(ctx, m) })
			}
		})
		if err != nil {
			c.log.Warn("turns of a part cannot be lent to other crawlers", "part", part, "err", err)
		}
	}
	c.mu.Lock()
	c.parts[part] = p
	c.mu.Unlock()
	p.work.Go(func() {
		if err := c.consume(ctx, part); err != nil && ctx.Err() == nil {
			failed <- err
		}
	})
	c.metrics.parts.Inc()
	c.scanAgain()
}

func (c *Crawler) give(part int, atOnce bool) {
	c.mu.Lock()
	p := c.parts[part]
	c.parts[part] = nil
	var stopped []*followed
	for key, f := range c.following {
		if partOf(f.source) == part {
			f.cancel()
			stopped = append(stopped, f)
			delete(c.following, key)
		}
	}
	c.mu.Unlock()
	if p == nil {
		return
	}
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	if p.lent != nil {
		_ = p.lent.Unsubscribe() // the connection is gone otherwise
	}
	ctx, cancel := context.WithTimeout(context.Background(), giveWithin)
	defer cancel()
	if atOnce {
		cancel() // what is under way was broken off by p.cancel
	}
	c.hosts.Close(ctx, part)
	p.work.Wait()
	for _, f := range stopped {
		<-f.ended
		if err := c.memories.drop(ctx, f.source, f.way); err != nil {
			c.log.Debug("state of a feed not written", "source", f.source.ID, "err", err)
		}
	}
	if len(stopped) > 0 {
		if err := c.states.flush(ctx, true); err != nil {
			c.log.Debug("state of sources not written", "err", err)
		}
		for _, f := range stopped {
			c.states.forget(f.source.ID)
		}
	}
	c.metrics.parts.Dec()
}

// owns reports whether this crawler works on a part.
func (c *Crawler) owns(part int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.parts[part] != nil
}

// scanAgain tells manage that there is more or less to follow.
func (c *Crawler) scanAgain() {
	select {
	case c.rescan <- struct{}{}:
	default:
	}
}

// turn is the right to make one request.
type turn interface {
	Leave()
	Done()
}

// errMoving says that no crawler gives turns at a host at the moment.
var errMoving = errors.New("the crawler that owns this host does not answer")

// acquire waits for the turn of a request to a host, at its owner, whoever that
// is.
func (c *Crawler) acquire(ctx context.Context, host, ip string, delay time.Duration, urgent bool) (turn, error) {
	part := frontier.Partition(host)
	if c.hosts.Ours(part) {
		if !c.leases.Valid() {
			return nil, errMoving
		}
		t, err := c.hosts.Acquire(ctx, host, ip, delay, urgent)
		if err != nil {
			return nil, err
		}
		if !c.leases.Valid() { // it may have been a long wait
			t.Leave()
			t.Done()
			return nil, errMoving
		}
		return t, nil
	}
	return c.borrow(ctx, part, turnRequest{Host: host, Delay: delay, Urgent: urgent})
}

// hold lets nothing go to a host until a time.
func (c *Crawler) hold(ctx context.Context, host string, t turn, until time.Time) {
	if b, ok := t.(*borrowed); ok {
		b.hold = until
		return
	}
	c.hosts.Hold(ctx, host, until)
}

// Turns at hosts of other crawlers are asked for by request and reply: a redirect
// or a feed may lead anywhere.
func turnSubject(part int) string { return fmt.Sprintf("xinwen.crawler.turn.%02d", part) }

type turnRequest struct {
	Host   string        `json:"host"`
	Delay  time.Duration `json:"delay"`
	Urgent bool          `json:"urgent,omitempty"`
}

type turnReply struct {
	// Done is the subject to which the end of the request is told.
	Done string `json:"done,omitempty"`
	// Held is until when the host must be left alone.
	Held time.Time `json:"held,omitzero"`
	// Busy says that others come first: ask again.
	Busy  bool   `json:"busy,omitempty"`
	Error string `json:"error,omitempty"`
}

type turnEnd struct {
	Hold time.Time `json:"hold,omitzero"`
}

// lendFor bounds how long a turn is lent: longer than a request takes.
const lendFor = 45 * time.Second

// lend gives a turn to another crawler and waits until it is done.
func (c *Crawler) lend(ctx context.Context, m *nats.Msg) {
	reply := func(r turnReply) {
		data, err := json.Marshal(r)
		if err == nil {
			err = m.Respond(data)
		}
		if err != nil {
			c.log.Debug("reply to another crawler not sent", "err", err)
		}
	}
	var req turnRequest
	if err := json.Unmarshal(m.Data, &req); err != nil {
		reply(turnReply{Error: "no request for a turn: " + err.Error()})
		return
	}
	wait, cancel := context.WithTimeout(ctx, borrowTry*3/4)
	defer cancel()
	t, err := c.hosts.Acquire(wait, req.Host, "", req.Delay, req.Urgent)
	var held *frontier.HeldError
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		reply(turnReply{Busy: true})
		return
	case errors.As(err, &held):
		reply(turnReply{Held: held.Until})
		return
	case err != nil:
		reply(turnReply{Error: err.Error()})
		return
	}
	t.Done() // the other one has slots of its own
	defer t.Leave()
	inbox := nats.NewInbox()
	sub, err := c.opts.Bus.Conn().SubscribeSync(inbox)
	if err != nil || !c.leases.Valid() {
		reply(turnReply{Error: errMoving.Error()})
		return
	}
	defer func() { _ = sub.Unsubscribe() }() // the connection is gone otherwise
	reply(turnReply{Done: inbox})
	// Not bound to ctx: the request goes on even if we stop.
	end, cancelEnd := context.WithTimeout(context.WithoutCancel(ctx), lendFor)
	defer cancelEnd()
	msg, err := sub.NextMsgWithContext(end)
	if err != nil {
		c.log.Debug("another crawler did not say that its request is over", "host", req.Host, "err", err)
		return
	}
	var over turnEnd
	if json.Unmarshal(msg.Data, &over) == nil && !over.Hold.IsZero() {
		c.hosts.Hold(ctx, req.Host, over.Hold)
	}
}

// borrowTry bounds how long one request for a turn waits: an owner that dies
// meanwhile must not be waited for. They are repeated for frontier.Patience.
const borrowTry = 8 * time.Second

// borrowed is a turn at another crawler's host.
type borrowed struct {
	crawler *Crawler
	done    string
	hold    time.Time
	once    sync.Once
	slot    sync.Once
}

func (c *Crawler) borrow(ctx context.Context, part int, req turnRequest) (turn, error) {
	data, err := json.Marshal(req)
	if err != nil {
		return nil, err
	}
	var r turnReply
	for until := time.Now().Add(frontier.Patience); ; {
		if r, err = c.ask(ctx, part, data); err != nil {
			return nil, err
		}
		if !r.Busy {
			break
		}
		if time.Now().After(until) {
			return nil, &frontier.HeldError{Host: req.Host, Until: time.Now().Add(time.Minute)}
		}
	}
	switch {
	case !r.Held.IsZero():
		return nil, &frontier.HeldError{Host: req.Host, Until: r.Held}
	case r.Done == "":
		return nil, fmt.Errorf("%w: %s", errMoving, r.Error)
	}
	b := &borrowed{crawler: c, done: r.Done}
	if err := c.hosts.Slot(ctx); err != nil {
		b.Leave()
		return nil, err
	}
	return b, nil
}

// ask asks the owner of a part once.
func (c *Crawler) ask(ctx context.Context, part int, request []byte) (turnReply, error) {
	var r turnReply
	wait, cancel := context.WithTimeout(ctx, borrowTry)
	defer cancel()
	m, err := c.opts.Bus.Conn().RequestWithContext(wait, turnSubject(part), request)
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	if err == nil {
		err = json.Unmarshal(m.Data, &r)
	}
	if err != nil {
		return r, fmt.Errorf("%w: %w", errMoving, err)
	}
	return r, nil
}

// Leave tells the owner that the request is over.
func (b *borrowed) Leave() {
	b.once.Do(func() {
		data, err := json.Marshal(turnEnd{Hold: b.hold})
		if err == nil {
			err = b.crawler.opts.Bus.Conn().Publish(b.done, data)
		}
		if err != nil {
			b.crawler.log.Debug("end of a request not told to the host's owner", "err", err)
		}
	})
}

// Done gives the slot back.
func (b *borrowed) Done() { b.slot.Do(b.crawler.hosts.FreeSlot) }

// robotsStore keeps copies of robots.txt in the bucket "hosts".
type robotsStore struct{ crawler *Crawler }

func robotsKey(origin string) string { return bus.Key("robots " + origin) }

// Load returns the copy that was kept.
func (s robotsStore) Load(ctx context.Context, origin string) (robots.Copy, bool) {
	var c robots.Copy
	v, err := s.crawler.opts.Bus.KV(bus.KVHosts).Get(ctx, robotsKey(origin))
	if err != nil {
		if !errors.Is(err, jetstream.ErrKeyNotFound) && ctx.Err() == nil {
			s.crawler.log.Debug("robots.txt not read from the bus", "host", origin, "err", err)
		}
		return c, false
	}
	return c, json.Unmarshal(v.Value(), &c) == nil
}

// Save keeps a copy.
func (s robotsStore) Save(ctx context.Context, origin string, c robots.Copy) {
	data, err := json.Marshal(c)
	if err == nil {
		_, err = s.crawler.opts.Bus.KV(bus.KVHosts).Put(ctx, robotsKey(origin), data)
	}
	if err != nil && ctx.Err() == nil {
		s.crawler.log.Debug("robots.txt not kept", "host", origin, "err", err)
	}
}
