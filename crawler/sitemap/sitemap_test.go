package sitemap_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/crawler/sitemap"
	"xinwen/news"
)

const page = "https://news.example/sitemap.xml"

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

func zipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(s)) // into memory
	_ = z.Close()
	return b.String()
}

func TestParse(t *testing.T) {
	plain := `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc> https://news.example/a?x=1&amp;y=2 </loc><lastmod>2025-11-17</lastmod></url><url><loc>/b</loc></url></urlset>`
	two := []sitemap.Entry{{URL: "https://news.example/a?x=1&y=2", Modified: day(2025, 11, 17)}, {URL: "https://news.example/b"}}
	for name, c := range map[string]struct {
		body string
		want sitemap.Sitemap
	}{
		"plain":        {plain, sitemap.Sitemap{Kind: sitemap.URLSet, Entries: two, Total: 2}},
		"gzip":         {zipped(plain), sitemap.Sitemap{Kind: sitemap.URLSet, Entries: two, Total: 2}},
		"mark":         {"\ufeff" + plain, sitemap.Sitemap{Kind: sitemap.URLSet, Entries: two, Total: 2}},
		"bare-and":     {strings.ReplaceAll(plain, "&amp;", "&"), sitemap.Sitemap{Kind: sitemap.URLSet, Entries: two, Total: 2}},
		"prefixed":     {strings.NewReplacer("</", "</s:", "<", "<s:").Replace(plain), sitemap.Sitemap{Kind: sitemap.URLSet, Entries: two, Total: 2}},
		"cut":          {plain[:strings.Index(plain, "/b")], sitemap.Sitemap{Kind: sitemap.URLSet, Entries: two[:1], Total: 1, Cut: true}},
		"after-root":   {plain + "<script>", sitemap.Sitemap{Kind: sitemap.URLSet, Entries: two, Total: 2}},
		"empty-set":    {"<urlset></urlset>", sitemap.Sitemap{Kind: sitemap.URLSet}},
		"text":         {"\ufeffhttps://news.example/1\r\n\r\nhttps://news.example/2\n", sitemap.Sitemap{Kind: sitemap.Text, Entries: []sitemap.Entry{{URL: "https://news.example/1"}, {URL: "https://news.example/2"}}, Total: 2}},
		"feed":         {`<?xml version="1.0"?><rss version="2.0"><channel></channel></rss>`, sitemap.Sitemap{Kind: sitemap.Feed}},
		"foreign-link": {`<urlset><url><loc>javascript:x</loc></url><url><loc></loc></url></urlset>`, sitemap.Sitemap{Kind: sitemap.URLSet}},
		"images": {
			`<urlset xmlns:image="i"><url><image:image><image:loc>https://news.example/x.jpg</image:loc></image:image><loc>/a</loc></url></urlset>`,
			sitemap.Sitemap{Kind: sitemap.URLSet, Entries: []sitemap.Entry{{URL: "https://news.example/a"}}, Total: 1},
		},
		"news": {
			`<urlset xmlns:news="n"><url><loc>/a</loc><news:news><news:publication><news:name>N</news:name></news:publication>
			<news:publication_date>2025-11-17T08:30+08:00</news:publication_date><news:title>台積電  漲價</news:title></news:news></url></urlset>`,
			sitemap.Sitemap{Kind: sitemap.URLSet, Total: 1, Entries: []sitemap.Entry{{
				URL: "https://news.example/a", News: true,
				FeedEntry: news.FeedEntry{Title: "台積電 漲價", Published: time.Date(2025, 11, 17, 0, 30, 0, 0, time.UTC)},
			}}},
		},
		"index": {
			`<sitemapindex><sitemap><loc>s1.xml.gz</loc><lastmod>2025-11-01T10:00:00Z</lastmod></sitemap><sitemap><loc>https://news.example/s2.xml</loc></sitemap></sitemapindex>`,
			sitemap.Sitemap{Kind: sitemap.Index, Children: []sitemap.Child{
				{URL: "https://news.example/s1.xml.gz", Modified: time.Date(2025, 11, 1, 10, 0, 0, 0, time.UTC)}, {URL: "https://news.example/s2.xml"},
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := sitemap.Parse([]byte(c.body), "application/xml", page, sitemap.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"empty":       " \n",
		"html":        "<!DOCTYPE html><title>x</title>",
		"xhtml":       `<?xml version="1.0"?><html xmlns="x"></html>`,
		"other-root":  "<note></note>",
		"prose":       "no such file",
		"broken-gzip": "\x1f\x8bxx",
		"half-gzip":   zipped("<urlset>")[:15],
		"bomb":        zipped("<urlset>" + strings.Repeat(" ", 40<<20)),
		"deep":        "<urlset><url>" + strings.Repeat("<a>", 100),
	} {
		t.Run(name, func(t *testing.T) {
			var e *sitemap.Error
			s, err := sitemap.Parse([]byte(body), "", page, sitemap.Options{})
			if !errors.As(err, &e) || e.Hint == "" {
				t.Errorf("got %+v, %v, want an error with a hint", s, err)
			}
		})
	}
}

func TestParseKeepsOnlyWhatIsNew(t *testing.T) {
	var b strings.Builder
	b.WriteString("<urlset>")
	const n = 50_000
	for i := range n {
		fmt.Fprintf(&b, "<url><loc>https://news.example/%d</loc><lastmod>%s</lastmod></url>", i, day(2025, 1, 1).AddDate(0, 0, -i%5000).Format(time.DateOnly))
	}
	b.WriteString("<url><loc>https://news.example/2024/12/31/a</loc></url><url><loc>https://news.example/undated</loc></url></urlset>")
	body := []byte(b.String())
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	s, err := sitemap.Parse(body, "", page, sitemap.Options{Since: day(2025, 1, 1).AddDate(0, 0, -9)})
	runtime.GC()
	runtime.ReadMemStats(&after)
	if err != nil || len(s.Entries) != 102 || s.Total != n+2 {
		t.Fatalf("got %d entries of %d, %v, want 102 of %d", len(s.Entries), s.Total, err, n+2)
	}
	if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > 1<<20 {
		t.Errorf("%d bytes are kept for 102 entries", kept)
	}
}

func TestDateIn(t *testing.T) {
	for url, want := range map[string]time.Time{
		"https://a.example/2025/11/17/story":            day(2025, 11, 17),
		"https://a.example/news/20251117/c1.html":       day(2025, 11, 17),
		"https://a.example/press-release-2025-11-17":    day(2025, 11, 17),
		"https://a.example/n1/2025/1117/c1004-404.html": day(2025, 11, 17),
		"https://a.example/2025/02/30/":                 {},
		"https://2025-11-17.example/story":              {},
		"https://a.example/id/120251117.html":           {},
		"https://a.example/wafer-202511":                {},
		"https://a.example/a_2024-12-31_b?d=2025-01-01": day(2024, 12, 31),
	} {
		if got := sitemap.DateIn(url); !got.Equal(want) {
			t.Errorf("%s: got %v, want %v", url, got, want)
		}
	}
}

// TestSuite reads the sitemaps that the crawler-commons project tests with.
func TestSuite(t *testing.T) {
	dir := "../../../shared/data/crawl/sitemaps-crawlercommons"
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the suite of crawler-commons is not here")
	}
	for file, want := range map[string]struct {
		kind    sitemap.Kind
		entries int
	}{
		"sitemaps/atom.xml":                                     {sitemap.Feed, 0},
		"sitemaps/sitemap.ns.xml":                               {sitemap.URLSet, 2},
		"sitemaps/sitemap-with-bom.txt":                         {sitemap.Text, 2},
		"sitemaps/sitemap.txt":                                  {sitemap.Text, 2},
		"sitemaps/do-not-visit.txt":                             {sitemap.Text, 1},
		"sitemaps/sitemap.badns.xml":                            {sitemap.URLSet, 2},
		"sitemaps/xmlSitemap.gz":                                {sitemap.URLSet, 5},
		"sitemaps/sitemap.txt.gz":                               {sitemap.Text, 5},
		"sitemaps/extension/sitemap-mobile.xml":                 {sitemap.URLSet, 3},
		"sitemaps/extension/sitemap-news.xml":                   {sitemap.URLSet, 2},
		"sitemaps/extension/sitemap-videos-tvshow.xml":          {sitemap.URLSet, 1},
		"sitemaps/extension/sitemap-images.xml":                 {sitemap.URLSet, 1},
		"sitemaps/extension/pagemaps-sitemap.xml":               {sitemap.URLSet, 2},
		"sitemaps/extension/shinpaideshou-news-sitemap.xml":     {sitemap.URLSet, 3},
		"sitemaps/extension/sitemap-videos.xml":                 {sitemap.URLSet, 3},
		"rss/xmlRss_pubDate.xml":                                {sitemap.Feed, 0},
		"rss/feed.rss":                                          {sitemap.Feed, 0},
		"../newscrawl-fixtures/sitemap-news.xml":                {sitemap.URLSet, 1},
		"../newscrawl-fixtures/feed-with-sitemap-namespace.xml": {sitemap.Feed, 0},
	} {
		body, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			t.Error(err)
			continue
		}
		s, err := sitemap.Parse(body, "", "http://www.example.com/"+file, sitemap.Options{})
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if s.Kind != want.kind || len(s.Entries) != want.entries || s.Cut {
			t.Errorf("%s: got %s with %d entries (cut: %t), want %s with %d", file, s.Kind, len(s.Entries), s.Cut, want.kind, want.entries)
		}
		for _, e := range s.Entries {
			if strings.Contains(file, "news") && (e.Title == "" || e.Published.IsZero()) {
				t.Errorf("%s: %s has no title or time: %+v", file, e.URL, e)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`<urlset><url><loc>/a</loc><lastmod>2025</lastmod></url></urlset>`))
	f.Add([]byte(`<sitemapindex><sitemap><loc>/a</loc></sitemap>`))
	f.Add([]byte(zipped("http://a.example/\n")))
	f.Add([]byte("<?xml version='1.0' encoding='gb2312'?><urlset><!DOCTYPE x [<!ENTITY a 'b'>]></url></urlset>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := sitemap.Parse(body, "", page, sitemap.Options{})
		if (s == nil) == (err == nil) {
			t.Fatalf("got %v, %v", s, err)
		}
		if err != nil {
			return
		}
		for _, e := range s.Entries {
			if !strings.HasPrefix(e.URL, "http") {
				t.Errorf("address %q", e.URL)
			}
		}
	})
}
