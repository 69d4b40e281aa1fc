package chaos

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/deploy/app"
	"xinwen/deploy/e2e/internal/run"
	"xinwen/news"
	"xinwen/news/weburl"
)

// TestDeliveriesArriveThoughKilled kills api and indexer, most of the times at
// their boundaries, while articles and revisions of them are handed in whose
// matches go to a receiver that fails at 30 % of the tries.
func TestDeliveriesArriveThoughKilled(t *testing.T) {
	t.Parallel()
	crawls(t, kills(t, 4), deliverThoughKilled)
}

func deliverThoughKilled(t *testing.T, n int, random *rand.Rand, sum *tally) {
	w := newWorld(t)
	luck := rand.New(rand.NewPCG(random.Uint64(), 0)) // the receiver's own
	w.receiver.Fails(func(int) bool { return luck.Float64() < .3 })
	list := slices.DeleteFunc(parts(t, w), func(p run.Part) bool { return p.Name == app.Crawler })
	sys := newSystem(t, list, sum)
	w.supervise = sys.supervise
	defer sys.stop()
	victims := []string{app.API, app.Indexer}
	doom := func(p *run.Part) {
		if p.Death = (run.Death{}); slices.Contains(victims, p.Name) {
			p.Death = death(random, p.Name)
		}
	}
	sys.startAll(doom)
	titles := make(map[string]string) // by article, of its last revision
	for i := range n {
		for k := range 3 {
			w.handInRevision(titles, fmt.Sprintf("%d-%d", i, k), 1)
		}
		if i > 0 {
			w.handInRevision(titles, fmt.Sprintf("%d-%d", random.IntN(i), random.IntN(3)), i+1)
		}
		x := sys.first(time.Duration(random.Int64N(int64(2 * time.Second))))
		if x != nil {
			sys.ended(x)
		} else {
			x = sys.running[victims[random.IntN(len(victims))]]
			x.Kill()
			sum.died(x.Name + ": any time")
		}
		p := x.Part
		doom(&p)
		sys.start(p)
	}
	w.until(settleWithin, func() string {
		if got := w.Count(); got < len(titles) {
			return fmt.Sprintf("%d of %d articles can be found", got, len(titles))
		}
		return w.Busy()
	})
	got := make(map[string]string)
	for id, hit := range w.Search("") {
		got[id] = hit.Title
	}
	v := verdict{articles: len(titles), doubled: max(len(got)-len(titles), 0)}
	if diff := cmp.Diff(titles, got); diff != "" {
		t.Errorf("titles of articles (-handed in +found):\n%s", diff)
	}
	for id, title := range titles {
		switch found, ok := got[id]; {
		case !ok:
			v.lost++
		case found != title:
			v.overwritten++
		}
	}
	w.told(&v, slices.Collect(maps.Keys(titles)))
	w.verdict = v
	sum.judged(w)
}

// handInRevision hands in an article, or a further revision of it, and notes its
// title.
func (w *world) handInRevision(titles map[string]string, name string, revision int) {
	w.T.Helper()
	address := "https://desk.example/" + name
	title := fmt.Sprintf("台积电供应链消息%s第%d版", name, revision)
	w.handIn(news.ImportedArticle{
		URL: address, Title: title, Lang: "zh", Source: "desk",
		Text: fmt.Sprintf("编号%s的消息，第%d版：台积电的下一批设备已经进厂，供应链对下半年的出货看法审慎乐观。", name, revision),
	})
	titles[weburl.ID(address)] = title
}
