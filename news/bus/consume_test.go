package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/news"
	"xinwen/news/bus"
)

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

// testAlone lets a client take messages and never say anything of them again.
func testAlone(t *testing.T, b *bus.Bus) {
	ctx := deadline(t)
	cfg := bus.ConsumerConfig{Stream: bus.Articles, Name: "alone", FromNow: true, AckWait: time.Hour, Alone: true}
	none := func(context.Context, *bus.Message) error { return nil }
	consume(t, b, cfg, none).end(t) // makes the consumer
	publish(t, b, 3)
	dead, err := b.JetStream().Consumer(ctx, bus.Articles, "alone")
	if err != nil {
		t.Fatal(err)
	}
	taken, err := dead.Fetch(3)
	if err != nil {
		t.Fatal(err)
	}
	for range taken.Messages() { // never acked
	}
	if info, err := dead.Info(ctx); err != nil || info.NumAckPending != 3 {
		t.Fatalf("got %+v, %v, want 3 messages in hand", info, err)
	}
	attempts := make(chan int, 3)
	c := consume(t, b, cfg, func(_ context.Context, m *bus.Message) error {
		attempts <- m.Attempt
		return nil
	})
	for range 3 {
		if n := next(t, attempts); n != 2 {
			t.Errorf("got attempt %d, want 2", n)
		}
	}
	drained(t, b, bus.Articles, "alone")
	c.end(t)
	if info, err := dead.Info(ctx); err != nil || info.Config.AckWait != time.Hour {
		t.Errorf("got %+v, %v, want the time to ack as it was", info, err)
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
