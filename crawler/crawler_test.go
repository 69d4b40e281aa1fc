package crawler_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"xinwen/crawler"
	"xinwen/crawler/source"
	"xinwen/news"
	"xinwen/news/bus"
)

func TestOnceCrawlsFeedsListPagesAndURLs(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	w.feed("http://a.example/feed", "/1.html?utm_source=rss", "http://a.example/2.html", "/moved.html")
	for _, p := range []string{"1", "2", "3"} {
		w.article("http://a.example/"+p+".html", "Article "+p)
	}
	w.handle("http://a.example/moved.html", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "/3.html", http.StatusMovedPermanently)
	})
	w.article("http://a.example/single.html", "Single page")
	list := ""
	for i := range 4 {
		url := fmt.Sprintf("/news/2025/110%d.html", i)
		list += fmt.Sprintf(`<li><a href="%s">先进封装产能持续紧张第%d次报道</a> 2025-11-0%d`, url, i, i+1)
		w.article("http://b.example"+url, fmt.Sprintf("先进封装产能持续紧张%d", i))
	}
	w.serveText("http://b.example/list/", "text/html; charset=utf-8", "<title>列表</title><ul>"+list)
	metrics := prometheus.NewRegistry()
	o := options(w, b,
		demo("a", func(s *source.Source) {
			s.Feeds, s.URLs = []string{"http://a.example/feed"}, []string{"http://a.example/single.html"}
		}),
		demo("b", func(s *source.Source) { s.ListPages = []source.ListPage{{URL: "http://b.example/list/", Pages: 1}} }),
		demo("c", func(s *source.Source) {
			s.Enabled, s.Reason, s.Feeds = false, "for a reason", []string{"http://c.example/feed"}
		}),
	)
	o.Metrics = metrics
	report := crawl(t, o)
	if diff := cmp.Diff(crawler.Report{Sources: 2, Polls: 2, Entries: 8, New: 8, Pages: 8}, report); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	all := pages(t, b)
	want := []string{
		"http://a.example/1.html", "http://a.example/2.html", "http://a.example/3.html", "http://a.example/single.html",
		"http://b.example/news/2025/1100.html", "http://b.example/news/2025/1101.html", "http://b.example/news/2025/1102.html", "http://b.example/news/2025/1103.html",
	}
	if diff := cmp.Diff(want, urls(all)); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	for _, p := range all {
		if p.Status != 200 || p.ID == "" || p.Fetched.IsZero() || len(p.Body) == 0 || p.TimeZone != "Asia/Shanghai" {
			t.Errorf("page %s: status, ID, time, body or zone is missing: %+v", p.URL, p)
		}
		if p.URL == "http://a.example/3.html" && p.RequestURL != "http://a.example/moved.html" {
			t.Errorf("page %s: got request URL %q", p.URL, p.RequestURL)
		}
		if p.URL == "http://b.example/news/2025/1100.html" {
			if p.Entry == nil || !strings.HasPrefix(p.Entry.Title, "先进封装") || !p.Entry.Published.Equal(time.Date(2025, 10, 31, 16, 0, 0, 0, time.UTC)) {
				t.Errorf("page %s: got entry %+v", p.URL, p.Entry)
			}
		}
	}
	if st := state(t, b, "a"); st.Status != news.SourceOK || st.Articles != 4 || st.Items != 4 || st.New != 4 || st.Failures != 0 || len(st.Ways) != 2 {
		t.Errorf("state of a: %+v", st)
	}
	if st := state(t, b, "c"); st.Status != news.SourceDisabled || st.Reason != "for a reason" {
		t.Errorf("state of c: %+v", st)
	}
	if w.count("http://c.example/feed") != 0 {
		t.Error("a disabled source was asked")
	}
	families, err := metrics.Gather()
	if err != nil || len(families) < 8 {
		t.Errorf("got %d metrics, %v", len(families), err)
	}
}

// TestBadInput crawls one fault of each kind beside a good page: each ends with a
// reason and a hint, and the rest goes on.
func TestBadInput(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	var zeros bytes.Buffer
	z := gzip.NewWriter(&zeros)
	for range 64 {
		_, _ = z.Write(make([]byte, 1<<20)) // into memory
	}
	_ = z.Close()
	faults := map[string]struct {
		handler http.HandlerFunc
		reason  string
	}{
		"empty": {func(http.ResponseWriter, *http.Request) {}, "the page is empty"},
		"png":   {func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("\x89PNG\r\n\x1a\n\x00\x00")) }, "image/png, not HTML"},
		"pdf-as-htm": {func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/html")
			_, _ = rw.Write([]byte("%PDF-1.7\n"))
		}, "application/pdf, not HTML"},
		"json": {func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			_, _ = rw.Write([]byte(`{"a":1}`))
		}, "application/json, not HTML"},
		"feed": {func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = rw.Write([]byte("<?xml version=\"1.0\"?>" + rss("/1")))
		}, "XML, not HTML"},
		"large": {func(rw http.ResponseWriter, _ *http.Request) {
			for range 11 << 10 {
				if _, err := rw.Write(bytes.Repeat([]byte("x"), 1<<10)); err != nil {
					return
				}
			}
		}, "larger than 10 MiB"},
		"bomb": {func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Encoding", "gzip")
			_, _ = rw.Write(zeros.Bytes())
		}, "more than 100 times"},
		"loop": {func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/loop", http.StatusFound) }, "in a circle"},
		"private": {func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "ftp://a.example/", http.StatusFound)
		}, "not http or https"},
		"gone":      {http.NotFound, "answers 404"},
		"forbidden": {func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(403) }, "answers 403"},
		"front":     {func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/", http.StatusFound) }, "front page"},
		"broken":    {func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) }, "answers 500"},
		"cut": {func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Length", "1000")
			_, _ = rw.Write([]byte("<p>half"))
		}, "EOF"},
		"hang": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "no answer in time"},
	}
	var links []string
	for name, f := range faults {
		// Each on a host of its own: they wait for no one.
		url := "http://" + name + ".example/" + name
		w.handle(url, f.handler)
		links = append(links, url)
	}
	// A host that refuses every connection, robots.txt included, one that hangs,
	// and a redirect to an address that is not public.
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	resolve := []string{"refused.example=" + closed.Addr().String(), "metadata.example=" + w.Listener.Addr().String()}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	type fault = struct {
		handler http.HandlerFunc
		reason  string
	}
	faults["refused"] = fault{nil, "connection refused"}
	links = append(links, "http://refused.example/refused")
	w.handle("http://silent.example/robots.txt", faults["hang"].handler)
	faults["silent"] = fault{nil, "no answer in time"}
	links = append(links, "http://silent.example/silent")
	for name := range faults {
		if name != "refused" {
			resolve = append(resolve, name+".example="+w.Listener.Addr().String())
		}
	}
	w.handle("http://metadata.example/metadata", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
	})
	faults["metadata"] = fault{nil, "169.254.169.254 is not a public address"}
	links = append(links, "http://metadata.example/metadata")
	resolve = append(resolve, "a.example="+w.Listener.Addr().String())
	w.article("http://a.example/good.html", "Good page")
	w.article("http://front.example/", "Front page")
	links = append(links, "http://a.example/good.html")
	w.feed("http://a.example/feed", links...)
	o := options(w, b, demo("a", func(s *source.Source) { s.Feeds = []string{"http://a.example/feed"} }))
	o.Resolve = resolve
	report := crawl(t, o)
	if diff := cmp.Diff(crawler.Report{Sources: 1, Polls: 1, Entries: len(links), New: len(links), Pages: 1, Quarantined: len(faults)}, report); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	list, err := b.ListQuarantine(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]bus.Quarantined)
	for _, q := range list {
		found[q.URL] = q
	}
	for name, f := range faults {
		q, ok := found["http://"+name+".example/"+name]
		if !ok {
			t.Errorf("%s: not in quarantine", name)
			continue
		}
		if !strings.Contains(q.Reason, f.reason) || q.Hint == "" || q.Service != "crawler" {
			t.Errorf("%s: got reason %q with hint %q, want one about %q", name, q.Reason, q.Hint, f.reason)
		}
	}
	if got := state(t, b, "a"); got.Failed != int64(len(faults)) || got.Articles != 1 {
		t.Errorf("got %d failed and %d articles in the state", got.Failed, got.Articles)
	}
	// What is mended can be replayed.
	w.article("http://gone.example/gone", "Back again")
	if _, err := b.ReplayQuarantine(t.Context(), found["http://gone.example/gone"].Seq); err != nil {
		t.Fatal(err)
	}
	if report := crawl(t, options(w, b)); report.Pages != 1 {
		t.Errorf("replay: got %d pages, want 1", report.Pages)
	}
}

func TestBadFeeds(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	w.serveText("http://html.example/feed", "text/html", `<html><head><link rel="alternate" type="application/rss+xml" href="/rss.xml"></head></html>`)
	w.serveText("http://xml.example/feed", "text/xml", `<rss><channel><item><title>x`)
	w.serveText("http://empty.example/feed", "text/xml", "")
	w.feed("http://none.example/feed")
	w.feed("http://good.example/feed", "/1")
	w.article("http://good.example/1", "Good")
	w.serveText("http://list.example/feed", "text/html", "<p>nothing")
	w.handle("http://limited.example/feed", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Retry-After", "3600")
		rw.WriteHeader(429)
	})
	w.serveText("http://denied.example/robots.txt", "text/plain", "User-agent: *\nDisallow: /feed")
	w.feed("http://denied.example/feed", "/1")
	w.handle("http://robots5.example/robots.txt", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(503) })
	w.feed("http://robots5.example/feed", "/1")
	tests := map[string]struct {
		status      news.SourceStatus
		text, hint  string
		mustNotGets string
	}{
		"html":    {news.SourceFailing, "HTML page", "http://html.example/rss.xml", ""},
		"xml":     {news.SourceFailing, "malformed", "mend", ""},
		"empty":   {news.SourceFailing, "empty", "browser", ""},
		"none":    {news.SourceEmpty, "", "no entries", ""},
		"good":    {news.SourceOK, "", "", ""},
		"limited": {news.SourceLimited, "429", "delay", ""},
		"denied":  {news.SourceDenied, "robots.txt", "publisher", "http://denied.example/feed"},
		"robots5": {news.SourceFailing, "503", "RFC 9309", "http://robots5.example/feed"},
		"missing": {news.SourceFailing, "404", "address", ""},
	}
	var sources []*source.Source
	for id := range tests {
		sources = append(sources, demo(id, func(s *source.Source) { s.Feeds = []string{"http://" + id + ".example/feed"} }))
	}
	sources = append(sources, demo("list", func(s *source.Source) { s.ListPages = []source.ListPage{{URL: "http://list.example/feed", Pages: 1}} }))
	if report := crawl(t, options(w, b, sources...)); report.Pages != 1 {
		t.Errorf("got %d pages, want 1", report.Pages)
	}
	for id, tc := range tests {
		st := state(t, b, id)
		if st.Status != tc.status || !strings.Contains(st.LastError, tc.text) || !strings.Contains(st.Hint, tc.hint) {
			t.Errorf("%s: got %s, %q with hint %q, want %s, %q with hint %q", id, st.Status, st.LastError, st.Hint, tc.status, tc.text, tc.hint)
		}
		if tc.mustNotGets != "" && w.count(tc.mustNotGets) > 0 {
			t.Errorf("%s was fetched against robots.txt", tc.mustNotGets)
		}
	}
	if st := state(t, b, "list"); st.Status != news.SourceFailing || !strings.Contains(st.LastError, "no links") {
		t.Errorf("list page: got %s, %q", st.Status, st.LastError)
	}
	if st := state(t, b, "limited"); time.Until(st.NextPoll) < 59*time.Minute {
		t.Errorf("limited: next poll in %v, want the hour the server asked for", time.Until(st.NextPoll))
	}
}

func TestRobotsDenialIsCountedNotQuarantined(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	w.serveText("http://a.example/robots.txt", "text/plain", "User-agent: xinwen\nDisallow: /private/\n")
	w.feed("http://a.example/feed", "/private/1", "/2", "/r")
	w.article("http://a.example/private/1", "Private")
	w.article("http://a.example/2", "Public")
	// A redirect into what is forbidden is forbidden too.
	w.handle("http://a.example/r", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/private/2", http.StatusFound) })
	o := options(w, b, demo("a", func(s *source.Source) { s.Feeds = []string{"http://a.example/feed"} }))
	report := crawl(t, o)
	if diff := cmp.Diff(crawler.Report{Sources: 1, Polls: 1, Entries: 3, New: 3, Pages: 1, Denied: 2}, report); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	for _, r := range w.requests() {
		if strings.HasPrefix(r.path, "/private/") {
			t.Errorf("%s was fetched against robots.txt", r.path)
		}
		if ua := r.header.Get("User-Agent"); !strings.HasPrefix(ua, "Xinwen/") {
			t.Errorf("got User-Agent %q", ua)
		}
	}
	if n := w.count("http://a.example/robots.txt"); n != 1 {
		t.Errorf("robots.txt was fetched %d times, want once", n)
	}
	if st := state(t, b, "a"); st.Denied != 2 || st.Status != news.SourceOK {
		t.Errorf("got %d denied, status %s", st.Denied, st.Status)
	}
	if list, err := b.ListQuarantine(t.Context(), 0); err != nil || len(list) != 0 {
		t.Errorf("got %v in quarantine, %v", list, err)
	}
	// Known now: the next crawl does not ask again.
	if report := crawl(t, o); report.New != 0 || report.Denied != 0 {
		t.Errorf("second crawl: %v", report)
	}
}

func TestPolitenessByServersLog(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	const delay = 40 * time.Millisecond
	w.serveText("http://slow.example/robots.txt", "text/plain", "User-agent: *\nCrawl-delay: 0.1\n")
	var sources []*source.Source
	for _, host := range []string{"a", "b", "slow"} {
		var links []string
		for i := range 6 {
			p := fmt.Sprintf("/%d.html", i)
			links = append(links, p)
			w.article("http://"+host+".example"+p, host+p)
		}
		w.handle("http://"+host+".example/r", func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, "/5.html", http.StatusFound) })
		w.feed("http://"+host+".example/feed", append(links, "/r")...)
		sources = append(sources, demo(host, func(s *source.Source) { s.Feeds, s.Delay = []string{"http://" + host + ".example/feed"}, delay }))
	}
	crawl(t, options(w, b, sources...))
	if n := len(pages(t, b)); n != 18 { // a page and what leads to it may meet; it is kept once
		t.Errorf("got %d pages, want 18", n)
	}
	last := make(map[string]request)
	for _, r := range w.requests() {
		if r.path == "/robots.txt" {
			last[r.host] = r
			continue
		}
		want := delay
		if r.host == "slow.example" {
			want = 100 * time.Millisecond
		}
		if before, ok := last[r.host]; ok {
			// From the server's side an answer ends before it is read.
			if gap := r.start.Sub(before.end); gap < want {
				t.Errorf("%s%s came %v after %s, want at least %v", r.host, r.path, gap, before.path, want)
			}
		}
		last[r.host] = r
	}
}

func TestSecondPollIsConditional(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	version := 1
	w.handle("http://a.example/feed", func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		tag := fmt.Sprintf(`"v%d"`, version)
		rw.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			rw.WriteHeader(http.StatusNotModified)
			return
		}
		links := []string{"/1", "/2"}
		if version > 1 {
			links = append(links, "/3")
		}
		_, _ = rw.Write([]byte(rss(links...)))
	})
	for _, p := range []string{"/1", "/2", "/3"} {
		w.article("http://a.example"+p, "Article "+p)
	}
	o := options(w, b, demo("a", func(s *source.Source) { s.Feeds = []string{"http://a.example/feed"} }))
	if report := crawl(t, o); report.Pages != 2 {
		t.Errorf("first: %v", report)
	}
	report := crawl(t, o)
	if report.Pages != 0 || report.Entries != 0 {
		t.Errorf("second: %v, want nothing", report)
	}
	if st := state(t, b, "a"); !st.Ways[0].NotModified || st.Ways[0].HTTPStatus != 304 || st.Items != 2 || st.Status != news.SourceOK {
		t.Errorf("second: got %+v", st.Ways[0])
	}
	w.mu.Lock()
	version = 2
	w.mu.Unlock()
	if report := crawl(t, o); report.Pages != 1 || report.New != 1 || report.Entries != 3 {
		t.Errorf("third: %v, want one new page", report)
	}
	for _, p := range []string{"/1", "/2", "/3"} {
		if n := w.count("http://a.example" + p); n != 1 {
			t.Errorf("%s was fetched %d times, want once", p, n)
		}
	}
}

func TestLimitedHostIsLeftAlone(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	w.feed("http://a.example/feed", "http://busy.example/1", "http://busy.example/2", "http://busy.example/3")
	w.handle("http://busy.example/1", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Retry-After", time.Now().Add(2*time.Hour).UTC().Format(http.TimeFormat))
		rw.WriteHeader(http.StatusServiceUnavailable)
	})
	for _, p := range []string{"/2", "/3"} {
		w.handle("http://busy.example"+p, w.handlers["busy.example/1"])
	}
	o := options(w, b, demo("a", func(s *source.Source) { s.Feeds = []string{"http://a.example/feed"} }))
	if report := crawl(t, o); report.Later != 3 || report.Quarantined != 0 {
		t.Errorf("got %v, want 3 later", report)
	}
	// Another process keeps the promise: nobody asks the host again.
	if report := crawl(t, options(w, b)); report.Later != 3 || report.Quarantined != 0 {
		t.Errorf("got %v, want 3 later", report)
	}
	n := 0
	for _, r := range w.requests() {
		if r.host == "busy.example" && r.path != "/robots.txt" {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the host was asked %d times, want once", n)
	}
}

func TestRestartLosesNothing(t *testing.T) {
	w, dir := newWeb(t), t.TempDir()
	const n = 60
	var links []string
	for i := range n {
		p := fmt.Sprintf("http://h%d.example/%d.html", i%5, i)
		links = append(links, p)
		w.article(p, fmt.Sprintf("Article %d", i))
	}
	w.feed("http://a.example/feed", links...)
	src := demo("a", func(s *source.Source) { s.Feeds, s.Delay = []string{"http://a.example/feed"}, 2*time.Millisecond })
	// Stop again and again in the middle, each time a few requests later.
	for _, stop := range []int{3, 12, 20, 25} {
		b := openBus(t, dir)
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
		began := make(chan string)
		w.mu.Lock()
		w.began = began
		w.mu.Unlock()
		c, err := crawler.New(options(w, b, src))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(ctx); err != nil {
			t.Fatal(err)
		}
		finished := make(chan error, 1)
		ended := false
		for i := 0; ; i++ {
			if i == stop {
				w.mu.Lock()
				w.began = nil
				w.mu.Unlock()
				go func() { finished <- c.Stop() }()
			}
			select {
			case <-began:
				continue
			case err := <-finished:
				if err != nil {
					t.Fatal(err)
				}
				ended = true
			case <-ctx.Done():
				t.Fatal("not in time")
			}
			if ended {
				break
			}
		}
		cancel()
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
	b := openBus(t, dir)
	crawl(t, options(w, b, src))
	slices.Sort(links)
	if diff := cmp.Diff(links, slices.Compact(urls(pages(t, b)))); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	if got := len(pages(t, b)); got != n {
		t.Errorf("got %d pages in the stream, want %d: each once", got, n)
	}
	before := len(w.requests())
	crawl(t, options(w, b, src))
	for _, r := range w.requests()[before:] {
		if strings.HasSuffix(r.path, ".html") {
			t.Errorf("%s was fetched again", r.path)
		}
	}
}

func TestPageTellsTextFromBinaryByItsEncoding(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	w.feed("http://a.example/feed", "/utf16")
	w.handle("http://a.example/utf16", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-16le")
		for _, u := range utf16.Encode([]rune("<!doctype html><title>先进封装</title><p>台积电扩产。")) {
			_, _ = rw.Write([]byte{byte(u), byte(u >> 8)})
		}
	})
	crawl(t, options(w, b, demo("a", func(s *source.Source) { s.Feeds = []string{"http://a.example/feed"} })))
	if diff := cmp.Diff([]string{"http://a.example/utf16"}, urls(pages(t, b))); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}
