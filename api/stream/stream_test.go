package stream

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/indexer/query"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/lexicon"
)

// evaluator is loaded once: the dictionary takes its time.
var evaluator = sync.OnceValues(func() (*query.Evaluator, error) {
	l, err := lexicon.Builtin()
	if err != nil {
		return nil, err
	}
	return query.LoadEvaluator(lexicon.NewStore(l))
})

type fixture struct {
	t   *testing.T
	bus *bus.Bus
	srv *httptest.Server
	n   int

	server   *Server
	returned chan struct{} // one for each request answered
}

func newFixture(t *testing.T, change func(*Options)) *fixture {
	t.Helper()
	e, err := evaluator()
	if err != nil {
		t.Fatal(err)
	}
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: t.TempDir()}, Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	o := Options{Bus: b, Evaluator: e, Logger: slog.New(slog.DiscardHandler), Heartbeat: 50 * time.Millisecond}
	if change != nil {
		change(&o)
	}
	s := New(o)
	f := &fixture{t: t, bus: b, server: s, returned: make(chan struct{}, 100)}
	f.srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(w, r)
		f.returned <- struct{}{}
	}))
	t.Cleanup(f.srv.Close)
	t.Cleanup(s.Close)
	return f
}

// publish adds an article with a title.
func (f *fixture) publish(title string) {
	f.t.Helper()
	f.n++
	a := &news.Article{
		Version: news.Version, ID: fmt.Sprintf("a%d", f.n), Revision: int64(f.n), URL: fmt.Sprintf("https://example.com/%d", f.n),
		Source: "example", Title: title, Text: "正文。", Lang: "zh", Script: "Hans", Fetched: time.Unix(1763366400, 0).UTC(),
	}
	if err := f.bus.PublishArticle(f.t.Context(), a); err != nil {
		f.t.Fatal(err)
	}
}

// event is one block of a stream.
type event struct{ id, data, comment string }

// client reads the events of one connection.
type client struct {
	t      *testing.T
	res    *http.Response
	cancel context.CancelFunc
	events chan event
	done   chan struct{}
}

func (f *fixture) connect(rawQuery, lastID string) *client {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.srv.URL+"/?"+rawQuery, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	if lastID != "" {
		r.Header.Set("Last-Event-ID", lastID)
	}
	res, err := f.srv.Client().Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	c := &client{f.t, res, cancel, make(chan event, 1000), make(chan struct{})}
	go func() {
		defer close(c.done)
		s := bufio.NewScanner(res.Body)
		s.Buffer(nil, 1<<20)
		var e event
		for s.Scan() {
			switch line := s.Text(); {
			case line == "":
				c.events <- e
				e = event{}
			case strings.HasPrefix(line, "id: "):
				e.id = line[4:]
			case strings.HasPrefix(line, "data: "):
				e.data = line[6:]
			case strings.HasPrefix(line, ":"):
				e.comment = line
			}
		}
	}()
	f.t.Cleanup(c.close)
	return c
}

func (c *client) close() {
	c.cancel()
	_ = c.res.Body.Close()
	<-c.done
}

// next returns the next event that fits.
func (c *client) next(fits func(event) bool) event {
	c.t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case e := <-c.events:
			if fits(e) {
				return e
			}
		case <-c.done:
			c.t.Fatal("got the end of the stream, want an event")
		case <-limit:
			c.t.Fatal("got no event in 20 s")
		}
	}
}

func hasData(e event) bool { return e.data != "" }

func (c *client) title() (title, id string) {
	c.t.Helper()
	e := c.next(hasData)
	var a news.Article
	if err := json.Unmarshal([]byte(e.data), &a); err != nil {
		c.t.Fatal(err)
	}
	return a.Title, e.id
}

func TestStreamSendsNewArticlesThatMatch(t *testing.T) {
	f := newFixture(t, nil)
	f.publish("HBM 之前的旧闻")
	c := f.connect("q=HBM", "")
	if got := c.res.Header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" {
		t.Errorf("got content type %q", got)
	}
	if e := c.next(func(e event) bool { return e.id != "" }); e.id != "1" {
		t.Errorf("got first id %q, want where the stream is", e.id)
	}
	f.publish("光刻机出口")
	f.publish("HBM 供应偏紧")
	if title, id := c.title(); title != "HBM 供应偏紧" || id != "3" {
		t.Errorf("got %q with id %s, want the new match with id 3", title, id)
	}
}

func TestReconnectMissesNothing(t *testing.T) {
	f := newFixture(t, nil)
	c := f.connect("q=HBM", "")
	last := c.next(func(e event) bool { return e.id != "" }).id
	var got, want []string
	for i := range 60 {
		title := fmt.Sprintf("HBM 第%d条", i)
		want = append(want, title)
		f.publish(title)
		if i%2 == 1 {
			f.publish("无关的文章")
		}
		if i%7 == 0 {
			// Whatever was sent but not read is lost with the connection.
			for range i % 3 {
				var title string
				title, last = c.title()
				got = append(got, title)
			}
			c.close()
			if i%14 == 0 {
				c = f.connect("q=HBM&last_event_id="+last, "")
			} else {
				c = f.connect("q=HBM", last)
			}
		}
	}
	for len(got) < len(want) {
		title, _ := c.title()
		got = append(got, title)
	}
	if d := cmp.Diff(got, want); d != "" {
		t.Errorf("got %d articles, want all %d in order:\n%s", len(got), len(want), d)
	}
}

func TestPassedArticlesAdvanceTheID(t *testing.T) {
	f := newFixture(t, nil)
	c := f.connect("q=HBM", "")
	for range 5 {
		f.publish("光刻机")
	}
	if e := c.next(func(e event) bool { return e.id == "5" }); e.data != "" {
		t.Errorf("got %+v, want an id without data", e)
	}
	c.next(func(e event) bool { return e.comment != "" }) // and heartbeats in silence
}

func TestEmptyQueryStreamsEverything(t *testing.T) {
	f := newFixture(t, nil)
	f.publish("一")
	f.publish("二")
	c := f.connect("", "0")
	for _, want := range []string{"一", "二"} {
		if got, _ := c.title(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestBadRequestsAreProblems(t *testing.T) {
	f := newFixture(t, nil)
	f.publish("一")
	for _, tc := range []struct{ query, last, want string }{
		{"q=(", "", `"column":1`},
		{"q=HBM", "x", "is not a number"},
		{"q=HBM", "99", "past the end"},
	} {
		c := f.connect(tc.query, tc.last)
		<-c.done
		if c.res.StatusCode != http.StatusBadRequest || c.res.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%v: got %s %s, want a 400 problem", tc, c.res.Status, c.res.Header.Get("Content-Type"))
		}
	}
}

func TestStreamsAreBounded(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.MaxClients = 1 })
	c := f.connect("", "")
	c.next(func(e event) bool { return e.id != "" })
	if d := f.connect("", ""); d.res.StatusCode != http.StatusServiceUnavailable || d.res.Header.Get("Retry-After") == "" {
		t.Errorf("got %s, want 503 with Retry-After", d.res.Status)
	}
}

func TestSlowClientIsCutOffAndLosesNothing(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.WriteTimeout = 200 * time.Millisecond; o.Heartbeat = time.Hour })
	long := strings.Repeat("长", 50_000)
	for range 60 { // more than the sockets between can hold
		f.publish(long)
	}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", f.srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "GET /?last_event_id=0 HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	// It never reads, so its stream ends.
	select {
	case <-f.returned:
	case <-time.After(20 * time.Second):
		t.Fatal("got a stream to a client that does not read still open after 20 s")
	}
	c := f.connect("", "0")
	for i := range 60 {
		if _, id := c.title(); id != fmt.Sprint(i+1) {
			t.Fatalf("got id %s, want %d", id, i+1)
		}
	}
}

func TestCloseEndsStreams(t *testing.T) {
	f := newFixture(t, nil)
	c := f.connect("", "")
	c.next(func(e event) bool { return e.id != "" })
	f.server.Close()
	select {
	case <-c.done:
	case <-time.After(10 * time.Second):
		t.Error("got a stream still open 10 s after Close")
	}
}
