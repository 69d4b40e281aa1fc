package rules

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"xinwen/indexer/query"
	"xinwen/news/bus"
)

func openBus(t *testing.T) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: t.TempDir()}, Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

func ids(t *testing.T, s *Store) []string {
	t.Helper()
	list, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range list {
		ids = append(ids, r.ID+"="+r.Query)
	}
	return ids
}

func TestSyncFollowsTheFiles(t *testing.T) {
	b, dir := openBus(t), t.TempDir()
	s := NewStore(Options{Bus: b, Dir: dir})
	// One made through the api is nobody's file's to remove.
	if _, err := b.KV(bus.KVRules).Put(t.Context(), bus.Key("mine"), []byte(`{"id":"mine","query":"光刻"}`)); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name string
		do   func()
		want []string
	}{
		{"first", func() {
			write(t, dir, "a.yaml", "- id: one\n  query: HBM\n- id: two\n  query: NAND\n")
			write(t, dir, "b.yaml", "id: three\nquery: DRAM\n")
		}, []string{"mine=光刻", "one=HBM", "three=DRAM", "two=NAND"}},
		{"changed", func() { write(t, dir, "b.yaml", "id: three\nquery: DRAM OR 内存\n") }, []string{"mine=光刻", "one=HBM", "three=DRAM OR 内存", "two=NAND"}},
		{"bad file keeps its rules", func() { write(t, dir, "a.yaml", "- id: one\n  query: (\n") }, []string{"mine=光刻", "one=HBM", "three=DRAM OR 内存", "two=NAND"}},
		{"rule taken out", func() { write(t, dir, "a.yaml", "- id: one\n  query: HBM4\n") }, []string{"mine=光刻", "one=HBM4", "three=DRAM OR 内存"}},
		{"taken id", func() { write(t, dir, "c.yaml", "id: mine\nquery: HBM\n") }, []string{"mine=光刻", "one=HBM4", "three=DRAM OR 内存"}},
		{"file removed", func() { _ = os.Remove(filepath.Join(dir, "b.yaml")) }, []string{"mine=光刻", "one=HBM4"}},
	} {
		step.do()
		if err := s.Sync(t.Context()); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := ids(t, s); !cmp.Equal(got, step.want) {
			t.Errorf("%s: got %v, want %v", step.name, got, step.want)
		}
	}
	r, err := s.Get(t.Context(), "one")
	if err != nil || r == nil || r.Origin != "a.yaml" {
		t.Errorf("got %+v, %v, want rule one of a.yaml", r, err)
	}
	if r, err := s.Get(t.Context(), "none"); r != nil || err != nil {
		t.Errorf("got %+v, %v, want nothing", r, err)
	}
}

func TestSyncWritesOnlyWhatChanged(t *testing.T) {
	b, dir := openBus(t), t.TempDir()
	write(t, dir, "a.yaml", "id: one\nquery: HBM\n")
	s := NewStore(Options{Bus: b, Dir: dir})
	for range 2 {
		if err := s.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	e, err := b.KV(bus.KVRules).Get(t.Context(), "one")
	if err != nil || e.Revision() != 1 {
		t.Errorf("got revision %v, %v, want 1", e, err)
	}
}

func TestWatchLoadsAnEditSoon(t *testing.T) {
	b, dir := openBus(t), t.TempDir()
	s := NewStore(Options{Bus: b, Dir: dir})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.Watch(ctx) }()
	w, err := b.KV(bus.KVRules).WatchAll(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Stop() }()
	write(t, dir, "a.yaml", "id: one\nquery: HBM\n")
	for e := range w.Updates() {
		if e == nil || e.Key() == bus.KeyNoRule {
			continue // the end of what was there before; the word that there is none
		}
		if r, err := ParseStored(e.Value()); err != nil || r.ID != "one" {
			t.Errorf("got %v, %v, want rule one", r, err)
		}
		break
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("got %v, want nil after the end", err)
	}
}

func TestRuleIsLoadedWhenItsWordsGetAMeaning(t *testing.T) {
	b, dir := openBus(t), t.TempDir()
	write(t, dir, "a.yaml", "id: one\nquery: entity:newcomer\n")
	var known atomic.Bool
	changed := make(chan struct{})
	s := NewStore(Options{
		Bus: b, Dir: dir,
		Parse: func(q string) (query.Node, error) {
			return query.ParseWith(q, query.Options{KnowsEntity: func(string) bool { return known.Load() }})
		},
		Changed: func() <-chan struct{} {
			if known.Load() {
				return nil
			}
			return changed
		},
	})
	if err := s.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, s); len(got) != 0 {
		t.Errorf("got %v, want a rule of an unknown entity refused", got)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	w, err := b.KV(bus.KVRules).WatchAll(ctx, jetstream.UpdatesOnly())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Stop() }()
	done := make(chan error, 1)
	go func() { done <- s.Watch(ctx) }()
	known.Store(true)
	close(changed)
	if e := <-w.Updates(); e == nil || e.Key() != "one" {
		t.Errorf("got %v, want rule one", e)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("got %v, want nil after the end", err)
	}
}
