package fetch

import (
	"io"
	"sync/atomic"
	"time"
)

// rateWindow is how often the minimum rate is looked at.
const rateWindow = 5 * time.Second

// rateGuard gives up on a body that comes with less than a minimum rate.
type rateGuard struct {
	n     atomic.Int64
	timer *time.Timer
}

func newRateGuard(minRate int64, slow func()) *rateGuard {
	g := new(rateGuard)
	least := minRate * int64(rateWindow/time.Second)
	var last int64
	ready := make(chan struct{}) // orders the write of g.timer before its use
	g.timer = time.AfterFunc(rateWindow, func() {
		<-ready
		n := g.n.Load()
		if n-last < least {
			slow()
			return
		}
		last = n
		g.timer.Reset(rateWindow)
	})
	close(ready)
	return g
}

func (g *rateGuard) stop() { g.timer.Stop() }

// reader returns r, counted by g.
func (g *rateGuard) reader(r io.Reader) io.Reader { return rateReader{g, r} }

type rateReader struct {
	guard *rateGuard
	r     io.Reader
}

func (r rateReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.guard.n.Add(int64(n))
	return n, err
}
