// Package prometheus holds alert rules for Prometheus and their tests, which
// need promtool.
package prometheus
