package frontier

import (
	"context"
	"sync"
	"time"
)

// Limits of requests at the same time, whatever the hosts.
const (
	// PerDomain bounds those to the hosts of one registrable domain; they begin a
	// quarter of the delay apart at least.
	PerDomain   = 2
	domainShare = 4
	// PerIP bounds those to one address: many sites can share a server.
	PerIP = 4
)

// gates bound the requests at the same time by a key.
type gates struct {
	limit int
	keep  bool // remember when the next request may begin

	mu  sync.Mutex
	all map[string]*gate
}

type gate struct {
	users int
	slots chan struct{}
	next  time.Time // when the next request may begin
}

func newGates(limit int, keep bool) *gates {
	return &gates{limit: limit, keep: keep, all: make(map[string]*gate)}
}

// enter waits for a place, and for gap to pass between beginnings. leave must be
// called at the end.
func (g *gates) enter(ctx context.Context, key string, gap time.Duration) (leave func(), err error) {
	if key == "" {
		return func() {}, nil
	}
	g.mu.Lock()
	k := g.all[key]
	if k == nil {
		if len(g.all) >= maxHosts {
			g.sweep()
		}
		k = &gate{slots: make(chan struct{}, g.limit)}
		g.all[key] = k
	}
	k.users++
	g.mu.Unlock()
	leave = func() {
		<-k.slots
		g.gone(key, k)
	}
	select {
	case k.slots <- struct{}{}:
	case <-ctx.Done():
		g.gone(key, k)
		return nil, ctx.Err()
	}
	if gap <= 0 {
		return leave, nil
	}
	g.mu.Lock()
	now := time.Now()
	at := now
	if k.next.After(now) {
		at = k.next
	}
	k.next = at.Add(gap)
	g.mu.Unlock()
	if wait := at.Sub(now); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			leave()
			return nil, ctx.Err()
		}
	}
	return leave, nil
}

func (g *gates) gone(key string, k *gate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if k.users--; k.users == 0 && !g.keep {
		delete(g.all, key)
	}
}

// sweep forgets gates that mean nothing any more; g.mu is held.
func (g *gates) sweep() {
	now := time.Now()
	for key, k := range g.all {
		if k.users == 0 && now.After(k.next) {
			delete(g.all, key)
		}
	}
}
