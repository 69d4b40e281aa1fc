// Package listpage finds the articles that an HTML list page links to.
//
// The page is read as a stream of tokens, never as a tree: the markup of old
// content systems, with its thousands of unclosed elements, costs nothing and
// breaks nothing. Which links are articles is declared by a pattern or learned
// from the page: links to articles share a URL shape with a number or date in it,
// their text is a headline, and a date stands near them; navigation has short
// texts, and every shape only once or twice.
//
// Only links within the page's registrable domain count. What stands near a link
// (its date) goes into the entry for the extractor to use.
package listpage

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"xinwen/news"
	"xinwen/news/charset"
	"xinwen/news/weburl"
)

// maxLinks bounds the links looked at on one page.
const maxLinks = 5000

// Rule says how to read a list page.
type Rule struct {
	// Links is looked for in the address of a link to an article; nil lets it be
	// learned which links are.
	Links *regexp.Regexp
	// Next is looked for in the address of the link to the next page; NextAuto
	// lets it be guessed.
	Next     *regexp.Regexp
	NextAuto bool
	// Location is the zone of dates on the page; nil means UTC.
	Location *time.Location
}

// Entry is one article that the page links to.
type Entry struct {
	// URL is in canonical form.
	URL string
	news.FeedEntry
}

// Page is what a list page says.
type Page struct {
	Entries []Entry
	// Next is the address of the next page, "" if there is none.
	Next string
	// Links counts all links of the page.
	Links int
}

// Error says why a page yields nothing.
type Error struct {
	Err error
	// Hint says what to do about it.
	Hint string
}

func (e *Error) Error() string { return e.Err.Error() + "; " + e.Hint }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Parse reads the list page that came from pageURL, after redirects. now tells
// which year a date without one is in. Its error is an *Error.
func Parse(body []byte, contentType, pageURL string, rule Rule, now time.Time) (*Page, error) {
	base, err := url.Parse(pageURL)
	if err != nil {
		return nil, &Error{err, "check the list page's address"}
	}
	text, _ := charset.Decode(body, contentType)
	if strings.TrimSpace(text) == "" {
		return nil, &Error{fmt.Errorf("the list page is empty"), "check the address in a browser; the page may need JavaScript"}
	}
	s := scanner{base: base, domain: weburl.RegistrableDomain(base.Hostname()), seen: make(map[string]int)}
	s.scan(text)
	if len(s.links) == 0 {
		return nil, &Error{fmt.Errorf("the list page has no links within %s", s.domain), "the page may need JavaScript, or be something else now; look for a feed or another list page"}
	}
	self, _ := weburl.Canonical(pageURL)
	page := &Page{Links: len(s.links), Next: s.next(rule, self)}
	var chosen []*link
	if rule.Links != nil {
		for _, l := range s.links {
			if rule.Links.MatchString(l.url) || rule.Links.MatchString(l.raw) {
				chosen = append(chosen, l)
			}
		}
		if len(chosen) == 0 {
			return nil, &Error{
				fmt.Errorf("none of the page's %d links matches %s", len(s.links), rule.Links),
				"compare the pattern with the page's links; the site may have changed",
			}
		}
	} else if chosen = learn(s.links, self); len(chosen) == 0 {
		return nil, &Error{
			fmt.Errorf("none of the page's %d links looks like an article", len(s.links)),
			"declare which are with links: PATTERN",
		}
	}
	loc := rule.Location
	if loc == nil {
		loc = time.UTC
	}
	for _, l := range chosen {
		if l.url == self || l.url == page.Next {
			continue
		}
		e := Entry{URL: l.url, FeedEntry: news.FeedEntry{Title: l.title()}}
		e.Published = dateNear(l, loc, now)
		page.Entries = append(page.Entries, e)
	}
	return page, nil
}

// link is one address with all that the page's links to it say.
type link struct {
	url     string // canonical
	raw     string // as resolved, for patterns
	texts   []string
	rel     string
	before  string // text before the first link to it
	after   string // text after the last link to it
	chrome  bool   // all links to it are in navigation, header or footer
	heading bool   // one link to it is inside a heading, or around one
}

// title returns the longest text of l's links.
func (l *link) title() string {
	longest := ""
	for _, t := range l.texts {
		if weight(t) > weight(longest) {
			longest = t
		}
	}
	return longest
}

// weight is the length of a text in letters; a Han character says as much as two
// Latin ones.
func weight(s string) int {
	n := 0
	for _, r := range s {
		switch {
		case unicode.Is(unicode.Han, r):
			n += 2
		case unicode.IsLetter(r), unicode.IsDigit(r):
			n++
		}
	}
	return n
}

// scanner collects the links of a page from its tokens.
type scanner struct {
	base   *url.URL
	domain string
	links  []*link
	seen   map[string]int // canonical URL -> position in links
	nexts  []*link        // candidates for the next page

	current *link // the link whose text is being read
	text    strings.Builder
	// tail is the text since the last link ended, and the link it belongs to.
	tail     strings.Builder
	tailOf   *link
	chrome   int // depth of navigation elements
	headings int
	skip     atom.Atom // script or style that is being skipped
}

func (s *scanner) scan(text string) {
	z := html.NewTokenizer(strings.NewReader(text))
	baseSeen := false
	for {
		switch z.Next() {
		case html.ErrorToken:
			s.endLink()
			s.endTail()
			return
		case html.TextToken:
			if s.skip == 0 {
				s.addText(string(z.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			switch t.DataAtom {
			case atom.Base:
				if u, err := s.base.Parse(attr(t, "href")); err == nil && !baseSeen {
					s.base, baseSeen = u, true
				}
			case atom.A:
				s.endLink()
				s.startLink(t)
			case atom.Link:
				if strings.EqualFold(attr(t, "rel"), "next") {
					if l := s.resolve(t); l != nil {
						l.rel = "next"
						s.nexts = append(s.nexts, l)
					}
				}
			case atom.Nav, atom.Footer, atom.Header:
				s.chrome++
			case atom.H1, atom.H2, atom.H3, atom.H4:
				s.headings++
				if s.current != nil {
					s.current.heading = true
				}
			case atom.Script, atom.Style, atom.Noscript:
				if t.Type == html.StartTagToken {
					s.skip = t.DataAtom
				}
			case atom.Img:
				if s.current != nil && s.text.Len() == 0 {
					if alt := oneLine(attr(t, "alt")); alt != "" {
						s.current.texts = append(s.current.texts, alt)
					}
				}
			case atom.Br, atom.P, atom.Div, atom.Li, atom.Td, atom.Tr, atom.Span, atom.Time, atom.Dd, atom.Em, atom.I:
				s.addText(" ")
				if t.DataAtom == atom.Time {
					s.addText(attr(t, "datetime") + " ")
				}
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			switch a := atom.Lookup(name); a {
			case atom.A:
				s.endLink()
			case atom.Nav, atom.Footer, atom.Header:
				s.chrome = max(s.chrome-1, 0)
			case atom.H1, atom.H2, atom.H3, atom.H4:
				s.headings = max(s.headings-1, 0)
			default:
				if a == s.skip {
					s.skip = 0
				}
				s.addText(" ")
			}
		}
		if len(s.links) >= maxLinks {
			return
		}
	}
}

// maxText bounds the text kept for one link, and near it.
const maxText = 2 << 10

func (s *scanner) addText(t string) {
	if s.current != nil {
		if s.text.Len() < maxText {
			s.text.WriteString(t)
		}
		return
	}
	if s.tail.Len() < maxText {
		s.tail.WriteString(t)
	}
}

func (s *scanner) startLink(t html.Token) {
	before := s.endTail()
	l := s.resolve(t)
	if l == nil {
		return
	}
	if i, ok := s.seen[l.url]; ok {
		known := s.links[i]
		known.chrome = known.chrome && l.chrome
		known.heading = known.heading || l.heading
		l = known
	} else {
		l.before = before
		s.seen[l.url] = len(s.links)
		s.links = append(s.links, l)
	}
	if title := oneLine(attr(t, "title")); title != "" {
		l.texts = append(l.texts, title)
	}
	s.current = l
	s.text.Reset()
}

func (s *scanner) endLink() {
	if s.current == nil {
		return
	}
	if text := oneLine(s.text.String()); text != "" {
		s.current.texts = append(s.current.texts, text)
		if isNextText(text) {
			s.nexts = append(s.nexts, s.current)
		}
	}
	if s.current.rel == "next" {
		s.nexts = append(s.nexts, s.current)
	}
	s.tailOf, s.current = s.current, nil
	s.tail.Reset()
}

// endTail gives the text after the last link to it, and returns it.
func (s *scanner) endTail() string {
	text := oneLine(s.tail.String())
	if s.tailOf != nil && text != "" {
		s.tailOf.after = text
	}
	s.tailOf = nil
	s.tail.Reset()
	return text
}

// resolve returns the link of a tag, nil if it leads to another domain or to no
// page.
func (s *scanner) resolve(t html.Token) *link {
	href := strings.TrimSpace(attr(t, "href"))
	if href == "" || strings.HasPrefix(href, "#") {
		return nil
	}
	u, err := s.base.Parse(href)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil
	}
	if weburl.RegistrableDomain(u.Hostname()) != s.domain {
		return nil
	}
	canonical, err := weburl.Canonical(u.String())
	if err != nil || isFile(u.Path) {
		return nil
	}
	return &link{url: canonical, raw: u.String(), rel: strings.ToLower(attr(t, "rel")), chrome: s.chrome > 0, heading: s.headings > 0}
}

// isFile reports whether a path leads to something that is not a page.
func isFile(path string) bool {
	dot := strings.LastIndexByte(path, '.')
	if dot < 0 || len(path)-dot > 6 {
		return false
	}
	switch strings.ToLower(path[dot+1:]) {
	case "jpg", "jpeg", "png", "gif", "webp", "svg", "pdf", "zip", "rar", "7z", "gz", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "mp3", "mp4", "avi", "css", "js", "apk", "exe", "xml", "rss", "json":
		return true
	}
	return false
}

func attr(t html.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// isNextText reports whether a link's text says that it leads to the next page.
func isNextText(s string) bool {
	if utf8.RuneCountInString(s) > 12 {
		return false
	}
	s = strings.ToLower(strings.Trim(s, " \u00a0>»›→"))
	switch s {
	case "下一页", "下一頁", "下页", "下頁", "后页", "next", "next page", "older", "older posts", "更早", "后一页":
		return true
	}
	return false
}

// next returns the address of the next page.
func (s *scanner) next(rule Rule, self string) string {
	if rule.Next != nil {
		for _, l := range s.links {
			if l.url != self && (rule.Next.MatchString(l.url) || rule.Next.MatchString(l.raw)) {
				return l.url
			}
		}
		return ""
	}
	if rule.NextAuto {
		for _, l := range s.nexts {
			if l.url != self {
				return l.url
			}
		}
	}
	return ""
}
