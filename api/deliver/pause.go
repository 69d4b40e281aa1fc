package deliver

import (
	"sync"
	"time"
)

// steady is the number of failures in a row after which a receiver is left
// alone for a while.
const steady = 3

// pauses remembers which receivers fail. A receiver that hangs would else take
// every worker in turn, and hold up the alerts of all others. It is only about
// when to try: what it forgets in a restart costs one more attempt.
type pauses struct {
	mu        sync.Mutex
	receivers map[string]*pause
}

type pause struct {
	failures int // in a row
	until    time.Time
	probed   time.Time // when an attempt was let through that has not ended
}

// wait returns how long receiver is to be left alone yet. When its pause is
// over it lets one attempt through and holds the others back until that has
// ended, at the longest for probe: they ask again, ever less often.
func (p *pauses) wait(receiver string, now time.Time, probe time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.receivers[receiver]
	if r == nil || r.failures < steady {
		return 0
	}
	if d := r.until.Sub(now); d > 0 {
		if !r.probed.IsZero() {
			d = min(d, max(now.Sub(r.probed), leastPause))
		}
		return d
	}
	r.until, r.probed = now.Add(probe), now
	return 0
}

// report says how an attempt ended: whether receiver answers, and else how long
// the attempt that failed will wait for its next try.
func (p *pauses) report(receiver string, now time.Time, ok bool, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if ok {
		delete(p.receivers, receiver)
		return
	}
	if p.receivers == nil {
		p.receivers = make(map[string]*pause)
	}
	r := p.receivers[receiver]
	if r == nil {
		r = &pause{}
		p.receivers[receiver] = r
	}
	r.failures++
	r.probed = time.Time{}
	// Longer each time for the receiver as a whole, but short enough to notice
	// its return.
	r.until = now.Add(min(wait, maxPause))
}

// maxPause is the longest that a failing receiver is left alone.
const maxPause = 5 * time.Minute

// leastPause is the first time that those wait who are held back for an attempt.
const leastPause = 100 * time.Millisecond
