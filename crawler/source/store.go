package source

import (
	"context"
	"log/slog"
	"maps"
	"sync"

	"xinwen/news"
	"xinwen/news/reload"
)

// Store holds the current set of sources, that of the file with the changes made
// since, and tells of new ones.
type Store struct {
	log *slog.Logger

	mu      sync.Mutex
	file    *Set
	changes map[string]news.SourceChange
	merged  map[string]changed
	current *Set
	changed chan struct{}
}

// NewStore returns a store that holds set.
func NewStore(log *slog.Logger, set *Set) *Store {
	return &Store{log: log, file: set, current: set, changed: make(chan struct{})}
}

// Current returns the current set, and a channel that is closed when another one
// takes its place.
func (s *Store) Current() (*Set, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.current, s.changed
}

// Set makes set that of the file.
func (s *Store) Set(set *Set) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.file = set
	s.merge()
}

// Change lays changes over the set of the file, in place of those before. One
// that cannot be read is logged and left out.
func (s *Store) Change(changes map[string]news.SourceChange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes = maps.Clone(changes)
	s.merge()
}

func (s *Store) merge() {
	var err error
	if s.current, s.merged, err = merge(s.file, s.changes, s.merged); err != nil {
		s.log.Warn("change of a source is not followed", "err", err, "hint", "remove the source and add it again")
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// Watch reloads the file at path whenever it changes, until ctx is done. A file
// with faults changes nothing: the last good set stays, and the faults are
// logged.
func (s *Store) Watch(ctx context.Context, path string) error {
	return reload.Watch(ctx, []string{path}, func() {
		set, err := Load(path)
		if err != nil {
			s.log.Warn("sources not reloaded, the last good ones stay", "file", path, "err", err)
			return
		}
		s.Set(set)
		s.log.Info("sources loaded", "file", path, "sources", set.Len())
	})
}
