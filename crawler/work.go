package crawler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"xinwen/crawler/fetch"
	"xinwen/crawler/frontier"
	"xinwen/crawler/source"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/charset"
	"xinwen/news/weburl"
)

const (
	// inHand is how many entries of one part wait in memory for their host's turn, maxQueue
	// how many of them for one host: more come back by a timer, as do those who
	// would wait longer than frontier.Patience.
	inHand   = 128
	maxQueue = 32
	// giveUpAfter is how long an entry whose host only ever puts us off is kept.
	giveUpAfter = 3 * 24 * time.Hour
)

// retryDelays are the times between tries of a page that fails for now; after the
// last it has failed for good. With Once nobody waits that long.
var (
	retryDelays     = []time.Duration{30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour}
	retryDelaysOnce = []time.Duration{500 * time.Millisecond, 2 * time.Second}
)

// failure is a reason for QUARANTINE that the bus takes the hint from.
type failure struct {
	err  error
	hint string
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// Hint returns what to do about it.
func (f *failure) Hint() string { return f.hint }

// handle sees one entry of the frontier through: its page is published, or it
// comes back later, or it is in QUARANTINE.
func (c *Crawler) handle(ctx context.Context, m *bus.Message) error {
	c.metrics.waiting.Inc()
	defer c.metrics.waiting.Dec()
	e, err := frontier.ParseEntry(m.Data)
	if errors.Is(err, news.ErrVersion) {
		return bus.RetryAfter(time.Minute, err)
	}
	if err != nil {
		return bus.Permanent(&failure{err, "something else writes to the frontier; see what does"})
	}
	if e.Found.IsZero() {
		e.Found = time.Now().UTC() // from the quarantine, or from elsewhere
	}
	rec, known, err := c.frontier.Known(ctx, e.URL)
	if err != nil {
		return err
	}
	if known && !e.Revisit && !e.Alone && (rec.Outcome == frontier.Fetched || rec.Outcome == frontier.Same) {
		return nil // the ack was lost
	}
	src := c.sourceOf(e.Source)
	if !src.Enabled {
		c.log.Debug("entry of a disabled source dropped", "source", src.ID, "url", e.URL)
		return c.frontier.Forget(ctx, e.URL)
	}
	limit := maxQueue
	if src.Delay < time.Second {
		limit = inHand / 2 // its queue moves fast
	}
	exit, back, err := c.hosts.Enter(ctx, weburl.Host(e.URL), src.Delay, limit, frontier.Patience)
	if err != nil {
		return err
	}
	if exit == nil {
		return c.frontier.Later(ctx, e, back)
	}
	defer exit()
	v := &visit{crawler: c, source: src, robots: true, urgent: e.Parent != ""}
	defer v.end()
	if e.Visit != nil {
		err = c.revisit(ctx, v, e, rec)
	} else {
		err = c.fetchPage(ctx, v, e, rec)
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err() // stopped, not failed
	}
	return c.failed(ctx, m, e, src, rec, err)
}

// fetchPage fetches e's page for the first time, or because it is asked for, and
// publishes it.
func (c *Crawler) fetchPage(ctx context.Context, v *visit, e frontier.Entry, rec frontier.Record) error {
	resp, err := v.get(ctx, fetch.Request{URL: e.URL, Accept: acceptPage})
	if err != nil {
		return err
	}
	page, err := c.page(v.source, e, resp)
	if err != nil {
		return err
	}
	if e.Parent == "" && !e.Revisit {
		if done, err := c.elsewhere(ctx, v, e, page, resp); done || err != nil {
			return err
		}
	}
	if err := c.publish(ctx, v.source, e, rec, page, resp); err != nil {
		return err
	}
	if c.bodies.isSham(v.letters) { // another page has shown it meanwhile
		return c.unpublish(ctx, v, page.URL)
	}
	return c.hideTwins(ctx, e, page.URL, resp)
}

// sourceOf returns the source with an ID. Others may ask for pages of sources
// that this crawler does not follow (the extractor for the next part of an
// article): they are fetched with the usual care.
func (c *Crawler) sourceOf(id string) *source.Source {
	set, _ := c.sources.Current()
	if src := set.Source(id); src != nil {
		return src
	}
	return &source.Source{ID: id, Enabled: true, Delay: source.DefaultDelay}
}

// page makes a page of the answer to e. Its error is a *failure if the answer is
// no page.
func (c *Crawler) page(src *source.Source, e frontier.Entry, resp *fetch.Response) (*news.Page, error) {
	canonical, err := weburl.Canonical(resp.URL)
	if err != nil {
		return nil, &failure{fmt.Errorf("fetch %s: it leads to %s: %w", e.URL, resp.URL, err), "check the address in a browser"}
	}
	if len(resp.Redirects) > 0 && isFront(canonical) && !isFront(e.URL) {
		return nil, &failure{fmt.Errorf("fetch %s: it leads to the %w %s", e.URL, errFront, canonical), "the page is gone; check the address in a browser"}
	}
	if len(resp.Redirects) > 0 && isError(e.URL, canonical) {
		return nil, &failure{fmt.Errorf("fetch %s: it leads to the %w %s", e.URL, errErrorPage, canonical), "the page is gone, or only for some; check the address in a browser"}
	}
	if err := isPage(resp.Body, resp.ContentType()); err != nil {
		return nil, &failure{fmt.Errorf("fetch %s: %w", resp.URL, err.err), err.hint}
	}
	p := &news.Page{
		ID: weburl.ID(canonical), URL: canonical, Source: src.ID, Status: resp.Status, ContentType: resp.ContentType(),
		Fetched: resp.Fetched.UTC(), TimeZone: src.TimeZone, Entry: e.Feed, Parent: e.Parent, Body: resp.Body,
	}
	if p.URL != e.URL {
		p.RequestURL = e.URL
	}
	return p, nil
}

// errErrorPage says that an address leads to where its site shows errors.
var errErrorPage = errors.New("page of errors")

// errFront says that an address leads to its site's front page.
var errFront = errors.New("front page")

// isFront reports whether an address is that of a front page.
func isFront(rawURL string) bool {
	u, err := url.Parse(rawURL)
	return err == nil && (u.Path == "" || u.Path == "/") && u.RawQuery == ""
}

// isPage returns why a body is no page that could hold an article, nil if it is.
func isPage(body []byte, contentType string) *failure {
	if len(bytes.TrimSpace(body)) == 0 {
		return &failure{errors.New("the page is empty"), "check the address in a browser; replay it from the quarantine if it has text now"}
	}
	// The bytes say more than the header: many servers call everything HTML, or
	// nothing.
	sniffed, _, err := mime.ParseMediaType(http.DetectContentType(sample(body, contentType)))
	if err != nil || !strings.HasPrefix(sniffed, "text/") {
		return &failure{fmt.Errorf("the body is %s, not HTML", or(sniffed, "binary")), "binary files are not read; exclude them with a links pattern"}
	}
	if sniffed == "text/xml" && !bytes.Contains(bytes.ToLower(body[:min(len(body), 4<<10)]), []byte("<html")) {
		return &failure{errors.New("the body is XML, not HTML"), "if it is a feed, list it under feeds; else exclude it with a links pattern"}
	}
	declared, _, err := mime.ParseMediaType(contentType)
	if err == nil && sniffed != "text/html" {
		switch {
		case strings.HasSuffix(declared, "json"), strings.HasSuffix(declared, "javascript"), declared == "text/css", declared == "text/csv":
			return &failure{fmt.Errorf("the body is %s, not HTML", declared), "it is not a page to read; exclude it with a links pattern"}
		}
	}
	return nil
}

// sampleBytes is how much of a body is looked at to tell what it is.
const sampleBytes = 4 << 10

// sample returns the start of a body, as UTF-8 if it is UTF-16 or UTF-32, whose
// zero bytes look like those of a binary file.
func sample(body []byte, contentType string) []byte {
	body = body[:min(len(body), sampleBytes)]
	if bytes.IndexByte(body, 0) < 0 || charset.Detect(body, contentType).Source != "bom" {
		return body
	}
	text, _ := charset.Decode(body, contentType)
	return []byte(text)
}

func or(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// publish publishes a page, asks for its next visit, and marks its addresses.
func (c *Crawler) publish(ctx context.Context, src *source.Source, e frontier.Entry, rec frontier.Record, p *news.Page, resp *fetch.Response) error {
	p.Fetched = rec.Next(p.Fetched)
	mark := frontier.Record{Outcome: frontier.Fetched, Source: e.Source, Published: true, Newest: p.Fetched.UnixMilli(), Status: p.Status}
	if p.URL != e.URL && !e.Revisit {
		other, known, err := c.frontier.Known(ctx, p.URL)
		if err != nil {
			return err
		}
		if known && other.Published {
			// Another address of a page we have.
			mark.Outcome = frontier.Same
			return c.frontier.Mark(ctx, e.URL, mark)
		}
	}
	if err := c.pressed(ctx, func() error { return c.opts.Bus.PublishPage(ctx, p) }); err != nil {
		return err
	}
	c.metrics.pages.WithLabelValues(p.Source).Inc()
	c.states.update(p.Source, func(s *news.SourceState) { s.Articles++ })
	c.report.page(len(p.Body))
	c.log.Debug("page published", "source", p.Source, "url", p.URL, "bytes", len(p.Body))
	if !e.Revisit || e.Visit != nil {
		if err := c.visitLater(ctx, src, e, p.URL, resp); err != nil {
			return err
		}
	}
	if p.URL != e.URL {
		if err := c.frontier.Mark(ctx, p.URL, mark); err != nil {
			return err
		}
	}
	return c.frontier.Mark(ctx, e.URL, mark)
}

// failed decides what becomes of an entry whose page could not be had.
func (c *Crawler) failed(ctx context.Context, m *bus.Message, e frontier.Entry, src *source.Source, rec frontier.Record, cause error) error {
	var fe *fetch.Error
	if !errors.As(cause, &fe) {
		var f *failure
		if errors.As(cause, &f) && e.Visit != nil {
			c.metrics.revisits.WithLabelValues("failed").Inc()
			return c.visitLater(ctx, src, e, e.URL, nil)
		}
		if errors.As(cause, &f) {
			return c.quarantine(ctx, m, e, src, rec, f, http.StatusOK)
		}
		if bus.IsPermanent(cause) {
			return c.quarantine(ctx, m, e, src, rec, &failure{cause, "the page cannot be passed on"}, http.StatusOK)
		}
		return cause // of the bus: it tries again
	}
	switch {
	case errors.Is(fe, errDenied) && e.Visit != nil:
		return nil // what we have stays; it is not looked at any more
	case errors.Is(fe, errDenied):
		c.metrics.denied.WithLabelValues(src.ID).Inc()
		c.states.update(src.ID, func(s *news.SourceState) { s.Denied++ })
		c.report.denied()
		c.log.Debug("robots.txt forbids a page", "source", src.ID, "url", fe.URL)
		if err := c.twinInstead(ctx, e); err != nil {
			return err
		}
		rec.Outcome, rec.Source = frontier.Denied, e.Source
		return c.frontier.Mark(ctx, e.URL, rec)
	case fe.Temporary:
		if at, ok := c.again(&e, fe); ok {
			c.metrics.retries.WithLabelValues(src.ID).Inc()
			c.log.Debug("fetch failed, will retry", "source", src.ID, "url", e.URL, "attempt", e.Failed, "err", fe)
			return c.frontier.Later(ctx, e, at)
		}
	case gone(fe.Status) && rec.Published:
		return c.tombstone(ctx, e, src, rec, fe.Status)
	}
	if e.Visit != nil {
		// We have the page: that it cannot be looked at now is no fault.
		c.metrics.revisits.WithLabelValues("failed").Inc()
		c.log.Debug("page could not be looked at again", "source", src.ID, "url", e.URL, "err", fe)
		return c.visitLater(ctx, src, e, e.URL, nil)
	}
	hint := fe.Hint
	if fe.Temporary {
		hint += "; it is not tried any more: replay it when it can be had again"
	}
	return c.quarantine(ctx, m, e, src, rec, &failure{fmt.Errorf("fetch %s: %w", fe.URL, fe.Err), hint}, fe.Status)
}

// again counts a failed try and returns when the next one is; false if there is
// none.
func (c *Crawler) again(e *frontier.Entry, fe *fetch.Error) (time.Time, bool) {
	delays := retryDelays
	if c.opts.Once {
		delays = retryDelaysOnce
	}
	if fe.Kind == fetch.KindLimited || fe.Kind == fetch.KindRobots || fe.Kind == fetch.KindGate {
		// The server puts us off: no fault of the page, but not for ever either.
		if time.Since(e.Found) > giveUpAfter {
			return time.Time{}, false
		}
		return time.Now().Add(putOff(fe)), true
	}
	if e.Failed >= len(delays) || c.opts.Once && fe.RetryAfter > frontier.Patience {
		return time.Time{}, false
	}
	wait := delays[e.Failed]
	e.Failed++
	return time.Now().Add(max(wait/2+rand.N(wait), fe.RetryAfter)), true
}

// tombstone publishes that a page we had is gone.
func (c *Crawler) tombstone(ctx context.Context, e frontier.Entry, src *source.Source, rec frontier.Record, status int) error {
	p := &news.Page{ID: weburl.ID(e.URL), URL: e.URL, Source: src.ID, Status: status, Fetched: rec.Next(time.Now().UTC())}
	if err := c.pressed(ctx, func() error { return c.opts.Bus.PublishPage(ctx, p) }); err != nil {
		return err
	}
	c.log.Debug("page is gone", "source", src.ID, "url", e.URL, "status", status)
	return c.frontier.Mark(ctx, e.URL, frontier.Record{Outcome: frontier.Gone, Source: e.Source, Published: true, Newest: p.Fetched.UnixMilli(), Status: status})
}

// quarantine puts an entry into QUARANTINE and marks its URL, so that the next
// poll does not bring it again; a replay does.
func (c *Crawler) quarantine(ctx context.Context, m *bus.Message, e frontier.Entry, src *source.Source, rec frontier.Record, f *failure, status int) error {
	fresh, err := c.frontier.Fresh(m, e)
	if err != nil {
		return err
	}
	if err := c.pressed(ctx, func() error { return c.opts.Bus.QuarantineMessage(ctx, "crawler", fresh, f) }); err != nil {
		return err
	}
	c.metrics.failed.WithLabelValues(src.ID).Inc()
	c.states.update(src.ID, func(s *news.SourceState) { s.Failed++ })
	c.report.failed()
	if err := c.twinInstead(ctx, e); err != nil {
		return err
	}
	c.log.Warn("page failed for good, see the quarantine", "source", src.ID, "url", e.URL, "err", f.err, "hint", f.hint)
	rec.Outcome, rec.Source, rec.Status = frontier.Failed, e.Source, status
	return c.frontier.Mark(ctx, e.URL, rec)
}

// gone reports whether a status says that there is no such page any more.
func gone(status int) bool { return status == http.StatusNotFound || status == http.StatusGone }
