package robots

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"
)

// How long what is known of a robots.txt holds.
const (
	// MaxAge is how long an answer is used before it is asked for again.
	MaxAge = 24 * time.Hour
	// MaxGoodAge is how long a good copy stands in for a server in trouble.
	MaxGoodAge = 30 * 24 * time.Hour
	// A server in trouble is asked again after minRetry, then ever later up to
	// maxRetry.
	minRetry = 5 * time.Minute
	maxRetry = 2 * time.Hour
)

// MaxRedirects is how many redirects a robots.txt may be behind.
const MaxRedirects = 5

// maxHosts bounds the memory of a Cache; the host used longest ago goes first.
const maxHosts = 10_000

// ErrRedirects is what a FetchFunc returns when a robots.txt is behind more than
// MaxRedirects redirects.
var ErrRedirects = errors.New("robots.txt is behind too many redirects")

// ErrNotAsked is what a FetchFunc returns, wrapped, when the server was not asked
// at all: that says nothing about it.
var ErrNotAsked = errors.New("robots.txt was not asked for")

// FetchFunc gets a robots.txt. It follows up to MaxRedirects redirects and
// returns the last answer's status and body; an error means that there was no
// answer.
type FetchFunc func(ctx context.Context, robotsURL string) (status int, body []byte, err error)

// Copy is an answer to a request for a robots.txt that is kept.
type Copy struct {
	Time   time.Time `json:"time"`
	Status int       `json:"status"`
	Body   []byte    `json:"body,omitempty"`
}

// Store keeps copies beyond the life of a process. What it fails to keep is asked
// for again.
type Store interface {
	Load(ctx context.Context, origin string) (Copy, bool)
	Save(ctx context.Context, origin string, c Copy)
}

// UnreachableError says that a host's robots.txt could not be read, so that
// nothing may be fetched there for now.
type UnreachableError struct {
	URL    string
	Status int
	Err    error
	// Retry is when robots.txt is asked for again.
	Retry time.Time
}

func (e *UnreachableError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s cannot be read, which forbids everything: %v", e.URL, e.Err)
	}
	return fmt.Sprintf("%s answers %d, which forbids everything", e.URL, e.Status)
}

// Unwrap returns the cause.
func (e *UnreachableError) Unwrap() error { return e.Err }

// Cache knows the rules of hosts and fetches each robots.txt at most once a day:
//
//   - 2xx: its rules hold.
//   - 4xx, and more than five redirects: there is none, everything is allowed.
//   - 429, 5xx, no answer: the last good copy holds for 30 days; without one
//     everything is forbidden until the server answers.
//
// A Cache may be used concurrently; callers who need the same robots.txt share
// one fetch.
type Cache struct {
	agent string
	store Store // nil: nothing is kept

	mu      sync.Mutex
	entries map[string]*list.Element
	recent  *list.List // of *entry, most recently used first
}

type entry struct {
	origin string
	lock   chan struct{} // held while the fields below are used

	rules    *Rules
	err      *UnreachableError
	expires  time.Time
	good     *Rules // last copy that was read
	goodTime time.Time
	failures int
	loaded   bool // what the store has is known
}

// NewCache returns a cache for the product token agent that begins with what is
// in store; store may be nil.
func NewCache(agent string, store Store) *Cache {
	return &Cache{agent: agent, store: store, entries: make(map[string]*list.Element), recent: list.New()}
}

// Rules returns the rules that hold for rawURL's host; fetch gets its robots.txt
// if need be. The error is an *UnreachableError, that of ctx, or one that wraps
// ErrNotAsked.
func (c *Cache) Rules(ctx context.Context, rawURL string, fetch FetchFunc) (*Rules, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	e := c.entry(u.Scheme + "://" + u.Host)
	select {
	case e.lock <- struct{}{}:
		defer func() { <-e.lock }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if !e.loaded && c.store != nil {
		c.load(ctx, e)
	}
	if now := time.Now(); !now.Before(e.expires) {
		if err := c.refresh(ctx, e, fetch); err != nil {
			return nil, err
		}
	}
	if e.err != nil {
		return nil, e.err
	}
	return e.rules, nil
}

func (c *Cache) entry(origin string) *entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	if el, ok := c.entries[origin]; ok {
		c.recent.MoveToFront(el)
		return el.Value.(*entry)
	}
	e := &entry{origin: origin, lock: make(chan struct{}, 1)}
	c.entries[origin] = c.recent.PushFront(e)
	if c.recent.Len() > maxHosts {
		last := c.recent.Back()
		c.recent.Remove(last)
		delete(c.entries, last.Value.(*entry).origin)
	}
	return e
}

// load takes a copy that an earlier process kept.
func (c *Cache) load(ctx context.Context, e *entry) {
	e.loaded = true
	kept, ok := c.store.Load(ctx, e.origin)
	age := time.Since(kept.Time)
	if !ok || age >= MaxGoodAge || age < -time.Hour {
		return
	}
	good := kept.Status >= 200 && kept.Status < 300
	if good {
		e.good, e.goodTime = Parse(kept.Body).For(c.agent), kept.Time
	}
	if age >= MaxAge {
		return
	}
	e.rules, e.expires = e.good, kept.Time.Add(MaxAge)
	if !good {
		e.rules = AllowAll()
	}
}

// refresh asks for robots.txt and writes down what the answer means. It fails
// only when the server was not asked.
func (c *Cache) refresh(ctx context.Context, e *entry, fetch FetchFunc) error {
	robotsURL := e.origin + "/robots.txt"
	status, body, err := fetch(ctx, robotsURL)
	if ctx.Err() != nil {
		return ctx.Err() // says nothing about the host
	}
	if errors.Is(err, ErrNotAsked) {
		return err
	}
	now := time.Now()
	switch {
	case err == nil && status >= 200 && status < 300:
		e.rules = Parse(body).For(c.agent)
		e.good, e.goodTime = e.rules, now
	case errors.Is(err, ErrRedirects), err == nil && status >= 400 && status < 500 && status != 429:
		e.rules = AllowAll()
		e.good, e.goodTime = nil, time.Time{} // the publisher took it away
	default:
		retry := min(minRetry<<min(e.failures, 8), maxRetry)
		e.failures++
		e.expires = now.Add(retry)
		e.err = nil
		if e.good != nil && now.Sub(e.goodTime) < MaxGoodAge {
			e.rules = e.good
			return nil
		}
		e.err = &UnreachableError{URL: robotsURL, Status: status, Err: err, Retry: e.expires}
		return nil
	}
	e.err, e.failures, e.expires = nil, 0, now.Add(MaxAge)
	if c.store != nil {
		kept := Copy{Time: now.UTC(), Status: status}
		if e.good != nil {
			kept.Body = body[:min(len(body), MaxBytes)]
		}
		c.store.Save(ctx, e.origin, kept)
	}
	return nil
}
