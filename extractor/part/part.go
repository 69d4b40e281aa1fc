// Package part finds the further pages of an article that is spread over
// several. In goes a document with its address, out comes where it stands in its
// series and the addresses of the others.
//
// An address belongs to a series only if it is the first page's with a number
// (12_2.html, ?page=2, /2) and the link to it says so: "2", "下一页", "next page".
// So neither the next article nor the pages of a list are taken for parts.
package part

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/atom"

	"xinwen/extractor/dom"
	"xinwen/extractor/pattern"
	"xinwen/news/weburl"
)

// Max is how many further pages of one article are followed.
const Max = 20

// Page is one page of a series.
type Page struct {
	// Number is the one in its address: pages are in its order, the first is
	// usually 1 and need not have one.
	Number int    `json:"number"`
	URL    string `json:"url"`
}

// Series is where a page stands among the pages of its article.
type Series struct {
	// First is the address of the first page where this one leads back to it: this
	// is a further page then.
	First string `json:"first,omitempty"`
	// Number is that of this page. One above 1 without First is doubtful: the page
	// may be a further one, or have an address that ends in a number.
	Number int `json:"number"`
	// Further are the pages after the first that this one links to, in order of
	// their numbers, without itself.
	Further []Page `json:"further,omitempty"`
}

// Find returns the series of the page at address. Links are read relative to
// base. body are the blocks of the article; a pager stands in it or after it.
func Find(d *dom.Document, address, base string, body []int) Series {
	own, err := url.Parse(address)
	if err != nil || own.Host == "" || len(body) == 0 {
		return Series{}
	}
	f := finder{doc: d, own: own, base: cmp.Or(base, address)}
	f.collect(body)
	if len(f.links) == 0 {
		return Series{}
	}
	all, numbers := seriesOf(own)
	for i, s := range all {
		if s.bare {
			continue
		}
		if first := f.first(s, numbers[i]); first != "" {
			return Series{First: first, Number: numbers[i], Further: f.pages(s, numbers[i])}
		}
	}
	for i, s := range all {
		if pages := f.pages(s, numbers[i]); len(pages) > 0 {
			return Series{Number: numbers[i], Further: pages}
		}
	}
	return Series{}
}

// Number returns the number that the page at address has in the series that
// begins with the page at first, false if it is not one of its further pages.
func Number(first, address string) (int, bool) {
	a, err := url.Parse(first)
	if err != nil {
		return 0, false
	}
	b, err := url.Parse(address)
	if err != nil || !strings.EqualFold(a.Host, b.Host) || plain(a) == plain(b) {
		return 0, false
	}
	all, numbers := seriesOf(a)
	for i, s := range all {
		if n, _, ok := s.number(b); ok && n > 0 && (s.bare || numbers[i] <= 1 && n > numbers[i]) {
			return n, true
		}
	}
	return 0, false
}

// Join adds the pages of b to those of a: each number once, in order, at most
// Max.
func Join(a, b []Page) []Page {
	out := slices.Clone(a)
	for _, p := range b {
		if !slices.ContainsFunc(out, func(q Page) bool { return q.Number == p.Number || q.URL == p.URL }) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(p, q Page) int { return p.Number - q.Number })
	return out[:min(len(out), Max)]
}

// link is a link that may be one of a pager.
type link struct {
	url  *url.URL
	says int  // the number that its text tells, 0 if none
	next bool // the text or the link itself says: next page
	back bool // … the page before, or the first
	sure bool // a script that builds pagers has it
}

type finder struct {
	doc   *dom.Document
	own   *url.URL
	base  string
	links []link
}

var (
	nextText = pattern.MustCompile(`(?i)^[^\pL\pN]*(?:下一?[页頁]|后一?[页頁]|後一?[页頁]|下[页頁]|阅读下一[页頁]|next(?: page)?|余下全文|餘下全文|继续阅读|continue(?: to page \d+)?)[^\pL\pN]*$`)
	backText = pattern.MustCompile(`(?i)^[^\pL\pN]*(?:上一?[页頁]|前一?[页頁]|首[页頁]|第一[页頁]|返回首[页頁]|prev(?:ious)?(?: page)?|first(?: page)?)[^\pL\pN]*$`)
	pageText = pattern.MustCompile(`(?i)^[^\pL\pN]*(?:第\s*(\d{1,2})\s*[页頁]|page\s*(\d{1,2})\b|(\d{1,2}))(?:[^\pL\pN]*$|\s*[:：])`)
)

// reach is how many blocks after the article a pager may stand.
const reach = 30

// collect reads the links that may belong to a pager: on the same host, short,
// in or after the article, and not of its comments. A page that lists other
// articles has none.
func (f *finder) collect(body []int) {
	d := f.doc
	for _, n := range d.Heads {
		switch {
		case n.DataAtom == atom.Link:
			rel := strings.ToLower(dom.Attr(n, "rel"))
			if rel == "next" || rel == "prev" {
				f.add(link{next: rel == "next", back: rel == "prev"}, dom.Attr(n, "href"))
			}
		case n.DataAtom == atom.Script && n.FirstChild != nil:
			f.fromScript(n.FirstChild.Data)
		}
	}
	first, last := body[0], body[len(body)-1]
	teasers := 0
	for i := first; i < min(len(d.Blocks), last+reach); i++ {
		b := &d.Blocks[i]
		if len(b.Links) == 0 {
			continue
		}
		if heading(b.Tag) && b.LinkDensity() > 0.9 && b.Units >= 8 && i <= last {
			teasers++
		}
		for _, l := range b.Links {
			if read, ok := readText(b.Text[l.Start:l.End]); ok && !f.commented(b.Element) {
				f.add(read, l.Href)
			}
		}
	}
	if teasers > 2 {
		f.links = nil // the pages of a list
	}
}

func heading(a atom.Atom) bool {
	switch a {
	case atom.H1, atom.H2, atom.H3, atom.H4:
		return true
	}
	return false
}

// readText returns what the text of a link says, false if that is nothing.
func readText(s string) (l link, ok bool) {
	if utf8.RuneCountInString(s) > 40 {
		return l, false
	}
	switch {
	case nextText.MatchString(s):
		l.next = true
	case backText.MatchString(s):
		l.back = true
	default:
		m := pageText.FindStringSubmatch(s)
		if m == nil {
			return l, false
		}
		l.says, _ = strconv.Atoi(cmp.Or(m[1], m[2], m[3])) // two digits
	}
	return l, true
}

func (f *finder) add(l link, href string) {
	if l.url = f.resolve(href); l.url != nil {
		f.links = append(f.links, l)
	}
}

// resolve returns an address on the page's own host, nil for others.
func (f *finder) resolve(href string) *url.URL {
	href = strings.TrimSpace(href)
	if href == "" || href[0] == '#' || len(href) > 2048 {
		return nil
	}
	s, err := weburl.Resolve(f.base, href)
	if err != nil {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || !strings.EqualFold(u.Host, f.own.Host) {
		return nil
	}
	return u
}

// commented reports whether an element is in the comments of a page.
func (f *finder) commented(e int) bool {
	for ; e >= 0; e = f.doc.Elements[e].Parent {
		n := f.doc.Elements[e].Node
		for _, key := range [...]string{"id", "class"} {
			v := strings.ToLower(dom.Attr(n, key))
			if strings.Contains(v, "comment") || strings.Contains(v, "pinglun") || strings.Contains(v, "gentie") || strings.Contains(v, "replies") || strings.Contains(v, "disqus") {
				return true
			}
		}
	}
	return false
}

// byScript is the call by which the TRS content system builds a pager:
// createPageHTML(3, 0, "t20251117_12", "html").
var byScript = pattern.MustCompile(`createPageHTML\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*,\s*["']([\w.-]+)["']\s*,\s*["'](\w+)["']`)

func (f *finder) fromScript(s string) {
	m := byScript.FindStringSubmatch(s)
	if m == nil {
		return
	}
	pages, _ := strconv.Atoi(m[1]) // two digits
	for i := range min(pages, Max+1) {
		name := m[3]
		if i > 0 {
			name += "_" + strconv.Itoa(i)
		}
		f.add(link{says: i + 1, sure: true}, name+"."+m[4])
	}
}

// pages returns the pages of s that the page links to, without the first and
// itself. own is its number.
func (f *finder) pages(s series, own int) []Page {
	var pages []Page
	for i := range f.links {
		l := &f.links[i]
		n, form, ok := s.number(l.url)
		if !ok || n < 1 || plain(l.url) == s.stem || plain(l.url) == plain(f.own) {
			continue
		}
		switch {
		case l.sure, l.says == n && n > 1:
		case l.says == n+1: // some number the second page 1
		case l.next && (n == own+1 || s.bare && n == own):
		default:
			continue
		}
		s.form = form // one series has one form
		pages = Join(pages, []Page{{Number: n, URL: l.url.String()}})
	}
	return pages
}

// first returns the address of the first page of s, where the page leads back to
// it.
func (f *finder) first(s series, own int) string {
	first := ""
	for i := range f.links {
		l := &f.links[i]
		switch n, _, ok := s.number(l.url); {
		case !ok, plain(l.url) == plain(f.own):
		case plain(l.url) == s.stem && (l.back || l.says == 1):
			return l.url.String()
		case n <= 1 && n < own && l.says == 1:
			first = l.url.String()
		}
	}
	return first
}
