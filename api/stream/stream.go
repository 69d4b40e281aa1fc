// Package stream serves new articles that match a query as server-sent events.
//
// The id of an event is the article's sequence in the stream ARTICLES. A client
// that comes back with Last-Event-ID gets everything after it, so it misses
// nothing however long it was away; without one it starts at now. Articles that
// do not match advance the id too (by events without data, which clients do not
// show), so that coming back is cheap. Each client reads ARTICLES at its own
// pace: a slow one waits on itself, loses nothing and holds up nobody.
package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"xinwen/api/problem"
	"xinwen/indexer/query"
	"xinwen/news"
	"xinwen/news/bus"
)

// Options are what a Server is made from.
type Options struct {
	Bus       *bus.Bus
	Evaluator *query.Evaluator
	Logger    *slog.Logger
	Metrics   prometheus.Registerer // may be nil
	// MaxClients bounds the clients at one time (default 100).
	MaxClients int
	// Heartbeat is the longest silence (default 15 s).
	Heartbeat time.Duration
	// WriteTimeout is how long a client may take to receive one event (default
	// 30 s); then it is cut off and may come back.
	WriteTimeout time.Duration
}

// Server is the handler of /v1/stream.
type Server struct {
	o     Options
	slots chan struct{}
	docs  *documents
	open  prometheus.Gauge
	sent  prometheus.Counter
	// closing is closed by Close.
	closing chan struct{}
	once    sync.Once
}

// New returns a server. Close ends its streams.
func New(o Options) *Server {
	if o.MaxClients <= 0 {
		o.MaxClients = 100
	}
	if o.Heartbeat <= 0 {
		o.Heartbeat = 15 * time.Second
	}
	if o.WriteTimeout <= 0 {
		o.WriteTimeout = 30 * time.Second
	}
	s := &Server{
		o: o, slots: make(chan struct{}, o.MaxClients), docs: newDocuments(o.Evaluator),
		open: prometheus.NewGauge(prometheus.GaugeOpts{Name: "xinwen_api_stream_clients", Help: "Clients of /v1/stream now."}),
		sent: prometheus.NewCounter(prometheus.CounterOpts{Name: "xinwen_api_stream_articles_total", Help: "Articles sent to clients of /v1/stream."}),
	}
	s.closing = make(chan struct{})
	if o.Metrics != nil {
		o.Metrics.MustRegister(s.open, s.sent)
	}
	return s
}

// Close ends all streams; clients come back by themselves.
func (s *Server) Close() { s.once.Do(func() { close(s.closing) }) }

// ServeHTTP answers GET /v1/stream?q=…&last_event_id=….
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	only, err := s.filter(r.URL.Query().Get("q"))
	if err != nil {
		problem.Write(w, problem.Of(err))
		return
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		w.Header().Set("Retry-After", "30")
		problem.Write(w, problem.New(http.StatusServiceUnavailable, "All streams are taken.", "Come back later, or raise max_streams."))
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	last, err := s.start(ctx, r)
	if err != nil {
		problem.Write(w, problem.Of(err))
		return
	}
	s.open.Inc()
	defer s.open.Dec()

	h := w.Header()
	h.Set("Content-Type", "text/event-stream; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	c := &conn{rc: http.NewResponseController(w), w: w, timeout: s.o.WriteTimeout, at: last, told: last}
	if err := c.write("retry: 3000\nid: " + strconv.FormatUint(last, 10) + "\n\n"); err != nil {
		return
	}
	var beat sync.WaitGroup
	defer beat.Wait()
	defer cancel()
	beat.Go(func() {
		defer cancel()
		c.beat(ctx, s.closing, s.o.Heartbeat)
	})
	err = s.o.Bus.Read(ctx, bus.ReadConfig{Stream: bus.Articles, From: last + 1, MaxMessages: 50, MaxBytes: 2 << 20, MaxWait: 50 * time.Millisecond},
		func(ctx context.Context, batch []*bus.Message) error {
			for _, m := range batch {
				if err := s.offer(c, only, m); err != nil {
					return err
				}
			}
			return nil
		})
	if err != nil && ctx.Err() == nil && !errors.Is(err, errClient) {
		s.o.Logger.Warn("stream ended early", "err", err)
	}
}

// filter is what a client wants to see; nil wants everything.
type filter struct {
	evaluator *query.Evaluator
	node      query.Node
	matcher   *query.Matcher
	changed   <-chan struct{} // closed when names may mean something else
}

func (s *Server) filter(q string) (*filter, error) {
	if strings.TrimSpace(q) == "" {
		return nil, nil
	}
	n, err := s.o.Evaluator.Parse(q, nil)
	if err != nil {
		return nil, err
	}
	f := &filter{evaluator: s.o.Evaluator, node: n}
	return f, f.compile()
}

func (f *filter) compile() error {
	f.changed = f.evaluator.Changed() // before, so that no change is missed
	m, err := f.evaluator.Compile(f.node)
	if err == nil {
		f.matcher = m
	}
	return err
}

func (f *filter) match(d *query.Document) bool {
	if f == nil {
		return true
	}
	select {
	case <-f.changed:
		// An entity that is gone from the lexicon keeps its last meaning.
		_ = f.compile()
	default:
	}
	return f.matcher.Match(d)
}

// start returns the sequence that the client has already.
func (s *Server) start(ctx context.Context, r *http.Request) (uint64, error) {
	end, err := s.o.Bus.LastSeq(ctx, bus.Articles)
	if err != nil {
		return 0, err
	}
	id := r.Header.Get("Last-Event-ID")
	if id == "" {
		id = r.URL.Query().Get("last_event_id")
	}
	if id == "" {
		return end, nil
	}
	last, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return 0, problem.New(http.StatusBadRequest, fmt.Sprintf("Last-Event-ID %q is not a number.", id), "Send the id of the last event you received, or none to start at now.")
	}
	if last > end {
		return 0, problem.New(http.StatusBadRequest, fmt.Sprintf("Last-Event-ID %d is past the end of the stream, %d.", last, end),
			"The stream was made anew since; connect without Last-Event-ID and search for what you may have missed.")
	}
	return last, nil
}

// offer sends m if it matches, and else remembers how far the client is.
func (s *Server) offer(c *conn, only *filter, m *bus.Message) error {
	d, err := s.docs.get(m)
	if err != nil {
		s.o.Logger.Warn("article in stream unreadable", "stream_seq", m.Seq, "err", err)
		return c.pass(m.Seq)
	}
	if d.article.Deleted || !only.match(d.document) {
		return c.pass(m.Seq)
	}
	if err := c.send(m.Seq, d.json); err != nil {
		return err
	}
	s.sent.Inc()
	return nil
}

// errClient says that the client cannot be written to.
var errClient = errors.New("client has gone")

// passed is the number of articles without a match after which the client is
// told how far it is.
const passed = 200

// conn writes events to one client.
type conn struct {
	mu      sync.Mutex
	rc      *http.ResponseController
	w       http.ResponseWriter
	timeout time.Duration
	at      uint64 // what the client has seen or been spared
	told    uint64 // the last id the client was sent
	spoke   bool   // since the last heartbeat
}

// write must be called with mu held, or before others know c.
func (c *conn) write(s string) error {
	// Without a deadline a client that stops reading would hold its slot for good.
	if err := c.rc.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return fmt.Errorf("%w: %w", errClient, err)
	}
	if _, err := c.w.Write([]byte(s)); err != nil {
		return fmt.Errorf("%w: %w", errClient, err)
	}
	if err := c.rc.Flush(); err != nil {
		return fmt.Errorf("%w: %w", errClient, err)
	}
	c.spoke = true
	return nil
}

func (c *conn) send(seq uint64, data []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if seq <= c.at {
		return nil // read again after a reconnect of ours
	}
	var b strings.Builder
	fmt.Fprintf(&b, "id: %d\ndata: %s\n\n", seq, data) // JSON has no line breaks
	if err := c.write(b.String()); err != nil {
		return err
	}
	c.at, c.told = seq, seq
	return nil
}

func (c *conn) pass(seq uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = max(c.at, seq)
	if c.at-c.told < passed {
		return nil
	}
	return c.advance()
}

// advance tells the client how far it is.
func (c *conn) advance() error {
	if err := c.write("id: " + strconv.FormatUint(c.at, 10) + "\n\n"); err != nil {
		return err
	}
	c.told = c.at
	return nil
}

// beat breaks silences until ctx is done, the server is closing or the client
// has gone.
func (c *conn) beat(ctx context.Context, closing <-chan struct{}, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-closing:
			return
		case <-t.C:
		}
		c.mu.Lock()
		var err error
		switch {
		case c.at > c.told:
			err = c.advance()
		case !c.spoke:
			err = c.write(": heartbeat\n\n")
		}
		c.spoke = false
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// document is an article as clients get it and as queries see it.
type document struct {
	article  *news.Article
	document *query.Document
	json     []byte
}

// documents analyses each article once for all clients that are about as far.
type documents struct {
	evaluator *query.Evaluator
	mu        sync.Mutex
	recent    map[uint64]*pending
	order     []uint64
}

type pending struct {
	once sync.Once
	doc  *document
	err  error
}

const recentDocuments = 256

func newDocuments(e *query.Evaluator) *documents {
	return &documents{evaluator: e, recent: make(map[uint64]*pending)}
}

func (d *documents) get(m *bus.Message) (*document, error) {
	d.mu.Lock()
	p, ok := d.recent[m.Seq]
	if !ok {
		if len(d.order) == recentDocuments {
			delete(d.recent, d.order[0])
			d.order = d.order[1:]
		}
		p = &pending{}
		d.recent[m.Seq] = p
		d.order = append(d.order, m.Seq)
	}
	d.mu.Unlock()
	p.once.Do(func() {
		a, err := news.ParseArticle(m.Data)
		if err != nil {
			p.err = err
			return
		}
		data, err := json.Marshal(a)
		if err != nil {
			p.err = err
			return
		}
		p.doc = &document{article: a, document: d.evaluator.Document(a), json: data}
	})
	return p.doc, p.err
}
