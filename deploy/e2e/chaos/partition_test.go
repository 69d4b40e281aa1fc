package chaos

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/deploy/e2e/internal/run"
	"xinwen/news/bus"
)

// TestPartitionedCluster parts one of three NATS servers, mostly that which leads,
// from the others and from Xinwen, which goes on with the two that are left.
func TestPartitionedCluster(t *testing.T) {
	if !long() {
		t.Skip("elections take their time; only with " + killsEnv)
	}
	net := newNetwork(t, 3)
	w := newWorld(t)
	nodes, urls := cluster(t, net.host)
	for i := range nodes {
		nodes[i].Namespace = net.namespace(i)
	}
	sys := newSystem(t, nodes, nil)
	defer sys.stop()
	for _, p := range nodes {
		sys.start(p)
	}
	p := whole(t, w)
	p.NATS, p.Replicas, p.Sources = urls, 3, "none"
	x := run.Launch(t, p)
	defer x.Stop(t)
	titles := make(map[string]string)
	found := func(name string) (took time.Duration) {
		began := time.Now()
		w.handInRevision(titles, name, 1)
		w.until(2*time.Minute, func() string {
			if n := w.Count(); n < len(titles) {
				return fmt.Sprintf("%d of %d articles can be found", n, len(titles))
			}
			return ""
		})
		return time.Since(began)
	}
	found("before")
	streams := []string{bus.Pages, bus.Articles, bus.Alerts}
	var worst time.Duration
	const times = 6
	for i := range times {
		everyServerCurrent(t, urls)
		leader := leaderOf(t, urls, streams[i%len(streams)])
		cut, err := strconv.Atoi(strings.TrimPrefix(leader, "nats-"))
		if err != nil {
			t.Fatal(err)
		}
		net.cut(cut)
		took := found(fmt.Sprint("cut-", i))
		t.Logf("without %s, the leader of %s: %s", leader, streams[i%len(streams)], took.Round(time.Millisecond))
		worst = max(worst, took)
		net.join(cut)
		found(fmt.Sprint("joined-", i))
	}
	fmt.Printf("figure\tpartition of a leader, three servers, worst of %d\t%.3g\ts\t< 15\t-\n", times, worst.Seconds())
	w.until(settleWithin, w.Busy)
	got := make(map[string]string)
	for id, hit := range w.Search("") {
		got[id] = hit.Title
	}
	if diff := cmp.Diff(titles, got); diff != "" {
		t.Errorf("titles of articles (-handed in +found):\n%s", diff)
	}
	var v verdict
	w.told(&v, slices.Collect(maps.Keys(titles)))
	t.Logf("%d articles and %d deliveries over %d partitions, %d came again under their name", len(got), v.deliveries, times, v.again)
}

// everyServerCurrent waits until all servers have all that the leaders have.
func everyServerCurrent(t *testing.T, urls string) {
	t.Helper()
	js, done := jetStream(t, urls)
	defer done()
	missing := run.Poll(t.Context(), time.Minute, func() string {
		for _, name := range []string{bus.Pages, bus.Articles, bus.Alerts} {
			s, err := js.Stream(t.Context(), name)
			if err != nil {
				return err.Error()
			}
			c := s.CachedInfo().Cluster
			if c.Leader == "" || len(c.Replicas) < 2 {
				return name + " has no leader, or too few servers"
			}
			for _, r := range c.Replicas {
				if !r.Current || r.Offline {
					return fmt.Sprintf("%s of %s is behind", r.Name, name)
				}
			}
		}
		return ""
	})
	if missing != "" {
		t.Fatal(missing)
	}
}
