package crawler_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/crawler"
	"xinwen/crawler/source"
	"xinwen/news"
)

func zip(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(s)) // into memory
	_ = z.Close()
	return b.String()
}

// urlset is a sitemap of addresses and how old they are.
func urlset(ages map[string]time.Duration) string {
	var b strings.Builder
	b.WriteString(`<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`)
	for u, age := range ages {
		b.WriteString("<url><loc>" + u + "</loc>")
		if age > 0 {
			b.WriteString("<lastmod>" + time.Now().Add(-age).UTC().Format(time.RFC3339) + "</lastmod>")
		}
		b.WriteString("</url>")
	}
	return b.String() + "</urlset>"
}

func TestSitemapIndexIsReadWhereItIsNew(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	now := time.Now().UTC()
	index := func(newsAge time.Duration) string {
		return `<sitemapindex><sitemap><loc>/sitemap-2019-03.xml</loc></sitemap>` +
			`<sitemap><loc>/posts.xml.gz</loc><lastmod>` + now.Add(-newsAge).Format(time.RFC3339) + `</lastmod></sitemap>` +
			`<sitemap><loc>/old.xml</loc><lastmod>2020-01-01</lastmod></sitemap>` +
			`<sitemap><loc>/nested.xml</loc></sitemap></sitemapindex>`
	}
	w.serveText("http://a.example/sitemap.xml", "application/xml", index(2*time.Hour))
	w.serveText("http://a.example/posts.xml.gz", "application/gzip", zip(urlset(map[string]time.Duration{
		"http://a.example/new1.html": time.Hour, "http://a.example/new2.html": 50 * time.Hour, "http://a.example/old.html": 60 * 24 * time.Hour,
		"http://elsewhere.example/x.html": time.Hour,
	})))
	w.serveText("http://a.example/nested.xml", "application/xml", `<sitemapindex><sitemap><loc>/news.xml</loc></sitemap></sitemapindex>`)
	w.serveText("http://a.example/news.xml", "application/xml", `<urlset xmlns:news="n"><url><loc>http://a.example/news1.html</loc><news:news><news:title>晶圓代工</news:title><news:publication_date>`+now.Add(-time.Hour).Format(time.RFC3339)+`</news:publication_date></news:news></url></urlset>`)
	for _, p := range []string{"new1", "new2", "old", "news1", "new3"} {
		w.article("http://a.example/"+p+".html", "Article "+p)
	}
	src := demo("a", func(s *source.Source) {
		s.Sitemaps, s.Backfill = []string{"http://a.example/sitemap.xml"}, source.DefaultBackfill
	})
	crawl(t, options(w, b, src))
	want := []string{"http://a.example/new1.html", "http://a.example/new2.html", "http://a.example/news1.html"}
	all := pages(t, b)
	if diff := cmp.Diff(want, urls(all)); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	for _, p := range all {
		if p.URL == want[2] && (p.Entry == nil || p.Entry.Title != "晶圓代工" || p.Entry.Published.IsZero()) {
			t.Errorf("entry of the news sitemap: got %+v", p.Entry)
		}
	}
	for _, u := range []string{"/sitemap-2019-03.xml", "/old.xml"} {
		if n := w.count("http://a.example" + u); n != 0 {
			t.Errorf("%s was read %d times: it can have nothing new", u, n)
		}
	}
	// The second time only what has changed is read, and only what is new fetched.
	w.serveText("http://a.example/sitemap.xml", "application/xml", index(0))
	w.serveText("http://a.example/posts.xml.gz", "application/gzip", zip(urlset(map[string]time.Duration{
		"http://a.example/new3.html": time.Minute, "http://a.example/new1.html": time.Hour,
	})))
	if r := crawl(t, options(w, b, src)); r.Pages != 1 || r.New != 1 {
		t.Errorf("second crawl: got %v, want one page", r)
	}
	if n := w.count("http://a.example/new1.html"); n != 1 {
		t.Errorf("a page was fetched %d times", n)
	}
	if st := state(t, b, "a"); st.Status != news.SourceOK || st.Ways[0].Kind != "sitemap" {
		t.Errorf("state: got %+v", st)
	}
}

func TestSitemapWithoutDatesStartsFromNow(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	ages := make(map[string]time.Duration)
	for i := range 600 {
		ages[fmt.Sprintf("http://a.example/%d.html", i)] = 0
	}
	w.serveText("http://a.example/sitemap.xml", "text/xml", urlset(ages))
	src := demo("a", func(s *source.Source) { s.Sitemaps, s.Backfill = []string{"http://a.example/sitemap.xml"}, time.Hour })
	if r := crawl(t, options(w, b, src)); r.Pages != 0 || r.New != 0 {
		t.Errorf("got %v, want nothing", r)
	}
	ages["http://a.example/fresh.html"] = 0
	w.serveText("http://a.example/sitemap.xml", "text/xml", urlset(ages))
	w.article("http://a.example/fresh.html", "Fresh")
	if r := crawl(t, options(w, b, src)); r.Pages != 1 {
		t.Errorf("got %v, want the fresh page", r)
	}
}

func TestSourceIsDiscovered(t *testing.T) {
	for name, serve := range map[string]func(w *web){
		"link": func(w *web) {
			w.serveText("http://a.example/", "text/html", `<html><head><link rel="alternate" type="application/rss+xml" href="/comments/feed"><link rel="alternate" type="application/rss+xml" href="/hidden.xml"></head></html>`)
			w.feed("http://a.example/hidden.xml", "/1.html")
		},
		"well-known-feed": func(w *web) { w.feed("http://a.example/feed.xml", "/1.html") },
		"robots": func(w *web) {
			w.serveText("http://a.example/robots.txt", "text/plain", "User-agent: *\nAllow: /\nSitemap: /maps/one.xml\nSitemap: http://a.example/maps/news.xml\n")
			w.serveText("http://a.example/maps/news.xml", "text/xml", urlset(map[string]time.Duration{"http://a.example/1.html": time.Minute}))
		},
		"well-known-sitemap": func(w *web) {
			w.serveText("http://a.example/sitemap.xml", "text/xml", urlset(map[string]time.Duration{"http://a.example/1.html": time.Minute}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, b := newWeb(t), openBus(t, t.TempDir())
			serve(w)
			w.article("http://a.example/1.html", "Found")
			src := demo("a", func(s *source.Source) { s.Discover, s.Backfill = true, time.Hour })
			if r := crawl(t, options(w, b, src)); r.Pages != 1 {
				t.Errorf("got %v, want a page", r)
			}
			if st := state(t, b, "a"); len(st.Ways) != 1 || st.Status != news.SourceOK {
				t.Errorf("state: got %+v", st)
			}
			asked := len(w.requests())
			if crawl(t, options(w, b, src)); len(w.requests()) > asked+2 { // robots.txt and the way
				t.Errorf("the home was searched again at once")
			}
		})
	}
}

// run starts a crawler that goes on until the test ends.
func run(t *testing.T, o crawler.Options) (*crawler.Crawler, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	t.Cleanup(cancel)
	return begin(ctx, t, o), ctx
}

// begin starts a crawler that stops when the test ends.
func begin(ctx context.Context, t *testing.T, o crawler.Options) *crawler.Crawler {
	t.Helper()
	o.Once = false
	c, err := crawler.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// TestFeedThatRollsOverIsFilledFromItsSitemap polls a feed whose entries are all
// new the second time: those that went through unseen are in the sitemap.
func TestFeedThatRollsOverIsFilledFromItsSitemap(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	for i := range 9 {
		w.article(fmt.Sprintf("http://a.example/%d.html", i), fmt.Sprintf("Article %d", i))
	}
	w.feed("http://a.example/feed", "/0.html", "/1.html", "/2.html")
	maps := map[string]time.Duration{"http://a.example/0.html": time.Hour, "http://a.example/1.html": time.Hour, "http://a.example/2.html": time.Hour}
	var polls atomic.Int32
	w.handle("http://a.example/sitemap.xml", func(rw http.ResponseWriter, _ *http.Request) {
		polls.Add(1)
		_, _ = rw.Write([]byte(urlset(maps))) // read and written in turn
	})
	src := demo("a", func(s *source.Source) {
		s.Feeds, s.Sitemaps = []string{"http://a.example/feed"}, []string{"http://a.example/sitemap.xml"}
		s.Interval, s.Backfill = 24*time.Hour, 24*time.Hour
	})
	crawl(t, options(w, b, src))
	for i := 3; i < 9; i++ {
		maps[fmt.Sprintf("http://a.example/%d.html", i)] = time.Minute
	}
	w.feed("http://a.example/feed", "/6.html", "/7.html", "/8.html")
	src.Interval = 200 * time.Millisecond // due now; the sitemap is not
	o := options(w, b, src)
	o.MinInterval = 100 * time.Millisecond
	c, ctx := run(t, o)
	eventually(ctx, t, "the gap", func() bool { return c.Report().Pages == 6 })
}

func TestServersHintsAreHonoured(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	var lists []string
	for name, header := range map[string]string{"cached": "public, max-age=7200", "ttl": "", "free": "no-cache, max-age=7200"} {
		body := rss("/1")
		if name == "ttl" {
			body = strings.Replace(body, "<title>", "<ttl>120</ttl><title>", 1)
		}
		w.handle("http://a.example/"+name, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Cache-Control", header)
			_, _ = rw.Write([]byte(body)) // a client that is gone fails the test
		})
		lists = append(lists, "http://a.example/"+name)
	}
	w.article("http://a.example/1", "One")
	crawl(t, options(w, b, demo("a", func(s *source.Source) { s.Feeds, s.Interval = lists, 15*time.Minute })))
	for _, way := range state(t, b, "a").Ways {
		wait := time.Until(way.NextPoll)
		if free := strings.HasSuffix(way.URL, "free"); free && wait > time.Hour || !free && (wait < 119*time.Minute || wait > 3*time.Hour) {
			t.Errorf("%s is due in %v", way.URL, wait)
		}
	}
}

// TestLyingETag polls a feed whose server answers 304 for ever: the forced full
// request finds the news, and from then on none of its 304 is believed.
func TestLyingETag(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	var entries atomic.Int32
	entries.Store(1)
	began := time.Now().Add(-time.Hour)
	w.handle("http://a.example/feed", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("ETag", `"same"`)
		if r.Header.Get("If-None-Match") != "" {
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		var text strings.Builder
		for i := range entries.Load() {
			fmt.Fprintf(&text, "<item><link>/%d</link><pubDate>%s</pubDate></item>", i, began.Format(time.RFC1123Z))
		}
		_, _ = rw.Write([]byte(`<rss version="2.0"><channel>` + text.String() + `</channel></rss>`)) // a client that is gone fails the test
	})
	for i := range 3 {
		w.article(fmt.Sprintf("http://a.example/%d", i), fmt.Sprint("Article ", i))
	}
	o := options(w, b, demo("a", func(s *source.Source) { s.Feeds, s.Interval = []string{"http://a.example/feed"}, 10*time.Millisecond }))
	o.MinInterval = 10 * time.Millisecond
	c, ctx := run(t, o)
	eventually(ctx, t, "first page", func() bool { return c.Report().Pages == 1 })
	entries.Store(2)
	eventually(ctx, t, "second page", func() bool { return c.Report().Pages == 2 })
	polls := w.count("http://a.example/feed")
	entries.Store(3)
	eventually(ctx, t, "third page", func() bool { return c.Report().Pages == 3 })
	if n := w.count("http://a.example/feed") - polls; n > 20 {
		t.Errorf("the third page took %d polls: the server's 304 was believed again", n)
	}
}

func TestDeadFeedIsAskedForEver(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	o := options(w, b, demo("a", func(s *source.Source) { s.Feeds, s.Interval = []string{"http://a.example/feed"}, time.Millisecond }))
	o.MinInterval = time.Millisecond
	c, ctx := run(t, o)
	eventually(ctx, t, "some polls", func() bool { return w.count("http://a.example/feed") > 6 })
	w.feed("http://a.example/feed", "/1")
	w.article("http://a.example/1", "Back")
	eventually(ctx, t, "page", func() bool { return c.Report().Pages == 1 })
	var gaps []time.Duration
	last := time.Time{}
	for _, r := range w.requests() {
		if r.path == "/feed" {
			if !last.IsZero() {
				gaps = append(gaps, r.start.Sub(last))
			}
			last = r.start
		}
	}
	if !slices.ContainsFunc(gaps, func(d time.Duration) bool { return d >= 15*time.Millisecond }) {
		t.Errorf("the delay did not grow: %v", gaps)
	}
}
