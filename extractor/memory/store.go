package memory

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/news/bus"
)

const (
	// flushEvery is how long what was learned waits before it is written, or
	// flushAfter pages of one host.
	flushEvery = 5 * time.Second
	flushAfter = 16
	// maxPending bounds the pages of a host that wait; more are not learned.
	maxPending = 128
	// freshFor is how long a view is used before it is looked up again: others
	// learn too.
	freshFor = time.Minute
	// maxHeld is how many hosts are held in this process, maxHosts in the bucket.
	maxHeld  = 1024
	maxHosts = 10_000
	// maxTries bounds the tries of one write while others write too.
	maxTries = 20
)

// Store keeps the memory of all hosts in a bucket that several extractors share.
// Pages are learned in batches: what a process has not written when it dies is
// not learned. It is safe for concurrent use.
type Store struct {
	kv    jetstream.KeyValue
	log   *slog.Logger
	early chan struct{} // a host has enough pages to be written

	mu    sync.Mutex
	hosts map[string]*held
	clock uint64 // counts uses
	fresh int    // hosts that were new
	full  bool   // the bucket takes no more hosts
}

// held is what this process knows of one host.
type held struct {
	view    *View
	loaded  time.Time
	used    uint64
	pending []Page
}

// NewStore returns a store over a bucket. Run must run for it to learn.
func NewStore(kv jetstream.KeyValue, log *slog.Logger) *Store {
	return &Store{kv: kv, log: log, early: make(chan struct{}, 1), hosts: make(map[string]*held)}
}

// View returns what is known of a host, nil if nothing is.
func (s *Store) View(ctx context.Context, host string) (*View, error) {
	if host == "" {
		return nil, nil
	}
	s.mu.Lock()
	h := s.held(host)
	view, fresh := h.view, time.Since(h.loaded) < freshFor
	s.mu.Unlock()
	if fresh {
		return view, nil
	}
	loaded, _, err := s.load(ctx, host)
	if err != nil {
		return nil, err
	}
	if view = nil; loaded.pages > 0 {
		view = loaded.View()
	}
	s.set(host, view)
	return view, nil
}

// Learn counts the blocks of a page of a host, soon.
func (s *Store) Learn(host string, p Page) {
	if host == "" || len(p.Blocks) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.held(host)
	if len(h.pending) >= maxPending {
		return
	}
	h.pending = append(h.pending, p)
	if len(h.pending) == flushAfter {
		select {
		case s.early <- struct{}{}:
		default:
		}
	}
}

// Run writes what is learned until ctx is done, and once more then.
func (s *Store) Run(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		least := 1
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushEvery)
			defer cancel()
			s.Flush(last, 1)
			return
		case <-s.early:
			least = flushAfter
		case <-tick.C:
		}
		s.Flush(ctx, least)
	}
}

// Flush writes what was learned of hosts of which at least so many pages wait.
// What cannot be written waits for the next time.
func (s *Store) Flush(ctx context.Context, least int) {
	s.mu.Lock()
	var due []string
	for name, h := range s.hosts {
		if len(h.pending) >= least {
			due = append(due, name)
		}
	}
	s.mu.Unlock()
	slices.Sort(due)
	for _, name := range due {
		s.mu.Lock()
		h := s.held(name)
		pages := h.pending
		h.pending = nil
		s.mu.Unlock()
		view, err := s.write(ctx, name, pages)
		if err == nil {
			s.set(name, view)
			continue
		}
		s.log.Warn("what the pages of a host have in common is not written, will retry", "host", name, "err", err)
		s.mu.Lock()
		h = s.held(name)
		h.pending = append(pages, h.pending...)
		h.pending = h.pending[:min(len(h.pending), maxPending)]
		s.mu.Unlock()
		if ctx.Err() != nil {
			return
		}
	}
}

// write merges pages into a host's memory in the bucket.
func (s *Store) write(ctx context.Context, host string, pages []Page) (*View, error) {
	for try := 0; ; try++ {
		h, revision, err := s.load(ctx, host)
		if err != nil {
			return nil, err
		}
		if revision == 0 && !s.room(ctx) {
			return nil, nil
		}
		changed := false
		for _, p := range pages {
			changed = h.Learn(p) || changed
		}
		view := h.View()
		if !changed {
			return view, nil
		}
		data, err := json.Marshal(h)
		if err != nil {
			return nil, err
		}
		if revision == 0 {
			_, err = s.kv.Create(ctx, bus.Key(host), data)
		} else {
			_, err = s.kv.Update(ctx, bus.Key(host), data, revision)
		}
		var api *jetstream.APIError
		switch {
		case err == nil:
			return view, nil
		case !errors.Is(err, jetstream.ErrKeyExists) && !(errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence), try >= maxTries:
			return nil, fmt.Errorf("memory of %s: %w", host, err)
		}
		// Another extractor has written: once more, not at the same moment.
		select {
		case <-time.After(rand.N(time.Duration(try+1) * 10 * time.Millisecond)):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// load reads a host's memory; its revision is 0 if there is none.
func (s *Store) load(ctx context.Context, host string) (*Host, uint64, error) {
	e, err := s.kv.Get(ctx, bus.Key(host))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return New(host), 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("memory of %s: %w", host, err)
	}
	h, err := Parse(e.Value())
	if err != nil || h.name != host {
		s.log.Warn("memory of a host cannot be read and is begun anew", "host", host, "err", err)
		return New(host), e.Revision(), nil
	}
	return h, e.Revision(), nil
}

// room reports whether the bucket takes one more host. It looks after every
// hundred new ones.
func (s *Store) room(ctx context.Context) bool {
	s.mu.Lock()
	look := s.fresh%100 == 0
	s.fresh++
	full := s.full
	s.mu.Unlock()
	if !look {
		return !full
	}
	status, err := s.kv.Status(ctx)
	if err != nil {
		return !full
	}
	full = status.Values() >= maxHosts
	s.mu.Lock()
	s.full = full
	s.mu.Unlock()
	return !full
}

func (s *Store) set(host string, v *View) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.held(host)
	h.view, h.loaded = v, time.Now()
}

// held returns what this process knows of a host; s.mu is locked. To make room
// it forgets the host that was not used for longest.
func (s *Store) held(host string) *held {
	s.clock++
	h := s.hosts[host]
	if h == nil {
		if len(s.hosts) >= maxHeld {
			oldest := ""
			for name, h := range s.hosts {
				if len(h.pending) == 0 && (oldest == "" || h.used < s.hosts[oldest].used) {
					oldest = name
				}
			}
			delete(s.hosts, oldest)
		}
		h = &held{}
		s.hosts[host] = h
	}
	h.used = s.clock
	return h
}
