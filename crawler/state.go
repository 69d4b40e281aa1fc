package crawler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/crawler/source"
	"xinwen/news"
	"xinwen/news/bus"
)

// states holds the state of every source and writes it to the bucket "sources".
type states struct {
	kv jetstream.KeyValue

	writing sync.Mutex // held during flush: an older state must not come last

	mu    sync.Mutex
	all   map[string]*news.SourceState
	dirty map[string]bool
}

func newStates(kv jetstream.KeyValue) *states {
	return &states{kv: kv, all: make(map[string]*news.SourceState), dirty: make(map[string]bool)}
}

// open reads the state of a source, and brings what the source says into it.
func (s *states) open(ctx context.Context, src *source.Source) error {
	s.mu.Lock()
	st := s.all[src.ID]
	s.mu.Unlock()
	if st == nil {
		st = new(news.SourceState)
		v, err := s.kv.Get(ctx, bus.Key(src.ID))
		switch {
		case errors.Is(err, jetstream.ErrKeyNotFound):
		case err != nil:
			return fmt.Errorf("state of source %s: %w", src.ID, err)
		default:
			if known, err := news.ParseSourceState(v.Value()); err == nil {
				st = known
			} else if errors.Is(err, news.ErrVersion) {
				return err
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[src.ID] = st
	s.dirty[src.ID] = true
	st.Version, st.ID, st.Name, st.URL = news.Version, src.ID, src.Name, src.Home
	st.Lang, st.Script, st.Country = src.Lang, src.Script, src.Country
	st.Enabled, st.Reason = src.Enabled, src.Reason
	switch {
	case !src.Enabled:
		st.Status, st.NextPoll = news.SourceDisabled, time.Time{}
	case st.Status == "" || st.Status == news.SourceDisabled:
		st.Status, st.NextPoll = news.SourcePending, time.Time{}
	}
	// Ways that are there no longer go; a new one makes the source due.
	known := st.Ways
	st.Ways = nil
	for _, w := range ways(src) {
		i := slices.IndexFunc(known, func(k news.WayState) bool { return k.Kind == w.Kind && k.URL == w.URL })
		if i >= 0 {
			w = known[i]
		} else {
			st.NextPoll = time.Time{}
		}
		st.Ways = append(st.Ways, w)
	}
	return nil
}

// Kinds of ways into a source.
const (
	kindFeed     = "feed"
	kindListPage = "list_page"
	kindURL      = "url"
)

func ways(src *source.Source) []news.WayState {
	var all []news.WayState
	add := func(kind, url string) {
		all = append(all, news.WayState{Kind: kind, URL: url, Status: news.SourcePending})
	}
	for _, u := range src.Feeds {
		add(kindFeed, u)
	}
	for _, p := range src.ListPages {
		add(kindListPage, p.URL)
	}
	for _, u := range src.URLs {
		add(kindURL, u)
	}
	return all
}

// update changes the state of a source; what does not exist is not changed.
func (s *states) update(id string, f func(*news.SourceState)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.all[id]; st != nil {
		f(st)
		s.dirty[id] = true
	}
}

// get returns a copy of a source's state.
func (s *states) get(id string) news.SourceState {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.all[id]; st != nil {
		c := *st
		c.Ways = slices.Clone(st.Ways)
		return c
	}
	return news.SourceState{}
}

// flush writes what has changed. What cannot be written now stays changed.
func (s *states) flush(ctx context.Context) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	values := make(map[string][]byte, len(s.dirty))
	for id := range s.dirty {
		st := s.all[id]
		st.Updated = time.Now().UTC()
		v, err := json.Marshal(st)
		if err != nil {
			s.mu.Unlock()
			return fmt.Errorf("state of source %s: %w", id, err)
		}
		values[id] = v
	}
	clear(s.dirty)
	s.mu.Unlock()
	var errs []error
	for id, v := range values {
		if _, err := s.kv.Put(ctx, bus.Key(id), v); err != nil {
			errs = append(errs, fmt.Errorf("state of source %s: %w", id, err))
			s.mu.Lock()
			s.dirty[id] = true
			s.mu.Unlock()
		}
	}
	return errors.Join(errs...)
}

// prune deletes the states of sources that keep does not know.
func (s *states) prune(ctx context.Context, keep *source.Set) error {
	known := make(map[string]bool, keep.Len())
	for _, src := range keep.All() {
		known[bus.Key(src.ID)] = true
	}
	keys, err := s.kv.ListKeys(ctx)
	if err != nil {
		return fmt.Errorf("states of sources: %w", err)
	}
	var errs []error
	for key := range keys.Keys() {
		if !known[key] {
			errs = append(errs, s.kv.Purge(ctx, key))
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.all {
		if !known[bus.Key(id)] {
			delete(s.all, id)
			delete(s.dirty, id)
		}
	}
	return errors.Join(errs...)
}

// way changes the state of one way into a source, and the source's with it.
func (s *states) way(src *source.Source, kind, url string, f func(*news.WayState)) {
	s.update(src.ID, func(st *news.SourceState) {
		for i := range st.Ways {
			if w := &st.Ways[i]; w.Kind == kind && w.URL == url {
				f(w)
			}
		}
	})
}

// polled sums up a poll of all ways into a source: it is as well as the best of
// them, but the first error is told.
func (s *states) polled(src *source.Source, at, next time.Time) news.SourceState {
	s.update(src.ID, func(st *news.SourceState) {
		st.LastPoll, st.NextPoll = at.UTC(), next.UTC()
		st.Items, st.New, st.LastError, st.Hint = 0, 0, "", ""
		st.Status, st.NewestEntry = "", time.Time{}
		for _, w := range st.Ways {
			st.Items += w.Items
			st.New += w.New
			if w.NewestEntry.After(st.NewestEntry) {
				st.NewestEntry = w.NewestEntry
			}
			if st.LastError == "" {
				st.LastError, st.Hint = w.LastError, w.Hint
			}
			if st.Status == "" || rank(w.Status) < rank(st.Status) {
				st.Status = w.Status
			}
		}
		switch st.Status {
		case news.SourceFailing, news.SourceLimited, news.SourceDenied:
			st.Failures++
		default:
			st.Failures, st.LastSuccess = 0, at.UTC()
		}
	})
	return s.get(src.ID)
}

// rank orders statuses from the best to the worst.
func rank(s news.SourceStatus) int {
	return slices.Index([]news.SourceStatus{
		news.SourceOK, news.SourceStale, news.SourceEmpty, news.SourceLimited, news.SourceFailing, news.SourceDenied, news.SourcePending, news.SourceDisabled,
	}, s)
}
