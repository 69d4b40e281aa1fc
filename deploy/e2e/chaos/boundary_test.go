package chaos

import (
	"math/rand/v2"
	"slices"
	"strconv"
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

// TestKilledAtEveryBoundary lets a process die just where a step is done and what
// follows from it is not. After each death it starts again.
func TestKilledAtEveryBoundary(t *testing.T) {
	t.Parallel()
	const perCrawl = 5
	left := kills(t, len(boundaries))
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 4))
	var crawls [][]run.Death
	var next []boundary
	for left > 0 {
		n := min(left, perCrawl)
		if len(next) < n {
			more := slices.Clone(boundaries)
			random.Shuffle(len(more), func(i, j int) { more[i], more[j] = more[j], more[i] })
			next = append(next, more...)
		}
		var deaths []run.Death
		for _, b := range next[:n] {
			after := 1 + random.Int64N(2)
			if strings.HasPrefix(b.name, "index batch") {
				after = 1 // of many articles
			}
			deaths = append(deaths, run.Death{Boundary: b.name, After: after})
		}
		crawls, next, left = append(crawls, deaths), next[n:], left-n
	}
	var mu sync.Mutex
	died, again := make(map[string]int), 0
	t.Run("crawls", func(t *testing.T) { // its end is that of all
		for i, deaths := range crawls {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				p := whole(t, w)
				for _, d := range deaths {
					at := d.Boundary
					w.publish(2) // so that there is work for everybody
					p.Death = d
					x := run.Launch(t, p)
					<-x.Started() // or ended
					select {
					case <-x.Ended():
					case <-time.After(8 * time.Second): // nothing comes there any more
						x.Kill()
						at = "any time"
					}
					mu.Lock()
					died[at]++
					mu.Unlock()
				}
				p.Death = run.Death{}
				x := run.Launch(t, p)
				defer x.Stop(t)
				w.settle(60 * time.Second)
				mu.Lock()
				defer mu.Unlock()
				again += w.receiver.Again()
			})
		}
	})
	for _, b := range boundaries {
		t.Logf("%4d × %s: %s", died[b.name], b.service, b.name)
	}
	t.Logf("%4d × any time", died["any time"])
	t.Logf("%d deliveries came again under their name", again)
	if died["any time"] > kills(t, len(boundaries))/2 {
		t.Error("most boundaries were not come to")
	}
}
