package bleve

import (
	"slices"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news/lexicon"
)

// meaning is a query in clauses: words that may be relaxed, and the rest.
type meaning struct {
	words    []*query.Clause
	required *query.Clause
}

// lower returns the clauses of a query, in which names also mean their
// entities.
func (x *Index) lower(required []query.Node, texts []query.Text) (meaning, error) {
	var l *lexicon.Lexicon
	if x.lexicon != nil {
		l = x.lexicon.Current()
	}
	lower := func(nodes []query.Node) (*query.Clause, error) {
		return query.Lower(query.Expand(query.AllOf(nodes...), l), x.analyzer, l)
	}
	var m meaning
	var err error
	if m.required, err = lower(required); err != nil {
		return m, err
	}
	words, err := lower(asNodes(texts))
	switch {
	case err != nil:
		return m, err
	case len(texts) == 0:
	case words.Op == query.OpAnd:
		m.words = words.Clauses
	default:
		m.words = []*query.Clause{words}
	}
	return m, nil
}

// docs returns the documents that match of a hit with one way of matching.
func (m meaning) docs(s *snapshot, match string) (docs, error) {
	required, err := s.compile(m.required)
	if err != nil || len(m.words) == 0 {
		return required, err
	}
	least := len(m.words)
	switch match {
	case search.MatchAny:
		least = 1
	case search.MatchMost:
		least = most(least)
	}
	list, err := s.each(m.words)
	if err != nil {
		return nil, err
	}
	words := newAnyOf(least, list...)
	if m.required.Op == query.OpEverything {
		return words, nil
	}
	return allOf{words, required}, nil
}

// marks returns the matcher that says what to highlight in a hit.
func (m meaning) marks() *query.Matcher {
	any := &query.Clause{Op: query.OpOr, Clauses: append(slices.Clone(m.words), m.required)}
	return query.NewMatcher(any)
}

// most is two thirds, rounded up, but not all.
func most(n int) int { return max(min((2*n+2)/3, n-1), 1) }

func asNodes[N query.Node](list []N) []query.Node {
	nodes := make([]query.Node, len(list))
	for i, n := range list {
		nodes[i] = n
	}
	return nodes
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
		return s.inFields(c.Field, func(in int) (docs, error) { return s.sequence(in, c.Slots) })
	case query.OpWord:
		return s.inFields(c.Field, func(in int) (docs, error) { return s.term(wordFields[in], c.Term) })
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

var (
	wordFields = [2]string{fieldTitleWords, fieldTextWords}
	gramFields = [2]string{fieldTitleGrams, fieldTextGrams}
)

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

// inFields returns what matches in the field named, or in title or text.
func (s *snapshot) inFields(field string, open func(in int) (docs, error)) (docs, error) {
	var parts []docs
	for _, in := range fieldsOf(field) {
		d, err := open(in)
		if err != nil {
			return nil, err
		}
		parts = append(parts, d)
	}
	return newAnyOf(1, parts...), nil
}

func fieldsOf(field string) []int {
	switch field {
	case query.FieldTitle:
		return []int{inTitle}
	case query.FieldText:
		return []int{inText}
	}
	return []int{inTitle, inText}
}

// sequence returns the documents with the slots in the title or text.
func (s *snapshot) sequence(in int, slots []query.Slot) (docs, error) {
	var all allOf
	for _, slot := range slots {
		var parts []docs
		for _, term := range slot.Terms {
			var d docs
			var err error
			if slot.Prefix {
				d, err = s.prefix(gramFields[in], term)
			} else {
				d, err = s.term(gramFields[in], term)
			}
			if err != nil {
				return nil, err
			}
			parts = append(parts, d)
		}
		all = append(all, newAnyOf(1, parts...))
	}
	if len(all) == 1 {
		return all[0], nil
	}
	p, err := s.places()
	if err != nil {
		return nil, err
	}
	return filtered{in: all, keep: func(doc uint64) (bool, error) {
		if err := p.load(doc); err != nil {
			return false, err
		}
		return p.field(in).contains(slots), nil
	}}, nil
}

// near returns the documents where both sides stand close together.
func (s *snapshot) near(c *query.Clause) (docs, error) {
	var fields []docs
	p, err := s.places()
	if err != nil {
		return nil, err
	}
	for _, in := range fieldsOf(c.Field) {
		var sides allOf
		for _, side := range c.Clauses {
			d, err := s.side(in, side)
			if err != nil {
				return nil, err
			}
			sides = append(sides, d)
		}
		var left, right []span
		fields = append(fields, filtered{in: sides, keep: func(doc uint64) (bool, error) {
			err := p.load(doc)
			if err != nil {
				return false, err
			}
			if left, err = p.spans(left[:0], in, c.Clauses[0]); err != nil {
				return false, err
			}
			if right, err = p.spans(right[:0], in, c.Clauses[1]); err != nil {
				return false, err
			}
			return near(left, right, c.Distance), nil
		}})
	}
	return newAnyOf(1, fields...), nil
}

// side returns the documents that may have one side of a Near in a field.
func (s *snapshot) side(in int, c *query.Clause) (docs, error) {
	switch c.Op {
	case query.OpOr:
		parts := make([]docs, 0, len(c.Clauses))
		for _, alt := range c.Clauses {
			d, err := s.side(in, alt)
			if err != nil {
				return nil, err
			}
			parts = append(parts, d)
		}
		return newAnyOf(1, parts...), nil
	case query.OpSequence:
		if !slices.Contains(fieldsOf(c.Field), in) {
			return none{}, nil
		}
		return s.sequence(in, c.Slots)
	}
	return s.compile(c)
}

// spans appends to dst where one side of a Near stands in the document loaded.
func (p *places) spans(dst []span, in int, c *query.Clause) ([]span, error) {
	switch c.Op {
	case query.OpOr:
		var err error
		for _, alt := range c.Clauses {
			if dst, err = p.spans(dst, in, alt); err != nil {
				return nil, err
			}
		}
		return dst, nil
	case query.OpSequence:
		if !slices.Contains(fieldsOf(c.Field), in) {
			return dst, nil
		}
		return p.field(in).find(dst, c.Slots, c.Length), nil
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

// positive returns the parts of a query that stand for text that a hit has.
func positive(n query.Node) []query.Node {
	switch n := n.(type) {
	case query.And:
		return positives(n.Nodes)
	case query.Or:
		return positives(n.Nodes)
	case query.Near:
		return positives([]query.Node{n.Left, n.Right})
	case query.Text, query.Phrase, query.Prefix, query.Entity:
		return []query.Node{n}
	}
	return nil
}

func positives(nodes []query.Node) []query.Node {
	var list []query.Node
	for _, n := range nodes {
		list = append(list, positive(n)...)
	}
	return list
}
