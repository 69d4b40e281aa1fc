package e2e

import (
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"xinwen/deploy/e2e/internal/run"
	"xinwen/deploy/simweb"
	"xinwen/news/weburl"
)

// spans is a collector of traces: the names of the spans of each.
type spans struct {
	mu     sync.Mutex
	traces map[string][]string
	pages  map[string]string // trace by the URL that was fetched
	faults []string
}

func newSpans(t *testing.T) *spans {
	t.Helper()
	s := &spans{traces: make(map[string][]string), pages: make(map[string]string)}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	return s
}

// ServeHTTP implements http.Handler, as OTLP over HTTP wants it.
func (s *spans) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var req collector.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &req)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || r.URL.Path != "/v1/traces" {
		s.faults = append(s.faults, fmt.Sprint(r.URL.Path, ": ", err))
		http.Error(w, "not a trace", http.StatusBadRequest)
		return
	}
	for _, resource := range req.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				id := hex.EncodeToString(span.TraceId)
				for _, a := range span.Attributes {
					if a.Key == "url.full" && span.Name == http.MethodGet {
						s.pages[a.Value.GetStringValue()] = id
					}
				}
				s.traces[id] = append(s.traces[id], span.Name)
			}
		}
	}
}

// journey is every step of an article that is told of. The crawler also asks for
// its next visit.
var journey = []string{
	"process FRONTIER", "GET", "send PAGES", "send FRONTIER",
	"process PAGES", "send ARTICLES",
	"index ARTICLES",
	"process ARTICLES", "send ALERTS", // the percolator
	"process ALERTS", "deliver webhook",
}

func TestOneTraceFromFetchToDelivery(t *testing.T) {
	if testing.Short() {
		t.Skip("crawls a part of the demo web")
	}
	traces := newSpans(t)
	web := startWeb(t, simweb.Options{DemoSites: []string{"dianhai", "kuaixin"}})
	articles := web.Articles()
	receiver := run.NewReceiver(t)
	s := prepare(t, web, simweb.SourceOptions{Delay: delay, Interval: 30 * time.Minute})
	s.Alerts = receiver.Rule(t, "foundries", "台积电 OR 三星")
	told := make(map[string]bool)
	for _, id := range telling(articles, slices.Concat(spelt["tsmc"], spelt["samsung"])...) {
		told[id] = true
	}
	if len(told) == 0 {
		t.Fatal("no article is told of")
	}
	t.Run("crawl", func(t *testing.T) { // its end is the system's, which sends the last spans
		c := start(t, s)
		c.Until(demoTime, func() string {
			if missing := short(c.Count(), len(articles)); missing != "" {
				return missing
			}
			return c.Busy()
		})
		receiver.Arrived(t, time.Minute, slices.Collect(maps.Keys(told)))
	})
	traces.mu.Lock()
	defer traces.mu.Unlock()
	if len(traces.faults) > 0 {
		t.Errorf("faults: %v", traces.faults)
	}
	seen := make(map[string]string)
	for _, a := range articles {
		id := traces.pages[a.URL]
		if other := seen[id]; other != "" {
			t.Errorf("%s and %s share a trace", a.Name, other)
		}
		seen[id] = a.Name
		got := make(map[string]bool)
		for _, name := range traces.traces[id] {
			got[name] = true
		}
		want := journey
		if !told[weburl.ID(a.URL)] {
			want = slices.DeleteFunc(slices.Clone(journey), func(n string) bool {
				return strings.Contains(n, "ALERTS") || strings.HasPrefix(n, "deliver")
			})
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(maps.Keys(got))); diff != "" {
			t.Errorf("trace of %s (-want +got):\n%s", a.Name, diff)
		}
	}
}
