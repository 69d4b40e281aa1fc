package indexer

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what the indexer tells of itself; all work without a registry.
type metrics struct {
	registry  prometheus.Registerer
	articles  prometheus.Counter
	batches   prometheus.Histogram
	searches  prometheus.Histogram
	collected []prometheus.Collector
}

func newMetrics(r prometheus.Registerer, i *Indexer) *metrics {
	m := &metrics{
		registry: r,
		articles: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "xinwen_indexer_articles_total", Help: "Articles read from the stream and applied to the index.",
		}),
		batches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "xinwen_indexer_batch_seconds", Help: "Time to analyse and write one batch.",
			Buckets: prometheus.ExponentialBuckets(0.005, 2, 12),
		}),
		searches: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "xinwen_indexer_search_seconds", Help: "Time to answer one search.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
	}
	m.collected = []prometheus.Collector{m.articles, m.batches, m.searches, &gauges{indexer: i}}
	if r != nil {
		r.MustRegister(m.collected...)
	}
	return m
}

func (m *metrics) unregister() {
	if m.registry != nil {
		for _, c := range m.collected {
			m.registry.Unregister(c)
		}
	}
}

func (m *metrics) batch(articles int, took time.Duration) {
	m.articles.Add(float64(articles))
	m.batches.Observe(took.Seconds())
}

func (m *metrics) searched(tookMS float64) { m.searches.Observe(tookMS / 1000) }

// gauges reads the state of the index when it is asked for.
type gauges struct{ indexer *Indexer }

var (
	docsDesc  = prometheus.NewDesc("xinwen_indexer_docs", "Articles in the index.", nil, nil)
	seqDesc   = prometheus.NewDesc("xinwen_indexer_applied_seq", "Last message of ARTICLES in the index.", nil, nil)
	lagDesc   = prometheus.NewDesc("xinwen_indexer_lag_messages", "Messages of ARTICLES that are not in the index yet.", nil, nil)
	bytesDesc = prometheus.NewDesc("xinwen_indexer_index_bytes", "Size of the index on disk.", nil, nil)
)

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{docsDesc, seqDesc, lagDesc, bytesDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector. While the state cannot be read the
// gauges are absent.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	st, err := g.indexer.Status(ctx)
	if err != nil {
		return
	}
	for d, v := range map[*prometheus.Desc]uint64{docsDesc: st.Docs, seqDesc: st.AppliedSeq, lagDesc: st.Lag, bytesDesc: st.Bytes} {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v))
	}
}
