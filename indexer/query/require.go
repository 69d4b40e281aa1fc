package query

import (
	"math"

	"xinwen/indexer/analysis"
)

// Requirement is a cheap necessary condition: a document that m matches has one
// of Keys, or a gram that begins with one of Prefixes.
type Requirement struct {
	Keys     []Key
	Prefixes []string
	// Always says that there is no such condition: any document may match.
	Always bool
	// Share estimates the share of documents that meet it, 1 for Always.
	Share float64
}

// Requirement returns the rarest condition that follows from m. The analyzer
// only serves to guess what is rare.
func (m *Matcher) Requirement(a *analysis.Analyzer) Requirement { return m.root.requirement(a) }

func (s *step) requirement(a *analysis.Analyzer) Requirement {
	always := Requirement{Always: true, Share: 1}
	best := always
	consider := func(r Requirement) {
		if r.Share < best.Share {
			best = r
		}
	}
	switch s.op {
	case OpNothing:
		return Requirement{}
	case OpAnd, OpNear:
		for i := range s.steps {
			consider(s.steps[i].requirement(a))
		}
		return best
	case OpOr:
		var union Requirement
		for i := range s.steps {
			r := s.steps[i].requirement(a)
			if r.Always {
				return always
			}
			union.Keys = append(union.Keys, r.Keys...)
			union.Prefixes = append(union.Prefixes, r.Prefixes...)
			union.Share += r.Share
		}
		union.Share = min(union.Share, 0.99)
		return union
	case OpSequence:
		for _, p := range s.slots {
			var r Requirement
			if p.prefix {
				r = Requirement{Prefixes: []string{p.term}, Share: min(0.9, 30*share(a, p.term))}
			} else {
				r = Requirement{Keys: []Key{Key(p.hash)}, Share: share(a, p.term)}
			}
			if p.other != nil {
				r.Keys = append(r.Keys, Key(p.other.hash))
				r.Share += share(a, p.other.term)
			}
			consider(r)
		}
		return best
	case OpWord:
		return Requirement{Keys: []Key{Key(s.slots[0].hash)}, Share: share(a, s.slots[0].term)}
	case OpKeyword:
		r := Requirement{Keys: []Key{Key(s.slots[0].hash)}, Share: 0.01}
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

// share guesses the share of articles that have a gram.
func share(a *analysis.Analyzer, gram string) float64 {
	const tokens = 1500 // of an article
	return min(0.95, tokens*math.Exp(a.Rarity(gram)))
}
