// Package boilerplate finds the article in a page. In goes a document as blocks
// (package dom), out come the blocks that are the article's body, in order.
//
//	blocks ─► rules ─► candidates ─┐
//	   │                           ├─► ranker ─► body
//	   └────► features ─► judgement┘
//
// Rules give every block a worth: positive for sentences, negative for links,
// fragments and elements that name themselves something else. The run of blocks
// with the greatest sum is one candidate; known containers, structured data and
// the elements with most paragraphs are others, each pruned of related articles,
// rankings, comments and the like. A model judges every block by its features
// and by what the candidates say of it, in two passes; what it takes for the
// article's is a further candidate. A second model ranks them.
//
// The models are fitted by extractor/cmd/fit and lie beside the code as data.
package boilerplate

import (
	"strings"

	"golang.org/x/net/html/atom"

	"xinwen/extractor/dom"
	"xinwen/extractor/memory"
	"xinwen/extractor/pattern"
	"xinwen/extractor/template"
)

// Hints are what other parts of the page say of the article.
type Hints struct {
	// Title is the article's title, "" if unknown.
	Title string
	// Summary is the page's description of itself, "" if it has none.
	Summary string
	// Body is the text as the page's structured data has it, "" if none.
	Body string
	// Host is the host the page is from, "" if unknown.
	Host string
	// Templates is the table of known containers; nil means none.
	Templates *template.Table
	// Memory is what is known of the host's pages, nil if nothing is; Keys are
	// what it knows the blocks by (see the function Keys).
	Memory *memory.View
	Keys   []uint64
}

// Body is the article's body.
type Body struct {
	// Blocks are indices into the document's blocks, ascending.
	Blocks []int
	// Repeated are blocks that were left out since many pages of the host have
	// them.
	Repeated []int
	// Images are the pictures between its title and its end.
	Images []Picture
	// Stripped are blocks near it that were left out.
	Stripped []Left
	// Element is the index of the chosen element, -1 if it is none.
	Element int
	// Score is what the ranker expects of it.
	Score float64
	// Candidates are all answers that were weighed, Chosen the index of the one
	// that Blocks is.
	Candidates []Candidate
	Chosen     int
	// Probability says for each block of the document how surely it is the
	// article's.
	Probability []float64
	// Found is what the templates name, other parts than the body too.
	Found template.Found
}

// page carries a document with what the steps have found out.
type page struct {
	doc    *dom.Document
	hints  Hints
	cues   []cue // by element, own
	under  []cue // by block, of all elements around it
	worth  []float64
	sum    []float64 // prefix sums of worth
	good   []float64 // prefix sums of units in sentences
	title  int       // block of the title, -1 if not found
	stated bool      // the title block is what the page says its title is
	prose  []bool
	unhide bool // what the page hides counts as shown
	// unfolded are hidden blocks that a control beside them shows.
	unfolded map[int]bool
	start    int // first block that the rules keep
	last     int // block after the last that they keep
	stop     int // block at which another article begins

	units, linked []float64 // prefix sums of units, and of those in links
	found         template.Found
	itemprops     []int  // elements that name themselves articleBody
	confirmed     []bool // by block: the structured data says it too; nil if that says nothing
	said          []said // what the vocabulary says of blocks, as far as asked
}

// hidden reports whether the page does not show block i, as far as that
// matters: known containers are often hidden until a script has run.
func (p *page) hidden(i int) bool {
	return p.doc.Blocks[i].Hidden && !p.unhide && !p.unfolded[i] && (p.under == nil || p.under[i]&cueKnown == 0)
}

// asideWorth is what an element that is named as no part of the article costs
// as a whole, hereWorth each further block in it.
const (
	asideWorth = -15
	hereWorth  = -0.5
)

// Find returns the body of the article in d.
func Find(d *dom.Document, h Hints) *Body {
	x := Examine(d, h)
	b := x.pick()
	x.page.without(b)
	b.Images = x.page.pictures(b.Blocks)
	b.Stripped = x.page.left(b)
	return b
}

// measure finds the sentences and reads the names of elements. A name that
// would strike most of the page's sentences says nothing.
func (p *page) measure() {
	d := p.doc
	n := len(d.Blocks)
	p.prose = make([]bool, n)
	p.good = make([]float64, n+1)
	p.units, p.linked, p.said = make([]float64, n+1), make([]float64, n+1), make([]said, n)
	if p.hints.Templates != nil {
		p.found = p.hints.Templates.Find(d, p.hints.Host)
	}
	p.unfold()
	shown, unshown := 0.0, 0.0
	for i := range d.Blocks {
		if b := &d.Blocks[i]; isProse(b) {
			if b.Hidden {
				unshown += b.Units
			} else {
				shown += b.Units
			}
		}
	}
	// Some pages hide all of their text until a script has run.
	p.unhide = unshown > 200 && shown < 0.1*unshown
	for i := range d.Blocks {
		b := &d.Blocks[i]
		p.prose[i] = isProse(b)
		p.good[i+1] = p.good[i]
		p.units[i+1], p.linked[i+1] = p.units[i]+b.Units, p.linked[i]+b.LinkUnits
		if p.prose[i] && !p.hidden(i) {
			p.good[i+1] += b.Units
		}
	}
	p.title = p.findTitle()
	total := p.good[n]
	p.cues = make([]cue, len(d.Elements))
	inherited, known := make([]cue, len(d.Elements)), make(map[string]cue)
	named := make(map[int]bool)
	for _, m := range []map[template.Part][]int{p.found.Site, p.found.General} {
		for _, e := range m[template.Body] {
			named[e] = true
		}
	}
	for i := range d.Elements {
		e := &d.Elements[i]
		c := cueOf(e.Node, known)
		if named[i] {
			c |= cueKnown | cueArticle
		}
		if c&cueItemprop != 0 {
			p.itemprops = append(p.itemprops, i)
			c = c&^cueItemprop | cueKnown | cueArticle
		}
		if c&(cueChrome|cueAside) != 0 && p.doubtful(e, c, total) {
			c &^= cueChrome | cueAside
		}
		if c&cueCaption != 0 && p.good[e.End]-p.good[e.First] > 200 {
			c &^= cueCaption // too long for what is under a picture
		}
		if c&(cueConsent|cueCaption) != 0 && e.First <= p.title && p.title < e.End {
			c &^= cueConsent | cueCaption
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
}

// unfold finds the blocks that are hidden until a control is pressed which says
// that it shows the rest of the text.
func (p *page) unfold() {
	d := p.doc
	for i := range d.Blocks {
		b := &d.Blocks[i]
		if b.Hidden || len(b.Text) > 60 || b.Element < 0 || !unfolds.MatchString(b.Text) {
			continue
		}
		e := b.Element
		for up := 0; up < 2 && d.Elements[e].Parent >= 0; up++ {
			e = d.Elements[e].Parent
			begun := false // what is unfolded goes on with a text that is shown
			for j := d.Elements[e].First; j < i; j++ {
				prose := isProse(&d.Blocks[j])
				begun = begun || prose && !d.Blocks[j].Hidden
				if begun && prose && d.Blocks[j].Hidden {
					if p.unfolded == nil {
						p.unfolded = make(map[int]bool)
					}
					p.unfolded[j] = true
				}
			}
		}
	}
}

// doubtful reports whether the name of an element cannot be what its content
// is: it holds the title, or nearly all of the page.
func (p *page) doubtful(e *dom.Element, c cue, total float64) bool {
	covered := p.good[e.End] - p.good[e.First]
	holdsTitle := e.First <= p.title && p.title < e.End
	switch {
	case c&cueKnown != 0, covered > 0.75*total:
		return true
	case holdsTitle:
		return covered > 0.15*total
	}
	return c&cueArticle != 0 && covered > 0.25*total
}

// isProse reports whether b reads like sentences.
func isProse(b *dom.Block) bool {
	own := b.Units - b.LinkUnits
	switch {
	case b.Units > 2000 && float64(b.Punct)*1000 < b.Units:
		return false // data, or a fault: nobody writes so without a comma
	case b.Stops > 0 && own >= 8 && (b.LinkUnits < 0.9*b.Units):
		return true
	case b.Punct >= 2 && own >= 14 && b.LinkUnits < 0.6*b.Units:
		return true
	case b.Punct >= 1 && own >= 25 && b.LinkUnits < 0.6*b.Units:
		return true
	}
	return own >= 35 && b.LinkUnits < 0.2*b.Units
}

// opens reports whether block i is the first of an element that is named as no
// part of the article.
func (p *page) opens(i int) bool {
	for e := p.doc.Blocks[i].Element; e >= 0; e = p.doc.Elements[e].Parent {
		if p.cues[e]&(cueAside|cueChrome) != 0 {
			if p.doc.Elements[e].First == i {
				return true
			}
		}
	}
	return false
}

func (p *page) findTitle() int {
	d := p.doc
	want := fold(p.hints.Title)
	best := -1
	for i := range d.Blocks {
		b := &d.Blocks[i]
		if p.hidden(i) {
			continue
		}
		if b.Tag == atom.H1 && best < 0 {
			best = i
		}
		if want != "" && b.LinkDensity() < 0.9 && b.Units < 80 {
			if got := fold(b.Text); got == want || b.Tag == atom.H1 && len(got) > 12 && (strings.Contains(want, got) || strings.Contains(got, want)) {
				p.stated = true
				return i
			}
		}
	}
	return best
}

// fold keeps letters and digits, in lower case.
func fold(s string) string { return dom.Fold(s) }

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
		case p.hidden(i), p.under[i]&cueConsent != 0:
			w = 0
		case p.under[i]&(cueAside|cueChrome) != 0:
			w = hereWorth
			if p.opens(i) {
				w = asideWorth
			}
		case p.under[i]&cueCaption != 0:
			w = -1
		case p.prose[i]:
			w = own + 0.7*b.LinkUnits
			if b.Units < 60 && p.ends(i) {
				w = -5
			}
			if w > 0 && p.stated && i < p.title {
				w *= 0.3
			}
		case b.LinkDensity() > 0.5 && b.Stops == 0:
			w = -2 - b.LinkUnits
		case b.Control:
			w = -2
		case p.ends(i):
			w = -8
		case b.Tag == atom.H2 || b.Tag == atom.H3 || b.Strong:
			w = 0
		case b.Tag == atom.P || b.Tag == atom.Li || b.Tag == atom.Td:
			w = -1
		default:
			w = -2
		}
		p.worth[i] = w
		p.sum[i+1] = p.sum[i] + w
	}
}

// choose takes the run of blocks with the greatest sum of worth and prunes it.
func (p *page) choose() Candidate {
	p.stop = len(p.worth)
	first, end, sum := p.bestRun(0, len(p.worth))
	if sum <= 0 {
		return p.fallback()
	}
	if at := p.listed(end); at > 0 {
		// The best run is a list of others, or ends in one; the article stands
		// before it.
		if f, e, s := p.bestRun(p.title+1, at); s > 0 {
			first, end, sum, p.stop = f, e, s, at
		}
	}
	if e := p.oneArticle(first, end); e < end {
		end, p.stop = e, e
	}
	first, end = p.confirmedRun(first, end)
	first = p.skipDeck(first, end)
	return Candidate{Kinds: []Kind{KindRun}, flow: -1, First: first, End: end, Element: -1, Score: sum, Blocks: p.prune(first, end)}
}

// listed returns the heading between the title and the end of a run that
// announces other articles and in whose section the run ends, where something is
// said before it; 0 if there is none.
func (p *page) listed(end int) int {
	d := p.doc
	if p.title < 0 {
		return 0
	}
	for i := p.title + 1; i < end; i++ {
		if b := &d.Blocks[i]; b.Units > 12 || p.good[i]-p.good[p.title+1] < 12 || !listHead.MatchString(b.Text) {
			continue
		}
		if e := d.Blocks[i].Element; e >= 0 && d.Elements[e].Parent >= 0 {
			if s := &d.Elements[d.Elements[e].Parent]; s.First == i && s.End >= end {
				return i
			}
		}
	}
	return 0
}

// bestRun returns the run of blocks between from and to whose worth adds up to
// most.
func (p *page) bestRun(from, to int) (first, end int, best float64) {
	start, low := from, p.sum[from]
	for i := from; i < to; i++ {
		if p.sum[i] < low {
			start, low = i, p.sum[i]
		}
		if s := p.sum[i+1] - low; s > best {
			first, end, best = start, i+1, s
		}
	}
	return first, end, best
}

// confirmedRun trims a run to what the structured data's text confirms, if that
// confirms most of it: it may be cut short, but begins and ends with the
// article.
func (p *page) confirmedRun(first, end int) (int, int) {
	text := fold(p.hints.Body)
	if len(text) < 300 {
		return first, end
	}
	lo, hi, units := -1, -1, 0.0
	for i := first; i < end; i++ {
		if !p.prose[i] {
			continue
		}
		if f := fold(p.doc.Blocks[i].Text); len(f) > 20 && strings.Contains(text, f) {
			if lo < 0 {
				lo = i
			}
			hi = i
			units += p.doc.Blocks[i].Units
		}
	}
	if units < 0.7*(p.good[end]-p.good[first]) {
		return first, end
	}
	return lo, hi + 1
}

// skipDeck leaves out the line under the title that stands outside the text's
// own element and says again what the page's description says.
func (p *page) skipDeck(first, end int) int {
	for i := first; i < min(end, first+3); i++ {
		if !p.prose[i] {
			continue
		}
		next := i + 1
		for next < end && !p.prose[next] {
			next++
		}
		if next < end && !p.beside(i, next) && p.good[end]-p.good[next] > 150 && p.doc.Blocks[i].Units < 100 && p.hints.Summary != "" && strings.HasPrefix(fold(p.hints.Summary), fold(p.doc.Blocks[i].Text)) {
			return next
		}
		return first
	}
	return first
}

// oneArticle cuts a run of several articles after the first: where a heading
// stands that looks like the title's, where linked headings follow each other,
// or where a second block is nothing but a date under a short line.
func (p *page) oneArticle(first, end int) int {
	d := p.doc
	end = p.cutTeasers(first, end)
	dates, seen := 0, 0.0
	sign := ""
	if p.title >= 0 && p.title < end {
		sign = p.signature(p.title)
	}
	for i := max(0, first-3); i < first; i++ {
		if onlyDate.MatchString(d.Blocks[i].Text) {
			dates = 1
		}
	}
	for i := first; i < end; i++ {
		b := &d.Blocks[i]
		if sign != "" && i > p.title && seen > 120 && b.Tag == atom.H1 && d.Blocks[p.title].Tag == atom.H1 && p.signature(i) == sign && b.Text != d.Blocks[p.title].Text {
			return i
		}
		if len(b.Text) < 26 && onlyDate.MatchString(b.Text) {
			if dates++; dates > 1 && seen > 20 && i > first {
				return i - 1
			}
		}
		if p.prose[i] {
			seen += b.Units
		}
	}
	return end
}

// cutTeasers drops a list of other articles at the end of a run: three or more
// linked headings, each with at most two paragraphs.
func (p *page) cutTeasers(first, end int) int {
	cut, n, prose := end, 0, 0
	for i := end - 1; i > first; i-- {
		switch {
		case p.teaser(i):
			cut, prose = i, 0
			n++
		case p.prose[i]:
			if prose++; prose > 2 {
				i = first
			}
		}
	}
	if n < 3 || p.good[cut]-p.good[first] < 120 {
		return end
	}
	return cut
}

// teaser reports whether block i is the linked heading of another article in a
// list.
func (p *page) teaser(i int) bool {
	b := &p.doc.Blocks[i]
	switch b.Tag {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
	default:
		return false
	}
	return b.Units >= 8 && b.LinkDensity() > 0.9
}

// signature is what headings of one kind share: tag and class.
func (p *page) signature(i int) string {
	n := p.doc.Elements[p.doc.Blocks[i].Element].Node
	return n.Data + "." + dom.Attr(n, "class")
}

var onlyDate = pattern.MustCompile(`^[^\pL\pN]*(?:19|20)\d\d\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2}日?(?:\s+\d{1,2}:\d{2}(?::\d{2})?)?[^\pL\pN]*$`)

// fallback serves pages without a sentence: the block after the title, else the
// longest one.
func (p *page) fallback() Candidate {
	d := p.doc
	best := -1
	for i := range d.Blocks {
		b := &d.Blocks[i]
		if p.hidden(i) || i == p.title || p.under[i]&(cueAside|cueChrome|cueConsent) != 0 || b.LinkDensity() > 0.5 {
			continue
		}
		if best < 0 || b.Units > d.Blocks[best].Units {
			best = i
		}
	}
	if best < 0 {
		return Candidate{Kinds: []Kind{KindRun}, flow: -1, Element: -1}
	}
	return Candidate{Kinds: []Kind{KindRun}, flow: -1, First: best, End: best + 1, Element: -1, Blocks: []int{best}}
}
