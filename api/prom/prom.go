// Package prom answers the part of the Prometheus HTTP API that Grafana's
// built-in data source needs, over the volume of news.
//
// There is one metric, xinwen_articles, with the labels entity, lang, source, topic:
// the number of articles published up to a time, as a counter. Its time is that
// of publication, so history that was fetched later is where it belongs, which
// no scraped counter can show. What happens in a span is its increase:
//
//	increase(xinwen_articles[1h])                              articles of each hour, by lang and source
//	sum by (lang) (increase(xinwen_articles[1d]))
//	topk(10, sum by (entity) (increase(xinwen_articles[1d])))
//	sum(increase(xinwen_articles{entity="org:tsmc"}[1d]))      entity also takes a name or alias
//	sum by (topic) (increase(xinwen_articles[7d]))
//
// Where entity and topic are neither asked for nor matched, each article counts
// once; where one is, an article counts once for each that it has.
//
// The language is the part of PromQL that these need; the rest is refused with
// what to write instead. Ranges are exact: nothing is extrapolated.
package prom

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
)

// Metric is the one metric, Labels its labels.
const Metric = "xinwen_articles"

// Labels are the labels of Metric.
var Labels = []string{"entity", "lang", "source", "topic"}

// several are the labels of which an article can have any number.
var several = []string{"entity", "topic"}

const (
	// maxPoints is the most steps of a range, as in Prometheus.
	maxPoints = 11_000
	// lookBack is the time that labels and series are of if none is given.
	lookBack = 30 * 24 * time.Hour
	// maxValues bounds the values of a label, and series.
	maxValues = 1000
	timeout   = 30 * time.Second
	// provisional marks the IDs of entities that the lexicon does not have; they
	// are counted, and left out of the values to choose from.
	provisional = ":unknown-"
)

// Handler answers the API under a prefix such as /prom.
type Handler struct {
	searcher search.Searcher
	version  string
	now      func() time.Time
}

// New returns a handler that asks s, which must be a search.Counter.
func New(s search.Searcher, version string) *Handler {
	return &Handler{s, version, time.Now}
}

// Mux is what routes are added to, such as http.ServeMux.
type Mux interface {
	HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request))
}

// Routes adds the API's routes to mux.
func (h *Handler) Routes(mux Mux, prefix string) {
	for path, answer := range map[string]func(*http.Request) (any, []string, error){
		"query": h.query, "query_range": h.queryRange, "labels": h.labels, "series": h.series,
	} {
		handle := h.answer(answer)
		mux.HandleFunc("GET "+prefix+"/api/v1/"+path, handle)
		mux.HandleFunc("POST "+prefix+"/api/v1/"+path, handle)
	}
	mux.HandleFunc("GET "+prefix+"/api/v1/label/{name}/values", h.answer(h.values))
	mux.HandleFunc("GET "+prefix+"/api/v1/metadata", h.answer(h.metadata))
	mux.HandleFunc("GET "+prefix+"/api/v1/status/buildinfo", h.answer(h.buildInfo))
	// What no pattern above takes is not here, or has another method.
	mux.HandleFunc(prefix+"/api/v1/", func(w http.ResponseWriter, r *http.Request) {
		missing := &fault{http.StatusNotFound, "not_found", "this part of the Prometheus API is not here: " + r.URL.Path}
		if methods := known(strings.TrimPrefix(r.URL.Path, prefix+"/api/v1/")); methods != "" {
			w.Header().Set("Allow", methods)
			missing = &fault{http.StatusMethodNotAllowed, "bad_data", "this address takes " + methods}
		}
		h.answer(func(*http.Request) (any, []string, error) { return nil, nil, missing })(w, r)
	})
}

// known returns the methods of a part of the API, "" if there is none.
func known(path string) string {
	switch path {
	case "query", "query_range", "labels", "series":
		return "GET, HEAD, POST"
	case "metadata", "status/buildinfo":
		return "GET, HEAD"
	}
	if name, ok := strings.CutPrefix(path, "label/"); ok && strings.HasSuffix(name, "/values") {
		return "GET, HEAD"
	}
	return ""
}

// fault is an error as Prometheus tells it.
type fault struct {
	status     int
	kind, text string
}

// Error returns the text.
func (f *fault) Error() string { return f.text }

func bad(format string, args ...any) error {
	return &fault{http.StatusBadRequest, "bad_data", fmt.Sprintf(format, args...)}
}

// cannot says that a query is well-formed and cannot be answered.
func cannot(format string, args ...any) error {
	return &fault{http.StatusUnprocessableEntity, "execution", fmt.Sprintf(format, args...)}
}

type response struct {
	Status    string   `json:"status"`
	Data      any      `json:"data,omitempty"`
	ErrorType string   `json:"errorType,omitempty"`
	Error     string   `json:"error,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
}

func (h *Handler) answer(f func(*http.Request) (any, []string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		var (
			data     any
			warnings []string
			err      = r.ParseForm()
		)
		if err != nil {
			err = bad("the form cannot be read")
		} else {
			data, warnings, err = f(r)
		}
		w.Header().Set("Content-Type", "application/json")
		if err != nil {
			e := faultOf(err)
			w.WriteHeader(e.status)
			_ = json.NewEncoder(w).Encode(response{Status: "error", ErrorType: e.kind, Error: e.text}) // the client has gone
			return
		}
		_ = json.NewEncoder(w).Encode(response{Status: "success", Data: data, Warnings: warnings}) // likewise
	}
}

func faultOf(err error) *fault {
	var (
		f       *fault
		request *search.RequestError
		syntax  *query.SyntaxError
	)
	switch {
	case errors.As(err, &f):
		return f
	case errors.As(err, &request):
		return &fault{http.StatusBadRequest, "bad_data", request.Error()}
	case errors.As(err, &syntax):
		return &fault{http.StatusBadRequest, "bad_data", syntax.Error()}
	case errors.Is(err, context.DeadlineExceeded):
		return &fault{http.StatusServiceUnavailable, "timeout", "the query took too long; use a longer step or a shorter range"}
	case errors.Is(err, search.ErrUnavailable):
		return &fault{http.StatusServiceUnavailable, "unavailable", "the index cannot answer now"}
	case errors.Is(err, context.Canceled):
		return &fault{http.StatusServiceUnavailable, "canceled", "the query was given up"}
	}
	return &fault{http.StatusInternalServerError, "internal", "something went wrong inside"}
}

func (h *Handler) counter() (search.Counter, error) {
	c, ok := h.searcher.(search.Counter)
	if !ok {
		return nil, &fault{http.StatusNotImplemented, "execution", "this index does not count; upgrade the indexer"}
	}
	return c, nil
}

// instant reads a time: Unix seconds or RFC 3339.
func instant(name, s string, or time.Time) (time.Time, error) {
	if s == "" {
		return or, nil
	}
	if v, err := strconv.ParseFloat(s, 64); err == nil && math.Abs(v) < 1e11 {
		return time.UnixMilli(int64(math.Round(v * 1000))).UTC(), nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, bad("invalid parameter %q: %q is not a time", name, clip(s))
	}
	return t.UTC(), nil
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func value(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "+Inf"
	case math.IsInf(v, -1):
		return "-Inf"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

type result struct {
	ResultType string `json:"resultType"`
	Result     any    `json:"result"`
}

type vectorSample struct {
	Metric map[string]string `json:"metric"`
	Value  [2]any            `json:"value"`
}

type matrixSeries struct {
	Metric map[string]string `json:"metric"`
	Values [][2]any          `json:"values"`
}

func (h *Handler) query(r *http.Request) (any, []string, error) {
	at, err := instant("time", r.Form.Get("time"), h.now().UTC())
	if err != nil {
		return nil, nil, err
	}
	e, err := parse(r.Form.Get("query"))
	if err != nil {
		return nil, nil, bad("invalid parameter \"query\": %v", err)
	}
	if n, ok := e.(number); ok {
		return result{"scalar", [2]any{seconds(at), value(float64(n))}}, nil, nil
	}
	list, warnings, err := h.eval(r.Context(), e, []time.Time{at})
	if err != nil {
		return nil, nil, err
	}
	out := []vectorSample{}
	for _, s := range list {
		if !math.IsNaN(s.values[0]) {
			out = append(out, vectorSample{s.labels, [2]any{seconds(at), value(s.values[0])}})
		}
	}
	return result{"vector", out}, warnings, nil
}

func (h *Handler) queryRange(r *http.Request) (any, []string, error) {
	start, err := instant("start", r.Form.Get("start"), time.Time{})
	if err != nil {
		return nil, nil, err
	}
	end, err := instant("end", r.Form.Get("end"), time.Time{})
	if err != nil {
		return nil, nil, err
	}
	if start.IsZero() || end.IsZero() || end.Before(start) {
		return nil, nil, bad("invalid parameter \"end\": start and end are needed, and end must not be before start")
	}
	step, err := parseDuration(r.Form.Get("step"))
	if err != nil || step < time.Millisecond {
		return nil, nil, bad("invalid parameter \"step\": %q is not a duration", clip(r.Form.Get("step")))
	}
	if end.Sub(start)/step >= maxPoints {
		return nil, nil, bad("exceeded maximum resolution of %d points per timeseries; use a longer step", maxPoints)
	}
	e, err := parse(r.Form.Get("query"))
	if err != nil {
		return nil, nil, bad("invalid parameter \"query\": %v", err)
	}
	var times []time.Time
	for t := start; !t.After(end); t = t.Add(step) {
		times = append(times, t)
	}
	list := []series{}
	var warnings []string
	if n, ok := e.(number); ok {
		s := series{map[string]string{}, make([]float64, len(times))}
		for i := range s.values {
			s.values[i] = float64(n)
		}
		list = append(list, s)
	} else if list, warnings, err = h.eval(r.Context(), e, times); err != nil {
		return nil, nil, err
	}
	out := []matrixSeries{}
	for _, s := range list {
		m := matrixSeries{Metric: s.labels, Values: [][2]any{}}
		for i, v := range s.values {
			if !math.IsNaN(v) {
				m.Values = append(m.Values, [2]any{seconds(times[i]), value(v)})
			}
		}
		if len(m.Values) > 0 {
			out = append(out, m)
		}
	}
	return result{"matrix", out}, warnings, nil
}

func (h *Handler) eval(ctx context.Context, e expr, times []time.Time) ([]series, []string, error) {
	c, err := h.counter()
	if err != nil {
		return nil, nil, err
	}
	v := &evaluation{counter: c, times: times}
	list, err := v.eval(ctx, e, nil)
	if err != nil {
		return nil, nil, err
	}
	return list, v.warnings, nil
}

// span reads start and end of a request about labels.
func (h *Handler) span(r *http.Request) (start, end time.Time, err error) {
	if end, err = instant("end", r.Form.Get("end"), h.now().UTC()); err != nil {
		return
	}
	start, err = instant("start", r.Form.Get("start"), end.Add(-lookBack))
	if err == nil && !start.Before(end) {
		err = bad("invalid parameter \"end\": it is not after start")
	}
	return
}

// found returns the label sets of the series that one of the selectors in
// match[] has in the span of r, by the labels in by.
func (h *Handler) found(r *http.Request, by []string) ([]map[string]string, error) {
	c, err := h.counter()
	if err != nil {
		return nil, err
	}
	start, end, err := h.span(r)
	if err != nil {
		return nil, err
	}
	match := r.Form["match[]"]
	if len(match) == 0 {
		match = []string{Metric}
	}
	var out []map[string]string
	for _, m := range match {
		e, err := parse(m)
		if err != nil {
			return nil, bad("invalid parameter \"match[]\": %v", err)
		}
		s, ok := e.(*selector)
		if !ok || s.window > 0 {
			return nil, bad("invalid parameter \"match[]\": %q is not a series", clip(m))
		}
		v := &evaluation{counter: c, times: []time.Time{end}}
		w := end.Sub(start)
		list, err := v.selected(r.Context(), s, by,
			func(n func(time.Time) float64, t time.Time) float64 { return n(t) - n(t.Add(-w)) },
			func(t time.Time) []time.Time { return []time.Time{t.Add(-w), t} }, true)
		if err != nil {
			return nil, err
		}
		for _, x := range list {
			if x.values[0] > 0 {
				out = append(out, x.labels)
			}
		}
	}
	return out, nil
}

func limit(r *http.Request) int {
	if n, err := strconv.Atoi(r.Form.Get("limit")); err == nil && n > 0 {
		return min(n, maxValues)
	}
	return maxValues
}

func (h *Handler) labels(r *http.Request) (any, []string, error) {
	if _, _, err := h.span(r); err != nil {
		return nil, nil, err
	}
	return append([]string{"__name__"}, Labels...), nil, nil
}

func (h *Handler) values(r *http.Request) (any, []string, error) {
	name := r.PathValue("name")
	if name == "__name__" {
		return []string{Metric}, nil, nil
	}
	if !slices.Contains(Labels, name) {
		return []string{}, nil, nil
	}
	found, err := h.found(r, []string{name})
	if err != nil {
		return nil, nil, err
	}
	out := []string{}
	for _, labels := range found {
		if v := labels[name]; v != "" && !strings.Contains(v, provisional) && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	out = out[:min(len(out), limit(r))] // the most frequent
	slices.Sort(out)
	return out, nil, nil
}

func (h *Handler) series(r *http.Request) (any, []string, error) {
	if len(r.Form["match[]"]) == 0 {
		return nil, nil, bad("no match[] parameter provided")
	}
	found, err := h.found(r, nil)
	if err != nil {
		return nil, nil, err
	}
	if found == nil {
		found = []map[string]string{}
	}
	return found[:min(len(found), limit(r))], nil, nil
}

func (h *Handler) metadata(r *http.Request) (any, []string, error) {
	type entry struct {
		Type string `json:"type"`
		Help string `json:"help"`
		Unit string `json:"unit"`
	}
	out := map[string][]entry{}
	if m := r.Form.Get("metric"); m == "" || m == Metric {
		out[Metric] = []entry{{"counter", "Articles published up to a time, by entity mentioned, language, source and topic.", ""}}
	}
	return out, nil, nil
}

func (h *Handler) buildInfo(*http.Request) (any, []string, error) {
	// Grafana looks at the version for what it may ask.
	return map[string]string{
		"version": "2.30.0", "revision": h.version, "branch": "xinwen", "buildUser": "", "buildDate": "", "goVersion": "",
	}, nil, nil
}
