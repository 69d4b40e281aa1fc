package bus_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"xinwen/news/bus"
)

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

// TestReadAppliesASteadyFlowInBatches: a lone message is applied at once, what
// comes soon after it not before MaxWait is over.
func TestReadAppliesASteadyFlowInBatches(t *testing.T) {
	b := open(t, bus.Options{Config: bus.Config{Dir: t.TempDir()}})
	const wait = 600 * time.Millisecond
	ctx, cancel := context.WithCancel(deadline(t))
	batches, done := make(chan time.Time), make(chan error, 1)
	go func() {
		done <- b.Read(ctx, bus.ReadConfig{Stream: bus.Articles, MaxWait: wait}, func(ctx context.Context, ms []*bus.Message) error {
			select {
			case batches <- time.Now():
			case <-ctx.Done():
			}
			return nil
		})
	}()
	publish(t, b, 1)
	first := next(t, batches)
	publish(t, b, 1)
	if got, least := next(t, batches).Sub(first), wait/2; got < least { // the first was cut before it was applied
		t.Errorf("got the second batch after %s, want %s at least", got, least)
	}
	cancel()
	if err := next(t, done); err != nil {
		t.Errorf("Read: %v", err)
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
