package bleve

import (
	"slices"

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
		list, err = s.any(m)
	default:
		list, err = s.each(m.Words)
		least = len(list)
	}
	if err != nil {
		return nil, err
	}
	words := newAnyOf(least, list...)
	if m.Required.Op == query.OpEverything {
		return words, nil
	}
	return allOf{words, required}, nil
}

// any returns the documents with the single words and grams of the query.
func (s *snapshot) any(m plan.Meaning) ([]docs, error) {
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
		for field, terms := range in {
			d, err := s.terms(field, terms...)
			if err != nil {
				return nil, err
			}
			parts = append(parts, d)
		}
	}
	return parts, nil
}

// compile opens the documents that a clause matches.
func (s *snapshot) compile(c *query.Clause) (docs, error) {
	switch c.Op {
	case query.OpEverything:
		return s.live()
	case query.OpAnd:
		return s.every(c.Clauses)
	case query.OpOr:
		parts, err := s.each(c.Clauses)
		return newAnyOf(1, parts...), err
	case query.OpNot:
		return s.every([]*query.Clause{c})
	case query.OpSequence:
		return s.sequence(c)
	case query.OpWord:
		switch c.Field {
		case query.FieldTitle:
			return s.term(fieldTitleWords, c.Term)
		case query.FieldText:
			return s.textTerm(fieldWords, fieldTitleWords, c.Term)
		}
		return s.term(fieldWords, c.Term)
	case query.OpKeyword:
		if c.Field == query.FieldID {
			return s.id(c.Term)
		}
		return s.term(c.Field, c.Term)
	case query.OpRange:
		return s.timeRange(c.Field, c.From, c.To)
	case query.OpNear:
		return s.near(c)
	}
	return none{}, nil
}

// id returns the article with an ID in folded form. Most IDs are in it as they
// are; of those only scorch's own field tells, which tombstones have too.
func (s *snapshot) id(folded string) (docs, error) {
	own, err := s.term("_id", folded)
	if err != nil {
		return nil, err
	}
	live, err := s.live()
	if err != nil {
		return nil, err
	}
	other, err := s.term(query.FieldID, folded)
	return newAnyOf(1, allOf{own, live}, other), err
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
	if len(parts) == 0 {
		all, err := s.live()
		if err != nil {
			return nil, err
		}
		parts = append(parts, all)
	}
	if len(out) == 0 {
		return allOf(parts), nil
	}
	not, err := s.each(out)
	if err != nil {
		return nil, err
	}
	return butNot{allOf(parts), newAnyOf(1, not...)}, nil
}

// sequence returns the documents with the slots of c.
func (s *snapshot) sequence(c *query.Clause) (docs, error) {
	all, err := s.slots(c)
	if err != nil || len(c.Slots) == 1 && c.Field != query.FieldText {
		return all, err
	}
	p, err := s.places()
	if err != nil {
		return nil, err
	}
	fields, wanted := plan.FieldsOf(c.Field), newPattern(c)
	return filtered{in: all, keep: func(doc uint64) (bool, error) {
		if err := p.load(doc); err != nil {
			return false, err
		}
		return slices.ContainsFunc(fields, func(in int) bool { return p.field(in).contains(&wanted) }), nil
	}}, nil
}

// slots returns the documents that have all grams of a sequence somewhere.
func (s *snapshot) slots(c *query.Clause) (docs, error) {
	field := fieldGrams
	if c.Field == query.FieldTitle {
		field = fieldTitleGrams
	}
	var all allOf
	for _, slot := range c.Slots {
		if slot.Prefix {
			d, err := s.prefix(field, slot.Terms[0])
			if err != nil {
				return nil, err
			}
			all = append(all, d)
			continue
		}
		d, err := s.terms(field, slot.Terms...)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return all, nil
}

// near returns the documents where both sides stand close together.
func (s *snapshot) near(c *query.Clause) (docs, error) {
	p, err := s.places()
	if err != nil {
		return nil, err
	}
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
	return filtered{in: allOf(sides), keep: func(doc uint64) (bool, error) {
		if err := p.load(doc); err != nil {
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
		return findMentions(dst, p.parts[2+in], c.Term)
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
