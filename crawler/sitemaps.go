package crawler

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"xinwen/crawler/feed"
	"xinwen/crawler/fetch"
	"xinwen/crawler/sitemap"
	"xinwen/crawler/source"
	"xinwen/news/weburl"
)

const (
	// maxParts bounds the children of an index that are fetched in one poll,
	// deepParts those when a gap is filled, keptParts those that are remembered.
	maxParts  = 10
	deepParts = 50
	keptParts = 1000
	// partEvery is how often a child is read of which the index does not say
	// when it changed.
	partEvery = 6 * time.Hour
	// overlap is how far before the last reading entries are looked at again:
	// dates without a time, and clocks that are wrong.
	overlap = 48 * time.Hour
	// manyUndated is how many addresses without any date a new source may have
	// for all of them to be fetched; of more, only those count that come later.
	manyUndated = 500
)

// part is what is known of one child of a sitemap index.
type part struct {
	fetch.Validators
	Hash     string    `json:"hash,omitempty"`
	Read     time.Time `json:"read,omitzero"`
	Modified time.Time `json:"modified,omitzero"`
	Index    bool      `json:"index,omitempty"`
}

// readSitemap returns the entries of a sitemap, or of those children of an index
// that may have something new.
func (c *Crawler) readSitemap(ctx context.Context, src *source.Source, w way, v *visit, resp *fetch.Response, rec *wayRecord, deep bool) (found, error) {
	now := time.Now().UTC()
	since := now.Add(-src.Backfill)
	if from := rec.Since.Add(-overlap); !rec.Since.IsZero() && from.After(since) && !deep {
		since = from
	}
	read := sitemapReader{crawler: c, source: src, options: sitemap.Options{Since: since, Location: c.zone(src)}, first: rec.Since.IsZero()}
	top, err := read.parse(resp.Body, resp.ContentType(), resp.URL)
	if err != nil {
		return found{}, err
	}
	if top == nil || top.Kind != sitemap.Index {
		rec.Since, rec.Parts = now, nil
		return read.done(ctx)
	}
	parts := maps.Clone(rec.Parts)
	if parts == nil {
		parts = make(map[string]*part)
	}
	limit := maxParts
	if deep {
		limit = deepParts
	}
	waiting := due(top.Children, parts, since, now)
	seen := map[string]bool{resp.URL: true, w.url: true}
	good, lastErr := 0, error(nil)
	for n := 0; n < limit && len(waiting) > 0; n++ {
		child := waiting[0]
		waiting = waiting[1:]
		if seen[child.URL] {
			continue
		}
		seen[child.URL] = true
		p := part{}
		if known := parts[child.URL]; known != nil {
			p = *known
		}
		read.first = p.Read.IsZero()
		more, err := c.readPart(ctx, v, &read, child, &p)
		if ctx.Err() != nil {
			return found{}, ctx.Err()
		}
		if err != nil {
			// One child that fails must not hide the others; it is tried again.
			lastErr = err
			c.log.Warn("part of a sitemap not read", "source", src.ID, "url", child.URL, "err", err)
			continue
		}
		good++
		p.Modified, p.Read = child.Modified, now
		parts[child.URL] = &p
		waiting = append(waiting, due(more, parts, since, now)...)
	}
	if good == 0 && lastErr != nil {
		return found{}, lastErr
	}
	for len(parts) > keptParts {
		oldest := ""
		for u, p := range parts {
			if oldest == "" || p.Read.Before(parts[oldest].Read) {
				oldest = u
			}
		}
		delete(parts, oldest)
	}
	rec.Parts = parts
	if len(waiting) == 0 {
		rec.Since = now
	}
	return read.done(ctx)
}

// readPart reads a child of an index; of an index within an index it returns the
// children.
func (c *Crawler) readPart(ctx context.Context, v *visit, read *sitemapReader, child sitemap.Child, p *part) ([]sitemap.Child, error) {
	req := fetch.Request{URL: child.URL, Accept: acceptSitemap, MaxBodyBytes: sitemap.MaxBytes, Validators: p.Validators}
	if p.Index {
		req.Validators = fetch.Validators{}
	}
	resp, err := v.get(ctx, req)
	if err != nil {
		return nil, err
	}
	defer v.end()
	if resp.NotModified() {
		return nil, nil
	}
	sum := sha256.Sum256(resp.Body)
	hash := hex.EncodeToString(sum[:16])
	if hash == p.Hash && !p.Index {
		return nil, nil
	}
	s, err := read.parse(resp.Body, resp.ContentType(), resp.URL)
	if err != nil {
		return nil, err
	}
	p.Hash, p.Validators = hash, resp.Validators()
	if s != nil && s.Kind == sitemap.Index {
		p.Index = true
		return s.Children, nil
	}
	return nil, nil
}

// sitemapReader collects the entries of sitemaps.
type sitemapReader struct {
	crawler *Crawler
	source  *source.Source
	options sitemap.Options
	// first says that the sitemap was never read before.
	first    bool
	entries  []feed.Entry
	baseline []string
}

// parse reads a sitemap; of a feed that stands in for one it returns nil.
func (r *sitemapReader) parse(body []byte, contentType, url string) (*sitemap.Sitemap, error) {
	s, err := sitemap.Parse(body, contentType, url, r.options)
	if err != nil {
		return nil, err
	}
	if s.Cut {
		r.crawler.log.Warn("sitemap is cut off, its whole entries are used", "source", r.source.ID, "url", url)
	}
	if s.Kind == sitemap.Feed {
		f, err := feed.Parse(body, contentType, url)
		if err != nil {
			return nil, err
		}
		r.entries = append(r.entries, f.Entries...)
		return nil, nil
	}
	undated := 0
	for _, e := range s.Entries {
		if e.Time().IsZero() {
			undated++
		}
	}
	domain := weburl.RegistrableDomain(hostname(url))
	for _, e := range s.Entries {
		switch {
		case weburl.RegistrableDomain(hostname(e.URL)) != domain:
			// A sitemap speaks for its own site only.
		case r.first && undated > manyUndated && e.Time().IsZero():
			r.baseline = append(r.baseline, e.URL)
		default:
			r.entries = append(r.entries, sitemapEntry(e))
		}
	}
	return s, nil
}

// done writes down the addresses that were there before and returns the others.
func (r *sitemapReader) done(ctx context.Context) (found, error) {
	var old []string
	for _, u := range r.baseline {
		if canonical, err := weburl.Canonical(u); err == nil {
			old = append(old, canonical)
		}
	}
	if len(old) > 0 {
		r.crawler.log.Info("sitemap without dates: only what is added from now on is fetched", "source", r.source.ID, "addresses", len(old))
		if err := r.crawler.frontier.Baseline(ctx, r.source.ID, old); err != nil {
			return found{}, err
		}
	}
	return found{entries: r.entries}, nil
}

func hostname(rawURL string) string { return weburl.Host(strings.ToLower(rawURL)) }

var (
	newsy  = regexp.MustCompile(`(?i)news|latest|recent|today|current`)
	monthy = regexp.MustCompile(`(20\d\d)[-_/]?(0[1-9]|1[0-2])(?:\D|$)`)
	yearly = regexp.MustCompile(`[-_/](20\d\d)[-_./]`)
	static = regexp.MustCompile(`(?i)(categor|tag|author|page|image|video|product|static|section|topic|misc|user|forum|gallery)[a-z]*[-_]?(sitemap|\d|\.)`)
)

// due returns the children that may have something new since a time, the most
// promising first.
func due(children []sitemap.Child, parts map[string]*part, since, now time.Time) []sitemap.Child {
	type ranked struct {
		sitemap.Child
		rank int
	}
	var list []ranked
	for _, ch := range children {
		p := parts[ch.URL]
		news := newsy.MatchString(ch.URL)
		switch {
		case !ch.Modified.IsZero() && ch.Modified.Before(since) && !news:
			continue
		case p != nil && !ch.Modified.IsZero() && !ch.Modified.After(p.Modified) && !news && !p.Index:
			continue
		case p != nil && ch.Modified.IsZero() && !news && !p.Index && now.Sub(p.Read) < partEvery:
			continue
		case ended(ch.URL).Before(since):
			continue
		}
		rank := 0
		switch {
		case news:
			rank = 3
		case static.MatchString(ch.URL):
			rank = -1
		case !ch.Modified.IsZero():
			rank = 2
		case p == nil:
			rank = 1
		}
		list = append(list, ranked{ch, rank})
	}
	slices.SortStableFunc(list, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.rank, a.rank), b.Modified.Compare(a.Modified))
	})
	out := make([]sitemap.Child, len(list))
	for i, r := range list {
		out[i] = r.Child
	}
	return out
}

// ended returns the end of the day, month or year that a child's address names;
// far in the future if there is none.
func ended(url string) time.Time {
	_, path, _ := strings.Cut(url, "://")
	if t := sitemap.DateIn(url); !t.IsZero() {
		return t.AddDate(0, 0, 2)
	}
	number := func(s string) int { n, _ := strconv.Atoi(s); return n } // the patterns allow digits only
	if m := monthy.FindStringSubmatch(path); m != nil {
		return time.Date(number(m[1]), time.Month(number(m[2]))+1, 2, 0, 0, 0, 0, time.UTC)
	}
	if m := yearly.FindStringSubmatch(path); m != nil {
		return time.Date(number(m[1])+1, 1, 2, 0, 0, 0, 0, time.UTC)
	}
	return time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
}
