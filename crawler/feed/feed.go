// Package feed reads RSS 2.0, RSS 1.0, Atom and JSON Feed as publishers really
// write them.
//
// gofeed does the parsing. What it cannot know or does not guard against is done
// around it: bytes are decoded by package charset, control characters and what
// stands before the first tag removed, size and depth limited, and every link
// resolved against xml:base and the address the feed came from. A feed that turns
// out to be an HTML page is told apart from a broken one.
package feed

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"

	"xinwen/news"
	"xinwen/news/charset"
)

// Limits of what is parsed.
const (
	// MaxDepth bounds how deep elements may nest.
	MaxDepth = 256
	// MaxEntries bounds the entries taken from one feed, the first ones.
	MaxEntries = 5000
	// maxSummary bounds a summary's length in bytes.
	maxSummary = 64 << 10
)

// Feed is what a publisher's feed says.
type Feed struct {
	Title string
	// Home is the page the feed belongs to.
	Home string
	// Format is "rss", "atom" or "json".
	Format  string
	Entries []Entry
	// Cut says that the feed ended before its end; what was whole is here.
	Cut bool
	Hints
}

// Entry is one page a feed tells of.
type Entry struct {
	// URL is absolute.
	URL string
	news.FeedEntry
}

// Newest returns when the newest entry was published, zero if none says so.
// Times in the future do not count.
func Newest(entries []Entry, now time.Time) time.Time {
	var newest time.Time
	for _, e := range entries {
		t := e.Published
		if t.IsZero() {
			t = e.Updated
		}
		if t.After(newest) && !t.After(now.Add(24*time.Hour)) {
			newest = t
		}
	}
	return newest
}

// Error says why bytes are not a feed.
type Error struct {
	Err error
	// Hint says what to do about it.
	Hint string
	// HTML says that the bytes are an HTML page; Feeds are the feeds it names.
	HTML  bool
	Feeds []string
}

func (e *Error) Error() string { return e.Err.Error() + "; " + e.Hint }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Parse reads a feed that came from feedURL, after redirects. Its error is always
// an *Error. Entries without an address are left out.
func Parse(body []byte, contentType, feedURL string) (feed *Feed, err error) {
	// A parser of foreign bytes that panics must not take the crawler along.
	defer func() {
		if r := recover(); r != nil {
			feed, err = nil, &Error{Err: fmt.Errorf("the feed makes the parser panic: %v", r), Hint: "report the feed; read the publisher's list page instead"}
		}
	}()
	base, err := url.Parse(feedURL)
	if err != nil {
		return nil, &Error{Err: err, Hint: "check the feed's address"}
	}
	if len(strings.TrimSpace(string(body[:min(len(body), 4096)]))) == 0 {
		return nil, &Error{Err: errors.New("the feed is empty"), Hint: "check the address in a browser; the publisher may have given the feed up"}
	}
	text, _ := charset.Decode(body, contentType)
	text = clean(text)
	if isHTML(text) {
		e := &Error{Err: errors.New("this is an HTML page, not a feed"), HTML: true, Feeds: discover(text, base)}
		if len(e.Feeds) > 0 {
			e.Hint = "the page names the feed " + e.Feeds[0] + ": use that address"
		} else {
			e.Hint = "the page names no feed: use it as a list page instead"
		}
		return nil, e
	}
	cut := false
	if strings.HasPrefix(text, "<") {
		if text, cut, err = prepare(text); err != nil {
			return nil, &Error{Err: err, Hint: "no honest feed nests that deep; disable the source if it goes on"}
		}
	}
	parsed, err := gofeed.NewParser().Parse(strings.NewReader(text))
	if err != nil {
		return nil, parseError(err, text)
	}
	feed = convert(parsed, base)
	feed.Hints = hints(text, base)
	if feed.Cut = cut; cut && len(feed.Entries) == 0 {
		return nil, &Error{Err: errors.New("malformed feed: it ends within its first entry"), Hint: "the publisher must mend it; read the list page meanwhile"}
	}
	return feed, nil
}

func parseError(err error, text string) *Error {
	if errors.Is(err, gofeed.ErrFeedTypeNotDetected) {
		start := strings.Join(strings.Fields(text[:min(len(text), 200)]), " ")
		return &Error{
			Err:  fmt.Errorf("neither RSS, Atom nor JSON Feed: it starts with %.60q", start),
			Hint: "check the address in a browser; the publisher may have moved the feed",
		}
	}
	return &Error{Err: fmt.Errorf("malformed feed: %w", err), Hint: "the publisher must mend it; read the list page meanwhile"}
}

func convert(parsed *gofeed.Feed, base *url.URL) *Feed {
	f := &Feed{Title: oneLine(parsed.Title), Format: parsed.FeedType, Home: resolve(base, parsed.Link)}
	for _, item := range parsed.Items {
		if item == nil || len(f.Entries) == MaxEntries {
			continue
		}
		link := itemLink(item, base)
		if link == "" {
			continue
		}
		e := Entry{URL: link, FeedEntry: news.FeedEntry{Title: oneLine(item.Title), Summary: truncate(item.Description, maxSummary)}}
		for _, a := range item.Authors {
			if a != nil && strings.TrimSpace(a.Name) != "" {
				e.Authors = append(e.Authors, oneLine(a.Name))
			}
		}
		e.Published = timeOf(item.PublishedParsed)
		if e.Updated = timeOf(item.UpdatedParsed); e.Updated.Equal(e.Published) {
			e.Updated = time.Time{}
		}
		f.Entries = append(f.Entries, e)
	}
	return f
}

// itemLink returns the address of an item's page: its link, or else a GUID that is
// an address, or else the first of its other links, such as that of the entry
// itself.
func itemLink(item *gofeed.Item, base *url.URL) string {
	refs := []string{item.Link}
	if guid := strings.TrimSpace(item.GUID); strings.HasPrefix(guid, "http://") || strings.HasPrefix(guid, "https://") {
		refs = append(refs, guid)
	}
	for _, ref := range append(refs, item.Links...) {
		if link := resolve(base, ref); link != "" {
			return link
		}
	}
	return ""
}

// resolve returns ref as an absolute http(s) address, "" if it is none.
func resolve(base *url.URL, ref string) string {
	ref = strings.TrimSpace(ref)
	if ref == "" {
		return ""
	}
	u, err := base.Parse(ref)
	if err != nil {
		// Spaces and newlines inside an address are common and mean nothing.
		if u, err = base.Parse(strings.Join(strings.Fields(ref), "")); err != nil {
			return ""
		}
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return ""
	}
	return u.String()
}

func timeOf(t *time.Time) time.Time {
	if t == nil || t.Year() < 1990 || t.Year() > 2200 {
		return time.Time{}
	}
	return t.UTC()
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// truncate cuts s to at most n bytes, at a character.
func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
