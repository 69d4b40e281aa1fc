package analysis

import (
	"math"
	"unicode/utf8"
)

// nameFrequency is what a name of the lexicon counts at least; known company
// names have about as much in the dictionary.
const nameFrequency = 200

// segmentation is the working memory for cutting one stretch of text.
type segmentation struct {
	runes []rune
	at    []int // byte offset of each rune, and the end
	// unit is, for each rune that begins an ideograph or a word, the index after
	// it; 0 inside words.
	unit []int
	best []float64 // log probability from here to the end
	next []int     // end of the most probable word from here
}

func (g *segmentation) reset() {
	g.runes, g.at, g.unit = g.runes[:0], g.at[:0], g.unit[:0]
}

// add appends the unit u of s.
func (g *segmentation) add(s string, u *unit) {
	first := len(g.runes)
	for i := u.start; i < u.end; {
		r, n := utf8.DecodeRuneInString(s[i:])
		g.runes, g.at = append(g.runes, r), append(g.at, i)
		i += n
		after := 0
		if u.ideographs {
			after = len(g.runes)
		}
		g.unit = append(g.unit, after)
	}
	if !u.ideographs {
		g.unit[first] = len(g.runes)
	}
}

// cut finds the most probable words. Of equally probable ways the one with the
// longer word first wins, as in gse.
func (g *segmentation) cut(d *dict) {
	n := len(g.runes)
	if cap(g.best) < n+1 {
		g.best, g.next = make([]float64, n+1, 2*n+64), make([]int, n+1, 2*n+64)
	}
	g.best, g.next = g.best[:n+1], g.next[:n+1]
	g.best[n] = 0
	for i := n - 1; i >= 0; i-- {
		end := g.unit[i]
		if end == 0 {
			continue
		}
		best, next := math.Inf(-1), end
		node := uint32(0)
		for j := i; j < n; j++ {
			if node = d.next(node, g.runes[j]); node == 0 {
				break
			}
			w := d.weights[node]
			if w == 0 || j+1 < n && g.unit[j+1] == 0 {
				continue
			}
			if p := float64(w) + g.best[j+1]; p >= best {
				best, next = p, j+1
			}
		}
		if math.IsInf(best, -1) { // no word begins here
			best = g.best[end] - d.total
		}
		g.best[i], g.next[i] = best, next
	}
}

// addNames makes words of names. Each becomes at least as probable as the words
// it would be cut into.
func (a *Analyzer) addNames(names []string) {
	type name struct {
		runes  []rune
		weight float64
	}
	added := make([]name, 0, len(names))
	var g segmentation
	for _, s := range names {
		g.reset()
		g.add(s, &unit{end: len(s), ideographs: true})
		g.cut(a.dict)
		weight := max(math.Log(nameFrequency)-a.dict.total, g.best[0]+1e-3)
		added = append(added, name{[]rune(s), min(weight, -1e-6)})
	}
	for _, n := range added {
		a.dict.add(n.runes, n.weight)
	}
}
