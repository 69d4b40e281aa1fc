package bleve

import (
	"slices"
	"unicode/utf8"

	"xinwen/indexer/analysis"
	"xinwen/indexer/plan"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
)

// meant returns the documents that match in one way of matching.
func (s *snapshot) meant(m plan.Meaning, match string) (docs, error) {
	required, err := s.compile(m.Required)
	if err != nil || len(m.Words) == 0 {
		return required, err
	}
	var list []docs
	least := 1
	switch match {
	case search.MatchAny:
		list = anyTerm(m)
	default:
		list, err = s.each(m.Words)
		least = len(list)
	}
	if err != nil {
		return nil, err
	}
	return newAllOf(newAnyOf(least, list...), required), nil
}

// anyTerm returns the documents with the single words and grams of the query.
func anyTerm(m plan.Meaning) []docs {
	var parts []docs
	for _, g := range []struct {
		field string
		terms []string
	}{
		{fieldWords, m.Loose.Words[inText]},
		{fieldGrams, m.Loose.Grams[inText]},
		{fieldTitleWords, m.Loose.Words[inTitle]},
		{fieldTitleGrams, m.Loose.Grams[inTitle]},
		{query.FieldEntity, m.Loose.Entities},
	} {
		in := make(map[string][]string)
		for _, t := range g.terms {
			field := g.field
			if field == fieldWords || field == fieldTitleWords {
				field = wordField(field, t)
			}
			in[field] = append(in[field], t)
		}
		for field, list := range in {
			parts = append(parts, terms(field, list...))
		}
	}
	return parts
}

// compile returns the documents that a clause matches.
func (s *snapshot) compile(c *query.Clause) (docs, error) {
	switch c.Op {
	case query.OpEverything:
		return everything{}, nil
	case query.OpAnd:
		return s.every(c.Clauses)
	case query.OpOr:
		parts, err := s.each(c.Clauses)
		return newAnyOf(1, parts...), err
	case query.OpNot:
		return s.every([]*query.Clause{c})
	case query.OpSequence:
		return sequence(c), nil
	case query.OpWord:
		switch c.Field {
		case query.FieldTitle:
			return termDocs{fieldTitleWords, c.Term}, nil
		case query.FieldText:
			return textTerm(fieldWords, fieldTitleWords, c.Term), nil
		}
		return termDocs{fieldWords, c.Term}, nil
	case query.OpKeyword:
		if c.Field == query.FieldID {
			// Most IDs are in folded form as they are: those only scorch's own field has.
			return newAnyOf(1, termDocs{"_id", c.Term}, termDocs{query.FieldID, c.Term}), nil
		}
		return termDocs{c.Field, c.Term}, nil
	case query.OpRange:
		return s.timeRange(c.Field, c.From, c.To)
	case query.OpNear:
		return s.near(c)
	}
	return none{}, nil
}

func (s *snapshot) each(clauses []*query.Clause) ([]docs, error) {
	parts := make([]docs, 0, len(clauses))
	for _, c := range clauses {
		d, err := s.compile(c)
		if err != nil {
			return nil, err
		}
		parts = append(parts, d)
	}
	return parts, nil
}

// every returns the documents that all clauses match.
func (s *snapshot) every(clauses []*query.Clause) (docs, error) {
	var in, out []*query.Clause
	for _, c := range clauses {
		if c.Op == query.OpNot {
			out = append(out, c.Clauses[0])
		} else {
			in = append(in, c)
		}
	}
	parts, err := s.each(in)
	if err != nil {
		return nil, err
	}
	all := newAllOf(append(parts, everything{})...)
	if len(out) == 0 {
		return all, nil
	}
	not, err := s.each(out)
	return butNot{all, newAnyOf(1, not...)}, err
}

// textTerm returns the documents with a term in their text: those where it is
// more often in title and text than in the title.
func textTerm(both, title, term string) docs {
	return filtered{all: termDocs{both, term}, keep: func(g *segment, doc uint32) (bool, error) {
		all, err := g.frequency(both, term, doc)
		if err != nil {
			return false, err
		}
		in, err := g.frequency(title, term, doc)
		return all > in, err
	}}
}

// sequence returns the documents with the slots of c.
func sequence(c *query.Clause) docs {
	all := slots(c)
	if len(c.Slots) == 1 && c.Field != query.FieldText {
		return all
	}
	if pairs, enough := pairsOf(c); len(pairs) > 0 {
		parts := make([]docs, len(pairs))
		for i, p := range pairs {
			parts[i] = termDocs{fieldPairs, p}
		}
		if enough && c.Field == "" {
			return parts[0]
		}
		all = newAllOf(append(parts, all)...)
	}
	fields, wanted := plan.FieldsOf(c.Field), newPattern(c)
	return filtered{all: all, sure: wholeWord(c), keep: func(g *segment, doc uint32) (bool, error) {
		p, err := g.places(doc)
		if err != nil {
			return false, err
		}
		return slices.ContainsFunc(fields, func(in int) bool { return wanted.standsIn(p.streams[in]) }), nil
	}}
}

// wholeWord returns documents that have a sequence for sure: those with the word
// that it is, if it is one.
func wholeWord(c *query.Clause) docs {
	if len(c.Words) != 1 || !analysis.IsIdeograph(c.Words[0]) || utf8.RuneCountInString(c.Words[0]) != c.Length {
		return none{}
	}
	switch c.Field {
	case query.FieldTitle:
		return termDocs{fieldTitleWords, c.Words[0]}
	case query.FieldText:
		return none{}
	}
	return termDocs{fieldWords, c.Words[0]}
}

// slots returns the documents that have all grams of a sequence somewhere.
func slots(c *query.Clause) docs {
	field := fieldGrams
	if c.Field == query.FieldTitle {
		field = fieldTitleGrams
	}
	var all []docs
	for i, slot := range c.Slots {
		if slot.Prefix {
			all = append(all, prefixDocs{field, slot.Terms[0]})
		} else {
			all = append(all, terms(field, slot.Terms...))
		}
		if i > 0 {
			if between := gramBetween(c.Slots[i-1], slot); len(between) > 0 {
				all = append(all, terms(field, between...))
			}
		}
	}
	return newAllOf(all...)
}

// gramBetween returns the grams of which one stands between two slots, where the
// second follows the two characters of the first: the gram of the latter of them
// with what follows, or alone before a mark. None are returned where it may be any.
func gramBetween(a, b query.Slot) []string {
	if len(a.Terms) > 1 || len(b.Terms) > 1 || b.Offset != a.Offset+2 || !analysis.IsIdeograph(a.Terms[0]) {
		return nil
	}
	_, n := utf8.DecodeRuneInString(a.Terms[0])
	last := a.Terms[0][n:]
	if !analysis.IsIdeograph(b.Terms[0]) {
		return []string{last}
	}
	next, _ := utf8.DecodeRuneInString(b.Terms[0])
	return []string{last, last + string(next)}
}

// near returns the documents where both sides stand close together.
func (s *snapshot) near(c *query.Clause) (docs, error) {
	sides, err := s.each(c.Clauses)
	if err != nil {
		return nil, err
	}
	fields := plan.FieldsOf(c.Field)
	patterns := make(map[*query.Clause]pattern)
	for _, side := range c.Clauses {
		for _, alt := range append(slices.Clone(side.Clauses), side) {
			if alt.Op == query.OpSequence {
				patterns[alt] = newPattern(alt)
			}
		}
	}
	var left, right []span
	return filtered{all: newAllOf(sides...), keep: func(g *segment, doc uint32) (bool, error) {
		p, err := g.places(doc)
		if err != nil {
			return false, err
		}
		for _, in := range fields {
			var err error
			if left, err = p.spans(left[:0], in, c.Clauses[0], patterns); err != nil {
				return false, err
			}
			if right, err = p.spans(right[:0], in, c.Clauses[1], patterns); err != nil {
				return false, err
			}
			if near(left, right, c.Distance) {
				return true, nil
			}
		}
		return false, nil
	}}, nil
}

// spans appends to dst where one side of a Near stands in the document loaded.
func (p *places) spans(dst []span, in int, c *query.Clause, patterns map[*query.Clause]pattern) ([]span, error) {
	switch c.Op {
	case query.OpOr:
		var err error
		for _, alt := range c.Clauses {
			if dst, err = p.spans(dst, in, alt, patterns); err != nil {
				return nil, err
			}
		}
		return dst, nil
	case query.OpSequence:
		if !slices.Contains(plan.FieldsOf(c.Field), in) {
			return dst, nil
		}
		wanted := patterns[c]
		return p.field(in).find(dst, &wanted), nil
	case query.OpKeyword:
		return findMentions(dst, p.mentions(in), c.Term)
	}
	return dst, nil
}

// near says whether a span of left and one of right, not overlapping, have at
// most distance positions between them.
func near(left, right []span, distance int) bool {
	for _, l := range left {
		for _, r := range right {
			if r.start >= l.end && r.start-l.end <= distance || l.start >= r.end && l.start-r.end <= distance {
				return true
			}
		}
	}
	return false
}
