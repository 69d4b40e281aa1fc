package simweb

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
)

// Where a misbehaviour shows: at a page, at a feed, or at robots.txt.
const (
	AtPage   = "page"
	AtFeed   = "feed"
	AtRobots = "robots"
)

// Fault is a way for a site to misbehave.
type Fault struct {
	Name string
	// At is AtPage, AtFeed or AtRobots.
	At string
	// Recovers says that the page is served after some requests, so a patient
	// crawler gets it.
	Recovers bool
	serve    func(w http.ResponseWriter, r *http.Request, n int, quit <-chan struct{})
}

// Faults returns all of them in order of name.
func Faults() []Fault {
	all := slices.Clone(faults)
	slices.SortFunc(all, func(a, b Fault) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// FaultHost returns the host that misbehaves in the named way. Its page is at
// /page.html, its feed at /feed.xml; what the fault does not concern is fine.
func FaultHost(name string) string { return name + "-fault.example" }

const (
	faultPagePath = "/page.html"
	faultFeedPath = "/feed.xml"

	bombBytes     = 256 << 20
	bigBytes      = 10 << 20
	hugeRobots    = 600 << 10
	unavailableIn = 2 // requests that get 429 or 503 before the page is there
)

var faults = slices.Concat(rawFaults, []Fault{
	{Name: "hang", At: AtPage, serve: hang},
	{Name: "drip", At: AtPage, serve: drip},
	{Name: "infinite", At: AtPage, serve: infinite},
	{Name: "bomb-gzip", At: AtPage, serve: bomb("gzip")},
	{Name: "bomb-br", At: AtPage, serve: bomb("br")},
	{Name: "bomb-zstd", At: AtPage, serve: bomb("zstd")},
	{Name: "loop", At: AtPage, serve: loop},
	{Name: "private", At: AtPage, serve: private},
	{Name: "empty", At: AtPage, serve: text("text/html", "")},
	{Name: "binary", At: AtPage, serve: binary},
	{Name: "big", At: AtPage, serve: big},
	{Name: "cut", At: AtPage, serve: cut},
	{Name: "length", At: AtPage, serve: length},
	{Name: "etag", At: AtPage, Recovers: true, serve: lyingETag},
	{Name: "status-429", At: AtPage, Recovers: true, serve: unavailable(http.StatusTooManyRequests)},
	{Name: "status-503", At: AtPage, Recovers: true, serve: unavailable(http.StatusServiceUnavailable)},
	{Name: "status-500", At: AtPage, serve: status(http.StatusInternalServerError)},
	{Name: "status-404", At: AtPage, serve: status(http.StatusNotFound)},
	{Name: "feed-html", At: AtFeed, serve: text("application/rss+xml", faultPage("feed-html"))},
	{Name: "feed-malformed", At: AtFeed, serve: text("application/rss+xml", `<?xml version="1.0"?><rss version="2.0"><channel><title>A & B</title><item><title>cut`)},
	{Name: "feed-empty", At: AtFeed, serve: text("application/rss+xml", "")},
	{Name: "feed-hang", At: AtFeed, serve: hang},
	{Name: "feed-bomb", At: AtFeed, serve: bomb("gzip")},
	{Name: "robots-503", At: AtRobots, serve: status(http.StatusServiceUnavailable)},
	{Name: "robots-403", At: AtRobots, Recovers: true, serve: status(http.StatusForbidden)},
	{Name: "robots-hang", At: AtRobots, serve: hang},
	{Name: "robots-redirect", At: AtRobots, Recovers: true, serve: redirectedRobots},
	{Name: "robots-bom", At: AtRobots, serve: text("text/plain", "\ufeffUser-agent: *\nDisallow: /page.html\n")},
	{Name: "robots-huge", At: AtRobots, Recovers: true, serve: text("text/plain", "User-agent: *\nAllow: /\n"+strings.Repeat("# filler\n", hugeRobots/9))},
	{Name: "robots-deny", At: AtRobots, serve: text("text/plain", "User-agent: *\nDisallow: /page.html\n")},
})

// plannedFault is a misbehaviour that Break has set on one address.
type plannedFault struct {
	name string
	mu   sync.Mutex
	left int
}

// take reports whether the next answer misbehaves.
func (p *plannedFault) take() bool {
	if p == nil {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left == 0 {
		return false
	}
	p.left--
	return true
}

// Break makes the next times requests for url misbehave in the named way.
func (w *Web) Break(url, name string, times int) error {
	if !slices.ContainsFunc(faults, func(f Fault) bool { return f.Name == name }) {
		return fmt.Errorf("simweb: no fault %q", name)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults[strings.TrimPrefix(url, "http://")] = &plannedFault{name: name, left: times}
	return nil
}

// faultSites makes one site per fault.
func faultSites() []*site {
	var all []*site
	for _, f := range Faults() {
		s := &site{
			siteConfig: siteConfig{
				ID: "fault-" + f.Name, Host: FaultHost(f.Name), Name: "Fault " + f.Name, Lang: "en", Follow: "feed",
				Feeds: []feedConfig{{Path: faultFeedPath}},
			},
			zone: time.UTC,
		}
		url := "http://" + s.Host + faultPagePath
		s.resources = map[string]*resource{
			faultPagePath: {kind: "fault", contentType: "text/html; charset=utf-8", body: []byte(faultPage(f.Name)), validators: validateETag},
			faultFeedPath: {kind: "feed", contentType: "application/rss+xml", body: []byte(faultFeed(f.Name, url)), validators: validateETag},
			robotsPath:    s.robots(),
			"/robots2.txt": {
				kind: "robots", contentType: "text/plain", body: []byte("User-agent: *\nAllow: /\n"),
			},
		}
		switch f.At {
		case AtPage:
			s.resources[faultPagePath].fault = f.Name
			for i := range 20 { // the redirect loop's own pages
				s.resources[fmt.Sprintf("%s?hop=%d", faultPagePath, i)] = s.resources[faultPagePath]
			}
		case AtFeed:
			s.resources[faultFeedPath].fault = f.Name
		case AtRobots:
			s.resources[robotsPath].fault = f.Name
			if f.Name == "robots-deny" || f.Name == "robots-bom" || f.Name == "robots-503" {
				s.Robots.Disallow = []string{faultPagePath} // for the log's verdict
			}
		}
		all = append(all, s)
	}
	return all
}

func faultPage(name string) string {
	return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Wafer output after fault ` + name + `</title></head>
<body><header><a href="/">Home</a></header>
<article><h1>Wafer output after fault ` + name + `</h1>
<p class="byline">By Demo Desk, <time datetime="2026-01-15T08:00:00Z">January 15, 2026</time></p>
<p>The fab in this invented report resumed production after the fault called ` + name + ` was cleared, and the line reached its planned output within two shifts, according to the operator of the demo site.</p>
<p>Engineers compared the wafers made before and after the interruption and found no difference in yield. The company said that customers had been told of the delay in advance and that shipments would follow in the usual order.</p>
<p>Analysts of the invented research desk expect the incident to have no effect on revenue. They point out that the equipment had been due for maintenance anyway, and that stocks at distributors cover several weeks of demand.</p>
</article><footer>Demo article, fictional content.</footer></body></html>
`
}

func faultFeed(name, url string) string {
	return `<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>Fault ` + name + `</title><link>` + url + `</link><description>A site that misbehaves</description>
<item><title>Wafer output after fault ` + name + `</title><link>` + url + `</link><guid>` + url + `</guid><pubDate>Thu, 15 Jan 2026 08:00:00 GMT</pubDate></item>
</channel></rss>
`
}

// serveFault answers in the named way; n counts the earlier requests to the
// same address.
func (w *Web) serveFault(rw http.ResponseWriter, r *http.Request, name string) {
	key := r.Host + r.URL.Path
	w.mu.Lock()
	n := w.asked[key]
	w.asked[key]++
	w.mu.Unlock()
	for _, f := range faults {
		if f.Name == name {
			f.serve(rw, r, n, w.quit)
			return
		}
	}
}

// wait blocks until the client leaves, the web closes, or d has passed; it
// reports whether d has passed.
func wait(r *http.Request, quit <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-r.Context().Done():
		return false
	case <-quit:
		return false
	case <-t.C:
		return true
	}
}

// hangTime bounds every endless answer.
const hangTime = 10 * time.Minute

func hang(w http.ResponseWriter, r *http.Request, _ int, quit <-chan struct{}) {
	wait(r, quit, hangTime)
	panic(http.ErrAbortHandler) // no header, just a closed connection
}

func drip(w http.ResponseWriter, r *http.Request, _ int, quit <-chan struct{}) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(1<<20))
	c := http.NewResponseController(w)
	for range int(hangTime / time.Second) {
		if _, err := io.WriteString(w, "x"); err != nil {
			return
		}
		if c.Flush() != nil || !wait(r, quit, time.Second) {
			return
		}
	}
}

func infinite(w http.ResponseWriter, r *http.Request, _ int, quit <-chan struct{}) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<html><body>") // the loop notices a client that left
	line := []byte("<p>" + strings.Repeat("wafer ", 5000) + "</p>\n")
	for range 1 << 16 { // 2 GB: endless for any client with a limit
		select {
		case <-quit:
			return
		default:
		}
		if _, err := w.Write(line); err != nil {
			return
		}
	}
}

// bombs are made once, when first asked for.
var bombs = map[string]func() []byte{
	"gzip": sync.OnceValue(func() []byte {
		return inflate(func(b io.Writer) io.WriteCloser { return gzip.NewWriter(b) })
	}),
	"br": sync.OnceValue(func() []byte {
		return inflate(func(b io.Writer) io.WriteCloser { return brotli.NewWriterLevel(b, 1) })
	}),
	"zstd": sync.OnceValue(func() []byte {
		return inflate(func(b io.Writer) io.WriteCloser {
			z, err := zstd.NewWriter(b, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
			if err != nil {
				panic(err) // the options above are valid
			}
			return z
		})
	}),
}

func inflate(open func(io.Writer) io.WriteCloser) []byte {
	var b bytes.Buffer
	z := open(&b)
	chunk := make([]byte, 1<<20)
	for i := range chunk {
		chunk[i] = ' '
	}
	for range bombBytes >> 20 {
		_, _ = z.Write(chunk) // a bytes.Buffer takes everything
	}
	_ = z.Close()
	return b.Bytes()
}

func bomb(encoding string) func(http.ResponseWriter, *http.Request, int, <-chan struct{}) {
	return func(w http.ResponseWriter, _ *http.Request, _ int, _ <-chan struct{}) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Encoding", encoding)
		_, _ = w.Write(bombs[encoding]()) // a client that left is its own affair
	}
}

func loop(w http.ResponseWriter, r *http.Request, n int, _ <-chan struct{}) {
	http.Redirect(w, r, fmt.Sprintf("%s?hop=%d", faultPagePath, (n+1)%20), http.StatusFound)
}

func private(w http.ResponseWriter, r *http.Request, _ int, _ <-chan struct{}) {
	http.Redirect(w, r, "http://169.254.169.254/latest/meta-data/", http.StatusFound)
}

func text(media, body string) func(http.ResponseWriter, *http.Request, int, <-chan struct{}) {
	return func(w http.ResponseWriter, _ *http.Request, _ int, _ <-chan struct{}) {
		w.Header().Set("Content-Type", media)
		_, _ = io.WriteString(w, body) // a client that left is its own affair
	}
}

func binary(w http.ResponseWriter, _ *http.Request, _ int, _ <-chan struct{}) {
	w.Header().Set("Content-Type", "text/html")
	b := []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR")
	for i := range 1 << 16 {
		b = append(b, byte(i*i>>3), byte(i), 0)
	}
	_, _ = w.Write(b) // a client that left is its own affair
}

func big(w http.ResponseWriter, _ *http.Request, _ int, _ <-chan struct{}) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, "<html><head><title>A very big page</title></head><body>")
	line := "<p>" + strings.Repeat("The line of this big page goes on. ", 100) + "</p>\n"
	for n := 0; n < bigBytes; n += len(line) {
		if _, err := io.WriteString(w, line); err != nil {
			return
		}
	}
	_, _ = io.WriteString(w, "</body></html>")
}

// cut breaks the connection in the middle of a chunked body.
func cut(w http.ResponseWriter, _ *http.Request, _ int, _ <-chan struct{}) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	page := faultPage("cut")
	_, _ = io.WriteString(w, page[:len(page)/2])
	_ = http.NewResponseController(w).Flush() // the abort below ends it either way
	panic(http.ErrAbortHandler)
}

// length promises more bytes than it sends.
func length(w http.ResponseWriter, _ *http.Request, _ int, _ <-chan struct{}) {
	page := faultPage("length")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(page)+5000))
	_, _ = io.WriteString(w, page) // net/http closes the connection
}

// lyingETag sends the same ETag with another body at each request.
func lyingETag(w http.ResponseWriter, _ *http.Request, n int, _ <-chan struct{}) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("ETag", `"always-the-same"`)
	_, _ = io.WriteString(w, strings.Replace(faultPage("etag"), "two shifts", strconv.Itoa(n+2)+" shifts", 1))
}

func status(code int) func(http.ResponseWriter, *http.Request, int, <-chan struct{}) {
	return func(w http.ResponseWriter, _ *http.Request, _ int, _ <-chan struct{}) {
		http.Error(w, http.StatusText(code), code)
	}
}

// unavailable refuses the first requests and then serves the page.
func unavailable(code int) func(http.ResponseWriter, *http.Request, int, <-chan struct{}) {
	return func(w http.ResponseWriter, r *http.Request, n int, quit <-chan struct{}) {
		if n < unavailableIn {
			w.Header().Set("Retry-After", "1")
			http.Error(w, http.StatusText(code), code)
			return
		}
		text("text/html; charset=utf-8", faultPage("status-"+strconv.Itoa(code)))(w, r, n, quit)
	}
}

func redirectedRobots(w http.ResponseWriter, r *http.Request, _ int, _ <-chan struct{}) {
	http.Redirect(w, r, "/robots2.txt", http.StatusMovedPermanently)
}
