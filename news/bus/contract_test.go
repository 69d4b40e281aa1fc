package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
		{"Alone", testAlone},
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
