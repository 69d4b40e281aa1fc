package chaos

import (
	"strings"
	"testing"
	"time"

	"xinwen/deploy/app"
	"xinwen/deploy/e2e/internal/run"
	"xinwen/deploy/e2e/internal/wallclock"
)

const day = 24 * time.Hour

// clockCase is a crawl whose clock begins at the first time and jumps to each of
// the others, in the middle of the crawl. Times are from the true one.
type clockCase struct {
	name  string
	times []time.Duration
	// only are the services whose clock it is; none is all of one process.
	only []string
	long bool
}

var everyService = []string{"nats", app.Indexer, app.API, app.Extractor, app.Crawler}

var clockCases = []clockCase{
	{"whole", []time.Duration{0, time.Hour, 0, day, 0, -day}, nil, false},
	{"whole, a year back at start", []time.Duration{-365 * day, 0, -time.Hour}, nil, true},
	{"services", []time.Duration{0, time.Hour, -time.Hour, day, -day}, everyService, true},
	{"nats alone", []time.Duration{0, time.Hour, -time.Hour, day, -day}, []string{"nats"}, true},
	{"all but nats", []time.Duration{0, time.Hour, -time.Hour, day, -day}, everyService[1:], true},
	{"crawler alone", []time.Duration{-day, time.Hour, -time.Hour, day}, []string{app.Crawler}, true},
}

// TestClockJumps sets the clock of running processes forwards and back while they
// crawl: polls go on, new articles are found as soon as ever, all is told once,
// and leases stay where they are.
func TestClockJumps(t *testing.T) {
	if testing.Short() {
		t.Skip("crawls the demo web")
	}
	t.Parallel()
	for _, c := range clockCases {
		t.Run(strings.NewReplacer(" ", "-", ",", "").Replace(c.name), func(t *testing.T) {
			if c.long && !long() {
				t.Skip("only with " + killsEnv)
			}
			t.Parallel()
			c.run(t)
		})
	}
}

func (c clockCase) run(t *testing.T) {
	clock := wallclock.New(t)
	clock.Set(t, c.times[0])
	w := newWorld(t)
	w.receiver.AnyTime()
	sum := newTally()
	var list []run.Part
	if c.only == nil {
		list = []run.Part{whole(t, w)}
		list[0].Clock = clock.File
	} else {
		list = parts(t, w)
		for i := range list {
			for _, name := range c.only {
				if list[i].Name == name {
					list[i].Clock = clock.File
				}
			}
		}
	}
	sys := newSystem(t, list, sum)
	w.supervise = sys.supervise
	defer sys.stop()
	sys.startAll(func(*run.Part) {})
	leases := sys.leaseChanges(t)
	w.begun()
	taken := leases.Load()
	for i, at := range c.times {
		if i > 0 {
			clock.Set(t, at)
		}
		w.publish(2)
		began := time.Now()
		w.until(time.Minute, w.busy)
		t.Logf("at %s: new articles are found after %s", at, time.Since(began).Round(time.Millisecond))
	}
	// Often, so that some fall into the middle of a poll, a fetch, a delivery.
	for i := range 20 {
		clock.Set(t, time.Duration(i%2)*time.Hour)
		<-time.After(100 * time.Millisecond)
	}
	w.publish(2)
	w.settle(settleWithin)
	sum.judged(w)
	sum.report(t)
	if n := w.receiver.Again(); n > 0 {
		t.Errorf("%d deliveries came again", n)
	}
	if n := leases.Load() - taken; n > 0 {
		t.Errorf("leases changed %d times", n)
	}
	if len(sum.deaths) > 0 {
		t.Errorf("ended when the clock jumped: %v", sum.deaths)
	}
}
