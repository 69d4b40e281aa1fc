package crawler

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"sync"

	"github.com/nats-io/nuid"

	"xinwen/crawler/fetch"
	"xinwen/crawler/frontier"
	"xinwen/news"
	"xinwen/news/weburl"
)

// Some servers have no 404: whatever is asked for, they send one and the same
// page, or lead to one. Such a page is known by its letters, that are the same at
// several addresses of a site and at one that was just made up.

const (
	// maxBodies bounds the pages whose letters are remembered.
	maxBodies = 20_000
	// minLetters is how many letters a page must have to be told from another.
	minLetters = 16
)

// bodies remembers the letters of the pages fetched last, per site.
type bodies struct {
	mu       sync.Mutex
	new, old map[letters]*sameBody // old is what new was before
}

// letters are those of a page of a site.
type letters struct {
	site string
	sum  uint64
}

// sameBody is a body and the address that it came from first. It is a sham if it
// comes from any address.
type sameBody struct {
	url          string
	exact        uint64 // with digits: prices of today are not those of yesterday
	judged, sham bool
}

func newBodies() *bodies {
	return &bodies{new: make(map[letters]*sameBody)}
}

// of returns the letters of a page, and a sum of letters and digits; false if there
// are too few to tell. Tags, scripts and spaces are left out.
func (b *bodies) of(pageURL string, body []byte) (k letters, exact uint64, ok bool) {
	const basis, prime = 14695981039346656037, 1099511628211 // FNV-1a: a byte at a time, at the cost of one
	loose, strict, n := uint64(basis), uint64(basis), 0
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case c == '<':
			i = skipTag(body, i) - 1
		case c >= 0x80 || 'a' <= c|0x20 && c|0x20 <= 'z':
			loose = (loose ^ uint64(c)) * prime
			strict = (strict ^ uint64(c)) * prime
			n++
		case '0' <= c && c <= '9':
			strict = (strict ^ uint64(c)) * prime
		}
	}
	return letters{weburl.RegistrableDomain(weburl.Host(pageURL)), loose}, strict, n >= minLetters
}

// hidden are the parts of a page that it does not show.
var hidden = []struct{ begin, end []byte }{
	{[]byte("<!--"), []byte("-->")}, {[]byte("<script"), []byte("</script")}, {[]byte("<style"), []byte("</style")},
}

// skipTag returns where the tag ends that begins at i; that of what is not shown,
// with its content.
func skipTag(body []byte, i int) int {
	rest := body[i:]
	if len(rest) > 1 && (rest[1] == '!' || rest[1]|0x20 == 's') {
		for _, h := range hidden {
			if len(rest) >= len(h.begin) && bytes.EqualFold(rest[:len(h.begin)], h.begin) {
				return i + endOf(rest, len(h.begin), h.end)
			}
		}
	}
	if end := bytes.IndexByte(rest, '>'); end >= 0 {
		return i + end + 1
	}
	return len(body)
}

// endOf returns where end ends in text, looked for from at on without regard to
// case.
func endOf(text []byte, at int, end []byte) int {
	for {
		j := bytes.IndexByte(text[at:], end[0])
		if j < 0 || at+j+len(end) > len(text) {
			return len(text)
		}
		if at += j; bytes.EqualFold(text[at:at+len(end)], end) {
			return at + len(end)
		}
		at++
	}
}

// seen writes down that a body came from an address, and returns what is known of
// it if it came from another before.
func (b *bodies) seen(k letters, exact uint64, pageURL string) (sameBody, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, known := b.find(k)
	if !known {
		s = &sameBody{url: pageURL, exact: exact}
		b.put(k, s)
	}
	return *s, s.sham || s.url != pageURL
}

func (b *bodies) find(k letters) (*sameBody, bool) {
	s, ok := b.new[k]
	if !ok {
		if s, ok = b.old[k]; ok {
			b.put(k, s)
		}
	}
	return s, ok
}

func (b *bodies) put(k letters, s *sameBody) {
	if len(b.new) >= maxBodies/2 {
		b.old, b.new = b.new, make(map[letters]*sameBody)
	}
	b.new[k] = s
}

// judge writes down whether a body comes from any address.
func (b *bodies) judge(k letters, sham bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s, ok := b.find(k); ok {
		s.judged, s.sham = true, sham
	}
}

// isSham reports whether a body has been found to come from any address.
func (b *bodies) isSham(k letters) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s, ok := b.find(k)
	return ok && s.sham
}

// errSham says that a site sends the same page for any address.
var errSham = errors.New("the site sends this page for any address")

const shamHint = "there is no such page, or the site builds its pages with scripts: render it then (render: true)"

// sham finds out whether a page is one that its site sends for any address. Of a
// page that merely is at two addresses it returns the other one.
func (c *Crawler) sham(ctx context.Context, v *visit, page *news.Page) (other string, err error) {
	k, exact, ok := c.bodies.of(page.URL, page.Body)
	if !ok {
		return "", nil
	}
	v.letters = k
	known, again := c.bodies.seen(k, exact, page.URL)
	if !again {
		return "", nil
	}
	if !known.judged {
		sham, err := c.anywhere(ctx, v, page.URL, k)
		if err != nil {
			return "", err
		}
		c.bodies.judge(k, sham)
		if known.sham = sham; sham {
			if err := c.unpublish(ctx, v, known.url); err != nil {
				return "", err
			}
		}
	}
	if known.sham {
		return "", &failure{fmt.Errorf("fetch %s: %w", page.URL, errSham), shamHint}
	}
	if known.exact != exact {
		return "", nil
	}
	return known.url, nil
}

// anywhere asks for an address beside a page's that nobody has ever heard of, and
// reports whether the same letters come.
func (c *Crawler) anywhere(ctx context.Context, v *visit, pageURL string, k letters) (bool, error) {
	u, err := url.Parse(pageURL)
	if err != nil {
		return false, nil //nolint:nilerr // the address of a page can be read
	}
	// By its path: another query may well be of the same page.
	u.Path, u.RawPath, u.RawQuery = path.Join(path.Dir(u.Path), nuid.Next()+path.Ext(u.Path)), "", ""
	resp, err := v.get(ctx, fetch.Request{URL: u.String(), Accept: acceptPage})
	var fe *fetch.Error
	switch {
	case errors.As(err, &fe) && !fe.Temporary:
		return false, nil // it knows what it has
	case err != nil:
		return false, err
	}
	made, _, ok := c.bodies.of(resp.URL, resp.Body)
	return ok && made == k, nil
}

// unpublish takes back a page that was published before anything showed that it
// is none.
func (c *Crawler) unpublish(ctx context.Context, v *visit, pageURL string) error {
	rec, known, err := c.frontier.Known(ctx, pageURL)
	if err != nil || !known || !rec.Published || rec.Outcome == frontier.Gone {
		return err
	}
	return c.tombstone(ctx, frontier.Entry{URL: pageURL, Source: v.source.ID}, v.source, rec, http.StatusNotFound)
}

// errorPath matches where sites lead to that do not show a page.
var errorPath = regexp.MustCompile(`(?i)(?:^|/)(?:40[134]|50[0-9]|errors?|not-?_?found|page-?_?not-?_?found|deleted|expired|login|log-in|signin|sign-in|passport|captcha|verify|antispider|blocked|denied|forbidden)(?:[./_-]|$)`)

// isError reports whether a redirect leads from an address to a page of errors.
func isError(from, to string) bool {
	f, err := url.Parse(from)
	t, err2 := url.Parse(to)
	return err == nil && err2 == nil && errorPath.MatchString(t.Path) && !errorPath.MatchString(f.Path)
}
