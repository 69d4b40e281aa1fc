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

	mu  sync.Mutex
	all map[string]*news.SourceState
	// opened is what a state was last brought up to date with.
	opened map[string]*source.Source
	// dirty says until when the state of a source must be written.
	dirty map[string]time.Time
}

// How soon changes are written: what someone may be waiting for, counts of pages,
// and polls that brought nothing.
const (
	writeNow   = 0
	writeSoon  = 5 * time.Second
	writeLater = time.Minute
)

func newStates(kv jetstream.KeyValue) *states {
	return &states{kv: kv, all: make(map[string]*news.SourceState), opened: make(map[string]*source.Source), dirty: make(map[string]time.Time)}
}

// open reads the state of a source, and brings what the source says into it.
func (s *states) open(ctx context.Context, src *source.Source, ways []way) error {
	s.mu.Lock()
	st := s.all[src.ID]
	same := st != nil && s.opened[src.ID] == src && len(st.Ways) == len(ways)
	s.mu.Unlock()
	if same {
		return nil
	}
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
	s.all[src.ID], s.opened[src.ID] = st, src
	s.soil(src.ID, writeNow)
	st.Version, st.ID, st.Name, st.URL = news.Version, src.ID, src.Name, src.Home
	st.Lang, st.Script, st.Country = src.Lang, src.Script, src.Country
	st.Enabled, st.Reason = src.Enabled, src.Reason
	st.Added, st.ChangedBy = src.Added, src.ChangedBy
	switch {
	case !src.Enabled:
		st.Status, st.NextPoll = news.SourceDisabled, time.Time{}
	case st.Status == "" || st.Status == news.SourceDisabled:
		st.Status, st.NextPoll = news.SourcePending, time.Time{}
	}
	// Ways that are there no longer go.
	known := st.Ways
	st.Ways = nil
	for _, w := range ways {
		i := slices.IndexFunc(known, func(k news.WayState) bool { return k.Kind == w.kind && k.URL == w.url })
		if i >= 0 {
			st.Ways = append(st.Ways, known[i])
		} else {
			st.Ways = append(st.Ways, news.WayState{Kind: w.kind, URL: w.url, Status: news.SourcePending})
		}
	}
	return nil
}

// soil says that a state must be written within a time; s.mu is held.
func (s *states) soil(id string, within time.Duration) {
	at := time.Now().Add(within)
	if due, ok := s.dirty[id]; !ok || at.Before(due) {
		s.dirty[id] = at
	}
}

// update changes the counts of a source; what does not exist is not changed.
func (s *states) update(id string, f func(*news.SourceState)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st := s.all[id]; st != nil {
		f(st)
		s.soil(id, writeSoon)
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

// flush writes what is due, or all that has changed. What cannot be written now
// stays changed.
func (s *states) flush(ctx context.Context, all bool) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	now := time.Now()
	values := make(map[string][]byte)
	for id, due := range s.dirty {
		if !all && due.After(now) {
			continue
		}
		st := s.all[id]
		st.Updated = now.UTC()
		v, err := json.Marshal(st)
		if err != nil {
			s.mu.Unlock()
			return fmt.Errorf("state of source %s: %w", id, err)
		}
		values[id] = v
		delete(s.dirty, id)
	}
	s.mu.Unlock()
	var errs []error
	for id, v := range values {
		if _, err := s.kv.Put(ctx, bus.Key(id), v); err != nil {
			errs = append(errs, fmt.Errorf("state of source %s: %w", id, err))
			s.mu.Lock()
			if s.all[id] != nil {
				s.soil(id, writeNow)
			}
			s.mu.Unlock()
		}
	}
	return errors.Join(errs...)
}

// forget forgets the state of a source that another process writes from now on.
func (s *states) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.all, id)
	delete(s.dirty, id)
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

// way changes the state of one way into a source.
func (s *states) way(src *source.Source, w way, f func(*news.WayState)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.all[src.ID]
	if st == nil {
		return
	}
	for i := range st.Ways {
		k := &st.Ways[i]
		if k.Kind != w.kind || k.URL != w.url {
			continue
		}
		status, text := k.Status, k.LastError
		f(k)
		if within := time.Duration(writeLater); status != k.Status || text != k.LastError || k.New > 0 {
			s.soil(src.ID, writeNow)
		} else {
			s.soil(src.ID, within)
		}
	}
}

// polled sums up the ways into a source after one was polled that is due again at
// next. The source is as well as the best of them, but the first error is told.
// It returns what the source is like now; quiet says that nothing of it has
// changed.
func (s *states) polled(src *source.Source, w way, next time.Time) (now health, quiet bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.all[src.ID]
	if st == nil {
		return health{}, true
	}
	before := health{status: st.Status, newest: st.NewestEntry, ok: st.Failures == 0}
	st.Items, st.New, st.LastError, st.Hint = 0, 0, "", ""
	st.Status, st.NewestEntry, st.NextPoll = "", time.Time{}, time.Time{}
	for i := range st.Ways {
		k := &st.Ways[i]
		if k.Kind == w.kind && k.URL == w.url {
			k.NextPoll = next.UTC()
			st.LastPoll = k.LastPoll
		}
		st.Items += k.Items
		st.New += k.New
		if k.NewestEntry.After(st.NewestEntry) {
			st.NewestEntry = k.NewestEntry
		}
		if st.LastError == "" {
			st.LastError, st.Hint = k.LastError, k.Hint
		}
		if st.Status == "" || rank(k.Status) < rank(st.Status) {
			st.Status = k.Status
		}
		if st.NextPoll.IsZero() || !k.NextPoll.IsZero() && k.NextPoll.Before(st.NextPoll) {
			st.NextPoll = k.NextPoll
		}
	}
	switch st.Status {
	case news.SourceFailing, news.SourceLimited, news.SourceDenied, news.SourcePending:
		st.Failures++
	default:
		now.ok = true
		st.Failures, st.LastSuccess = 0, st.LastPoll
	}
	now.status, now.newest = st.Status, st.NewestEntry
	return now, now == before
}

// health is what a source is like.
type health struct {
	status news.SourceStatus
	newest time.Time
	ok     bool // it answers
}

// rank orders statuses from the best to the worst.
func rank(s news.SourceStatus) int {
	switch s {
	case news.SourceOK:
		return 0
	case news.SourceStale:
		return 1
	case news.SourceEmpty:
		return 2
	case news.SourceLimited:
		return 3
	case news.SourceFailing:
		return 4
	case news.SourceDenied:
		return 5
	case news.SourcePending:
		return 6
	}
	return 7
}
