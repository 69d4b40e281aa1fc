package simweb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options say what a Web serves. The zero value serves the demo web.
type Options struct {
	// Listen is the address to listen on; "" means a free port on 127.0.0.1.
	Listen string
	// NoDemo leaves out the demo web, DemoSites (IDs) takes only a part of it.
	NoDemo    bool
	DemoSites []string
	// Now is the moment the demo articles' times count back from; the zero
	// value means the time New is called. Their URLs do not depend on it.
	Now time.Time
	// Folder is a directory of saved pages with an index.json, "" for none.
	Folder string
	// FolderCharset says which charset the Content-Type of saved pages names.
	FolderCharset CharsetMode
	// Faults adds the misbehaving sites.
	Faults bool
	// Volume adds that many sites of VolumePages pages each, made when they are
	// asked for; default 20 pages.
	Volume      int
	VolumePages int
	// AccessLog receives one line of JSON per request; nil for none.
	AccessLog io.Writer
}

// CharsetMode says which charset a Content-Type header names.
type CharsetMode string

// What the Content-Type of a saved page may say of its charset.
const (
	CharsetNone     CharsetMode = ""         // nothing
	CharsetDeclared CharsetMode = "declared" // what the page's own markup says
	CharsetTrue     CharsetMode = "true"     // what the bytes are
)

// Web is a running or startable web. Its methods are safe for concurrent use.
type Web struct {
	opts Options
	log  *Log

	mu     sync.RWMutex
	sites  map[string]*site // by host
	faults map[string]*plannedFault
	asked  map[string]int // requests so far at misbehaving addresses
	closed bool

	listener net.Listener
	server   *http.Server
	served   chan struct{}
	serving  sync.WaitGroup
	quit     chan struct{} // closed by Close: ends hanging responses
	close    func() error
}

// New renders every site. Errors name the article, template or file to mend.
func New(o Options) (*Web, error) {
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	w := &Web{
		opts:   o,
		log:    newLog(o.AccessLog),
		sites:  make(map[string]*site),
		faults: make(map[string]*plannedFault),
		asked:  make(map[string]int),
		served: make(chan struct{}),
		quit:   make(chan struct{}),
	}
	w.close = sync.OnceValue(w.shut)
	if !o.NoDemo {
		sites, err := demoSites(o.Now, o.DemoSites)
		if err != nil {
			return nil, err
		}
		if err := w.add(sites); err != nil {
			return nil, err
		}
	}
	if o.Folder != "" {
		sites, err := savedSites(o.Folder, o.FolderCharset)
		if err != nil {
			return nil, err
		}
		if err := w.add(sites); err != nil {
			return nil, err
		}
	}
	if o.Faults {
		if err := w.add(faultSites()); err != nil {
			return nil, err
		}
	}
	if o.Volume > 0 {
		if err := w.add(volumeSites(o.Volume, o.VolumePages)); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *Web) add(sites []*site) error {
	for _, s := range sites {
		if w.sites[s.Host] != nil {
			return fmt.Errorf("simweb: two sites have the host %s", s.Host)
		}
		w.sites[s.Host] = s
	}
	return nil
}

// Start listens and serves until Close is called or ctx is done.
func (w *Web) Start(ctx context.Context) error {
	addr := w.opts.Listen
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("simweb: %w (choose a free port, or leave the address empty)", err)
	}
	w.listener = l
	w.server = &http.Server{
		Handler:           http.HandlerFunc(w.serve),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       time.Minute,
	}
	go func() {
		defer close(w.served)
		// Serve returns ErrServerClosed once Close is called; nothing else can
		// be done about a listener that fails.
		_ = w.server.Serve(l)
	}()
	go func() {
		select {
		case <-ctx.Done():
			_ = w.Close() // its error is returned to whoever calls Close
		case <-w.served:
		}
	}()
	return nil
}

// Addr returns the address that Start listens on, as host:port.
func (w *Web) Addr() string { return w.listener.Addr().String() }

// Resolve returns the value for --resolve that leads every host here.
func (w *Web) Resolve() string { return "*=" + w.Addr() }

// Hosts returns the names of all sites, for a --resolve of each that leaves
// other names alone.
func (w *Web) Hosts() []string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return slices.Sorted(maps.Keys(w.sites))
}

// Close stops listening, ends all requests and waits for them.
func (w *Web) Close() error { return w.close() }

func (w *Web) shut() error {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	close(w.quit)
	if w.server == nil {
		return nil
	}
	err := w.server.Close()
	<-w.served
	w.serving.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

// Log returns the record of all requests so far; it goes on growing.
func (w *Web) Log() *Log { return w.log }

// Articles returns what a perfect crawl and extraction of the demo web finds,
// in order of URL. Articles that were removed are not among them.
func (w *Web) Articles() []Article {
	w.mu.RLock()
	defer w.mu.RUnlock()
	var all []Article
	for _, s := range w.sites {
		for _, a := range s.articles {
			all = append(all, *a)
		}
	}
	slices.SortFunc(all, func(a, b Article) int { return strings.Compare(a.URL, b.URL) })
	return all
}

// Publish adds an article to the demo site a.Source, or replaces the one of
// the same name there, and returns it with its URL. A zero Published means now.
func (w *Web) Publish(a Article) (Article, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sites {
		if s.ID != a.Source || s.build == nil {
			continue
		}
		if a.Published.IsZero() {
			a.Published = time.Now()
		}
		if err := s.publish(&a); err != nil {
			return Article{}, err
		}
		return a, nil
	}
	return Article{}, fmt.Errorf("simweb: publish %s: no demo site %q", a.Name, a.Source)
}

// Remove takes an article away: its URL answers 410 from now on.
func (w *Web) Remove(url string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sites {
		for i, a := range s.articles {
			if a.URL == url {
				s.articles = slices.Delete(s.articles, i, i+1)
				s.gone = append(s.gone, pathOf(url))
				return s.build()
			}
		}
	}
	return fmt.Errorf("simweb: remove %s: no such article", url)
}

// enter counts a request in, unless the web is closed.
func (w *Web) enter() bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return false
	}
	w.serving.Add(1)
	return true
}

// serve answers one request and logs it.
func (w *Web) serve(rw http.ResponseWriter, r *http.Request) {
	if !w.enter() {
		panic(http.ErrAbortHandler)
	}
	defer w.serving.Done()
	start := time.Now()
	rec := &recorder{ResponseWriter: rw}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	host = strings.ToLower(host)
	w.mu.RLock()
	s := w.sites[host]
	fault := w.faults[host+r.URL.RequestURI()]
	w.mu.RUnlock()

	entry := Request{
		Time:            start,
		Host:            host,
		Method:          r.Method,
		Path:            r.URL.RequestURI(),
		UserAgent:       r.UserAgent(),
		IfNoneMatch:     r.Header.Get("If-None-Match"),
		IfModifiedSince: r.Header.Get("If-Modified-Since"),
	}
	seq := w.log.begin(&entry)
	defer func() {
		entry.Status, entry.Bytes, entry.Took = rec.status, rec.bytes, time.Since(start)
		entry.ETag = rec.Header().Get("ETag")
		w.log.end(seq, &entry)
	}()
	switch {
	case s == nil:
		http.Error(rec, "simweb has no site of this name", http.StatusNotFound)
	case fault.take():
		entry.Fault = fault.name
		w.serveFault(rec, r, fault.name)
	default:
		entry.Disallowed = s.disallows(r.URL.RequestURI())
		w.serveSite(rec, r, s, &entry)
	}
}

func (w *Web) serveSite(rec *recorder, r *http.Request, s *site, entry *Request) {
	w.mu.RLock()
	res, ok := s.lookup(r.URL)
	gone := slices.Contains(s.gone, r.URL.Path)
	w.mu.RUnlock()
	switch {
	case ok && res.fault != "":
		entry.Fault = res.fault
		w.serveFault(rec, r, res.fault)
	case ok:
		entry.Kind = res.kind
		res.serve(rec, r)
	case gone:
		http.Error(rec, "gone", http.StatusGone)
	default:
		http.Error(rec, "not found", http.StatusNotFound)
	}
}

// recorder keeps what was answered for the log.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	n, err := r.ResponseWriter.Write(b)
	r.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
