package chaos

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"xinwen/deploy/app"
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

// killsEnv makes the long run: over the whole demo web, with so many kills.
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

// TestServicesKilledAtTheirBoundaries kills single services, and NATS, half of
// the times just when a message shows that one is at a boundary.
func TestServicesKilledAtTheirBoundaries(t *testing.T) {
	t.Parallel()
	const perCrawl = 8
	left := kills(t, 3)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	killed := make(map[string]int)
	again := 0
	for crawl := 1; left > 0; crawl++ {
		n := min(left, perCrawl)
		left -= n
		if !t.Run(fmt.Sprint("crawl-", crawl), func(t *testing.T) {
			w := newWorld(t)
			killServices(t, w, n, random, killed)
			again += w.receiver.Again()
		}) {
			break
		}
	}
	for _, what := range slices.Sorted(maps.Keys(killed)) {
		t.Logf("%4d × %s", killed[what], what)
	}
	t.Logf("%d deliveries came again under their name", again)
}

// killServices crawls the web once and kills n times on the way.
func killServices(t *testing.T, w *world, n int, random *rand.Rand, killed map[string]int) {
	list := parts(t, w)
	sys := &system{t: t, parts: list, running: make(map[string]*run.Process)}
	w.supervise = sys.supervise
	defer sys.stop()
	for _, p := range list {
		x := sys.start(p)
		if p.Name == "nats" {
			<-x.Started()
		}
	}
	type moment struct{ stage, service string }
	moments := make(chan moment)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go listen(ctx, list[0].Serve, func(subject string) {
		if stage, service := stageOf(subject); stage != "" {
			select {
			case moments <- moment{stage, service}:
			default: // nobody waits for one
			}
		}
	})
	for range n {
		var victim, what string
		// A service that takes part is killed at a boundary, any at another time.
		pause := time.NewTimer(time.Duration(random.Int64N(int64(1500 * time.Millisecond))))
		<-pause.C
		if random.IntN(2) == 0 {
			skip := random.IntN(5)
			timeout := time.After(2 * time.Second)
			for victim == "" {
				select {
				case m := <-moments:
					if skip--; skip < 0 {
						victim, what = m.service, m.service+": "+m.stage
						if random.IntN(4) == 0 {
							victim, what = "nats", "nats: "+m.stage
						}
					}
				case <-timeout:
					victim = list[random.IntN(len(list))].Name
				}
			}
		} else {
			victim = list[random.IntN(len(list))].Name
		}
		if victim == app.Crawler && !long() {
			// What a killed crawler held of the web is free again only when its
			// lease has ended: that would be most of the test's time.
			victim, what = app.Extractor, ""
		}
		if what == "" {
			what = victim + ": any time"
		}
		sys.kill(victim)
		killed[what]++
		sys.supervise()
	}
	w.settle(3 * time.Minute)
	killed["ended by itself and was started again"] += sys.revived
}

// TestWholeProcessKilled kills everything at once at random times, start-up
// among them.
func TestWholeProcessKilled(t *testing.T) {
	if !long() {
		t.Skip("the tests of deploy/e2e kill a whole process; here only with " + killsEnv)
	}
	const perCrawl = 5
	left := kills(t, 2)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	again := 0
	for crawl := 1; left > 0; crawl++ {
		n := min(left, perCrawl)
		left -= n
		if !t.Run(fmt.Sprint("crawl-", crawl), func(t *testing.T) {
			w := newWorld(t)
			p := whole(t, w)
			for range n {
				x := run.Launch(t, p)
				life := time.NewTimer(time.Duration(random.Int64N(int64(4 * time.Second))))
				<-life.C
				x.Kill()
			}
			x := run.Launch(t, p)
			defer x.Stop(t)
			w.settle(60 * time.Second)
			again += w.receiver.Again()
		}) {
			break
		}
	}
	t.Logf("%d deliveries came again under their name", again)
}
