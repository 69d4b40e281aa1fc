package frontier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/news/bus"
	"xinwen/news/weburl"
)

// Patience is how long a request waits in memory for a host that asked to be left
// alone.
const Patience = time.Minute

// longestDelay is the longest time between two requests that is waited for in
// memory: some crawl-delays are a day.
const longestDelay = 10 * time.Minute

// longestHold is how long a host is left alone at most that goes on asking for
// less.
const longestHold = time.Hour

// HeldError says that a host asked to be left alone for longer than we wait in
// memory.
type HeldError struct {
	Host  string
	Until time.Time
}

func (e *HeldError) Error() string {
	return fmt.Sprintf("%s asked to be left alone until %s", e.Host, e.Until.UTC().Format(time.RFC3339))
}

// ErrNotOurs says that a host belongs to a part that this process does not own.
var ErrNotOurs = errors.New("another crawler owns this host")

const (
	// keepFrom is the delay from which on a host's next turn is written down
	// before each request. For shorter ones it is enough that a new owner takes
	// every host as asked just before it came.
	keepFrom = 5 * time.Second
	// maxHosts bounds the hosts in memory that nobody waits for.
	maxHosts = 10_000
	// kvTimeout bounds what waiting for the bus may cost a turn.
	kvTimeout = 2 * time.Second

	// clockSkew is how far the clocks of two machines may be apart.
	clockSkew = 10 * time.Second
)

// Hosts decides whose turn it is: at most one request at a time goes to a host,
// and the next one a delay after the answer to the last; the hosts of a
// registrable domain, and those of an address, have limits together. A request
// that waits for its host holds no slot of the total; when its host is ready it
// takes one.
//
// Only hosts of parts that are open get turns. Until when a host is held, and its
// next turn after a long delay, is in the bucket "hosts", so that neither a
// restart nor another owner breaks a promise.
type Hosts struct {
	kv      jetstream.KeyValue // nil: nothing is kept
	log     *slog.Logger
	slots   chan struct{}
	domains *gates
	ips     *gates

	mu    sync.Mutex
	hosts map[string]*host
	parts [Partitions]hostPart
}

// hostPart is a part of the frontier, with its hosts.
type hostPart struct {
	open bool
	// since is when we became its owner; zero if nobody was before.
	since time.Time
	busy  int           // turns under way
	idle  chan struct{} // closed when busy is 0 and the part is closed
}

// host is one server, known by host[:port].
type host struct {
	name   string
	part   int
	domain string
	// busy says that a request is under way.
	busy bool
	// last is when the last answer ended, hold until when nothing goes at all.
	last, hold time.Time
	delay      time.Duration // that of the last request
	// holds counts the requests in a row that Hold followed, held says that the
	// one under way is such a one.
	holds int
	held  bool
	// urgent go before the others; each in the order of arrival.
	urgent, waiting []*waiter
	timer           *time.Timer
	// inHand counts entries between Enter and exit, tail is when the last one
	// that was sent away comes back.
	inHand int
	tail   time.Time
	// opened says that what was kept is known; while it is being read, reading is
	// not nil, and closed at the end.
	opened  bool
	reading chan struct{}
	used    time.Time
}

type waiter struct {
	delay   time.Duration
	ready   chan struct{} // closed when it is its turn, or held
	granted bool
	err     error
	gone    bool
}

// NewHosts returns hosts with a number of slots. kv may be nil.
func NewHosts(kv jetstream.KeyValue, slots int, log *slog.Logger) *Hosts {
	h := &Hosts{
		kv: kv, log: log, slots: make(chan struct{}, slots), hosts: make(map[string]*host), domains: newGates(PerDomain, true), ips: newGates(PerIP, false),
	}
	for i := range h.parts {
		h.parts[i].open = true
	}
	return h
}

// Open gives turns to the hosts of a part again. An earlier owner may have asked
// any of them as late as since.
func (h *Hosts) Open(part int, since time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := &h.parts[part]
	p.open, p.since, p.idle = true, since, nil
	for name, hst := range h.hosts {
		if hst.part == part { // what is known of it is old
			delete(h.hosts, name)
		}
	}
}

// Close ends the turns of a part: those who wait get ErrNotOurs. It returns when
// none is under way any more, or ctx is done.
func (h *Hosts) Close(ctx context.Context, part int) {
	h.mu.Lock()
	p := &h.parts[part]
	p.open = false
	for _, hst := range h.hosts {
		if hst.part == part {
			h.sendAway(hst, ErrNotOurs)
		}
	}
	if p.busy == 0 {
		h.mu.Unlock()
		return
	}
	idle := make(chan struct{})
	p.idle = idle
	h.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

// Ours reports whether a part is open.
func (h *Hosts) Ours(part int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.parts[part].open
}

// Turn is the right to make one request. Leave and Done must both be called.
type Turn struct {
	hosts    *Hosts
	host     *host
	leave    sync.Once
	done     sync.Once
	occupied bool
	gates    [2]func() // of the domain and the address
}

// Acquire waits for the turn of a request to a host, a delay after the last one;
// ip is the address it goes to, "" if that does not count. If the host is or
// comes to be held for longer than Patience, or the delay is longer than anyone
// waits in memory, it returns a *HeldError.
func (h *Hosts) Acquire(ctx context.Context, name, ip string, delay time.Duration, urgent bool) (*Turn, error) {
	hst, err := h.open(ctx, name)
	if err != nil {
		return nil, err
	}
	w := &waiter{delay: delay, ready: make(chan struct{})}
	h.mu.Lock()
	if !h.parts[hst.part].open {
		h.mu.Unlock()
		return nil, ErrNotOurs
	}
	until := hst.hold
	if next := hst.last.Add(delay); time.Until(next) > longestDelay && next.After(until) {
		until = next
		hst.delay = delay // Enter spreads those that follow
	}
	if time.Until(until) > Patience {
		defer h.mu.Unlock()
		return nil, &HeldError{name, until}
	}
	if urgent {
		hst.urgent = append(hst.urgent, w)
	} else {
		hst.waiting = append(hst.waiting, w)
	}
	h.dispatch(hst)
	h.mu.Unlock()
	select {
	case <-w.ready:
		if w.err != nil {
			return nil, w.err
		}
	case <-ctx.Done():
		h.mu.Lock()
		w.gone = true
		granted := w.granted
		h.mu.Unlock()
		if granted {
			h.free(hst, false)
		}
		return nil, ctx.Err()
	}
	t := &Turn{hosts: h, host: hst}
	t.gates[0], err = h.domains.enter(ctx, hst.domain, delay/domainShare)
	if err == nil {
		t.gates[1], err = h.ips.enter(ctx, ip, 0)
	}
	if err != nil {
		t.open()
		h.free(hst, false)
		return nil, err
	}
	select {
	case h.slots <- struct{}{}:
		t.occupied = true
	case <-ctx.Done():
		t.open()
		h.free(hst, false)
		return nil, ctx.Err()
	}
	if delay >= keepFrom {
		h.keep(ctx, name, time.Now().Add(delay))
	}
	return t, nil
}

// Leave says that the request is over: the host is free after the delay.
func (t *Turn) Leave() {
	t.leave.Do(func() {
		t.open()
		t.hosts.free(t.host, true)
	})
}

// open leaves the gates.
func (t *Turn) open() {
	for _, leave := range t.gates {
		if leave != nil {
			leave()
		}
	}
}

// Done gives the slot back, when the answer needs no memory any more.
func (t *Turn) Done() {
	t.done.Do(func() {
		if t.occupied {
			<-t.hosts.slots
		}
	})
}

// Slot waits for one of the slots of the total, for a request whose turn another
// process gave. FreeSlot gives it back.
func (h *Hosts) Slot(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// FreeSlot gives a slot back.
func (h *Hosts) FreeSlot() { <-h.slots }

// Hold lets nothing go to a host until a time, also after a restart. A host that
// answers request after request so is left alone twice as long each time, whatever
// it says.
func (h *Hosts) Hold(ctx context.Context, name string, until time.Time) {
	h.mu.Lock()
	hst := h.host(name)
	if hst.busy && !hst.held {
		hst.held = true
		hst.holds++
	}
	if wait := time.Until(until); hst.holds > 1 && wait < longestHold {
		until = until.Add(min(wait<<min(hst.holds-1, 16), longestHold) - wait)
	}
	if until.After(hst.hold) {
		hst.hold = until
		if time.Until(until) > Patience {
			h.sendAway(hst, &HeldError{hst.name, until})
		}
		h.dispatch(hst)
	}
	h.mu.Unlock()
	h.keep(ctx, name, until)
}

// Enter takes an entry for a host in hand, unless limit others are or its turn is
// farther away than patience: then exit is nil and back is when the entry should
// come back, later than those sent away before it. exit must be called at the end.
func (h *Hosts) Enter(ctx context.Context, name string, delay time.Duration, limit int, patience time.Duration) (exit func(), back time.Time, err error) {
	hst, err := h.open(ctx, name)
	if err != nil {
		return nil, time.Time{}, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delay = max(delay, hst.delay)
	wait := max(time.Until(hst.hold), 0) + time.Duration(hst.inHand)*delay
	if hst.inHand < limit && wait <= patience {
		hst.inHand++
		return func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			hst.inHand--
		}, time.Time{}, nil
	}
	back = time.Now().Add(max(wait, time.Second))
	if next := hst.tail.Add(delay); next.After(back) {
		back = next
	}
	hst.tail = back
	return nil, back, nil
}

// host returns the host with a name; h.mu is held.
func (h *Hosts) host(name string) *host {
	hst := h.hosts[name]
	if hst == nil {
		if len(h.hosts) >= maxHosts {
			h.sweep()
		}
		hst = &host{name: name, part: Partition(name), domain: weburl.RegistrableDomain(name)}
		hst.last = h.parts[hst.part].since
		h.hosts[name] = hst
	}
	return hst
}

// sweep forgets hosts that mean nothing any more; h.mu is held.
func (h *Hosts) sweep() {
	now := time.Now()
	for name, hst := range h.hosts {
		if !hst.busy && hst.reading == nil && hst.inHand == 0 && len(hst.urgent)+len(hst.waiting) == 0 && now.After(hst.hold) && now.After(hst.tail) && now.Sub(hst.used) > time.Hour {
			delete(h.hosts, name)
		}
	}
}

// open returns the host with a name when what was kept of it is known. The first
// one to ask reads it; as long as it cannot be read, nothing goes to the host.
func (h *Hosts) open(ctx context.Context, name string) (*host, error) {
	for {
		h.mu.Lock()
		hst := h.host(name)
		hst.used = time.Now()
		if hst.opened {
			h.mu.Unlock()
			return hst, nil
		}
		reading := hst.reading
		if reading == nil {
			hst.reading = make(chan struct{})
			h.mu.Unlock()
			return hst, h.read(ctx, hst)
		}
		h.mu.Unlock()
		select {
		case <-reading:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// read reads what was kept of a host.
func (h *Hosts) read(ctx context.Context, hst *host) error {
	var hold time.Time
	var err error
	if h.kv != nil {
		hold, err = h.kept(ctx, hst.name)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	close(hst.reading)
	hst.reading = nil
	if err != nil {
		return err
	}
	hst.opened = true
	if hold.After(hst.hold) {
		hst.hold = hold
	}
	return nil
}

// sendAway ends the waiting of all who wait for a host; h.mu is held.
func (h *Hosts) sendAway(hst *host, why error) {
	for _, queue := range []*[]*waiter{&hst.urgent, &hst.waiting} {
		for _, w := range *queue {
			w.err = why
			close(w.ready)
		}
		*queue = nil
	}
}

// dispatch gives the turn to the next waiter, or sets a timer for it; h.mu is
// held.
func (h *Hosts) dispatch(hst *host) {
	for !hst.busy {
		queue := &hst.urgent
		if len(*queue) == 0 {
			queue = &hst.waiting
		}
		if len(*queue) == 0 {
			return
		}
		w := (*queue)[0]
		if w.gone {
			*queue = (*queue)[1:]
			continue
		}
		next := hst.hold
		if !hst.last.IsZero() && hst.last.Add(w.delay).After(next) {
			next = hst.last.Add(w.delay)
		}
		if wait := time.Until(next); wait > 0 {
			if hst.timer == nil {
				hst.timer = time.AfterFunc(wait, func() {
					h.mu.Lock()
					defer h.mu.Unlock()
					h.dispatch(hst)
				})
			} else {
				hst.timer.Reset(wait)
			}
			return
		}
		*queue = (*queue)[1:]
		hst.busy, hst.delay, w.granted = true, w.delay, true
		h.parts[hst.part].busy++
		close(w.ready)
	}
}

// free ends a turn; used says that a request was made.
func (h *Hosts) free(hst *host, used bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	hst.busy = false
	if used {
		hst.last = time.Now()
		if !hst.held {
			hst.holds = 0
		}
	}
	hst.held = false
	p := &h.parts[hst.part]
	if p.busy--; p.busy == 0 && p.idle != nil {
		close(p.idle)
		p.idle = nil
	}
	h.dispatch(hst)
}

// kept is what the bucket holds of a host.
type kept struct {
	NextAllowed time.Time `json:"next_allowed"`
}

func (h *Hosts) kept(ctx context.Context, name string) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, kvTimeout)
	defer cancel()
	v, err := h.kv.Get(ctx, bus.Key(name))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("next turn of host %s: %w", name, err)
	}
	var k kept
	if err := json.Unmarshal(v.Value(), &k); err != nil {
		return time.Time{}, nil // written by something else
	}
	return heldUntil(k.NextAllowed, v.Created(), time.Now()), nil
}

// heldUntil returns when a host may be asked that was to be left alone until
// next, as was written at a time that may lie ahead: a clock that was set back
// since then, by hours or years, must not make the wait longer than was meant.
func heldUntil(next, written, now time.Time) time.Time {
	if written.Sub(now) < clockSkew {
		return next
	}
	return now.Add(next.Sub(written))
}

// keep writes down when a host may be asked next. Without the bus the crawl goes
// on: only a restart right now would then come too early.
func (h *Hosts) keep(ctx context.Context, name string, next time.Time) {
	if h.kv == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), kvTimeout)
	defer cancel()
	v, err := json.Marshal(kept{NextAllowed: next.UTC()})
	if err == nil {
		_, err = h.kv.Put(ctx, bus.Key(name), v)
	}
	if err != nil {
		h.log.Warn("next turn of a host not kept", "host", name, "err", err)
	}
}
