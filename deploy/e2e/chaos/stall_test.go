package chaos

import (
	"math/rand/v2"
	"testing"
	"time"

	"xinwen/deploy/e2e/internal/run"
)

// TestStalledProcessesLoseNothing lets services and the NATS server stand still
// for up to some seconds, as on a machine that lacks memory or is moved: what was
// sent to them waits, clocks jump for them, and others think them dead.
func TestStalledProcessesLoseNothing(t *testing.T) {
	if !long() {
		t.Skip("stands still most of the time; only with " + killsEnv)
	}
	t.Parallel()
	crawls(t, kills(t, 10), func(t *testing.T, n int, random *rand.Rand, sum *tally) {
		w := newWorld(t)
		sys := newSystem(t, parts(t, w), sum)
		w.supervise = sys.supervise
		defer sys.stop()
		sys.startAll(func(*run.Part) {})
		for range n {
			w.publish(2)
			x := sys.running[sys.parts[random.IntN(len(sys.parts))].Name]
			x.Stall(time.Duration(random.Int64N(int64(6 * time.Second)))) // longer than the server waits for an ack
			sum.died(x.Name + ": stalled")
		}
		w.settle(settleWithin)
		sum.judged(w)
	})
}
