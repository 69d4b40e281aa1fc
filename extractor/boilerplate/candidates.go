package boilerplate

import (
	"slices"
	"sort"
	"strings"

	"xinwen/extractor/template"
)

// Kind says how a candidate was found.
type Kind string

// The kinds of candidates.
const (
	KindRun        Kind = "run"        // the run of blocks with the greatest worth
	KindTemplate   Kind = "template"   // an element that the table of templates names
	KindItemprop   Kind = "itemprop"   // itemprop=articleBody
	KindStructured Kind = "structured" // what the structured data's articleBody says too
	KindFlow       Kind = "flow"       // an element with many paragraphs as children
	KindSiblings   Kind = "siblings"   // that element and those beside it that read alike
	KindWhole      Kind = "whole"      // such an element with all that is not named or shaped as something else
	KindJudged     Kind = "judged"     // the blocks that the model takes for the article's
)

// Candidate is one answer to where the article is.
type Candidate struct {
	// Kinds say how it was found: several ways may lead to the same blocks.
	Kinds []Kind
	// First and End are the range of blocks, Blocks those that remain after
	// pruning.
	First, End int
	Blocks     []int
	// Element is the element, -1 if it is none.
	Element int
	// Score is what the ranker expects: the F1 against the article.
	Score float64

	flow int // the element of KindFlow
}

func (c *Candidate) is(k Kind) bool { return slices.Contains(c.Kinds, k) }

// candidates returns the answers that the rules give; the first is the run.
func (p *page) candidates(run Candidate) []Candidate {
	cs := []Candidate{run}
	add := func(c Candidate) {
		c.Blocks = slices.DeleteFunc(c.Blocks, func(i int) bool { return i >= p.stop || p.ahead(i) || onlyDate.MatchString(p.doc.Blocks[i].Text) })
		if len(c.Blocks) == 0 {
			return
		}
		k := c.Kinds[0]
		for i := range cs {
			if slices.Equal(cs[i].Blocks, c.Blocks) {
				if !cs[i].is(k) {
					cs[i].Kinds = append(cs[i].Kinds, k)
				}
				if k == KindTemplate || cs[i].Element < 0 {
					cs[i].Element = c.Element
				}
				if k == KindFlow && cs[i].flow < 0 {
					cs[i].flow = c.flow
				}
				return
			}
		}
		cs = append(cs, c)
	}
	element := func(k Kind, e int) {
		x := &p.doc.Elements[e]
		c := Candidate{Kinds: []Kind{k}, First: x.First, End: x.End, Element: e, Blocks: p.prune(x.First, x.End), flow: -1}
		if k == KindFlow {
			c.flow = e
		}
		add(c)
	}
	for _, found := range []map[template.Part][]int{p.found.Site, p.found.General} {
		if e := p.fullest(found[template.Body]); e >= 0 {
			element(KindTemplate, e)
			break
		}
	}
	if e := p.fullest(p.itemprops); e >= 0 {
		element(KindItemprop, e)
	}
	if p.confirmed != nil {
		c := Candidate{Kinds: []Kind{KindStructured}, Element: -1, flow: -1}
		for i, ok := range p.confirmed {
			if ok {
				c.Blocks = append(c.Blocks, i)
			}
		}
		if n := len(c.Blocks); n > 0 {
			c.First, c.End = c.Blocks[0], c.Blocks[n-1]+1
			add(c)
		}
	}
	flows := p.flows(3)
	if whole := append(slices.Clone(p.found.Site[template.Body]), p.found.General[template.Body]...); len(whole)+len(p.itemprops) > 0 || len(flows) > 0 {
		e := p.fullest(whole)
		if e < 0 {
			e = p.fullest(p.itemprops)
		}
		if e < 0 {
			e = flows[0]
		}
		x := &p.doc.Elements[e]
		add(Candidate{Kinds: []Kind{KindWhole}, First: x.First, End: x.End, Element: e, Blocks: p.whole(x.First, x.End), flow: -1})
	}
	for _, e := range flows {
		element(KindFlow, e)
	}
	if len(flows) > 0 {
		if first, end := p.siblings(flows[0]); first < p.doc.Elements[flows[0]].First || end > p.doc.Elements[flows[0]].End {
			add(Candidate{Kinds: []Kind{KindSiblings}, First: first, End: end, Element: -1, Blocks: p.prune(first, end), flow: -1})
		}
	}
	return cs
}

// fullest returns the element with most prose, the innermost of equals, -1 if
// there is none.
func (p *page) fullest(elements []int) int {
	best, most := -1, -1.0
	for _, e := range elements {
		x := &p.doc.Elements[e]
		if x.First == x.End {
			continue
		}
		if g := p.good[x.End] - p.good[x.First]; g > 1.02*most || g >= 0.98*most && best >= 0 && x.First >= p.doc.Elements[best].First && x.End <= p.doc.Elements[best].End {
			best, most = e, max(most, g)
		}
	}
	return best
}

// flows returns the n elements whose children and grandchildren hold most
// prose.
func (p *page) flows(n int) []int {
	d := p.doc
	weight := make(map[int]float64)
	for i := range d.Blocks {
		if !p.prose[i] || p.hidden(i) || p.under[i]&cueConsent != 0 {
			continue
		}
		e, share := d.Blocks[i].Element, d.Blocks[i].Units
		if p.under[i]&(cueAside|cueChrome) != 0 {
			share *= 0.2
		}
		for range 3 {
			if e < 0 {
				break
			}
			weight[e] += share
			share *= 0.6
			e = d.Elements[e].Parent
		}
	}
	list := make([]int, 0, len(weight))
	for e := range weight {
		list = append(list, e)
	}
	sort.Slice(list, func(i, j int) bool {
		if a, b := weight[list[i]], weight[list[j]]; a != b {
			return a > b
		}
		return list[i] < list[j]
	})
	return list[:min(n, len(list))]
}

// siblings widens an element to those beside it that hold prose and few links.
func (p *page) siblings(e int) (first, end int) {
	d := p.doc
	x := &d.Elements[e]
	first, end = x.First, x.End
	if x.Parent < 0 {
		return first, end
	}
	up := &d.Elements[x.Parent]
	like := func(from, to int) bool {
		all := p.units[to] - p.units[from]
		return all > 0 && p.good[to]-p.good[from] > 0.6*all && p.linked[to]-p.linked[from] < 0.3*all
	}
	for i := range d.Elements {
		s := &d.Elements[i]
		if s.Parent != x.Parent || s.First == s.End || s.First < up.First || s.End > up.End {
			continue
		}
		if like(s.First, s.End) {
			first, end = min(first, s.First), max(end, s.End)
		}
	}
	return first, end
}

// whole returns the blocks of a range that by themselves may belong to an
// article: tables and lists of names included, however few their sentences.
func (p *page) whole(first, end int) []int {
	keep := make([]bool, len(p.doc.Blocks))
	for i := first; i < end; i++ {
		keep[i] = p.keeps(i)
	}
	p.cutSections(first, end, keep)
	var out []int
	for i, k := range keep {
		if k {
			out = append(out, i)
		}
	}
	return out
}

// confirm marks the blocks that the structured data's text has too. It leaves
// p.confirmed nil where there is no such text, or hardly any of it on the page.
func (p *page) confirm() {
	text := fold(p.hints.Body)
	if len(text) < 120 {
		return
	}
	found := make([]bool, len(p.doc.Blocks))
	units := 0.0
	for i := range p.doc.Blocks {
		b := &p.doc.Blocks[i]
		if b.Units < 3 {
			continue
		}
		if f := fold(b.Text); len(f) > 8 && strings.Contains(text, f) {
			found[i] = true
			units += float64(len(f))
		}
	}
	if units > 0.3*float64(len(text)) {
		p.confirmed = found
	}
}

// overlap returns the F1 of two sets of blocks by their units.
func (p *page) overlap(a, b []int) float64 {
	var ua, ub, both float64
	for _, i := range a {
		ua += p.doc.Blocks[i].Units
		if _, ok := slices.BinarySearch(b, i); ok {
			both += p.doc.Blocks[i].Units
		}
	}
	for _, i := range b {
		ub += p.doc.Blocks[i].Units
	}
	if ua+ub == 0 {
		return 0
	}
	return 2 * both / (ua + ub)
}
