package e2e

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"xinwen/deploy/app"
	"xinwen/deploy/e2e/internal/run"
)

// runFor runs everything until it fails, and returns its error; a system that
// does not fail within some time is stopped.
func runFor(t *testing.T, c app.Config) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	return app.Run(ctx, app.Options{Config: c, Version: "e2e"})
}

func TestWhatCannotRunSaysWhatToMend(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tc := range []struct {
		name   string
		change func(*app.Config)
		want   []string
	}{
		{
			"taken-port",
			func(c *app.Config) { c.API.Listen = taken.Addr().String() },
			[]string{taken.Addr().String(), "taken", "--listen"},
		},
		{
			"data-is-a-file",
			func(c *app.Config) { c.Data = file("plain", "x") },
			[]string{"plain", "--data"},
		},
		{
			"several-faults-at-once",
			func(c *app.Config) { c.API.Listen, c.Crawler.Timeout, c.Log.Format = "nowhere", -1, "xml" },
			[]string{"nowhere", "timeout", "xml"},
		},
		{
			"sources-unknown-key",
			func(c *app.Config) {
				c.Crawler.Sources = file("sources.yaml", "sources:\n  - id: a\n    feed: http://a.example/\n")
			},
			[]string{"sources.yaml:3", "feed", "feeds"},
		},
		{
			"sources-missing",
			func(c *app.Config) { c.Crawler.Sources = filepath.Join(dir, "none.yaml") },
			[]string{"none.yaml"},
		},
		{
			"lexicon-malformed",
			func(c *app.Config) {
				c.Dir = filepath.Dir(filepath.Dir(file("config/lexicon/mine.yaml", "entities:\n  - nonsense: 1\n")))
			},
			[]string{"mine.yaml"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := run.Part{Data: t.TempDir(), Sources: "none"}.Config()
			tc.change(&c)
			err := runFor(t, c)
			if err == nil {
				t.Fatal("it runs")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to say %q", err, want)
				}
			}
		})
	}
}

func TestConfigurationWithUnknownKeysIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "xinwen.yaml")
	if err := os.WriteFile(path, []byte("api:\n  listen: 127.0.0.1:0\n  lisen: x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := app.ReadConfig(path)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "lisen") {
		t.Errorf("got %v, want an error with file and key", err)
	}
}

func TestTwoProcessesCannotShareTheirData(t *testing.T) {
	s := run.Part{Data: t.TempDir(), Sources: "none"}
	c := start(t, s)
	err := runFor(t, s.Config())
	if err == nil || !strings.Contains(err.Error(), s.Data) {
		t.Errorf("got %v, want an error that names the directory", err)
	}
	if n := c.Count(); n != 0 {
		t.Errorf("the first process counts %d articles, want 0", n)
	}
}

func TestAFaultyRuleLeavesTheOthersInForce(t *testing.T) {
	receiver := run.NewReceiver(t)
	s := run.Part{Data: t.TempDir(), Sources: "none"}
	s.Alerts = receiver.Rule(t, "good", "台积电")
	if err := os.WriteFile(filepath.Join(s.Alerts, "bad.yaml"), []byte("id: bad\nname: bad\nquery: '(台积电 OR'\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := start(t, s)
	var r struct {
		Alerts []struct {
			ID string `json:"id"`
		} `json:"alerts"`
	}
	if err := c.Ask("/v1/alerts", nil, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Alerts) != 1 || r.Alerts[0].ID != "good" {
		t.Errorf("got rules %+v, want the good one", r.Alerts)
	}
}
