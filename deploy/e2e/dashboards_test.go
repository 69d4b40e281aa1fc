package e2e

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"xinwen/deploy/e2e/internal/run"
	"xinwen/deploy/grafana"
	"xinwen/deploy/simweb"
)

// panels returns the queries of all dashboards by data source, each with the
// panel it is of. Variables stand for everything.
func panels(t *testing.T) map[string]map[string]string {
	t.Helper()
	names, err := fs.Glob(grafana.Files, "dashboards/*.json")
	if err != nil {
		t.Fatal(err)
	}
	variables := strings.NewReplacer("$__rate_interval", "1m", "$__range", "30d", "$__interval", "1d", "$source", ".*", "$entity", ".+", "$job", ".*")
	out := make(map[string]map[string]string)
	for _, name := range names {
		data, err := fs.ReadFile(grafana.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		var d struct {
			Panels []struct {
				Title      string
				Datasource struct{ UID string }
				Targets    []struct{ Expr string }
			}
		}
		if err := json.Unmarshal(data, &d); err != nil {
			t.Fatal(err)
		}
		for _, p := range d.Panels {
			for _, q := range p.Targets {
				if out[p.Datasource.UID] == nil {
					out[p.Datasource.UID] = make(map[string]string)
				}
				out[p.Datasource.UID][variables.Replace(q.Expr)] = name + ": " + p.Title
			}
		}
	}
	return out
}

// prometheus scrapes an api every second until the test ends, and returns a
// client that asks it.
func prometheus(t *testing.T, target string) v1.API {
	t.Helper()
	program, err := exec.LookPath("prometheus")
	if err != nil {
		t.Skip("prometheus is not installed (Debian: apt-get install prometheus)")
	}
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yaml")
	text := fmt.Sprintf("scrape_configs:\n- {job_name: xinwen, scrape_interval: 1s, static_configs: [{targets: [%q]}]}\n", target)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := run.FreeAddr(t)
	cmd := exec.Command(program, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr, "--log.level=error")
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // its data goes too
		_ = cmd.Wait()
	})
	return ask(t, "http://"+addr)
}

func ask(t *testing.T, address string) v1.API {
	t.Helper()
	c, err := api.NewClient(api.Config{Address: address})
	if err != nil {
		t.Fatal(err)
	}
	return v1.NewAPI(c)
}

// quiet are parts of queries that show nothing where all is well, or where there
// is no history.
var quiet = []string{"xinwen_source_failures", "offset 7d"}

// TestDashboardsShowTheDemo asks for every panel of the dashboards what it asks:
// of a real Prometheus that scrapes the demo, and of the news themselves.
func TestDashboardsShowTheDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("crawls the whole demo web")
	}
	web := startWeb(t, simweb.Options{})
	receiver := run.NewReceiver(t)
	s := prepare(t, web, simweb.SourceOptions{Delay: delay, Interval: 30 * time.Minute})
	s.Alerts = receiver.Rule(t, "foundries", "台积电 OR 三星")
	c := start(t, s)
	scraped := prometheus(t, strings.TrimPrefix(c.Base, "http://"))
	articles := len(web.Articles())
	c.Until(demoTime, func() string {
		if n := c.Count(); n < articles {
			return fmt.Sprintf("%d of %d articles can be found", n, articles)
		}
		return c.Busy()
	})
	var newest time.Time
	for _, h := range c.Search("") {
		if h.Published.After(newest) {
			newest = h.Published
		}
	}
	for uid, queries := range panels(t) {
		source, at := scraped, time.Now
		if uid == "xinwen-news" {
			source, at = ask(t, c.Base+"/prom"), func() time.Time { return newest.Add(time.Minute) }
		}
		t.Run(uid, func(t *testing.T) {
			// Some need two scrapes after the last article.
			c.Until(30*time.Second, func() string {
				var empty []string
				for q, panel := range queries {
					value, _, _, err := source.Query(t.Context(), q, at())
					if err != nil {
						return fmt.Sprintf("%s: %v for %s", panel, err, q)
					}
					v, _ := value.(model.Vector)
					shown := slices.ContainsFunc(v, func(s *model.Sample) bool { return uid != "xinwen-news" || s.Value > 0 })
					if !shown && !slices.ContainsFunc(quiet, func(part string) bool { return strings.Contains(q, part) }) {
						empty = append(empty, panel+" shows nothing: "+q)
					}
				}
				slices.Sort(empty)
				return strings.Join(empty, "\n")
			})
		})
	}
}
