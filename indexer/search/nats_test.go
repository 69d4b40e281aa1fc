package search_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"xinwen/indexer/analysis"
	"xinwen/indexer/bleve"
	"xinwen/indexer/search"
	"xinwen/indexer/search/searchtest"
	"xinwen/news"
)

// startNATS returns two connections to a server of the test's own.
func startNATS(t *testing.T, maxPayload int32) (service, client *nats.Conn) {
	t.Helper()
	s, err := server.NewServer(&server.Options{DontListen: true, MaxPayload: maxPayload, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("server not ready")
	}
	connect := func() *nats.Conn {
		nc, err := nats.Connect("", nats.InProcessServer(s))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
	return connect(), connect()
}

// serve serves s until the test ends or the returned function is called, and
// returns once it can be reached.
func serve(t *testing.T, nc *nats.Conn, s search.Searcher) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		if err := search.Serve(ctx, nc, s, search.ServeOptions{}); err != nil {
			t.Error(err)
		}
	})
	stop = func() { cancel(); done.Wait() }
	t.Cleanup(stop)
	client := search.NewClient(nc)
	for deadline := time.Now().Add(10 * time.Second); ; {
		_, err := client.Status(t.Context())
		if err == nil || !strings.Contains(err.Error(), "no indexer is connected") {
			return stop
		}
		if time.Now().After(deadline) {
			t.Fatal("service not reachable")
		}
	}
}

// openIndex returns an empty index of the test's own.
func openIndex(t *testing.T) *bleve.Index {
	t.Helper()
	a, err := analysis.New(analysis.Options{})
	if err != nil {
		t.Fatal(err)
	}
	x, err := bleve.Open(bleve.Options{Dir: t.TempDir(), Analyzer: a})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

func writeArticle(t *testing.T, x *bleve.Index, seq uint64, a *news.Article) {
	t.Helper()
	data, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Write(t.Context(), seq, []bleve.Op{{Article: a, Data: data, Seq: seq, Time: a.Time()}}); err != nil {
		t.Fatal(err)
	}
}

func TestClientContract(t *testing.T) {
	x := openIndex(t)
	for i, article := range searchtest.Articles() {
		writeArticle(t, x, uint64(i+1), article)
	}
	nc, client := startNATS(t, 0)
	defer serve(t, nc, x)()
	searchtest.Run(t, search.NewClient(client))
}

// answer is a Searcher that says what the test wants.
type answer struct {
	search  func(context.Context, search.Request) (*search.Result, error)
	rebuilt chan struct{}
}

func (a answer) Search(ctx context.Context, r search.Request) (*search.Result, error) {
	return a.search(ctx, r)
}

func (answer) Article(context.Context, string) (*news.Article, error) { return nil, search.ErrNotFound }

func (answer) Status(context.Context) (search.Status, error) { return search.Status{}, nil }

func (a answer) Rebuild(context.Context) error { a.rebuilt <- struct{}{}; return nil }

func TestClientWithoutIndexer(t *testing.T) {
	_, client := startNATS(t, 0)
	_, err := search.NewClient(client).Search(t.Context(), search.Request{})
	if !errors.Is(err, search.ErrUnavailable) || !strings.Contains(err.Error(), "xinwen indexer") {
		t.Errorf("got %v, want ErrUnavailable with a hint", err)
	}
	client.Close()
	if _, err = search.NewClient(client).Search(t.Context(), search.Request{}); !errors.Is(err, search.ErrUnavailable) {
		t.Errorf("closed connection: got %v, want ErrUnavailable", err)
	}
}

func TestClientTimeoutEndsTheSearchToo(t *testing.T) {
	nc, client := startNATS(t, 0)
	ended := make(chan error, 1)
	serve(t, nc, answer{search: func(ctx context.Context, _ search.Request) (*search.Result, error) {
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	}})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := search.NewClient(client).Search(ctx, search.Request{})
	if !errors.Is(err, search.ErrUnavailable) || !strings.Contains(err.Error(), "no answer") && !strings.Contains(err.Error(), "deadline") {
		t.Errorf("got %v, want ErrUnavailable that tells of the time", err)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the search went on after the client had gone")
	}
}

func TestLargeReplies(t *testing.T) {
	nc, client := startNATS(t, 256<<10)
	var text string
	serve(t, nc, answer{search: func(context.Context, search.Request) (*search.Result, error) {
		return &search.Result{Hits: []search.Hit{{Snippet: text}}}, nil
	}})
	c := search.NewClient(client)

	text = strings.Repeat("晶圆厂的先进封装产能翻倍。", 100_000) // 3.9 MB that compress well
	res, err := c.Search(t.Context(), search.Request{})
	if err != nil || res.Hits[0].Snippet != text {
		t.Errorf("got %v, want the whole reply", err)
	}

	random := make([]rune, 200_000)
	for i := range random {
		random[i] = rune('一' + rand.IntN(20_000))
	}
	text = string(random)
	_, err = c.Search(t.Context(), search.Request{})
	var e *search.RequestError
	if !errors.As(err, &e) || !strings.Contains(e.Hint, "fewer hits") {
		t.Errorf("got %v, want a RequestError that says to ask for less", err)
	}
}

func TestPanicIsAnError(t *testing.T) {
	nc, client := startNATS(t, 0)
	serve(t, nc, answer{search: func(context.Context, search.Request) (*search.Result, error) { panic("boom") }})
	c := search.NewClient(client)
	for range 2 { // the service goes on
		if _, err := c.Search(t.Context(), search.Request{}); err == nil || !strings.Contains(err.Error(), "boom") {
			t.Errorf("got %v, want an error that tells of the panic", err)
		}
	}
}

func TestRequestsAreSharedAndRebuildsReachAll(t *testing.T) {
	nc, client := startNATS(t, 0)
	var mu sync.Mutex
	served := make(map[int]int)
	rebuilt := make(chan struct{}, 2)
	for i := range 2 {
		serve(t, nc, answer{rebuilt: rebuilt, search: func(context.Context, search.Request) (*search.Result, error) {
			mu.Lock()
			defer mu.Unlock()
			served[i]++
			return &search.Result{}, nil
		}})
	}
	c := search.NewClient(client)
	shared := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return served[0] > 0 && served[1] > 0
	}
	for deadline := time.Now().Add(10 * time.Second); !shared(); {
		if _, err := c.Search(t.Context(), search.Request{}); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("one indexer gets all requests")
		}
	}
	if err := c.Rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		select {
		case <-rebuilt:
		case <-time.After(10 * time.Second):
			t.Fatal("not every indexer rebuilds")
		}
	}
}
