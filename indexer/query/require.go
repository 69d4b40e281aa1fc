package query

import (
	"cmp"
	"math"
	"slices"

	"xinwen/indexer/analysis"
)

// Requirement is a cheap necessary condition: a document that m matches meets
// one of Needs, or has a gram that begins with one of Prefixes.
type Requirement struct {
	Needs    []Need
	Prefixes []string
	// Always says that there is no such condition: any document may match.
	Always bool
	// Share estimates the share of documents that meet it, 1 for Always.
	Share float64
}

// Need is a term that a document must have.
type Need struct {
	Key Key
	// Also are bits of terms of which the document must have one, too, so that
	// most of those that cannot match are told without a look at the rule; see
	// Bit. Zeros are none.
	Also [3]uint16
	// Sure says that a document with Key matches.
	Sure bool
}

// bits is the number of bits that the terms of a document are spread over. A
// thousand terms take one in thirty.
const bits = 1 << 15

// Bit returns the bit of a term, from 1 to bits-1.
func (k Key) Bit() uint16 { return uint16(max(1, (uint64(k)>>40)%bits)) }

// Bits is a set of terms by their bits.
type Bits [bits / 64]uint64

// Add adds a term.
func (b *Bits) Add(k Key) { b[k.Bit()/64] |= 1 << (k.Bit() % 64) }

// Allow reports whether a document with b may meet n, as far as its bits tell.
func (b *Bits) Allow(also [3]uint16) bool {
	if also[0] == 0 {
		return true
	}
	for _, bit := range also {
		if bit > 0 && b[bit/64]&(1<<(bit%64)) != 0 {
			return true
		}
	}
	return false
}

// Requirement returns the rarest condition that follows from m. The analyzer
// only serves to guess what is rare.
func (m *Matcher) Requirement(a *analysis.Analyzer) Requirement { return m.root.requirement(a) }

var always = Requirement{Always: true, Share: 1}

func (s *step) requirement(a *analysis.Analyzer) Requirement {
	switch s.op {
	case OpNothing:
		return Requirement{}
	case OpAnd, OpNear:
		parts := make([]Requirement, len(s.steps))
		for i := range s.steps {
			parts[i] = s.steps[i].requirement(a)
		}
		return allOfThem(parts)
	case OpOr:
		var union Requirement
		for i := range s.steps {
			r := s.steps[i].requirement(a)
			if r.Always {
				return always
			}
			union.Needs = append(union.Needs, r.Needs...)
			union.Prefixes = append(union.Prefixes, r.Prefixes...)
			union.Share += r.Share
		}
		union.Share = min(union.Share, 0.99)
		return union
	case OpSequence:
		parts := make([]Requirement, len(s.slots))
		for i, p := range s.slots {
			r := &parts[i]
			if p.prefix {
				*r = Requirement{Prefixes: []string{p.term}, Share: min(0.9, 30*share(a, p.term))}
				continue
			}
			*r = Requirement{Needs: []Need{{Key: Key(p.hash)}}, Share: share(a, p.term)}
			if p.other != nil {
				r.Needs = append(r.Needs, Need{Key: Key(p.other.hash)})
				r.Share += share(a, p.other.term)
			}
		}
		if len(parts) == 1 {
			for i := range parts[0].Needs {
				parts[0].Needs[i].Sure = s.in == anywhere
			}
			return parts[0]
		}
		return allOfThem(parts)
	case OpWord:
		return Requirement{Needs: []Need{{Key: Key(s.slots[0].hash), Sure: s.in == anywhere}}, Share: share(a, s.slots[0].term)}
	case OpKeyword:
		r := Requirement{Needs: []Need{{Key: Key(s.slots[0].hash), Sure: true}}, Share: 0.01}
		switch s.kind {
		case keywordKindOf(FieldLang), keywordKindOf(FieldScript), keywordKindOf(FieldKind):
			r.Share = 0.5
		case keywordKindOf(FieldID), keywordKindOf(FieldURL):
			r.Share = 1e-6
		}
		return r
	}
	return always
}

// allOfThem returns the rarest of conditions that must all be met, with the
// rarest of the others as what must be there, too.
func allOfThem(parts []Requirement) Requirement {
	order := make([]*Requirement, len(parts))
	for i := range parts {
		order[i] = &parts[i]
	}
	slices.SortStableFunc(order, func(x, y *Requirement) int { return cmp.Compare(x.Share, y.Share) })
	best := *order[0]
	if best.Always {
		return always
	}
	var also [3]uint16
	for _, r := range order[1:] {
		if r.Always || len(r.Prefixes) > 0 || len(r.Needs) == 0 || len(r.Needs) > len(also) {
			continue
		}
		for i, n := range r.Needs {
			also[i] = n.Key.Bit()
		}
		break
	}
	best.Needs = slices.Clone(best.Needs)
	for i := range best.Needs {
		n := &best.Needs[i]
		n.Sure = false
		if n.Also[0] == 0 {
			n.Also = also
		}
	}
	return best
}

// arrange puts what an article seldom has first in each And, and what it often
// has first in each Or, so that most articles are judged by one look.
func (s *step) arrange(a *analysis.Analyzer) {
	for i := range s.steps {
		s.steps[i].arrange(a)
	}
	if s.op != OpAnd && s.op != OpOr {
		return
	}
	type ranked struct {
		step  *step
		share float64
	}
	list := make([]ranked, len(s.steps))
	for i := range s.steps {
		list[i] = ranked{s.steps[i], s.steps[i].requirement(a).Share}
	}
	slices.SortStableFunc(list, func(x, y ranked) int {
		if s.op == OpOr {
			x, y = y, x
		}
		return cmp.Compare(x.share, y.share)
	})
	for i := range list {
		s.steps[i] = list[i].step
	}
}

// share guesses the share of articles that have a gram.
func share(a *analysis.Analyzer, gram string) float64 {
	const tokens = 1500 // of an article
	return min(0.95, tokens*math.Exp(a.Rarity(gram)))
}
