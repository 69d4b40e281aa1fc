// Package metadata reads what a page says about its article: title, times,
// people, medium, summary and address. In go the document's blocks, its head
// and the body that package boilerplate chose; out comes Metadata.
//
// Every field is decided by votes of several places (structured data, meta
// elements, the text between title and body, the address, the feed). Unknown is
// a valid answer: a date that only a footer or copyright line supports is not
// taken.
package metadata

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"xinwen/extractor/boilerplate"
	"xinwen/extractor/dom"
	"xinwen/extractor/template"
	"xinwen/news"
)

// Input is what Read works on.
type Input struct {
	Doc  *dom.Document
	Head *Head
	Body *boilerplate.Body
	// URL is the page's address, "" if unknown.
	URL string
	// Entry is what the feed said, nil if nothing.
	Entry *news.FeedEntry
	// Fetched may be zero: then relative dates are not read.
	Fetched time.Time
	// Zone is for times that name none; nil means the zone of the script: that
	// of Shanghai, Taipei or UTC.
	Zone *time.Location
	// Script is the script of the body, Lang the language tag of the page.
	Script, Lang string
}

// Hints returns what the head of the page at address u says of the body.
func Hints(h *Head, u string) boilerplate.Hints {
	title := h.Article.Headline
	if title == "" {
		title = StripSite(h.first("og:title"), h.Meta["og:site_name"])
	}
	if title == "" {
		title = StripSite(h.Title, h.Meta["og:site_name"])
	}
	return boilerplate.Hints{
		Title: title, Body: h.Article.Body, Summary: h.Description(), Host: hostOf(firstNonEmpty(u, h.Canonical, h.first("og:url"))), Templates: templates(),
	}
}

// templates is the table of known containers.
var templates = sync.OnceValue(func() *template.Table {
	t, err := template.Builtin()
	if err != nil {
		panic(fmt.Sprintf("metadata: the table of templates that comes with the program: %v", err))
	}
	return t
})

func hostOf(u string) string {
	p, err := url.Parse(u)
	if err != nil {
		return ""
	}
	return p.Host
}

func firstNonEmpty(s ...string) string {
	for _, x := range s {
		if x != "" {
			return x
		}
	}
	return ""
}

// Metadata is what is known of an article beside its text. Unknown fields are
// zero.
type Metadata struct {
	Title    string
	Summary  string
	Authors  []string
	Editor   string
	Reporter string
	// Credit is the medium the text was taken from (来源), Publisher the one
	// whose page it is.
	Credit, Publisher string
	// Published is in the zone of the source.
	Published  time.Time
	Confidence float64
	Modified   time.Time
	// Votes tell where Published came from, best first.
	Votes []Vote
}

// Vote is one opinion on the time of publication.
type Vote struct {
	Time   time.Time
	Weight float64
	From   string
	day    bool // no time of day was given
}

// Zone returns the time zone that texts in a script are dated in unless their
// source says otherwise.
func Zone(script string) *time.Location {
	name := ""
	switch script {
	case news.ScriptHans, news.ScriptMixed:
		name = "Asia/Shanghai"
	case news.ScriptHant:
		name = "Asia/Taipei"
	default:
		return time.UTC
	}
	if z, err := time.LoadLocation(name); err == nil {
		return z
	}
	return time.FixedZone("UTC+8", 8*3600) // no zone data on this system
}

// Read returns the metadata of a page.
func Read(in Input) *Metadata {
	if in.Zone == nil {
		in.Zone = Zone(in.Script)
	}
	r := &reader{Input: in}
	r.frame()
	m := &Metadata{}
	m.Title = r.title()
	r.locate(m.Title)
	r.published(m)
	r.people(m)
	m.Publisher = r.publisher()
	m.Summary = r.Head.Description()
	if m.Summary == "" && in.Entry != nil {
		m.Summary = in.Entry.Summary
	}
	return m
}

// reader holds the places that the fields are looked for in.
type reader struct {
	Input
	// first and last are the body's first and last block, -1 without a body.
	first, last int
	// head is the block of the title, -1 if it is not found.
	head int
	// zone are the blocks between title and body and a little around, tail those
	// at and after its end.
	zone, tail []int
}

func (r *reader) frame() {
	r.first, r.last, r.head = -1, -1, -1
	if n := len(r.Body.Blocks); n > 0 {
		r.first, r.last = r.Body.Blocks[0], r.Body.Blocks[n-1]
	}
}

// locate finds the title's block and with it the zones.
func (r *reader) locate(title string) {
	blocks := r.Doc.Blocks
	want := fold(title)
	for i := range blocks {
		if r.first >= 0 && i > r.first+3 {
			break
		}
		if b := &blocks[i]; !b.Hidden && want != "" && b.LinkDensity() < 0.9 && len(b.Text) < 3*len(title)+60 && near(fold(b.Text), want) {
			r.head = i
		}
	}
	from, to := max(0, r.head-4), r.first+4
	if r.first < 0 {
		to = r.head + 12
	}
	if r.head < 0 {
		from = max(0, r.first-12)
	}
	to = min(to, from+60)
	for i := from; i < min(to, len(blocks)); i++ {
		r.zone = append(r.zone, i)
	}
	// The body may begin far below the title.
	if r.first >= 0 {
		for i := max(to, r.first-8); i < min(r.first+3, len(blocks)); i++ {
			r.zone = append(r.zone, i)
		}
	}
	if r.last >= 0 {
		for i := max(r.first+1, r.last-2); i < min(r.last+10, len(blocks)); i++ {
			r.tail = append(r.tail, i)
		}
	}
}

func near(a, b string) bool {
	if a == b {
		return true
	}
	if len(a) < 9 || len(b) < 9 {
		return false
	}
	return strings.Contains(a, b) || strings.Contains(b, a) && 2*len(a) > len(b)
}

func (r *reader) publisher() string {
	if s := r.Head.Article.Publisher; s != "" {
		return s
	}
	s := r.Head.first("og:site_name", "application-name", "article:publisher", "publisher", "dc.publisher", "sitename")
	if strings.Contains(s, "://") {
		s = ""
	}
	if s == "" {
		// The account that a WeChat page belongs to.
		for i := range r.Doc.Elements {
			e := &r.Doc.Elements[i]
			if e.First < e.End && dom.Attr(e.Node, "id") == "js_name" {
				return dom.Text(e.Node)
			}
		}
	}
	return s
}
