// Package grafana holds the dashboard over Xinwen's metrics and what Grafana and
// Prometheus need to be told to show it. The test holds the dashboard to the
// metrics that the services really have.
package grafana

import "embed"

// Files are the dashboards and the provisioning.
//
//go:embed dashboards provisioning prometheus.yaml
var Files embed.FS
