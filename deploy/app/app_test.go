package app_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/crawler/frontier"
	"xinwen/deploy/app"
	"xinwen/deploy/simweb"
	"xinwen/news/bus"
)

func TestStopLosesNothingUnderWay(t *testing.T) {
	web, err := simweb.New(simweb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := web.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	asked := make(chan struct{}, 100)
	never := make(chan struct{})
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		select { // it never answers
		case <-r.Context().Done():
		case <-never:
		}
	}))
	defer receiver.Close()
	defer close(never)
	dir := t.TempDir()
	c := app.Config{Data: dir}
	c.Crawler.Sources = filepath.Join(dir, "sources.yaml")
	c.Crawler.Resolve = []string{web.Resolve()}
	c.API.Listen, c.API.AllowPrivateWebhooks = "127.0.0.1:0", true
	c.API.AlertsDir = filepath.Join(dir, "alerts")
	c.API.WebhookTimeout = time.Minute
	rule := fmt.Sprintf("id: all\nname: all\nquery: '台积电 OR 三星'\nwebhooks:\n  - url: %s\n    secret_env: XINWEN_TEST_SECRET\n", receiver.URL)
	t.Setenv("XINWEN_TEST_SECRET", "whsec_c2ltdWxhdGVkIHdlYiBvZiBtYW55IHNpdGVz")
	if err := os.Mkdir(c.API.AlertsDir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{c.Crawler.Sources: web.SourcesFor(simweb.SourceOptions{Delay: 200 * time.Millisecond}), filepath.Join(c.API.AlertsDir, "all.yaml"): rule} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a, err := app.New(app.Options{Config: c, Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A reader of a live stream, and a delivery under way, in the middle of a crawl.
	live, err := http.Get("http://" + a.Addr() + "/v1/stream?q=")
	if err != nil {
		t.Fatal(err)
	}
	defer live.Body.Close()
	select {
	case <-asked:
	case <-time.After(60 * time.Second):
		t.Fatal("no delivery was tried")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := a.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
	// What was under way is there for the next start, and nothing was given up.
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: filepath.Join(dir, "nats")}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if q, err := b.ListQuarantine(t.Context(), 0); err != nil || len(q) > 0 {
		t.Errorf("got %+v, %v in quarantine, want nothing", q, err)
	}
	streams, err := b.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	waiting := 0
	for _, s := range streams {
		if s.Name == bus.Alerts {
			for _, k := range s.Consumers {
				waiting += int(k.Pending) + k.AckPending
			}
		}
	}
	if waiting == 0 {
		t.Error("the delivery that was under way is not there any more")
	}
	kept := keptURLs(t, b)
	fetched := web.Log().Fetched()
	for _, article := range web.Articles() {
		if fetched[article.URL] > 0 && !kept[article.URL] {
			t.Errorf("fetched, and neither a page nor still to be fetched: %s", article.URL)
		}
	}
}

// keptURLs returns what is in PAGES or still in FRONTIER.
func keptURLs(t *testing.T, b *bus.Bus) map[string]bool {
	t.Helper()
	kept := make(map[string]bool)
	for _, name := range []string{bus.Pages, bus.Frontier} {
		s, err := b.JetStream().Stream(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		for seq := range s.CachedInfo().State.LastSeq {
			m, err := s.GetMsg(t.Context(), seq+1)
			if errors.Is(err, jetstream.ErrMsgNotFound) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			kept[m.Header.Get(bus.HeaderURL)] = true
			if e, err := frontier.ParseEntry(m.Data); name == bus.Frontier && err == nil {
				kept[e.URL] = true
			}
		}
	}
	return kept
}

func TestServiceAloneAnswersForItself(t *testing.T) {
	server, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	c := app.Config{Data: t.TempDir(), Metrics: "127.0.0.1:0", NATS: bus.Config{URL: server.URL()}}
	a, err := app.New(app.Options{Config: c, Services: []string{app.Extractor}})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	for path, want := range map[string]string{"/readyz": "ok", "/healthz": "ok", "/metrics": "xinwen_bus_connected 1"} {
		res, err := http.Get("http://" + a.HealthAddr() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		_ = res.Body.Close() // read to its end
		if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(string(body), want) {
			t.Errorf("%s: got %s and %q, %v, want %q", path, res.Status, body, err, want)
		}
	}
}

func TestFaultsOfSourcesAreToldBeforeAnythingRuns(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sources.yaml")
	if err := os.WriteFile(file, []byte("sources:\n  - id: A b\n    feeds: [news.example]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := app.Config{Data: filepath.Join(t.TempDir(), "data")}
	c.Crawler.Sources = file
	_, err := app.New(app.Options{Config: c})
	if err == nil || strings.Count(err.Error(), file) != 2 {
		t.Errorf("got %v, want the file's two faults", err)
	}
	if _, err := os.Stat(c.Data); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v for the data directory, want none made", err)
	}
	if _, err := app.New(app.Options{Config: c, Services: []string{app.API}}); err == nil || strings.Contains(err.Error(), file) {
		t.Errorf("got %v, want an api to care only for the missing server", err)
	}
}

func TestDataIsTheOwnersAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("directories have no modes here")
	}
	dir := filepath.Join(t.TempDir(), "data")
	if err := app.CheckData(dir); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o700 {
		t.Errorf("got mode %v, want %v", got, os.FileMode(0o700))
	}
}
