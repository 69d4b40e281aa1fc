package boilerplate

import (
	"slices"

	"golang.org/x/net/html/atom"

	"xinwen/extractor/dom"
	"xinwen/extractor/memory"
)

// minKeyUnits is the length from which on a block is remembered.
const minKeyUnits = 5

// Keys returns by what the host's memory knows each block of d: 0 for those too
// short to tell.
func Keys(d *dom.Document) []uint64 {
	keys := make([]uint64, len(d.Blocks))
	places := make(map[int]string)
	for i := range d.Blocks {
		b := &d.Blocks[i]
		if b.Units < minKeyUnits {
			continue
		}
		place, ok := places[b.Element]
		if !ok {
			place = placeOf(d, b.Element)
			places[b.Element] = place
		}
		keys[i] = memory.Key(b.Text, place)
	}
	return keys
}

// placeOf names the elements around what stands in element e.
func placeOf(d *dom.Document, e int) string {
	if e < 0 {
		return ""
	}
	s := nameOf(d, e)
	if q := d.Elements[e].Parent; q >= 0 {
		s += "<" + nameOf(d, q)
	}
	return s
}

// level returns how often the host has block i on its pages.
func (p *page) level(i int) memory.Level {
	if p.hints.Memory == nil || i >= len(p.hints.Keys) || p.hints.Keys[i] == 0 {
		return memory.Unknown
	}
	return p.hints.Memory.Level(p.hints.Keys[i])
}

// repeated returns the blocks of a body that are the host's rather than the
// article's, as its other pages tell: lines before and after the text that
// several pages have, and paragraphs inside it that are on many. A body that
// consists of them is a copy of another page's, and loses none.
func (p *page) repeated(blocks []int) []int {
	first, last := len(blocks), -1 // of what is this article's own
	own := 0.0
	for n, i := range blocks {
		if p.prose[i] && p.level(i) == memory.Unknown {
			first, last = min(first, n), n
			own += p.doc.Blocks[i].Units
		}
	}
	if last < 0 {
		return nil
	}
	var out []int
	lost := 0.0
	for n, i := range blocks {
		b := &p.doc.Blocks[i]
		level := p.level(i)
		inside := n > first && n < last
		switch {
		case level == memory.Unknown, i == p.title:
		case inside && (level != memory.Usual || heads(b) || b.Tag == atom.Td || b.Tag == atom.Th || b.Tag == atom.Li):
			// Tables and headings of a series of articles are alike.
		default:
			out = append(out, i)
			lost += b.Units
		}
	}
	if lost > 2*own {
		return nil
	}
	return out
}

// without removes the repeated blocks of a body.
func (p *page) without(b *Body) {
	b.Repeated = p.repeated(b.Blocks)
	if len(b.Repeated) > 0 {
		b.Blocks = slices.DeleteFunc(slices.Clone(b.Blocks), func(i int) bool { return slices.Contains(b.Repeated, i) })
	}
}
