package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/crawler/source"
	"xinwen/deploy/app"
	"xinwen/deploy/simweb"
)

// inZone is set in the processes that TestZoneAndLocaleDoNotMatter starts: a
// zone is read once, when a process starts.
const inZone = "XINWEN_TEST_IN_ZONE"

func TestZoneAndLocaleDoNotMatter(t *testing.T) {
	if os.Getenv(inZone) != "" {
		sameIndex(t)
		return
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, zone, locale string }{
		{"shanghai-gbk", "Asia/Shanghai", "zh_CN.GBK"},
		{"new-york-c", "America/New_York", "C"},
		{"kiritimati", "Pacific/Kiritimati", "zh_TW.Big5"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && c.name != "kiritimati" { // the farthest from UTC
				t.Skip("crawls the demo web")
			}
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, self, "-test.run", "^TestZoneAndLocaleDoNotMatter$", "-test.timeout", "110s")
			cmd.Env = append(os.Environ(), inZone+"=1", "TZ="+c.zone, "LANG="+c.locale, "LC_ALL="+c.locale)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v:\n%s", err, out)
			}
		})
	}
}

// known is what an index says of an article that a zone or a locale could
// change.
type known struct {
	Title, Lang, Script, Published string
}

// sameIndex crawls the demo web once and compares what is in the index with what
// the web published.
func sameIndex(t *testing.T) {
	if got, want := time.Local.String(), os.Getenv("TZ"); got != want {
		t.Fatalf("got zone %s, want %s", got, want)
	}
	web, err := simweb.New(simweb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := web.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	dir := t.TempDir()
	c := app.Config{Data: dir}
	c.API.Listen = "127.0.0.1:0"
	c.Crawler.Sources, c.Crawler.Resolve, c.Crawler.Once = filepath.Join(dir, "sources.yaml"), []string{web.Resolve()}, true
	if err := os.WriteFile(c.Crawler.Sources, []byte(web.SourcesFor(simweb.SourceOptions{Delay: time.Millisecond})), 0o600); err != nil {
		t.Fatal(err)
	}
	sources, err := source.Load(c.Crawler.Sources)
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.New(app.Options{Config: c})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	defer func() {
		if err := a.Stop(context.WithoutCancel(ctx)); err != nil {
			t.Error(err)
		}
	}()
	if err := a.Drained(ctx); err != nil {
		t.Fatal(err)
	}
	want, zones, dateOnly := make(map[string]known), make(map[string]*time.Location), make(map[string]bool)
	for _, article := range web.Articles() {
		zone, err := time.LoadLocation(sources.Source(article.Source).TimeZone)
		if err != nil {
			t.Fatal(err)
		}
		zones[article.URL], dateOnly[article.URL] = zone, article.DateOnly
		want[article.URL] = known{article.Title, article.Lang, article.Script, written(article.Published, zone, article.DateOnly)}
	}
	got := make(map[string]known)
	for _, hit := range exported(t, a.Addr()) {
		if zones[hit.URL] == nil {
			t.Errorf("%s is no article of the web", hit.URL)
			continue
		}
		got[hit.URL] = known{hit.Title, hit.Lang, hit.Script, written(hit.Published, zones[hit.URL], dateOnly[hit.URL])}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want (-), got (+):\n%s", diff)
	}
}

// written is a time in UTC, or the day in its source's zone where that is all
// the page tells.
func written(at time.Time, zone *time.Location, dateOnly bool) string {
	switch {
	case at.IsZero():
		return ""
	case dateOnly:
		return at.In(zone).Format(time.DateOnly)
	}
	return at.UTC().Format(time.RFC3339)
}

type exportedHit struct {
	URL, Title, Lang, Script string
	Published                time.Time
}

// exported returns everything in the index.
func exported(t *testing.T, addr string) []exportedHit {
	t.Helper()
	resp, err := http.Get("http://" + addr + "/v1/export")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var hits []exportedHit
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct {
			exportedHit
			Manifest *struct{ Complete bool }
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		if line.Manifest == nil {
			hits = append(hits, line.exportedHit)
		} else if !line.Manifest.Complete {
			t.Error("the export ended early")
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return hits
}
