// Package render runs the scripts of pages that build their text with them, in a
// Chromium without window.
//
// In goes a page as fetched, out comes its DOM as HTML when nothing moves any more.
// The browser itself reaches no network: every request of a page is stopped, and
// what the page needs (scripts and data, no pictures, styles, frames or anything
// but GET) is fetched by a function of the caller, so that robots.txt, politeness
// and the guard of addresses hold for it as for all else. Time, requests, bytes
// and the browser's memory are bounded.
package render

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"sync"
	"time"

	cdpfetch "github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Config is what the operator writes.
type Config struct {
	// Browser is the path of Chromium or Chrome; "" looks for one.
	Browser string `json:"browser,omitempty" yaml:"browser,omitempty"`
	// Timeout bounds the time for one page, default 30 s: scripts wait for their
	// host's turn too.
	Timeout time.Duration `json:"timeout,omitempty" yaml:"timeout,omitempty"`
}

// Validate returns what is wrong with c.
func (c Config) Validate() error {
	if c.Timeout < 0 {
		return errors.New("render: timeout is negative")
	}
	return nil
}

const (
	defaultTimeout = 30 * time.Second
	// quiet is how long nothing must move before a page counts as built.
	quiet = 500 * time.Millisecond
	// atOnce bounds the pages in the browser, maxRequests the requests of one page,
	// maxBytes what they bring and what becomes of it.
	atOnce      = 2
	maxRequests = 64
	maxBytes    = 10 << 20
	maxMoves    = 3
	// maxPages is after how many pages the browser is started anew, idleFor after
	// how long without any it is stopped.
	maxPages = 50
	idleFor  = time.Minute
)

// ErrNoBrowser says that there is no browser to render with.
var ErrNoBrowser = errors.New("no Chromium was found to run the page's scripts")

// Hint says what to do about ErrNoBrowser.
const Hint = "install chromium where the crawler runs, or give its path as crawler.render.browser; or take render out of the source"

// Resource is the answer to a request of a page.
type Resource struct {
	Status int
	Header http.Header
	Body   []byte
}

// Get fetches what a page asks for.
type Get func(ctx context.Context, url string) (*Resource, error)

// Page is a page before or after its scripts have run.
type Page struct {
	URL         string
	ContentType string
	Body        []byte
}

// Renderer renders pages. It starts the browser when it is needed.
type Renderer struct {
	config Config
	slots  chan struct{}

	mu      sync.Mutex
	browser *browser
	using   int // pages in it
	idle    *time.Timer
}

// browser is a running process.
type browser struct {
	//nolint:containedctx // chromedp keeps the process in its context
	ctx    context.Context
	cancel context.CancelFunc
	pages  int
}

// New returns a renderer.
func New(c Config) *Renderer {
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	return &Renderer{config: c, slots: make(chan struct{}, atOnce)}
}

// names are those of browsers that will do.
var names = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}

// Browser returns the path of the browser, or ErrNoBrowser.
func (r *Renderer) Browser() (string, error) {
	list := names
	if r.config.Browser != "" {
		list = []string{r.config.Browser}
	}
	for _, name := range list {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", ErrNoBrowser
}

// Close stops the browser.
func (r *Renderer) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stop()
}

func (r *Renderer) stop() {
	if r.browser != nil {
		r.browser.cancel()
		r.browser = nil
	}
}

// enter returns the running browser, or a new one.
func (r *Renderer) enter() (*browser, error) {
	path, err := r.Browser()
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.idle != nil {
		r.idle.Stop()
	}
	if b := r.browser; b != nil && (b.ctx.Err() != nil || b.pages >= maxPages && r.using == 0) {
		r.stop()
	}
	if r.browser == nil {
		options := append(chromedp.DefaultExecAllocatorOptions[:],
			chromedp.ExecPath(path),
			// Whatever is not stopped by us leads nowhere.
			chromedp.ProxyServer("http://127.0.0.1:9"), chromedp.Flag("proxy-bypass-list", "<-loopback>"),
			chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"),
			chromedp.Flag("force-webrtc-ip-handling-policy", "disable_non_proxied_udp"),
			chromedp.Flag("blink-settings", "imagesEnabled=false"), chromedp.Flag("mute-audio", true),
			chromedp.Flag("js-flags", "--max-old-space-size=256"), chromedp.Flag("renderer-process-limit", "2"),
			chromedp.Flag("disable-gpu", true),
		)
		b := new(browser)
		allocated, cancelProcess := chromedp.NewExecAllocator(context.Background(), options...)
		var cancelTab context.CancelFunc
		b.ctx, cancelTab = chromedp.NewContext(allocated)
		b.cancel = func() { cancelTab(); cancelProcess() }
		if err := chromedp.Do(b.ctx); err != nil {
			b.cancel()
			return nil, fmt.Errorf("start %s: %w", path, err)
		}
		r.browser = b
	}
	r.using++
	r.browser.pages++
	return r.browser, nil
}

// leave gives a browser back; one that failed is stopped.
func (r *Renderer) leave(b *browser, failed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.using--
	if failed && r.browser == b {
		r.stop()
	}
	if r.using == 0 {
		r.idle = time.AfterFunc(idleFor, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.using == 0 {
				r.stop()
			}
		})
	}
}

// Render runs the scripts of p and returns what became of it, in UTF-8. What has
// been built when the time is over counts.
func (r *Renderer) Render(ctx context.Context, p Page, get Get) (*Page, error) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	b, err := r.enter()
	if err != nil {
		return nil, err
	}
	made, err := r.run(ctx, b, p, get)
	r.leave(b, err != nil && ctx.Err() == nil)
	return made, err
}

func (r *Renderer) run(ctx context.Context, b *browser, p Page, get Get) (*Page, error) {
	// A tab lives in the browser's context; ours ends it.
	tab, cancel := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	defer cancel()
	stop := context.AfterFunc(ctx, cancel)
	defer stop()
	late := time.AfterFunc(r.config.Timeout+5*time.Second, cancel)
	defer late.Stop()

	s := &session{page: p, get: get, moved: make(chan struct{}, 1), slots: make(chan struct{}, 4)}
	defer s.close()
	defer cancel()
	fetching, cancelFetching := context.WithTimeout(ctx, r.config.Timeout)
	defer cancelFetching()
	fail := func(err error) (*Page, error) { return nil, fmt.Errorf("render %s: %w", p.URL, err) }
	if err := chromedp.Do(tab); err != nil {
		return fail(err)
	}
	err := chromedp.Listen(tab, func(ev any) {
		switch ev := ev.(type) {
		case *cdpfetch.EventRequestPaused:
			s.do(func() { s.answer(fetching, tab, ev) })
		case *page.EventLoadEventFired:
			s.load()
		case *page.EventJavascriptDialogOpening:
			s.do(func() { // nobody reads it
				_, _ = chromedp.Call(tab, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{})
			})
		}
	})
	if err != nil {
		return fail(err)
	}
	_, err = chromedp.Call(tab, cdpfetch.Enable, cdpfetch.EnableParams{Patterns: []*cdpfetch.RequestPattern{{URLPattern: "*"}}})
	if err != nil {
		return fail(err)
	}
	if _, err = chromedp.Call(tab, network.SetBypassServiceWorker, network.SetBypassServiceWorkerParams{Bypass: true}); err != nil {
		return fail(err)
	}
	led, err := chromedp.Call(tab, page.Navigate, page.NavigateParams{URL: p.URL})
	if err == nil && led.ErrorText != "" {
		err = errors.New(led.ErrorText)
	}
	if err != nil {
		return fail(err)
	}
	s.settle(fetching)
	made := Page{ContentType: "text/html; charset=utf-8"}
	if made.URL, err = chromedp.Run(tab, chromedp.Location()); err != nil {
		return fail(err)
	}
	html, err := chromedp.Run(tab, chromedp.Evaluate[string](fmt.Sprintf(
		`document.documentElement ? document.documentElement.outerHTML.slice(0, %d) : ""`, maxBytes/3)))
	if err != nil {
		return fail(err)
	}
	made.Body = []byte("<!DOCTYPE html>" + html)
	return &made, nil
}

// session is one page in the browser.
type session struct {
	page  Page
	get   Get
	slots chan struct{} // requests at a time
	work  sync.WaitGroup
	moved chan struct{} // told of everything that happens

	mu       sync.Mutex
	left     bool
	loaded   bool
	open     int // requests under way
	requests int
	bytes    int
	moves    int
}

func (s *session) tell() {
	select {
	case s.moved <- struct{}{}:
	default:
	}
}

// do answers something in the background, unless the page is left.
func (s *session) do(answer func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left {
		return
	}
	s.open++
	s.tell()
	s.work.Go(func() {
		answer()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.open--
		s.tell()
	})
}

// close waits for all that was begun.
func (s *session) close() {
	s.mu.Lock()
	s.left = true
	s.mu.Unlock()
	s.work.Wait()
}

func (s *session) load() {
	s.mu.Lock()
	s.loaded = true
	s.mu.Unlock()
	s.tell()
}

// settle waits until the page is loaded and nothing has moved for a while, or ctx
// is done.
func (s *session) settle(ctx context.Context) {
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.moved:
			timer.Reset(quiet)
		case <-timer.C:
			s.mu.Lock()
			done := s.loaded && s.open == 0
			s.mu.Unlock()
			if done {
				return
			}
			timer.Reset(quiet)
		}
	}
}

// wanted are the kinds of requests that build text.
var wanted = []network.ResourceType{network.ResourceTypeScript, network.ResourceTypeXHR, network.ResourceTypeFetch}

// answer answers a request of the page.
func (s *session) answer(ctx, tab context.Context, ev *cdpfetch.EventRequestPaused) {
	isMain := ev.ResourceType == network.ResourceTypeDocument && string(ev.FrameID) == string(chromedp.FromContext(tab).Target.TargetID)
	var r *Resource
	switch {
	case isMain && s.first():
		r = &Resource{Status: http.StatusOK, Header: http.Header{"Content-Type": {s.page.ContentType}}, Body: s.page.Body}
	case ev.Request.Method != http.MethodGet || !isMain && !slices.Contains(wanted, ev.ResourceType):
	case s.allowed():
		select {
		case s.slots <- struct{}{}:
			var err error
			if r, err = s.get(ctx, ev.Request.URL); err != nil {
				r = nil
			}
			<-s.slots
		case <-ctx.Done():
		}
	}
	if r != nil && !s.take(len(r.Body)) {
		r = nil
	}
	// Their errors are those of a page that has gone meanwhile.
	if r == nil {
		_, _ = chromedp.Call(tab, cdpfetch.FailRequest, cdpfetch.FailRequestParams{RequestID: ev.RequestID, ErrorReason: network.ErrorReasonBlockedByClient})
		return
	}
	_, _ = chromedp.Call(tab, cdpfetch.FulfillRequest, cdpfetch.FulfillRequestParams{
		RequestID: ev.RequestID, ResponseCode: int64(r.Status), ResponseHeaders: headers(r.Header), Body: r.Body,
	})
}

// first reports whether the main document is asked for the first time: it is
// there already. Other addresses that the page leads to are asked for, a few.
func (s *session) first() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.moves++
	return s.moves == 1
}

func (s *session) allowed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests++
	return s.requests <= maxRequests && s.moves <= maxMoves
}

func (s *session) take(n int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes += n
	return s.bytes <= maxBytes
}

// headers are those that a page may see; the body is decoded already.
func headers(h http.Header) []*cdpfetch.HeaderEntry {
	var list []*cdpfetch.HeaderEntry
	for name, values := range h {
		switch name {
		case "Content-Type", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers", "Content-Language", "Last-Modified":
			for _, v := range values {
				list = append(list, &cdpfetch.HeaderEntry{Name: name, Value: v})
			}
		}
	}
	return list
}
