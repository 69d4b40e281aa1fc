package bus_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"xinwen/news/bus"
)

// load publishes, reads and consumes all the time, and remembers everything.
type load struct {
	bus *bus.Bus

	mu       sync.Mutex
	acked    map[string]bool // message IDs that Publish took
	handled  map[string]bool
	sequence []uint64 // what Read applied
}

// startLoad runs publishers until stop is called. Reader and consumer go on.
func startLoad(t *testing.T, b *bus.Bus, publishers int) (l *load, stop func()) {
	t.Helper()
	l = &load{bus: b, acked: make(map[string]bool), handled: make(map[string]bool)}
	first, err := b.LastSeq(deadline(t), bus.Articles)
	if err != nil {
		t.Fatal(err)
	}
	consume(t, b, bus.ConsumerConfig{Stream: bus.Articles, Name: "load", FromNow: true, Workers: 4, AckWait: 3 * time.Second},
		func(_ context.Context, m *bus.Message) error {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.handled[m.Header.Get(bus.HeaderURL)] = true
			return nil
		})
	var wg sync.WaitGroup
	rctx, rcancel := context.WithCancel(deadline(t))
	wg.Go(func() {
		err := b.Read(rctx, bus.ReadConfig{Stream: bus.Articles, From: first + 1, MaxWait: 20 * time.Millisecond},
			func(_ context.Context, ms []*bus.Message) error {
				l.mu.Lock()
				defer l.mu.Unlock()
				for _, m := range ms {
					l.sequence = append(l.sequence, m.Seq)
				}
				return nil
			})
		if err != nil {
			t.Errorf("Read: %v", err)
		}
	})
	t.Cleanup(func() { rcancel(); wg.Wait() })
	pctx, pcancel := context.WithCancel(deadline(t))
	var pubs sync.WaitGroup
	for range publishers {
		pubs.Go(func() {
			for pctx.Err() == nil {
				a := article()
				// The context of the whole test: stop ends publishers between messages.
				if err := b.PublishArticle(rctx, a); err != nil {
					if rctx.Err() == nil {
						t.Errorf("PublishArticle: %v", err)
					}
					return
				}
				l.mu.Lock()
				l.acked[a.URL] = true
				l.mu.Unlock()
			}
		})
	}
	return l, func() { pcancel(); pubs.Wait() }
}

// more waits until n further messages were acked.
func (l *load) more(t *testing.T, n int) {
	t.Helper()
	count := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.acked)
	}
	goal := count() + n
	wait(t, fmt.Sprintf("%d more acks", n), func() bool { return count() >= goal })
}

// check proves that what was acked is in the stream once, and was read in order
// and handled.
func (l *load) check(t *testing.T) {
	t.Helper()
	ctx := deadline(t)
	wait(t, "outbox empty", func() bool { return l.bus.Outbox().Messages == 0 })
	last, err := l.bus.LastSeq(ctx, bus.Articles)
	if err != nil {
		t.Fatal(err)
	}
	wait(t, "everything read and handled", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.sequence) > 0 && l.sequence[len(l.sequence)-1] == last && len(l.handled) >= len(l.acked)
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, seq := range l.sequence {
		if i > 0 && seq != l.sequence[i-1]+1 {
			t.Errorf("read %d after %d", seq, l.sequence[i-1])
		}
	}
	stored := make(map[string]int)
	s, err := l.bus.JetStream().Stream(ctx, bus.Articles)
	if err != nil {
		t.Fatal(err)
	}
	for _, seq := range l.sequence {
		m, err := s.GetMsg(ctx, seq)
		if err != nil {
			t.Fatal(err)
		}
		stored[m.Header.Get(bus.HeaderURL)]++
	}
	lost, double, unhandled := 0, 0, 0
	for url := range l.acked {
		switch n := stored[url]; {
		case n == 0:
			lost++
		case n > 1:
			double++
		}
		if !l.handled[url] {
			unhandled++
		}
	}
	if lost+double+unhandled > 0 {
		t.Errorf("of %d acked messages %d are lost, %d double, %d unhandled", len(l.acked), lost, double, unhandled)
	}
	t.Logf("acked %d, stored %d, lost %d, double %d, unhandled %d", len(l.acked), len(stored), lost, double, unhandled)
}

func TestServerKilledWhilePublishing(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	b := open(t, bus.Options{Config: bus.Config{URL: n.url, Dir: t.TempDir()}, Logger: testLog(t)})
	l, stop := startLoad(t, b, 4)
	for range 3 {
		l.more(t, 150)
		n.kill(t)
		n.start(t)
	}
	l.more(t, 150)
	stop()
	l.check(t)
}

func testLeaderKill(t *testing.T, o bus.Options, nodes []*node) {
	b := open(t, o)
	l, stop := startLoad(t, b, 2)
	l.more(t, 100)
	s, err := b.JetStream().Stream(deadline(t), bus.Articles)
	if err != nil {
		t.Fatal(err)
	}
	leader := s.CachedInfo().Cluster.Leader
	i := slices.IndexFunc(nodes, func(n *node) bool { return n.name == leader })
	if i < 0 {
		t.Fatalf("no node is leader %q", leader)
	}
	nodes[i].kill(t)
	began := time.Now()
	l.more(t, 3) // two may have been on their way
	t.Logf("publishing again %s after the leader was killed", time.Since(began))
	l.more(t, 50)
	nodes[i].start(t)
	l.more(t, 50)
	stop()
	l.check(t)
}

// An outage that outlasts the retry window: work goes on into the outbox.
func TestServerAway(t *testing.T) {
	t.Parallel()
	n := startNode(t)
	b := open(t, bus.Options{
		Config: bus.Config{URL: n.url, Dir: t.TempDir(), RetryWindow: 200 * time.Millisecond}, Logger: testLog(t),
	})
	ctx := deadline(t)
	n.kill(t)
	if err := b.Check(ctx); err == nil {
		t.Error("Check is content without a server")
	}
	var want []string
	for i := range 5 {
		if err := b.PublishAlert(ctx, alert(i, 100)); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("alert.alert%d", i))
	}
	page := article()
	if err := b.PublishArticle(ctx, page); err != nil {
		t.Fatal(err)
	}
	if got := b.Outbox().Messages; got != 6 {
		t.Errorf("got %d messages in the outbox, want 6", got)
	}
	n.start(t)
	wait(t, "outbox empty", func() bool { return b.Outbox() == bus.OutboxStatus{} })
	if got := alertIDs(t, b, 5); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestOutboxIsBounded(t *testing.T) {
	t.Parallel()
	b := open(t, bus.Options{Config: bus.Config{Dir: t.TempDir(), RetryWindow: time.Millisecond, OutboxMaxBytes: 50_000}, Logger: testLog(t)})
	restore := without(t, b, bus.Alerts)
	for i := range 6 {
		err := b.PublishAlert(deadline(t), alert(i, 10_000))
		if (i < 4) != (err == nil) || (i > 4 && !errors.Is(err, bus.ErrFull)) {
			t.Errorf("publish %d: got %v", i, err)
		}
	}
	restore(b.JetStream())
	wait(t, "outbox empty", func() bool { return b.Outbox() == bus.OutboxStatus{} })
}

// victimEnv makes the test binary an all-in-one process that dies at work: the
// value is its directory.
const victimEnv = "XINWEN_BUS_TEST_VICTIM"

func victim(dir string) error {
	ctx := context.Background()
	b, err := bus.Open(ctx, bus.Options{Config: bus.Config{Dir: dir}})
	if err != nil {
		return err
	}
	for range 5 {
		if err := b.PublishArticle(ctx, article()); err != nil {
			return err
		}
	}
	started := make(chan struct{}, 5)
	go func() {
		for range 3 {
			<-started
		}
		// The server writes a consumer's state down a little later. A change of
		// the file after the third delivery has all three.
		third := time.Now()
		state := filepath.Join(dir, "jetstream", "$G", "streams", bus.Articles, "obs", "work", "o.dat")
		for tick := time.NewTicker(5 * time.Millisecond); ; <-tick.C {
			if info, err := os.Stat(state); err == nil && info.ModTime().After(third) {
				break
			}
		}
		fmt.Println("ready")
	}()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
		os.Exit(1)
	}()
	return b.Consume(ctx, bus.ConsumerConfig{Stream: bus.Articles, Name: "work", Workers: 3},
		func(ctx context.Context, _ *bus.Message) error {
			started <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
}

// What the killed process was handling comes again at once, not after AckWait.
func TestProcessKilledAtWork(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	v := &node{name: "victim", env: victimEnv, spec: dir}
	v.start(t)
	t.Cleanup(func() { v.kill(t) })
	_, err := bus.Open(deadline(t), bus.Options{Config: bus.Config{Dir: dir}})
	var hinted interface{ Hint() string }
	if !errors.As(err, &hinted) || hinted.Hint() != fmt.Sprintf("stop process %d, or give this one another directory", v.cmd.Process.Pid) {
		t.Errorf("got %v, want the process that holds the directory", err)
	}
	v.kill(t)
	b := open(t, bus.Options{Config: bus.Config{Dir: dir}, Logger: testLog(t)})
	got := make(chan *bus.Message, 5)
	began := time.Now()
	consume(t, b, bus.ConsumerConfig{Stream: bus.Articles, Name: "work"}, func(_ context.Context, m *bus.Message) error {
		got <- m
		return nil
	})
	again := 0
	for range 5 {
		if m := next(t, got); m.Attempt > 1 {
			again++
		}
	}
	if again != 3 {
		t.Errorf("got %d messages again, want 3", again)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
}

// A handler that ignores its context does not keep its message, and not the
// consumer.
func TestStuckHandlerIsGivenUp(t *testing.T) {
	t.Parallel()
	b := open(t, bus.Options{Config: bus.Config{Dir: t.TempDir()}, Logger: testLog(t)})
	release := make(chan struct{})
	defer close(release)
	got := make(chan string, 2)
	consume(t, b, bus.ConsumerConfig{Stream: bus.Articles, Name: "stuck", Timeout: 10 * time.Millisecond, MaxDeliver: 1},
		func(_ context.Context, m *bus.Message) error {
			got <- m.Header.Get(bus.HeaderURL)
			if m.Seq == 1 {
				<-release
			}
			return nil
		})
	all := publish(t, b, 2)
	for _, a := range all {
		if got := next(t, got); got != a.URL {
			t.Errorf("got %s, want %s", got, a.URL)
		}
	}
	q := quarantined(t, b, func(q bus.Quarantined) bool { return q.URL == all[0].URL })
	if !strings.Contains(q.Reason, "no result in 10ms") {
		t.Errorf("got reason %q", q.Reason)
	}
}

// A message that takes its process down each time is not tried for ever.
func TestMessageThatNeverFinishes(t *testing.T) {
	t.Parallel()
	b := open(t, bus.Options{Config: bus.Config{Dir: t.TempDir()}, Logger: testLog(t)})
	publish(t, b, 1)
	cfg := bus.ConsumerConfig{Stream: bus.Articles, Name: "deadly", MaxDeliver: 1, Grace: time.Millisecond}
	for i := range 3 {
		entered := make(chan struct{})
		c := consume(t, b, cfg, func(ctx context.Context, m *bus.Message) error {
			if m.Attempt != i+1 {
				t.Errorf("got attempt %d, want %d", m.Attempt, i+1)
			}
			close(entered)
			<-ctx.Done() // until the end of Grace
			return ctx.Err()
		})
		next(t, entered)
		c.end(t)
	}
	consume(t, b, cfg, func(context.Context, *bus.Message) error {
		t.Error("tried again")
		return nil
	})
	q := quarantined(t, b, func(q bus.Quarantined) bool { return q.StreamSeq == 1 })
	if q.Attempts != 4 || !strings.Contains(q.Reason, "never finished") {
		t.Errorf("got %+v", q)
	}
}
