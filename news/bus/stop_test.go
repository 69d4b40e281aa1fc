package bus

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// TestHandlersEndWhenTold looks at how long a process that is told to stop waits
// for its handlers: less than the ten seconds that it usually has.
func TestHandlersEndWhenTold(t *testing.T) {
	for _, c := range []struct {
		name   string
		handle func(ctx context.Context, over <-chan struct{}) error
		want   time.Duration
	}{
		{"at-once", func(context.Context, <-chan struct{}) error { return nil }, 0},
		{"soon", func(context.Context, <-chan struct{}) error { <-time.After(5 * time.Second); return nil }, 5 * time.Second},
		{"when-its-context-ends", func(ctx context.Context, _ <-chan struct{}) error { <-ctx.Done(); return ctx.Err() }, 7 * time.Second},
		{"never", func(_ context.Context, over <-chan struct{}) error { <-over; return nil }, 9 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				config, err := ConsumerConfig{Stream: Pages, Name: "tester"}.withDefaults()
				if err != nil {
					t.Fatal(err)
				}
				over := make(chan struct{})
				defer close(over)
				w := &worker{config: config, log: slog.New(slog.DiscardHandler), handle: func(ctx context.Context, _ *Message) error { return c.handle(ctx, over) }}
				ctx, stop := context.WithCancel(t.Context())
				stop()
				began := time.Now()
				_ = w.call(ctx, &Message{}) // what it returns is not the point
				if got := time.Since(began); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
			})
		})
	}
}
