package crawler_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"xinwen/crawler/source"
)

// TestCookieWallLetsThoseWithCookiesIn asks a site that redirects to itself until
// its cookie comes back.
func TestCookieWallLetsThoseWithCookiesIn(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	w.feed("http://a.example/feed", "/1")
	w.handle("http://a.example/1", func(rw http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("seen"); err != nil || c.Value != "yes" {
			http.SetCookie(rw, &http.Cookie{Name: "seen", Value: "yes", Path: "/"})
			http.Redirect(rw, r, "/1", http.StatusFound)
			return
		}
		_, _ = rw.Write([]byte("<p>Behind the wall.")) // a client that is gone fails the test
	})
	src := demo("a", func(s *source.Source) { s.Feeds, s.Cookies = []string{"http://a.example/feed"}, true })
	if r := crawl(t, options(w, b, src)); r.Pages != 1 {
		t.Errorf("got %v, want the page", r)
	}
}

func TestSourceGoesThroughItsProxy(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	w.feed("http://a.example/feed", "/1")
	w.article("http://a.example/1", "One")
	var through atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		through.Add(1)
		w.serve(rw, r)
	}))
	t.Cleanup(proxy.Close)
	src := demo("a", func(s *source.Source) { s.Feeds, s.Proxy = []string{"http://a.example/feed"}, proxy.URL })
	o := options(w, b, src)
	o.Resolve = nil
	if r := crawl(t, o); r.Pages != 1 || through.Load() != 3 {
		t.Errorf("got %v and %d requests through the proxy, want a page and 3", r, through.Load())
	}
}

func TestWhatIsFetchedIsArchived(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	w.feed("http://a.example/feed", "/1")
	w.article("http://a.example/1", "One")
	o := options(w, b, demo("a", func(s *source.Source) { s.Feeds = []string{"http://a.example/feed"} }))
	o.WARC.Dir = t.TempDir()
	crawl(t, o)
	files, err := filepath.Glob(filepath.Join(o.WARC.Dir, "*.warc.gz"))
	if err != nil || len(files) != 1 {
		t.Fatalf("got %v, %v", files, err)
	}
	f, err := os.Open(files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil || strings.Count(string(text), "WARC-Type: response") != 2 {
		t.Errorf("got %v and %d records, want feed and page", err, strings.Count(string(text), "WARC-Type: response"))
	}
}
