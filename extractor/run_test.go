package extractor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/lexicon"
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

// Pages that panic or take too long do not keep others from being read, and are
// in quarantine after two tries, with the reason.
func TestPoisonPagesAreQuarantinedAfterTwoTries(t *testing.T) {
	b := openBus(t)
	x := newExtractor(t, Options{Bus: b, Config: Config{Workers: 2, Timeout: 300 * time.Millisecond}})
	var mu sync.Mutex
	tries := make(map[string]int)
	x.read = func(ctx context.Context, p *news.Page, r *reading) (*news.Article, error) {
		mu.Lock()
		tries[p.URL]++
		mu.Unlock()
		switch {
		case strings.HasSuffix(p.URL, "/panic"):
			var none *news.Article
			return none, errors.New(none.Title) // a fault as they come
		case strings.HasSuffix(p.URL, "/slow"):
			<-ctx.Done()
		}
		return x.extract(ctx, p, r)
	}
	if err := x.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"panic", "slow", "good"} {
		if err := b.PublishPage(t.Context(), htmlPage(name, shortArticle)); err != nil {
			t.Fatal(err)
		}
	}
	if got := articles(t, b, 1)[0].URL; !strings.HasSuffix(got, "/good") {
		t.Errorf("article: got %s, want the good page's", got)
	}
	got := make(map[string]string)
	for _, q := range waitQuarantine(t, b, 2) {
		if q.Hint == "" {
			t.Errorf("%s: no hint with %q", q.URL, q.Reason)
		}
		got[q.URL] = q.Reason
	}
	if err := x.Stop(); err != nil {
		t.Error(err)
	}
	for name, reason := range map[string]string{"panic": "nil pointer", "slow": "page takes too long"} {
		u := htmlPage(name, "").URL
		if !strings.Contains(got[u], reason) {
			t.Errorf("%s: got reason %q, want one with %q", name, got[u], reason)
		}
		if tries[u] != poisonTries {
			t.Errorf("%s: got %d tries, want %d", name, tries[u], poisonTries)
		}
	}
	if len(x.running.tries) != 0 {
		t.Errorf("tries are still counted: %v", x.running.tries)
	}
}

// A page whose handler was given up twice, or whose process has ended each time,
// is not read once more.
func TestPageThatNeverCameBackIsNotReadAgain(t *testing.T) {
	x := newExtractor(t, Options{})
	x.read = func(context.Context, *news.Page, *reading) (*news.Article, error) {
		t.Error("the page was read again")
		return nil, errors.New("read again")
	}
	for name, c := range map[string]struct {
		begun, attempt int
		want           string
	}{"stuck": {poisonTries, 3, "page takes too long"}, "deadly": {0, deadlyTries, "page was never finished"}} {
		x.running.tries = make(map[uint64]int)
		m := &bus.Message{Seq: 7, Attempt: c.attempt}
		for range c.begun {
			x.begin(m.Seq)
		}
		_, _, err := x.careful(t.Context(), m, htmlPage("poison", shortArticle))
		if !bus.IsPermanent(err) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want a permanent %q", name, err, c.want)
		}
		if len(x.running.tries) != 0 {
			t.Errorf("%s: tries are still counted: %v", name, x.running.tries)
		}
	}
}

// What a page can cost does not grow with the square of its length.
func TestRepetitionCostsLittle(t *testing.T) {
	lex, err := lexicon.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	x := newExtractor(t, Options{Lexicon: lexicon.NewStore(lex)})
	many := func(f func(i int) string) string {
		var b strings.Builder
		for i := 0; b.Len() < 2*maxAnnotated; i++ {
			b.WriteString(f(i))
		}
		return b.String()
	}
	for name, text := range map[string]string{
		"han-digits": many(func(int) string { return "一" }),
		"new-names":  many(func(i int) string { return fmt.Sprintf("Aldo Corvi of Foo%d Corp. said ", i) }),
		"unclosed":   many(func(int) string { return "<b>一，" }),
		"blocks":     many(func(i int) string { return fmt.Sprintf("<p>第%d次上调报价，", i) }),
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // each takes about a second
		p := htmlPage("cost", "<h1>上调报价</h1><p>"+text)
		a, err := x.extract(ctx, p, &reading{})
		if err == nil {
			err = x.enrich(ctx, a)
		}
		if cancel(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whoever stops waits for the page that is being worked on, and no longer.
func TestStopWaitsForThePageInWork(t *testing.T) {
	b := openBus(t)
	x := newExtractor(t, Options{Bus: b})
	begun, goOn := make(chan struct{}), make(chan struct{})
	x.read = func(ctx context.Context, p *news.Page, r *reading) (*news.Article, error) {
		close(begun)
		<-goOn
		return x.extract(ctx, p, r)
	}
	if err := x.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := b.PublishPage(t.Context(), htmlPage("a", shortArticle)); err != nil {
		t.Fatal(err)
	}
	<-begun
	began := time.Now()
	stopped := make(chan error, 1)
	go func() { stopped <- x.Stop() }()
	close(goOn)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("stopping took %s: the page could not end", took)
	}
	articles(t, b, 1)
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

func TestTextTooLongForAMessageIsCut(t *testing.T) {
	b := openBus(t)
	x := newExtractor(t, Options{Bus: b})
	if err := x.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := x.Stop(); err != nil {
			t.Error(err)
		}
	}()
	var text strings.Builder
	for i := range 6000 {
		fmt.Fprintf(&text, "<p>第%d段。台积电与三星在2025年11月%d日宣布涨价%d%%，客户<a href='/n/%d.html'>英伟达</a>表示不满，市场反应平淡。", i, i%28+1, i, i)
	}
	for path, body := range map[string]string{
		"paragraphs": "<title>很长的文章</title><h1>很长的文章</h1><div>" + text.String(),
		"line":       "<title>很长的一行</title><h1>很长的一行</h1><p>台积电涨价，" + strings.Repeat("客户不满，", 70_000),
		"title":      "<title>" + strings.Repeat("很长的标题", 20_000) + "</title><p>台积电与三星宣布涨价，客户英伟达表示不满，市场反应平淡。",
	} {
		if err := b.PublishPage(t.Context(), htmlPage(path, body)); err != nil {
			t.Fatal(err)
		}
	}
	for _, a := range articles(t, b, 3) {
		content := []rune(a.Content())
		if strings.HasSuffix(a.URL, "/title") {
			if n := len(content); n > 1100 {
				t.Errorf("%s: got a title of %d characters", a.URL, n)
			}
			continue
		}
		if n := len(a.Text); n < 200<<10 || !strings.HasPrefix(strings.Join(a.Warnings[len(a.Warnings)-1:], ""), "truncated: of ") {
			t.Errorf("%s: got %d bytes with warnings %q, want the beginning and a warning", a.URL, n, a.Warnings)
		}
		for _, m := range a.Mentions {
			if got := string(content[m.Start:m.End]); got != m.Surface {
				t.Fatalf("%s: mention %+v is of %q", a.URL, m, got)
			}
		}
		for _, l := range a.Links {
			if got := string([]rune(a.Text)[l.Start:l.End]); got != l.Text {
				t.Fatalf("%s: link %+v is of %q", a.URL, l, got)
			}
		}
	}
}
