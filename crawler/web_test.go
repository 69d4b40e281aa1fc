package crawler_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// web is a small web on loopback; it logs every request.
type web struct {
	*httptest.Server
	mu       sync.Mutex
	handlers map[string]http.HandlerFunc // "host/path"
	any      http.HandlerFunc            // what answers for all else but robots.txt; nil: not found
	log      []request
	began    chan string // if not nil, told of every request
}

type request struct {
	host, path string
	start, end time.Time
	header     http.Header
}

func newWeb(t *testing.T) *web {
	t.Helper()
	w := &web{handlers: make(map[string]http.HandlerFunc)}
	w.start(t)
	return w
}

func (w *web) start(t testing.TB) {
	w.Server = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.Close)
}

func (w *web) serve(rw http.ResponseWriter, r *http.Request) {
	start := time.Now()
	w.mu.Lock()
	h := w.handlers[r.Host+r.URL.Path]
	began := w.began
	w.mu.Unlock()
	if began != nil {
		began <- r.URL.Path
	}
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.log = append(w.log, request{r.Host, r.URL.Path, start, time.Now(), r.Header.Clone()})
	}()
	if h == nil && w.any != nil && r.URL.Path != "/robots.txt" {
		h = w.any
	}
	if h == nil {
		http.NotFound(rw, r)
		return
	}
	h(rw, r)
}

func (w *web) handle(url string, h http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handlers[strings.TrimPrefix(url, "http://")] = h
}

func (w *web) serveText(url, contentType, body string) {
	w.handle(url, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", contentType)
		_, _ = rw.Write([]byte(body)) // a client that is gone is part of the test
	})
}

// article serves a page with a title.
func (w *web) article(url, title string) {
	w.serveText(url, "text/html; charset=utf-8", "<!doctype html><title>"+title+"</title><p>"+strings.Repeat(title, 10))
}

// feed serves an RSS feed of addresses.
func (w *web) feed(url string, links ...string) {
	w.serveText(url, "application/rss+xml", rss(links...))
}

func rss(links ...string) string {
	var b strings.Builder
	b.WriteString(`<rss version="2.0"><channel><title>Demo</title>`)
	for i, l := range links {
		fmt.Fprintf(&b, `<item><title>Entry %d</title><link>%s</link><pubDate>%s</pubDate></item>`, i, l, time.Now().Add(-time.Hour).Format(time.RFC1123Z))
	}
	return b.String() + `</channel></rss>`
}

// count returns how often an address was asked for.
func (w *web) count(url string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, r := range w.log {
		if "http://"+r.host+r.path == url {
			n++
		}
	}
	return n
}

func (w *web) requests() []request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.log)
}
