package source

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"
)

func TestParse(t *testing.T) {
	set, err := Parse("s.yaml", []byte(`
sources:
  - id: demo
    name: 示例 新闻
    home: https://news.example/
    lang: zh
    script: Hans
    country: CN
    time_zone: Asia/Shanghai
    feeds: [https://news.example/rss.xml]
    list_pages:
      - url: https://news.example/chips/
        links: /chips/\d+\.html$
        next: auto
        pages: 3
    sitemaps: [https://news.example/sitemap.xml.gz]
    discover: true
    urls:
      - https://news.example/a.html
    interval: 5m
    backfill: 48h
    revisit: [10m, 1h]
    proxy: socks5://proxy.example:1080
    cookies: true
    delay: 0
    timeout: 20s
    max_body_bytes: 1_000_000
  - id: off
    enabled: false
    reason: no feed
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []*Source{{
		ID: "demo", Name: "示例 新闻", Home: "https://news.example/", Lang: "zh", Script: "Hans", Country: "CN", TimeZone: "Asia/Shanghai",
		Enabled: true, Feeds: []string{"https://news.example/rss.xml"},
		ListPages: []ListPage{{URL: "https://news.example/chips/", Links: regexp.MustCompile(`/chips/\d+\.html$`), NextAuto: true, Pages: 3}},
		URLs:      []string{"https://news.example/a.html"},
		Sitemaps:  []string{"https://news.example/sitemap.xml.gz"}, Discover: true,
		Interval: 5 * time.Minute, Backfill: 48 * time.Hour, Revisit: []time.Duration{10 * time.Minute, time.Hour},
		Proxy: "socks5://proxy.example:1080", Cookies: true, Timeout: 20 * time.Second, MaxBodyBytes: 1_000_000,
	}, {
		ID: "off", Name: "off", Reason: "no feed", Interval: DefaultInterval, Delay: DefaultDelay, Backfill: DefaultBackfill, Revisit: DefaultRevisit(),
	}}
	if diff := cmp.Diff(want, set.All(), cmp.Comparer(func(a, b *regexp.Regexp) bool { return a == b || a.String() == b.String() })); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
}

func TestParseReportsAllFaultsWithLines(t *testing.T) {
	_, err := Parse("s.yaml", []byte(`sources:
  - id: a
    feeds: [https://news.example/rss]
    colour: red
    interval: soon
  - id: b
    enabled: maybe
    feeds: nothing
  - name: no id
    urls: [ftp://news.example/x]
  - id: c
  - id: d
    enabled: false
  - id: Bad_ID
    urls: [https://news.example/]
  - id: e
    list_pages:
      - links: "("
    lang: fr
    time_zone: Mars/Olympus
  - id: f
    urls: [https://news.example/]
  - id: f
    urls: [https://news.example/]
    id: g
  - id: h
    discover: true
    revisit: [1h, 1h]
    proxy: proxy.example
  - id: i
    discover: true
other: 1
`))
	if err == nil {
		t.Fatal("got no error")
	}
	var got []string
	for l := range strings.SplitSeq(err.Error(), "\n") {
		got = append(got, l)
	}
	want := []string{
		`s.yaml:4: unknown key "colour"`, `s.yaml:5: "soon" is no duration`, `s.yaml:7: must be true or false`,
		`s.yaml:8: must be a list`, `s.yaml:9: the source has no id`, `s.yaml:10: "ftp://news.example/x" is no address`, `s.yaml:11: source c has neither feeds`,
		`s.yaml:12: source d is disabled without a reason`, `s.yaml:14: id "Bad_ID" is not made of`, `s.yaml:18: a list page needs a url`,
		`s.yaml:18: "(" is no regular expression`, `s.yaml:19: lang "fr" is unknown`, `s.yaml:20: time zone "Mars/Olympus" is unknown`,
		`s.yaml:25: key "id" is there twice`, `s.yaml:23: id "f" is taken by the source in line 21`, `s.yaml:28: 1h0m0s is not later`,
		`s.yaml:29: proxy is no address`, `s.yaml:30: source i is to be discovered but has no home`, `s.yaml:32: unknown key "other"`,
	}
	for _, w := range want {
		found := false
		for _, g := range got {
			found = found || strings.HasPrefix(g, w)
		}
		if !found {
			t.Errorf("no fault starts with %q", w)
		}
	}
	if t.Failed() {
		t.Logf("got:\n%s", err)
	}
}

func TestParseDuplicateIDs(t *testing.T) {
	_, err := Parse("s.yaml", []byte("sources:\n  - id: f\n    urls: [https://news.example/]\n  - id: f\n    urls: [https://news.example/]\n"))
	if want := `s.yaml:4: id "f" is taken by the source in line 2`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestParseSyntaxErrorNamesLine(t *testing.T) {
	_, err := Parse("s.yaml", []byte("sources:\n  - id: a\n   feeds: [\n"))
	if err == nil || !strings.HasPrefix(err.Error(), "s.yaml:") {
		t.Errorf("got %v, want the file and line", err)
	}
}

func TestParseTakesUTF8Only(t *testing.T) {
	const file = "sources:\n  - id: a\n    name: 中文\n    urls: [https://news.example/]\n"
	if set, err := Parse("s.yaml", []byte("\ufeff"+file)); err != nil || set.Len() != 1 {
		t.Errorf("with a byte order mark: got %v, %v, want the source", set, err)
	}
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse("s.yaml", []byte(gbk)); err == nil || !strings.HasPrefix(err.Error(), "s.yaml:3: this is not UTF-8") {
		t.Errorf("in GBK: got %v, want line 3 named", err)
	}
}

func TestParseEmptyFile(t *testing.T) {
	for _, in := range []string{"", "# nothing\n", "sources:\n", "sources: []\n"} {
		set, err := Parse("s.yaml", []byte(in))
		if err != nil || set.Len() != 0 {
			t.Errorf("%q: got %v, %v, want an empty set", in, set, err)
		}
	}
}

func TestDefault(t *testing.T) {
	set, err := Parse("default.yaml", defaultYAML)
	if err != nil {
		t.Fatal(err)
	}
	enabled := 0
	for _, s := range set.All() {
		if s.Enabled {
			enabled++
		} else if s.Reason == "" {
			t.Errorf("%s: disabled without a reason", s.ID)
		}
		if s.Lang == "" || s.Script == "" || s.TimeZone == "" || s.Home == "" {
			t.Errorf("%s: lang, script, time_zone or home is missing", s.ID)
		}
	}
	if set.Len() != 95 || enabled != 28 {
		t.Errorf("got %d sources, %d enabled, want 95 and 28", set.Len(), enabled)
	}
	if s := set.Source("cnbc"); s == nil || s.Enabled || !strings.Contains(s.Reason, "robots.txt") {
		t.Errorf("cnbc: got %+v, want it disabled because of robots.txt", s)
	}
}

func TestStoreKeepsLastGoodSet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sources.yaml")
	write := func(s string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("sources:\n  - id: a\n    urls: [https://news.example/]\n")
	set, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	warned := make(chan struct{}, 1)
	log := slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
		if strings.Contains(string(p), "level=WARN") {
			select {
			case warned <- struct{}{}:
			default:
			}
		}
		return len(p), nil
	}), nil))
	store := NewStore(log, set)
	_, changed := store.Current()
	done := make(chan error, 1)
	go func() { done <- store.Watch(ctx, path) }()
	wait := func(c <-chan struct{}, what string) {
		t.Helper()
		select {
		case <-c:
		case <-ctx.Done():
			t.Fatalf("no %s in time", what)
		}
	}
	wait(changed, "first load")
	before, changed := store.Current()
	write("sources:\n  - idd: b\n")
	wait(warned, "warning")
	if now, _ := store.Current(); now != before {
		t.Error("a broken file replaced the set")
	}
	write("sources:\n  - id: b\n    urls: [https://news.example/b]\n")
	wait(changed, "second load")
	if now, _ := store.Current(); now.Source("b") == nil {
		t.Error("got no source b after the reload")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func FuzzParse(f *testing.F) {
	f.Add([]byte("sources:\n  - id: a\n    urls: [https://news.example/]\n"))
	f.Add([]byte("sources: {a: [b, *c]}\n---\nx"))
	f.Add([]byte("---\n---\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		set, err := Parse("f.yaml", data)
		if (set == nil) == (err == nil) {
			t.Fatalf("got set %v and error %v", set, err)
		}
	})
}
