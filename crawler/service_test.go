package crawler_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/crawler"
	"xinwen/crawler/frontier"
	"xinwen/crawler/source"
	"xinwen/news"
	"xinwen/news/bus"
)

// eventually waits until ok holds; the end of ctx fails the test.
func eventually(ctx context.Context, t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s: not in time", what)
		}
	}
}

func TestServiceFollowsFileOfSources(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	file := filepath.Join(t.TempDir(), "sources.yaml")
	write := func(ids ...string) {
		t.Helper()
		text := "sources:\n"
		for _, id := range ids {
			text += "  - id: " + id + "\n    feeds: [http://" + id + ".example/feed]\n    interval: 1h\n    delay: 0\n"
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range []string{"a", "b"} {
		w.feed("http://"+id+".example/feed", "/1")
		w.article("http://"+id+".example/1", "Article of "+id)
	}
	write("a")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, err := crawler.New(crawler.Options{
		Config: crawler.Config{Sources: file, Resolve: []string{"*=" + w.Listener.Addr().String()}}, Bus: b,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(ctx); err == nil {
		t.Error("a second Start was accepted")
	}
	eventually(ctx, t, "page of a", func() bool { return c.Report().Pages == 1 })
	write("b")
	eventually(ctx, t, "page of b", func() bool { return c.Report().Pages == 2 })
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if n := w.count("http://a.example/feed"); n != 1 {
		t.Errorf("feed of a was polled %d times, want once", n)
	}
	if _, err := b.KV(bus.KVSources).Get(t.Context(), bus.Key("a")); err == nil {
		t.Error("the state of a source that is gone is still there")
	}
	st := state(t, b, "b")
	if st.Status != news.SourceOK || time.Until(st.NextPoll) < 30*time.Minute {
		t.Errorf("got status %s, next poll in %v", st.Status, time.Until(st.NextPoll))
	}
	// A new start keeps to the next poll that was promised.
	if c, err = crawler.New(crawler.Options{Config: crawler.Config{Sources: file, Resolve: []string{"*=" + w.Listener.Addr().String()}}, Bus: b}); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	w.article("http://b.example/2", "Second")
	if _, err := frontier.New(b).Add(ctx, frontier.Entry{URL: "http://b.example/2", Source: "b"}); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "page from elsewhere", func() bool { return c.Report().Pages == 1 })
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if n := w.count("http://b.example/feed"); n != 1 {
		t.Errorf("feed of b was polled %d times, want once", n)
	}
}

func TestPageThatGoesLeavesTombstone(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	w.feed("http://a.example/feed", "/1")
	w.article("http://a.example/1", "Short-lived")
	src := demo("a", func(s *source.Source) { s.Feeds = []string{"http://a.example/feed"} })
	crawl(t, options(w, b, src))
	w.handle("http://a.example/1", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusGone) })
	if _, err := frontier.New(b).Add(t.Context(), frontier.Entry{URL: "http://a.example/1", Source: "a", Revisit: true}); err != nil {
		t.Fatal(err)
	}
	if report := crawl(t, options(w, b, src)); report.Quarantined != 0 {
		t.Errorf("got %v", report)
	}
	all := pages(t, b)
	if len(all) != 2 || all[1].Status != http.StatusGone || all[1].ID != all[0].ID || len(all[1].Body) != 0 {
		t.Errorf("got %d pages, the last %+v, want a tombstone", len(all), all[len(all)-1])
	}
}

func TestListPageFollowsNextWhileThereIsNews(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	for i, p := range []string{"1", "2", "3", "4"} {
		body := `<a href="/a/` + p + `.html">第` + p + `篇</a>`
		if i < 3 {
			body += ` <a href="/list` + string(rune('2'+i)) + `">下一页</a>`
		}
		w.serveText("http://a.example/list"+p, "text/html", body)
		w.article("http://a.example/a/"+p+".html", "Article "+p)
	}
	set, err := source.Parse("s.yaml", []byte("sources:\n  - id: a\n    delay: 0\n    list_pages:\n      - url: http://a.example/list1\n        links: /a/\\d+\\.html$\n        pages: 3\n"))
	if err != nil {
		t.Fatal(err)
	}
	o := options(w, b, set.All()...)
	if report := crawl(t, o); report.Pages != 3 {
		t.Errorf("got %v, want 3 pages", report)
	}
	w.serveText("http://a.example/list1", "text/html", `<a href="/a/1.html">第1篇</a> changed <a href="/list2">下一页</a>`)
	if report := crawl(t, o); report.Pages != 0 {
		t.Errorf("got %v, want nothing new", report)
	}
	if n := w.count("http://a.example/list2"); n != 1 {
		t.Errorf("second page was fetched %d times, want once: there was nothing new before it", n)
	}
}

func TestServerThatFailsForNowIsTriedAgain(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	w.feed("http://a.example/feed", "/1")
	tries := 0
	w.handle("http://a.example/1", func(rw http.ResponseWriter, _ *http.Request) {
		if tries++; tries < 3 {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = rw.Write([]byte("<p>Now it works."))
	})
	report := crawl(t, options(w, b, demo("a", func(s *source.Source) { s.Feeds = []string{"http://a.example/feed"} })))
	if report.Pages != 1 || report.Quarantined != 0 || tries != 3 {
		t.Errorf("got %v after %d tries", report, tries)
	}
}

func TestShortRetryAfterIsHonouredAsSaid(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	w.feed("http://a.example/feed", "/1")
	tries := 0
	w.handle("http://a.example/1", func(rw http.ResponseWriter, _ *http.Request) {
		if tries++; tries == 1 {
			rw.Header().Set("Retry-After", "1")
			rw.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = rw.Write([]byte("<p>Now it works."))
	})
	report := crawl(t, options(w, b, demo("a", func(s *source.Source) { s.Feeds = []string{"http://a.example/feed"} })))
	if report.Pages != 1 || report.Quarantined != 0 || tries != 2 {
		t.Errorf("got %v after %d tries", report, tries)
	}
	var times []time.Time
	for _, r := range w.requests() {
		if r.path == "/1" {
			times = append(times, r.start)
		}
	}
	if gap := times[1].Sub(times[0]); gap < time.Second || gap > 20*time.Second {
		t.Errorf("tried again after %v, want the second that was asked for", gap)
	}
}

func TestMovedFeedIsRemembered(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	w.handle("http://a.example/rss", func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, "/feed_v2/", http.StatusMovedPermanently)
	})
	w.feed("http://a.example/feed_v2/", "/1")
	w.article("http://a.example/1", "Article")
	o := options(w, b, demo("a", func(s *source.Source) { s.Feeds = []string{"http://a.example/rss"} }))
	crawl(t, o)
	crawl(t, o)
	if n, m := w.count("http://a.example/rss"), w.count("http://a.example/feed_v2/"); n != 1 || m != 2 {
		t.Errorf("old address asked %d times, new one %d times, want 1 and 2", n, m)
	}
	if st := state(t, b, "a"); st.Ways[0].MovedTo != "http://a.example/feed_v2/" {
		t.Errorf("got %+v", st.Ways[0])
	}
	// The new address goes again: the old one may know better.
	w.handle("http://a.example/feed_v2/", http.NotFound)
	w.feed("http://a.example/rss", "/1")
	crawl(t, o)
	if st := state(t, b, "a"); st.Status != news.SourceOK || st.Ways[0].MovedTo != "" {
		t.Errorf("got %s, %+v", st.Status, st.Ways[0])
	}
}

func TestOptionsAreChecked(t *testing.T) {
	b := openBus(t, t.TempDir())
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("source:\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		options crawler.Options
		want    string
	}{
		"no-bus":         {crawler.Options{}, "no bus"},
		"negative":       {crawler.Options{Bus: b, Config: crawler.Config{Concurrency: -1, Timeout: -1}}, "concurrency is negative"},
		"too-large":      {crawler.Options{Bus: b, Config: crawler.Config{MaxBodyBytes: 1 << 30}}, "max_body_bytes"},
		"resolve":        {crawler.Options{Bus: b, Config: crawler.Config{Resolve: []string{"x"}}}, "HOST:PORT=ADDRESS"},
		"no-file":        {crawler.Options{Bus: b, Config: crawler.Config{Sources: bad + "x"}}, "check the path"},
		"file-of-faults": {crawler.Options{Bus: b, Config: crawler.Config{Sources: bad}}, `bad.yaml:1: unknown key "source"`},
	}
	for name, tc := range tests {
		if err := crawler.Run(t.Context(), tc.options); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: got %v, want one about %q", name, err, tc.want)
		}
	}
	if report := crawl(t, crawler.Options{Config: crawler.Config{Once: true, Sources: crawler.NoSources}, Bus: b}); report != (crawler.Report{}) {
		t.Errorf("no sources: %s", cmp.Diff(crawler.Report{}, report))
	}
}

// retryLog tells of lines about something that is tried again.
type retryLog chan struct{}

func (l retryLog) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte("will retry")) {
		select {
		case l <- struct{}{}:
		default:
		}
	}
	return len(line), nil
}

// TestServerAwayAtTheStart starts a crawler while its NATS server is away: it
// waits for it as it does later.
func TestServerAwayAtTheStart(t *testing.T) {
	w := newWeb(t)
	w.feed("http://a.example/feed", "/1")
	w.article("http://a.example/1", "Article of a")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := bus.Options{Config: bus.Config{Dir: t.TempDir(), MinFreeBytes: -1, Listen: l.Addr().String()}}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	serve := func() *bus.Bus {
		t.Helper()
		s, err := bus.Open(ctx, server)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := serve()
	retries := make(retryLog, 1)
	b, err := bus.Open(ctx, bus.Options{Config: bus.Config{URL: "nats://" + server.Config.Listen}, Logger: slog.New(slog.NewTextHandler(retries, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "connection lost", func() bool { return !b.Conn().IsConnected() })
	o := options(w, b, demo("a", func(s *source.Source) { s.Feeds = []string{"http://a.example/feed"} }))
	o.Once = false
	c, err := crawler.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
	select {
	case <-retries:
	case <-ctx.Done():
		t.Fatal("nothing was tried again")
	}
	s = serve()
	t.Cleanup(func() { _ = s.Close() })
	eventually(ctx, t, "page of a", func() bool { return c.Report().Pages == 1 })
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
}
