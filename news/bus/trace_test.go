package bus_test

import (
	"context"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"xinwen/news/bus"
)

func TestMessagesCarryTheirTrace(t *testing.T) {
	for _, c := range []struct {
		name, stream, subject string
		traced                bool
		joined                bool // the handler's span is in the sender's trace
	}{
		{"pages", bus.Pages, bus.SubjectPages + "a", true, true},
		{"frontier", bus.Frontier, bus.SubjectFetch + "a", true, false},
		{"off", bus.Pages, bus.SubjectPages + "a", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			kept := tracetest.NewInMemoryExporter()
			p := sdktrace.NewTracerProvider(sdktrace.WithSyncer(kept))
			o := bus.Options{Config: bus.Config{Dir: t.TempDir()}}
			if c.traced {
				o.Traces = p
			}
			b, err := bus.Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			ctx, root := p.Tracer("test").Start(t.Context(), "root")
			if err := b.Publish(ctx, &bus.Message{Subject: c.subject, Data: []byte("x")}); err != nil {
				t.Fatal(err)
			}
			root.End()
			var handled trace.SpanContext
			header := ""
			stop, cancel := context.WithCancel(t.Context())
			err = b.Consume(stop, bus.ConsumerConfig{Stream: c.stream, Name: "tester"}, func(ctx context.Context, m *bus.Message) error {
				handled, header = trace.SpanContextFromContext(ctx), m.Header.Get("traceparent")
				cancel()
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := header != ""; got != c.traced {
				t.Errorf("got header %q, want one: %t", header, c.traced)
			}
			if got := handled.IsValid(); got != c.traced {
				t.Errorf("got a span %t, want %t", got, c.traced)
			}
			if got := handled.TraceID() == root.SpanContext().TraceID(); got != c.joined {
				t.Errorf("got in the sender's trace %t, want %t", got, c.joined)
			}
			if !c.traced {
				return
			}
			spans := map[string]tracetest.SpanStub{}
			for _, s := range kept.GetSpans() {
				spans[s.Name] = s
			}
			sent, process := spans["send "+c.stream], spans["process "+c.stream]
			if sent.Parent.SpanID() != root.SpanContext().SpanID() {
				t.Errorf("got parent %s of the sending span, want the root", sent.Parent.SpanID())
			}
			if c.joined && process.Parent.SpanID() != sent.SpanContext.SpanID() {
				t.Errorf("got parent %s of the handling span, want the sending one", process.Parent.SpanID())
			}
			if !c.joined && (len(process.Links) != 1 || process.Links[0].SpanContext.SpanID() != sent.SpanContext.SpanID()) {
				t.Errorf("got links %v, want one to the sending span", process.Links)
			}
		})
	}
}
