// Package source holds the publishers we follow and the file that names them.
//
// The file is YAML:
//
//	sources:
//	  - id: demo                  # required: lower-case letters, digits, hyphens
//	    name: Demo News           # default: the id
//	    home: https://news.example/
//	    lang: zh                  # zh or en
//	    script: Hans              # Hans, Hant, mixed or Latn
//	    country: CN               # two letters
//	    time_zone: Asia/Shanghai  # for dates that name no zone
//	    enabled: true             # default true; a source that is not needs a reason
//	    reason: ""                # why it is disabled
//	    feeds:                    # RSS, Atom, JSON Feed
//	      - https://news.example/rss.xml
//	    list_pages:               # HTML pages that link to articles
//	      - url: https://news.example/chips/
//	        links: /chips/\d+\.html$   # which links are articles; default: learned
//	        next: [?]page=\d+$    # which link leads on: a pattern, or auto
//	        pages: 3              # how many pages to follow, default 1
//	    sitemaps:                 # sitemaps, indexes of them, news sitemaps
//	      - https://news.example/sitemap-news.xml
//	    discover: true            # look for feeds and sitemaps at home; default false
//	    urls:                     # single pages
//	      - https://news.example/about-our-fab.html
//	    interval: 15m             # mean time between polls of a feed, default 15m
//	    backfill: 168h            # how far back a new source is read, default 7 days
//	    revisit: [1h, 6h, 24h, 168h] # when a page is looked at again; [] for never
//	    delay: 1s                 # between requests to one of its hosts, default 1s
//	    timeout: 30s              # for one answer
//	    max_body_bytes: 10485760  # of one answer
//	    proxy: http://proxy.example:3128 # http, https or socks5
//	    cookies: true             # keep cookies, for sites that refuse without
//	    render: true              # run the scripts of its pages in Chromium; default false
//
// Patterns are Go regular expressions that are looked for in a link's address.
// The file is read strictly: unknown and repeated keys, values of the wrong kind
// and contradictions are all reported at once, each with its line.
package source

import (
	"regexp"
	"time"
)

// Defaults of a source.
const (
	DefaultInterval = 15 * time.Minute
	DefaultDelay    = time.Second
	DefaultBackfill = 7 * 24 * time.Hour
)

// DefaultRevisit returns when the pages of a source are looked at again, counted
// from their first fetch: soon, as most corrections come soon.
func DefaultRevisit() []time.Duration {
	return []time.Duration{time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour}
}

// Source is a publisher we follow, with its rules.
type Source struct {
	ID       string
	Name     string
	Home     string
	Lang     string
	Script   string
	Country  string
	TimeZone string
	// Enabled says whether it is read; Reason why not.
	Enabled bool
	Reason  string
	// Feeds, Sitemaps, ListPages and URLs are the ways in.
	Feeds     []string
	Sitemaps  []string
	ListPages []ListPage
	URLs      []string
	// Discover looks for feeds and sitemaps at Home, for want of others.
	Discover bool
	// Interval is the mean time between polls of a feed, Delay that between
	// requests to one host.
	Interval time.Duration
	Delay    time.Duration
	// Backfill is how far back sitemaps are read when the source is new.
	Backfill time.Duration
	// Revisit says how long after its first fetch a page is looked at again.
	Revisit []time.Duration
	// Proxy is the proxy that requests go through, "" for none.
	Proxy string
	// Cookies keeps what the source's servers set, while the crawler runs.
	Cookies bool
	// Render runs the scripts of the source's pages and list pages.
	Render bool
	// Timeout and MaxBodyBytes bound one answer; 0 means the crawler's limit.
	Timeout      time.Duration
	MaxBodyBytes int64
	// Added says that it is from a news.SourceChange, not from the file; ChangedBy
	// who switched it on or off, or added it.
	Added     bool
	ChangedBy string
}

// ListPage is an HTML page that links to articles.
type ListPage struct {
	URL string
	// Links says which links lead to articles; nil lets that be learned.
	Links *regexp.Regexp
	// Next says which link leads to the next page; NextAuto lets it be guessed
	// from rel="next" and words such as 下一页.
	Next     *regexp.Regexp
	NextAuto bool
	// Pages is how many pages are read at most, counting this one.
	Pages int
}

// Ways returns how many ways lead into s, not counting those to be discovered.
func (s *Source) Ways() int {
	return len(s.Feeds) + len(s.Sitemaps) + len(s.ListPages) + len(s.URLs)
}

// Set is a list of sources with different IDs. It is immutable.
type Set struct {
	sources []*Source
	byID    map[string]*Source
}

// NewSet returns a set of sources. Of two with the same ID the first counts.
func NewSet(sources ...*Source) *Set {
	s := &Set{byID: make(map[string]*Source, len(sources))}
	for _, src := range sources {
		if s.byID[src.ID] == nil {
			s.byID[src.ID] = src
			s.sources = append(s.sources, src)
		}
	}
	return s
}

// All returns the sources in the order of the file; the caller must not change
// them.
func (s *Set) All() []*Source { return s.sources }

// Source returns the source with an ID, nil if there is none.
func (s *Set) Source(id string) *Source { return s.byID[id] }

// Len returns the number of sources.
func (s *Set) Len() int { return len(s.sources) }
