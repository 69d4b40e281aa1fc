package boilerplate

import (
	"golang.org/x/net/html/atom"

	"xinwen/extractor/dom"
)

// prune returns the blocks of the chosen element that belong to the article.
func (p *page) prune(element int) []int {
	d := p.doc
	e := &d.Elements[element]
	keep := make([]bool, len(d.Blocks))
	for i := e.First; i < e.End; i++ {
		keep[i] = p.keeps(i)
	}
	p.cutSections(element, keep)
	p.trim(e.First, e.End, keep)
	var out []int
	for i := e.First; i < e.End; i++ {
		if keep[i] {
			out = append(out, i)
		}
	}
	return out
}

// keeps decides on one block by itself.
func (p *page) keeps(i int) bool {
	b := &p.doc.Blocks[i]
	switch {
	case b.Hidden && p.under[i]&cueKnown == 0, b.Control:
		return false
	case p.under[i]&(cueAside|cueChrome) != 0:
		return false
	case i == p.title:
		return false
	case strayLine.MatchString(b.Text):
		return false
	case p.prose[i]:
		return true
	case b.LinkDensity() > 0.5:
		return false
	case ender.MatchString(b.Text):
		return false
	}
	return true
}

// cutSections drops what follows a heading such as 相关阅读: to the end of the
// element it heads, as long as that is not prose.
func (p *page) cutSections(element int, keep []bool) {
	d := p.doc
	top := &d.Elements[element]
	for i := top.First; i < top.End; i++ {
		b := &d.Blocks[i]
		if b.Units > 30 || !ender.MatchString(b.Text) {
			continue
		}
		// The section is the largest element that begins with this block.
		x := b.Element
		for x >= 0 && x != element && d.Elements[d.Elements[x].Parent].First == i && d.Elements[x].Parent != element {
			x = d.Elements[x].Parent
		}
		end := top.End
		if x >= 0 {
			end = min(d.Elements[x].End, top.End)
			if par := d.Elements[x].Parent; par >= 0 {
				end = min(d.Elements[par].End, top.End)
			}
		}
		rest := p.good[end] - p.good[i]
		all := p.good[top.End] - p.good[top.First]
		for j := i; j < end; j++ {
			if p.prose[j] && rest > 0.3*all {
				break
			}
			keep[j] = false
		}
	}
}

// trim drops fragments before the first and after the last sentence.
func (p *page) trim(first, end int, keep []bool) {
	d := p.doc
	lo, hi := -1, -1
	for i := first; i < end; i++ {
		if keep[i] && p.prose[i] {
			if lo < 0 {
				lo = i
			}
			hi = i
		}
	}
	if lo < 0 {
		return
	}
	for i := first; i < lo; i++ {
		keep[i] = keep[i] && heads(&d.Blocks[i]) && i > p.title
	}
	for i := hi + 1; i < end; i++ {
		keep[i] = false
	}
}

func heads(b *dom.Block) bool {
	switch b.Tag {
	case atom.H2, atom.H3, atom.H4:
		return true
	}
	return false
}
