package e2e

import (
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/deploy/e2e/internal/run"
	"xinwen/deploy/simweb"
	"xinwen/news/weburl"
)

func TestMain(m *testing.M) { run.Main(m) }

// kills is how often the process is killed in all.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("XINWEN_KILLS")
	if text == "" {
		return 5
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("XINWEN_KILLS is %q; write a number", text)
	}
	return n
}

const (
	// killsPerCrawl is the most often that one crawl is killed.
	killsPerCrawl = 5
	// life is the longest that a process lives before it is killed: start-up
	// takes about a second of it.
	life = 4 * time.Second
)

func TestKillLosesNothingAndDoublesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("kills a process many times")
	}
	left := kills(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	inCrawl := 0
	for crawl := 1; left > 0; crawl++ {
		n := min(left, 1+random.IntN(killsPerCrawl))
		left -= n
		inCrawl += crawlWithKills(t, crawl, n, random)
	}
	t.Logf("%d of %d kills came before the last article was in the index", inCrawl, kills(t))
}

// crawlWithKills crawls the demo web once, kills the process n times on the way,
// and checks index and alerts in the end. It returns how many kills came before the
// crawl was done.
func crawlWithKills(t *testing.T, crawl, n int, random *rand.Rand) (inCrawl int) {
	t.Helper()
	web := startWeb(t, simweb.Options{})
	articles := web.Articles()
	var want []string
	nameOf := make(map[string]string)
	for _, a := range articles {
		want = append(want, weburl.ID(a.URL))
		nameOf[weburl.ID(a.URL)] = a.Name
	}
	slices.Sort(want)
	s := prepare(t, web, simweb.SourceOptions{Delay: 150 * time.Millisecond, Interval: 2 * time.Second})
	receiver := run.NewReceiver(t)
	s.Alerts = receiver.Rule(t, "foundries", "台积电 OR 三星")
	for range n {
		if !livesAndDies(t, s, time.Duration(random.Int64N(int64(life))), len(want)) {
			inCrawl++
		}
	}
	p := run.Launch(t, s)
	defer p.Stop(t)
	c := p.Client(t)
	c.Until(demoTime, func() string {
		if missing := short(c.Count(), len(want)); missing != "" {
			return missing
		}
		return c.Busy()
	})
	receiver.Arrived(t, time.Minute, telling(articles, slices.Concat(spelt["tsmc"], spelt["samsung"])...))
	hits := c.Search("")
	got := slices.Sorted(maps.Keys(hits))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("crawl %d: articles in the index (-published +found):\n%s", crawl, diff)
	}
	if missing := web.Log().Missing(articles); len(missing) > 0 {
		t.Errorf("crawl %d: in the index but never fetched: %v", crawl, missing)
	}
	if q := c.Quarantine(); len(q) > 0 {
		t.Errorf("crawl %d: in quarantine: %+v", crawl, q)
	}
	polls := 0
	for url, times := range web.Log().Fetched() {
		if nameOf[weburl.ID(url)] != "" {
			polls += times
		}
	}
	t.Logf("crawl %d: %d kills, %d articles in %d fetches", crawl, n, len(got), polls)
	return inCrawl
}

// livesAndDies runs a process, kills it after some time, and reports whether all
// articles were in its index by then.
func livesAndDies(t *testing.T, p run.Part, life time.Duration, all int) (complete bool) {
	t.Helper()
	timer := time.NewTimer(life)
	defer timer.Stop()
	died := time.Now().Add(life)
	x := run.Launch(t, p)
	defer x.Kill()
	select {
	case <-timer.C:
		return false
	case <-x.Started():
		c := x.Client(t)
		complete = run.Poll(t.Context(), time.Until(died), func() string { return short(c.Count(), all) }) == ""
		<-timer.C
		return complete
	}
}
