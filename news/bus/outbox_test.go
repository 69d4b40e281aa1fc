package bus_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"xinwen/news/bus"
)

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
	var began time.Time
	for i := range 20 {
		if err := b.PublishAlert(ctx, alert(i, 10)); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			began = time.Now()
		}
		want = append(want, fmt.Sprintf("alert.alert%d", i))
	}
	// Retry windows of 300 ms each would make 5.7 s.
	if took := time.Since(began); took > 4*time.Second {
		t.Errorf("19 publishes took %s: only the first may wait for the retry window", took)
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
