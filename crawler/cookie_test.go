package crawler_test

import (
	"net/http"
	"net/http/httptest"
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
