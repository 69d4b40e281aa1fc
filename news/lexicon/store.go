package lexicon

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"

	"xinwen/news/reload"
)

// Store holds the current snapshot while files change under a running program.
// It is safe for concurrent use.
type Store struct {
	current atomic.Pointer[Lexicon]

	mu      sync.Mutex
	changed chan struct{}
}

// NewStore returns a store that holds l.
func NewStore(l *Lexicon) *Store {
	s := &Store{changed: make(chan struct{})}
	s.current.Store(l)
	return s
}

// Current returns the current snapshot. Callers take it once for each piece of
// work, so that the work sees one lexicon; a matcher built from a snapshot is
// good as long as Current returns the same pointer.
func (s *Store) Current() *Lexicon { return s.current.Load() }

// Changed returns a channel that is closed when the snapshot after the one
// current now is there.
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Set makes l the current snapshot.
func (s *Store) Set(l *Lexicon) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current.Store(l)
	close(s.changed)
	s.changed = make(chan struct{})
}

// Watch loads the built-in entities and those of dirs again whenever a file
// there changes, and returns when ctx is done. If a file is broken the last good
// snapshot stays and a warning says what to mend where. Snapshots with the same
// hash are not exchanged.
func (s *Store) Watch(ctx context.Context, log *slog.Logger, dirs ...string) error {
	return reload.Watch(ctx, dirs, func() {
		l, err := Load(dirs...)
		if err != nil {
			warn(log, err)
			return
		}
		if l.Hash() == s.Current().Hash() {
			return
		}
		s.Set(l)
		log.Info("lexicon loaded", "entities", len(l.Entities()), "hash", l.Hash())
	})
}

// maxWarnings limits the faults logged of one load.
const maxWarnings = 20

func warn(log *slog.Logger, err error) {
	const message = "lexicon not loaded, the last good one stays; mend the file and save it"
	var faults Faults
	if !errors.As(err, &faults) {
		log.Warn(message, "err", err)
		return
	}
	for _, f := range faults[:min(len(faults), maxWarnings)] {
		log.Warn(message, "file", f.File, "line", f.Line, "err", f.What, "hint", f.Hint, "faults", len(faults))
	}
}
