package crawler

import (
	"context"
	"errors"
	"time"

	"xinwen/crawler/feed"
	"xinwen/crawler/fetch"
	"xinwen/crawler/frontier"
	"xinwen/crawler/listpage"
	"xinwen/crawler/sitemap"
	"xinwen/crawler/source"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/weburl"
)

// deepPages is how many pages of a list are read to fill a gap.
const deepPages = 10

// maxUpdates bounds the pages that one poll asks for again because their entries
// say that they changed; if more than half of the entries say so, none is.
const maxUpdates = 20

// found is what a way told of.
type found struct {
	entries []feed.Entry
	// whole says that entries are all there are, not only what has changed.
	whole bool
}

// read returns the entries of a feed, a sitemap or a list page, and those of
// further pages.
func (c *Crawler) read(ctx context.Context, src *source.Source, w way, v *visit, resp *fetch.Response, rec *wayRecord, deep bool) (found, error) {
	switch w.kind {
	case kindSitemap:
		return c.readSitemap(ctx, src, w, v, resp, rec, deep)
	case kindListPage:
		return c.readList(ctx, src, w, v, resp, deep)
	}
	return c.readFeed(src, w, resp, rec)
}

func (c *Crawler) readFeed(src *source.Source, w way, resp *fetch.Response, rec *wayRecord) (found, error) {
	f, err := feed.Parse(resp.Body, resp.ContentType(), resp.URL)
	if err != nil {
		return found{}, err
	}
	if f.Cut {
		c.log.Warn("feed is cut off, its whole entries are used", "source", src.ID, "url", w.url)
	}
	rec.TTL = f.TTL
	rec.Hint = max(rec.Hint, f.TTL)
	rec.Hub, rec.Topic = f.Hub, f.Self
	if rec.Topic == "" {
		rec.Topic = resp.URL
	}
	return found{entries: f.Entries, whole: true}, nil
}

func (c *Crawler) readList(ctx context.Context, src *source.Source, w way, v *visit, resp *fetch.Response, deep bool) (found, error) {
	rule := listpage.Rule{Links: w.list.Links, Next: w.list.Next, NextAuto: w.list.NextAuto || deep && w.list.Next == nil, Location: c.zone(src)}
	pages := w.list.Pages
	if deep {
		pages = max(pages, deepPages)
	}
	var entries []feed.Entry
	read := map[string]bool{w.url: true, resp.URL: true}
	for n := 1; ; n++ {
		page, err := listpage.Parse(resp.Body, resp.ContentType(), resp.URL, rule, time.Now())
		if err != nil {
			if n > 1 { // what was read counts
				c.log.Warn("further list page not read", "source", src.ID, "url", resp.URL, "err", err)
				return found{entries: entries, whole: true}, nil
			}
			return found{}, err
		}
		anyNew := false
		var here []feed.Entry
		for _, e := range page.Entries {
			if !anyNew {
				_, known, err := c.frontier.Known(ctx, e.URL)
				if err != nil {
					return found{}, err
				}
				anyNew = !known
			}
			here = append(here, feed.Entry{URL: e.URL, FeedEntry: e.FeedEntry})
		}
		// The way back ends at a page of which everything is known. So what is on
		// further pages must be in the frontier first: a crash in between would leave
		// it behind a first page that is known, and nobody would look for it again.
		entries = append(here, entries...)
		if n >= pages || page.Next == "" || read[page.Next] || !anyNew {
			return found{entries: entries, whole: true}, nil
		}
		read[page.Next] = true
		if resp, err = v.get(ctx, fetch.Request{URL: page.Next, Accept: acceptPage}); err != nil {
			if ctx.Err() != nil {
				return found{}, err
			}
			c.log.Warn("further list page not fetched", "source", src.ID, "url", page.Next, "err", err)
			return found{entries: entries, whole: true}, nil
		}
	}
}

// backfill asks the other ways into a source to look further back, after a feed
// has rolled over. A source without others is searched for some.
func (c *Crawler) backfill(src *source.Source, rolled way) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.following {
		if f.source.ID == src.ID && f.way.url != rolled.url && (f.way.kind == kindSitemap || f.way.kind == kindListPage) {
			c.askWay(f, true)
		}
	}
}

// add puts entries into the frontier and returns the addresses of those that were
// new, as the entries give them. While the frontier is full it waits.
func (c *Crawler) add(ctx context.Context, src *source.Source, entries []feed.Entry) (map[string]bool, error) {
	added := make(map[string]bool)
	var updated []frontier.Entry
	for _, e := range entries {
		canonical, err := weburl.Canonical(e.URL)
		if err != nil {
			c.log.Debug("entry without a usable address", "source", src.ID, "url", e.URL, "err", err)
			continue
		}
		entry := frontier.Entry{URL: original(canonical), Source: src.ID}
		if e.Title != "" || e.Summary != "" || !e.Published.IsZero() || !e.Updated.IsZero() || len(e.Authors) > 0 {
			entry.Feed = &e.FeedEntry
		}
		var rec frontier.Record
		isNew := false
		err = c.pressed(ctx, func() error {
			var err error
			rec, isNew, err = c.frontier.Offer(ctx, entry)
			return err
		})
		if err != nil {
			return added, err
		}
		if isNew {
			added[e.URL] = true
		} else if rec.Published && rec.Outcome == frontier.Fetched && e.Updated.After(rec.Time.Add(time.Minute)) && !e.Updated.After(time.Now()) {
			entry.Revisit = true
			updated = append(updated, entry)
		}
	}
	if 2*len(updated) > len(entries) && len(entries) > 4 {
		updated = nil // who changes everything changes nothing
	}
	for _, entry := range updated[:min(len(updated), maxUpdates)] {
		if _, err := c.frontier.Add(ctx, entry); err != nil && !errors.Is(err, bus.ErrFull) {
			return added, err
		}
	}
	c.metrics.entries.WithLabelValues(src.ID).Add(float64(len(added)))
	c.report.entries(len(entries), len(added))
	return added, nil
}

// pollURL puts a single page into the frontier.
func (c *Crawler) pollURL(ctx context.Context, src *source.Source, w way) {
	now := time.Now().UTC()
	added, err := c.add(ctx, src, []feed.Entry{{URL: w.url}})
	if ctx.Err() != nil {
		return
	}
	c.states.way(src, w, func(s *news.WayState) {
		s.Status, s.LastPoll, s.Items, s.New, s.LastError, s.Hint = news.SourceOK, now, 1, len(added), "", ""
		if err != nil {
			s.Status, s.LastError, s.Hint = news.SourceFailing, err.Error(), triedAgain
		}
	})
}

// pressed calls f, again and again while the bus is full.
func (c *Crawler) pressed(ctx context.Context, f func() error) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		err := f()
		if !errors.Is(err, bus.ErrFull) {
			return err
		}
		c.log.Warn("crawling pauses", "err", err)
		if !sleep(ctx, wait) {
			return ctx.Err()
		}
	}
}

// sitemapEntry turns an entry of a sitemap into one of a feed.
func sitemapEntry(e sitemap.Entry) feed.Entry {
	f := feed.Entry{URL: e.URL, FeedEntry: e.FeedEntry}
	f.Updated = e.Modified
	return f
}
