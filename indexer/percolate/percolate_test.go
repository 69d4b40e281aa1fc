package percolate

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"

	"xinwen/indexer/internal/querytest"
	"xinwen/indexer/query"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/lexicon"
	"xinwen/news/sketch"
)

var evaluator = sync.OnceValue(func() *query.Evaluator {
	l, err := lexicon.Builtin()
	if err != nil {
		panic(err)
	}
	e, err := query.LoadEvaluator(lexicon.NewStore(l))
	if err != nil {
		panic(err)
	}
	return e
})

// The prefilter must never lose a match: 250,000 pairs of rule and article.
func TestPrefilterLosesNothing(t *testing.T) {
	e := evaluator()
	g, shared := querytest.New(1), query.NewLeaves()
	var articles []*query.Document
	for range 250 {
		articles = append(articles, e.Document(g.Article()))
	}
	var (
		rules []*Rule
		alone []*query.RuleMatcher // with leaves of their own
	)
	for i := range 1000 {
		n := g.Query()
		r, err := Compile(news.Rule{ID: fmt.Sprintf("rule-%d", i), Query: n.String()}, e, shared)
		if err != nil {
			t.Fatalf("%s: %v", n, err)
		}
		m, err := e.CompileRule(&news.Rule{Query: n.String()})
		if err != nil {
			t.Fatal(err)
		}
		rules, alone = append(rules, r), append(alone, m)
	}
	set := NewRules(rules)
	matches, tested := 0, 0
	for _, d := range articles {
		got := make(map[string]bool)
		tested += set.Match(d, func(r *Rule) {
			if got[r.ID] {
				t.Errorf("rule %s visited twice", r.ID)
			}
			got[r.ID] = true
		})
		for i, r := range rules {
			want := alone[i].Match(d)
			if want {
				matches++
			}
			if got[r.ID] != want {
				t.Fatalf("rule %s on %q: got %t with the prefilter, %t without", r.Query, d.Article().Content(), got[r.ID], want)
			}
			if want {
				checkSpans(t, r, d)
			}
		}
	}
	pairs := len(rules) * len(articles)
	t.Logf("%d pairs, %d matches, %d evaluated", pairs, matches, tested)
	if matches < pairs/50 || matches > pairs/2 {
		t.Errorf("got %d matches of %d pairs: the generator tests little", matches, pairs)
	}
}

// checkSpans checks that the spans of a match lie in the content.
func checkSpans(t *testing.T, r *Rule, d *query.Document) {
	content := []rune(d.Article().Content())
	for _, s := range r.matcher.Explain(d) {
		if s.Start < 0 || s.End > len(content) || s.Start >= s.End || string(content[s.Start:s.End]) != s.Text {
			t.Fatalf("rule %s: span %+v is not in %q", r.Query, s, string(content))
		}
	}
}

func openBus(t *testing.T) *bus.Bus {
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: t.TempDir(), MinFreeBytes: -1}, Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func put(t *testing.T, b *bus.Bus, r news.Rule) {
	t.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.KV(bus.KVRules).Put(t.Context(), bus.Key(r.ID), data); err != nil {
		t.Fatal(err)
	}
}

// start runs a percolator until the test or the returned function ends it.
func start(t *testing.T, b *bus.Bus) (*Percolator, func()) {
	t.Helper()
	if err := b.KV(bus.KVRules).Delete(t.Context(), bus.KeyNoRule); err != nil { // an api's word
		t.Fatal(err)
	}
	p, err := New(Options{Bus: b, Evaluator: evaluator(), Metrics: prometheus.NewPedanticRegistry()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	<-p.Loaded()
	// The consumer exists before articles are published.
	eventually(t, func() bool {
		_, err := b.JetStream().Consumer(t.Context(), bus.Articles, Consumer)
		return err == nil
	})
	return p, stop
}

// eventually waits until ok, and fails after 20 s.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("it did not happen within 20 s")
		}
	}
}

// alerts reads n alerts from the stream, sorted by rule and article.
func alerts(t *testing.T, b *bus.Bus, n int) []*news.Alert {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got []*news.Alert
	err := b.Read(ctx, bus.ReadConfig{Stream: bus.Alerts, From: 1}, func(_ context.Context, messages []*bus.Message) error {
		for _, m := range messages {
			a, err := news.ParseAlert(m.Data)
			if err != nil {
				return bus.Permanent(err)
			}
			got = append(got, a)
		}
		if len(got) >= n {
			cancel()
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
	if len(got) < n {
		t.Fatalf("got %d alerts, want %d", len(got), n)
	}
	slices.SortFunc(got, func(x, y *news.Alert) int {
		return strings.Compare(x.Rule+" "+x.Article.ID, y.Rule+" "+y.Article.ID)
	})
	return got
}

func story(id, title, text string) *news.Article {
	return &news.Article{
		ID: id, Revision: 7, URL: "https://demo.example/" + id, Source: "demo", Title: title, Text: text,
		Lang: "zh", Script: news.ScriptHant, Links: []news.Link{{End: 1, Text: "x", URL: "https://demo.example/"}},
		Fetched: time.Date(2025, 11, 17, 0, 0, 0, 0, time.UTC),
	}
}

func publish(t *testing.T, b *bus.Bus, a *news.Article) {
	t.Helper()
	if err := b.PublishArticle(t.Context(), a); err != nil {
		t.Fatal(err)
	}
}

func TestAlertTellsWhatMatchedWhere(t *testing.T) {
	b := openBus(t)
	put(t, b, news.Rule{ID: "tsmc", Name: "TSMC prices", Query: "台积电 涨价"})
	put(t, b, news.Rule{ID: "off", Query: "台积电", Disabled: true})
	put(t, b, news.Rule{ID: "other", Query: "三星"})
	start(t, b)
	a := story("a1", "台積電宣布漲價", "先進封裝。")
	publish(t, b, a)
	got := alerts(t, b, 1)
	if len(got) != 1 || got[0].Matched.IsZero() {
		t.Fatalf("got %+v, want one alert", got)
	}
	brief := *a
	brief.Text, brief.Links = "", nil
	want := &news.Alert{
		Version: news.Version, ID: news.AlertID("tsmc", "a1", 7), Rule: "tsmc", RuleName: "TSMC prices",
		Query: "台积电 涨价", Revision: 7, Article: brief, Matched: got[0].Matched,
		Matches: []news.Span{
			{Start: 0, End: 3, Text: "台積電", Clause: "台积电"},
			{Start: 5, End: 7, Text: "漲價", Clause: "涨价"},
		},
		Fingerprint: sketch.Of(a.Title, a.Text),
	}
	if d := cmp.Diff(want, got[0]); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
}

func TestRulesChangeWhileRunning(t *testing.T) {
	b := openBus(t)
	p, _ := start(t, b)
	rules := func(n int) { t.Helper(); eventually(t, func() bool { return p.State().Rules == n }) }
	publish(t, b, story("a1", "台積電", "before the rule"))
	eventually(t, func() bool { return p.State().Articles == 1 })
	put(t, b, news.Rule{ID: "r", Query: "台积电"})
	rules(1)
	publish(t, b, story("a2", "台積電", "with the rule"))
	eventually(t, func() bool { return p.State().Articles == 2 })
	put(t, b, news.Rule{ID: "r", Query: "三星"})
	put(t, b, news.Rule{ID: "s", Query: "hbm*"})
	rules(2)
	publish(t, b, story("a3", "台積電", "HBM3E"))
	eventually(t, func() bool { return p.State().Articles == 3 })
	if err := b.KV(bus.KVRules).Delete(t.Context(), bus.Key("s")); err != nil {
		t.Fatal(err)
	}
	rules(1)
	publish(t, b, story("a4", "三星", "HBM3E"))
	var got []string
	for _, a := range alerts(t, b, 3) {
		got = append(got, a.Rule+" "+a.Article.ID)
	}
	if d := cmp.Diff([]string{"r a2", "r a4", "s a3"}, got); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
}

func TestBadRulesAreReportedAndTheOthersWork(t *testing.T) {
	b := openBus(t)
	put(t, b, news.Rule{ID: "bad", Query: `"never closed`})
	put(t, b, news.Rule{ID: "unknown", Query: "entity:nosuchthing"})
	put(t, b, news.Rule{ID: "good", Query: "台积电"})
	if _, err := b.KV(bus.KVRules).Put(t.Context(), "broken", []byte("{")); err != nil {
		t.Fatal(err)
	}
	p, _ := start(t, b)
	var got []string
	for _, f := range p.State().Faults {
		got = append(got, f.Rule)
	}
	if d := cmp.Diff([]string{"bad", "broken", "unknown"}, got); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
	publish(t, b, story("a1", "台積電", ""))
	alerts(t, b, 1)
	put(t, b, news.Rule{ID: "bad", Query: "now closed"})
	eventually(t, func() bool { return p.State().Rules == 2 && len(p.State().Faults) == 2 })
}

func TestRestartGoesOnWhereItWas(t *testing.T) {
	b := openBus(t)
	put(t, b, news.Rule{ID: "r", Query: "台积电"})
	publish(t, b, story("a0", "台積電", "before the first start"))
	_, stop := start(t, b)
	publish(t, b, story("a1", "台積電", ""))
	alerts(t, b, 2)
	stop()
	publish(t, b, story("a2", "台積電", "while it was down"))
	deleted := story("a3", "台積電", "")
	deleted.Deleted = true
	publish(t, b, deleted)
	start(t, b)
	publish(t, b, story("a4", "台積電", ""))
	var got []string
	for _, a := range alerts(t, b, 4) {
		got = append(got, a.Article.ID)
	}
	if d := cmp.Diff([]string{"a0", "a1", "a2", "a4"}, got); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
}

// A system restored from a backup has articles and no consumer: they were told of
// before.
func TestWithoutItsConsumerHistoryIsNotToldAgain(t *testing.T) {
	b := openBus(t)
	put(t, b, news.Rule{ID: "r", Query: "台积电"})
	publish(t, b, story("a0", "台積電", "history"))
	if err := b.JetStream().DeleteConsumer(t.Context(), bus.Articles, Consumer); err != nil {
		t.Fatal(err)
	}
	start(t, b)
	publish(t, b, story("a1", "台積電", ""))
	if got := alerts(t, b, 1)[0].Article.ID; got != "a1" {
		t.Errorf("got an alert of %s, want one of a1", got)
	}
}

func TestMetricsTellWhatHappened(t *testing.T) {
	p, err := New(Options{Bus: openBus(t), Evaluator: evaluator()})
	if err != nil {
		t.Fatal(err)
	}
	r := prometheus.NewPedanticRegistry()
	if err := r.Register(p); err != nil {
		t.Fatal(err)
	}
	families, err := r.Gather()
	if err != nil || len(families) != 5 {
		t.Errorf("got %d metrics, %v, want 5", len(families), err)
	}
}

func TestUnreadableArticleIsQuarantined(t *testing.T) {
	b := openBus(t)
	start(t, b)
	if err := b.Publish(t.Context(), &bus.Message{Subject: "xinwen.articles.demo", ID: "x", Data: []byte("{")}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		list, err := b.ListQuarantine(t.Context(), 10)
		return err == nil && len(list) == 1
	})
}

// entry is an entry of the bucket of rules.
type entry struct {
	jetstream.KeyValueEntry
	key     string
	value   []byte
	removed bool
}

func (e entry) Key() string   { return e.key }
func (e entry) Value() []byte { return e.value }
func (e entry) Operation() jetstream.KeyValueOp {
	if e.removed {
		return jetstream.KeyValueDelete
	}
	return jetstream.KeyValuePut
}

// TestChangedSetsAreAsSetsMadeAnew changes rules at random and compares the set
// that is kept up with one made anew.
func TestChangedSetsAreAsSetsMadeAnew(t *testing.T) {
	g := querytest.New(11)
	random := rand.New(rand.NewPCG(5, 6))
	b := newRulebook(evaluator())
	var articles []*query.Document
	for range 30 {
		articles = append(articles, evaluator().Document(g.Article()))
	}
	for step := range 400 {
		key := fmt.Sprint("r", random.IntN(60))
		data, err := json.Marshal(news.Rule{ID: key, Query: g.Query().String(), Disabled: random.IntN(10) == 0})
		if err != nil {
			t.Fatal(err)
		}
		b.update(entry{key: key, value: data, removed: random.IntN(5) == 0})
		kept, anew := b.set(), NewRules(slices.Collect(maps.Values(b.compiled)))
		if kept.Len() != anew.Len() {
			t.Fatalf("step %d: got %d rules, want %d", step, kept.Len(), anew.Len())
		}
		if step%10 > 0 {
			continue
		}
		for _, d := range articles {
			var got, want []string
			kept.Match(d, func(r *Rule) { got = append(got, r.ID+" "+r.Query) })
			anew.Match(d, func(r *Rule) { want = append(want, r.ID+" "+r.Query) })
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("step %d: want -, got +:\n%s", step, diff)
			}
		}
	}
}
