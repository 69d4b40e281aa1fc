package service

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
)

// flushTimeout bounds how long the end of a service waits for its last traces.
const flushTimeout = 2 * time.Second

// Traces returns what the spans of a service are made by, and what sends the
// last of them when the service ends, as far as that is quickly done. Spans go by OTLP over HTTP to
// OTEL_EXPORTER_OTLP_ENDPOINT; without it the provider is nil and nothing is
// made. The other OTEL_* variables hold too: headers, sampler, service name.
func Traces(ctx context.Context, name, version string, log *slog.Logger) (trace.TracerProvider, func(context.Context), error) {
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && os.Getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "" {
		return nil, func(context.Context) {}, nil
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("traces: %w; OTEL_EXPORTER_OTLP_ENDPOINT must be the address of a collector, such as http://host:4318", err)
	}
	what, err := resource.New(ctx,
		resource.WithAttributes(semconv.ServiceName(name), semconv.ServiceNamespace("xinwen"), semconv.ServiceVersion(version)),
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithProcessPID(), resource.WithFromEnv())
	if err != nil {
		log.Warn("traces lack some of what they say of this process", "err", err)
	}
	// The exporter has no other way to say that its collector is away.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces not sent", "err", err) }))
	p := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(what))
	return p, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			log.Warn("last traces not sent", "err", err)
		}
	}, nil
}
