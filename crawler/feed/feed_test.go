package feed

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"xinwen/news"
)

// dataDir holds public test suites beside the project folder.
const dataDir = "../../../shared/data/crawl"

func TestParse(t *testing.T) {
	published := time.Date(2025, 11, 17, 1, 30, 0, 0, time.UTC)
	rss := func(item string) string {
		return `<?xml version="1.0"?><rss version="2.0"><channel><title>Demo</title><link>/</link>` + item + `</channel></rss>`
	}
	gbk, err := simplifiedchinese.GBK.NewEncoder().String(`<?xml version="1.0" encoding="gb2312"?><rss version="2.0"><channel><title>芯片</title><item><title>台积电扩产先进封装</title><link>http://news.example/1</link></item></channel></rss>`)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, body, contentType string
		want                    []Entry
	}{
		{
			name: "rss", body: rss(`<item><title> Chip
 news </title><link>/a?x=1&amp;y=2</link><description>&lt;p&gt;Lead&lt;/p&gt;</description><author>Demo Writer</author><pubDate>Mon, 17 Nov 2025 09:30:00 +0800</pubDate></item>`),
			want: []Entry{{URL: "http://news.example/a?x=1&y=2", FeedEntry: news.FeedEntry{Title: "Chip news", Summary: "<p>Lead</p>", Authors: []string{"Demo Writer"}, Published: published}}},
		},
		{
			name: "atom-xml-base",
			body: `<feed xmlns="http://www.w3.org/2005/Atom" xml:base="http://other.example/sub/"><entry><title>A</title><link rel="alternate" href="a.html"/><updated>2025-11-17T01:30:00Z</updated></entry></feed>`,
			want: []Entry{{URL: "http://other.example/sub/a.html", FeedEntry: news.FeedEntry{Title: "A", Published: published}}},
		},
		{
			name: "rdf",
			body: `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel rdf:about="http://news.example/"><title>D</title></channel><item rdf:about="http://news.example/1"><title>A</title><link>http://news.example/1</link><dc:date>2025-11-17T09:30:00+08:00</dc:date></item></rdf:RDF>`,
			want: []Entry{{URL: "http://news.example/1", FeedEntry: news.FeedEntry{Title: "A", Published: published}}},
		},
		{
			name: "json", contentType: "application/feed+json",
			body: `{"version":"https://jsonfeed.org/version/1.1","title":"D","items":[{"id":"1","url":"/1","title":"A","date_published":"2025-11-17T01:30:00Z"}]}`,
			want: []Entry{{URL: "http://news.example/1", FeedEntry: news.FeedEntry{Title: "A", Published: published}}},
		},
		{name: "gb2312-prolog", body: gbk, want: []Entry{{URL: "http://news.example/1", FeedEntry: news.FeedEntry{Title: "台积电扩产先进封装"}}}},
		{name: "guid-as-link", body: rss(`<item><title>A</title><guid>http://news.example/g</guid></item>`), want: []Entry{{URL: "http://news.example/g", FeedEntry: news.FeedEntry{Title: "A"}}}},
		{
			name: "id-rather-than-link-to-the-entry",
			body: `<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>A</title><id>http://news.example/g</id><link rel="self" href="http://news.example/api/1"/></entry></feed>`,
			want: []Entry{{URL: "http://news.example/g", FeedEntry: news.FeedEntry{Title: "A"}}},
		},
		{name: "no-link", body: rss(`<item><title>A</title><guid>tag:1</guid></item>`)},
		{name: "scheme-of-no-page", body: rss(`<item><title>A</title><link>javascript:void(0)</link></item>`)},
		{name: "bare-ampersand", body: rss(`<item><title>R&D at AT&T</title><link>/1?a=1&b=2</link></item>`), want: []Entry{{URL: "http://news.example/1?a=1&b=2", FeedEntry: news.FeedEntry{Title: "R&D at AT&T"}}}},
		{name: "html-entity", body: rss(`<item><title>3&nbsp;nm&hellip;</title><link>/1</link></item>`), want: []Entry{{URL: "http://news.example/1", FeedEntry: news.FeedEntry{Title: "3 nm…"}}}},
		{name: "control-characters", body: rss("<item><title>A\x00\x0b\x1fB</title><link>/1</link></item>"), want: []Entry{{URL: "http://news.example/1", FeedEntry: news.FeedEntry{Title: "AB"}}}},
		{name: "cut-off", body: `<rss version="2.0"><channel><item><title>A</title><link>/1</link></item><item><title>B</title><link>/2`, want: []Entry{{URL: "http://news.example/1", FeedEntry: news.FeedEntry{Title: "A"}}}},
		{name: "markup-in-description", body: rss(`<item><description>one<br>two <b>three</description><title>A</title><link>/1</link></item>`), want: []Entry{{URL: "http://news.example/1", FeedEntry: news.FeedEntry{Title: "A", Summary: "one<br>two <b>three</b></br>"}}}},
		{name: "text-before-prolog", body: "\ufeff\n Warning: mysql in line 3\n" + rss(`<item><title>A</title><link>/1</link></item>`), want: []Entry{{URL: "http://news.example/1", FeedEntry: news.FeedEntry{Title: "A"}}}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			got, err := Parse([]byte(tc.body), tc.contentType, "http://news.example/feeds/all.xml")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got.Entries); diff != "" {
				t.Errorf("entries (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	bomb := `<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><rss version="2.0"><channel><item><link>/1</link><title>&b;</title></item></channel></rss>`
	if f, err := Parse([]byte(bomb), "", "http://h/"); err == nil && strings.Contains(f.Entries[0].Title, "aa") {
		t.Errorf("entity bomb: got title %q, want no expansion", f.Entries[0].Title)
	}
	tests := []struct{ name, body, want, hint string }{
		{"empty", " \n", "empty", "browser"},
		{"html", "<!DOCTYPE html><html><head><title>x</title></head><body></body></html>", "HTML page", "list page"},
		{"html-with-feed", `<!-- x --><html><head><link rel="alternate" type="application/rss+xml" href="/rss.xml"></head><body>`, "HTML page", "http://news.example/rss.xml"},
		{"text", "hello", "neither RSS", "moved"},
		{"binary", "\x89PNG\r\n\x1a\n\x00\x00", "neither RSS", "moved"},
		{"malformed", `<rss version="2.0"><channel><item><title>`, "malformed", "mend"},
		{"deep", "<rss>" + strings.Repeat("<a>", 100_000), "nest deeper", "disable"},
		{"broken-json", `{"version":"https://jsonfeed.org/version/1","items":[`, "", ""},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse([]byte(tc.body), "", "http://news.example/feed")
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want an *Error", err)
			}
			if !strings.Contains(e.Err.Error(), tc.want) || !strings.Contains(e.Hint, tc.hint) {
				t.Errorf("got %q with hint %q, want %q with hint %q", e.Err, e.Hint, tc.want, tc.hint)
			}
		})
	}
}

// TestPublicSuitesParse counts the files of the public suites that parse; the
// floor is what was reached, so that it only grows.
func TestPublicSuitesParse(t *testing.T) {
	for _, suite := range []struct {
		dir   string
		floor float64
	}{{"feeds-feedparser", 0.991}, {"feeds-gofeed", 0.994}} {
		t.Run(suite.dir, func(t *testing.T) {
			root := filepath.Join(dataDir, suite.dir)
			if _, err := os.Stat(root); err != nil {
				t.Skipf("public test suite not present: %v", err)
			}
			total, parsed := 0, 0
			var failed []string
			err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				if ext := filepath.Ext(path); ext != ".xml" && (ext != ".json" || suite.dir == "feeds-gofeed") {
					return nil
				}
				body, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				total++
				if _, err := Parse(body, "", "http://news.example/feed.xml"); err != nil {
					failed = append(failed, fmt.Sprintf("%s: %.120s", strings.TrimPrefix(path, root), err))
					return nil
				}
				parsed++
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d of %d parse (%.1f %%); not:\n%s", parsed, total, 100*float64(parsed)/float64(total), strings.Join(failed, "\n"))
			if share := float64(parsed) / float64(total); share < suite.floor {
				t.Errorf("got %.3f, want at least %.3f", share, suite.floor)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`<rss version="2.0"><channel><item><title>A</title><link>/1</link></item></channel></rss>`), "text/xml")
	f.Add([]byte(`<feed xmlns="http://www.w3.org/2005/Atom"><entry><link href="a"/></entry></feed>`), "")
	f.Add([]byte(`{"version":"https://jsonfeed.org/version/1","items":[{"url":"/"}]}`), "")
	f.Add([]byte("<!DOCTYPE x [<!ENTITY a '>'>]><html>"), "text/html; charset=gbk")
	f.Add([]byte("\xff\xfe<\x00r\x00"), "")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		feed, err := Parse(body, contentType, "http://news.example/feed")
		if (feed == nil) == (err == nil) {
			t.Fatalf("got feed %v and error %v", feed, err)
		}
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Hint == "" {
				t.Fatalf("got error %v without a hint", err)
			}
			return
		}
		for _, e := range feed.Entries {
			if !strings.HasPrefix(e.URL, "http://") && !strings.HasPrefix(e.URL, "https://") {
				t.Errorf("entry address %q is not absolute", e.URL)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var s strings.Builder
	s.WriteString(`<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>芯片要闻</title>`)
	for i := range 50 {
		fmt.Fprintf(&s, `<item><title>台积电先进封装产能第%d次上调 &amp; 扩产</title><link>http://news.example/2025/11/%d.html</link><description><![CDATA[<p>%s</p>]]></description><pubDate>Mon, 17 Nov 2025 09:30:00 +0800</pubDate></item>`, i, i, strings.Repeat("先进封装需求强劲。", 20))
	}
	s.WriteString(`</channel></rss>`)
	body := []byte(s.String())
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(body, "application/rss+xml", "http://news.example/feed"); err != nil {
			b.Fatal(err)
		}
	}
}
