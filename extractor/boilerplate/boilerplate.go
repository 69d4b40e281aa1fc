// Package boilerplate finds the article in a page. In goes a document as blocks
// (package dom), out come the blocks that are the article's body, in order.
//
// Every block gets a worth: positive for sentences, negative for links and
// fragments. Many elements are candidates for the body; the best by worth,
// names and nearness to the title is chosen, then related articles, rankings,
// comments and the like are pruned inside it. A block with the punctuation of
// sentences is never dropped because of its links.
package boilerplate

import (
	"math"
	"strings"
	"unicode"

	"golang.org/x/net/html/atom"

	"xinwen/extractor/dom"
)

// Hints are what other parts of the page say of the article.
type Hints struct {
	// Title is the article's title, "" if unknown.
	Title string
	// Summary is what the page or feed says the article is about, "" if unknown.
	Summary string
	// Body is the text as the page's structured data has it, "" if none.
	Body string
}

// Body is the article's body.
type Body struct {
	// Blocks are indices into the document's blocks, ascending.
	Blocks []int
	// Element is the index of the chosen element, -1 if there is none.
	Element int
	// Score is the chosen candidate's score.
	Score float64
	// Candidates are the elements that were considered, best first.
	Candidates []Candidate
}

// Candidate is an element that may hold the body.
type Candidate struct {
	Element int
	// Worth is the sum over its blocks, Score what it was ranked by.
	Worth, Score float64
}

// page carries a document with what the steps have found out.
type page struct {
	doc   *dom.Document
	hints Hints
	cues  []cue // by element, own
	under []cue // by block, of all elements around it
	worth []float64
	sum   []float64 // prefix sums of worth
	good  []float64 // prefix sums of units in sentences
	title int       // block of the title, -1 if not found
	prose []bool
}

// Find returns the body of the article in d.
func Find(d *dom.Document, h Hints) *Body {
	p := &page{doc: d, hints: h}
	p.measure()
	p.value()
	return p.choose()
}

// measure finds the sentences and reads the names of elements. A name that
// would strike most of the page's sentences says nothing.
func (p *page) measure() {
	d := p.doc
	n := len(d.Blocks)
	p.prose = make([]bool, n)
	p.good = make([]float64, n+1)
	for i := range d.Blocks {
		b := &d.Blocks[i]
		p.prose[i] = isProse(b)
		p.good[i+1] = p.good[i]
		if p.prose[i] && !b.Hidden {
			p.good[i+1] += b.Units
		}
	}
	total := p.good[n]
	p.cues = make([]cue, len(d.Elements))
	inherited := make([]cue, len(d.Elements))
	for i := range d.Elements {
		e := &d.Elements[i]
		c := cueOf(e.Node)
		if c&(cueChrome|cueAside) != 0 {
			covered := p.good[e.End] - p.good[e.First]
			if c&cueKnown != 0 || covered > 0.4*total || c&cueArticle != 0 && covered > 0.25*total {
				c &^= cueChrome | cueAside
			}
		}
		p.cues[i] = c
		if e.Parent >= 0 {
			c |= inherited[e.Parent]
		}
		inherited[i] = c
	}
	p.under = make([]cue, n)
	for i := range d.Blocks {
		if e := d.Blocks[i].Element; e >= 0 {
			p.under[i] = inherited[e]
		}
	}
	// Inline elements may carry names too: <span class="share">.
	for i := range d.Elements {
		e := &d.Elements[i]
		if c := p.cues[i] & (cueChrome | cueAside); c != 0 && e.End-e.First == 1 {
			if b := &d.Blocks[e.First]; b.Element != i && b.Units < 20 && !p.prose[e.First] {
				p.under[e.First] |= c & cueAside
			}
		}
	}
	p.title = p.findTitle()
}

// isProse reports whether b reads like sentences.
func isProse(b *dom.Block) bool {
	own := b.Units - b.LinkUnits
	switch {
	case b.Stops > 0 && own >= 8 && (b.LinkUnits < 0.9*b.Units):
		return true
	case b.Punct >= 2 && own >= 14 && b.LinkUnits < 0.6*b.Units:
		return true
	case b.Punct >= 1 && own >= 25 && b.LinkUnits < 0.6*b.Units:
		return true
	}
	return own >= 60 && b.LinkUnits < 0.3*b.Units
}

func (p *page) findTitle() int {
	d := p.doc
	want := fold(p.hints.Title)
	best := -1
	for i := range d.Blocks {
		b := &d.Blocks[i]
		if b.Hidden {
			continue
		}
		if b.Tag == atom.H1 && best < 0 {
			best = i
		}
		if want != "" && b.LinkDensity() < 0.9 && b.Units < 80 {
			if got := fold(b.Text); got == want || b.Tag == atom.H1 && len(got) > 12 && (strings.Contains(want, got) || strings.Contains(got, want)) {
				return i
			}
		}
	}
	return best
}

// fold keeps letters and digits, in lower case.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// value gives each block its worth.
func (p *page) value() {
	d := p.doc
	p.worth = make([]float64, len(d.Blocks))
	p.sum = make([]float64, len(d.Blocks)+1)
	for i := range d.Blocks {
		b := &d.Blocks[i]
		var w float64
		own := b.Units - b.LinkUnits
		switch {
		case b.Hidden && p.under[i]&cueKnown == 0:
			w = 0
		case p.under[i]&cueAside != 0:
			w = -1 - 0.5*math.Min(b.Units, 100)
		case p.under[i]&cueChrome != 0:
			w = -1 - 0.3*math.Min(b.Units, 100)
		case p.prose[i]:
			w = own + 0.7*b.LinkUnits
			if ender.MatchString(b.Text) && b.Units < 60 {
				w = -5
			}
		case b.LinkDensity() > 0.5:
			w = -2 - b.LinkUnits
		case b.Control:
			w = -2
		case ender.MatchString(b.Text):
			w = -8
		case b.Tag == atom.H2 || b.Tag == atom.H3 || b.Strong:
			w = 0
		default:
			w = -2
		}
		p.worth[i] = w
		p.sum[i+1] = p.sum[i] + w
	}
}

func (p *page) choose() *Body {
	d := p.doc
	best := -1
	var list []Candidate
	for i := range d.Elements {
		e := &d.Elements[i]
		if e.End == e.First {
			continue
		}
		w := p.sum[e.End] - p.sum[e.First]
		if w <= 0 {
			continue
		}
		score := w
		switch {
		case p.cues[i]&cueKnown != 0:
			score *= 1.3
		case p.cues[i]&cueArticle != 0:
			score *= 1.05
		}
		list = append(list, Candidate{Element: i, Worth: w, Score: score})
		// Of a chain of elements with the same worth the innermost wins.
		if best < 0 || score >= list[best].Score*0.999 {
			best = len(list) - 1
		}
	}
	if best < 0 {
		return p.fallback()
	}
	c := list[best]
	return &Body{Element: c.Element, Score: c.Score, Blocks: p.prune(c.Element), Candidates: list}
}

// fallback serves pages without a sentence: the block after the title, else the
// longest one.
func (p *page) fallback() *Body {
	d := p.doc
	best := -1
	for i := range d.Blocks {
		b := &d.Blocks[i]
		if b.Hidden || i == p.title || p.under[i]&(cueAside|cueChrome) != 0 || b.LinkDensity() > 0.5 {
			continue
		}
		if best < 0 || b.Units > d.Blocks[best].Units {
			best = i
		}
	}
	if best < 0 {
		return &Body{Element: -1}
	}
	return &Body{Element: d.Blocks[best].Element, Blocks: []int{best}}
}
