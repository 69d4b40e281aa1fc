package lexicon

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const patient = 20 * time.Second

// warnings passes on what is logged at Warn.
type warnings struct {
	slog.Handler
	got chan slog.Record
}

func (w warnings) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

func (w warnings) Handle(_ context.Context, r slog.Record) error {
	w.got <- r
	return nil
}

func TestStoreWatchReloads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "lexicon") // comes later
	s := NewStore(builtin(t))
	w := warnings{slog.DiscardHandler, make(chan slog.Record, 100)}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		if err := s.Watch(ctx, slog.New(w), dir); err != nil {
			t.Errorf("Watch: %v", err)
		}
	})
	// Readers go on all the time.
	for range 2 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if ids := s.Current().Lookup("輝達"); len(ids) != 1 {
					t.Errorf("Lookup(輝達) = %q", ids)
					return
				}
			}
		})
	}
	change := func(content string) {
		t.Helper()
		changed := s.Changed()
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		writeFile(t, dir, "own.yaml", content)
		select {
		case <-changed:
		case r := <-w.got:
			t.Fatalf("warned: %s", r.Message)
		case <-time.After(patient):
			t.Fatal("no new snapshot")
		}
	}

	change("- {id: org:our-fab, en: Our Fab}\n")
	if _, ok := s.Current().Entity("org:our-fab"); !ok {
		t.Error("the file's entity is not there")
	}

	good := s.Current()
	writeFile(t, dir, "own.yaml", "- {id: org:our-fab, en: Our Fab, color: red}\n")
	select {
	case r := <-w.got:
		attrs := make(map[string]string)
		r.Attrs(func(a slog.Attr) bool {
			attrs[a.Key] = a.Value.String()
			return true
		})
		if attrs["file"] != filepath.Join(dir, "own.yaml") || attrs["line"] != "1" || attrs["hint"] == "" {
			t.Errorf("got warning %s %v, want file, line and hint", r.Message, attrs)
		}
	case <-time.After(patient):
		t.Fatal("no warning of a broken file")
	}
	if s.Current() != good {
		t.Error("a broken file took the last good snapshot away")
	}

	change("- {id: org:our-fab, en: Our Fab, aliases: [OFAB]}\n")
	if ids := s.Current().Lookup("OFAB"); len(ids) != 1 {
		t.Errorf("Lookup(OFAB) = %q after the file was mended", ids)
	}
}
