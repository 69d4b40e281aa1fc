package crawler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"xinwen/crawler/feed"
	"xinwen/crawler/fetch"
	"xinwen/crawler/listpage"
	"xinwen/crawler/schedule"
	"xinwen/crawler/sitemap"
	"xinwen/crawler/source"
	"xinwen/news"
)

const (
	// fullEvery is how often a feed is asked for without validators: some
	// servers answer 304 for ever.
	fullEvery = 24
	// maxBackoff bounds the time between polls of a way that fails. One that has
	// failed deadAfter times is asked every deadEvery, for ever.
	maxBackoff = 24 * time.Hour
	deadAfter  = 30
	deadEvery  = 7 * 24 * time.Hour
	// staleAfter is how old the newest entry may be at least before a source
	// counts as stale.
	staleAfter = 14 * 24 * time.Hour
	// maxHint bounds how long a server can ask to be left alone between polls.
	maxHint = 24 * time.Hour
	// A feed whose window rolled over gets up to maxBoost times its budget; the
	// factor is halved every boostFor.
	maxBoost = 8
	boostFor = 7 * 24 * time.Hour
)

// follow polls a way whenever it is due, or asked for, until ctx is done.
func (c *Crawler) follow(ctx context.Context, src *source.Source, w way) {
	if w.kind == kindURL {
		c.followURL(ctx, src, w)
		return
	}
	m, ok := c.openWay(ctx, src, w)
	if !ok {
		return
	}
	next := c.firstPoll(src, m)
	timer := time.NewTimer(time.Until(next))
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-m.kick:
		case <-ctx.Done():
			return
		}
		next = c.pollWay(ctx, src, w, m)
		if ctx.Err() != nil {
			return
		}
		c.summarize(src, w, next)
		c.subscribe(ctx, src, w, m)
		timer.Reset(time.Until(next))
	}
}

// openWay reads what is kept of a way; while that fails, nothing is polled.
func (c *Crawler) openWay(ctx context.Context, src *source.Source, w way) (*wayMemory, bool) {
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		m, err := c.memories.open(ctx, src, w)
		if err == nil {
			return m, true
		}
		if ctx.Err() == nil {
			c.log.Warn("state of a way not read, will retry", "source", src.ID, "url", w.url, "err", err)
		}
		if !sleep(ctx, wait) {
			return nil, false
		}
	}
}

// sleep waits, and reports whether ctx let it.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// firstPoll returns when a way is due that was just opened.
func (c *Crawler) firstPoll(src *source.Source, m *wayMemory) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := m.rec.Next
	if next.IsZero() || m.rec.Last.After(time.Now()) { // a clock that was wrong set the time
		// Many ways at once: spread the first polls a little.
		return time.Now().Add(rand.N(min(c.interval(src)/10, 2*time.Second) + 1))
	}
	if m.rec.Failures == 0 {
		// The interval may have been made shorter.
		if limit := time.Now().Add(max(4*c.interval(src), m.rec.Hint)); next.After(limit) {
			next = limit
		}
	}
	return next
}

func (c *Crawler) interval(src *source.Source) time.Duration {
	return max(src.Interval, c.opts.MinInterval)
}

// pollOnce reads all ways into a source, one after the other.
func (c *Crawler) pollOnce(ctx context.Context, src *source.Source) {
	for _, w := range c.waysFor(ctx, src) {
		if w.kind == kindURL {
			c.pollURL(ctx, src, w)
			c.summarize(src, w, time.Now().Add(c.interval(src)))
			continue
		}
		m, ok := c.openWay(ctx, src, w)
		if !ok {
			return
		}
		next := c.pollWay(ctx, src, w, m)
		c.summarize(src, w, next)
	}
	if ctx.Err() == nil {
		c.report.poll(c.states.get(src.ID).Failures == 0)
	}
}

// followURL puts a single page into the frontier, again from time to time.
func (c *Crawler) followURL(ctx context.Context, src *source.Source, w way) {
	for {
		c.pollURL(ctx, src, w)
		c.summarize(src, w, time.Now().Add(c.interval(src)))
		if !sleep(ctx, c.interval(src)) {
			return
		}
	}
}

// summarize brings the poll of a way into the state of its source.
func (c *Crawler) summarize(src *source.Source, w way, next time.Time) {
	if next.IsZero() {
		return // stopped
	}
	now, quiet := c.states.polled(src, w, next)
	if !c.opts.Once {
		c.report.poll(now.ok)
	}
	if quiet {
		return
	}
	up := 0.0
	if now.ok {
		up = 1
	}
	c.metrics.up.WithLabelValues(src.ID).Set(up)
	c.metrics.status.DeletePartialMatch(prometheus.Labels{"source": src.ID})
	c.metrics.status.WithLabelValues(src.ID, string(now.status)).Set(1)
	if !now.newest.IsZero() {
		c.metrics.newest.WithLabelValues(src.ID).Set(float64(now.newest.Unix()))
	}
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

// pollWay polls a way, writes down how it went, and returns when it is due again,
// by the monotonic clock: the other may be set in the meantime.
func (c *Crawler) pollWay(ctx context.Context, src *source.Source, w way, m *wayMemory) time.Time {
	began := time.Now()
	now := began.UTC()
	r, err := c.tryWay(ctx, src, w, m, now)
	if ctx.Err() != nil {
		return time.Time{}
	}
	next := c.nextPoll(src, w, m, now, err)
	status, text, hint := c.judge(r, err, now)
	c.states.way(src, w, func(s *news.WayState) {
		s.Status, s.LastPoll, s.NextPoll, s.LastError, s.Hint = status, now, next.UTC(), text, hint
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
	return began.Add(next.Sub(now))
}

// nextPoll decides when a way is due after a poll at now that ended with pollErr,
// and writes it down.
func (c *Crawler) nextPoll(src *source.Source, w way, m *wayMemory, now time.Time, pollErr error) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	rec := &m.rec
	rec.Last = now
	m.changed = true
	var fe *fetch.Error
	if errors.As(pollErr, &fe) && fe.Kind == fetch.KindGate {
		// Not the server's fault: it was not even asked.
		rec.Next = now.Add(max(fe.RetryAfter, movingFor))
		return rec.Next
	}
	if pollErr != nil {
		rec.Failures++
		rec.Next = now.Add(backoff(c.interval(src), rec.Failures, pollErr))
		return rec.Next
	}
	rec.Failures = 0
	budget := c.budget(src, w, rec, now)
	next := rec.Table.Next(&rec.Rhythm, classOf(src), budget, now.In(c.zone(src)), max(c.opts.MinInterval, rec.Hint))
	if wait := next.Sub(now); wait > time.Second {
		next = next.Add(rand.N(wait/20 + 1)) // keeps feeds that started together apart
	}
	rec.Next = next
	return next
}

// backoff returns the time until a way that failed is asked again: longer and
// longer, up to a day, and at last every week, for ever.
func backoff(interval time.Duration, failures int, err error) time.Duration {
	wait := min(interval<<min(failures-1, 10), max(maxBackoff, interval))
	if failures >= deadAfter {
		wait = max(deadEvery, interval)
	}
	wait = wait/2 + rand.N(wait/2+1)
	var e *fetch.Error
	if errors.As(err, &e) {
		wait = max(wait, e.RetryAfter)
	}
	return wait
}

// budget returns how many polls a way gets on a day. Whole sitemaps are large and
// tell the same as feeds; sources that sleep are looked at less.
func (c *Crawler) budget(src *source.Source, w way, rec *wayRecord, now time.Time) float64 {
	b := float64(24*time.Hour) / float64(c.interval(src))
	if w.kind == kindSitemap && rec.Parts != nil {
		b /= 4
	}
	if !rec.Newest.IsZero() && now.Sub(rec.Newest) > max(2*staleAfter, 20*rec.Gap) && b > 24 {
		b = max(b/4, 24)
	}
	if c.websub != nil && rec.Hub != "" && c.websub.Standing(w.key(src)) && b > 24 {
		b = max(b/4, 24) // its hub tells when there is news
	}
	if rec.Boost > 1 {
		if now.Sub(rec.Boosted) > boostFor {
			rec.Boost, rec.Boosted = rec.Boost/2, now
		}
		b *= float64(max(rec.Boost, 1))
	}
	return min(b, float64(24*time.Hour)/float64(c.opts.MinInterval))
}

// classOf returns what is known of a source before its first entry.
func classOf(src *source.Source) schedule.Class {
	if src.TimeZone != "" {
		return schedule.Outlet
	}
	return schedule.Unknown
}

func (c *Crawler) zone(src *source.Source) *time.Location {
	if src.TimeZone == "" {
		return time.UTC
	}
	if loc, ok := c.zones.Load(src.TimeZone); ok {
		return loc.(*time.Location)
	}
	loc, err := time.LoadLocation(src.TimeZone)
	if err != nil {
		loc = time.UTC
	}
	c.zones.Store(src.TimeZone, loc)
	return loc
}

// triedAgain is the hint of what may well mend itself.
const triedAgain = "it is tried again later"

// judge says what a poll means for a source's health.
func (c *Crawler) judge(r result, err error, now time.Time) (status news.SourceStatus, text, hint string) {
	var (
		fe *fetch.Error
		xe *feed.Error
		le *listpage.Error
		se *sitemap.Error
	)
	switch {
	case err == nil:
	case errors.As(err, &fe):
		text, hint, status = fe.Err.Error(), fe.Hint, news.SourceFailing
		if fe.Temporary {
			hint += "; " + triedAgain
		}
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
	case errors.As(err, &se):
		return news.SourceFailing, se.Err.Error(), se.Hint
	default:
		return news.SourceFailing, err.Error(), triedAgain
	}
	switch {
	case r.items == 0:
		return news.SourceEmpty, "", "there are no entries; check whether the publisher still fills it"
	case !r.newest.IsZero() && now.Sub(r.newest) > max(staleAfter, 10*r.gap):
		return news.SourceStale, "", fmt.Sprintf("the newest entry is %d days old; look for another feed or a list page", int(now.Sub(r.newest).Hours()/24))
	}
	return news.SourceOK, "", ""
}

// tryWay polls a way. A panic is an error: one page must not end the run.
func (c *Crawler) tryWay(ctx context.Context, src *source.Source, w way, m *wayMemory, now time.Time) (r result, err error) {
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("poll panics", "source", src.ID, "url", w.url, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("the page makes the crawler panic: %v", p)
		}
	}()
	m.mu.Lock()
	rec, deep := m.rec, m.deep
	m.deep = false
	m.mu.Unlock()
	v := &visit{crawler: c, source: src, urgent: true, robots: true}
	defer v.end()
	req := fetch.Request{URL: w.url, Accept: acceptFeed, Validators: rec.Validators}
	switch w.kind {
	case kindListPage:
		req.Accept = acceptPage
	case kindSitemap:
		req.Accept, req.MaxBodyBytes = acceptSitemap, sitemap.MaxBytes
	}
	if rec.MovedTo != "" {
		req.URL = rec.MovedTo
	}
	// An index may be the same while its parts are not.
	full := rec.Polls%fullEvery == fullEvery-1 || rec.Liar || rec.Parts != nil || deep
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
	rec.Hint = max(rec.TTL, maxAge(resp.Header))
	if resp.NotModified() {
		r.notModified = true
		m.keep(rec, false)
		return r, nil
	}
	sum := sha256.Sum256(resp.Body)
	hash := hex.EncodeToString(sum[:16])
	if hash == rec.Hash && rec.Parts == nil && !deep {
		r.notModified = true // whatever the server says
		rec.Validators = resp.Validators()
		m.keep(rec, false)
		return r, nil
	}
	found, err := c.read(ctx, src, w, v, resp, &rec, deep)
	if err != nil {
		return r, err
	}
	v.end()
	added, err := c.add(ctx, src, found.entries)
	if err != nil {
		return r, err
	}
	c.learn(src, w, &rec, found, added, full, now)
	if lag, ok := lagOf(found.entries, added, rec.Last, now); ok {
		c.states.update(src.ID, func(s *news.SourceState) { s.Lag = smooth(s.Lag, lag) })
	}
	if r.new = len(added); found.whole {
		r.items, r.newest, r.gap = len(found.entries), feed.Newest(found.entries, now), averageGap(found.entries)
	} else {
		r.items = max(rec.Items, len(found.entries))
		if newest := feed.Newest(found.entries, now); newest.After(r.newest) {
			r.newest = newest
		}
	}
	// Only now, when all entries are in the frontier, may the server tell us
	// that there is nothing new.
	rec.Hash, rec.Validators = hash, resp.Validators()
	rec.Items, rec.Newest, rec.Gap = r.items, r.newest, r.gap
	m.keep(rec, true)
	return r, nil
}

// lagOf returns how long ago the entries were published, on average, that came
// since the last poll and say when.
func lagOf(entries []feed.Entry, added map[string]bool, last, now time.Time) (time.Duration, bool) {
	var sum time.Duration
	n := 0
	for _, e := range entries {
		if t := e.Published; added[e.URL] && !last.IsZero() && t.After(last) && !t.After(now) {
			sum += now.Sub(t)
			n++
		}
	}
	return sum / time.Duration(max(n, 1)), n > 0
}

// smooth returns the average of what was and what is new, which counts a quarter.
func smooth(was news.Duration, lag time.Duration) news.Duration {
	if was == 0 {
		return news.Duration(lag.Round(time.Second))
	}
	return news.Duration((was.Std()*3/4 + lag/4).Round(time.Second))
}

// keep makes rec the way's record; news says that it has learned something.
func (m *wayMemory) keep(rec wayRecord, news bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rec = rec
	m.changed = true
	if news {
		m.urgent = true
	}
}

// learn brings what a poll found into the way's record: its rhythm, whether the
// window rolled over, whether the server lies.
func (c *Crawler) learn(src *source.Source, w way, rec *wayRecord, found found, added map[string]bool, full bool, now time.Time) {
	zone := c.zone(src)
	var times []time.Time
	late := false
	for _, e := range found.entries {
		t := e.Published
		if t.IsZero() {
			t = e.Updated
		}
		isNew := added[e.URL]
		switch day := t.In(zone); {
		case t.IsZero() || day.Hour() == 0 && day.Minute() == 0 && day.Second() == 0 || t.Truncate(24*time.Hour).Equal(t):
			// A day at best: that it is new says more, unless everything is.
			if isNew && rec.Polls > 1 {
				times = append(times, now.In(zone))
			}
		default:
			times = append(times, day)
		}
		if isNew && !t.IsZero() && t.Before(rec.Last.Add(-2*time.Minute)) {
			late = true // the answer before should have had it
		}
	}
	rec.Rhythm.Add(times, now.In(zone))
	if full && late && !rec.Last.IsZero() && rec.Validators != (fetch.Validators{}) && rec.Polls > fullEvery/2 && !rec.Liar {
		rec.Liar = true
		c.log.Info("server says not modified when there is news: its validators are not used", "source", src.ID, "url", w.url)
	}
	if w.kind == kindFeed && rec.Items > 0 && len(found.entries) > 2 && len(added) == len(found.entries) {
		// No known entry is left: some may have come and gone unseen.
		rec.Boost, rec.Boosted = min(max(rec.Boost, 1)*2, maxBoost), now
		c.metrics.overflows.WithLabelValues(src.ID).Inc()
		c.log.Info("feed has rolled over, its gap is filled from other ways", "source", src.ID, "url", w.url, "boost", rec.Boost)
		c.backfill(src, w)
	}
}

// maxAge is how long a response's Cache-Control asks to be left alone.
func maxAge(h http.Header) time.Duration {
	var age time.Duration
	for _, line := range h["Cache-Control"] {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch strings.ToLower(name) {
			case "no-cache", "no-store":
				return 0
			case "max-age":
				if n, err := strconv.ParseInt(strings.Trim(value, `" `), 10, 64); err == nil && n > 0 {
					age = time.Duration(min(n, int64(maxHint/time.Second))) * time.Second
				}
			}
		}
	}
	return age
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
