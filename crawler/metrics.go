package crawler

import (
	"fmt"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are what Prometheus sees. Labels are bounded by the sources, the kinds
// of failures and the classes of statuses.
type metrics struct {
	requests  *prometheus.CounterVec // source, result
	bytes     *prometheus.CounterVec // source
	took      prometheus.Histogram   // seconds of one fetch, waiting included
	polls     *prometheus.CounterVec // source, result
	entries   *prometheus.CounterVec // source: new ones
	pages     *prometheus.CounterVec // source
	denied    *prometheus.CounterVec // source
	failed    *prometheus.CounterVec // source: quarantined
	retries   *prometheus.CounterVec // source
	newest    *prometheus.GaugeVec   // source: Unix time of the newest entry
	up        *prometheus.GaugeVec   // source: 1 if the last poll succeeded
	status    *prometheus.GaugeVec   // source, status: 1 for the one that holds
	overflows *prometheus.CounterVec // source: feeds that rolled over
	revisits  *prometheus.CounterVec // result
	waiting   prometheus.Gauge       // entries held in memory
	following prometheus.Gauge       // sources followed
	parts     prometheus.Gauge       // parts of the frontier owned
}

func newMetrics(r prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "xinwen_crawler_" + name, Help: help}, labels)
	}
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "xinwen_crawler_" + name, Help: help}, labels)
	}
	m := &metrics{
		requests: counter("requests_total", "Fetches by source and result: the HTTP status, or the kind of failure.", "source", "result"),
		bytes:    counter("received_bytes_total", "Bytes of bodies as sent.", "source"),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "xinwen_crawler_fetch_seconds", Help: "Time of one fetch, from its turn to its end.",
			Buckets: []float64{.01, .03, .1, .3, 1, 3, 10, 30},
		}),
		polls:     counter("polls_total", "Polls of feeds and list pages by result.", "source", "result"),
		entries:   counter("entries_total", "New addresses found.", "source"),
		pages:     counter("pages_total", "Pages published.", "source"),
		denied:    counter("denied_total", "Addresses that robots.txt forbids.", "source"),
		failed:    counter("quarantined_total", "Pages that failed for good.", "source"),
		retries:   counter("retries_total", "Pages that failed and are tried again.", "source"),
		overflows: counter("feed_overflows_total", "Polls of feeds in which no known entry was left.", "source"),
		revisits:  counter("revisits_total", "Pages looked at again by result: same, changed, gone or failed.", "result"),
		newest:    gauge("newest_entry_timestamp_seconds", "When the newest entry was published.", "source"),
		up:        gauge("source_up", "Whether the last poll succeeded.", "source"),
		status:    gauge("source_status", "1 for the status a source has: ok, empty, stale, rate-limited, robots-denied or failing.", "source", "status"),
		waiting:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "xinwen_crawler_waiting_entries", Help: "Frontier entries in hand: fetched now, or waiting for their host's turn."}),
		following: prometheus.NewGauge(prometheus.GaugeOpts{Name: "xinwen_crawler_sources", Help: "Sources that are followed."}),
		parts:     prometheus.NewGauge(prometheus.GaugeOpts{Name: "xinwen_crawler_parts", Help: "Parts of the frontier that this crawler owns, of 16."}),
	}
	if r == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.requests, m.bytes, m.took, m.polls, m.entries, m.pages, m.denied, m.failed, m.retries, m.overflows, m.revisits, m.newest, m.up, m.status, m.waiting, m.following, m.parts,
	} {
		if err := r.Register(c); err != nil {
			return nil, fmt.Errorf("crawler metrics: %w", err)
		}
	}
	return m, nil
}

func statusLabel(status int) string { return strconv.Itoa(status) }
