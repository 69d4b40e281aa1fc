package crawler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"xinwen/crawler/fetch"
	"xinwen/crawler/frontier"
	"xinwen/crawler/source"
)

// missingAgain is how soon a page is looked at again that is not found: only when
// it is missing twice is it gone.
const missingAgain = 10 * time.Minute

// maxKeptSummary bounds the summary that an entry keeps for a later visit.
const maxKeptSummary = 1 << 10

// revisit looks at a page again that was fetched before. It is published if its
// body is another one; if it is gone, its tombstone is.
func (c *Crawler) revisit(ctx context.Context, v *visit, e frontier.Entry, rec frontier.Record) error {
	resp, err := v.get(ctx, fetch.Request{
		URL: e.URL, Accept: acceptPage, Validators: fetch.Validators{ETag: e.Visit.ETag, LastModified: e.Visit.LastModified},
	})
	var fe *fetch.Error
	if errors.As(err, &fe) && gone(fe.Status) {
		return c.missing(ctx, v.source, e, rec, fe.Status)
	}
	if err != nil {
		return err
	}
	if resp.NotModified() {
		c.metrics.revisits.WithLabelValues("same").Inc()
		return c.visitLater(ctx, v.source, e, e.URL, nil)
	}
	page, err := c.page(v.source, e, resp)
	if errors.Is(err, errFront) || errors.Is(err, errErrorPage) {
		return c.missing(ctx, v.source, e, rec, http.StatusNotFound)
	}
	if err != nil {
		return err
	}
	if k, _, ok := c.bodies.of(page.URL, page.Body); ok && c.bodies.isSham(k) {
		// It may be a wall of a moment: what we have stays.
		return &failure{errSham, shamHint}
	}
	if hashOf(resp.Body) == e.Visit.Hash && rec.Outcome != frontier.Gone {
		c.metrics.revisits.WithLabelValues("same").Inc()
		return c.visitLater(ctx, v.source, e, page.URL, resp)
	}
	c.metrics.revisits.WithLabelValues("changed").Inc()
	return c.publish(ctx, v.source, e, rec, page, resp)
}

// missing decides what it means that a page is not there any more.
func (c *Crawler) missing(ctx context.Context, src *source.Source, e frontier.Entry, rec frontier.Record, status int) error {
	if status != http.StatusGone && e.Visit.Missing == 0 {
		visit := *e.Visit
		visit.Missing++
		e.Visit = &visit
		return c.frontier.Later(ctx, e, time.Now().Add(missingAgain))
	}
	if rec.Outcome != frontier.Gone {
		c.metrics.revisits.WithLabelValues("gone").Inc()
		if err := c.tombstone(ctx, e, src, rec, status); err != nil {
			return err
		}
	}
	if status == http.StatusGone {
		return nil // for good, it says
	}
	return c.visitLater(ctx, src, e, e.URL, nil)
}

// visitLater asks for the next visit of the page at url, whose entry was e. resp
// is the answer that holds from now on, nil if the one before does.
func (c *Crawler) visitLater(ctx context.Context, src *source.Source, e frontier.Entry, url string, resp *fetch.Response) error {
	if c.opts.Once {
		return nil
	}
	now := time.Now().UTC()
	visit := frontier.Visit{First: now}
	if e.Visit != nil {
		visit = *e.Visit
		visit.Count++
	}
	if visit.Missing > 0 && resp != nil {
		visit.Missing = 0
	}
	// Visits that are long past, because we were not running, are left out.
	for visit.Count < len(src.Revisit) && e.Visit != nil && visit.First.Add(src.Revisit[visit.Count]).Before(now) {
		visit.Count++
	}
	if visit.Count >= len(src.Revisit) {
		return nil
	}
	if resp != nil {
		valid := resp.Validators()
		visit.Hash, visit.ETag, visit.LastModified = hashOf(resp.Body), valid.ETag, valid.LastModified
	}
	wait := visit.First.Add(src.Revisit[visit.Count]).Sub(now)
	next := frontier.Entry{URL: url, Source: e.Source, Revisit: true, Visit: &visit, Parent: e.Parent, Feed: e.Feed}
	if e.Feed != nil && len(e.Feed.Summary) > maxKeptSummary {
		short := *e.Feed // many of them wait for days
		short.Summary = ""
		next.Feed = &short
	}
	return c.frontier.Later(ctx, next, now.Add(max(wait-wait/20+rand.N(wait/10+1), 0)))
}

func hashOf(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:16])
}
