package percolate

import "github.com/prometheus/client_golang/prometheus"

var (
	rulesDesc    = prometheus.NewDesc("xinwen_indexer_rules", "Alert rules in force.", nil, nil)
	faultsDesc   = prometheus.NewDesc("xinwen_indexer_rule_faults", "Alert rules that cannot be used.", nil, nil)
	articlesDesc = prometheus.NewDesc("xinwen_indexer_percolated_articles_total", "Articles matched against the rules.", nil, nil)
	testedDesc   = prometheus.NewDesc("xinwen_indexer_percolated_rules_total", "Rules evaluated on an article because it had a term they need.", nil, nil)
	alertsDesc   = prometheus.NewDesc("xinwen_indexer_alerts_total", "Alerts published.", nil, nil)
)

// Describe implements prometheus.Collector.
func (p *Percolator) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{rulesDesc, faultsDesc, articlesDesc, testedDesc, alertsDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (p *Percolator) Collect(ch chan<- prometheus.Metric) {
	s := p.State()
	gauge := func(d *prometheus.Desc, n int) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(n))
	}
	count := func(d *prometheus.Desc, n uint64) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n))
	}
	gauge(rulesDesc, s.Rules)
	gauge(faultsDesc, len(s.Faults))
	count(articlesDesc, s.Articles)
	count(testedDesc, s.Tested)
	count(alertsDesc, s.Alerts)
}
