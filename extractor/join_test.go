package extractor

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/extractor/part"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/weburl"
)

// publisher answers what is asked of FRONTIER with pages, as the crawler does.
type publisher struct {
	bus   *bus.Bus
	pages map[string]string // by path
	// moved are paths that lead to another.
	moved map[string]string
	// hold keeps answers back until they are released.
	hold chan struct{}

	mu    sync.Mutex
	asked []string
	clock time.Time
}

func publish(t *testing.T, b *bus.Bus, pages map[string]string) *publisher {
	t.Helper()
	w := &publisher{bus: b, pages: pages, moved: make(map[string]string), clock: fetched}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- b.Consume(ctx, bus.ConsumerConfig{Stream: bus.Frontier, Name: "crawler-asked", Filter: bus.SubjectFetch + "*", Workers: 4}, w.answer)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *publisher) answer(ctx context.Context, m *bus.Message) error {
	var e asked
	if err := json.Unmarshal(m.Data, &e); err != nil {
		return bus.Permanent(err)
	}
	w.mu.Lock()
	w.asked = append(w.asked, strings.TrimPrefix(e.URL, "https://www.example.com/"))
	w.mu.Unlock()
	if w.hold != nil {
		select {
		case <-w.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return w.crawl(ctx, strings.TrimPrefix(e.URL, "https://www.example.com/"), e.Parent)
}

// crawl publishes the page of a path.
func (w *publisher) crawl(ctx context.Context, path, parent string) error {
	p := htmlPage(path, "")
	if to := w.moved[path]; to != "" {
		p = htmlPage(to, "")
		p.RequestURL = "https://www.example.com/" + path
		path = to
	}
	body, ok := w.pages[path]
	if !ok {
		return nil // it is in quarantine
	}
	w.mu.Lock()
	w.clock = w.clock.Add(time.Second)
	p.Fetched = w.clock
	w.mu.Unlock()
	p.Parent, p.Body = parent, []byte(body)
	return w.bus.PublishPage(ctx, p)
}

func (w *publisher) questions() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.asked)
}

var facts = []string{
	"封装厂表示，由于金价和基板价格上涨，将从明年一月起上调报价，幅度约为百分之五。",
	"测试厂的机台已经排到后年，新客户要等上两个季度，老客户也只能分到七成的产能。",
	"设备商说，交期从六个月拉长到十个月，零件短缺是主因，而不是人手不足。",
	"分析师认为，这一轮涨价会持续到明年下半年，届时新产能才会开出来。",
}

// partPage is one page of an article; of is the number of all.
func partPage(number, of int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<html><head><title>封测业的涨价潮</title></head><body><h1>封测业的涨价潮</h1><p>发布时间：2025-11-10 来源：晶圆观察</p><div class="text">`)
	fmt.Fprintf(&b, `<p>第%d节。%s</p><p><a href="/k/%d">关键词%d</a>是这一节的重点，%s</p></div><div class="pager">`, number, facts[(number-1)%4], number, number, facts[number%4])
	for i := range of {
		switch {
		case i+1 == number:
			fmt.Fprintf(&b, "<b>%d</b> ", i+1)
		case i == 0:
			b.WriteString(`<a href="/n/12.html">1</a> `)
		default:
			fmt.Fprintf(&b, `<a href="/n/12_%d.html">%d</a> `, i+1, i+1)
		}
	}
	b.WriteString(`</div></body></html>`)
	return b.String()
}

func start(t *testing.T, b *bus.Bus) *Extractor {
	t.Helper()
	x := newExtractor(t, Options{Bus: b})
	if err := x.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Stop(); err != nil {
			t.Error(err)
		}
	})
	return x
}

// newest reads ARTICLES until the newest revision of the only article is as
// wanted, and returns it.
func newest(t *testing.T, b *bus.Bus, wanted func(*news.Article) bool) *news.Article {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var best *news.Article
	ids := make(map[string]bool)
	err := b.Read(ctx, bus.ReadConfig{Stream: bus.Articles, MaxWait: time.Millisecond}, func(_ context.Context, list []*bus.Message) error {
		for _, m := range list {
			a, err := news.ParseArticle(m.Data)
			if err != nil {
				return err
			}
			ids[a.ID] = true
			if best != nil && a.Revision == best.Revision && a.Text != best.Text {
				t.Errorf("revision %d has two texts", a.Revision)
			}
			if best == nil || a.Revision > best.Revision {
				best = a
			}
			if wanted(best) {
				cancel()
			}
		}
		return nil
	})
	if len(ids) > 1 {
		t.Errorf("%d articles, want the pages joined into one", len(ids))
	}
	if best == nil || !wanted(best) {
		t.Fatalf("the newest revision is %+v: %v", best, err)
	}
	return best
}

func wholeText(parts int) string {
	var lines []string
	for n := 1; n <= parts; n++ {
		lines = append(lines, fmt.Sprintf("第%d节。%s", n, facts[(n-1)%4]), fmt.Sprintf("关键词%d是这一节的重点，%s", n, facts[n%4]))
	}
	return strings.Join(lines, "\n")
}

func hasParts(n int) func(*news.Article) bool {
	return func(a *news.Article) bool { return len(a.Parts) == n }
}

func paged(of int) map[string]string {
	pages := map[string]string{"n/12.html": partPage(1, of)}
	for n := 2; n <= of; n++ {
		pages[fmt.Sprintf("n/12_%d.html", n)] = partPage(n, of)
	}
	return pages
}

func checkJoined(t *testing.T, a *news.Article, parts int) {
	t.Helper()
	if diff := cmp.Diff(wholeText(parts), a.Text); diff != "" {
		t.Errorf("text differs (-want +got):\n%s", diff)
	}
	var want []string
	for n := 2; n <= parts; n++ {
		want = append(want, fmt.Sprintf("https://www.example.com/n/12_%d.html", n))
	}
	if diff := cmp.Diff(want, a.Parts); diff != "" {
		t.Errorf("parts differ (-want +got):\n%s", diff)
	}
	runes := []rune(a.Text)
	for i, l := range a.Links {
		if got := string(runes[l.Start:l.End]); got != l.Text || l.Text != fmt.Sprintf("关键词%d", i+1) {
			t.Errorf("link %d is %q and lies at %q", i, l.Text, got)
		}
	}
	if len(a.Links) != parts {
		t.Errorf("got %d links, want %d", len(a.Links), parts)
	}
	if strings.Contains(strings.Join(a.Warnings, "\n"), "parts-missing") {
		t.Errorf("got warnings %q, want none of missing parts", a.Warnings)
	}
}

func TestPagesOfAnArticleAreJoinedInOrder(t *testing.T) {
	b := openBus(t)
	w := publish(t, b, paged(4))
	start(t, b)
	if err := w.crawl(t.Context(), "n/12.html", ""); err != nil {
		t.Fatal(err)
	}
	a := newest(t, b, hasParts(3))
	checkJoined(t, a, 4)
	if a.ID != weburl.ID("https://www.example.com/n/12.html") || a.Title != "封测业的涨价潮" || a.Credit != "晶圆观察" {
		t.Errorf("got %s %q %q, want what the first page says", a.ID, a.Title, a.Credit)
	}
	got := w.questions()
	slices.Sort(got)
	if diff := cmp.Diff([]string{"n/12_2.html", "n/12_3.html", "n/12_4.html"}, got); diff != "" {
		t.Errorf("asked for (-want +got):\n%s", diff)
	}
}

func TestFirstPageIsPublishedBeforeItsPartsAreThere(t *testing.T) {
	b := openBus(t)
	w := publish(t, b, paged(3))
	w.hold = make(chan struct{})
	start(t, b)
	if err := w.crawl(t.Context(), "n/12.html", ""); err != nil {
		t.Fatal(err)
	}
	a := newest(t, b, hasParts(0))
	if !strings.Contains(strings.Join(a.Warnings, "\n"), "parts-missing: 2 of the article's 3 pages") {
		t.Errorf("got warnings %q, want the missing parts told", a.Warnings)
	}
	close(w.hold)
	checkJoined(t, newest(t, b, hasParts(2)), 3)
}

func TestPartFoundFirstWaitsForItsArticle(t *testing.T) {
	b := openBus(t)
	w := publish(t, b, paged(3))
	start(t, b)
	// A list page has led to the second page.
	if err := w.crawl(t.Context(), "n/12_2.html", ""); err != nil {
		t.Fatal(err)
	}
	checkJoined(t, newest(t, b, hasParts(2)), 3)
	if got := w.questions()[0]; got != "n/12.html" {
		t.Errorf("asked for %q first, want the first page", got)
	}
}

func TestJoinGoesOnAfterARestart(t *testing.T) {
	b := openBus(t)
	w := publish(t, b, paged(3))
	w.hold = make(chan struct{})
	x := start(t, b)
	if err := w.crawl(t.Context(), "n/12.html", ""); err != nil {
		t.Fatal(err)
	}
	newest(t, b, hasParts(0))
	w.hold <- struct{}{}
	newest(t, b, hasParts(1))
	if err := x.Stop(); err != nil {
		t.Fatal(err)
	}
	close(w.hold)
	start(t, b) // it knows nothing but what is in KV
	checkJoined(t, newest(t, b, hasParts(2)), 3)
}

func TestExtractorsThatCompeteJoinAllParts(t *testing.T) {
	b := openBus(t)
	const of = 12
	w := publish(t, b, paged(of))
	other, err := b.Connect("second")
	if err != nil {
		t.Fatal(err)
	}
	start(t, b)
	start(t, other)
	if err := w.crawl(t.Context(), "n/12.html", ""); err != nil {
		t.Fatal(err)
	}
	checkJoined(t, newest(t, b, hasParts(of-1)), of)
}

func TestPartsAreBoundedAndDoNotLoop(t *testing.T) {
	b := openBus(t)
	// Each page leads to one more, and some back to the first.
	pages := make(map[string]string)
	next := func(n int) string {
		return strings.Replace(partPage(n, 1), `<div class="pager">`, fmt.Sprintf(`<div class="pager"><a href="/n/12.html">1</a> <a href="/n/12_%d.html">下一页</a> `, n+1), 1)
	}
	pages["n/12.html"] = strings.Replace(next(1), `<a href="/n/12.html">1</a> `, "", 1)
	for n := 2; n <= 60; n++ {
		pages[fmt.Sprintf("n/12_%d.html", n)] = next(n)
	}
	w := publish(t, b, pages)
	w.moved["n/12_5.html"] = "n/12.html"
	start(t, b)
	if err := w.crawl(t.Context(), "n/12.html", ""); err != nil {
		t.Fatal(err)
	}
	// 2 to 4 lead to the next, 5 leads back to the first.
	a := newest(t, b, hasParts(3))
	waitIdle(t, b)
	if got := w.questions(); len(got) != 4 {
		t.Errorf("asked for %q, want four pages", got)
	}
	checkLines(t, a)

	delete(w.moved, "n/12_5.html")
	w.pages["n/12.html"] += "<!-- revised -->"
	if err := w.crawl(t.Context(), "n/12.html", ""); err != nil {
		t.Fatal(err)
	}
	a = newest(t, b, hasParts(20))
	waitIdle(t, b)
	if got := newest(t, b, hasParts(20)); len(got.Parts) != 20 {
		t.Errorf("got %d parts, want 20", len(got.Parts))
	}
	checkLines(t, a)
}

// checkLines fails if a line of the text is there twice.
func checkLines(t *testing.T, a *news.Article) {
	t.Helper()
	seen := make(map[string]bool)
	for l := range strings.SplitSeq(a.Text, "\n") {
		if seen[l] {
			t.Errorf("line %q is there twice", l)
		}
		seen[l] = true
	}
}

// waitIdle returns when nothing is in FRONTIER, and all of PAGES is handled.
func waitIdle(t *testing.T, b *bus.Bus) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for calm := 0; calm < 3; {
		f, err := b.JetStream().Stream(ctx, bus.Frontier)
		if err != nil {
			t.Fatal(err)
		}
		c, err := b.JetStream().Consumer(ctx, bus.Pages, Consumer)
		if err != nil {
			t.Fatal(err)
		}
		if f.CachedInfo().State.Msgs == 0 && c.CachedInfo().NumPending == 0 && c.CachedInfo().NumAckPending == 0 {
			calm++
			continue
		}
		calm = 0
	}
}

func TestRevisedFirstPageAsksForItsPartsAgain(t *testing.T) {
	b := openBus(t)
	w := publish(t, b, paged(2))
	start(t, b)
	if err := w.crawl(t.Context(), "n/12.html", ""); err != nil {
		t.Fatal(err)
	}
	newest(t, b, hasParts(1))
	for path, body := range w.pages {
		w.pages[path] = strings.Replace(body, "百分之五", "百分之九", 1)
	}
	if err := w.crawl(t.Context(), "n/12.html", ""); err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(wholeText(2), "百分之五", "百分之九")
	newest(t, b, func(a *news.Article) bool { return a.Text == want && len(a.Parts) == 1 })
	if got := w.questions(); !slices.Equal(got, []string{"n/12_2.html", "n/12_2.html"}) {
		t.Errorf("asked for %q, want the part twice", got)
	}
	gone := htmlPage("n/12.html", "")
	gone.Status, gone.Fetched = 404, fetched.Add(time.Hour)
	if err := b.PublishPage(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	newest(t, b, func(a *news.Article) bool { return a.Deleted })
	if keys, err := b.KV(bus.KVParts).Keys(t.Context()); err == nil && len(keys) > 0 {
		t.Errorf("parts of an article that is gone are kept: %q", keys)
	}
}

func TestImportedPagesAreJoinedWithoutAskingTheCrawler(t *testing.T) {
	b := openBus(t)
	w := publish(t, b, nil)
	start(t, b)
	pages := paged(3)
	for _, path := range []string{"n/12_3.html", "n/12.html", "n/12_2.html"} {
		p := htmlPage(path, pages[path])
		p.Import = true
		if err := b.PublishPage(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	checkJoined(t, newest(t, b, hasParts(2)), 3)
	waitIdle(t, b)
	if got := w.questions(); len(got) > 0 {
		t.Errorf("asked for %q, want nothing", got)
	}
}

func TestJoinerLeavesOutWhatPagesRepeat(t *testing.T) {
	first := &news.Article{Title: "题目", Text: "导语是每一页都有的一句话。\n第一页。", Gaps: []int{3}}
	r := &record{
		First:   first,
		Further: []part.Page{{Number: 2, URL: "u2"}, {Number: 3, URL: "u3"}},
		Parts: []piece{{
			Page: part.Page{Number: 2, URL: "u2"}, Text: "导语是每一页都有的一句话。\n第二页说了別的事。", Gaps: []int{1, 16},
			Links:  []news.Link{{Start: 0, End: 2, Text: "导语", URL: "a"}, {Start: 14, End: 17, Text: "第二页", URL: "b"}},
			Images: []news.Image{{URL: "i"}},
		}},
	}
	a := r.joined()
	want := &news.Article{
		Title: "题目", Text: "导语是每一页都有的一句话。\n第一页。\n第二页说了別的事。", Gaps: []int{3, 21}, Parts: []string{"u2"},
		Links: []news.Link{{Start: 19, End: 22, Text: "第二页", URL: "b"}}, Images: []news.Image{{URL: "i"}},
		Warnings: []string{"parts-missing: 1 of the article's 3 pages are not here"},
	}
	if diff := cmp.Diff(want, a); diff != "" {
		t.Errorf("article differs (-want +got):\n%s", diff)
	}
	if len(first.Gaps) != 1 || len(first.Parts) != 0 {
		t.Errorf("the first page was changed: %+v", first)
	}
}
