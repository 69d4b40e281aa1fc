package plan

import (
	"slices"

	"xinwen/indexer/query"
	"xinwen/news/lexicon"
)

// Meaning is a query in clauses: words that may be relaxed, and the rest.
type Meaning struct {
	Words    []*query.Clause
	Required *query.Clause
	// Loose are the terms of the words, of which any will do in the end.
	Loose Terms
	// Several says that there is more than one word to relax.
	Several bool
}

// Lower returns the clauses of a query, in which words mean what e adds.
func (p *Planner) Lower(required []query.Node, texts []query.Text, e query.Expansion) (Meaning, error) {
	l := p.names()
	lower := func(nodes []query.Node) (*query.Clause, error) {
		return query.Lower(e.Expand(query.AllOf(nodes...)), p.Analyzer, l)
	}
	var m Meaning
	var err error
	if m.Required, err = lower(required); err != nil {
		return m, err
	}
	words, err := lower(asNodes(texts))
	switch {
	case err != nil:
		return m, err
	case len(texts) == 0:
	case words.Op == query.OpAnd:
		m.Words = words.Clauses
	default:
		m.Words = []*query.Clause{words}
	}
	// What expansion adds are alternatives, not further words.
	plain, err := query.Lower(query.AllOf(asNodes(texts)...), p.Analyzer, l)
	if err != nil {
		return m, err
	}
	m.Several = len(texts) > 0 && plain.Op == query.OpAnd
	m.Loose, err = p.Terms(query.AllOf(asNodes(texts)...), e)
	return m, err
}

// names returns the lexicon as it is now, which may be nil.
func (p *Planner) names() *lexicon.Lexicon {
	if p.Lexicon == nil {
		return nil
	}
	return p.Lexicon.Current()
}

// marks returns the matcher that says what to highlight in a hit.
func (m Meaning) marks() *query.Matcher {
	parts := append(slices.Clone(m.Words), m.Required)
	return query.NewMatcher(&query.Clause{Op: query.OpOr, Clauses: parts})
}

func asNodes[N query.Node](list []N) []query.Node {
	nodes := make([]query.Node, len(list))
	for i, n := range list {
		nodes[i] = n
	}
	return nodes
}
