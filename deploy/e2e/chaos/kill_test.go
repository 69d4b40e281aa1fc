package chaos

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"xinwen/deploy/e2e/internal/run"
)

type natsMsg = nats.Msg

// observer connects to a NATS server and stays connected.
func observer(ctx context.Context, address string) *nats.Conn {
	for ctx.Err() == nil {
		nc, err := nats.Connect("nats://"+address, nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
		if err == nil {
			return nc
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	return nil
}

// killsEnv makes the long run, with so many kills.
const killsEnv = "XINWEN_CHAOS_KILLS"

func long() bool { return os.Getenv(killsEnv) != "" }

// kills is how often something is killed in all.
func kills(t *testing.T, standard int) int {
	t.Helper()
	if testing.Short() {
		t.Skip("kills processes many times")
	}
	text := os.Getenv(killsEnv)
	if text == "" {
		return standard
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s is %q; write a number", killsEnv, text)
	}
	return n
}

const (
	// perCrawl is how often one crawl is killed.
	perCrawl = 10
	// settleWithin is how long a crawl may take after that, on a busy machine.
	settleWithin = 3 * time.Minute
)

// crawls divides the kills of a long run among crawls that go on side by side,
// as many as -parallel allows, and reports on all of them.
func crawls(t *testing.T, n int, crawl func(t *testing.T, n int, random *rand.Rand, sum *tally)) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	sum := newTally()
	t.Run("crawls", func(t *testing.T) { // its end is that of all
		for i := 0; i*perCrawl < n; i++ {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				crawl(t, min(n-i*perCrawl, perCrawl), random, sum)
			})
		}
	})
	sum.report(t)
}

// TestServicesKilledAtTheirBoundaries kills single services, most of them just
// at one of their boundaries, others at any time, and NATS when a message shows
// that a service is at one.
func TestServicesKilledAtTheirBoundaries(t *testing.T) {
	t.Parallel()
	crawls(t, kills(t, 3), killServices)
}

// killServices crawls the web once and kills n times on the way.
func killServices(t *testing.T, n int, random *rand.Rand, sum *tally) {
	w := newWorld(t)
	sys := newSystem(t, parts(t, w), sum)
	w.supervise = sys.supervise
	defer sys.stop()
	doom := func(p *run.Part) { p.Death = death(random, p.Name) }
	sys.startAll(doom)
	stages := make(chan string)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go listen(ctx, sys.parts[0].Serve, func(subject string) {
		if stage := stageOf(subject); stage != "" {
			select {
			case stages <- stage:
			default: // nobody waits for one
			}
		}
	})
	for range n {
		w.publish(2) // so that there is work for everybody
		var x *run.Process
		if random.IntN(5) == 0 {
			stage := waitFor(stages, random.IntN(5))
			x = sys.running["nats"]
			x.Kill()
			sum.died("nats: " + stage)
		} else if x = sys.first(time.Duration(random.Int64N(int64(3 * time.Second)))); x != nil {
			sys.ended(x)
		} else {
			x = sys.running[sys.parts[1+random.IntN(len(sys.parts)-1)].Name]
			x.Kill()
			sum.died(x.Name + ": any time")
		}
		p := x.Part
		doom(&p)
		sys.start(p)
	}
	w.settle(settleWithin)
	sum.judged(w)
}

// waitFor returns the stage that a message marks, after some others, or "any
// time" if none comes.
func waitFor(stages <-chan string, skip int) string {
	timeout := time.After(2 * time.Second)
	for {
		select {
		case stage := <-stages:
			if skip--; skip < 0 {
				return stage
			}
		case <-timeout:
			return "any time"
		}
	}
}

// death chooses where a service dies; it may be nowhere.
func death(random *rand.Rand, service string) run.Death {
	var own []boundary
	for _, b := range boundaries {
		if b.service == service {
			own = append(own, b)
		}
	}
	if len(own) == 0 || random.IntN(4) == 0 {
		return run.Death{}
	}
	return own[random.IntN(len(own))].death(random)
}

// TestWholeProcessKilled kills everything at once at random times, start-up
// among them.
func TestWholeProcessKilled(t *testing.T) {
	if !long() {
		t.Skip("the tests of deploy/e2e kill a whole process; here only with " + killsEnv)
	}
	t.Parallel()
	crawls(t, kills(t, 2), func(t *testing.T, n int, random *rand.Rand, sum *tally) {
		w := newWorld(t)
		p := whole(t, w)
		for range n {
			w.publish(2)
			x := run.Launch(t, p)
			life := time.NewTimer(time.Duration(random.Int64N(int64(3 * time.Second))))
			<-life.C
			x.Kill()
			sum.died("xinwen: any time")
		}
		x := run.Launch(t, p)
		defer x.Stop(t)
		w.settle(settleWithin)
		sum.judged(w)
	})
}
