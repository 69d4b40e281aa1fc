package extractor

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are nil-safe counters of what the extractor did.
type metrics struct {
	pages    *prometheus.CounterVec
	warnings *prometheus.CounterVec
	mentions *prometheus.CounterVec
	asked    prometheus.Counter
	seconds  prometheus.Histogram
	bytes    prometheus.Counter
	names    prometheus.Gauge
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		pages: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "xinwen_extractor_pages_total", Help: "Pages by outcome: article, deleted, part, failed.",
		}, []string{"outcome"}),
		warnings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "xinwen_extractor_warnings_total", Help: "Warnings on articles by code.",
		}, []string{"code"}),
		mentions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "xinwen_extractor_mentions_total", Help: "Mentions found by kind.",
		}, []string{"kind"}),
		asked: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "xinwen_extractor_asked_total", Help: "Further pages of articles that the crawler was asked for.",
		}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "xinwen_extractor_page_seconds", Help: "Time to extract one page.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2.5, 12),
		}),
		bytes: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "xinwen_extractor_read_bytes_total", Help: "Bytes of pages read.",
		}),
		names: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "xinwen_extractor_gazetteer_names", Help: "Names in the gazetteer that is in use.",
		}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.pages, m.warnings, m.mentions, m.asked, m.seconds, m.bytes, m.names} {
		if err := r.Register(c); err != nil {
			var have prometheus.AlreadyRegisteredError
			if errors.As(err, &have) {
				return nil, fmt.Errorf("extractor metrics: two extractors share one registry; give each its own: %w", err)
			}
			return nil, fmt.Errorf("extractor metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) took(d time.Duration, bytes int) {
	m.seconds.Observe(d.Seconds())
	m.bytes.Add(float64(bytes))
}
