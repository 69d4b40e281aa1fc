package bus_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"xinwen/news/bus"
)

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
