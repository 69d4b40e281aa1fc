// Package frontier holds the URLs that are known but not yet fetched.
//
// What is known of a URL is in the bucket "seen", what is to be done in the
// stream FRONTIER, where each entry stays until it is acked: nothing of it lives
// in this process, so a crawl goes on where it was killed. An entry is published
// before it is marked as seen; a kill between the two makes it come twice, which
// the stream's message IDs and the handler undo, and never not at all.
//
// When a host may be asked again is in Hosts.
package frontier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/weburl"
)

// Entry is one URL to fetch.
type Entry struct {
	Version int `json:"v"`
	// URL is in canonical form.
	URL string `json:"url"`
	// Source is the ID of the source that led here.
	Source string `json:"source"`
	// Feed is what the feed or list page said of the page.
	Feed *news.FeedEntry `json:"feed,omitempty"`
	// Found is when the URL was found.
	Found time.Time `json:"found"`
	// Failed counts the tries that failed.
	Failed int `json:"failed,omitempty"`
	// Revisit asks for a page that has been fetched before; Visit says what is
	// known of it then.
	Revisit bool   `json:"revisit,omitempty"`
	Visit   *Visit `json:"visit,omitempty"`
	// Parent is the ID of the page that URL is a further part of: the extractor
	// asks for those.
	Parent string `json:"parent,omitempty"`
	// Twin is the light or mobile form of the page that led here; Alone says of
	// such a form that its article cannot be had.
	Twin  string `json:"twin,omitempty"`
	Alone bool   `json:"alone,omitempty"`
}

// Visit is what is known of a page that is looked at again.
type Visit struct {
	// First is when the page was first fetched, Count how often since.
	First time.Time `json:"first"`
	Count int       `json:"count,omitempty"`
	// Hash is that of the body, ETag and LastModified are the server's
	// validators.
	Hash         string `json:"hash,omitempty"`
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
	// Missing counts the visits in a row that found no page.
	Missing int `json:"missing,omitempty"`
}

// ParseEntry reads the JSON form of an entry.
func ParseEntry(data []byte) (Entry, error) {
	var e Entry
	if err := json.Unmarshal(data, &e); err != nil {
		return e, fmt.Errorf("frontier entry: %w", err)
	}
	if e.Version > news.Version {
		return e, fmt.Errorf("frontier entry %s: version %d: %w", e.URL, e.Version, news.ErrVersion)
	}
	canonical, err := weburl.Canonical(e.URL)
	if err != nil {
		return e, fmt.Errorf("frontier entry: %w", err)
	}
	e.URL = canonical
	return e, nil
}

// Outcome says what became of a URL.
type Outcome string

// The outcomes of a URL.
const (
	Waiting Outcome = "waiting" // in FRONTIER
	Fetched Outcome = "fetched" // its page was published
	Same    Outcome = "same"    // it redirects to a page that was published
	Denied  Outcome = "denied"  // robots.txt forbids it
	Failed  Outcome = "failed"  // in QUARANTINE
	Gone    Outcome = "gone"    // its tombstone was published
	Old     Outcome = "old"     // was there before its source was followed
)

// Record is what is known of a URL.
type Record struct {
	Outcome Outcome `json:"o"`
	Source  string  `json:"s,omitempty"`
	// Time is when the outcome was known.
	Time time.Time `json:"t"`
	// Published says that a page of it is in PAGES.
	Published bool `json:"p,omitempty"`
	// Newest is when the newest page of it in PAGES was fetched, in Unix
	// milliseconds.
	Newest int64 `json:"f,omitempty"`
	// Status is the HTTP status of the last answer.
	Status int `json:"c,omitempty"`
}

// Next returns the time of a page that is fetched at t: the moment after the
// newest one if that lies ahead, as it does once the clock was set back. What is
// fetched later must not be taken for older.
func (r Record) Next(t time.Time) time.Time {
	if t.UnixMilli() > r.Newest {
		return t
	}
	return time.UnixMilli(r.Newest + 1).UTC()
}

// Frontier adds URLs and remembers what became of them.
type Frontier struct {
	bus  *bus.Bus
	seen jetstream.KeyValue
}

// New returns the frontier on a bus.
func New(b *bus.Bus) *Frontier { return &Frontier{bus: b, seen: b.KV(bus.KVSeen)} }

// Partitions is how many parts FRONTIER has. All hosts of a registrable domain
// are in one part, and one crawler at a time works on it.
const Partitions = 16

// Partition returns the part that a host[:port] belongs to. The server cannot
// tell it from a subject, as it knows no registrable domains.
func Partition(host string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(weburl.RegistrableDomain(host))) // a hash takes everything
	return int(h.Sum32() % Partitions)
}

// Filter is the subject filter of a consumer of one part's entries.
func Filter(partition int) string { return fmt.Sprintf("%s%02d.>", bus.SubjectFetch, partition) }

// FilterAsked is the subject filter of entries that others ask for: they need
// not know of parts, and publish to bus.SubjectFetch + bus.Token(host).
const FilterAsked = bus.SubjectFetch + "*"

func subject(url string) string {
	host := weburl.Host(url)
	return fmt.Sprintf("%s%02d.%s", bus.SubjectFetch, Partition(host), bus.Token(host))
}

// How long a record keeps its URL out of FRONTIER where it is not final.
const (
	// deniedFor: robots.txt may change its mind, and is read once a day.
	deniedFor = 24 * time.Hour
	// waitingFor is longer than any entry waits: if it is still waiting then,
	// FRONTIER was lost, and one more entry does no harm if not.
	waitingFor = 14 * 24 * time.Hour
)

// settled reports whether r keeps its URL out of FRONTIER.
func (r Record) settled() bool {
	switch r.Outcome {
	case Denied:
		return time.Since(r.Time) < deniedFor
	case Waiting:
		return time.Since(r.Time) < waitingFor
	}
	return true
}

// Add puts e into FRONTIER if its URL was not known, or if e is a revisit or Alone,
// and reports whether it did. When it returns without error, the entry is durable or
// was before.
func (f *Frontier) Add(ctx context.Context, e Entry) (bool, error) {
	if e.Revisit || e.Alone {
		return true, f.publish(ctx, e)
	}
	_, added, err := f.Offer(ctx, e)
	return added, err
}

// Offer is Add for an entry that is no revisit; it also returns what was known
// of the URL before.
func (f *Frontier) Offer(ctx context.Context, e Entry) (Record, bool, error) {
	rec, known, err := f.Known(ctx, e.URL)
	if known && rec.settled() || err != nil {
		return rec, false, err
	}
	if err := f.publish(ctx, e); err != nil {
		return rec, false, err
	}
	return rec, true, f.Mark(ctx, e.URL, Record{Outcome: Waiting, Source: e.Source})
}

func (f *Frontier) publish(ctx context.Context, e Entry) error {
	e.Found = time.Now().UTC()
	m, err := f.message(e)
	if err != nil {
		return err
	}
	if e.Revisit {
		m.ID += fmt.Sprintf("@%d", e.Found.Unix())
	}
	return f.bus.Publish(ctx, m)
}

// Baseline marks URLs that are not known as old: they were there before their
// source was followed, and are not fetched.
func (f *Frontier) Baseline(ctx context.Context, source string, urls []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(32) // writes that wait for the disk at the same time share it
	for _, u := range urls {
		group.Go(func() error {
			_, known, err := f.Known(ctx, u)
			if known || err != nil {
				return err
			}
			return f.Mark(ctx, u, Record{Outcome: Old, Source: source})
		})
	}
	return group.Wait()
}

// Later puts e back into FRONTIER, to come at a time. Of two calls for the same
// URL the later one counts.
func (f *Frontier) Later(ctx context.Context, e Entry, at time.Time) error {
	m, err := f.message(e)
	if err != nil {
		return err
	}
	return f.bus.PublishAt(ctx, m, at)
}

func (f *Frontier) message(e Entry) (*bus.Message, error) {
	e.Version = news.Version
	data, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("frontier entry %s: %w", e.URL, err)
	}
	m := &bus.Message{
		Subject: subject(e.URL),
		ID:      "f." + weburl.ID(e.URL),
		Header:  nats.Header{},
		Data:    data,
	}
	if e.Revisit {
		m.ID = revisitID + weburl.ID(e.URL) // its timer replaces no other one
	}
	if e.Alone {
		m.ID = "a." + weburl.ID(e.URL) // it was there before
	}
	if !strings.ContainsAny(e.URL, "\r\n") {
		m.Header.Set(bus.HeaderURL, e.URL)
	}
	return m, nil
}

// revisitID begins the message IDs of revisits.
const revisitID = "r."

// Fresh returns m, a message of e, as one that has not failed yet: so it goes to
// QUARANTINE, from where a replay starts anew.
func (f *Frontier) Fresh(m *bus.Message, e Entry) (*bus.Message, error) {
	tries := e.Failed + 1
	e.Failed, e.Found = 0, time.Time{}
	fresh, err := f.message(e)
	if err != nil {
		return nil, err
	}
	again := *m
	again.Data, again.Header, again.Attempt = fresh.Data, fresh.Header, tries
	return &again, nil
}

// Known returns what is known of a canonical URL.
func (f *Frontier) Known(ctx context.Context, url string) (Record, bool, error) {
	var r Record
	v, err := f.seen.Get(ctx, bus.Key(weburl.ID(url)))
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return r, false, nil
	}
	if err != nil {
		return r, false, fmt.Errorf("look up %s: %w", url, err)
	}
	if err := json.Unmarshal(v.Value(), &r); err != nil {
		return r, false, nil // written by something else: as good as unknown
	}
	return r, true, nil
}

// Mark writes down what became of a canonical URL.
func (f *Frontier) Mark(ctx context.Context, url string, r Record) error {
	r.Time = time.Now().UTC().Truncate(time.Second)
	v, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("mark %s: %w", url, err)
	}
	if _, err := f.seen.Put(ctx, bus.Key(weburl.ID(url)), v); err != nil {
		return fmt.Errorf("mark %s: %w", url, err)
	}
	return nil
}

// Forget makes a URL unknown.
func (f *Frontier) Forget(ctx context.Context, url string) error {
	if err := f.seen.Purge(ctx, bus.Key(weburl.ID(url))); err != nil {
		return fmt.Errorf("forget %s: %w", url, err)
	}
	return nil
}

// maxTimers bounds the timers that Left looks at one by one.
const maxTimers = 10_000

// Left counts the entries that wait for their fetch now or within patience, and
// those that come later.
func (f *Frontier) Left(ctx context.Context, patience time.Duration) (now, later int, err error) {
	s, err := f.bus.JetStream().Stream(ctx, bus.Frontier)
	if err != nil {
		return 0, 0, fmt.Errorf("stream %s: %w", bus.Frontier, err)
	}
	info, err := s.Info(ctx, jetstream.WithSubjectFilter("xinwen.frontier.>"))
	if err != nil {
		return 0, 0, fmt.Errorf("stream %s: %w", bus.Frontier, err)
	}
	looked := 0
	for subject, n := range info.State.Subjects {
		if !strings.HasPrefix(subject, bus.SubjectSchedule) {
			now += int(n)
			continue
		}
		if looked++; looked > maxTimers || strings.HasPrefix(subject, bus.SubjectSchedule+bus.Token(revisitID)) {
			later += int(n)
			continue
		}
		m, err := s.GetLastMsgForSubject(ctx, subject)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			now++ // it went off meanwhile
			continue
		}
		if err != nil {
			return 0, 0, fmt.Errorf("timer %s: %w", subject, err)
		}
		at, err := time.Parse(time.RFC3339Nano, strings.TrimPrefix(m.Header.Get(jetstream.ScheduleHeader), "@at "))
		if err == nil && time.Until(at) > patience {
			later += int(n)
		} else {
			now += int(n)
		}
	}
	return now, later, nil
}
