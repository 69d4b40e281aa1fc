package extractor

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/weburl"
)

func openBus(t *testing.T) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: t.TempDir()}, Name: "test"})
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

// articles reads n articles, in order.
func articles(t *testing.T, b *bus.Bus, n int) []*news.Article {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var out []*news.Article
	err := b.Read(ctx, bus.ReadConfig{Stream: bus.Articles}, func(_ context.Context, list []*bus.Message) error {
		for _, m := range list {
			a, err := news.ParseArticle(m.Data)
			if err != nil {
				return err
			}
			out = append(out, a)
		}
		if len(out) >= n {
			cancel()
		}
		return nil
	})
	if len(out) < n {
		t.Fatalf("read %d articles, want %d: %v", len(out), n, err)
	}
	return out
}

func htmlPage(path, body string) *news.Page {
	u := "https://www.example.com/" + path
	return &news.Page{ID: weburl.ID(u), URL: u, Source: "test", Status: 200, ContentType: "text/html", Fetched: fetched, Body: []byte(body)}
}

const shortArticle = `<html><head><title>封装厂上调报价</title></head><body><h1>封装厂上调报价</h1><p>发布时间：2025-11-10 来源：晶圆观察</p>
<p>多家封装厂表示，由于金价和基板价格上涨，将从明年一月起上调报价，幅度约为百分之五。</p></body></html>`

func TestRunPublishesArticlesAndQuarantinesTheRest(t *testing.T) {
	b := openBus(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reg := prometheus.NewRegistry()
	done := make(chan error, 1)
	go func() { done <- Run(ctx, Options{Bus: b, Metrics: reg}) }()

	gone := htmlPage("gone", "")
	gone.Status = 410
	imported, err := json.Marshal(news.ImportedArticle{ID: "7", Title: "Wafer prices rise", Text: "Prices rose.\n\nThey will rise again.", Lang: "en"})
	if err != nil {
		t.Fatal(err)
	}
	pages := []*news.Page{
		htmlPage("a", shortArticle),
		htmlPage("empty", "  \n"),
		htmlPage("pdf", "%PDF-1.7 \x00\x01\x02"),
		htmlPage("wall", "<html><head><title>Just a moment...</title></head><body><p>Checking your browser before accessing the site.</p></body></html>"),
		gone,
		{ID: weburl.ID("urn:import:7"), URL: "urn:import:7", Source: "import", ContentType: news.ArticleContentType, Fetched: fetched, Body: imported},
	}
	for _, p := range pages {
		if err := b.PublishPage(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	got := make(map[string]string)
	for _, a := range articles(t, b, 3) {
		if a.Extracted.IsZero() {
			t.Errorf("article %s: extracted is zero", a.URL)
		}
		state := a.Title + "|" + a.Text
		if a.Deleted {
			state = "deleted"
		}
		got[a.URL] = state
	}
	want := map[string]string{
		"https://www.example.com/a":    "封装厂上调报价|多家封装厂表示，由于金价和基板价格上涨，将从明年一月起上调报价，幅度约为百分之五。",
		"https://www.example.com/gone": "deleted",
		"urn:import:7":                 "Wafer prices rise|Prices rose.\nThey will rise again.",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("articles differ (-got +want):\n%s", diff)
	}
	quarantined := waitQuarantine(t, b, 3)
	reasons := make(map[string]bool)
	for _, q := range quarantined {
		if q.Hint == "" {
			t.Errorf("quarantined %s: no hint with %q", q.URL, q.Reason)
		}
		for _, r := range []string{"empty page", "not a page of text", "block page"} {
			if strings.Contains(q.Reason, r) {
				reasons[r] = true
			}
		}
	}
	if len(reasons) != 3 {
		t.Errorf("reasons: got %v of %+v, want three kinds", reasons, quarantined)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run: %v", err)
	}
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	outcomes := make(map[string]float64)
	for _, f := range families {
		if f.GetName() == "xinwen_extractor_pages_total" {
			for _, m := range f.GetMetric() {
				outcomes[m.GetLabel()[0].GetValue()] = m.GetCounter().GetValue()
			}
		}
	}
	if diff := cmp.Diff(outcomes, map[string]float64{"article": 2, "deleted": 1, "failed": 3}); diff != "" {
		t.Errorf("outcomes counted (-got +want):\n%s", diff)
	}
}

// waitQuarantine returns when n messages are in quarantine.
func waitQuarantine(t *testing.T, b *bus.Bus, n int) []bus.Quarantined {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	seen := 0
	err := b.Read(ctx, bus.ReadConfig{Stream: bus.Quarantine}, func(_ context.Context, list []*bus.Message) error {
		if seen += len(list); seen >= n {
			cancel()
		}
		return nil
	})
	if seen < n {
		t.Fatalf("%d messages in quarantine, want %d: %v", seen, n, err)
	}
	q, err := b.ListQuarantine(t.Context(), 100)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func TestPoisonPageFallsBackToPlainTextAfterTwoTries(t *testing.T) {
	x := newExtractor(t, Options{})
	x.running.tries = make(map[uint64]int)
	m := &bus.Message{Seq: 7, Attempt: 1}
	p := htmlPage("poison", shortArticle)
	x.begin(m.Seq) // two tries that never came back
	x.begin(m.Seq)
	a, outcome, err := x.careful(t.Context(), m, p)
	if err != nil {
		t.Fatal(err)
	}
	if outcome != "fallback" || a.Title != "封装厂上调报价" || !strings.Contains(a.Text, "幅度约为百分之五") {
		t.Errorf("got %s %q %q, want the plain text", outcome, a.Title, a.Text)
	}
	if len(x.running.tries) != 0 {
		t.Errorf("tries are still counted: %v", x.running.tries)
	}
	p.Body = []byte("<html><script>var a = 1</script></html>")
	x.begin(m.Seq)
	x.begin(m.Seq)
	if _, _, err := x.careful(t.Context(), m, p); !bus.IsPermanent(err) {
		t.Errorf("error of an empty fallback: got %v, want a permanent one", err)
	}
}

func TestPanicIsATryThatFailed(t *testing.T) {
	_, err := guard(func() (*news.Article, error) { panic("boom") })
	var h interface{ Hint() string }
	if err == nil || bus.IsPermanent(err) {
		t.Fatalf("got %v, want an error that is retried", err)
	}
	if h, _ = err.(interface{ Hint() string }); h == nil || !strings.Contains(h.Hint(), "report it") {
		t.Errorf("hint: got %v, want what to do", h)
	}
}

func TestStopEndsRun(t *testing.T) {
	x := newExtractor(t, Options{Bus: openBus(t)})
	if err := x.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := x.Start(t.Context()); err == nil {
		t.Error("second Start: got nil, want an error")
	}
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
	if err := x.Stop(); err != nil {
		t.Errorf("second Stop: %v", err)
	}
}
