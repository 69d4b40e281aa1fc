package bleve

import "bytes"

// standsIn says whether p stands anywhere in a stream. Unlike stream.find it does
// not read all of it: a phrase of common words has to be looked for in many.
func (p *pattern) standsIn(data []byte) bool {
	for k := range p.slots[0] {
		// The bytes of the first gram lead to the few positions to look at.
		g := &p.slots[0][k]
		needle := g.word
		if needle == nil {
			needle = append(g.first[:len(g.first):len(g.first)], g.second...)
		}
		last := -1
		for from := 0; ; {
			i := bytes.Index(data[from:], needle)
			if i < 0 {
				break
			}
			from += i + 1
			at, ok := positionAt(data, from-1)
			if !ok || at.start == last {
				continue
			}
			last = at.start
			if p.standsAt(data, at) {
				return true
			}
		}
	}
	return false
}

// position is where a word or a character's code begins in a stream.
type position struct {
	start int
	inRun bool
}

// positionAt returns the position that the byte at i belongs to; not ok if that is
// not the beginning of a character's code.
func positionAt(data []byte, i int) (at position, ok bool) {
	start := bytes.LastIndexByte(data[:i], endRun) + 1
	if data[start] != beginRun {
		return position{start, false}, true
	}
	for start++; start < i; {
		start += codeLength(data[start:])
	}
	return position{i, true}, start == i
}

// end returns the end of the word or code at a position.
func (at position) end(data []byte) int {
	if at.inRun {
		return at.start + codeLength(data[at.start:])
	}
	if n := bytes.IndexByte(data[at.start:], endRun); n >= 0 {
		return at.start + n
	}
	return len(data)
}

// next returns the position after at, which ends at end; not ok if it is the last.
func (at position) next(data []byte, end int) (position, bool) {
	if at.inRun && end < len(data) && data[end] != endRun {
		return position{end, true}, true
	}
	end++ // over endRun
	if end >= len(data) {
		return position{}, false
	}
	if data[end] == beginRun {
		return position{end + 1, true}, end+1 < len(data)
	}
	return position{end, false}, true
}

// standsAt says whether p begins at a position.
func (p *pattern) standsAt(data []byte, at position) bool {
	offset := 0
	for i, grams := range p.slots {
		for ; offset < p.offset[i]; offset++ {
			var ok bool
			if at, ok = at.next(data, at.end(data)); !ok {
				return false
			}
		}
		found := false
		for k := range grams {
			if found = grams[k].standsAt(data, at); found {
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

func (g *gram) standsAt(data []byte, at position) bool {
	end := at.end(data)
	b := data[at.start:end]
	if !at.inRun {
		return g.word != nil && hasWord(b, g)
	}
	if g.word != nil || !bytes.Equal(b, g.first) {
		return false
	}
	inner := end < len(data) && data[end] != endRun
	if g.second == nil {
		return g.prefix || !inner
	}
	return inner && bytes.HasPrefix(data[end:], g.second)
}
