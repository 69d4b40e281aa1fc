package boilerplate

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html/atom"

	"xinwen/extractor/dom"
	"xinwen/extractor/pattern"
)

// blockFeatures are the columns of a block's row, in the order that row fills
// them.
var blockFeatures = strings.Fields(`
	units own_units link_density punct_density stops prose links
	tag_p tag_li tag_cell tag_heading tag_quote tag_other strong hidden
	under_article under_known under_chrome under_aside under_caption under_consent
	ender stray disclaimer captioned repeated
	ends_stop ends_colon starts_lower starts_mark digits uppercase han
	depth title_gap after_title position good_before good_after
	prev_prose next_prose prev_link next_link prev_units next_units window
	same_parent same_signature parent_links parent_share
	in_run kept_run before_run after_run in_template has_template in_flow in_structured summary
	page_good page_blocks only_child heading_next run_units after_share alone
	under_deck under_card appeals year title_prose beside_prev beside_next prev_same next_same same_class words`)

// secondFeatures are the columns that Again adds: what a first judgement says of
// the block and of those around it.
var secondFeatures = strings.Fields(`first first_prev first_next first_prev2 first_next2 first_window first_before first_after
	first_parent first_signature first_page first_rank`)

// BlockFeatures returns the names of the columns of Examination.Rows.
func BlockFeatures() []string { return slices.Clone(blockFeatures) }

// SecondFeatures returns the names of the columns of the rows that Again
// returns.
func SecondFeatures() []string { return append(BlockFeatures(), secondFeatures...) }

// Again returns the rows of blocks for a second judgement, given the first.
func (x *Examination) Again(first []float64) [][]float32 {
	p := x.page
	d := p.doc
	n := len(d.Blocks)
	mass := make([]float64, n+1) // prefix sums of probable units
	type mean struct{ p, u float64 }
	parents, signs := make(map[int]mean), make(map[string]mean)
	for i, q := range first {
		u := d.Blocks[i].Units
		mass[i+1] = mass[i] + q*u
		m := parents[x.context.parents[i]]
		parents[x.context.parents[i]] = mean{m.p + q*u, m.u + u}
		m = signs[x.context.signs[i]]
		signs[x.context.signs[i]] = mean{m.p + q*u, m.u + u}
	}
	at := func(i int) float32 {
		if i < 0 || i >= n {
			return -1
		}
		return float32(first[i])
	}
	share := func(m mean, i int) float32 {
		u := d.Blocks[i].Units // the others
		if m.u-u < 1 {
			return -1
		}
		return float32((m.p - first[i]*u) / (m.u - u))
	}
	width := len(blockFeatures) + len(secondFeatures)
	judged := 0
	for _, r := range x.Rows {
		if r != nil {
			judged++
		}
	}
	all := make([]float32, 0, judged*width)
	rows := make([][]float32, n)
	total := max(mass[n], 1)
	for i := range rows {
		if x.Rows[i] == nil {
			continue
		}
		lo, hi := max(0, i-4), min(n, i+5)
		start := len(all)
		all = append(all, x.Rows[i]...)
		all = append(all, at(i), at(i-1), at(i+1), at(i-2), at(i+2),
			float32((mass[hi]-mass[lo])/max(1, p.units[hi]-p.units[lo])), float32(mass[i]/total), float32((mass[n]-mass[i+1])/total),
			share(parents[x.context.parents[i]], i), share(signs[x.context.signs[i]], i), float32(mass[n]/max(1, p.units[n])), logp(mass[n]))
		rows[i] = all[start:len(all):len(all)]
	}
	return rows
}

// blockContext is what the rows of all blocks of a page need.
type blockContext struct {
	parentGood map[int]float64    // prose by parent element
	signGood   map[string]float64 // prose by signature
	signCount  map[string]int     // blocks by signature
	signs      []string           // by block
	parents    []int              // by block
	depth      []int              // by element
	run        []bool             // in the range of the run
	kept       []bool             // kept by the rules
	lo, hi     int                // first and last kept block, -1 without
	template   []bool             // inside the element that a template names
	flow       []bool             // inside the element with most paragraphs
	structured []bool             // said by the structured data too
	repeated   []bool
	hasTmpl    bool
	summary    string
	han        float64
	runGood    float64
}

const (
	// margin is how many blocks before and after all candidates are judged too.
	margin = 25
	// maxJudged is how many blocks of a page are judged at most; no article has
	// so many.
	maxJudged = 6000
)

// rows returns the features of the blocks that may be the article's: those of
// candidates and around. The others have none.
func (p *page) rows(c *blockContext, cs []Candidate) [][]float32 {
	rows := make([][]float32, len(p.doc.Blocks))
	lo, hi := len(rows), 0
	for k := range cs {
		if b := cs[k].Blocks; len(b) > 0 {
			lo, hi = min(lo, b[0]), max(hi, b[len(b)-1]+1)
		}
	}
	lo, hi = max(0, lo-margin), min(len(rows), hi+margin)
	hi = min(hi, lo+maxJudged)
	if lo >= hi {
		return rows
	}
	all := make([]float32, 0, (hi-lo)*len(blockFeatures))
	for i := lo; i < hi; i++ {
		if p.doc.Blocks[i].Units == 0 || p.hidden(i) {
			continue
		}
		n := len(all)
		all = p.row(c, i, all)
		rows[i] = all[n:len(all):len(all)]
	}
	return rows
}

func (p *page) context(cs []Candidate) *blockContext {
	d := p.doc
	n := len(d.Blocks)
	c := &blockContext{
		parentGood: make(map[int]float64), signGood: make(map[string]float64), signCount: make(map[string]int), signs: make([]string, n), parents: make([]int, n),
		depth: make([]int, len(d.Elements)), run: make([]bool, n), kept: make([]bool, n), lo: -1, hi: -1,
		template: make([]bool, n), flow: make([]bool, n), structured: p.confirmed, repeated: make([]bool, n),
		summary: fold(p.hints.Summary),
	}
	for i := range d.Elements {
		if q := d.Elements[i].Parent; q >= 0 {
			c.depth[i] = c.depth[q] + 1
		}
	}
	signOf := make(map[int]string)
	seen := make(map[string]bool)
	hanUnits := 0.0
	for i := range d.Blocks {
		b := &d.Blocks[i]
		e := b.Element
		c.parents[i] = -1
		if e >= 0 {
			c.parents[i] = d.Elements[e].Parent
			s, ok := signOf[e]
			if !ok {
				s = nameOf(d, e)
				if q := d.Elements[e].Parent; q >= 0 {
					s += "<" + nameOf(d, q)
				}
				signOf[e] = s
			}
			c.signs[i] = s
			c.signCount[s]++
		}
		if b.Units > 12 {
			c.repeated[i] = seen[b.Text]
			seen[b.Text] = true
		}
		if p.prose[i] && !p.hidden(i) {
			c.parentGood[c.parents[i]] += b.Units
			c.signGood[c.signs[i]] += b.Units
			if r, _ := utf8.DecodeRuneInString(b.Text); unicode.Is(unicode.Han, r) {
				hanUnits += b.Units
			}
		}
	}
	if g := p.good[n]; g > 0 {
		c.han = hanUnits / g
	}
	flowSeen := false
	for k := range cs {
		x := &cs[k]
		if k == 0 {
			for i := x.First; i < x.End; i++ {
				c.run[i] = true
			}
			for _, i := range x.Blocks {
				c.kept[i] = true
				c.runGood += d.Blocks[i].Units
			}
			if m := len(x.Blocks); m > 0 {
				c.lo, c.hi = x.Blocks[0], x.Blocks[m-1]
			}
		}
		if x.is(KindTemplate) && !c.hasTmpl {
			c.hasTmpl = true
			e := &d.Elements[x.Element]
			for i := e.First; i < e.End; i++ {
				c.template[i] = true
			}
		}
		if x.is(KindFlow) && !flowSeen {
			flowSeen = true
			e := &d.Elements[x.flow]
			for i := e.First; i < e.End; i++ {
				c.flow[i] = true
			}
		}
	}
	return c
}

func nameOf(d *dom.Document, e int) string {
	n := d.Elements[e].Node
	return n.Data + "." + dom.Attr(n, "class")
}

func flag(b bool) float32 {
	if b {
		return 1
	}
	return 0
}

func logp(x float64) float32 { return float32(math.Log1p(max(x, 0))) }

// row appends the features of block i.
func (p *page) row(c *blockContext, i int, row []float32) []float32 {
	d := p.doc
	n := len(d.Blocks)
	b := &d.Blocks[i]
	own := b.Units - b.LinkUnits
	total := max(p.good[n], 1)
	u := p.under[i]
	var lower, mark, digits, upper, letters float64
	for k, r := range b.Text {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsUpper(r):
			upper++
			letters++
		case unicode.IsLetter(r):
			letters++
		}
		if k == 0 {
			if unicode.IsLower(r) {
				lower = 1
			}
			if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
				mark = 1
			}
		}
		if k > 200 {
			break
		}
	}
	last, _ := utf8.DecodeLastRuneInString(strings.TrimRight(b.Text, "”\"’'）)」』"))
	row = append(row,
		logp(b.Units), logp(own), float32(b.LinkDensity()), float32(float64(b.Punct)/(b.Units+1)), float32(min(b.Stops, 10)), flag(p.prose[i]), float32(min(len(b.Links), 20)),
		flag(b.Tag == atom.P), flag(b.Tag == atom.Li), flag(b.Tag == atom.Td || b.Tag == atom.Th), flag(isHead(b.Tag)), flag(b.Tag == atom.Blockquote || b.Tag == atom.Pre),
		flag(b.Tag == atom.Div || b.Tag == atom.Section), flag(b.Strong), flag(b.Hidden),
		flag(u&cueArticle != 0), flag(u&cueKnown != 0), flag(u&cueChrome != 0), flag(u&cueAside != 0), flag(u&cueCaption != 0), flag(u&cueConsent != 0),
		flag(b.Units < 120 && p.ends(i)), flag(b.Units < 120 && p.strays(i)), flag(p.disclaims(i)), flag(captioned(b.Text)), flag(c.repeated[i]),
		flag(strings.ContainsRune(".。!！?？…", last)), flag(last == ':' || last == '：'), float32(lower), float32(mark),
		float32(digits/(letters+digits+1)), float32(upper/(letters+1)), float32(c.han),
	)
	depth, only := 0.0, false
	if e := b.Element; e >= 0 {
		depth = float64(c.depth[e])
		only = d.Elements[e].End-d.Elements[e].First == 1
	}
	gap := 0.0
	if p.title >= 0 {
		gap = float64(i - p.title)
	}
	row = append(row, float32(depth), float32(math.Copysign(math.Log1p(math.Abs(gap)), gap)), flag(p.title >= 0 && i > p.title), float32(i)/float32(n),
		float32(p.good[i]/total), float32((total-p.good[i+1])/total))
	side := func(j int) (prose, link, units float32) {
		if j < 0 || j >= n {
			return -1, -1, -1
		}
		return flag(p.prose[j]), float32(d.Blocks[j].LinkDensity()), logp(d.Blocks[j].Units)
	}
	pp, pl, pu := side(i - 1)
	np, nl, nu := side(i + 1)
	window := p.good[min(n, i+4)] - p.good[max(0, i-3)]
	row = append(row, pp, np, pl, nl, pu, nu, logp(window))
	parentLinks, parentShare := 0.0, 0.0
	if q := c.parents[i]; q >= 0 {
		e := &d.Elements[q]
		all := p.units[e.End] - p.units[e.First]
		if all > 0 {
			parentLinks = (p.linked[e.End] - p.linked[e.First]) / all
			parentShare = (p.good[e.End] - p.good[e.First]) / all
		}
	}
	row = append(row, float32(c.parentGood[c.parents[i]]/total), float32(c.signGood[c.signs[i]]/total), float32(parentLinks), float32(parentShare))
	before, after := -1.0, -1.0
	if c.lo >= 0 {
		before, after = float64(c.lo-i), float64(i-c.hi)
	}
	structured := float32(-1)
	if c.structured != nil {
		structured = flag(c.structured[i])
	}
	summary := float32(0)
	if c.summary != "" && b.Units > 8 && b.Units < 200 {
		if f := fold(b.Text); len(f) > 12 {
			switch {
			case f == c.summary:
				summary = 3
			case strings.HasPrefix(c.summary, f):
				summary = 2
			case strings.HasPrefix(f, c.summary):
				summary = 1
			}
		}
	}
	row = append(row, flag(c.run[i]), flag(c.kept[i]), float32(math.Log1p(max(before, 0))), float32(math.Log1p(max(after, 0))),
		flag(c.template[i]), flag(c.hasTmpl), flag(c.flow[i]), structured, summary,
		logp(p.good[n]), logp(float64(n)), flag(only), flag(i+1 < n && isHead(d.Blocks[i+1].Tag)), logp(c.runGood))
	afterShare := 0.0
	if c.hi >= 0 && p.good[n] > 0 {
		afterShare = (p.good[n] - p.good[min(c.hi+1, n)]) / p.good[n]
	}
	appeals := 0
	if b.Units < 150 {
		appeals = countAppeals(b.Text)
	}
	year := strings.Contains(b.Text, "20") && reYear.MatchString(b.Text)
	titleProse := 0.0
	if p.title >= 0 {
		titleProse = p.good[i] - p.good[p.title]
	}
	same := func(j int) float32 { return flag(j >= 0 && j < n && c.signs[j] == c.signs[i]) }
	return append(row, float32(afterShare), flag(p.aloneIn(i)), flag(u&cueDeck != 0), flag(u&cueCard != 0), float32(appeals), flag(year && b.Units < 60),
		float32(math.Copysign(math.Log1p(math.Abs(titleProse)), titleProse)), flag(i > 0 && p.prose[i-1] && p.beside(i-1, i)), flag(i+1 < n && p.prose[i+1] && p.beside(i, i+1)),
		same(i-1), same(i+1), float32(min(c.signCount[c.signs[i]], 50)), float32(min(40, strings.Count(b.Text, " "))))
}

var reYear = pattern.MustCompile(`\b(?:19|20)\d\d\b|20\d\d年`)

// aloneIn reports whether block i is the only prose of its parent.
func (p *page) aloneIn(i int) bool {
	e := p.doc.Blocks[i].Element
	if e < 0 || p.doc.Elements[e].Parent < 0 {
		return false
	}
	q := &p.doc.Elements[p.doc.Elements[e].Parent]
	return p.prose[i] && p.good[q.End]-p.good[q.First] <= p.doc.Blocks[i].Units
}

func isHead(a atom.Atom) bool {
	switch a {
	case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		return true
	}
	return false
}
