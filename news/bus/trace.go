package bus

import (
	"context"
	"slices"

	"github.com/nats-io/nats.go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// tracing joins the spans of all services: a message carries the W3C trace
// context of who sent it in its header, and is handled in it. Without a provider
// nothing is made, sent or read.
type tracing struct {
	on     bool
	tracer trace.Tracer
}

func newTracing(p trace.TracerProvider) tracing {
	on := p != nil
	if !on {
		p = noop.NewTracerProvider()
	}
	return tracing{on, p.Tracer("xinwen/news/bus")}
}

// Tracer makes the spans of the service that uses the bus. It does nothing
// unless Options.Traces is set, or without a bus.
func (b *Bus) Tracer() trace.Tracer {
	if b == nil {
		return newTracing(nil).tracer
	}
	return b.traces.tracer
}

// EndSpan ends a span; a non-nil err is noted in it.
func EndSpan(span trace.Span, err error) {
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	}
	span.End()
}

// sending starts the span in which m goes to a stream, and writes it into m's
// header.
func (t tracing) sending(ctx context.Context, stream string, m *Message) (context.Context, trace.Span) {
	ctx, span := t.tracer.Start(ctx, "send "+stream, trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(
		messagingSystem, semconv.MessagingOperationTypeSend, semconv.MessagingOperationName("send"), semconv.MessagingDestinationName(stream),
		semconv.MessagingMessageID(m.ID), semconv.MessagingMessageBodySize(len(m.Data)),
	), trace.WithAttributes(about(m)...))
	if span.SpanContext().IsValid() {
		if m.Header == nil {
			m.Header = make(nats.Header)
		}
		propagation.TraceContext{}.Inject(ctx, carrier(m.Header))
	}
	return ctx, span
}

// handling starts the span in which a consumer handles m. It belongs to the
// trace of who sent m; only an entry of FRONTIER begins a trace of its own,
// since the poll that found it found others too.
func (t tracing) handling(ctx context.Context, consumer string, m *Message) (context.Context, trace.Span) {
	opts := []trace.SpanStartOption{
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
			messagingSystem, semconv.MessagingOperationTypeProcess, semconv.MessagingOperationName("process"),
			semconv.MessagingDestinationName(m.Stream), semconv.MessagingConsumerGroupName(consumer),
			semconv.MessagingMessageID(m.ID), semconv.MessagingMessageBodySize(len(m.Data)),
			attribute.Int("xinwen.attempt", m.Attempt),
		), trace.WithAttributes(about(m)...),
	}
	sent := m.SpanContext()
	switch {
	case m.Stream == Frontier && sent.IsValid():
		opts = append(opts, trace.WithNewRoot(), trace.WithLinks(trace.Link{SpanContext: sent}))
	case sent.IsValid():
		ctx = trace.ContextWithRemoteSpanContext(ctx, sent)
	}
	return t.tracer.Start(ctx, "process "+m.Stream, opts...)
}

// SpanContext returns the trace that a message was sent in; it is not valid if
// there was none.
func (m *Message) SpanContext() trace.SpanContext {
	return trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), carrier(m.Header)))
}

var messagingSystem = semconv.MessagingSystemKey.String("nats")

func about(m *Message) []attribute.KeyValue {
	if url := m.Header.Get(HeaderURL); url != "" {
		return []attribute.KeyValue{semconv.URLFull(url)}
	}
	return nil
}

// carrier writes and reads a header. Its keys keep their case, as other
// programs on NATS write them.
type carrier nats.Header

// Get implements propagation.TextMapCarrier.
func (c carrier) Get(key string) string { return nats.Header(c).Get(key) }

// Set implements propagation.TextMapCarrier.
func (c carrier) Set(key, value string) { nats.Header(c).Set(key, value) }

// Keys implements propagation.TextMapCarrier.
func (c carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for k := range c {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
