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
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/indexer/query"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/reload"
)

// Options are what a Store is made from.
type Options struct {
	Bus *bus.Bus
	// Dir holds the rule files; with "" the store only reads KV.
	Dir string
	// Parse reads queries; query.Parse if nil.
	Parse Parser
	// Changed, if set, returns a channel that is closed when Parse may judge
	// differently than before, as after a change of the lexicon.
	Changed func() <-chan struct{}
	Logger  *slog.Logger
}

// Store is the KV bucket of rules, and the directory that feeds it.
type Store struct {
	o   Options
	kv  jetstream.KeyValue
	dir string
	log *slog.Logger
	mu  sync.Mutex // one Sync at a time
}

// NewStore returns the store over the rules bucket of the bus.
func NewStore(o Options) *Store {
	if o.Parse == nil {
		o.Parse = query.Parse
	}
	if o.Changed == nil {
		o.Changed = func() <-chan struct{} { return nil }
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Store{o: o, kv: o.Bus.KV(bus.KVRules), dir: o.Dir, log: o.Logger}
}

// Sync makes the bucket say what the directory says. Faults in files are
// logged, not returned: the files' last good rules stay. After it the percolator
// may begin, also if there are no rules.
func (s *Store) Sync(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.o.Bus.Persist(ctx, "alert rules not stored", func() error {
		if s.dir != "" {
			if err := s.sync(ctx); err != nil {
				return err
			}
		}
		return s.speak(ctx)
	})
}

// speak marks a bucket that has never had a rule, see bus.KeyNoRule.
func (s *Store) speak(ctx context.Context) error {
	status, err := s.kv.Status(ctx)
	if err == nil && status.Values() == 0 {
		err = s.kv.Delete(ctx, bus.KeyNoRule)
	}
	if err != nil {
		return fmt.Errorf("rules: %w", err)
	}
	return nil
}

func (s *Store) sync(ctx context.Context) error {
	set, err := Load(s.dir, s.o.Parse)
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

// Watch syncs whenever the directory or the meaning of queries changes, until
// ctx is done.
func (s *Store) Watch(ctx context.Context) error {
	if s.dir == "" {
		<-ctx.Done()
		return nil
	}
	again := func() {
		if err := s.Sync(ctx); err != nil && ctx.Err() == nil {
			s.log.Error("alert rules not loaded", "err", err)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	var meaning sync.WaitGroup
	defer meaning.Wait()
	defer cancel()
	changed := s.o.Changed()
	meaning.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-changed:
				changed = s.o.Changed() // before, so that no change is missed
				again()
			}
		}
	})
	return reload.Watch(ctx, []string{s.dir}, again)
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
	r, err := ParseStored(e.Value())
	if err != nil {
		return nil, err
	}
	r.Revision = e.Revision()
	return r, nil
}

var (
	// ErrExists says that there is a rule of this ID already.
	ErrExists = errors.New("a rule of this id exists")
	// ErrChanged says that a rule is not the one that was meant to be changed.
	ErrChanged = errors.New("the rule has been changed by somebody else")
	// ErrFile says that a rule comes from a file, where it must be changed.
	ErrFile = errors.New("the rule comes from a file")
)

// Create stores a rule that did not come from a file, and returns its revision.
func (s *Store) Create(ctx context.Context, r *news.Rule) (uint64, error) {
	data, err := json.Marshal(Stored{Rule: *r})
	if err != nil {
		return 0, err
	}
	revision, err := s.kv.Create(ctx, bus.Key(r.ID), data)
	if errors.Is(err, jetstream.ErrKeyExists) {
		return 0, fmt.Errorf("store rule %s: %w", r.ID, ErrExists)
	}
	if err != nil {
		return 0, fmt.Errorf("store rule %s: %w", r.ID, err)
	}
	return revision, nil
}

// Update stores r in place of old, unless that is no longer what is stored, and
// returns its revision.
func (s *Store) Update(ctx context.Context, r *news.Rule, old *Stored) (uint64, error) {
	if old.Origin != "" {
		return 0, ErrFile
	}
	data, err := json.Marshal(Stored{Rule: *r})
	if err != nil {
		return 0, err
	}
	revision, err := s.kv.Update(ctx, bus.Key(r.ID), data, old.Revision)
	if errors.Is(err, jetstream.ErrKeyExists) { // what a wrong revision is told as
		return 0, ErrChanged
	}
	if err != nil {
		return 0, fmt.Errorf("store rule %s: %w", r.ID, err)
	}
	return revision, nil
}

// Delete removes a rule, unless it is no longer what is stored.
func (s *Store) Delete(ctx context.Context, old *Stored) error {
	if old.Origin != "" {
		return ErrFile
	}
	err := s.kv.Delete(ctx, bus.Key(old.ID), jetstream.LastRevision(old.Revision))
	if errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyNotFound) {
		return ErrChanged
	}
	if err != nil {
		return fmt.Errorf("remove rule %s: %w", old.ID, err)
	}
	return nil
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
			r.Revision = e.Revision()
			list = append(list, *r)
		}
	}
}
