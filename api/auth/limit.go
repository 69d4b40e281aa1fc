package auth

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxLimiters bounds the callers that are remembered.
const maxLimiters = 10_000

// limits counts the requests of each caller.
type limits struct {
	per   rate.Limit // a second
	burst int

	mu  sync.Mutex
	all map[string]*rate.Limiter
}

func newLimits(perMinute, burst int) *limits {
	return &limits{per: rate.Limit(perMinute) / 60, burst: burst, all: make(map[string]*rate.Limiter)}
}

// take counts n requests of a caller. It returns how many are left now, and
// if they were too many, how long to wait.
func (l *limits) take(caller string, n int, now time.Time) (left int, wait time.Duration) {
	n = min(n, l.burst)
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.all[caller]
	if c == nil {
		if len(l.all) >= maxLimiters {
			l.forget(now)
		}
		c = rate.NewLimiter(l.per, l.burst)
		l.all[caller] = c
	}
	if !c.AllowN(now, n) {
		missing := float64(n) - c.TokensAt(now)
		return 0, time.Duration(missing / float64(l.per) * float64(time.Second))
	}
	return int(c.TokensAt(now)), 0
}

// forget drops those who have nothing counted against them any more; if that are
// none, all.
func (l *limits) forget(now time.Time) {
	before := len(l.all)
	for caller, c := range l.all {
		if c.TokensAt(now) >= float64(l.burst) {
			delete(l.all, caller)
		}
	}
	if len(l.all) == before {
		clear(l.all)
	}
}

// tell writes the headers of draft-ietf-httpapi-ratelimit-headers-10.
func (l *limits) tell(h http.Header, left int) {
	seconds := func(n int) int { return int(math.Ceil(float64(n) / float64(l.per))) }
	h.Set("RateLimit-Policy", fmt.Sprintf(`"requests";q=%d;w=%d`, l.burst, seconds(l.burst)))
	h.Set("RateLimit", fmt.Sprintf(`"requests";r=%d;t=%d`, left, seconds(l.burst-left)))
}

// retryAfter writes a wait for the client.
func retryAfter(h http.Header, wait time.Duration) {
	h.Set("Retry-After", strconv.Itoa(max(1, int(math.Ceil(wait.Seconds())))))
}
