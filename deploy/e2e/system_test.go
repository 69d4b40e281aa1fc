package e2e

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"xinwen/deploy/app"
	"xinwen/deploy/e2e/internal/run"
	"xinwen/deploy/simweb"
)

// prepare writes the sources of web into a new data directory.
func prepare(t *testing.T, web *simweb.Web, o simweb.SourceOptions) run.Part {
	t.Helper()
	dir := t.TempDir()
	s := run.Part{Data: dir, Sources: filepath.Join(dir, "sources.yaml"), Resolve: []string{web.Resolve()}}
	if err := os.WriteFile(s.Sources, []byte(web.SourcesFor(o)), 0o644); err != nil {
		t.Fatal(err)
	}
	return s
}

// start runs everything in this process until the test ends.
func start(t *testing.T, s run.Part) *run.Client {
	t.Helper()
	return startWith(t, s.Config())
}

func startWith(t *testing.T, c app.Config) *run.Client {
	t.Helper()
	var log bytes.Buffer // read when nothing writes any more
	a, err := app.New(app.Options{Config: c, Logger: slog.New(slog.NewTextHandler(&log, nil)), Version: "e2e"})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Errorf("stop: %v", err)
		}
		if t.Failed() {
			t.Logf("log:\n%s", log.Bytes()[max(0, log.Len()-20_000):])
		}
	})
	return &run.Client{T: t, Base: "http://" + a.Addr()}
}
