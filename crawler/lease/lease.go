// Package lease shares the parts of the frontier among crawlers, so that each
// host has one owner at a time.
//
// Every crawler writes a heartbeat to a bucket. A part belongs to who wrote its
// name into the part's key by compare-and-swap, as long as that crawler's
// heartbeat goes on. Each takes what is free up to its fair share and gives back
// what it has beyond. An owner that cannot write its heartbeat stops before the
// others may think it dead; they measure with their own clocks how long it has
// been silent, so that clocks need not agree.
//
// A pinned consumer of JetStream does not do: it hands out messages to one
// client, but a client cannot know whether it is the one, and most requests of a
// crawler, its polls, come of no message.
package lease

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// DefaultTTL is how long an owner may be silent. Another crawler takes over an
// eighth of it later. It is long enough for a disk that takes two seconds for a
// write, and for a server that starts again.
const DefaultTTL = 8 * time.Second

// Options say what is shared and with whom.
type Options struct {
	KV jetstream.KeyValue
	// Name tells this crawler from the others.
	Name string
	// Ended are crawlers that are known to have ended, such as earlier runs of
	// this one: nobody waits until they have been silent for long enough.
	Ended []string
	Parts int
	// Alone says that there can be no other crawler.
	Alone bool
	// TTL defaults to DefaultTTL.
	TTL time.Duration
	// Take is called when a part is ours; requests before since may have been
	// made by an earlier owner, zero if there was none. Give must return when
	// nothing of the part is under way any more; at once says that the lease is
	// lost and what is under way must be broken off.
	Take func(part int, since time.Time)
	Give func(part int, atOnce bool)
	Log  *slog.Logger
}

// Leases holds parts. Make them with New.
type Leases struct {
	opts Options
	// until is when the parts held are not ours any more, in nanoseconds since
	// start.
	until atomic.Int64
	start time.Time

	mu      sync.Mutex
	members map[string]*sign
	parts   map[int]*holding
	held    map[int]uint64 // part -> revision of its key
	giving  map[int]bool   // parts whose work is being ended
	gives   sync.WaitGroup
}

// sign is a crawler's heartbeat as we see it.
type sign struct {
	revision uint64
	seen     time.Time // when revision came, by our clock
}

// holding is what a part's key says.
type holding struct {
	Owner    string `json:"owner"`
	revision uint64
	written  time.Time
}

// Keys in the bucket. bus.Key makes none with a dot.
const (
	memberPrefix = "crawler.member."
	partPrefix   = "crawler.part."
	aloneKey     = "crawler.alone"
)

// New returns leases that hold nothing yet.
func New(o Options) *Leases {
	if o.TTL == 0 {
		o.TTL = DefaultTTL
	}
	return &Leases{opts: o, start: time.Now(), members: make(map[string]*sign), parts: make(map[int]*holding), held: make(map[int]uint64), giving: make(map[int]bool)}
}

// Valid reports whether what is held is still ours, as far as we can know.
func (l *Leases) Valid() bool {
	return l.opts.Alone || time.Since(l.start) < time.Duration(l.until.Load())
}

// Run takes and gives parts until ctx is done, and gives all back then.
func (l *Leases) Run(ctx context.Context) error {
	if l.opts.Alone {
		return l.alone(ctx)
	}
	l.bury(ctx)
	w, err := l.watch(ctx)
	if err != nil {
		return nil // told to stop before it began
	}
	defer func() { _ = w.Stop() }() // the connection ends it at the latest
	var wg sync.WaitGroup
	defer wg.Wait()
	beating, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.beat(ctx)
	wg.Go(func() { l.keepBeating(beating) })
	wg.Go(func() { l.guard(beating) })
	tick := time.NewTicker(l.opts.TTL / 20)
	defer tick.Stop()
	end := func() error {
		err := l.leave(ctx, stop)
		wg.Wait()
		return err
	}
	unwatched := func() error {
		if ctx.Err() != nil { // which ends the watch, too
			return end()
		}
		return errors.Join(errors.New("leases: the watch ended"), end())
	}
	ready := false
	for {
		select {
		case e, ok := <-w.Updates():
			if !ok {
				return unwatched()
			}
			ready = l.update(e, ready)
		case <-tick.C:
		case <-ctx.Done():
			return end()
		}
		// What is known must be up to date before anything is decided by it.
		for more := true; more; {
			select {
			case e, ok := <-w.Updates():
				if !ok {
					return unwatched()
				}
				ready = l.update(e, ready)
			default:
				more = false
			}
		}
		if ready {
			l.balance(ctx)
		}
	}
}

// watch begins to follow the leases. A server that goes away just then is waited
// for as it is later; the only error is that of ctx.
func (l *Leases) watch(ctx context.Context) (w jetstream.KeyWatcher, err error) {
	l.persist(ctx, func() error {
		w, err = l.opts.KV.Watch(ctx, "crawler.>")
		return err
	})
	return w, err
}

// persist tries f until it succeeds, and reports false if ctx ends before.
func (l *Leases) persist(ctx context.Context, f func() error) bool {
	for {
		err := f()
		if err == nil || ctx.Err() != nil {
			return err == nil
		}
		l.opts.Log.Warn("leases cannot be reached, will go on", "err", err)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(time.Second):
		}
	}
}

// bury ends the heartbeats of crawlers that are known to have ended.
func (l *Leases) bury(ctx context.Context) {
	for _, name := range l.opts.Ended {
		_, err := l.opts.KV.Get(ctx, memberPrefix+name)
		if err == nil {
			err = l.opts.KV.Delete(ctx, memberPrefix+name)
		}
		if err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) && ctx.Err() == nil {
			l.opts.Log.Warn("heartbeat of an earlier run not ended: its parts are taken over later", "err", err)
		}
	}
}

// keepBeating writes our heartbeat.
func (l *Leases) keepBeating(ctx context.Context) {
	tick := time.NewTicker(l.opts.TTL / 5)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			l.beat(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// guard gives up everything if our heartbeat cannot be written.
func (l *Leases) guard(ctx context.Context) {
	tick := time.NewTicker(l.opts.TTL / 20)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if !l.Valid() {
				l.drop()
			}
		case <-ctx.Done():
			return
		}
	}
}

// aloneRecord says how the last crawler on this store ended.
type aloneRecord struct {
	Running bool      `json:"running"`
	Time    time.Time `json:"time"`
}

func (l *Leases) alone(ctx context.Context) error {
	since := time.Time{}
	var v jetstream.KeyValueEntry
	if !l.persist(ctx, func() (err error) {
		if v, err = l.opts.KV.Get(ctx, aloneKey); errors.Is(err, jetstream.ErrKeyNotFound) {
			return nil
		}
		return err
	}) {
		return nil
	}
	if v != nil {
		var r aloneRecord
		if since = time.Now(); json.Unmarshal(v.Value(), &r) == nil && !r.Running && r.Time.Before(since) {
			since = r.Time
		}
	}
	write := func(ctx context.Context, running bool) error {
		data, err := json.Marshal(aloneRecord{Running: running, Time: time.Now().UTC()})
		if err == nil {
			_, err = l.opts.KV.Put(ctx, aloneKey, data)
		}
		return err
	}
	if !l.persist(ctx, func() error { return write(ctx, true) }) {
		return nil
	}
	for p := range l.opts.Parts {
		l.opts.Take(p, since)
	}
	<-ctx.Done()
	l.giveAll(false)
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := write(last, false); err != nil {
		l.opts.Log.Warn("end of the crawl not noted: the next one waits a little before its first requests", "err", err)
	}
	return nil
}

// giveAll calls Give for all parts that are held.
func (l *Leases) giveAll(atOnce bool) {
	l.mu.Lock()
	parts := make([]int, 0, l.opts.Parts)
	for p := range l.opts.Parts {
		if _, ok := l.held[p]; ok || l.opts.Alone {
			parts = append(parts, p)
		}
	}
	clear(l.held)
	l.mu.Unlock()
	var wg sync.WaitGroup
	for _, p := range parts {
		wg.Go(func() { l.opts.Give(p, atOnce) })
	}
	wg.Wait()
}

// drop gives up everything, because others may think us dead.
func (l *Leases) drop() {
	l.mu.Lock()
	n := len(l.held)
	l.mu.Unlock()
	if n == 0 {
		return
	}
	l.opts.Log.Warn("crawler cannot renew its leases and stops until it can", "parts", n, "hint", "the NATS server does not answer in time")
	l.giveAll(true)
}

// update takes in what another crawler, or we, wrote, and reports whether all
// that was there is known.
func (l *Leases) update(e jetstream.KeyValueEntry, ready bool) bool {
	if e == nil {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	gone := e.Operation() != jetstream.KeyValuePut
	if name, ok := strings.CutPrefix(e.Key(), memberPrefix); ok {
		if gone {
			delete(l.members, name)
			return ready
		}
		l.members[name] = &sign{revision: e.Revision(), seen: time.Now()}
		return ready
	}
	number, ok := strings.CutPrefix(e.Key(), partPrefix)
	if !ok {
		return ready
	}
	part, err := strconv.Atoi(number)
	if err != nil || part < 0 || part >= l.opts.Parts {
		return ready
	}
	h := &holding{revision: e.Revision(), written: e.Created()}
	if !gone && json.Unmarshal(e.Value(), h) != nil {
		h.Owner = ""
	}
	if known := l.parts[part]; known == nil || known.revision < h.revision {
		l.parts[part] = h
	}
	return ready
}

// margin is how long before the others an owner stops to believe in its leases.
// They count from when they see a heartbeat, the owner from when it sent it, so
// that only what is under way needs it.
func (l *Leases) margin() time.Duration { return l.opts.TTL / 8 }

// patience is how long an answer of the server is waited for. A slow disk may
// take seconds, and one that comes late counts from when it was asked for; but
// what was lost must be sent again in time.
func (l *Leases) patience() time.Duration { return l.opts.TTL / 2 }

// beat writes our heartbeat.
func (l *Leases) beat(ctx context.Context) {
	sent := time.Since(l.start)
	bctx, cancel := context.WithTimeout(ctx, l.patience())
	defer cancel()
	if _, err := l.opts.KV.Put(bctx, memberPrefix+l.opts.Name, []byte(time.Now().UTC().Format(time.RFC3339Nano))); err != nil {
		if ctx.Err() == nil {
			l.opts.Log.Warn("heartbeat not written, will retry", "err", err)
		}
		return
	}
	l.until.Store(int64(sent + l.opts.TTL))
}

// live returns the names of the crawlers whose heartbeat goes on; l.mu is held.
func (l *Leases) live() []string {
	names := []string{l.opts.Name}
	for name, s := range l.members {
		if name != l.opts.Name && time.Since(s.seen) < l.opts.TTL+l.margin() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// balance takes free parts up to our share, and gives back what is beyond it.
func (l *Leases) balance(ctx context.Context) {
	if !l.Valid() {
		return
	}
	l.mu.Lock()
	live := l.live()
	share := (l.opts.Parts + len(live) - 1) / len(live)
	var free, beyond []int
	for p := range l.opts.Parts {
		if _, ok := l.held[p]; ok {
			if h := l.parts[p]; h != nil && h.Owner != l.opts.Name && h.revision > l.held[p] {
				beyond = append(beyond, p) // somebody took it: we were thought dead
			}
			continue
		}
		if l.giving[p] {
			continue
		}
		if h := l.parts[p]; h == nil || !slices.Contains(live, h.Owner) || h.Owner == l.opts.Name {
			free = append(free, p)
		}
	}
	for p := l.opts.Parts - 1; p >= 0 && len(l.held)-len(beyond) > share; p-- {
		if _, ok := l.held[p]; ok && !slices.Contains(beyond, p) {
			beyond = append(beyond, p)
		}
	}
	room := share - len(l.held) - len(l.giving)
	for _, p := range beyond {
		l.give(ctx, p)
	}
	l.mu.Unlock()
	for _, p := range free[:min(max(room, 0), len(free))] {
		l.take(ctx, p)
	}
}

// take tries to make a part ours.
func (l *Leases) take(ctx context.Context, part int) {
	l.mu.Lock()
	h := l.parts[part]
	l.mu.Unlock()
	value, err := json.Marshal(holding{Owner: l.opts.Name})
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, l.patience())
	defer cancel()
	key := partPrefix + strconv.Itoa(part)
	var revision uint64
	since := time.Time{}
	switch {
	case h == nil:
		revision, err = l.opts.KV.Create(ctx, key, value)
	case h.Owner == "":
		since = h.written
		revision, err = l.opts.KV.Update(ctx, key, value, h.revision)
	default:
		since = time.Now()
		revision, err = l.opts.KV.Update(ctx, key, value, h.revision)
	}
	if err != nil {
		return // somebody was faster; the watch tells who
	}
	if now := time.Now(); since.After(now) {
		since = now
	}
	l.mu.Lock()
	l.held[part] = revision
	l.parts[part] = &holding{Owner: l.opts.Name, revision: revision, written: time.Now()}
	l.mu.Unlock()
	l.opts.Take(part, since)
}

// give ends the work on a part and frees it, in the background; l.mu is held.
func (l *Leases) give(ctx context.Context, part int) {
	revision := l.held[part]
	delete(l.held, part)
	l.giving[part] = true
	l.gives.Go(func() {
		l.opts.Give(part, false)
		l.free(context.WithoutCancel(ctx), part, revision)
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.giving, part)
	})
}

func (l *Leases) free(ctx context.Context, part int, revision uint64) {
	value, err := json.Marshal(holding{})
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, l.patience())
	defer cancel()
	if _, err := l.opts.KV.Update(ctx, partPrefix+strconv.Itoa(part), value, revision); err != nil && ctx.Err() == nil {
		l.opts.Log.Debug("part not freed; it is when our heartbeat has ended", "part", part, "err", err)
	}
}

// leave gives everything back and ends our heartbeat.
func (l *Leases) leave(ctx context.Context, stop func()) error {
	l.mu.Lock()
	held := make(map[int]uint64, len(l.held))
	for p, r := range l.held {
		held[p] = r
	}
	l.mu.Unlock()
	l.giveAll(false)
	l.gives.Wait()
	stop()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	for p, r := range held {
		l.free(last, p, r)
	}
	if err := l.opts.KV.Delete(last, memberPrefix+l.opts.Name); err != nil {
		l.opts.Log.Warn("heartbeat not ended: others wait before they take over", "err", err)
	}
	return nil
}
