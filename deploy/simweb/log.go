package simweb

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"sync"
	"time"
)

// Request is one line of the access log.
type Request struct {
	Time            time.Time     `json:"time"`
	Host            string        `json:"host"`
	Method          string        `json:"method"`
	Path            string        `json:"path"`
	Status          int           `json:"status"`
	Bytes           int64         `json:"bytes"`
	Took            time.Duration `json:"took_ns"`
	UserAgent       string        `json:"user_agent,omitempty"`
	IfNoneMatch     string        `json:"if_none_match,omitempty"`
	IfModifiedSince string        `json:"if_modified_since,omitempty"`
	ETag            string        `json:"etag,omitempty"`
	// Kind is what was asked for: "article", "feed", "list", "robots",
	// "sitemap", "saved", or "" for anything else.
	Kind string `json:"kind,omitempty"`
	// Fault is the misbehaviour that answered, if any.
	Fault string `json:"fault,omitempty"`
	// Disallowed says that the site's robots.txt forbids the path.
	Disallowed bool `json:"disallowed,omitempty"`
	// Open says that the answer is still being given.
	Open bool `json:"-"`
}

// URL returns the address that was asked for.
func (r *Request) URL() string { return "http://" + r.Host + r.Path }

// Conditional reports whether the request carried a validator.
func (r *Request) Conditional() bool { return r.IfNoneMatch != "" || r.IfModifiedSince != "" }

// Log is the record of all requests a Web has got, in order of their arrival.
type Log struct {
	mu       sync.Mutex
	requests []Request
	changed  chan struct{}
	out      io.Writer
}

func newLog(out io.Writer) *Log {
	return &Log{changed: make(chan struct{}), out: out}
}

func (l *Log) begin(r *Request) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	open := *r
	open.Open = true
	l.requests = append(l.requests, open)
	l.tell()
	return len(l.requests) - 1
}

func (l *Log) end(i int, r *Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.requests[i] = *r
	if l.out != nil {
		line, err := json.Marshal(r)
		if err == nil {
			// A log that cannot be written must not change what is served; the
			// record in memory stays complete.
			_, _ = l.out.Write(append(line, '\n'))
		}
	}
	l.tell()
}

// tell wakes whoever waits for Changed.
func (l *Log) tell() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// Requests returns a copy of all requests in order of their arrival.
func (l *Log) Requests() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.requests)
}

// Changed returns a channel that is closed when the next request arrives or
// answer ends.
func (l *Log) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

// Gap is the shortest time between the starts of two requests to one host.
type Gap struct {
	Host   string
	Gap    time.Duration
	First  string // path of the earlier request
	Second string
}

// SmallestGaps returns the smallest gap of every host with two requests or
// more, smallest first. Requests for robots.txt are left out: crawlers may ask
// for it just before the first page.
func (l *Log) SmallestGaps() []Gap {
	last := make(map[string]Request)
	gaps := make(map[string]Gap)
	for _, r := range l.Requests() {
		if r.Path == robotsPath {
			continue
		}
		if prev, ok := last[r.Host]; ok {
			d := r.Time.Sub(prev.Time)
			if g, ok := gaps[r.Host]; !ok || d < g.Gap {
				gaps[r.Host] = Gap{Host: r.Host, Gap: d, First: prev.Path, Second: r.Path}
			}
		}
		last[r.Host] = r
	}
	all := make([]Gap, 0, len(gaps))
	for _, g := range gaps {
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b Gap) int { return cmp.Compare(a.Gap, b.Gap) })
	return all
}

// Disallowed returns the requests that the sites' robots.txt forbids.
func (l *Log) Disallowed() []Request {
	var all []Request
	for _, r := range l.Requests() {
		if r.Disallowed {
			all = append(all, r)
		}
	}
	return all
}

// WithoutRobots returns the hosts that were asked for something before their
// robots.txt.
func (l *Log) WithoutRobots() []string {
	asked := make(map[string]bool)
	var hosts []string
	for _, r := range l.Requests() {
		if r.Path == robotsPath {
			asked[r.Host] = true
		} else if !asked[r.Host] && !slices.Contains(hosts, r.Host) {
			hosts = append(hosts, r.Host)
		}
	}
	return hosts
}

// Waste says how much was fetched for nothing.
type Waste struct {
	// Requests counts all but those for robots.txt, NotModified those answered
	// with 304.
	Requests, NotModified int
	// Repeated counts full answers to a URL that had been answered with the
	// same content before; RepeatedBytes is their size.
	Repeated      int
	RepeatedBytes int64
	// Missed counts the repeated answers whose request could have carried a
	// validator and did not.
	Missed int
}

// Waste judges the log so far.
func (l *Log) Waste() Waste {
	var w Waste
	seen := make(map[string]string) // URL to ETag
	for _, r := range l.Requests() {
		if r.Path == robotsPath {
			continue
		}
		w.Requests++
		switch r.Status {
		case 304:
			w.NotModified++
		case 200:
			tag, ok := seen[r.URL()]
			if ok && tag == r.ETag {
				w.Repeated++
				w.RepeatedBytes += r.Bytes
				if tag != "" && !r.Conditional() {
					w.Missed++
				}
			}
			seen[r.URL()] = r.ETag
		}
	}
	return w
}

// Fetched returns how often each URL was answered in full with status 200.
func (l *Log) Fetched() map[string]int {
	n := make(map[string]int)
	for _, r := range l.Requests() {
		if r.Status == 200 && r.Fault == "" && !r.Open {
			n[stripTracking(r.URL())]++
		}
	}
	return n
}

// Missing returns the URLs of articles that were never answered in full.
func (l *Log) Missing(articles []Article) []string {
	fetched := l.Fetched()
	var missing []string
	for _, a := range articles {
		if fetched[a.URL] == 0 {
			missing = append(missing, a.URL)
		}
	}
	return missing
}
