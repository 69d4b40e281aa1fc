package crawler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/crawler/feed"
	"xinwen/crawler/fetch"
	"xinwen/crawler/frontier"
	"xinwen/crawler/listpage"
	"xinwen/crawler/source"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/weburl"
)

const (
	// fullEvery is how often a feed is asked for without validators: some
	// servers answer 304 for ever.
	fullEvery = 24
	// maxBackoff bounds the time between polls of a source that fails.
	maxBackoff = 24 * time.Hour
	// staleAfter is how old the newest entry may be at least before a source
	// counts as stale.
	staleAfter = 14 * 24 * time.Hour
)

// wayRecord is what the bucket "feeds" holds of a feed or list page.
type wayRecord struct {
	Version int `json:"v"`
	fetch.Validators
	// Rule tells another reading of the page apart, whose entries are not known.
	Rule string `json:"rule,omitempty"`
	Hash string `json:"hash,omitempty"`
	// MovedTo is where permanent redirects lead.
	MovedTo string    `json:"moved_to,omitempty"`
	Polls   int       `json:"polls"`
	Time    time.Time `json:"time"`
	Items   int       `json:"items"`
	Newest  time.Time `json:"newest,omitzero"`
	// Gap is the average time between entries.
	Gap time.Duration `json:"gap,omitempty"`
}

// way is a feed or list page to poll.
type way struct {
	kind string
	url  string
	list *source.ListPage
}

// rule is a text that changes with how the page is read.
func (w way) rule() string {
	if w.list == nil {
		return ""
	}
	return fmt.Sprintf("%v %v %v %d", w.list.Links, w.list.Next, w.list.NextAuto, w.list.Pages)
}

// follow polls a source whenever it is due, until ctx is done.
func (c *Crawler) follow(ctx context.Context, src *source.Source) {
	st := c.states.get(src.ID)
	next := st.NextPoll
	if limit := time.Now().Add(c.interval(src)); next.After(limit) && st.Failures == 0 {
		next = limit // the interval was made shorter
	}
	if next.IsZero() {
		// Many sources at once: spread the first polls a little.
		next = time.Now().Add(rand.N(min(c.interval(src)/10, 2*time.Second) + 1))
	}
	for {
		timer := time.NewTimer(time.Until(next))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		next = c.poll(ctx, src)
		if ctx.Err() != nil {
			return
		}
	}
}

func (c *Crawler) interval(src *source.Source) time.Duration {
	return max(src.Interval, c.opts.MinInterval)
}

// poll reads all ways into a source, one after the other, and returns when it is
// due again.
func (c *Crawler) poll(ctx context.Context, src *source.Source) time.Time {
	began := time.Now()
	var limited time.Duration
	for _, u := range src.Feeds {
		limited = max(limited, c.pollWay(ctx, src, way{kind: kindFeed, url: u}))
	}
	for i := range src.ListPages {
		limited = max(limited, c.pollWay(ctx, src, way{kind: kindListPage, url: src.ListPages[i].URL, list: &src.ListPages[i]}))
	}
	for _, u := range src.URLs {
		c.pollURL(ctx, src, u)
	}
	if ctx.Err() != nil {
		return time.Time{}
	}
	wait := c.interval(src)
	if failures := c.states.get(src.ID).Failures; failures > 0 {
		wait = min(wait<<min(failures, 10), max(maxBackoff, wait))
	}
	// A tenth of jitter keeps sources that started together apart.
	wait = max(wait-wait/20+rand.N(wait/10+1), limited)
	next := time.Now().Add(wait)
	st := c.states.polled(src, began, next)
	c.report.poll(st.Failures == 0)
	up := 0.0
	if st.Failures == 0 {
		up = 1
	}
	c.metrics.up.WithLabelValues(src.ID).Set(up)
	if !st.NewestEntry.IsZero() {
		c.metrics.newest.WithLabelValues(src.ID).Set(float64(st.NewestEntry.Unix()))
	}
	if err := c.states.flush(ctx); err != nil && ctx.Err() == nil {
		c.log.Warn("state of sources not written, will retry", "err", err)
	}
	c.log.Debug("source polled", "source", src.ID, "status", st.Status, "items", st.Items, "new", st.New, "took", time.Since(began))
	return next
}

// result is what one poll of a way brought.
type result struct {
	status      int
	items, new  int
	newest      time.Time
	gap         time.Duration
	notModified bool
	movedTo     string
}

// pollWay polls one feed or list page, writes down how it went, and returns how
// long the server wants to be left alone.
func (c *Crawler) pollWay(ctx context.Context, src *source.Source, w way) time.Duration {
	now := time.Now().UTC()
	r, err := c.tryWay(ctx, src, w)
	if ctx.Err() != nil {
		return 0
	}
	status, text, hint := c.judge(r, err, now)
	c.states.way(src, w.kind, w.url, func(s *news.WayState) {
		s.Status, s.LastPoll, s.LastError, s.Hint = status, now, text, hint
		s.HTTPStatus, s.Items, s.New, s.NotModified = r.status, r.items, r.new, r.notModified
		s.MovedTo = r.movedTo
		if !r.newest.IsZero() {
			s.NewestEntry = r.newest
		}
	})
	label := string(status)
	if r.notModified {
		label = "not-modified"
	}
	c.metrics.polls.WithLabelValues(src.ID, label).Inc()
	if err != nil {
		c.log.Warn("poll failed, will retry", "source", src.ID, "url", w.url, "status", status, "err", text, "hint", hint)
	}
	var e *fetch.Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

// judge says what a poll means for a source's health.
func (c *Crawler) judge(r result, err error, now time.Time) (status news.SourceStatus, text, hint string) {
	var (
		fe *fetch.Error
		xe *feed.Error
		le *listpage.Error
	)
	switch {
	case errors.As(err, &fe):
		text, hint, status = fe.Err.Error(), fe.Hint, news.SourceFailing
		if fe.Kind == fetch.KindLimited {
			status = news.SourceLimited
		}
		if errors.Is(fe, errDenied) {
			status = news.SourceDenied
		}
		return status, text, hint
	case errors.As(err, &xe):
		return news.SourceFailing, xe.Err.Error(), xe.Hint
	case errors.As(err, &le):
		return news.SourceFailing, le.Err.Error(), le.Hint
	case err != nil:
		return news.SourceFailing, err.Error(), "it is tried again later"
	case r.items == 0:
		return news.SourceEmpty, "", "the feed has no entries; check whether the publisher still fills it"
	case !r.newest.IsZero() && now.Sub(r.newest) > max(staleAfter, 10*r.gap):
		return news.SourceStale, "", fmt.Sprintf("the newest entry is %d days old; look for another feed or a list page", int(now.Sub(r.newest).Hours()/24))
	}
	return news.SourceOK, "", ""
}

// tryWay polls one feed or list page. A panic is an error: one page must not end
// the run.
func (c *Crawler) tryWay(ctx context.Context, src *source.Source, w way) (r result, err error) {
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("poll panics", "source", src.ID, "url", w.url, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("the page makes the crawler panic: %v", p)
		}
	}()
	key := bus.Key(src.ID + " " + w.url)
	rec, err := c.wayRecord(ctx, key, w)
	if err != nil {
		return r, err
	}
	v := &visit{crawler: c, source: src, urgent: true, robots: true}
	defer v.end()
	req := fetch.Request{URL: w.url, Accept: acceptFeed, Validators: rec.Validators}
	if w.list != nil {
		req.Accept = acceptPage
	}
	if rec.MovedTo != "" {
		req.URL = rec.MovedTo
	}
	full := rec.Polls%fullEvery == fullEvery-1
	if full {
		req.Validators = fetch.Validators{}
	}
	resp, err := v.get(ctx, req)
	if err != nil && rec.MovedTo != "" && ctx.Err() == nil {
		// Where it moved to is no more: begin at the start again.
		var e *fetch.Error
		if errors.As(err, &e) && !e.Temporary {
			rec.MovedTo, req.URL, req.Validators = "", w.url, fetch.Validators{}
			resp, err = v.get(ctx, req)
		}
	}
	if err != nil {
		var e *fetch.Error
		if errors.As(err, &e) {
			r.status = e.Status
		}
		return r, err
	}
	if resp.MovedTo != "" {
		rec.MovedTo = resp.MovedTo
	}
	r.status, r.movedTo = resp.Status, rec.MovedTo
	r.items, r.newest, r.gap = rec.Items, rec.Newest, rec.Gap
	rec.Polls++
	if resp.NotModified() {
		r.notModified = true
		return r, c.putWayRecord(ctx, key, rec)
	}
	hash := sha256.Sum256(resp.Body)
	if text := hex.EncodeToString(hash[:16]); text != rec.Hash {
		rec.Hash = text
		entries, err := c.read(ctx, src, w, v, resp)
		if err != nil {
			return r, err
		}
		v.end()
		if r.new, err = c.add(ctx, src, entries); err != nil {
			return r, err
		}
		now := time.Now()
		r.items, r.newest, r.gap = len(entries), feed.Newest(entries, now), averageGap(entries)
	} else {
		r.notModified = true // whatever the server says
	}
	// Only now, when all entries are in the frontier, may the server tell us
	// that there is nothing new.
	rec.Validators = resp.Validators()
	rec.Items, rec.Newest, rec.Gap = r.items, r.newest, r.gap
	return r, c.putWayRecord(ctx, key, rec)
}

// read returns the entries of a feed, or of a list page and those that follow it.
func (c *Crawler) read(ctx context.Context, src *source.Source, w way, v *visit, resp *fetch.Response) ([]feed.Entry, error) {
	if w.list == nil {
		f, err := feed.Parse(resp.Body, resp.ContentType(), resp.URL)
		if err != nil {
			return nil, err
		}
		if f.Cut {
			c.log.Warn("feed is cut off, its whole entries are used", "source", src.ID, "url", w.url)
		}
		return f.Entries, nil
	}
	loc, err := time.LoadLocation(src.TimeZone)
	if err != nil {
		loc = time.UTC
	}
	rule := listpage.Rule{Links: w.list.Links, Next: w.list.Next, NextAuto: w.list.NextAuto, Location: loc}
	var entries []feed.Entry
	read := map[string]bool{w.url: true, resp.URL: true}
	for n := 1; ; n++ {
		page, err := listpage.Parse(resp.Body, resp.ContentType(), resp.URL, rule, time.Now())
		if err != nil {
			if n > 1 { // what was read counts
				c.log.Warn("further list page not read", "source", src.ID, "url", resp.URL, "err", err)
				return entries, nil
			}
			return nil, err
		}
		anyNew := false
		for _, e := range page.Entries {
			if !anyNew {
				_, known, err := c.frontier.Known(ctx, e.URL)
				if err != nil {
					return nil, err
				}
				anyNew = !known
			}
			entries = append(entries, feed.Entry{URL: e.URL, FeedEntry: e.FeedEntry})
		}
		// A page of which everything is known ends the way back.
		if n >= w.list.Pages || page.Next == "" || read[page.Next] || !anyNew {
			return entries, nil
		}
		read[page.Next] = true
		if resp, err = v.get(ctx, fetch.Request{URL: page.Next, Accept: acceptPage}); err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			c.log.Warn("further list page not fetched", "source", src.ID, "url", page.Next, "err", err)
			return entries, nil
		}
	}
}

// add puts entries into the frontier and returns how many were new. While the
// frontier is full it waits.
func (c *Crawler) add(ctx context.Context, src *source.Source, entries []feed.Entry) (int, error) {
	added := 0
	for _, e := range entries {
		canonical, err := weburl.Canonical(e.URL)
		if err != nil {
			c.log.Debug("entry without a usable address", "source", src.ID, "url", e.URL, "err", err)
			continue
		}
		entry := frontier.Entry{URL: canonical, Source: src.ID}
		if e.Title != "" || e.Summary != "" || !e.Published.IsZero() || !e.Updated.IsZero() || len(e.Authors) > 0 {
			entry.Feed = &e.FeedEntry
		}
		isNew := false
		err = c.pressed(ctx, func() error {
			var err error
			isNew, err = c.frontier.Add(ctx, entry)
			return err
		})
		if err != nil {
			return added, err
		}
		if isNew {
			added++
		}
	}
	c.metrics.entries.WithLabelValues(src.ID).Add(float64(added))
	c.report.entries(len(entries), added)
	return added, nil
}

// pollURL puts a single page into the frontier.
func (c *Crawler) pollURL(ctx context.Context, src *source.Source, u string) {
	now := time.Now().UTC()
	added, err := c.add(ctx, src, []feed.Entry{{URL: u}})
	if ctx.Err() != nil {
		return
	}
	c.states.way(src, kindURL, u, func(s *news.WayState) {
		s.Status, s.LastPoll, s.Items, s.New, s.LastError, s.Hint = news.SourceOK, now, 1, added, "", ""
		if err != nil {
			s.Status, s.LastError, s.Hint = news.SourceFailing, err.Error(), "it is tried again later"
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
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

func (c *Crawler) wayRecord(ctx context.Context, key string, w way) (wayRecord, error) {
	var rec wayRecord
	v, err := c.feeds.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return wayRecord{Rule: w.rule()}, nil
	}
	if err != nil {
		return rec, fmt.Errorf("state of %s: %w", w.url, err)
	}
	if err := json.Unmarshal(v.Value(), &rec); err != nil || rec.Version > news.Version || rec.Rule != w.rule() {
		return wayRecord{Rule: w.rule()}, nil
	}
	return rec, nil
}

func (c *Crawler) putWayRecord(ctx context.Context, key string, rec wayRecord) error {
	rec.Version, rec.Time = news.Version, time.Now().UTC()
	v, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("state of a feed: %w", err)
	}
	if _, err := c.feeds.Put(ctx, key, v); err != nil {
		return fmt.Errorf("state of a feed: %w", err)
	}
	return nil
}

// averageGap returns the average time between entries, 0 if there are too few.
func averageGap(entries []feed.Entry) time.Duration {
	var times []time.Time
	for _, e := range entries {
		if !e.Published.IsZero() {
			times = append(times, e.Published)
		}
	}
	if len(times) < 3 {
		return 0
	}
	oldest := slices.MinFunc(times, time.Time.Compare)
	newest := slices.MaxFunc(times, time.Time.Compare)
	return newest.Sub(oldest) / time.Duration(len(times)-1)
}

// gone reports whether a status says that there is no such page any more.
func gone(status int) bool { return status == http.StatusNotFound || status == http.StatusGone }
