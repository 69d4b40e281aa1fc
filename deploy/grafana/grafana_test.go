package grafana

import (
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/prometheus/client_golang/prometheus"

	"xinwen/api"
	"xinwen/api/prom"
	"xinwen/crawler"
	"xinwen/extractor"
	"xinwen/indexer"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news/bus"
	"xinwen/news/lexicon"
)

type panel struct {
	ID         int
	Type       string
	Title      string
	Datasource struct{ Type, UID string }
	GridPos    struct{ H, W, X, Y int }
	Targets    []struct{ Expr string }
}

type dashboard struct {
	UID    string
	Title  string
	Panels []panel
}

func load(t *testing.T) map[string]dashboard {
	t.Helper()
	names, err := fs.Glob(Files, "dashboards/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("got %v, %v, want dashboards", names, err)
	}
	out := make(map[string]dashboard)
	for _, name := range names {
		data, err := fs.ReadFile(Files, name)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(data, &d); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = d
	}
	return out
}

// metrics returns the names and labels of everything that the services in one
// process export.
func metrics(t *testing.T) map[string]string {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: t.TempDir()}, Name: "test", Logger: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	words, err := lexicon.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	lex := lexicon.NewStore(words)
	evaluator, err := query.LoadEvaluator(lex)
	if err != nil {
		t.Fatal(err)
	}
	r := prometheus.NewRegistry()
	if _, err := crawler.New(crawler.Options{Bus: b, Logger: log, Metrics: r}); err != nil {
		t.Fatal(err)
	}
	if _, err := extractor.New(extractor.Options{Bus: b, Lexicon: lex, Logger: log, Metrics: r}); err != nil {
		t.Fatal(err)
	}
	i, err := indexer.New(indexer.Options{Bus: b, Lexicon: lex, Analyzer: evaluator.Analyzer(), Dir: t.TempDir(), Logger: log, Metrics: r})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = i.Stop() })
	if _, err := api.New(api.Options{Bus: b, Searcher: i.Searcher(), Evaluator: evaluator, Lexicon: lex, Logger: log, Metrics: r}); err != nil {
		t.Fatal(err)
	}
	descs := make(chan *prometheus.Desc)
	go func() {
		r.Describe(descs)
		close(descs)
	}()
	out := make(map[string]string)
	text := regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)
	for d := range descs {
		if m := text.FindStringSubmatch(d.String()); m != nil {
			out[m[1]] = m[2]
		}
	}
	return out
}

var (
	metric   = regexp.MustCompile(`\bxinwen_[a-z_]+`)
	selector = regexp.MustCompile(`\b(xinwen_[a-z_]+)\{([^}]*)\}`)
	label    = regexp.MustCompile(`([a-z_]+)=~?"`)
	grouping = regexp.MustCompile(`by \(([^)]*)\) \([^{]*?(xinwen_[a-z_]+)`)
)

func TestEveryMetricOfTheDashboardIsExported(t *testing.T) {
	have := metrics(t)
	lookup := func(name string) (labels string, ok bool) {
		labels, ok = have[name]
		if base, found := strings.CutSuffix(name, "_bucket"); !ok && found {
			labels, ok = have[base]
			labels += ",le"
		}
		return labels, ok
	}
	has := func(labels, want string) bool {
		return want == "job" || strings.Contains(","+labels+",", ","+want+",")
	}
	used := 0
	for name, d := range load(t) {
		for _, p := range d.Panels {
			if p.Datasource.UID == newsSource {
				continue // see TestNewsQueriesAreAnswered
			}
			for _, q := range p.Targets {
				for _, m := range metric.FindAllString(q.Expr, -1) {
					used++
					if _, ok := lookup(m); !ok {
						t.Errorf("%s, %s: got metric %s, which nothing exports", name, p.Title, m)
					}
				}
				for _, m := range selector.FindAllStringSubmatch(q.Expr, -1) {
					labels, _ := lookup(m[1])
					for _, l := range label.FindAllStringSubmatch(m[2], -1) {
						if !has(labels, l[1]) {
							t.Errorf("%s, %s: got label %s of %s, which has %s", name, p.Title, l[1], m[1], labels)
						}
					}
				}
				for _, m := range grouping.FindAllStringSubmatch(q.Expr, -1) {
					labels, _ := lookup(m[2])
					for l := range strings.SplitSeq(m[1], ",") {
						if !has(labels, strings.TrimSpace(l)) {
							t.Errorf("%s, %s: got grouping by %s of %s, which has %s", name, p.Title, l, m[2], labels)
						}
					}
				}
			}
		}
	}
	if used < 20 {
		t.Errorf("got %d metrics in use, want the dashboard's", used)
	}
}

func TestPanelsFitTheGrid(t *testing.T) {
	for name, d := range load(t) {
		ids := make(map[int]bool)
		taken := make(map[[2]int]string)
		for _, p := range d.Panels {
			if ids[p.ID] {
				t.Errorf("%s: got id %d twice", name, p.ID)
			}
			ids[p.ID] = true
			if p.Type != "row" && (p.Datasource.Type != "prometheus" || p.Datasource.UID != "xinwen" && p.Datasource.UID != newsSource || len(p.Targets) == 0) {
				t.Errorf("%s, %s: got data source %+v, want ours", name, p.Title, p.Datasource)
			}
			g := p.GridPos
			for x := g.X; x < g.X+g.W; x++ {
				for y := g.Y; y < g.Y+g.H; y++ {
					if other, ok := taken[[2]int{x, y}]; ok || x >= 24 {
						t.Fatalf("%s: got %s over %s at %d,%d", name, p.Title, other, x, y)
					}
					taken[[2]int{x, y}] = p.Title
				}
			}
		}
	}
}

func TestProvisioningIsYAMLAndNamesTheDataSource(t *testing.T) {
	for _, name := range []string{"provisioning/datasources/xinwen.yaml", "provisioning/dashboards/xinwen.yaml", "prometheus.yaml"} {
		data, err := fs.ReadFile(Files, name)
		if err != nil {
			t.Fatal(err)
		}
		var v map[string]any
		if err := yaml.Unmarshal(data, &v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, uid := range []string{"xinwen", newsSource} {
			if name == "provisioning/datasources/xinwen.yaml" && !strings.Contains(string(data), "uid: "+uid+"\n") {
				t.Errorf("%s: got no uid %s, which a dashboard asks for", name, uid)
			}
		}
	}
}

// newsSource is the data source that the api itself answers.
const newsSource = "xinwen-news"

// counter is an index that counts nothing.
type counter struct{ search.Searcher }

func (counter) Count(context.Context, search.CountRequest) (*search.Counts, error) {
	return &search.Counts{}, nil
}

func TestNewsQueriesAreAnswered(t *testing.T) {
	mux := http.NewServeMux()
	prom.New(counter{}, "test").Routes(mux, "/prom")
	variables := strings.NewReplacer("$__range", "30d", "$__interval", "1h", "$source", ".*", "$entity", "org:tsmc|org:nvidia")
	asked := 0
	for name, d := range load(t) {
		for _, p := range d.Panels {
			if p.Datasource.UID != newsSource {
				continue
			}
			for _, q := range p.Targets {
				asked++
				form := url.Values{"query": {variables.Replace(q.Expr)}, "start": {"0"}, "end": {"86400"}, "step": {"1h"}}
				for _, path := range []string{"query", "query_range"} {
					w := httptest.NewRecorder()
					mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/prom/api/v1/"+path+"?"+form.Encode(), nil))
					if w.Code != http.StatusOK {
						t.Errorf("%s, %s: got %d %s for %s", name, p.Title, w.Code, w.Body, q.Expr)
					}
				}
			}
		}
	}
	if asked == 0 {
		t.Error("got no query of the news")
	}
}
