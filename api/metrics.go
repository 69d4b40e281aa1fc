package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"xinwen/indexer/search"
	"xinwen/news/bus"
)

// registered keeps what a server registers, to take it back when it stops: the
// registry is its owner's, and may serve another server later.
type registered struct {
	prometheus.Registerer
	list []prometheus.Collector
	err  error
}

// MustRegister registers collectors; a failure is told by err.
func (r *registered) MustRegister(list ...prometheus.Collector) {
	for _, c := range list {
		if err := r.Register(c); err != nil {
			r.err = errors.Join(r.err, err)
			continue
		}
		r.list = append(r.list, c)
	}
}

func (r *registered) unregister() {
	for _, c := range r.list {
		r.Unregister(c)
	}
	r.list = nil
}

// metrics counts requests, and asks the bus and the index when it is scraped.
type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(r prometheus.Registerer, b *bus.Bus, s search.Searcher, log *slog.Logger) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "xinwen_api_requests_total", Help: "Requests answered, by route and status class.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "xinwen_api_request_seconds", Help: "Time to answer, by route; streams are not counted.",
			Buckets: []float64{.002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route"}),
	}
	r.MustRegister(m.requests, m.seconds, &collector{bus: b, searcher: s, log: log})
	return m
}

// recorder remembers the status of a response.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach flushing and deadlines.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (m *metrics) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		rec := &recorder{ResponseWriter: w}
		next.ServeHTTP(rec, r)
		route := r.Pattern // the mux has set it; patterns are few, paths are not
		if _, path, ok := strings.Cut(route, " "); ok {
			route = path
		}
		if route == "" {
			route = "none"
		}
		status := rec.status
		if status == 0 {
			status = http.StatusOK
		}
		m.requests.WithLabelValues(route, strconv.Itoa(status/100)+"xx").Inc()
		if route != streamOperation.Path {
			m.seconds.WithLabelValues(route).Observe(time.Since(start).Seconds())
		}
	})
}

// collector reads the state of the pipeline at scrape time. It belongs to the
// api because every deployment has one, and one scrape of it shows all.
type collector struct {
	bus      *bus.Bus
	searcher search.Searcher
	log      *slog.Logger

	mu   sync.Mutex
	at   time.Time
	last []prometheus.Metric
}

// fresh is how long one reading serves several scrapers.
const fresh = 5 * time.Second

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

var (
	streamMessages = desc("xinwen_bus_stream_messages", "Messages in a stream.", "stream")
	streamBytes    = desc("xinwen_bus_stream_bytes", "Bytes in a stream.", "stream")
	streamLastSeq  = desc("xinwen_bus_stream_last_seq", "Sequence of the last message in a stream.", "stream")
	consumerWait   = desc("xinwen_bus_consumer_pending", "Messages a consumer has not received yet.", "stream", "consumer")
	consumerAck    = desc("xinwen_bus_consumer_ack_pending", "Messages a consumer has received and not acknowledged.", "stream", "consumer")
	consumerAgain  = desc("xinwen_bus_consumer_redelivered", "Messages a consumer received more than once and has not acknowledged.", "stream", "consumer")

	indexArticles = desc("xinwen_articles_indexed", "Articles that can be found.")
	indexByLang   = desc("xinwen_articles_indexed_by_lang", "Articles that can be found, by language.", "lang")
	indexBySource = desc("xinwen_articles_indexed_by_source", "Articles that can be found, by source (the most frequent).", "source")
	indexLag      = desc("xinwen_index_lag_messages", "Messages of ARTICLES that the index does not include yet.")

	sourceUp       = desc("xinwen_source_status", "1 for the status that a source is in.", "source", "status")
	sourceSuccess  = desc("xinwen_source_last_success_timestamp_seconds", "When a source last answered as it should.", "source")
	sourceFailures = desc("xinwen_source_failures", "Polls of a source that failed since the last success.", "source")
	sourceArticles = desc("xinwen_source_articles_total", "Pages of a source published to the pipeline.", "source")
)

// Describe sends what can be measured.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		streamMessages, streamBytes, streamLastSeq, consumerWait, consumerAck, consumerAgain,
		indexArticles, indexByLang, indexBySource, indexLag,
		sourceUp, sourceSuccess, sourceFailures, sourceArticles,
	} {
		ch <- d
	}
}

// Collect sends the present state; what cannot be asked is left out.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.at) > fresh {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		c.last = c.last[:0]
		c.streams(ctx)
		c.index(ctx)
		c.sources(ctx)
		c.at = time.Now()
	}
	for _, m := range c.last {
		ch <- m
	}
}

func (c *collector) gauge(d *prometheus.Desc, v float64, labels ...string) {
	c.last = append(c.last, prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...))
}

func (c *collector) streams(ctx context.Context) {
	list, err := c.bus.Status(ctx)
	if err != nil {
		c.log.Warn("streams not measured", "err", err)
		return
	}
	for _, s := range list {
		c.gauge(streamMessages, float64(s.Messages), s.Name)
		c.gauge(streamBytes, float64(s.Bytes), s.Name)
		c.gauge(streamLastSeq, float64(s.LastSeq), s.Name)
		for _, k := range s.Consumers {
			c.gauge(consumerWait, float64(k.Pending), s.Name, k.Name)
			c.gauge(consumerAck, float64(k.AckPending), s.Name, k.Name)
			c.gauge(consumerAgain, float64(k.Redelivered), s.Name, k.Name)
		}
	}
}

func (c *collector) index(ctx context.Context) {
	st, err := c.searcher.Status(ctx)
	if err != nil {
		c.log.Warn("index not measured", "err", err)
		return
	}
	c.gauge(indexArticles, float64(st.Docs))
	c.gauge(indexLag, float64(st.Lag))
	res, err := c.searcher.Search(ctx, search.Request{Size: -1, Facets: []string{search.FacetLang, search.FacetSource}})
	if err != nil {
		c.log.Warn("index not measured", "err", err)
		return
	}
	for _, f := range res.Facets[search.FacetLang] {
		c.gauge(indexByLang, float64(f.Count), f.Value)
	}
	for _, f := range res.Facets[search.FacetSource] {
		c.gauge(indexBySource, float64(f.Count), f.Value)
	}
}

func (c *collector) sources(ctx context.Context) {
	list, err := sources(ctx, c.bus.KV(bus.KVSources))
	if err != nil {
		c.log.Warn("sources not measured", "err", err)
		return
	}
	for i := range list {
		s := &list[i]
		c.gauge(sourceUp, 1, s.ID, string(s.Status))
		c.gauge(sourceFailures, float64(s.Failures), s.ID)
		c.last = append(c.last, prometheus.MustNewConstMetric(sourceArticles, prometheus.CounterValue, float64(s.Articles), s.ID))
		if !s.LastSuccess.IsZero() {
			c.gauge(sourceSuccess, float64(s.LastSuccess.Unix()), s.ID)
		}
	}
}
