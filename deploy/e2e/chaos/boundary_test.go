package chaos

import (
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"xinwen/deploy/app"
	"xinwen/deploy/e2e/internal/run"
	"xinwen/news/bus"
)

// boundary is a place between two steps of a service where a crash parts them.
type boundary struct{ service, name string }

// boundaries are all between an entry of the frontier and a delivery that is
// noted.
var boundaries = []boundary{
	{app.Crawler, bus.Frontier + " before publish"},
	{app.Crawler, bus.Frontier + " after publish"},
	{app.Crawler, bus.Pages + " before publish"}, // the page is fetched
	{app.Crawler, bus.Pages + " after publish"},  // its entry is not acked
	{app.Extractor, bus.Articles + " before publish"},
	{app.Extractor, bus.Articles + " after publish"}, // its page is not acked
	{app.Extractor, "extractor before ack"},
	{app.Indexer, "index batch before write"},
	{app.Indexer, "index batch after write"}, // found by searches, not on disk
	{app.Indexer, "index batch persisted"},
	{app.Indexer, bus.Alerts + " before publish"},
	{app.Indexer, bus.Alerts + " after publish"}, // its article is not acked
	{app.Indexer, bus.ConsumerPercolator + " before ack"},
	{app.API, "delivery before log"}, // the receiver has answered
	{app.API, "deliver before ack"},
}

// death is one at b, at the first message or a later one.
func (b boundary) death(random *rand.Rand) run.Death {
	d := run.Death{Boundary: b.name, After: 1 + random.Int64N(2)}
	if strings.HasPrefix(b.name, "index batch") {
		d.After = 1 // of many articles
	}
	return d
}

// TestKilledAtEveryBoundary lets the whole process die just where a step is done
// and what follows from it is not. After each death it starts again.
func TestKilledAtEveryBoundary(t *testing.T) {
	t.Parallel()
	n := kills(t, len(boundaries))
	var mu sync.Mutex
	next := 0
	come := make(map[string]bool)
	crawls(t, n, func(t *testing.T, n int, random *rand.Rand, sum *tally) {
		w := newWorld(t)
		p := whole(t, w)
		for range n {
			mu.Lock()
			b := boundaries[next%len(boundaries)]
			next++
			mu.Unlock()
			w.publish(2) // so that there is work for everybody
			p.Death = b.death(random)
			x := run.Launch(t, p)
			<-x.Started() // or ended
			at := b.service + ": " + b.name
			select {
			case <-x.Ended():
				mu.Lock()
				come[b.name] = true
				mu.Unlock()
			case <-time.After(8 * time.Second): // nothing comes there any more
				x.Kill()
				at = "xinwen: any time"
			}
			sum.died(at)
		}
		p.Death = run.Death{}
		x := run.Launch(t, p)
		defer x.Stop(t)
		w.settle(settleWithin)
		sum.judged(w)
	})
	if len(come) < min(n, len(boundaries))/2 {
		t.Errorf("only %d boundaries were come to", len(come))
	}
}
