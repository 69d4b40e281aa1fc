package crawler

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"xinwen/crawler/feed"
	"xinwen/crawler/fetch"
	"xinwen/crawler/frontier"
	"xinwen/crawler/lease"
	"xinwen/crawler/listpage"
	"xinwen/crawler/render"
	"xinwen/crawler/robots"
	"xinwen/crawler/sitemap"
	"xinwen/crawler/source"
	"xinwen/news"
)

// VerifyOptions say what Verify probes.
type VerifyOptions struct {
	Config
	// List takes the place of Config.Sources, as for a crawler.
	List *source.Set
	// IDs are the sources to probe; none means all, the disabled ones too.
	IDs []string
	// Discover searches the homes of sources whose ways fail.
	Discover bool
	Logger   *slog.Logger
}

// Verify probes sources: each way is asked once, as politely as the crawler asks,
// and nothing is published or kept. It calls report for each source, one call at a
// time, in the order in which they are done.
func Verify(ctx context.Context, o VerifyOptions, report func(news.Verification)) error {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if err := o.Validate(); err != nil {
		return err
	}
	o.Concurrency = cmp.Or(o.Concurrency, DefaultConcurrency)
	set, err := o.sources(o.List)
	if err != nil {
		return err
	}
	for _, id := range o.IDs {
		if set.Source(id) == nil {
			return &failure{errors.New("there is no source " + id), "see the ids in the file of sources"}
		}
	}
	c := &Crawler{opts: Options{Config: o.Config}, log: o.Logger}
	if c.client, err = o.client(); err != nil {
		return err
	}
	defer c.client.Close()
	c.renderer = render.New(o.Render)
	defer c.renderer.Close()
	if c.metrics, err = newMetrics(nil); err != nil {
		return err
	}
	c.robots = robots.NewCache(c.client.Product(), nil)
	c.hosts = frontier.NewHosts(nil, o.Concurrency, o.Logger)
	c.leases = lease.New(lease.Options{Alone: true}) // nobody else is asked
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		busy = make(chan struct{}, 2*o.Concurrency)
	)
	for _, src := range set.All() {
		if len(o.IDs) > 0 && !slices.Contains(o.IDs, src.ID) {
			continue
		}
		select {
		case busy <- struct{}{}:
		case <-ctx.Done():
			continue
		}
		wg.Go(func() {
			defer func() { <-busy }()
			v := c.verify(ctx, src, o.Discover)
			if ctx.Err() != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			report(v)
		})
	}
	wg.Wait()
	return ctx.Err()
}

// verify probes one source.
func (c *Crawler) verify(ctx context.Context, src *source.Source, discover bool) news.Verification {
	began := time.Now()
	v := news.Verification{ID: src.ID, Name: src.Name, Enabled: src.Enabled, Tier: news.TierBad, Ways: []news.Probe{}}
	take := func(p news.Probe) {
		v.Ways = append(v.Ways, p)
		if len(v.Ways) == 1 || tierRank(p.Tier) < tierRank(v.Tier) {
			v.Tier, v.Items, v.Newest = p.Tier, p.Items, p.Newest
		}
	}
	for _, w := range waysOf(src) {
		take(c.probe(ctx, src, w))
	}
	if discover && src.Home != "" && v.Tier != news.TierOK && v.Tier != news.TierLimited && v.Tier != news.TierDenied && ctx.Err() == nil {
		d, err := c.discover(ctx, src)
		if err != nil {
			c.log.Debug("home searched in part", "source", src.ID, "err", err)
		}
		for _, w := range d.ways() {
			if !slices.ContainsFunc(v.Ways, func(p news.Probe) bool { return p.URL == w.url || p.MovedTo == w.url }) {
				v.Found = append(v.Found, news.Way{Kind: w.kind, URL: w.url})
				if src.Ways() == 0 {
					take(c.probe(ctx, src, w))
				}
			}
		}
	}
	v.Took = time.Since(began).Round(time.Millisecond).String()
	return v
}

func tierRank(t news.Tier) int {
	return slices.Index([]news.Tier{news.TierOK, news.TierStale, news.TierEmpty, news.TierLimited, news.TierDenied, news.TierTLS, news.TierBad}, t)
}

// probe asks one way once.
func (c *Crawler) probe(ctx context.Context, src *source.Source, w way) news.Probe {
	p := news.Probe{Way: news.Way{Kind: w.kind, URL: w.url}}
	now := time.Now()
	v := &visit{crawler: c, source: src, urgent: true, robots: true}
	defer v.end()
	req := fetch.Request{URL: w.url, Accept: acceptFeed}
	switch w.kind {
	case kindSitemap:
		req.Accept, req.MaxBodyBytes = acceptSitemap, sitemap.MaxBytes
	case kindListPage, kindURL:
		req.Accept = acceptPage
	}
	r := result{}
	resp, err := v.get(ctx, req)
	if err == nil {
		p.HTTPStatus, p.MovedTo = resp.Status, resp.MovedTo
		p.Validators = resp.Validators() != fetch.Validators{}
		var entries []feed.Entry
		entries, err = c.entriesOf(&p, src, w, resp, now)
		r.items, r.newest, r.gap = len(entries), feed.Newest(entries, now), averageGap(entries)
		p.Titles = titles(entries)
	}
	var e *fetch.Error
	if errors.As(err, &e) {
		p.HTTPStatus = e.Status
	}
	p.Status, p.Error, p.Hint = c.judge(r, err, now)
	p.Items, p.Newest = r.items, r.newest
	switch p.Status {
	case news.SourceOK:
		p.Tier = news.TierOK
	case news.SourceStale:
		p.Tier = news.TierStale
	case news.SourceEmpty:
		p.Tier = news.TierEmpty
	case news.SourceLimited:
		p.Tier = news.TierLimited
	case news.SourceDenied:
		p.Tier = news.TierDenied
	default:
		p.Tier = news.TierBad
		if e != nil && e.Kind == fetch.KindTLS {
			p.Tier = news.TierTLS
		}
	}
	return p
}

// maxTitles is how many titles of a way are shown.
const maxTitles = 3

func titles(entries []feed.Entry) []string {
	var list []string
	for _, e := range entries {
		if len(list) == maxTitles {
			break
		}
		if e.Title != "" {
			list = append(list, e.Title)
		}
	}
	return list
}

// entriesOf returns the entries of an answer; those of a sitemap index are its
// children.
func (c *Crawler) entriesOf(p *news.Probe, src *source.Source, w way, resp *fetch.Response, now time.Time) ([]feed.Entry, error) {
	switch w.kind {
	case kindURL:
		if err := isPage(resp.Body, resp.ContentType()); err != nil {
			return nil, err
		}
		return []feed.Entry{{URL: resp.URL}}, nil
	case kindSitemap:
		s, err := sitemap.Parse(resp.Body, resp.ContentType(), resp.URL, sitemap.Options{Location: c.zone(src)})
		if err != nil {
			return nil, err
		}
		var entries []feed.Entry
		for _, e := range s.Entries {
			entries = append(entries, sitemapEntry(e))
		}
		for _, child := range s.Children { // they say when they changed
			entries = append(entries, feed.Entry{URL: child.URL, FeedEntry: news.FeedEntry{Updated: child.Modified}})
		}
		return entries, nil
	case kindListPage:
		page, err := listpage.Parse(resp.Body, resp.ContentType(), resp.URL, listpage.Rule{
			Links: w.list.Links, Next: w.list.Next, NextAuto: w.list.NextAuto, Location: c.zone(src),
		}, now)
		if err != nil {
			return nil, err
		}
		var entries []feed.Entry
		for _, e := range page.Entries {
			entries = append(entries, feed.Entry{URL: e.URL, FeedEntry: e.FeedEntry})
		}
		return entries, nil
	}
	f, err := feed.Parse(resp.Body, resp.ContentType(), resp.URL)
	if err != nil {
		return nil, err
	}
	p.TTL, p.Hub = max(f.TTL, maxAge(resp.Header)), f.Hub
	return f.Entries, nil
}
