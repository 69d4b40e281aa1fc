package crawler_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"xinwen/crawler"
	"xinwen/crawler/source"
	"xinwen/news/bus"
)

func benchBus(b *testing.B) *bus.Bus {
	b.Helper()
	o, err := bus.Open(b.Context(), bus.Options{Config: bus.Config{Dir: b.TempDir(), MinFreeBytes: -1}, Name: "bench"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = o.Close() }) // nothing depends on it any more
	return o
}

// BenchmarkCrawl fetches pages of 67 KB from 50 hosts without delay, from the
// frontier to PAGES, each written durably; the web runs in the same process.
func BenchmarkCrawl(b *testing.B) {
	w := &web{handlers: make(map[string]http.HandlerFunc)}
	w.start(b)
	body := "<!doctype html><title>Demo</title>"
	for i := 0; len(body) < 67<<10; i++ {
		body += fmt.Sprintf("<p>第%d段：先进封装产能持续紧张，晶圆厂上调资本支出。<a href=\"/%d.html\">相关报道</a></p>\n", i*7919%10007, i)
	}
	const hosts = 50
	var sources []*source.Source
	per := max(b.N/hosts, 1)
	for h := range hosts {
		var links []string
		for i := range per {
			p := fmt.Sprintf("http://h%d.example/%d.html", h, i)
			links = append(links, p)
			w.serveText(p, "text/html; charset=utf-8", body+"<p>"+strings.Repeat(fmt.Sprint("h", h), 9)+p)
		}
		w.feed(fmt.Sprintf("http://h%d.example/feed", h), links...)
		sources = append(sources, demo(fmt.Sprintf("h%d", h), func(s *source.Source) { s.Feeds = []string{fmt.Sprintf("http://h%d.example/feed", h)} }))
	}
	o := options(w, benchBus(b), sources...)
	o.HeaderTimeout, o.Timeout = 0, 0
	c, err := crawler.New(o)
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	began := time.Now()
	if err := c.Run(b.Context()); err != nil {
		b.Fatal(err)
	}
	if r := c.Report(); r.Pages != hosts*per {
		b.Fatalf("got %v, want %d pages", r, hosts*per)
	}
	b.ReportMetric(float64(hosts*per)/time.Since(began).Seconds(), "pages/s")
}

// BenchmarkPollNotModified polls feeds that have not changed, with their state
// read and written durably.
func BenchmarkPollNotModified(b *testing.B) {
	w := &web{handlers: make(map[string]http.HandlerFunc)}
	w.start(b)
	const feeds = 100
	var sources []*source.Source
	for i := range feeds {
		host := fmt.Sprintf("h%d", i)
		w.handle("http://"+host+".example/feed", func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("ETag", `"a"`)
			if r.Header.Get("If-None-Match") != "" {
				rw.WriteHeader(http.StatusNotModified)
				return
			}
			_, _ = rw.Write([]byte(rss("/1"))) // a client that is gone fails the benchmark
		})
		w.article("http://"+host+".example/1", strings.Repeat("x", 100))
		sources = append(sources, demo(host, func(s *source.Source) {
			s.Feeds, s.Interval = []string{"http://" + host + ".example/feed"}, time.Millisecond
		}))
	}
	o := options(w, benchBus(b), sources...)
	o.Once, o.MinInterval = false, time.Millisecond
	c, err := crawler.New(o)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	if err := c.Start(ctx); err != nil {
		b.Fatal(err)
	}
	for c.Report().Pages < feeds {
		<-time.After(time.Millisecond)
	}
	start := c.Report().Polls
	b.ResetTimer()
	began := time.Now()
	for c.Report().Polls < start+b.N {
		<-time.After(100 * time.Microsecond)
	}
	b.ReportMetric(float64(c.Report().Polls-start)/time.Since(began).Seconds(), "polls/s")
	b.StopTimer()
	if err := c.Stop(); err != nil {
		b.Fatal(err)
	}
}
