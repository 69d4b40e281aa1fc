package deliver

import (
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// budgets keep each channel within the limit its maker sets. They are about when
// to try: what they forget in a restart, the channel itself says.
type budgets struct {
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

// wait takes a token of the receiver's bucket if there is one; else it returns
// how long until there is.
func (b *budgets) wait(receiver string, k channelKind, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buckets == nil {
		b.buckets = make(map[string]*rate.Limiter)
	}
	l := b.buckets[receiver]
	if l == nil {
		l = rate.NewLimiter(rate.Every(k.per), k.burst)
		b.buckets[receiver] = l
	}
	r := l.ReserveN(now, 1)
	if d := r.DelayFrom(now); d > 0 {
		r.CancelAt(now)
		return d
	}
	return 0
}
