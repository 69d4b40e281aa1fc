package simweb

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"xinwen/crawler/source"
	"xinwen/news/charset"
	"xinwen/news/han"
	"xinwen/news/weburl"
)

var testNow = time.Date(2026, 3, 18, 9, 30, 0, 0, time.UTC)

func start(t *testing.T, o Options) (*Web, *http.Client) {
	t.Helper()
	if o.Now.IsZero() {
		o.Now = testNow
	}
	web, err := New(o)
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
	client := &http.Client{
		Timeout: 20 * time.Second,
		Transport: &http.Transport{
			DisableCompression: true,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				var d net.Dialer
				return d.DialContext(ctx, network, web.Addr())
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(client.CloseIdleConnections)
	return web, client
}

func get(t *testing.T, c *http.Client, url string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("get %s: %v", url, err)
	}
	return res, body
}

func TestDemoHasEnoughOfEachKind(t *testing.T) {
	web, err := New(Options{Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	scripts := make(map[string]int)
	events := make(map[string]map[string]bool)
	foundries := 0
	for _, a := range web.Articles() {
		scripts[a.Script]++
		if events[a.Event] == nil {
			events[a.Event] = make(map[string]bool)
		}
		events[a.Event][a.Script] = true
		for _, name := range []string{"台积电", "台積電", "TSMC", "三星", "Samsung"} {
			if strings.Contains(a.Title+a.Text, name) {
				foundries++
				break
			}
		}
	}
	told := 0
	for _, s := range events {
		if len(s) == 3 {
			told++
		}
	}
	if scripts["Hans"] < 18 || scripts["Hant"] < 14 || scripts["Latn"] < 16 || told < 4 || foundries < 6 {
		t.Errorf("got scripts %v, %d events in all three, %d articles about TSMC or Samsung, want at least 18, 14, 16, 4, 6", scripts, told, foundries)
	}
}

func TestDemoArticlesAreSound(t *testing.T) {
	web, err := New(Options{Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]string)
	for _, a := range web.Articles() {
		canonical, err := weburl.Canonical(a.URL)
		if err != nil || canonical != a.URL {
			t.Errorf("%s: canonical form of %s is %s, %v", a.Name, a.URL, canonical, err)
		}
		if other, ok := seen[a.URL]; ok {
			t.Errorf("%s and %s have the same URL %s", a.Name, other, a.URL)
		}
		seen[a.URL] = a.Name
		if got := han.Script(a.Title + a.Text); got != a.Script {
			t.Errorf("%s: script %q, want %q", a.Name, got, a.Script)
		}
		size, lo, hi := utf8.RuneCountInString(strings.ReplaceAll(a.Text, "\n", "")), 180, 600
		if a.Lang == "en" {
			size, lo, hi = len(strings.Fields(a.Text)), 120, 350
		}
		if size < lo || size > hi {
			t.Errorf("%s: %d long, want %d to %d", a.Name, size, lo, hi)
		}
		if age := testNow.Sub(a.Published); age <= 0 || age > 14*24*time.Hour {
			t.Errorf("%s: published %v before now, want within 14 days", a.Name, age)
		}
		if strings.ContainsAny(a.Title+a.Text, "{}") {
			t.Errorf("%s: a date field is left: %s", a.Name, a.Title)
		}
		for _, k := range a.Keywords {
			if !strings.Contains(a.Title+a.Text, k) {
				t.Errorf("%s: the keyword %s does not occur", a.Name, k)
			}
		}
	}
}

func TestPagesHoldTheirTextInTheirEncoding(t *testing.T) {
	web, client := start(t, Options{})
	for _, a := range web.Articles() {
		s := web.sites[mustHost(t, a.URL)]
		res, body := get(t, client, a.URL)
		if res.StatusCode != http.StatusOK {
			t.Fatalf("%s: status %d", a.URL, res.StatusCode)
		}
		text := decode(t, body, s.Encoding)
		if strings.ContainsRune(text, utf8.RuneError) {
			t.Errorf("%s: bytes are not %s", a.URL, s.Encoding)
		}
		if !strings.Contains(text, demoNote(s.Lang)) {
			t.Errorf("%s: the page does not say that it is a demo", a.URL)
		}
		plain := htmlText(text)
		whole := plain
		for n := 2; n <= a.Parts; n++ {
			ext := path.Ext(a.URL)
			_, more := get(t, client, fmt.Sprintf("%s_%d%s", strings.TrimSuffix(a.URL, ext), n, ext))
			whole += htmlText(decode(t, more, s.Encoding))
		}
		if a.Parts > 1 && strings.Contains(plain, a.Text[strings.LastIndexByte(a.Text, '\n')+1:]) {
			t.Errorf("%s: the first of %d pages has all of the text", a.URL, a.Parts)
		}
		for p := range strings.SplitSeq(a.Text, "\n") {
			if !strings.Contains(whole, p) {
				t.Errorf("%s: paragraph is missing: %s", a.URL, p)
			}
		}
		// What the rest of the project decides from the bytes must agree.
		if got, _ := charset.Decode(body, res.Header.Get("Content-Type")); got != text && htmlText(got) != plain {
			t.Errorf("%s: charset.Decode gives another text than %s", a.URL, s.Encoding)
		}
	}
	if got := web.Log().Missing(web.Articles()); len(got) > 0 {
		t.Errorf("log misses %v", got)
	}
}

func TestListPagesLeadToAllArticles(t *testing.T) {
	web, client := start(t, Options{})
	for _, s := range web.sites {
		found := ""
		pages := 0
		for next := s.List.Path; next != ""; pages++ {
			_, body := get(t, client, "http://"+s.Host+next)
			text := decode(t, body, s.Encoding)
			found += text
			next = ""
			for _, word := range []string{"下一页", "下一頁", ">Next<"} {
				if i := strings.Index(text, word); i >= 0 {
					if h := strings.LastIndex(text[:i], `href="`); h >= 0 {
						next, _, _ = strings.Cut(text[h+6:], `"`)
						next = strings.ReplaceAll(next, "&amp;", "&")
					}
				}
			}
		}
		for _, a := range s.articles {
			if !strings.Contains(found, `"`+pathOf(a.URL)+`"`) {
				t.Errorf("%s: no list page links %s", s.ID, a.URL)
			}
		}
		if want := (len(s.articles) + s.List.PerPage - 1) / s.List.PerPage; pages != want {
			t.Errorf("%s: %d list pages, want %d", s.ID, pages, want)
		}
	}
}

func TestFeedsAreWellFormedAndComplete(t *testing.T) {
	web, client := start(t, Options{})
	for _, s := range web.sites {
		for _, f := range s.Feeds {
			_, body := get(t, client, "http://"+s.Host+f.Path)
			text := decode(t, body, f.Encoding)
			if f.Kind == "json" {
				if !json.Valid([]byte(text)) {
					t.Errorf("%s%s is not JSON", s.Host, f.Path)
				}
			} else if err := wellFormed(text); err != nil {
				t.Errorf("%s%s: %v", s.Host, f.Path, err)
			}
			for _, a := range s.articles {
				if !strings.Contains(text, a.URL) {
					t.Errorf("%s%s misses %s", s.Host, f.Path, a.URL)
				}
			}
		}
	}
}

func TestValidatorsSaveTheBody(t *testing.T) {
	web, client := start(t, Options{})
	for _, s := range web.sites {
		url := "http://" + s.Host + s.List.Path
		res, body := get(t, client, url)
		tag, modified := res.Header.Get("ETag"), res.Header.Get("Last-Modified")
		if (tag == "" && modified == "") != (s.Validators == validateNone) {
			t.Errorf("%s: validators %q, %q, want %s", url, tag, modified, s.Validators)
		}
		res2, body2 := get(t, client, url, "If-None-Match", tag, "If-Modified-Since", modified)
		if s.Validators == validateNone {
			if diff := cmp.Diff(body, body2); diff != "" {
				t.Errorf("%s: bodies differ", url)
			}
		} else if res2.StatusCode != http.StatusNotModified || len(body2) != 0 {
			t.Errorf("%s: status %d with %d bytes, want 304", url, res2.StatusCode, len(body2))
		}
	}
	w := web.Log().Waste()
	if w.NotModified != len(web.sites)-2 || w.Repeated != 2 || w.Missed != 0 {
		t.Errorf("got waste %+v, want %d not modified, 2 repeated", w, len(web.sites)-2)
	}
}

func TestGzipIsServedOnRequest(t *testing.T) {
	web, client := start(t, Options{DemoSites: []string{"chipstack"}})
	url := web.Articles()[0].URL
	_, plain := get(t, client, url)
	res, packed := get(t, client, url, "Accept-Encoding", "gzip")
	if res.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("got encoding %q, want gzip", res.Header.Get("Content-Encoding"))
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(got, plain) {
		t.Errorf("gzip body differs from the plain one: %v", err)
	}
}

func TestPublishEditAndRemove(t *testing.T) {
	web, client := start(t, Options{DemoSites: []string{"jingyuan"}})
	a, err := web.Publish(Article{Name: "flash-one", Source: "jingyuan", Title: "晶圓廠傳捷報", Text: "第一段。\n第二段。", Reporter: "林若涵"})
	if err != nil {
		t.Fatal(err)
	}
	if _, feed := get(t, client, "http://www.jingyuan-demo.example/atom.xml"); !strings.Contains(string(feed), a.URL) {
		t.Errorf("the feed misses %s", a.URL)
	}
	before, _ := get(t, client, a.URL)
	a.Text = "改寫後的段落。"
	if _, err := web.Publish(a); err != nil {
		t.Fatal(err)
	}
	res, body := get(t, client, a.URL, "If-None-Match", before.Header.Get("ETag"))
	if res.StatusCode != http.StatusOK || !strings.Contains(string(body), "改寫後的段落") {
		t.Errorf("after the edit: status %d", res.StatusCode)
	}
	if err := web.Remove(a.URL); err != nil {
		t.Fatal(err)
	}
	if res, _ := get(t, client, a.URL); res.StatusCode != http.StatusGone {
		t.Errorf("after the removal: status %d, want 410", res.StatusCode)
	}
	if err := web.Remove(a.URL); err == nil {
		t.Error("a second removal is no error")
	}
	if _, err := web.Publish(Article{Name: "x", Source: "none"}); err == nil {
		t.Error("publishing at an unknown site is no error")
	}
}

func TestLogJudgesPoliteness(t *testing.T) {
	var out bytes.Buffer
	web, client := start(t, Options{DemoSites: []string{"guiyuan", "dianhai"}, AccessLog: &out})
	host := "http://news.guiyuan-demo.example"
	get(t, client, host+"/a/index.shtml", "User-Agent", "test")
	get(t, client, host+robotsPath)
	get(t, client, host+"/internal/draft.html")
	get(t, client, host+"/nowhere?utm_source=x")
	if err := web.Close(); err != nil { // the log is complete now
		t.Fatal(err)
	}
	log := web.Log()
	if got := log.Disallowed(); len(got) != 1 || got[0].Path != "/internal/draft.html" {
		t.Errorf("got disallowed %v, want the draft", got)
	}
	if diff := cmp.Diff([]string{"news.guiyuan-demo.example"}, log.WithoutRobots()); diff != "" {
		t.Errorf("hosts asked before robots.txt (-want +got):\n%s", diff)
	}
	gaps := log.SmallestGaps()
	if len(gaps) != 1 || gaps[0].Gap <= 0 {
		t.Errorf("got gaps %v, want one", gaps)
	}
	var kinds []string
	for _, r := range log.Requests() {
		kinds = append(kinds, r.Kind)
	}
	if diff := cmp.Diff([]string{"list", "robots", "forbidden", ""}, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	var first Request
	if err := json.Unmarshal(bytes.SplitN(out.Bytes(), []byte("\n"), 2)[0], &first); err != nil {
		t.Fatal(err)
	}
	if first.UserAgent != "test" || first.Status != 200 || first.Bytes == 0 {
		t.Errorf("first line of the log is %+v", first)
	}
}

func TestSourcesAreWhatTheCrawlerReads(t *testing.T) {
	web, err := New(Options{Now: testNow, Faults: true})
	if err != nil {
		t.Fatal(err)
	}
	set, err := source.Parse("sources.yaml", []byte(web.SourcesFor(SourceOptions{Delay: time.Millisecond, Timeout: time.Second})))
	if err != nil {
		t.Fatal(err)
	}
	if set.Len() != len(web.sites) {
		t.Errorf("got %d sources, want %d", set.Len(), len(web.sites))
	}
	if s := set.Source("xidao"); s == nil || len(s.ListPages) != 1 || s.TimeZone != "Asia/Taipei" || s.Script != "Hant" {
		t.Errorf("got source %+v", s)
	}
	set, err = source.Parse("sources.yaml", []byte(web.SourcesFor(SourceOptions{Keep: func(id string) bool { return id == "xidao" }})))
	if err != nil || set.Len() != 1 {
		t.Errorf("got %v, %v, want one source", set, err)
	}
}

func TestSavedPagesAreServedByteForByte(t *testing.T) {
	dir := t.TempDir()
	page := []byte("<html><meta charset=gb2312><title>\xd0\xbe\xc6\xac</title><p>\xd0\xbe\xc6\xac</p></html>")
	write(t, filepath.Join(dir, "pages", "a.html"), page)
	write(t, filepath.Join(dir, "index.json"), []byte(`[
		{"id":"a","file":"pages/a.html","encoding":"gb18030","declared_charset":"gb2312","site":"h1","title":"芯片 & more","url":""},
		{"id":"b","file":"pages/a.html","encoding":"gb18030","declared_charset":"gb2312","site":"x","title":"b","url":"https://News.example/a?b=1#c","extra":1}]`))
	for _, tc := range []struct {
		mode CharsetMode
		want string
	}{
		{CharsetNone, "text/html"},
		{CharsetDeclared, "text/html; charset=gb2312"},
		{CharsetTrue, "text/html; charset=gb18030"},
	} {
		web, client := start(t, Options{NoDemo: true, Folder: dir, FolderCharset: tc.mode})
		var urls []string
		for _, p := range web.SavedPages() {
			urls = append(urls, p.URL)
			res, body := get(t, client, p.URL)
			if got := res.Header.Get("Content-Type"); got != tc.want || !bytes.Equal(body, page) {
				t.Errorf("%s: content type %q, want %q; same bytes: %t", p.URL, got, tc.want, bytes.Equal(body, page))
			}
			_, feed := get(t, client, "http://"+mustHost(t, p.URL)+savedFeedPath)
			if err := wellFormed(string(feed)); err != nil || !bytes.Contains(feed, []byte(escape(p.URL))) {
				t.Errorf("feed of %s: %v", p.URL, err)
			}
		}
		if diff := cmp.Diff([]string{"http://h1.example/a.html", "http://news.example/a?b=1"}, urls); diff != "" {
			t.Errorf("URLs (-want +got):\n%s", diff)
		}
	}
}

func TestSavedFolderErrorsNameTheEntry(t *testing.T) {
	for _, tc := range []struct{ name, index, want string }{
		{"no-index", "", "no such file"},
		{"no-json", "{", "index.json"},
		{"outside", `[{"id":"a","file":"../a"}]`, "not inside"},
		{"missing", `[{"id":"a","file":"a","site":"x"}]`, "entry 0"},
		{"no-id", `[{"file":"a"}]`, "required"},
		{"no-host", `[{"id":"a","file":"a","url":"/x"}]`, "no host"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			if tc.index != "" {
				write(t, filepath.Join(dir, "index.json"), []byte(tc.index))
			}
			_, err := New(Options{NoDemo: true, Folder: dir})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want an error with %q", err, tc.want)
			}
		})
	}
}

func TestReplayFolder(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "data", "replay")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no saved pages at ../shared/data/replay")
	}
	web, client := start(t, Options{NoDemo: true, Folder: dir})
	for _, p := range web.SavedPages() {
		want, err := os.ReadFile(p.File)
		if err != nil {
			t.Fatal(err)
		}
		if _, got := get(t, client, p.URL); !bytes.Equal(got, want) {
			t.Errorf("%s differs from %s", p.URL, p.File)
		}
	}
	if _, err := source.Parse("sources.yaml", []byte(web.Sources())); err != nil {
		t.Error(err)
	}
}

func TestStartSaysWhatToDoAboutATakenPort(t *testing.T) {
	web, _ := start(t, Options{NoDemo: true})
	other, err := New(Options{NoDemo: true, Listen: web.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "free port") {
		t.Errorf("got %v, want an error that says what to do", err)
	}
	if err := other.Close(); err != nil {
		t.Error(err)
	}
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
		t.Fatal(err)
	}
}

func mustHost(t *testing.T, raw string) string {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u.Host
}

func decode(t *testing.T, body []byte, name string) string {
	t.Helper()
	if name == "utf-8" {
		return string(body)
	}
	text, err := encodings[name].NewDecoder().Bytes(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func wellFormed(text string) error {
	d := xml.NewDecoder(strings.NewReader(text))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}
