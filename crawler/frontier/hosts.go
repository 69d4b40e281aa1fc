package frontier

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/news/bus"
)

const (
	// keepFrom is the delay from which on a host's next turn is kept over a
	// restart: starting takes longer than anything shorter.
	keepFrom = 200 * time.Millisecond
	// maxHosts bounds the hosts in memory that nobody waits for.
	maxHosts = 10_000
	// kvTimeout bounds what waiting for the bus may cost a turn.
	kvTimeout = 2 * time.Second
)

// Hosts decides whose turn it is: at most one request at a time goes to a host,
// and the next one a delay after the answer to the last. A request that waits
// holds no slot of the total; when its host is ready it takes one.
//
// When a host may be asked next is in the bucket "hosts" before each request with
// a delay worth keeping, so that a restart breaks no promise.
type Hosts struct {
	kv    jetstream.KeyValue // nil: nothing is kept
	log   *slog.Logger
	slots chan struct{}

	mu    sync.Mutex
	hosts map[string]*host
}

// host is one server, known by host[:port].
type host struct {
	name string
	// busy says that a request is under way, or what is kept is being read.
	busy bool
	// last is when the last answer ended, hold until when nothing goes at all.
	last, hold time.Time
	delay      time.Duration // that of the last request
	// urgent go before the others; each in the order of arrival.
	urgent, waiting []*waiter
	timer           *time.Timer
	// tail is when the last deferred entry comes back.
	tail time.Time
}

type waiter struct {
	delay   time.Duration
	ready   chan struct{} // closed when it is its turn
	granted bool
	gone    bool
}

// NewHosts returns hosts with a number of slots. kv may be nil.
func NewHosts(kv jetstream.KeyValue, slots int, log *slog.Logger) *Hosts {
	return &Hosts{kv: kv, log: log, slots: make(chan struct{}, slots), hosts: make(map[string]*host)}
}

// Turn is the right to make one request. Leave and Done must both be called.
type Turn struct {
	hosts    *Hosts
	host     *host
	leave    sync.Once
	done     sync.Once
	occupied bool
}

// Acquire waits for the turn of a request to a host, a delay after the last one.
func (h *Hosts) Acquire(ctx context.Context, name string, delay time.Duration, urgent bool) (*Turn, error) {
	w := &waiter{delay: delay, ready: make(chan struct{})}
	hst := h.enqueue(ctx, name, w, urgent)
	select {
	case <-w.ready:
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
	select {
	case h.slots <- struct{}{}:
		t.occupied = true
	case <-ctx.Done():
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
	t.leave.Do(func() { t.hosts.free(t.host, true) })
}

// Done gives the slot back, when the answer needs no memory any more.
func (t *Turn) Done() {
	t.done.Do(func() {
		if t.occupied {
			<-t.hosts.slots
		}
	})
}

// Hold lets nothing go to a host until a time, also after a restart.
func (h *Hosts) Hold(ctx context.Context, name string, until time.Time) {
	h.mu.Lock()
	hst := h.host(name)
	if until.After(hst.hold) {
		hst.hold = until
		h.dispatch(hst)
	}
	h.mu.Unlock()
	h.keep(ctx, name, until)
}

// Wait estimates how long a request to a host would wait, and counts those that
// wait already.
func (h *Hosts) Wait(name string, delay time.Duration) (time.Duration, int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	hst := h.hosts[name]
	if hst == nil {
		return 0, 0
	}
	n := len(hst.urgent) + len(hst.waiting)
	start := max(time.Until(hst.hold), time.Until(hst.last.Add(delay)), 0)
	return start + time.Duration(n)*max(delay, hst.delay), n
}

// Defer returns when an entry that cannot wait here should come back: later than
// those deferred before it.
func (h *Hosts) Defer(name string, delay, wait time.Duration) time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	hst := h.host(name)
	at := time.Now().Add(wait)
	if next := hst.tail.Add(max(delay, hst.delay)); next.After(at) {
		at = next
	}
	hst.tail = at
	return at
}

// host returns the host with a name; h.mu is held.
func (h *Hosts) host(name string) *host {
	hst := h.hosts[name]
	if hst == nil {
		if len(h.hosts) >= maxHosts {
			h.sweep()
		}
		hst = &host{name: name}
		h.hosts[name] = hst
	}
	return hst
}

// sweep forgets hosts that mean nothing any more; h.mu is held.
func (h *Hosts) sweep() {
	now := time.Now()
	for name, hst := range h.hosts {
		if !hst.busy && len(hst.urgent)+len(hst.waiting) == 0 && now.After(hst.hold) && now.After(hst.tail) && now.Sub(hst.last) > time.Hour {
			delete(h.hosts, name)
		}
	}
}

// enqueue puts w into its host's queue. The first one to ask for a host reads
// what was kept of it.
func (h *Hosts) enqueue(ctx context.Context, name string, w *waiter, urgent bool) *host {
	h.mu.Lock()
	_, known := h.hosts[name]
	hst := h.host(name)
	if !known && h.kv != nil {
		hst.busy = true
		h.mu.Unlock()
		hold := h.kept(ctx, name)
		h.mu.Lock()
		hst.busy = false
		if hold.After(hst.hold) {
			hst.hold = hold
		}
	}
	if urgent {
		hst.urgent = append(hst.urgent, w)
	} else {
		hst.waiting = append(hst.waiting, w)
	}
	h.dispatch(hst)
	h.mu.Unlock()
	return hst
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
	}
	h.dispatch(hst)
}

// kept is what the bucket holds of a host.
type kept struct {
	NextAllowed time.Time `json:"next_allowed"`
}

func (h *Hosts) kept(ctx context.Context, name string) time.Time {
	ctx, cancel := context.WithTimeout(ctx, kvTimeout)
	defer cancel()
	v, err := h.kv.Get(ctx, bus.Key(name))
	if err != nil {
		return time.Time{} // mostly: never asked before
	}
	var k kept
	if err := json.Unmarshal(v.Value(), &k); err != nil {
		return time.Time{}
	}
	return k.NextAllowed
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
