package indexer

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"

	"xinwen/news/bus"
)

// traced gives a batch a span of its own, and each of its messages one in the
// trace that it was sent in, with a link to the batch. It returns what ends them.
func (i *Indexer) traced(ctx context.Context, messages []*bus.Message) (context.Context, func(error)) {
	tracer := i.bus.Tracer()
	ctx, batch := tracer.Start(ctx, "index batch", trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
		semconv.MessagingSystemKey.String("nats"), semconv.MessagingDestinationName(bus.Articles),
		semconv.MessagingBatchMessageCount(len(messages)), attribute.Int64("xinwen.sequence", int64(messages[len(messages)-1].Seq))))
	spans := []trace.Span{batch}
	if batch.IsRecording() {
		for _, m := range messages {
			if sent := m.SpanContext(); sent.IsValid() {
				_, span := tracer.Start(trace.ContextWithRemoteSpanContext(ctx, sent), "index "+bus.Articles,
					trace.WithSpanKind(trace.SpanKindConsumer), trace.WithLinks(trace.LinkFromContext(ctx)), trace.WithAttributes(
						semconv.MessagingSystemKey.String("nats"), semconv.MessagingOperationTypeProcess, semconv.MessagingOperationName("index"),
						semconv.MessagingDestinationName(bus.Articles), semconv.MessagingMessageID(m.ID), semconv.URLFull(m.Header.Get(bus.HeaderURL))))
				spans = append(spans, span)
			}
		}
	}
	return ctx, func(err error) {
		for _, s := range spans {
			bus.EndSpan(s, err)
		}
	}
}
