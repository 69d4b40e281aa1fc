package source

import (
	"context"
	"log/slog"
	"sync"

	"xinwen/news/reload"
)

// Store holds the current set of sources and tells of new ones.
type Store struct {
	mu      sync.Mutex
	current *Set
	changed chan struct{}
}

// NewStore returns a store that holds set.
func NewStore(set *Set) *Store {
	return &Store{current: set, changed: make(chan struct{})}
}

// Current returns the current set, and a channel that is closed when another one
// takes its place.
func (s *Store) Current() (*Set, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current, s.changed
}

// Set makes set the current one.
func (s *Store) Set(set *Set) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current = set
	close(s.changed)
	s.changed = make(chan struct{})
}

// Watch reloads the file at path whenever it changes, until ctx is done. A file
// with faults changes nothing: the last good set stays, and the faults are
// logged.
func (s *Store) Watch(ctx context.Context, log *slog.Logger, path string) error {
	return reload.Watch(ctx, []string{path}, func() {
		set, err := Load(path)
		if err != nil {
			log.Warn("sources not reloaded, the last good ones stay", "file", path, "err", err)
			return
		}
		s.Set(set)
		log.Info("sources loaded", "file", path, "sources", set.Len())
	})
}
