package entity

import (
	"hash/fnv"
	"strings"
	"testing"

	"xinwen/news"
)

// without returns g without the names of half of its persons and organisations.
func without(g *Gazetteer, half uint32) *Gazetteer {
	b := builder{g: &Gazetteer{lex: g.lex, singles: make(map[rune]span), abbrevs: g.abbrevs, terms: g.terms}}
	for _, p := range g.patterns {
		if k := p.entity.Kind; k != news.Org && k != news.Person || side(p.entity.ID) != half {
			b.g.patterns = append(b.g.patterns, p)
		}
	}
	b.g.index()
	return b.g
}

func side(id string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(id))
	return h.Sum32() % 2
}

// TestNamesThatTheLexiconLacks hides half of the lexicon's persons and
// organisations and looks for them in annotated news: what rules find, and what
// the taggers add.
func TestNamesThatTheLexiconLacks(t *testing.T) {
	articles, g := annotated(t), builtin(t)
	var counts [2]struct{ found, right, recalled, all float64 }
	for half := range uint32(2) {
		less := without(g, half)
		for i := range articles {
			a := &articles[i]
			want := make(map[[2]int]bool)
			for _, m := range a.Mentions {
				if m.Type == "ORG" || m.Type == "PERSON" {
					want[[2]int{m.Start, m.End}] = true
				}
			}
			hidden := make(map[[2]int]bool)
			for _, m := range annotate(g, a, strings.Clone) {
				if want[[2]int{m.Start, m.End}] && side(m.Entity) == half && !strings.Contains(m.Entity, ":unknown-") {
					hidden[[2]int{m.Start, m.End}] = true
				}
			}
			content, c := a.Content(), contextOf(a)
			for _, guess := range [...]bool{false, true} {
				m, list := less.read(content, c, guess)
				x := &counts[0]
				if guess {
					x = &counts[1]
				}
				x.all += float64(len(hidden))
				for _, n := range mentions(content, m.shadow, list) {
					span := [2]int{n.Start, n.End}
					if hidden[span] {
						x.recalled++
					}
					if !strings.Contains(n.Entity, ":unknown-") || a.Doubts(n.Start, n.End) {
						continue
					}
					x.found++
					if want[span] {
						x.right++
					} else if guess {
						t.Logf("wrong: %s %s %.2f", n.Kind, n.Surface, n.Score)
					}
				}
			}
		}
	}
	for i, name := range [...]string{"rules alone", "rules and taggers"} {
		x := counts[i]
		t.Logf("%-18s precision %.3f (%v of %v), recall of what was hidden %.3f (%v of %v)", name, x.right/x.found, x.right, x.found, x.recalled/x.all, x.recalled, x.all)
	}
	if x := counts[1]; x.right < 0.88*x.found || x.recalled < 0.55*x.all {
		t.Errorf("got precision %.3f and recall %.3f, want at least 0.88 and 0.55", x.right/x.found, x.recalled/x.all)
	}
}
