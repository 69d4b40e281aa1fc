package rules

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/news/bus"
	"xinwen/news/reload"
)

// Store is the KV bucket of rules, and the directory that feeds it.
type Store struct {
	kv  jetstream.KeyValue
	dir string
	log *slog.Logger
}

// NewStore returns the store over the rules bucket of b. With dir == "" it
// only reads.
func NewStore(b *bus.Bus, dir string, log *slog.Logger) *Store {
	return &Store{kv: b.KV(bus.KVRules), dir: dir, log: log}
}

// Sync makes the bucket say what the directory says. Faults in files are
// logged, not returned: the files' last good rules stay.
func (s *Store) Sync(ctx context.Context) error {
	if s.dir == "" {
		return nil
	}
	set, err := Load(s.dir)
	if err != nil {
		return err
	}
	for _, f := range set.Faults {
		s.log.Warn("alert rule refused", "file", f.File, "line", f.Line, "err", f.Message, "hint", f.Hint, "kept", "the file's last good rules")
	}
	stored, err := s.List(ctx)
	if err != nil {
		return err
	}
	have := make(map[string]Stored, len(stored))
	for _, r := range stored {
		have[r.ID] = r
	}
	var put, removed int
	for _, r := range set.Rules {
		old, ok := have[r.ID]
		delete(have, r.ID)
		if ok && old.Origin == "" {
			s.log.Warn("alert rule refused", "file", r.Origin, "rule", r.ID, "err", "a rule of this id was made through the api", "hint", "choose another id")
			continue
		}
		if ok && slices.Contains(set.Bad, old.Origin) && old.Origin != r.Origin {
			// It may only have moved; its old file cannot say so yet.
			s.log.Info("alert rule moved", "rule", r.ID, "from", old.Origin, "to", r.Origin)
		}
		changed, err := s.put(ctx, &r, &old)
		if err != nil {
			return err
		}
		if changed {
			put++
		}
	}
	for _, r := range have {
		if r.Origin == "" || slices.Contains(set.Bad, r.Origin) {
			continue
		}
		if err := s.kv.Delete(ctx, bus.Key(r.ID)); err != nil {
			return fmt.Errorf("remove rule %s: %w", r.ID, err)
		}
		removed++
	}
	if put+removed > 0 {
		s.log.Info("alert rules loaded", "rules", len(set.Rules), "changed", put, "removed", removed, "faults", len(set.Faults))
	}
	return nil
}

func (s *Store) put(ctx context.Context, r, old *Stored) (changed bool, err error) {
	data, err := json.Marshal(r)
	if err != nil {
		return false, err
	}
	if before, err := json.Marshal(old); err == nil && bytes.Equal(before, data) {
		return false, nil
	}
	if _, err := s.kv.Put(ctx, bus.Key(r.ID), data); err != nil {
		return false, fmt.Errorf("store rule %s: %w", r.ID, err)
	}
	return true, nil
}

// Watch syncs whenever the directory changes, until ctx is done.
func (s *Store) Watch(ctx context.Context) error {
	if s.dir == "" {
		<-ctx.Done()
		return nil
	}
	return reload.Watch(ctx, []string{s.dir}, func() {
		if err := s.Sync(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("alert rules not loaded", "err", err)
		}
	})
}

// Get returns the rule of an ID, or nil if there is none.
func (s *Store) Get(ctx context.Context, id string) (*Stored, error) {
	e, err := s.kv.Get(ctx, bus.Key(id))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read rule %s: %w", id, err)
	}
	return ParseStored(e.Value())
}

// List returns all rules, sorted by ID.
func (s *Store) List(ctx context.Context) ([]Stored, error) {
	w, err := s.kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return nil, fmt.Errorf("list rules: %w", err)
	}
	defer func() { _ = w.Stop() }() // only reading
	var list []Stored
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case e, ok := <-w.Updates():
			if !ok {
				return nil, errors.New("list rules: the watch ended early")
			}
			if e == nil { // all there is now has been seen
				slices.SortFunc(list, func(a, b Stored) int { return strings.Compare(a.ID, b.ID) })
				return list, nil
			}
			r, err := ParseStored(e.Value())
			if err != nil {
				s.log.Warn("alert rule unreadable", "key", e.Key(), "err", err)
				continue
			}
			list = append(list, *r)
		}
	}
}
