package crawler_test

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"xinwen/crawler"
	"xinwen/crawler/source"
	"xinwen/news/bus"
)

// impolite returns what is wrong with the requests to each host: two at a time, or
// one too soon after the answer to the last.
func impolite(log []request, delay time.Duration) []string {
	hosts := make(map[string][]request)
	for _, r := range log {
		hosts[r.host] = append(hosts[r.host], r)
	}
	var faults []string
	for host, rs := range hosts {
		slices.SortFunc(rs, func(a, b request) int { return a.start.Compare(b.start) })
		for i := 1; i < len(rs); i++ {
			// The answer's end is noted here before the crawler sees it.
			if gap := rs[i].start.Sub(rs[i-1].end); gap < delay {
				faults = append(faults, fmt.Sprintf("%s: %s %v after %s", host, rs[i].path, gap, rs[i-1].path))
			}
		}
	}
	slices.SortFunc(faults, cmp.Compare)
	return faults
}

// TestTwoCrawlersShareHostsAndSucceedEachOther runs two crawlers on one bus over
// sites that link to each other. One loses its connection for good in the midst of
// the work, without knowing it at once; the other one takes over. No host may ever
// see two requests at a time, or one too soon.
func TestTwoCrawlersShareHostsAndSucceedEachOther(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute until the messages of a dead crawler come again")
	}
	w := newWeb(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: t.TempDir(), MinFreeBytes: -1, Listen: address}, Name: "one"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() }) // nothing depends on it any more
	other, err := b.Connect("two")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() }) // its connection is closed
	const (
		hosts = 30
		per   = 40
		delay = 30 * time.Millisecond
	)
	var sources []*source.Source
	for h := range hosts {
		host := fmt.Sprintf("http://h%d.example", h)
		var links []string
		for i := range per {
			p := fmt.Sprintf("%s/%d.html", host, i)
			if i%10 == 9 { // through a host that the other crawler may own
				links = append(links, fmt.Sprintf("%s/to-%d", host, i))
				target := fmt.Sprintf("http://h%d.example/from-%d-%d.html", (h+7)%hosts, h, i)
				w.handle(fmt.Sprintf("%s/to-%d", host, i), func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, target, http.StatusFound) })
				w.article(target, fmt.Sprintf("Moved article %d of %d", i, h))
				continue
			}
			links = append(links, p)
			w.article(p, fmt.Sprintf("Article %d of %d", i, h))
		}
		w.feed(host+"/feed", links...)
		sources = append(sources, demo(fmt.Sprintf("h%d", h), func(s *source.Source) {
			s.Home, s.Feeds, s.Delay = host+"/", []string{host + "/feed"}, delay
		}))
	}
	o := options(w, b, sources...)
	o.Once = false
	o.SetLeaseTTL(2 * time.Second)
	p := o
	p.Bus = other
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Second)
	defer cancel()
	start := func(o crawler.Options) *crawler.Crawler {
		c, err := crawler.New(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(ctx); err != nil {
			t.Fatal(err)
		}
		return c
	}
	one, two := start(o), start(p)
	eventually(ctx, t, "work of both", func() bool { return one.Report().Pages > 50 && two.Report().Pages > 50 })
	other.Conn().Close()
	all := func() int {
		seen := make(map[string]bool)
		for _, p := range pages(t, b) {
			seen[p.URL] = true
		}
		return len(seen)
	}
	eventually(ctx, t, "heir's work", func() bool { return one.Report().Pages+two.Report().Pages >= hosts*per })
	eventually(ctx, t, "every page", func() bool { return all() == hosts*per })
	cancel()
	if err := one.Stop(); err != nil {
		t.Error(err)
	}
	_ = two.Stop() // its connection is closed: that is an error
	faults := impolite(w.requests(), delay)
	for _, f := range faults[:min(len(faults), 5)] {
		t.Error(f)
	}
	t.Logf("%d requests, %d impolite; pages by the two: %d and %d", len(w.requests()), len(faults), one.Report().Pages, two.Report().Pages)
}
