package crawler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/crawler/fetch"
	"xinwen/crawler/schedule"
	"xinwen/crawler/source"
	"xinwen/news"
	"xinwen/news/bus"
)

// Kinds of ways into a source.
const (
	kindFeed     = news.WayFeed
	kindSitemap  = news.WaySitemap
	kindListPage = news.WayListPage
	kindURL      = news.WayURL
)

// way is a feed, sitemap, list page or single page by which a source is read.
type way struct {
	kind string
	url  string
	list *source.ListPage
}

// waysOf returns the ways that the file of sources declares.
func waysOf(src *source.Source) []way {
	var all []way
	for _, u := range src.Feeds {
		all = append(all, way{kind: kindFeed, url: u})
	}
	for _, u := range src.Sitemaps {
		all = append(all, way{kind: kindSitemap, url: u})
	}
	for i := range src.ListPages {
		all = append(all, way{kind: kindListPage, url: src.ListPages[i].URL, list: &src.ListPages[i]})
	}
	for _, u := range src.URLs {
		all = append(all, way{kind: kindURL, url: u})
	}
	return all
}

// rule is a text that changes with how the page is read.
func (w way) rule() string {
	if w.list == nil {
		return ""
	}
	return fmt.Sprintf("%v %v %v %d", w.list.Links, w.list.Next, w.list.NextAuto, w.list.Pages)
}

func (w way) key(src *source.Source) string { return bus.Key(src.ID + " " + w.url) }

// wayRecord is what the bucket "feeds" holds of a way.
type wayRecord struct {
	Version int `json:"v"`
	fetch.Validators
	// Rule tells another reading of the page apart, whose entries are not known.
	Rule string `json:"rule,omitempty"`
	Hash string `json:"hash,omitempty"`
	// MovedTo is where permanent redirects lead.
	MovedTo string `json:"moved_to,omitempty"`
	// Polls counts the answers, Failures the polls without one since the last.
	Polls    int       `json:"polls"`
	Failures int       `json:"failures,omitempty"`
	Last     time.Time `json:"last,omitzero"`
	Next     time.Time `json:"next,omitzero"`
	Items    int       `json:"items"`
	Newest   time.Time `json:"newest,omitzero"`
	// Gap is the average time between entries, Rhythm when they come.
	Gap    time.Duration   `json:"gap,omitempty"`
	Rhythm schedule.Rhythm `json:"rhythm"`
	// TTL is how long the feed itself asks to be left alone, Hint that or what
	// the last answer's header asks for, whichever is longer.
	TTL  time.Duration `json:"ttl,omitempty"`
	Hint time.Duration `json:"hint,omitempty"`
	// Table spends the budget of polls.
	Table schedule.Timetable `json:"table"`
	// Boost multiplies the budget of a feed whose window was seen to roll over.
	Boost   int       `json:"boost,omitempty"`
	Boosted time.Time `json:"boosted,omitzero"`
	// Liar says that the server once answered 304 though there was news: its
	// validators are not used.
	Liar bool `json:"liar,omitempty"`
	// Since is when a sitemap was last read as a whole, Parts what is known of
	// the children of an index.
	Since time.Time        `json:"since,omitzero"`
	Parts map[string]*part `json:"parts,omitempty"`
	// Hub, Topic and the lease are of the WebSub subscription.
	Hub    string    `json:"hub,omitempty"`
	Topic  string    `json:"topic,omitempty"`
	Leased time.Time `json:"leased,omitzero"`
}

// wayMemory is a way that is followed: its record, and what follows from it.
type wayMemory struct {
	// kick asks for a poll now.
	kick chan struct{}

	mu sync.Mutex
	// rec is changed by the one who polls, under mu.
	rec wayRecord
	// deep asks the next poll to read further back.
	deep bool
	// changed says that rec is not written yet; urgent, that it should be soon.
	changed, urgent bool
	written         time.Time
}

// ask asks for a poll now, which looks further back if deep.
func (m *wayMemory) ask(deep bool) {
	m.mu.Lock()
	m.deep = m.deep || deep
	m.mu.Unlock()
	select {
	case m.kick <- struct{}{}:
	default:
	}
}

// writeEvery bounds how often a record is written of which only the counts and
// times have changed.
const writeEvery = time.Minute

// memories holds the ways that are followed and writes their records to the
// bucket "feeds". A record that is lost with the process costs one unconditional
// request: validators are kept only when all entries are in the frontier.
type memories struct {
	kv      jetstream.KeyValue
	writing sync.Mutex // an older record must not come last

	mu  sync.Mutex
	all map[string]*wayMemory
}

func newMemories(kv jetstream.KeyValue) *memories {
	return &memories{kv: kv, all: make(map[string]*wayMemory)}
}

// open returns the memory of a way, read from the bucket the first time.
func (s *memories) open(ctx context.Context, src *source.Source, w way) (*wayMemory, error) {
	key := w.key(src)
	s.mu.Lock()
	m := s.all[key]
	s.mu.Unlock()
	if m != nil && m.rec.Rule == w.rule() {
		return m, nil
	}
	m = &wayMemory{kick: make(chan struct{}, 1), rec: wayRecord{Rule: w.rule()}}
	v, err := s.kv.Get(ctx, key)
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
	case err != nil:
		return nil, fmt.Errorf("state of %s: %w", w.url, err)
	default:
		var rec wayRecord
		if err := json.Unmarshal(v.Value(), &rec); err == nil && rec.Version <= news.Version && rec.Rule == w.rule() {
			m.rec = rec
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[key] = m
	return m, nil
}

// drop writes and forgets the memory of a way that another process may follow
// from now on.
func (s *memories) drop(ctx context.Context, src *source.Source, w way) error {
	key := w.key(src)
	s.mu.Lock()
	m := s.all[key]
	s.mu.Unlock()
	if m == nil {
		return nil
	}
	err := s.write(ctx, key, m)
	s.mu.Lock()
	delete(s.all, key)
	s.mu.Unlock()
	return err
}

// flush writes the records that have changed: what matters at once, the rest when
// it is time, or if all.
func (s *memories) flush(ctx context.Context, all bool) error {
	s.mu.Lock()
	due := make(map[string]*wayMemory)
	now := time.Now()
	for key, m := range s.all {
		m.mu.Lock()
		if m.urgent || m.changed && (all || now.Sub(m.written) >= writeEvery) {
			due[key] = m
		}
		m.mu.Unlock()
	}
	s.mu.Unlock()
	var errs []error
	for key, m := range due {
		errs = append(errs, s.write(ctx, key, m))
	}
	return errors.Join(errs...)
}

func (s *memories) write(ctx context.Context, key string, m *wayMemory) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	m.mu.Lock()
	if !m.changed {
		m.mu.Unlock()
		return nil
	}
	m.rec.Version = news.Version
	v, err := json.Marshal(&m.rec)
	m.changed, m.urgent = false, false
	m.written = time.Now()
	m.mu.Unlock()
	if err == nil {
		_, err = s.kv.Put(ctx, key, v)
	}
	if err != nil {
		m.mu.Lock()
		m.changed = true
		m.mu.Unlock()
		return fmt.Errorf("state of a feed: %w", err)
	}
	return nil
}
