package ui

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"xinwen/api/auth"
	"xinwen/api/internal/memory"
	"xinwen/api/suggest"
	"xinwen/api/work"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/lexicon"
)

var builtin = sync.OnceValues(lexicon.Builtin) // it takes its time

// finder completes names for all tests: to make its list takes its time.
var finder suggest.Finder

func newUI(t *testing.T, x *memory.Index) http.Handler {
	t.Helper()
	return newDesk(t, x, &table{})
}

// newDesk returns the pages as somebody sees them who may only read.
func newDesk(t *testing.T, x search.Searcher, d Desk) http.Handler {
	t.Helper()
	return routes(newPages(t, x, d, open))
}

func routes(u *UI) http.Handler {
	mux := http.NewServeMux()
	u.Routes(mux)
	mux.HandleFunc("/", u.NotFound)
	return mux
}

func newPages(t *testing.T, x search.Searcher, d Desk, g *auth.Guard) *UI {
	t.Helper()
	lex, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	u, err := New(Options{
		Searcher: x, Board: new(work.Board), Lexicon: lexicon.NewStore(lex), Zone: time.UTC, Logger: slog.New(slog.DiscardHandler),
		SourceNames: func(context.Context) map[string]string { return map[string]string{"example": "示例 <b>News</b>"} },
		Suggest:     func(beginning string, size int) []suggest.Suggestion { return finder.Find(lex, beginning, size) },
		Revisions: func(ctx context.Context, _, id string) ([]*news.Article, error) {
			a, err := x.Article(ctx, id)
			if err != nil {
				return nil, err
			}
			older := *a
			older.Revision, older.Title, older.Text = a.Revision-1, "before "+a.Title, "before\n"+a.Text
			return []*news.Article{a, &older}, nil
		},
		Desk: d, Guard: g,
	})
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func get(t *testing.T, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// hostile is markup and script in every place an article has.
const hostile = `</title><script>alert(1)</script><img src=x onerror=alert(1)>"'><svg onload=alert(1)>{{.}}`

func hostileArticle() news.Article {
	return news.Article{
		ID: "h1", URL: "javascript:alert(1)", Source: "example", Publisher: hostile, Title: hostile + " HBM", Text: hostile + "\n" + hostile,
		Lang: `en" onmouseover="alert(1)`, Script: hostile, Charset: hostile, Authors: []string{hostile}, Editor: hostile, Credit: hostile,
		Fetched: time.Date(2025, 11, 17, 8, 0, 0, 0, time.UTC), Warnings: []string{hostile},
		Mentions: []news.Mention{
			{Start: 0, End: 8, Surface: "</title>", Kind: news.Org, Entity: hostile, Name: hostile},
			{Start: 8, End: 16, Surface: "<script>", Kind: news.Money, Value: hostile},
			{Start: 5, End: 9000, Kind: news.Org, Entity: "org:nvidia"},
			{Start: -4, End: -1, Kind: news.Org, Entity: "org:nvidia"},
			{Start: 20, End: 22, Kind: `org" onclick="alert(1)`, Entity: "org:nvidia"},
		},
		Topics: []news.Topic{{ID: hostile, Evidence: []string{hostile}}}, Keywords: []string{hostile},
		Images: []news.Image{{URL: "javascript:alert(1)", Caption: hostile}, {URL: "https://example.com/\"onclick=alert(1)", Caption: hostile}},
		Parts:  []string{"javascript:alert(1)", "https://example.com/2"}, Stripped: []news.Stripped{{Why: hostile, Text: hostile}}, Gaps: []int{-5, 0, 3, 9000},
		Provenance: map[string]news.Provenance{"title": {From: []string{hostile}}, "authors": {From: []string{hostile}, Confidence: 0.5}},
	}
}

// inert fails if a page has anything that could run or lead astray, whatever
// the browser makes of it.
func inert(t *testing.T, page string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script":
			if n.FirstChild != nil || len(n.Attr) == 0 || !strings.HasPrefix(n.Attr[0].Val, "/static/") {
				t.Error("got a script that is not a file of ours")
			}
		case "iframe", "object", "embed", "style", "base", "img", "foreignObject", "animate", "set", "use":
			t.Errorf("got element %s, want none", n.Data)
		case "svg":
			if len(n.Attr) == 0 || !strings.HasPrefix(n.Attr[0].Val, "bars") && n.Attr[0].Val != "graph" {
				t.Error("got a drawing that is not a chart of ours")
			}
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				t.Errorf("got attribute %s on %s, want none", a.Key, n.Data)
			}
			if (a.Key == "href" || a.Key == "src" || a.Key == "action") && !regexp.MustCompile(`^(/|#|https?://)`).MatchString(a.Val) {
				t.Errorf("got %s=%q on %s, want a path or web address", a.Key, a.Val, n.Data)
			}
		}
	}
}

// Conversion for display comes before marks are cut out and text is escaped.
func TestHostileContentIsInertInOtherCharacters(t *testing.T) {
	x := &memory.Index{}
	a := hostileArticle()
	a.Lang, a.Script = "zh", news.ScriptMixed
	a.Title = "台积电" + hostile
	x.Add(a)
	h := newUI(t, x)
	for _, script := range []string{"zh-Hans", "zh-Hant", hostile} {
		for _, path := range []string{"/", "/?q=alert", "/article/h1", "/article/h1/revisions"} {
			inert(t, get(t, h, path, "Cookie", displayCookie+"="+script).Body.String())
		}
	}
}

func TestHostileContentIsInert(t *testing.T) {
	x := &memory.Index{}
	x.Add(hostileArticle())
	h := newUI(t, x)
	for _, path := range []string{"/", "/?q=HBM", "/?q=alert", "/article/h1", "/article/h1/revisions", "/entity/" + url.PathEscape(hostile) + "/card", "/alerts/test?q=" + url.QueryEscape(hostile) + "&name=" + url.QueryEscape(hostile) + "&rest=" + url.QueryEscape(hostile), "/trends?c=" + url.QueryEscape(hostile), "/?q=" + "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "/?entity=%22%3E%3Cscript%3E&lang=%3Cb%3E&source=%22onclick%3D", "/?q=((%3Cscript%3E", "/nowhere%3Cscript%3E", "/?from=%3Cscript%3E"} {
		t.Run(path[:min(len(path), 40)], func(t *testing.T) {
			w := get(t, h, path)
			inert(t, w.Body.String())
			if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'; script-src 'self'; style-src 'self';") || strings.Contains(csp, "unsafe") {
				t.Errorf("got policy %q", csp)
			}
		})
	}
	if body := get(t, h, "/article/h1").Body.String(); !strings.Contains(body, "&lt;script&gt;") {
		t.Error("got no escaped markup, want it shown as text")
	}
}

func article(id, title, text, lang, script string) news.Article {
	return news.Article{
		ID: id, URL: "https://example.com/" + id, Source: "example", Title: title, Text: text, Lang: lang, Script: script,
		Published: time.Date(2025, 11, 17, 8, 30, 0, 0, time.UTC), Fetched: time.Date(2025, 11, 17, 9, 0, 0, 0, time.UTC),
	}
}

func TestSearchPageShowsHitsAndFacets(t *testing.T) {
	x := &memory.Index{}
	a := article("a1", "英伟达追加 HBM 订单", "英伟达向三家供应商追加订单。", "zh", "Hans")
	a.Mentions = []news.Mention{{Start: 0, End: 3, Surface: "英伟达", Kind: news.Org, Entity: "org:nvidia"}}
	x.Add(a, article("a2", "輝達擴大採購 HBM", "供應吃緊。", "zh", "Hant"), article("a3", "HBM supply stays tight", "Orders grow.", "en", "Latn"))
	body := get(t, newUI(t, x), "/?q=HBM").Body.String()
	for _, want := range []string{
		"3 articles", `英伟达追加 <mark>HBM</mark> 订单`, `<article lang="zh-Hans">`, `<article lang="zh-Hant">`, `<article lang="en">`,
		`href="/article/a1"`, `href="https://example.com/a1"`, "2025-11-17 08:30", "示例 &lt;b&gt;News&lt;/b&gt;",
		`href="/?entity=org%3Anvidia&amp;q=HBM"`, `href="/?lang=zh-Hant&amp;q=HBM"`, `href="/?q=HBM&amp;source=example"`,
		`href="/?q=HBM&amp;sort=newest"`, `href="/feeds/search.rss?q=HBM"`, "NVIDIA", `value="HBM"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
}

func TestSearchPagesByCursor(t *testing.T) {
	x := &memory.Index{}
	for i := range 45 {
		x.Add(article(string(rune('A'+i)), "HBM", "text", "en", "Latn"))
	}
	h := newUI(t, x)
	body := get(t, h, "/?q=HBM").Body.String()
	if n := strings.Count(body, `<article lang=`); n != 20 {
		t.Errorf("got %d hits, want 20", n)
	}
	if !strings.Contains(body, `href="/?cursor=20&amp;q=HBM" rel="next"`) {
		t.Error("got no link to the next page")
	}
	body = get(t, h, "/?q=HBM&cursor=40").Body.String()
	if n := strings.Count(body, `<article lang=`); n != 5 || strings.Contains(body, `rel="next"`) {
		t.Errorf("got %d hits, want 5 on the last page", n)
	}
}

func TestSyntaxErrorIsShownAtItsColumn(t *testing.T) {
	w := get(t, newUI(t, &memory.Index{}), "/?q=%E5%8F%B0%E7%A7%AF%E7%94%B5)")
	if w.Code != http.StatusBadRequest {
		t.Errorf("got status %d, want 400", w.Code)
	}
	if body := w.Body.String(); !strings.Contains(body, "<code>台积电<mark>)</mark></code>") || !strings.Contains(body, "Character 4:") {
		t.Errorf("got %s, want the fourth character marked", body)
	}
}

func TestEmptyIndexExplainsItself(t *testing.T) {
	x := &memory.Index{}
	if body := get(t, newUI(t, x), "/").Body.String(); !strings.Contains(body, "1 source is being followed") || !strings.Contains(body, "xinwen demo") {
		t.Errorf("got %s, want what to do", body)
	}
	x.Lag = 7
	if body := get(t, newUI(t, x), "/").Body.String(); !strings.Contains(body, "7 articles are on their way") {
		t.Errorf("got %s, want how many are on their way", body)
	}
}

func TestArticlePageMarksMentions(t *testing.T) {
	a := article("a1", "英伟达上调预期", "台积电受益。\n\n两家公司股价上涨 5%。", "zh", "Hans")
	a.PublishedConfidence, a.Warnings = 0.3, []string{"date: only in the address"}
	a.Mentions = []news.Mention{
		{Start: 0, End: 3, Surface: "英伟达", Kind: news.Org, Entity: "org:nvidia"},
		{Start: 8, End: 11, Surface: "台积电", Kind: news.Org, Entity: "org:tsmc"},
		{Start: 25, End: 27, Surface: "5%", Kind: news.Percent, Value: "0.05"},
	}
	x := &memory.Index{}
	x.Add(a)
	body := get(t, newUI(t, x), "/article/a1").Body.String()
	for _, want := range []string{
		`<h1><a class="mention kind-org" href="/entity/org:nvidia" title="NVIDIA">英伟达</a>上调预期</h1>`,
		`<p><a class="mention kind-org" href="/entity/org:tsmc" title="TSMC">台积电</a>受益。</p>`,
		`<p>两家公司股价上涨 <span class="mention kind-percent" title="0.05">5%</span>。</p>`,
		"uncertain", "date: only in the address", "Read the original at example.com", "Organisations", "Percentages",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
}

func TestPagesSpeakTheReadersLanguage(t *testing.T) {
	x := &memory.Index{}
	x.Add(article("a1", "HBM", "text", "en", "Latn"))
	h := newUI(t, x)
	for _, tc := range []struct{ accept, cookie, want string }{
		{"", "", `<html lang="en">`},
		{"fr-FR, fr;q=0.9", "", `<html lang="en">`},
		{"zh-CN, en;q=0.5", "", `<html lang="zh-Hans">`},
		{"zh-TW", "", `<html lang="zh-Hant">`},
		{"zh-HK, zh;q=0.8", "", `<html lang="zh-Hant">`},
		{"zh", "", `<html lang="zh-Hans">`},
		{"zh-CN", "xinwen_language=en", `<html lang="en">`},
		{"en", "xinwen_language=zh-Hant", `<html lang="zh-Hant">`},
		{"en;q=zzz;;", "xinwen_language=%%%", `<html lang="en">`},
	} {
		if body := get(t, h, "/", "Accept-Language", tc.accept, "Cookie", tc.cookie).Body.String(); !strings.Contains(body, tc.want) {
			t.Errorf("%q %q: got another page than %s", tc.accept, tc.cookie, tc.want)
		}
	}
	w := get(t, h, "/language/zh-Hant?back=/%3Fq%3DHBM")
	if w.Header().Get("Location") != "/?q=HBM" || !strings.HasPrefix(w.Header().Get("Set-Cookie"), "xinwen_language=zh-Hant; Path=/") {
		t.Errorf("got %v, want the cookie and the way back", w.Header())
	}
	for _, back := range []string{"https://elsewhere.example", "//elsewhere.example", `/\elsewhere.example`, "javascript:alert(1)", "/%0aa"} {
		if got := get(t, h, "/language/en?back="+back).Header().Get("Location"); got != "/" && !strings.HasPrefix(got, "/%0A") {
			t.Errorf("back=%s: got %q, want /", back, got)
		}
	}
}

func TestFailuresAreToldPlainly(t *testing.T) {
	x := &memory.Index{Err: search.ErrUnavailable}
	h := newUI(t, x)
	if w := get(t, h, "/"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "The index cannot answer now") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	x.Err = errors.New("disk on fire at /secret/path")
	if w := get(t, h, "/article/a"); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("got %d %s, want nothing of the inside", w.Code, w.Body)
	}
	x.Err = nil
	if w := get(t, h, "/article/none"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "no such article") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestSegmentsNeverLoseText(t *testing.T) {
	for _, spans := range [][]span{
		nil,
		{{start: 0, end: 2}},
		{{start: 4, end: 6}},
		{{start: 3, end: 9}},
		{{start: -1, end: 2}},
		{{start: 2, end: 2}},
		{{start: 1, end: 4}, {start: 2, end: 5}},
		{{start: 3, end: 4}, {start: 1, end: 2}},
	} {
		var b strings.Builder
		for _, s := range segments("输达NVDA", spans) {
			b.WriteString(s.Text)
		}
		if b.String() != "输达NVDA" {
			t.Errorf("%v: got %q, want all of the text", spans, b.String())
		}
	}
}

var (
	keyInTemplate = regexp.MustCompile(`\{\{[^}]*\bt "([^"]+)"`)
	keyInCode     = regexp.MustCompile(`(?:say\(lang, |Key: |problem\(|message\(w, r, [^,]+, )"([a-z-]+[a-z])"[,:)}]`)
	verb          = regexp.MustCompile(`%[a-z]`)
)

func TestCatalogueIsComplete(t *testing.T) {
	used := make(map[string]bool)
	entries, err := files.ReadDir("templates")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		body, err := files.ReadFile("templates/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range keyInTemplate.FindAllStringSubmatch(string(body), -1) {
			used[m[1]] = true
		}
	}
	for key := range used {
		if _, ok := catalogue[key]; !ok && !strings.Contains(key, "%") {
			t.Errorf("got no message %q, which a template uses", key)
		}
	}
	for key, m := range catalogue {
		for lang := range m {
			if m[lang] == "" {
				t.Errorf("%s: got no text in %s", key, tags[lang])
			}
			if got, want := verb.FindAllString(m[lang], -1), verb.FindAllString(m[en], -1); !cmp.Equal(got, want) {
				t.Errorf("%s in %s: got verbs %v, want %v", key, tags[lang], got, want)
			}
		}
	}
	if n := len(readingTexts) + len(articleTexts) + len(entityTexts) + len(deskTexts) + len(sourceTexts) + len(helpTexts) + len(accountTexts); n != len(catalogue) {
		t.Errorf("got %d messages of %d, want no key twice", len(catalogue), n)
	}
	made := slices.Concat(replays, changes, []string{actOn, actOff, actMute, actUnmute, actRemove}, saidOfSources) // keys that are put together
	for _, k := range kinds {
		made = append(made, "kind-"+string(k), "one-"+string(k))
	}
	for _, tag := range tags {
		made = append(made, "tongue-"+tag.String())
	}
	for _, st := range statuses {
		made = append(made, statusKey(st))
	}
	for _, st := range deliveryStatuses {
		made = append(made, deliveryKey(st))
	}
	for _, r := range rooms {
		made = append(made, "nav-"+r.Key)
	}
	for prefix, list := range map[string][]string{"topic-": topics, "stripped-": reasonsStripped, "place-": places} {
		for _, key := range list {
			made = append(made, prefix+key)
		}
	}
	for _, level := range noises {
		made = append(made, "noise-"+level)
	}
	for _, f := range fieldsOffered {
		made = append(made, f.key)
	}
	for _, p := range helpParts {
		made = append(made, p.key)
		for _, l := range p.lines {
			made = append(made, l.key)
		}
	}
	for _, file := range []string{"alerts.go", "chart.go", "compare.go", "deliveries.go", "desk.go", "detail.go", "editor.go", "hit.go", "revisions.go", "suggest.go", "entity.go", "help.go", "sources.go", "story.go", "trends.go"} {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range keyInCode.FindAllSubmatch(source, -1) {
			made = append(made, string(m[1]))
		}
	}
	for _, key := range made {
		if _, ok := catalogue[key]; !ok {
			t.Errorf("got no message %q, which the pages use", key)
		}
	}
}
