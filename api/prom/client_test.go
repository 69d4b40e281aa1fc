package prom

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	prometheus "github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// TestPrometheusOwnClientIsAnswered asks with the client that Prometheus's makers
// wrote, which posts forms and checks the types of what comes back.
func TestPrometheusOwnClientIsAnswered(t *testing.T) {
	s, _ := server(t)
	client, err := prometheus.NewClient(prometheus.Config{Address: s.URL + "/prom"})
	if err != nil {
		t.Fatal(err)
	}
	api, ctx, day := v1.NewAPI(client), t.Context(), 24*time.Hour
	check := func(what string, got, want any, warnings v1.Warnings, err error) {
		t.Helper()
		if d := cmp.Diff(want, got); err != nil || len(warnings) > 0 || d != "" {
			t.Errorf("%s: got %v, warnings %v, want -, got +:\n%s", what, err, warnings, d)
		}
	}
	at := model.TimeFromUnix(noon.Unix())
	value, warnings, _, err := api.Query(ctx, "sum by (lang) (increase(xinwen_articles[1d]))", noon)
	check("query", value, model.Vector{{Metric: model.Metric{"lang": "zh"}, Value: 8, Timestamp: at}, {Metric: model.Metric{"lang": "en"}, Value: 4, Timestamp: at}}, warnings, err)
	value, warnings, _, err = api.Query(ctx, "1+1", noon)
	check("scalar", value, &model.Scalar{Value: 2, Timestamp: at}, warnings, err)
	value, warnings, _, err = api.QueryRange(ctx, "sum(increase(xinwen_articles[1h]))", v1.Range{Start: noon.Add(-time.Hour), End: noon, Step: time.Hour})
	check("query_range", value, model.Matrix{{Metric: model.Metric{}, Values: []model.SamplePair{{Timestamp: at.Add(-time.Hour), Value: 6}, {Timestamp: at, Value: 5}}}}, warnings, err)
	names, warnings, _, err := api.LabelNames(ctx, nil, noon.Add(-day), noon)
	check("labels", names, model.LabelNames{"__name__", "entity", "lang", "source", "topic"}, warnings, err)
	values, warnings, _, err := api.LabelValues(ctx, "lang", []string{`xinwen_articles{entity="org:samsung"}`}, noon.Add(-day), noon)
	check("values", values, model.LabelValues{"en", "zh"}, warnings, err)
	series, warnings, _, err := api.Series(ctx, []string{`xinwen_articles{lang="en"}`, `xinwen_articles{lang="zh"}`}, noon.Add(-day), noon)
	check("series", series, []model.LabelSet{{"__name__": Metric, "lang": "en", "source": "desk"}, {"__name__": Metric, "lang": "zh", "source": "wire"}}, warnings, err)
	metadata, err := api.Metadata(ctx, Metric, "10")
	check("metadata", metadata[Metric][0].Type, v1.MetricTypeCounter, nil, err)
	build, err := api.Buildinfo(ctx)
	check("buildinfo", build.Revision, "test", nil, err)

	for _, tc := range []struct {
		name string
		ask  func() error
		want v1.ErrorType
	}{
		{"syntax", func() error { _, _, _, err := api.Query(ctx, "sum(", noon); return err }, v1.ErrBadData},
		{"step", func() error {
			_, _, _, err := api.QueryRange(ctx, "xinwen_articles", v1.Range{Start: noon.Add(-day), End: noon, Step: time.Second})
			return err
		}, v1.ErrBadData},
		{"backwards", func() error {
			_, _, _, err := api.QueryRange(ctx, "xinwen_articles", v1.Range{Start: noon, End: noon.Add(-day), Step: time.Hour})
			return err
		}, v1.ErrBadData},
		{"no-match", func() error { _, _, _, err := api.Series(ctx, nil, noon.Add(-day), noon); return err }, v1.ErrBadData},
	} {
		var e *v1.Error
		if err := tc.ask(); !errors.As(err, &e) || e.Type != tc.want || e.Msg == "" {
			t.Errorf("%s: got %v, want %s with a message", tc.name, err, tc.want)
		}
	}
	// Grafana asks for these too, and lives without them.
	if _, err := api.Rules(ctx, nil); err == nil {
		t.Error("got rules from an api without any")
	}
	res, err := http.Get(s.URL + "/prom/api/v1/query?query=1&time=yore")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusBadRequest || res.Header.Get("Content-Type") != "application/json" {
		t.Errorf("got %s %s", res.Status, res.Header.Get("Content-Type"))
	}
}
