// Package sitemap reads what publishers say of their pages in sitemaps: XML, in
// parts behind an index, compressed, with Google's news extension, or as plain
// text; an RSS or Atom feed may stand in for one.
//
// The parser streams: of a sitemap with 50,000 addresses it keeps those that
// changed since a moment, and nothing of the rest. It is lenient, as sitemaps are
// written by hand and by broken plug-ins: a wrong or missing namespace, bare
// ampersands, a body that ends early, and elements nobody knows do no harm.
package sitemap

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"xinwen/news"
	"xinwen/news/charset"
)

// Limits of what is read.
const (
	// MaxBytes bounds a sitemap, unpacked: what the protocol allows.
	MaxBytes = 50 << 20
	// MaxEntries bounds the entries and children kept of one sitemap.
	MaxEntries = 50_000
	// maxRatio bounds how much larger unpacking may make a sitemap, once it is
	// larger than ratioSlack. Addresses of one site differ little.
	maxRatio   = 200
	ratioSlack = 1 << 20
	// maxDepth bounds how deep elements nest, maxText the text of one.
	maxDepth = 64
	maxText  = 8 << 10
)

// Kind says what a body turned out to be.
type Kind string

// The kinds of sitemaps.
const (
	URLSet Kind = "urlset"
	Index  Kind = "index"
	Text   Kind = "text"
	Feed   Kind = "feed" // RSS or Atom: package feed reads it
)

// Entry is one page that a sitemap names.
type Entry struct {
	// URL is absolute.
	URL string
	// Modified is when the sitemap says that the page changed; zero if it does
	// not say.
	Modified time.Time
	// News says that the news extension tells of the page.
	News bool
	news.FeedEntry
}

// Time is when the page was published or changed, by what the sitemap or its
// address says; zero if neither does.
func (e Entry) Time() time.Time {
	switch {
	case e.Modified.After(e.Published):
		return e.Modified
	case !e.Published.IsZero():
		return e.Published
	}
	return DateIn(e.URL)
}

// Child is a sitemap that an index names.
type Child struct {
	URL      string
	Modified time.Time
}

// Sitemap is what one says.
type Sitemap struct {
	Kind     Kind
	Entries  []Entry
	Children []Child
	// Total counts the entries before Options.Since was applied.
	Total int
	// Cut says that the sitemap ended before its end, or was larger than the
	// limits; what was whole is here.
	Cut bool
}

// Options say what is wanted of a sitemap.
type Options struct {
	// Since leaves out entries that are older; those without a time stay.
	Since time.Time
	// Location is the zone of times that name none; nil means UTC.
	Location *time.Location
}

// Error says why bytes are not a sitemap.
type Error struct {
	Err error
	// Hint says what to do about it.
	Hint string
}

func (e *Error) Error() string { return e.Err.Error() + "; " + e.Hint }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Parse reads the sitemap that came from pageURL, after redirects. Its error is
// an *Error.
func Parse(body []byte, contentType, pageURL string, o Options) (*Sitemap, error) {
	base, err := url.Parse(pageURL)
	if err != nil {
		return nil, &Error{err, "check the sitemap's address"}
	}
	s := &Sitemap{}
	var r io.Reader = bytes.NewReader(body)
	limited := &limitReader{r: r, left: MaxBytes}
	if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, &Error{fmt.Errorf("broken gzip: %w", err), "the publisher must mend it; look for another sitemap"}
		}
		limited.r, limited.ratio = z, max(int64(len(body))*maxRatio, ratioSlack)
	}
	buffered := bufio.NewReaderSize(limited, 64<<10)
	head, _ := buffered.Peek(4 << 10)
	if len(bytes.TrimSpace(head)) == 0 {
		return nil, &Error{errors.New("the sitemap is empty"), "check the address in a browser; the publisher may have given it up"}
	}
	text, err := decoded(buffered, head, contentType)
	if err != nil {
		return nil, &Error{err, "the publisher must mend it; look for another sitemap"}
	}
	p := parser{sitemap: s, base: base, options: o}
	start, _ := text.Peek(1 << 10)
	switch trimmed := bytes.ToLower(bytes.TrimSpace(start)); {
	case isHTML(trimmed):
		return nil, &Error{errors.New("this is an HTML page, not a sitemap"), "check the address in a browser; robots.txt may name the right one"}
	case bytes.HasPrefix(trimmed, []byte("<")):
		err = p.xml(text)
	default:
		err = p.text(text)
	}
	switch {
	case errors.Is(limited.err, errBomb):
		return nil, &Error{limited.err, "this looks like a compression bomb; disable the source if it goes on"}
	case err != nil && len(s.Entries)+len(s.Children) > 0, limited.err != nil:
		s.Cut = true
	case err != nil:
		return nil, &Error{fmt.Errorf("malformed sitemap: %w", err), "the publisher must mend it; look for another sitemap"}
	}
	if s.Kind == "" {
		return nil, &Error{errors.New("neither sitemap, sitemap index nor feed"), "check the address in a browser; robots.txt may name the right one"}
	}
	return s, nil
}

func isHTML(start []byte) bool {
	if bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html")) {
		return true
	}
	return bytes.HasPrefix(start, []byte("<?xml")) && bytes.Contains(start, []byte("<html"))
}

// decoded returns r as UTF-8 without a byte order mark. UTF-8, which nearly all
// sitemaps are, streams; others are decoded as a whole.
func decoded(r *bufio.Reader, head []byte, contentType string) (*bufio.Reader, error) {
	found := charset.Detect(head, contentType)
	if found.Name == "utf-8" {
		if bytes.HasPrefix(head, []byte{0xEF, 0xBB, 0xBF}) {
			if _, err := r.Discard(3); err != nil {
				return nil, err
			}
		}
		return r, nil
	}
	all, err := io.ReadAll(r)
	if err != nil && len(all) == 0 {
		return nil, err
	}
	text, _ := charset.Decode(all, contentType)
	return bufio.NewReader(strings.NewReader(text)), nil
}

var errBomb = errors.New("it unpacks to more than 200 times as much")

// limitReader ends a body that is too large, and refuses one that is a bomb.
type limitReader struct {
	r     io.Reader
	left  int64
	ratio int64 // bytes allowed by the ratio; 0: not compressed
	n     int64
	err   error // what ended the body before its end
}

func (l *limitReader) Read(p []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	n, err := l.r.Read(p)
	l.n += int64(n)
	l.left -= int64(n)
	switch {
	case l.ratio > 0 && l.n > l.ratio:
		l.err = errBomb
	case l.left < 0:
		l.err = io.ErrUnexpectedEOF
	case err != nil && err != io.EOF:
		l.err = err
	}
	if l.err != nil {
		return 0, l.err
	}
	return n, err
}

type parser struct {
	sitemap *Sitemap
	base    *url.URL
	options Options
}

// text reads one address a line.
func (p *parser) text(r *bufio.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4<<10), 64<<10)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if !strings.HasPrefix(line, "http://") && !strings.HasPrefix(line, "https://") {
			if line != "" && p.sitemap.Kind == "" {
				return fmt.Errorf("it starts with %.60q", line)
			}
			continue
		}
		p.sitemap.Kind = Text
		if !p.add(Entry{URL: line}) {
			p.sitemap.Cut = true
			return nil
		}
	}
	return lines.Err()
}

// xml reads a urlset or an index.
func (p *parser) xml(r io.Reader) error {
	d := xml.NewDecoder(r)
	d.Strict = false
	d.Entity = xml.HTMLEntity
	d.CharsetReader = func(_ string, input io.Reader) (io.Reader, error) { return input, nil } // decoded before
	var (
		path  []string
		entry Entry
		child bool // the entry is a sitemap
		text  strings.Builder
	)
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			if len(path) > 0 {
				return io.ErrUnexpectedEOF
			}
			return nil
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.StartElement:
			name := strings.ToLower(t.Name.Local)
			if len(path) == 0 {
				switch name {
				case "urlset":
					p.sitemap.Kind = URLSet
				case "sitemapindex":
					p.sitemap.Kind = Index
				case "rss", "feed", "rdf":
					p.sitemap.Kind = Feed
					return nil
				default:
					return fmt.Errorf("its root is <%.40s>", t.Name.Local)
				}
			}
			if len(path) >= maxDepth {
				return fmt.Errorf("elements nest more than %d deep", maxDepth)
			}
			if len(path) == 1 && (name == "url" || name == "sitemap") {
				entry, child = Entry{}, name == "sitemap"
			}
			path = append(path, name)
			text.Reset()
		case xml.CharData:
			if text.Len() < maxText {
				text.Write(t)
			}
		case xml.EndElement:
			name := strings.ToLower(t.Name.Local)
			// An end that closes nothing, or more than one element.
			at := len(path) - 1
			for at >= 0 && path[at] != name {
				at--
			}
			if at < 0 {
				continue
			}
			p.set(&entry, path[:at+1], strings.TrimSpace(text.String()))
			text.Reset()
			path = path[:at]
			if at == 1 && (name == "url" || name == "sitemap") {
				var more bool
				if child {
					more = p.addChild(entry)
				} else {
					more = p.add(entry)
				}
				if !more {
					p.sitemap.Cut = true
					return nil
				}
			}
			if at == 0 {
				return nil // what follows the root is no business of ours
			}
		}
	}
}

// set takes the text of the element at path into e.
func (p *parser) set(e *Entry, path []string, text string) {
	if text == "" || len(path) < 3 {
		return
	}
	switch len(path) {
	case 3:
		switch path[2] {
		case "loc":
			e.URL = text
		case "lastmod":
			e.Modified = p.time(text)
		}
		return
	}
	if path[2] != "news" {
		return
	}
	e.News = true
	switch path[len(path)-1] {
	case "title":
		e.Title = strings.Join(strings.Fields(text), " ")
	case "publication_date":
		e.Published = p.time(text)
	}
}

// add keeps e unless it is old, and reports whether there is room for more.
func (p *parser) add(e Entry) bool {
	if e.URL = p.resolve(e.URL); e.URL == "" {
		return true
	}
	p.sitemap.Total++
	if t := e.Time(); !t.IsZero() && t.Before(p.options.Since) {
		return true
	}
	p.sitemap.Entries = append(p.sitemap.Entries, e)
	return len(p.sitemap.Entries) < MaxEntries
}

func (p *parser) addChild(e Entry) bool {
	if e.URL = p.resolve(e.URL); e.URL != "" {
		p.sitemap.Children = append(p.sitemap.Children, Child{URL: e.URL, Modified: e.Modified})
	}
	return len(p.sitemap.Children) < MaxEntries
}

func (p *parser) resolve(ref string) string {
	u, err := p.base.Parse(strings.TrimSpace(ref))
	if ref == "" || err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return u.String()
}

// layouts are the forms of W3C dates, and what is written in their place.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04",
	"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02", "2006-01", "2006", "2006/01/02", "2006/01/02 15:04:05", "20060102",
	time.RFC1123Z, time.RFC1123,
}

func (p *parser) time(text string) time.Time {
	loc := p.options.Location
	if loc == nil {
		loc = time.UTC
	}
	for _, layout := range layouts {
		if t, err := time.ParseInLocation(layout, text, loc); err == nil && t.Year() >= 1990 && t.Year() < 2200 {
			return t.UTC()
		}
	}
	return time.Time{}
}

var dateInURL = regexp.MustCompile(`(?:^|[/_-])((?:19|20)\d\d)[/_-]?(0[1-9]|1[0-2])[/_-]?(0[1-9]|[12]\d|3[01])(?:\D|$)`)

// DateIn returns the day that an address names in its path, such as
// /2025/11/17/ or /20251117/; zero if there is none.
func DateIn(rawURL string) time.Time {
	_, rest, _ := strings.Cut(rawURL, "://")
	_, path, _ := strings.Cut(rest, "/")
	m := dateInURL.FindStringSubmatch("/" + path)
	if m == nil {
		return time.Time{}
	}
	year, _ := strconv.Atoi(m[1]) // the pattern allows digits only
	month, _ := strconv.Atoi(m[2])
	day, _ := strconv.Atoi(m[3])
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if t.Day() != day {
		return time.Time{}
	}
	return t
}
