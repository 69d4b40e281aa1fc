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
	"unicode/utf8"

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
	title := ""
	for _, s := range [...]string{h.Article.Headline, StripSite(h.first("og:title"), h.Meta["og:site_name"]), StripSite(h.Title, h.Meta["og:site_name"])} {
		if s != "" && !spamLine(s) {
			title = s
			break
		}
	}
	return boilerplate.Hints{
		Title: title, Body: h.Article.Body, Summary: dropSpam(h.Description()), Host: hostOf(firstNonEmpty(u, h.Canonical, h.first("og:url"))), Templates: templates(),
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
	// Spam says that advertising stands in the title element or description,
	// which Title and Summary are free of.
	Spam bool
	// Provenance tells for each field, by its JSON name, what it rests on.
	Provenance map[string]news.Provenance
	// Ballots tell how each field was decided.
	Ballots []Ballot
}

// Read returns the metadata of a page.
func Read(in Input) *Metadata { return builtin().Read(in) }

// Read returns the metadata of a page as the weights of m decide.
func (model Model) Read(in Input) *Metadata {
	r := &reader{Input: in, model: model, host: hostOf(firstNonEmpty(in.URL, in.Head.Canonical, in.Head.first("og:url")))}
	r.frame()
	m := &Metadata{Provenance: make(map[string]news.Provenance)}
	m.Title = r.title(m)
	r.locate(m.Title)
	r.times(m)
	m.Publisher = r.publisher(m)
	r.people(m)
	stated := r.Head.Description()
	m.Summary = dropSpam(stated)
	m.Spam = m.Summary != strings.TrimSpace(stated) || spamLine(r.Head.Title)
	if m.Summary == "" && in.Entry != nil {
		m.Summary = dropSpam(in.Entry.Summary)
	}
	return m
}

// reader holds the places that the fields are looked for in.
type reader struct {
	Input
	model Model
	host  string
	// local says that times are to be told in Zone.
	local bool
	// first and last are the body's first and last block, -1 without a body.
	first, last int
	// head is the block of the title, -1 if it is not found.
	head int
	// around are the blocks between title and body and a little around, tail those
	// at and after its end, ends more of these: people sign far below, dates there
	// are of other articles.
	around, tail, ends []int
}

func (r *reader) frame() {
	r.local = true
	if r.Zone == nil {
		r.Zone, r.local = zoneOf(r.Script, r.Lang, r.host)
	}
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
		r.around = append(r.around, i)
	}
	// The body may begin far below the title.
	if r.first >= 0 {
		for i := max(to, r.first-8); i < min(r.first+3, len(blocks)); i++ {
			r.around = append(r.around, i)
		}
	}
	if r.last >= 0 {
		for i := max(r.first+1, r.last-2); i < min(r.last+10, len(blocks)); i++ {
			r.tail = append(r.tail, i)
		}
		for i := max(r.first+4, r.last-8); i < min(r.last+10, len(blocks)); i++ {
			r.ends = append(r.ends, i)
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

// spot is the text of an element that a template names; rank is "" for the
// site's own template and " general" for those of content systems.
type spot struct{ text, rank string }

// named returns what the templates name as a part of the article.
func (r *reader) named(part template.Part) []spot {
	var out []spot
	for k, found := range [...]map[template.Part][]int{r.Body.Found.Site, r.Body.Found.General} {
		for _, i := range found[part] {
			e := &r.Doc.Elements[i]
			if e.End-e.First > 4 || r.Doc.Blocks[e.First].Hidden || len(out) >= 8 {
				continue
			}
			text := strings.TrimSpace(textOf(r.Doc, e))
			if text != "" && len(text) < 600 {
				out = append(out, spot{text, [...]string{"", " general"}[k]})
			}
		}
	}
	return out
}

// publisher returns the medium whose page it is.
func (r *reader) publisher(m *Metadata) string {
	b := newBallot(Publisher)
	vote := func(s, where string) {
		s = strings.TrimPrefix(strings.TrimSpace(s), "@")
		if s != "" && !strings.Contains(s, "://") && length(s) <= 40 && !spamLine(s) {
			b.vote(fold(s), s, where)
		}
	}
	h := r.Head
	vote(h.Article.Publisher, "json-ld")
	vote(h.Page.Publisher, "json-ld page")
	vote(h.first("og:site_name"), "meta og:site_name")
	for _, n := range [...]string{"application-name", "article:publisher", "publisher", "dc.publisher", "sitename"} {
		vote(h.Meta[n], "meta "+n)
	}
	// The account that a WeChat page belongs to.
	for _, s := range r.named(template.Publisher) {
		vote(s.text, "template"+s.rank)
	}
	if cut := StripSite(h.Title, ""); cut != h.Title && m.Title != "" && fold(cut) == fold(m.Title) {
		rest := h.Title[len(cut):]
		if i := strings.LastIndexAny(rest, "_-|｜–—丨·－/"); i >= 0 {
			_, n := utf8.DecodeRuneInString(rest[i:])
			vote(rest[i+n:], "title")
		}
	}
	c := b.elect(r.model[Publisher])
	m.Ballots = append(m.Ballots, *b)
	if c == nil {
		return ""
	}
	m.Provenance[Publisher] = provenance(c)
	return c.Value
}
