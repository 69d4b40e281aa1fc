package chaos

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/deploy/e2e/internal/run"
	"xinwen/deploy/simweb"
	"xinwen/news"
	"xinwen/news/weburl"
)

// delay is the least time between two requests to a host, also from one life of
// the crawler to the next.
const delay = 100 * time.Millisecond

// query is the alert rule's.
const query = "台积电 OR 三星"

// world is what is around the system and outlives it: the web that it reads,
// the receiver of its alerts, and the judge.
type world struct {
	*run.Client // of the api
	web         *simweb.Web
	receiver    *run.Receiver
	sources     string   // file
	alerts      string   // directory
	want        []string // IDs of the articles of the web
	// supervise, if set, is called while waiting.
	supervise func()
	verdict   verdict // of the last time that all was done
}

func newWorld(t *testing.T) *world {
	t.Helper()
	web, err := simweb.New(simweb.Options{DemoSites: []string{"dianhai", "kuaixin", "jingyuan"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := web.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := web.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{Client: &run.Client{T: t}, web: web, receiver: run.NewReceiver(t)}
	for _, a := range web.Articles() {
		w.want = append(w.want, weburl.ID(a.URL))
	}
	slices.Sort(w.want)
	w.alerts = w.receiver.Rule(t, "rule", query)
	w.sources = filepath.Join(t.TempDir(), "sources.yaml")
	text := web.SourcesFor(simweb.SourceOptions{Delay: delay, Interval: 500 * time.Millisecond})
	if err := os.WriteFile(w.sources, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return w
}

// publish puts n new articles on the web, each a match of the rule.
func (w *world) publish(n int) {
	w.T.Helper()
	for range n {
		name := fmt.Sprint("extra-", len(w.want))
		a, err := w.web.Publish(simweb.Article{
			Name: name, Source: "kuaixin", Title: "演示快讯：台积电扩产传闻之" + name, Reporter: "周一鸣",
			Text: "演示厂商台积电在活动上表示，下一批设备已经进厂，编号为" + name + "，供应链对下半年的出货看法审慎乐观。\n" +
				"业者指出，新产线采用液冷设计，电源与散热零部件的需求将同步增加，厂商已经通过认证，准备逐步放量出货。",
		})
		if err != nil {
			w.T.Fatal(err)
		}
		w.want = append(w.want, weburl.ID(a.URL))
	}
	slices.Sort(w.want)
}

// busy says what is still to be done, "" if nothing.
func (w *world) busy() string {
	if n := w.Count(); n < len(w.want) {
		return fmt.Sprintf("%d of %d articles can be found", n, len(w.want))
	}
	return w.Busy()
}

// begun waits until the crawl is under way.
func (w *world) begun() {
	w.T.Helper()
	w.until(30*time.Second, func() string {
		if n := w.Count(); n < 2 {
			return fmt.Sprintf("%d articles yet", n)
		}
		return ""
	})
}

// until waits for missing to return "".
func (w *world) until(limit time.Duration, missing func() string) {
	w.T.Helper()
	last := run.Poll(w.T.Context(), limit, func() string {
		if w.supervise != nil {
			w.supervise()
		}
		return missing()
	})
	if last != "" {
		w.explain()
		w.T.Fatalf("after %s: %s", limit, last)
	}
}

// explain says what became of the articles that are missing.
func (w *world) explain() {
	w.T.Helper()
	fetched := w.web.Log().Fetched()
	for _, a := range w.web.Articles() {
		if _, err := w.Article(weburl.ID(a.URL)); err != nil {
			w.T.Logf("%s, fetched %d times: %v", a.URL, fetched[a.URL], err)
		}
	}
	for _, q := range w.Quarantine() {
		w.T.Logf("quarantine: %s %s: %s", q.Service, q.URL, q.Reason)
	}
	for _, s := range w.Sources() {
		if s.Status != news.SourceOK {
			w.T.Logf("source %s: %s, %d items, %d articles, %s", s.ID, s.Status, s.Items, s.Articles, s.LastError)
		}
	}
}

// settle waits until all is done, and judges: every article of the web is in
// the index once and as the web has it, every match was told under one name,
// nothing failed.
func (w *world) settle(limit time.Duration) {
	w.T.Helper()
	w.until(limit, w.busy)
	v := verdict{articles: len(w.want)}
	hits := w.Search("")
	if diff := cmp.Diff(w.want, slices.Sorted(maps.Keys(hits))); diff != "" {
		w.T.Errorf("articles in the index (-published +found):\n%s", diff)
	}
	v.doubled = max(len(hits)-len(w.want), 0)
	for _, a := range w.web.Articles() {
		hit, ok := hits[weburl.ID(a.URL)]
		switch {
		case !ok:
			v.lost++
		case hit.Title != a.Title:
			v.overwritten++
			article, err := w.Article(hit.ID)
			w.T.Errorf("%s: got title %q, want %q; the article is %+v, %v", a.URL, hit.Title, a.Title, article, err)
		}
	}
	if missing := w.web.Log().Missing(w.web.Articles()); len(missing) > 0 {
		w.T.Errorf("in the index but never fetched: %v", missing)
	}
	if soon := w.web.Log().Impolite(delay); len(soon) > 0 {
		w.T.Errorf("%d requests came too soon, the worst: %+v", len(soon), soon[0])
	}
	w.told(&v, slices.Collect(maps.Keys(w.Search(query))))
	w.verdict = v
}

// told judges the deliveries, and that nothing failed.
func (w *world) told(v *verdict, want []string) {
	w.T.Helper()
	w.receiver.Arrived(w.T, 30*time.Second, want)
	v.deliveries, v.again = len(want), w.receiver.Again()
	v.untold, v.renamed = w.receiver.Faults(want)
	if q := w.Quarantine(); len(q) > 0 {
		w.T.Errorf("in quarantine: %+v", q)
	}
}

// listen calls f for every message that passes a NATS server, until ctx is done.
func listen(ctx context.Context, address string, f func(subject string)) {
	b := observer(ctx, address)
	if b == nil {
		return
	}
	defer b.Close()
	sub, err := b.Subscribe(">", func(m *natsMsg) { f(m.Subject) })
	if err != nil {
		return
	}
	defer func() { _ = sub.Unsubscribe() }() // the connection may be gone
	<-ctx.Done()
}

// stageOf names the boundary that a message marks, "" if none.
func stageOf(subject string) string {
	for _, b := range []struct{ prefix, stage string }{
		{"xinwen.frontier.fetch.", "entry published"},
		{"xinwen.pages.", "page published, entry not acked"},
		{"$JS.ACK.FRONTIER.", "entry acked"},
		{"xinwen.articles.", "article published, page not acked"},
		{"$JS.ACK.PAGES.", "page acked"},
		{"xinwen.alerts.", "alert published, article not acked"},
		{"$JS.ACK.ARTICLES.", "article acked by the percolator"},
		{"$KV.deliveries.", "delivery noted"},
		{"$JS.ACK.ALERTS.", "alert acked"},
	} {
		if strings.HasPrefix(subject, b.prefix) {
			return b.stage
		}
	}
	return ""
}
