package bus_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"xinwen/news/bus"
)

func TestAskIsAnsweredOrRefused(t *testing.T) {
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: t.TempDir(), MinFreeBytes: -1}, Name: "crawler"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = b.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var got string
	if err := b.Ask(ctx, "test.echo", "早", &got); !errors.Is(err, bus.ErrUnanswered) {
		t.Errorf("before it is served: got %v, want ErrUnanswered", err)
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	busy, hold := make(chan struct{}), make(chan struct{})
	go func() {
		ended <- b.Serve(serving, bus.ServiceConfig{
			Name: "test", Workers: 1, Timeout: 10 * time.Second,
			Endpoints: map[string]bus.Answerer{
				"test.echo": func(_ context.Context, request []byte) (any, error) {
					var s string
					err := json.Unmarshal(request, &s)
					return s, err
				},
				"test.refuse": func(context.Context, []byte) (any, error) {
					return nil, &bus.Refusal{Status: 404, Message: "There is none.", Advice: "Make one."}
				},
				"test.fail":  func(context.Context, []byte) (any, error) { return nil, errors.New("secret") },
				"test.panic": func(context.Context, []byte) (any, error) { panic("secret") },
				"test.hold": func(context.Context, []byte) (any, error) {
					close(busy)
					<-hold
					return "held", nil
				},
			},
		})
	}()
	for errors.Is(b.Ask(ctx, "test.echo", "早", &got), bus.ErrUnanswered) && ctx.Err() == nil {
		continue // the service is not known yet
	}
	if err := b.Ask(ctx, "test.echo", "早", &got); err != nil || got != "早" {
		t.Errorf("echo: got %q, %v", got, err)
	}
	for subject, want := range map[string]bus.Refusal{
		"test.refuse": {Status: 404, Message: "There is none.", Advice: "Make one."},
		"test.fail":   {Status: 500, Message: "Something went wrong inside.", Advice: "The log of the crawler says what."},
		"test.panic":  {Status: 500, Message: "Something went wrong inside.", Advice: "The log of the crawler says what."},
	} {
		var r *bus.Refusal
		if err := b.Ask(ctx, subject, nil, &got); !errors.As(err, &r) || *r != want {
			t.Errorf("%s: got %v, want %v", subject, err, want)
		}
	}
	held := make(chan error, 1)
	go func() {
		var s string
		held <- b.Ask(ctx, "test.hold", nil, &s)
	}()
	<-busy
	var r *bus.Refusal
	if err := b.Ask(ctx, "test.echo", "x", &got); !errors.As(err, &r) || r.Status != 503 {
		t.Errorf("while all workers are busy: got %v, want a refusal", err)
	}
	stop()
	close(hold)
	if err := <-held; err != nil {
		t.Errorf("an answer begun before the stop: got %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve: %v", err)
	}
}
