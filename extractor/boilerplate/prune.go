package boilerplate

import (
	"slices"

	"golang.org/x/net/html/atom"

	"xinwen/extractor/dom"
)

// prune returns the blocks of a run that belong to the article.
func (p *page) prune(first, end int) []int {
	keep := make([]bool, len(p.doc.Blocks))
	for i := first; i < end; i++ {
		keep[i] = p.keeps(i)
	}
	p.cutSections(first, end, keep)
	p.trim(first, end, keep)
	p.dropRepeats(first, end, keep)
	var out []int
	for i := range keep {
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
	case p.hidden(i), b.Control:
		return false
	case p.under[i]&(cueAside|cueChrome|cueConsent|cueCaption) != 0:
		return false
	case i == p.title:
		return false
	case b.Units < 120 && p.strays(i):
		return false
	case p.prose[i] && b.Units < 250 && p.disclaims(i):
		return false
	case p.prose[i]:
		return true
	case b.LinkDensity() > 0.5 && b.Stops == 0:
		return false
	case p.ends(i):
		return false
	}
	return true
}

// never reports whether block i is certainly not the article's, whatever the
// model says: what the page hides, its title, notices, lines of its frame.
func (p *page) never(i int) bool {
	b := &p.doc.Blocks[i]
	switch {
	case p.hidden(i), b.Control, p.under[i]&cueConsent != 0:
		return true
	case i == p.title, p.title >= 0 && b.Units < 120 && b.Text == p.doc.Blocks[p.title].Text:
		return true
	case b.Units < 120 && p.strays(i), b.Units < 250 && p.disclaims(i):
		return true
	case b.Units < 60 && (!p.prose[i] || b.LinkDensity() > 0.3) && p.ends(i), onlyDate.MatchString(b.Text):
		return true
	case p.under[i]&(cueAside|cueChrome) != 0 && (i < p.start || i >= p.last):
		return true
	case i < p.start && b.LinkDensity() > 0.5 && b.Stops == 0, p.ahead(i):
		return true
	}
	return false
}

// ahead reports whether block i stands before the title, where the rules see
// nothing of the article.
func (p *page) ahead(i int) bool { return i < p.title && p.stated && i < p.start }

// cutSections drops what follows a heading such as 相关阅读: to the end of the
// element it heads, as long as that is not prose.
func (p *page) cutSections(from, to int, keep []bool) {
	d := p.doc
	last := -1 // the last sentence that is kept
	for i := from; i < to; i++ {
		b := &d.Blocks[i]
		if p.prose[i] && keep[i] {
			last = i
		}
		if b.Units > 30 || !p.ends(i) {
			continue
		}
		// The section is the largest element that begins with this block.
		x := b.Element
		for x >= 0 && d.Elements[x].Parent >= 0 && d.Elements[d.Elements[x].Parent].First == i {
			x = d.Elements[x].Parent
		}
		end := to
		if x >= 0 && d.Elements[x].Parent >= 0 {
			end = min(d.Elements[d.Elements[x].Parent].End, to)
		}
		rest, all := p.good[end]-p.good[i+1], p.good[to]-p.good[from]
		for j := i; j < end; j++ {
			// The article goes on where a paragraph stands beside an earlier one.
			if p.prose[j] && j > i && (last >= 0 && p.beside(last, j) || rest > 0.3*all && !(last >= 0 && listHead.MatchString(b.Text))) {
				break
			}
			keep[j] = false
		}
	}
}

// linkedAnyway is how likely a sentence with links must be the article's to be
// kept where the rules keep it too.
const linkedAnyway = 0.1

// withLinked returns the blocks of a candidate with the sentences with links
// inside it that it left out although the rules keep them.
func (p *page) withLinked(blocks []int, probability []float64) []int {
	if len(blocks) == 0 {
		return blocks
	}
	first, last := blocks[0], blocks[len(blocks)-1]
	var more []int
	for i := first + 1; i < last; i++ {
		b := &p.doc.Blocks[i]
		if len(b.Links) > 0 && b.Stops > 0 && p.prose[i] && probability[i] > linkedAnyway && p.keeps(i) && !p.never(i) {
			more = append(more, i)
		}
	}
	if len(more) == 0 {
		return blocks
	}
	out := append(more, blocks...)
	slices.Sort(out)
	return slices.Compact(out)
}

// cutTail drops what follows the last sentence if it leads away from the page:
// lines that are links alone, and the short line that announces them.
func (p *page) cutTail(from, to int, keep []bool) {
	last := -1
	for i := from; i < to; i++ {
		if keep[i] && p.prose[i] {
			last = i
		}
	}
	if last < 0 {
		return
	}
	links := false
	for i := to - 1; i > last; i-- {
		b := &p.doc.Blocks[i]
		switch {
		case !keep[i]:
		case b.LinkDensity() > 0.9:
			keep[i], links = false, true
		case links && b.LinkUnits == 0 && b.Stops == 0 && b.Units < 12:
			keep[i] = false
			return
		default:
			return
		}
	}
}

// beside reports whether two blocks are children of one element, as the
// paragraphs of an article are.
func (p *page) beside(i, j int) bool {
	d := p.doc
	a, b := d.Blocks[i].Element, d.Blocks[j].Element
	if a < 0 || b < 0 {
		return false
	}
	return a == b || d.Elements[a].Parent == d.Elements[b].Parent
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
	// Lines before the first sentence belong to it in a known container.
	for i := lo - 1; i > p.title && i > lo-12 && p.under[i]&cueKnown != 0; i-- {
		if !p.beside(lo, i) || !p.keeps(i) || d.Blocks[i].LinkUnits > 0 || onlyDate.MatchString(d.Blocks[i].Text) {
			break
		}
		keep[i] = true
	}
	// Lines after the last sentence belong to it if they stand in the same
	// element, as the entries of a list do.
	for i := hi + 1; i < end; i++ {
		keep[i] = false
	}
	for i := hi + 1; i < len(keep); i++ {
		if !p.sameFlow(hi, i) || !p.keeps(i) || d.Blocks[i].LinkUnits > 0.3*d.Blocks[i].Units {
			break
		}
		keep[i] = true
	}
}

// sameFlow reports whether block i is the next paragraph after block j: of the
// same kind and with the same parent, or a list right after it.
func (p *page) sameFlow(j, i int) bool {
	d := p.doc
	a, b := d.Blocks[j].Element, d.Blocks[i].Element
	if a < 0 || b < 0 {
		return false
	}
	if a == b {
		return true // lines of one element
	}
	x, y := &d.Elements[a], &d.Elements[b]
	if x.Parent == y.Parent && x.Node.DataAtom == y.Node.DataAtom {
		return x.Node.DataAtom != atom.Div && x.Node.DataAtom != atom.Td
	}
	return y.Node.DataAtom == atom.Li && y.Parent >= 0 && d.Elements[y.Parent].Parent == x.Parent
}

// dropRepeats drops a block that says again what an earlier one said, such as
// the caption of a picture that is shown in two sizes.
func (p *page) dropRepeats(first, end int, keep []bool) {
	seen := make(map[string]bool)
	for i := first; i < end; i++ {
		if b := &p.doc.Blocks[i]; keep[i] && b.Units > 12 {
			if seen[b.Text] {
				keep[i] = false
			}
			seen[b.Text] = true
		}
	}
}

func heads(b *dom.Block) bool {
	switch b.Tag {
	case atom.H2, atom.H3, atom.H4:
		return true
	}
	return false
}
