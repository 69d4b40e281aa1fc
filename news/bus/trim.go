package bus

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// trimmer makes room in PAGES. Pages are kept for some days after they were
// handled; when their bytes run out first, the older half of those that every
// durable consumer has acked goes. Without a consumer nothing does.
type trimmer struct {
	mu   sync.Mutex
	last time.Time
}

// trimPages reports whether it made room. It tries at most once a second.
func (b *Bus) trimPages(ctx context.Context) (bool, error) {
	b.trim.mu.Lock()
	defer b.trim.mu.Unlock()
	if time.Since(b.trim.last) < time.Second {
		return false, nil
	}
	b.trim.last = time.Now()
	s, err := b.stream(ctx, Pages)
	if err != nil {
		return false, err
	}
	first := s.CachedInfo().State.FirstSeq
	actx, cancel := b.ask(ctx)
	defer cancel()
	l := s.ListConsumers(actx)
	var floor uint64
	seen := false
	for c := range l.Info() {
		if c.Config.Durable == "" {
			continue
		}
		if !seen || c.AckFloor.Stream < floor {
			floor = c.AckFloor.Stream
		}
		seen = true
	}
	if err := l.Err(); err != nil {
		return false, fmt.Errorf("consumers of %s: %w", Pages, err)
	}
	if floor < first {
		return false, nil
	}
	keep := first + (floor-first)/2 + 1 // at most floor + 1
	if err := s.Purge(actx, jetstream.WithPurgeSequence(keep)); err != nil {
		return false, fmt.Errorf("trim %s: %w", Pages, err)
	}
	b.log.Info("full stream trimmed: pages already handled are dropped before their time", "stream", Pages,
		"messages", keep-first, "hint", "raise pages_bytes to keep them for pages_age")
	return true, nil
}
