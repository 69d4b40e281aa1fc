package bus_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"xinwen/news"
	"xinwen/news/bus"
)

// The contract holds for every way to run the bus.

func TestContractEmbedded(t *testing.T) {
	t.Parallel()
	contract(t, bus.Options{Config: bus.Config{Dir: t.TempDir(), RetryWindow: 300 * time.Millisecond}, Logger: testLog(t)})
}

func TestContractSeparateServer(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	contract(t, bus.Options{
		Config: bus.Config{URL: n.url, Dir: t.TempDir(), Monitor: []string{n.monitor}, RetryWindow: 300 * time.Millisecond},
		Logger: testLog(t),
	})
}

func TestContractCluster(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("three servers: not with -short, too slow for elections with -race")
	}
	t.Parallel()
	nodes := startCluster(t)
	var urls, monitors []string
	for _, n := range nodes {
		urls, monitors = append(urls, n.url), append(monitors, n.monitor)
	}
	o := bus.Options{
		Config: bus.Config{URL: strings.Join(urls, ","), Dir: t.TempDir(), Monitor: monitors, Replicas: 3, RetryWindow: 300 * time.Millisecond},
		Logger: testLog(t),
	}
	contract(t, o)
	o.RetryWindow = 0
	t.Run("LeaderKill", func(t *testing.T) { testLeaderKill(t, o, nodes) })
}

func contract(t *testing.T, o bus.Options) {
	b := open(t, o)
	for _, c := range []struct {
		name string
		test func(*testing.T, *bus.Bus)
	}{
		{"PublishConsume", testPublishConsume},
		{"DuplicateID", testDuplicateID},
		{"Redeliver", testRedeliver},
		{"RetryAfter", testRetryAfter},
		{"BackPressureFromHandler", testHandlerFull},
		{"FromNow", testFromNow},
		{"Shutdown", testShutdown},
		{"Permanent", testPermanent},
		{"LastTry", testLastTry},
		{"Advisory", testAdvisory},
		{"LargePage", testLargePage},
		{"Read", testRead},
		{"ReadAhead", testReadAhead},
		{"Timer", testTimer},
		{"FullStream", testFullStream},
		{"FullPages", testFullPages},
		{"TooLarge", testTooLarge},
		{"KV", testKV},
		{"Status", testStatus},
		{"Erase", testErase},
		{"Outbox", testOutbox},
	} {
		if !t.Run(c.name, func(t *testing.T) { c.test(t, b) }) {
			return
		}
	}
	t.Run("OutboxSurvivesRestart", func(t *testing.T) { testOutboxRestart(t, b, o) })
}

var articleNumber atomic.Int64

// article returns an article unlike any before.
func article() *news.Article {
	n := articleNumber.Add(1)
	return &news.Article{
		ID: fmt.Sprintf("id%d", n), Revision: n,
		URL:    fmt.Sprintf("https://chips.example/%d", n),
		Source: "chips.example", Title: "存储芯片", Text: "价格上涨。", Lang: "zh", Script: news.ScriptHans,
		Fetched: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

// publish publishes n articles and returns them.
func publish(t *testing.T, b *bus.Bus, n int) []*news.Article {
	t.Helper()
	var all []*news.Article
	for range n {
		a := article()
		if err := b.PublishArticle(deadline(t), a); err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

// consumed is a consumer that runs until its test has seen enough.
type consumed struct {
	stop context.CancelFunc
	done chan error
}

func consume(t *testing.T, b *bus.Bus, c bus.ConsumerConfig, h bus.Handler) *consumed {
	t.Helper()
	ctx, cancel := context.WithCancel(deadline(t))
	run := &consumed{stop: cancel, done: make(chan error, 1)}
	if c.Name == "" {
		c.Name = strings.ReplaceAll(t.Name(), "/", "-")
		c.FromNow = true
	}
	go func() { run.done <- b.Consume(ctx, c, h) }()
	t.Cleanup(func() { run.end(t) })
	wait(t, "consumer has a leader", func() bool {
		try, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		cons, err := b.JetStream().Consumer(try, c.Stream, c.Name)
		if err != nil {
			return false
		}
		cluster := cons.CachedInfo().Cluster
		return b.Conn().ConnectedClusterName() == "" || (cluster != nil && cluster.Leader != "")
	})
	return run
}

// end stops the consumer and fails unless it ends well.
func (c *consumed) end(t *testing.T) {
	t.Helper()
	c.stop()
	select {
	case err, ok := <-c.done:
		if ok && err != nil {
			t.Errorf("Consume: %v", err)
		}
		if ok {
			close(c.done)
		}
	case <-time.After(20 * time.Second):
		t.Error("Consume does not return")
	}
}

func next[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(30 * time.Second):
		t.Fatal("waited too long for a message")
		panic("unreachable")
	}
}

func drained(t *testing.T, b *bus.Bus, stream, name string) {
	t.Helper()
	wait(t, "everything acked", func() bool {
		c, err := b.JetStream().Consumer(deadline(t), stream, name)
		if err != nil {
			return false
		}
		info := c.CachedInfo()
		return info.NumPending == 0 && info.NumAckPending == 0
	})
}

func testPublishConsume(t *testing.T, b *bus.Bus) {
	got := make(chan *bus.Message, 100)
	c := consume(t, b, bus.ConsumerConfig{Stream: bus.Articles, Name: "all", Workers: 4}, func(_ context.Context, m *bus.Message) error {
		got <- m
		return nil
	})
	want := make(map[string]bool)
	for _, a := range publish(t, b, 20) {
		want[a.ID] = true
	}
	for range 20 {
		m := next(t, got)
		a, err := news.ParseArticle(m.Data)
		if err != nil {
			t.Fatal(err)
		}
		if !want[a.ID] {
			t.Errorf("got article %s twice or out of nowhere", a.ID)
		}
		delete(want, a.ID)
		if m.Attempt != 1 || m.Seq == 0 || m.Stream != bus.Articles || m.Subject != "xinwen.articles.chips_example" ||
			!strings.HasPrefix(m.ID, "a."+a.ID+".") || m.Header.Get(bus.HeaderURL) != a.URL || time.Since(m.Time) > time.Minute {
			t.Errorf("got message %+v", m)
		}
	}
	drained(t, b, bus.Articles, "all")
	c.end(t)
}

func testDuplicateID(t *testing.T, b *bus.Bus) {
	ctx := deadline(t)
	before, err := b.LastSeq(ctx, bus.Articles)
	if err != nil {
		t.Fatal(err)
	}
	a := article()
	for range 3 {
		a.Extracted = a.Extracted.Add(time.Hour) // extracted again after a redelivery
		if err := b.PublishArticle(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	a.Text += "又一句。"
	if err := b.PublishArticle(ctx, a); err != nil {
		t.Fatal(err)
	}
	after, err := b.LastSeq(ctx, bus.Articles)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := after-before, uint64(2); got != want {
		t.Errorf("got %d messages, want %d", got, want)
	}
}

func testRedeliver(t *testing.T, b *bus.Bus) {
	attempts := make(chan int, 10)
	cfg := bus.ConsumerConfig{
		Stream: bus.Articles, RetryDelay: 20 * time.Millisecond, AckWait: time.Second, Timeout: 200 * time.Millisecond, MaxDeliver: 5,
	}
	consume(t, b, cfg, func(ctx context.Context, m *bus.Message) error {
		attempts <- m.Attempt
		switch m.Attempt {
		case 1:
			return errors.New("not yet")
		case 2:
			panic("a handler may panic")
		case 3:
			<-ctx.Done() // a try may hang
			return ctx.Err()
		}
		return nil
	})
	publish(t, b, 1)
	for want := 1; want <= 4; want++ {
		if got := next(t, attempts); got != want {
			t.Errorf("got attempt %d, want %d", got, want)
		}
	}
}

func testRetryAfter(t *testing.T, b *bus.Bus) {
	times := make(chan time.Time, 10)
	consume(t, b, bus.ConsumerConfig{Stream: bus.Articles}, func(_ context.Context, m *bus.Message) error {
		times <- time.Now()
		if m.Attempt == 1 {
			return bus.RetryAfter(700*time.Millisecond, errors.New("come back later"))
		}
		return nil
	})
	publish(t, b, 1)
	first := next(t, times)
	if got, want := next(t, times).Sub(first), 650*time.Millisecond; got < want {
		t.Errorf("second try came after %s, want at least %s", got, want)
	}
}

func testHandlerFull(t *testing.T, b *bus.Bus) {
	attempts := make(chan int, 10)
	calls := 0
	consume(t, b, bus.ConsumerConfig{Stream: bus.Articles, MaxDeliver: 1}, func(_ context.Context, m *bus.Message) error {
		attempts <- m.Attempt
		if calls++; calls == 1 {
			return fmt.Errorf("publish further on: %w", bus.ErrFull)
		}
		return nil
	})
	publish(t, b, 1)
	if got, want := []int{next(t, attempts), next(t, attempts)}, []int{1, 1}; !cmp.Equal(got, want) {
		t.Errorf("got attempts %v, want %v", got, want)
	}
}

func testFromNow(t *testing.T, b *bus.Bus) {
	publish(t, b, 3)
	got := make(chan string, 10)
	h := func(_ context.Context, m *bus.Message) error {
		got <- m.Header.Get(bus.HeaderURL)
		return nil
	}
	cfg := bus.ConsumerConfig{Stream: bus.Articles, Name: "from-now", FromNow: true}
	c := consume(t, b, cfg, h)
	a := publish(t, b, 1)[0]
	if got := next(t, got); got != a.URL {
		t.Errorf("got %s, want %s", got, a.URL)
	}
	c.end(t)
	// It exists now: what comes while it is away is not new but next.
	a = publish(t, b, 1)[0]
	consume(t, b, cfg, h)
	if got := next(t, got); got != a.URL {
		t.Errorf("got %s, want %s", got, a.URL)
	}
}

func testShutdown(t *testing.T, b *bus.Bus) {
	const n = 12
	entered, release := make(chan struct{}, n), make(chan struct{})
	cfg := bus.ConsumerConfig{Stream: bus.Articles, Name: "shutdown", FromNow: true, Workers: 2}
	first := make(chan uint64, n)
	c := consume(t, b, cfg, func(_ context.Context, m *bus.Message) error {
		entered <- struct{}{}
		<-release
		first <- m.Seq
		return nil
	})
	publish(t, b, n)
	next(t, entered)
	next(t, entered)
	c.stop()
	close(release) // the two in flight finish
	c.end(t)
	if got := len(first); got != 2 {
		t.Fatalf("got %d messages handled at shutdown, want 2", got)
	}
	second := make(chan uint64, n)
	began := time.Now()
	consume(t, b, cfg, func(_ context.Context, m *bus.Message) error {
		second <- m.Seq
		return nil
	})
	for range n - 2 {
		next(t, second)
	}
	if took := time.Since(began); took > 10*time.Second { // far below AckWait
		t.Errorf("the rest came after %s", took)
	}
	drained(t, b, bus.Articles, "shutdown")
}

type hinted struct{ error }

func (hinted) Hint() string { return "look at the page" }

// quarantined waits for one message of the stream in QUARANTINE.
func quarantined(t *testing.T, b *bus.Bus, match func(bus.Quarantined) bool) bus.Quarantined {
	t.Helper()
	var found bus.Quarantined
	wait(t, "message in quarantine", func() bool {
		list, err := b.ListQuarantine(deadline(t), 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range list {
			if match(q) {
				found = q
				return true
			}
		}
		return false
	})
	return found
}

func testPermanent(t *testing.T, b *bus.Bus) {
	got := make(chan *bus.Message, 10)
	poisoned := true
	consume(t, b, bus.ConsumerConfig{Stream: bus.Articles, Name: "perm", FromNow: true}, func(_ context.Context, m *bus.Message) error {
		got <- m
		if poisoned {
			poisoned = false
			return bus.Permanent(hinted{errors.New("no\r\nbody 正文")})
		}
		return nil
	})
	a := publish(t, b, 1)[0]
	first := next(t, got)
	q := quarantined(t, b, func(q bus.Quarantined) bool { return q.URL == a.URL })
	want := bus.Quarantined{
		Seq: q.Seq, Service: b.Name(), Consumer: "perm", Reason: "no body 正文", Hint: "look at the page",
		Subject: "xinwen.articles.chips_example", Stream: bus.Articles, StreamSeq: first.Seq,
		Attempts: 1, Time: q.Time, Size: len(first.Data), URL: a.URL,
	}
	if d := cmp.Diff(want, q); d != "" {
		t.Errorf("quarantined (-want +got):\n%s", d)
	}
	drained(t, b, bus.Articles, "perm")

	n, err := b.ReplayQuarantine(deadline(t), q.Seq)
	if n != 1 || err != nil {
		t.Fatalf("got %d, %v, want 1 replayed", n, err)
	}
	again := next(t, got)
	if !bytes.Equal(again.Data, first.Data) || again.Subject != first.Subject || again.Seq <= first.Seq ||
		again.Header.Get(bus.HeaderURL) != a.URL || again.Header.Get(bus.HeaderReason) != "" {
		t.Errorf("got replayed message %+v, want like %+v", again, first)
	}
	if list, err := b.ListQuarantine(deadline(t), 0); len(list) != 0 || err != nil {
		t.Errorf("got %v, %v, want nothing left in quarantine", list, err)
	}
	if _, err := b.ReplayQuarantine(deadline(t), q.Seq); !errors.Is(err, jetstream.ErrMsgNotFound) {
		t.Errorf("got %v, want ErrMsgNotFound for a second replay", err)
	}
}

func testLastTry(t *testing.T, b *bus.Bus) {
	attempts := make(chan int, 10)
	cfg := bus.ConsumerConfig{Stream: bus.Articles, RetryDelay: 10 * time.Millisecond, MaxDeliver: 2}
	consume(t, b, cfg, func(_ context.Context, m *bus.Message) error {
		attempts <- m.Attempt
		return errors.New("never works")
	})
	a := publish(t, b, 1)[0]
	q := quarantined(t, b, func(q bus.Quarantined) bool { return q.URL == a.URL })
	if q.Attempts != 2 || q.Reason != "never works" || len(attempts) != 2 {
		t.Errorf("got %+v after %d tries", q, len(attempts))
	}
	if err := b.JetStream().DeleteConsumer(deadline(t), bus.Articles, strings.ReplaceAll(t.Name(), "/", "-")); err != nil {
		t.Fatal(err)
	}
	if n, err := b.ReplayQuarantine(deadline(t)); n != 1 || err != nil {
		t.Fatalf("got %d, %v, want 1 replayed", n, err)
	}
}

// testAdvisory is a foreign program's consumer that gives up by itself.
func testAdvisory(t *testing.T, b *bus.Bus) {
	ctx := deadline(t)
	cons, err := b.JetStream().CreateConsumer(ctx, bus.Articles, jetstream.ConsumerConfig{
		AckPolicy: jetstream.AckExplicitPolicy, DeliverPolicy: jetstream.DeliverNewPolicy,
	})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, b, 1)
	msg, err := cons.Next()
	if err != nil {
		t.Fatal(err)
	}
	if err := msg.TermWithReason("foreign"); err != nil {
		t.Fatal(err)
	}
	md, err := msg.Metadata()
	if err != nil {
		t.Fatal(err)
	}
	q := quarantined(t, b, func(q bus.Quarantined) bool { return q.StreamSeq == md.Sequence.Stream })
	if q.Reason != "terminated: foreign" || q.Stream != bus.Articles || q.Attempts != 1 {
		t.Errorf("got %+v", q)
	}
	// The server also calls terminated what was acked in a work queue before a
	// crash.
	const terminated = "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED."
	if name, err := b.JetStream().StreamNameBySubject(ctx, terminated+"FRONTIER.x"); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("got stream %q, %v for terminated messages of FRONTIER, want none", name, err)
	}
	before, err := b.LastSeq(ctx, bus.Articles)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := b.ReplayQuarantine(ctx, q.Seq); n != 1 || err != nil {
		t.Fatalf("got %d, %v, want 1 replayed", n, err)
	}
	if after, err := b.LastSeq(ctx, bus.Articles); after != before+1 || err != nil {
		t.Errorf("got sequence %d, %v, want %d", after, err, before+1)
	}
}

// noise returns bytes that no compression makes smaller.
func noise(n int) []byte {
	r := rand.NewChaCha8([32]byte{byte(n)})
	out := make([]byte, n)
	_, _ = r.Read(out) // never fails
	return out
}

// samePage spares cmp the bodies, which are large.
func samePage(t *testing.T, got, want *news.Page) {
	t.Helper()
	g, w := *got, *want
	g.Body, w.Body = nil, nil
	if d := cmp.Diff(w, g); d != "" {
		t.Errorf("page (-want +got):\n%s", d)
	}
	if !bytes.Equal(got.Body, want.Body) {
		t.Errorf("page %s: got another body of %d bytes, want %d", want.ID, len(got.Body), len(want.Body))
	}
}

func testLargePage(t *testing.T, b *bus.Bus) {
	ctx := deadline(t)
	small := &news.Page{
		ID: "small", URL: "https://a.example/s", Source: "a", Status: 200, ContentType: "text/html",
		Fetched: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Body: bytes.Repeat([]byte("<p>芯片</p>\n"), 10000),
	}
	large := &news.Page{ID: "large", URL: "https://a.example/l", Source: "a", Status: 200, Body: noise(3 << 20)}
	got := make(chan *news.Page, 10)
	carried := make(chan *bus.Message, 10)
	poisoned := false
	consume(t, b, bus.ConsumerConfig{Stream: bus.Pages, Name: "large"}, func(ctx context.Context, m *bus.Message) error {
		if poisoned {
			return bus.Permanent(errors.New("poison"))
		}
		p, err := b.Page(ctx, m)
		if err != nil {
			return err
		}
		carried <- m
		got <- p
		return nil
	})
	for _, p := range []*news.Page{small, large, large} {
		if err := b.PublishPage(ctx, p); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []*news.Page{small, large} {
		samePage(t, next(t, got), want)
		if m := next(t, carried); len(m.Data) > 700<<10 || (m.Header.Get(bus.HeaderClaim) != "") != (want == large) {
			t.Errorf("page %s travelled with %d bytes, claim %q", want.ID, len(m.Data), m.Header.Get(bus.HeaderClaim))
		}
	}
	drained(t, b, bus.Pages, "large")

	// In quarantine a large page outlives the age limit of pages.
	poisoned = true
	large.Body = noise(2 << 20)
	if err := b.PublishPage(ctx, large); err != nil {
		t.Fatal(err)
	}
	q := quarantined(t, b, func(q bus.Quarantined) bool { return q.URL == large.URL })
	drained(t, b, bus.Pages, "large")
	poisoned = false
	pages, err := b.JetStream().ObjectStore(ctx, "pages")
	if err != nil {
		t.Fatal(err)
	}
	list, err := pages.List(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list {
		if err := pages.Delete(ctx, o.Name); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := b.ReplayQuarantine(ctx, q.Seq); n != 1 || err != nil {
		t.Fatalf("got %d, %v, want 1 replayed", n, err)
	}
	samePage(t, next(t, got), large)
	kept, err := b.JetStream().ObjectStore(ctx, "quarantine")
	if err != nil {
		t.Fatal(err)
	}
	if list, err := kept.List(ctx); !errors.Is(err, jetstream.ErrNoObjectsFound) {
		t.Errorf("got %v, %v, want no object left of quarantine", list, err)
	}

	bad := &bus.Message{Stream: bus.Pages, Header: nats.Header{"Content-Encoding": {"zstd"}}, Data: []byte("no zstd")}
	if _, err := b.Page(ctx, bad); !bus.IsPermanent(err) {
		t.Errorf("got %v, want a permanent error for damaged data", err)
	}
	gone := &bus.Message{Stream: bus.Pages, Header: nats.Header{bus.HeaderClaim: {"pages/gone"}}}
	if _, err := b.Page(ctx, gone); !bus.IsPermanent(err) {
		t.Errorf("got %v, want a permanent error for a missing object", err)
	}
	gone.Time = time.Now()
	if _, err := b.Page(ctx, gone); err == nil || bus.IsPermanent(err) {
		t.Errorf("got %v, want another try for an object that may be on its way", err)
	}
}

// reading collects what Read applies.
type reading struct {
	mu      sync.Mutex
	seqs    []uint64
	batches []int
	stop    context.CancelFunc
	done    chan error
}

func read(t *testing.T, b *bus.Bus, c bus.ReadConfig) *reading {
	ctx, cancel := context.WithCancel(deadline(t))
	r := &reading{stop: cancel, done: make(chan error, 1)}
	go func() {
		r.done <- b.Read(ctx, c, func(_ context.Context, ms []*bus.Message) error {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.batches = append(r.batches, len(ms))
			for _, m := range ms {
				r.seqs = append(r.seqs, m.Seq)
			}
			return nil
		})
	}()
	t.Cleanup(cancel)
	return r
}

// upTo waits until sequence last was read, stops, and returns all sequences.
func (r *reading) upTo(t *testing.T, last uint64) []uint64 {
	t.Helper()
	wait(t, fmt.Sprintf("read up to %d", last), func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return len(r.seqs) > 0 && r.seqs[len(r.seqs)-1] >= last
	})
	r.stop()
	if err := next(t, r.done); err != nil {
		t.Errorf("Read: %v", err)
	}
	return r.seqs
}

func testRead(t *testing.T, b *bus.Bus) {
	ctx := deadline(t)
	end, err := b.LastSeq(ctx, bus.Articles)
	if err != nil {
		t.Fatal(err)
	}
	from := end + 1
	publish(t, b, 30)
	s, err := b.JetStream().Stream(ctx, bus.Articles)
	if err != nil {
		t.Fatal(err)
	}
	for _, seq := range []uint64{from + 3, from + 4, from + 20} {
		if err := s.DeleteMsg(ctx, seq); err != nil {
			t.Fatal(err)
		}
	}
	r := read(t, b, bus.ReadConfig{Stream: bus.Articles, From: from, MaxMessages: 10, MaxWait: 50 * time.Millisecond})
	wait(t, "first part read", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.seqs) == 27 })
	publish(t, b, 5) // arrives while reading
	var want []uint64
	for seq := from; seq < from+35; seq++ {
		if seq != from+3 && seq != from+4 && seq != from+20 {
			want = append(want, seq)
		}
	}
	if got := r.upTo(t, from+34); !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, n := range r.batches {
		if n > 10 {
			t.Errorf("got a batch of %d, want at most 10", n)
		}
	}

	// An error of apply ends Read at once.
	broken := errors.New("index is broken")
	err = b.Read(ctx, bus.ReadConfig{Stream: bus.Articles, From: from, MaxBytes: 1}, func(_ context.Context, ms []*bus.Message) error {
		if len(ms) != 1 {
			t.Errorf("got a batch of %d, want 1 by MaxBytes", len(ms))
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}

func testReadAhead(t *testing.T, b *bus.Bus) {
	ctx := deadline(t)
	end, err := b.LastSeq(ctx, bus.Articles)
	if err != nil {
		t.Fatal(err)
	}
	apply := func(context.Context, []*bus.Message) error { return nil }
	if err := b.Read(ctx, bus.ReadConfig{Stream: bus.Articles, From: end + 2}, apply); !errors.Is(err, bus.ErrAhead) {
		t.Errorf("got %v, want ErrAhead", err)
	}
	if err := b.Read(ctx, bus.ReadConfig{Stream: "NONE"}, apply); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("got %v, want ErrStreamNotFound", err)
	}
}

func testTimer(t *testing.T, b *bus.Bus) {
	ctx := deadline(t)
	got := make(chan string, 10)
	consume(t, b, bus.ConsumerConfig{Stream: bus.Frontier, Name: "fetch", Filter: bus.SubjectFetch + ">"}, func(_ context.Context, m *bus.Message) error {
		got <- string(m.Data)
		return nil
	})
	due := time.Now().Add(1200 * time.Millisecond)
	subject := bus.SubjectFetch + bus.Token("a.example")
	for _, m := range []struct {
		id, data string
		at       time.Time
	}{
		{"timer", "replaced", due.Add(time.Hour)},
		{"timer", "later", due},
		{"", "now", time.Time{}},
	} {
		if err := b.PublishAt(ctx, &bus.Message{Subject: subject, ID: m.id, Data: []byte(m.data)}, m.at); err != nil {
			t.Fatal(err)
		}
	}
	if got := next(t, got); got != "now" {
		t.Errorf("got %q, want now", got)
	}
	if got := next(t, got); got != "later" {
		t.Errorf("got %q, want later", got)
	}
	if early := time.Until(due); early > 0 {
		t.Errorf("came %s too early", early)
	}
	wait(t, "work queue empty", func() bool {
		st, err := b.Status(ctx)
		return err == nil && st[0].Messages == 0
	})
	if err := b.PublishAt(ctx, &bus.Message{Subject: "xinwen.pages.a"}, due); !bus.IsPermanent(err) {
		t.Errorf("got %v, want a permanent error", err)
	}
}

// limit sets the byte limit of a stream to what it holds now plus more.
func limit(t *testing.T, b *bus.Bus, stream string, more int64) (restore func()) {
	t.Helper()
	ctx := deadline(t)
	s, err := b.JetStream().Stream(ctx, stream)
	if err != nil {
		t.Fatal(err)
	}
	old := s.CachedInfo().Config
	cfg := old
	cfg.MaxBytes = int64(s.CachedInfo().State.Bytes) + more
	if _, err := b.JetStream().UpdateStream(ctx, cfg); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if _, err := b.JetStream().UpdateStream(ctx, old); err != nil {
			t.Fatal(err)
		}
	}
}

func alert(n int, size int) *news.Alert {
	return &news.Alert{ID: fmt.Sprintf("alert%d", n), Rule: "r", Query: strings.Repeat("x", size)}
}

func testFullStream(t *testing.T, b *bus.Bus) {
	ctx := deadline(t)
	restore := limit(t, b, bus.Alerts, 50_000)
	full := -1
	for i := range 10 {
		err := b.PublishAlert(ctx, alert(1000+i, 10_000))
		if errors.Is(err, bus.ErrFull) {
			full = i
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if full < 3 || full > 5 {
		t.Errorf("full after %d messages of 10 kB in 50 kB", full)
	}
	if got := b.Outbox(); got.Messages != 0 {
		t.Errorf("got %v in the outbox, want nothing: a full stream is back-pressure", got)
	}
	restore()
	if err := b.PublishAlert(ctx, alert(1000+full, 10_000)); err != nil {
		t.Error(err)
	}
}

// Handled pages make room for new ones, others do not.
func testFullPages(t *testing.T, b *bus.Bus) {
	ctx := deadline(t)
	if err := b.JetStream().DeleteConsumer(ctx, bus.Pages, "large"); err != nil {
		t.Fatal(err)
	}
	hold := make(chan struct{})
	got := make(chan uint64, 100)
	cfg := bus.ConsumerConfig{Stream: bus.Pages, Name: "trim"}
	consume(t, b, cfg, func(ctx context.Context, m *bus.Message) error {
		got <- m.Seq
		if m.Seq > 15 {
			select {
			case <-hold:
			case <-ctx.Done():
			}
		}
		return nil
	})
	restore := limit(t, b, bus.Pages, 100_000)
	defer restore()
	page := func(i int) *news.Page {
		body := noise(10_000)
		body[0] = byte(i)
		return &news.Page{ID: fmt.Sprint("trim", i), URL: "https://a.example/t", Source: "a", Status: 200, Body: body}
	}
	published := 0
	for err := error(nil); err == nil; {
		if err = b.PublishPage(ctx, page(published)); err == nil {
			published++
		} else if !errors.Is(err, bus.ErrFull) {
			t.Fatal(err)
		}
		if published > 40 {
			t.Fatal("a stream with pages not handled yet is never full")
		}
	}
	if published < 9 { // as many as there is room for, if none is handled in time
		t.Errorf("full after %d pages of 10 kB in 100 kB", published)
	}
	close(hold)
	drained(t, b, bus.Pages, "trim")
	wait(t, "handled pages make room", func() bool { return b.PublishPage(ctx, page(published)) == nil })
	last, err := b.LastSeq(ctx, bus.Pages)
	if err != nil {
		t.Fatal(err)
	}
	for seq := uint64(0); seq != last; { // nothing was dropped before it was handled
		n := next(t, got)
		if seq > 0 && n != seq+1 {
			t.Errorf("got page %d after %d", n, seq)
		}
		seq = n
	}
}

func testTooLarge(t *testing.T, b *bus.Bus) {
	a := article()
	a.Text = strings.Repeat("x", 950<<10)
	err := b.PublishArticle(deadline(t), a)
	if !errors.Is(err, bus.ErrTooLarge) || !bus.IsPermanent(err) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
	if err := b.Publish(deadline(t), &bus.Message{Subject: "elsewhere.x"}); !bus.IsPermanent(err) {
		t.Errorf("got %v, want a permanent error for a foreign subject", err)
	}
	if err := b.PublishPage(deadline(t), &news.Page{ID: "x", Body: make([]byte, bus.MaxPageBytes)}); !errors.Is(err, bus.ErrTooLarge) {
		t.Errorf("got %v, want ErrTooLarge", err)
	}
}

func testKV(t *testing.T, b *bus.Bus) {
	ctx := deadline(t)
	for _, name := range []string{bus.KVSources, bus.KVFeeds, bus.KVHosts, bus.KVSeen, bus.KVRules, bus.KVDeliveries, bus.KVSourceChanges, bus.KVParts, bus.KVMemory} {
		kv := b.KV(name)
		if kv == nil {
			t.Fatalf("no bucket %s", name)
		}
		key := bus.Key("https://a.example/芯片?a=1&b=.*>")
		rev, err := kv.Create(ctx, key, []byte("1"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kv.Create(ctx, key, []byte("2")); !errors.Is(err, jetstream.ErrKeyExists) {
			t.Errorf("got %v, want ErrKeyExists", err)
		}
		if _, err := kv.Update(ctx, key, []byte("2"), rev); err != nil {
			t.Error(err)
		}
		if _, err := kv.Update(ctx, key, []byte("3"), rev); err == nil {
			t.Error("an update from an old revision went through")
		}
		e, err := kv.Get(ctx, key)
		if err != nil || string(e.Value()) != "2" {
			t.Errorf("got %v, %v, want 2", e, err)
		}
	}
	if b.KV("none") != nil {
		t.Error("got a bucket that does not exist")
	}
	if _, err := b.KV(bus.KVSeen).Create(ctx, "short", nil, jetstream.KeyTTL(time.Second)); err != nil {
		t.Error(err)
	}
}

func testStatus(t *testing.T, b *bus.Bus) {
	ctx := deadline(t)
	if err := b.Check(ctx); err != nil {
		t.Errorf("Check: %v", err)
	}
	st, err := b.Status(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range st {
		names = append(names, s.Name)
	}
	if want := []string{bus.Frontier, bus.Pages, bus.Articles, bus.Alerts, bus.Quarantine}; !cmp.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
	last, err := b.LastSeq(ctx, bus.Articles)
	if err != nil {
		t.Fatal(err)
	}
	if st[2].LastSeq != last || st[2].Messages == 0 || st[2].Bytes == 0 || len(st[2].Consumers) == 0 {
		t.Errorf("got %+v", st[2])
	}
}

// without takes a stream away for a while, which is like an outage to whoever
// publishes to it.
func without(t *testing.T, b *bus.Bus, stream string) (restore func(js jetstream.JetStream)) {
	t.Helper()
	ctx := deadline(t)
	s, err := b.JetStream().Stream(ctx, stream)
	if err != nil {
		t.Fatal(err)
	}
	cfg := s.CachedInfo().Config
	if err := b.JetStream().DeleteStream(ctx, stream); err != nil {
		t.Fatal(err)
	}
	return func(js jetstream.JetStream) {
		t.Helper()
		if _, err := js.CreateStream(ctx, cfg); err != nil {
			t.Fatal(err)
		}
	}
}

// alertIDs returns the IDs of a stream's messages in order.
func alertIDs(t *testing.T, b *bus.Bus, n int) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(deadline(t))
	defer cancel()
	var ids []string
	err := b.Read(ctx, bus.ReadConfig{Stream: bus.Alerts, MaxWait: time.Millisecond}, func(_ context.Context, ms []*bus.Message) error {
		for _, m := range ms {
			ids = append(ids, m.ID)
		}
		if len(ids) >= n {
			cancel()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func testOutbox(t *testing.T, b *bus.Bus) {
	ctx := deadline(t)
	restore := without(t, b, bus.Alerts)
	var want []string
	for i := range 20 {
		began := time.Now()
		if err := b.PublishAlert(ctx, alert(i, 10)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); i > 0 && took > 250*time.Millisecond {
			t.Errorf("publish %d took %s: only the first may wait for the retry window", i, took)
		}
		want = append(want, fmt.Sprintf("alert.alert%d", i))
	}
	if got := b.Outbox(); got.Messages != 20 || got.Bytes == 0 {
		t.Errorf("got outbox %+v, want 20 messages", got)
	}
	publish(t, b, 1) // other streams go on
	restore(b.JetStream())
	wait(t, "outbox empty", func() bool { return b.Outbox() == bus.OutboxStatus{} })
	if got := alertIDs(t, b, 20); !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}

	// ctx ends a publish before the retry window does.
	restore = without(t, b, bus.Alerts)
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if err := b.PublishAlert(short, alert(99, 10)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want deadline exceeded", err)
	}
	restore(b.JetStream())
}

// testOutboxRestart is the last test of a contract: it closes b.
func testOutboxRestart(t *testing.T, b *bus.Bus, o bus.Options) {
	restore := without(t, b, bus.Alerts)
	for i := range 3 {
		if err := b.PublishAlert(deadline(t), alert(50+i, 10)); err != nil {
			t.Fatal(err)
		}
	}
	if o.URL != "" {
		// The server stays: take the stream back only after the bus is closed.
		nc, err := nats.Connect(o.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		js, err := jetstream.New(nc)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { restore(js) }()
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, o) // creates what is missing
	wait(t, "outbox empty", func() bool { return b.Outbox() == bus.OutboxStatus{} })
	want := []string{"alert.alert50", "alert.alert51", "alert.alert52"}
	if got := alertIDs(t, b, 3); !cmp.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
