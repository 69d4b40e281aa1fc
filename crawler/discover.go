package crawler

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"xinwen/crawler/feed"
	"xinwen/crawler/fetch"
	"xinwen/crawler/sitemap"
	"xinwen/crawler/source"
	"xinwen/news"
	"xinwen/news/bus"
)

const (
	// discoverEvery is how often a source's home is searched for ways in, and
	// discoverAgain how soon after a search that found none.
	discoverEvery = 7 * 24 * time.Hour
	discoverAgain = 24 * time.Hour
	// maxFound bounds the feeds and the sitemaps taken.
	maxFound = 3
)

// Where feeds and sitemaps usually lie. They are tried only if nothing names one.
var (
	feedPaths    = []string{"/feed", "/rss.xml", "/feed.xml", "/atom.xml", "/rss", "/index.xml", "/feed.json"}
	sitemapPaths = []string{"/sitemap-news.xml", "/news-sitemap.xml", "/sitemap_index.xml", "/sitemap.xml"}
)

// discovery is what was found at a source's home.
type discovery struct {
	Time     time.Time `json:"time"`
	Feeds    []string  `json:"feeds,omitempty"`
	Sitemaps []string  `json:"sitemaps,omitempty"`
	Error    string    `json:"error,omitempty"`
}

func (d discovery) ways() []way {
	var all []way
	for _, u := range d.Feeds {
		all = append(all, way{kind: kindFeed, url: u})
	}
	for _, u := range d.Sitemaps {
		all = append(all, way{kind: kindSitemap, url: u})
	}
	return all
}

func (d discovery) due(now time.Time) bool {
	if len(d.Feeds)+len(d.Sitemaps) == 0 {
		return now.Sub(d.Time) >= discoverAgain
	}
	return now.Sub(d.Time) >= discoverEvery
}

// discoveryOf returns what was found at a source's home before.
func (c *Crawler) discoveryOf(ctx context.Context, src *source.Source) discovery {
	var d discovery
	if v, err := c.feeds.Get(ctx, bus.Key("discovered "+src.ID)); err == nil && json.Unmarshal(v.Value(), &d) != nil {
		return discovery{} // written by something else
	}
	return d
}

// knownWays returns the ways into a source: those declared, and those that were
// discovered if it wants so.
func (c *Crawler) knownWays(ctx context.Context, src *source.Source) []way {
	all := waysOf(src)
	if !src.Discover {
		return all
	}
	return join(all, c.discoveryOf(ctx, src))
}

func join(all []way, d discovery) []way {
	for _, w := range d.ways() {
		if !slices.ContainsFunc(all, func(k way) bool { return k.url == w.url }) {
			all = append(all, w)
		}
	}
	return all
}

// waysFor is knownWays after a search, if one is due.
func (c *Crawler) waysFor(ctx context.Context, src *source.Source) []way {
	if src.Discover {
		if err := c.search(ctx, src); err != nil && ctx.Err() == nil {
			c.log.Warn("ways into a source not discovered, will retry", "source", src.ID, "err", err)
		}
	}
	all := c.knownWays(ctx, src)
	if src.Discover {
		if err := c.states.open(ctx, src, all); err != nil && ctx.Err() == nil {
			c.log.Warn("state of a source not read", "source", src.ID, "err", err)
		}
	}
	return all
}

// search searches a source's home if that is due, and keeps what it finds.
func (c *Crawler) search(ctx context.Context, src *source.Source) error {
	known := c.discoveryOf(ctx, src)
	if !known.due(time.Now()) {
		return nil
	}
	d, err := c.discover(ctx, src)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		d.Error = err.Error()
	}
	if len(d.Feeds)+len(d.Sitemaps) == 0 {
		d.Feeds, d.Sitemaps = known.Feeds, known.Sitemaps // better an old way than none
	}
	if len(d.Feeds)+len(d.Sitemaps) == 0 && src.Ways() == 0 {
		c.states.update(src.ID, func(s *news.SourceState) {
			s.Status, s.LastPoll, s.LastError = news.SourceFailing, d.Time, "no feed or sitemap was found at "+src.Home
			s.Hint = "look for one and list it, or list an HTML page under list_pages"
		})
	}
	c.log.Info("source searched for ways in", "source", src.ID, "feeds", d.Feeds, "sitemaps", d.Sitemaps, "err", err)
	v, err := json.Marshal(d)
	if err == nil {
		_, err = c.feeds.Put(ctx, bus.Key("discovered "+src.ID), v)
	}
	return err
}

// discover searches a source's home: the feeds that its front page names, the
// sitemaps of robots.txt, and where both usually lie. An error says why a part of
// the search failed; what was found counts.
func (c *Crawler) discover(ctx context.Context, src *source.Source) (discovery, error) {
	v := &visit{crawler: c, source: src, urgent: true, robots: true}
	defer v.end()
	resp, err := v.get(ctx, fetch.Request{URL: src.Home, Accept: acceptPage})
	return c.searchFrom(ctx, v, resp, err)
}

// searchFrom is discover from an answer of the source's home, or the error in its
// place.
func (c *Crawler) searchFrom(ctx context.Context, v *visit, resp *fetch.Response, got error) (discovery, error) {
	d := discovery{Time: time.Now().UTC()}
	home, err := url.Parse(v.source.Home)
	if err != nil {
		return d, err
	}
	var errs []error
	trouble := false // guessing goes on only while the server is well
	if got != nil {
		errs = append(errs, got)
		trouble = temporary(got)
	} else {
		for _, u := range feed.Discover(resp.Body, resp.ContentType(), resp.URL) {
			if len(d.Feeds) < maxFound && !slices.Contains(d.Feeds, u) {
				d.Feeds = append(d.Feeds, u)
			}
		}
		if at, err := url.Parse(resp.URL); err == nil {
			home = at
		}
	}
	v.end()
	if rules, err := c.robots.Rules(ctx, home.String(), v.fetchRobots); err == nil {
		d.Sitemaps = pick(rules.Sitemaps, home)
	}
	try := func(path string, ok func(*fetch.Response) bool) string {
		u := home.ResolveReference(&url.URL{Path: path}).String()
		resp, err := v.get(ctx, fetch.Request{URL: u, Accept: acceptFeed, MaxBodyBytes: sitemap.MaxBytes})
		defer v.end()
		if err == nil && ok(resp) {
			return resp.URL
		}
		if temporary(err) {
			errs, trouble = append(errs, err), true
		}
		return ""
	}
	isFeed := func(r *fetch.Response) bool {
		f, err := feed.Parse(r.Body, r.ContentType(), r.URL)
		return err == nil && len(f.Entries) > 0
	}
	isSitemap := func(r *fetch.Response) bool {
		s, err := sitemap.Parse(r.Body, r.ContentType(), r.URL, sitemap.Options{Since: time.Now()})
		return err == nil && s.Kind != sitemap.Feed
	}
	for i := 0; i < len(feedPaths) && len(d.Feeds) == 0 && !trouble && ctx.Err() == nil; i++ {
		if u := try(feedPaths[i], isFeed); u != "" {
			d.Feeds = append(d.Feeds, u)
		}
	}
	for i := 0; i < len(sitemapPaths) && len(d.Sitemaps) == 0 && !trouble && ctx.Err() == nil; i++ {
		if u := try(sitemapPaths[i], isSitemap); u != "" {
			d.Sitemaps = append(d.Sitemaps, u)
		}
	}
	return d, errors.Join(errs...)
}

func temporary(err error) bool {
	var e *fetch.Error
	return errors.As(err, &e) && e.Temporary
}

// pick returns the sitemaps of a robots.txt that are worth following: those of
// news if there are any.
func pick(listed []string, base *url.URL) []string {
	var all, ofNews []string
	for _, ref := range listed {
		u, err := base.Parse(strings.TrimSpace(ref))
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || slices.Contains(all, u.String()) {
			continue
		}
		all = append(all, u.String())
		if newsy.MatchString(u.Path) {
			ofNews = append(ofNews, u.String())
		}
	}
	if len(ofNews) > 0 {
		all = ofNews
	}
	return all[:min(len(all), maxFound)]
}
