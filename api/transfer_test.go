package api

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/weburl"
)

// pages returns the first n messages of PAGES, by URL.
func (f *fixture) pages(n int) map[string]*news.Page {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 20*time.Second)
	defer cancel()
	got := make(map[string]*news.Page)
	err := f.bus.Read(ctx, bus.ReadConfig{Stream: bus.Pages}, func(ctx context.Context, batch []*bus.Message) error {
		for _, m := range batch {
			p, err := f.bus.Page(ctx, m)
			if err != nil {
				return err
			}
			got[p.URL] = p
		}
		if len(got) >= n {
			cancel()
		}
		return nil
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return got
}

func TestImport(t *testing.T) {
	f := start(t, nil)
	body := strings.Join([]string{
		`{"id":"1","title":"一","text":"正文一","published":"2025-11-17T08:00:00+08:00","lang":"zh","source":"corpus"}`,
		`{"text":`,
		``,
		`{"id":7,"text":"two","published":"2025-11-17"}`,
		`{"id":"3","text":"  "}`,
		`{"id":"4","text":"` + strings.Repeat("x", 2000) + `"}`,
		`{"url":"HTTPS://Example.com/a?utm_source=x","text":"three"}`,
		`{"id":"5","text":"x","published":"soon"}`,
		`{"id":"6","text":["x"]}`,
		"{\"text\":\"\xff\"}",
		`{"text":"without anything"}`, // no newline after it
	}, "\n")
	a := f.do(http.MethodPost, "/v1/articles?fast=true", body, "Content-Type", "application/x-ndjson")
	var got importResult
	a.json(t, &got)
	lines := []int{}
	for _, e := range got.Errors {
		lines = append(lines, e.Line)
		if e.Message == "" {
			t.Errorf("got no message for line %d", e.Line)
		}
	}
	if a.status != 200 || got.Accepted != 4 || got.Rejected != 6 || !cmp.Equal(lines, []int{2, 5, 6, 8, 9, 10}) {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	pages := f.pages(4)
	p := pages["urn:import:1"]
	if p == nil {
		t.Fatalf("got pages %v, want urn:import:1 among them", pages)
	}
	var in news.ImportedArticle
	if err := json.Unmarshal(p.Body, &in); err != nil {
		t.Fatal(err)
	}
	want := news.ImportedArticle{ID: "1", URL: "urn:import:1", Title: "一", Text: "正文一", Lang: "zh", Published: time.Date(2025, 11, 17, 0, 0, 0, 0, time.UTC), Source: "corpus"}
	if d := cmp.Diff(in, want); d != "" {
		t.Errorf("got %+v, want %+v:\n%s", in, want, d)
	}
	if p.ContentType != news.ArticleContentType || !p.Fast || p.Source != "corpus" || p.ID != weburl.ID(p.URL) || p.Status != 200 || p.Fetched.IsZero() {
		t.Errorf("got page %+v", p)
	}
	if pages["https://example.com/a"] == nil || pages["urn:import:7"] == nil {
		t.Errorf("got pages %v, want the canonical URL and the number as ID", pages)
	}
}

func TestImportOfPages(t *testing.T) {
	f := start(t, nil)
	html := []byte("<html><title>\xd0\xbe</title></html>")
	body := fmt.Sprintf(`{"url":"https://example.com/1?utm_source=x","fetched":"2025-11-17T08:00:00+08:00","content_type":"text/html; charset=gbk","body_base64":%q}
{"url":"https://example.com/2"}
{"body_base64":"PA=="}
{"url":"https://example.com/3","body_base64":"!"}
{"url":"https://example.com/4","body_base64":"PA==","fetched":"2999-01-01T00:00:00Z","source":"archive","status":404}
`, base64.StdEncoding.EncodeToString(html))
	a := f.do(http.MethodPost, "/v1/pages", body)
	var got importResult
	a.json(t, &got)
	if a.status != 200 || got.Accepted != 2 || got.Rejected != 3 {
		t.Fatalf("got %d %s", a.status, a.body)
	}
	pages := f.pages(2)
	want := &news.Page{
		Version: 1, ID: weburl.ID("https://example.com/1"), URL: "https://example.com/1", Source: "import", Status: 200,
		ContentType: "text/html; charset=gbk", Import: true, Fetched: time.Date(2025, 11, 17, 0, 0, 0, 0, time.UTC), Body: html,
	}
	if d := cmp.Diff(pages[want.URL], want); d != "" {
		t.Errorf("got %+v, want %+v:\n%s", pages[want.URL], want, d)
	}
	if p := pages["https://example.com/4"]; p == nil || p.Fetched.After(time.Now()) || p.Source != "archive" || p.Status != 404 {
		t.Errorf("got %+v, want a page fetched now", p)
	}
}

func TestImportOfNothingOrOnlyFaultsFails(t *testing.T) {
	f := start(t, nil)
	if a := f.do(http.MethodPost, "/v1/articles", "\n\n"); a.status != 400 {
		t.Errorf("got %+v, want 400", a)
	}
	if a := f.do(http.MethodPost, "/v1/articles", "x\ny\n"); a.status != 422 || !strings.Contains(a.body, `"line":2`) {
		t.Errorf("got %+v, want 422", a)
	}
	if a := f.do(http.MethodPost, "/v1/articles?fast=perhaps", "{}"); a.status != 400 {
		t.Errorf("got %+v, want 400", a)
	}
	if a := f.do(http.MethodPost, "/v1/articles", "{}", "Content-Encoding", "gzip"); a.status != 415 {
		t.Errorf("got %+v, want 415", a)
	}
}

func TestImportSaysWhatIsWrongInPlainWords(t *testing.T) {
	f := start(t, nil)
	a := f.do(http.MethodPost, "/v1/articles", "\ufeff"+`{"text":1}`+"\n[]\n"+`{"text":"x","published":"tomorrow"}`)
	var got importResult
	a.json(t, &got)
	want := []importFault{
		{1, "text is a JSON number"},
		{2, "a JSON array, not an object"},
		{3, `published "tomorrow" is not a time; write 2025-11-17T08:00:00+08:00 or 2025-11-17 (UTC)`},
	}
	if d := cmp.Diff(want, got.Errors); d != "" {
		t.Errorf("faults (-want +got):\n%s", d)
	}
}

func TestImportedTime(t *testing.T) {
	for _, in := range []string{
		"2025-11-17T08:00:00+08:00", "2025-11-17T08:00:00+0800", "2025-11-17T08:00+08:00", "2025-11-17T00:00:00", "2025-11-17T00:00",
		"2025-11-17 00:00:00", "2025-11-17 00:00", "2025-11-17", "2025/11/17", "2025年11月17日", "2025年11月17日 00:00",
		"Mon, 17 Nov 2025 00:00:00 GMT", "Mon, 17 Nov 2025 08:00:00 +0800",
	} {
		if got, err := importedTime(in); err != nil || !got.Equal(time.Date(2025, 11, 17, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("importedTime(%q): got %v, %v", in, got, err)
		}
	}
	// Whose Eastern Standard Time it is cannot be told, nor which is the month.
	for _, in := range []string{"Mon, 17 Nov 2025 08:00:00 EST", "11/12/2025", "soon"} {
		if got, err := importedTime(in); err == nil {
			t.Errorf("importedTime(%q): got %v, want an error", in, got)
		}
	}
}

func TestSearchByPostWithoutContentType(t *testing.T) {
	f := start(t, nil)
	for _, kind := range []string{"", "application/x-www-form-urlencoded", "application/json"} {
		if a := f.do(http.MethodPost, "/v1/search", `{"q":"HBM"}`, "Content-Type", kind); a.status != http.StatusOK {
			t.Errorf("Content-Type %q: got %d %s", kind, a.status, a.body)
		}
	}
}

func TestImportListsOnlySoManyFaults(t *testing.T) {
	f := start(t, nil)
	a := f.do(http.MethodPost, "/v1/articles", strings.Repeat("x\n", importFaults+50))
	var got importResult
	a.json(t, &got)
	if got.Rejected != importFaults+50 || len(got.Errors) != importFaults {
		t.Errorf("got %d rejected and %d listed", got.Rejected, len(got.Errors))
	}
}

func FuzzImportedArticle(f *testing.F) {
	f.Add(`{"id":"1","url":"https://example.com/","title":"t","text":"x","published":"2025-11-17"}`)
	f.Add(`{"id":1e300,"text":"x"}`)
	f.Fuzz(func(t *testing.T, line string) {
		p, err := importedArticle([]byte(line), time.Unix(0, 0).UTC(), false)
		if err != nil {
			return
		}
		var a news.ImportedArticle
		if err := json.Unmarshal(p.Body, &a); err != nil || a.Text == "" || p.URL == "" || p.ID != weburl.ID(p.URL) {
			t.Errorf("got %+v of %q", p, line)
		}
	})
}

func TestExport(t *testing.T) {
	f := start(t, nil)
	const n = 250 // more than two pages of the index
	for i := range n {
		a := article(fmt.Sprintf("a%03d", i), fmt.Sprintf("HBM %d", i), "正文，有\"引号\"", "zh", "Hans")
		a.Published = a.Published.Add(time.Duration(i) * time.Minute)
		f.index.Add(a)
	}
	f.index.Add(article("other", "光刻", "正文", "zh", "Hans"), article("formula", `=HYPERLINK("x") HBM`, "text", "en", "Latn"))

	a := f.get("/v1/export?q=HBM")
	lines := strings.SplitAfter(strings.TrimSuffix(a.body, "\n"), "\n")
	last := lines[len(lines)-1]
	var end struct{ Manifest manifest }
	if err := json.Unmarshal([]byte(last), &end); err != nil {
		t.Fatalf("%v in %s", err, last)
	}
	sum := sha256.Sum256([]byte(strings.Join(lines[:len(lines)-1], "")))
	if m := end.Manifest; m.Count != n+1 || len(lines) != n+2 || !m.Complete || m.SHA256 != hex.EncodeToString(sum[:]) || m.Query != "HBM" || m.AppliedSeq == 0 {
		t.Errorf("got manifest %+v after %d lines", m, len(lines)-1)
	}
	if a.header.Get("Content-Type") != "application/x-ndjson" || strings.Contains(lines[0], "highlights") {
		t.Errorf("got %v, first line %s", a.header, lines[0])
	}

	a = f.get("/v1/export?q=HBM&format=csv&sort=oldest")
	body, tail, ok := strings.Cut(a.body, "# manifest ")
	sum = sha256.Sum256([]byte(body))
	if !ok || json.Unmarshal([]byte(tail), &end.Manifest) != nil || end.Manifest.SHA256 != hex.EncodeToString(sum[:]) || end.Manifest.Count != n+1 {
		t.Errorf("got manifest %q", tail)
	}
	r := csv.NewReader(strings.NewReader(a.body))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != n+2 || !cmp.Equal(rows[0], csvHeader) {
		t.Errorf("got %d rows, header %v", len(rows), rows[0])
	}
	for _, row := range rows {
		if strings.HasPrefix(row[2], "=") {
			t.Errorf("got cell %q, want no formula", row[2])
		}
	}

	a = f.get("/v1/export?q=HBM&full=true")
	if !strings.Contains(a.body, `"text":"正文，有\"引号\""`) || strings.Count(a.body, "\n") != n+2 {
		t.Error("got no whole articles")
	}
	for _, q := range []string{"format=xml", "q=(", "format=csv&full=true", "from=x"} {
		if a := f.get("/v1/export?" + q); a.status != 400 || a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: got %+v, want a 400 problem", q, a)
		}
	}
}

// What narrows a search narrows its export and its feed.
func TestExportAndFeedAreNarrowedAsTheSearchIs(t *testing.T) {
	f := start(t, nil)
	wanted, other := article("wanted", "HBM", "text", "en", "Latn"), article("other", "HBM", "text", "en", "Latn")
	wanted.Topics = []news.Topic{{ID: "memory"}}
	other.Published = other.Published.AddDate(0, 0, -2)
	f.index.Add(wanted, other)
	for _, narrowed := range []string{"topic=memory", "from=2025-11-17", "to=2025-11-17&from=2025-11-17&tz=UTC"} {
		for _, path := range []string{"/v1/search?", "/v1/export?", "/v1/export?format=csv&", "/feeds/search.rss?", "/feeds/search.json?"} {
			if a := f.get(path + narrowed); a.status != http.StatusOK || !strings.Contains(a.body, "wanted") || strings.Contains(a.body, "/other") {
				t.Errorf("%s%s: got %d %s, want only the article wanted", path, narrowed, a.status, a.body)
			}
		}
	}
}

func TestImportShowsHowFarItIs(t *testing.T) {
	f := start(t, nil)
	if a := f.do(http.MethodPost, "/v1/articles?size=much", `{"text":"x"}`, "Content-Type", "application/x-ndjson"); a.status != http.StatusBadRequest {
		t.Errorf("got %d for a size that is no number, want 400", a.status)
	}
	body, lines := io.Pipe()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.base+"/v1/articles?import=x&name=old+%3Cb%3Enews.jsonl&read=100&size=400", body)
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			err = res.Body.Close()
		}
		answered <- err
	}()
	if _, err := io.WriteString(lines, `{"id":"1","text":"one"}`+"\n"+`{"text":""}`+"\n"); err != nil {
		t.Fatal(err)
	}
	wants := []string{"An import is taken: old &lt;b&gt;news.jsonl", `value="100" max="400"`, "1 taken", "1 refused", "25 % of the files"}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for missing := wants; len(missing) > 0; {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("the page Pipeline lacks %q", missing)
		}
		page := string(f.do(http.MethodGet, "/pipeline", "", "Accept", "text/html", "Accept-Language", "en").body)
		missing = slices.DeleteFunc(slices.Clone(wants), func(w string) bool { return strings.Contains(page, w) })
	}
	if err := lines.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Fatal(err)
	}
}
