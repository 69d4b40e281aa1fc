package bleve

import (
	"fmt"
	"math"
	"slices"

	"xinwen/indexer/analysis"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news/lexicon"
)

// The parameters of BM25, and what a word in a title counts for one in the
// text.
const (
	bm25K1     = 1.2
	bm25B      = 0.75
	titleBoost = 2.0
)

// ranker scores documents by the words of the query that they contain.
type ranker struct {
	groups []*rankGroup
}

// rankGroup is the query's terms in one field. Words and bigrams are groups of
// their own: each is a complete view of the text, and their scores add up.
type rankGroup struct {
	field string
	boost float64
	terms []*rankTerm
}

type rankTerm struct {
	*termDocs
	text    string
	docFreq uint64
	idf     float64
	average float64 // length of the field in tokens
}

// rankGroup opens the postings of terms in a field for scoring.
func (s *snapshot) rankGroup(field string, boost float64, terms []string) (*rankGroup, error) {
	g := &rankGroup{field: field, boost: boost}
	n := float64(s.state.Docs)
	for _, text := range terms {
		d, err := s.open(field, text, g.frequencies())
		if err != nil {
			return nil, err
		}
		df := d.r.Count()
		if df == 0 {
			continue
		}
		g.terms = append(g.terms, &rankTerm{
			termDocs: d,
			text:     text,
			docFreq:  df,
			idf:      math.Log(1 + (n-float64(df)+0.5)/(float64(df)+0.5)),
			average:  float64(s.state.Tokens[field]) / n,
		})
	}
	return g, nil
}

// ranker returns the ranker for the text that a query asks for.
func (x *Index) ranker(s *snapshot, n query.Node) (*ranker, error) {
	var l *lexicon.Lexicon
	if x.lexicon != nil {
		l = x.lexicon.Current()
	}
	// Each of these is by field: title, text.
	var words, grams [2][]string
	var entities []string
	add := func(list *[2][]string, field string, tokens []analysis.Token) {
		for _, t := range tokens {
			for _, in := range fieldsOf(field) {
				if !t.Part && !slices.Contains(list[in], t.Term) {
					list[in] = append(list[in], t.Term)
				}
			}
		}
	}
	text := func(field, value string) {
		add(&words, field, x.analyzer.Words(value))
		add(&grams, field, x.analyzer.Bigrams(value))
	}
	for _, n := range positive(query.Expand(n, l)) {
		switch n := n.(type) {
		case query.Text:
			text(n.Field, n.Value)
		case query.Phrase:
			text(n.Field, n.Value)
		case query.Entity:
			c, err := query.Lower(n, x.analyzer, l)
			if err != nil {
				return nil, err
			}
			for _, c := range append(c.Clauses, c) {
				if c.Op == query.OpKeyword && !slices.Contains(entities, c.Term) {
					entities = append(entities, c.Term)
				}
			}
		}
	}
	k := new(ranker)
	for _, g := range []struct {
		field string
		boost float64
		terms []string
	}{
		{fieldTitleWords, titleBoost, words[inTitle]},
		{fieldTextWords, 1, words[inText]},
		{fieldTitleGrams, titleBoost, grams[inTitle]},
		{fieldTextGrams, 1, grams[inText]},
		{query.FieldEntity, 1, entities},
	} {
		group, err := s.rankGroup(g.field, g.boost, g.terms)
		if err != nil {
			return nil, err
		}
		k.groups = append(k.groups, group)
	}
	return k, nil
}

// frequencies says that the field counts how often a term occurs. An entity is
// mentioned or it is not.
func (g *rankGroup) frequencies() bool { return g.field != query.FieldEntity }

// score returns the score of a document; documents come in ascending order.
func (k *ranker) score(doc uint64) (float64, error) {
	sum := 0.0
	for _, g := range k.groups {
		n, err := g.score(doc, nil)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

func (g *rankGroup) score(doc uint64, explain func(t *rankTerm, tf, length, score float64)) (float64, error) {
	sum := 0.0
	for _, t := range g.terms {
		at, err := t.seek(doc)
		if err != nil {
			return 0, err
		}
		if at != doc {
			continue
		}
		tf, length, w := 1.0, 1.0, g.boost*t.idf
		if g.frequencies() {
			tf = float64(t.doc.Freq)
			length = math.Round(1 / (t.doc.Norm * t.doc.Norm)) // scorch gives 1/√length
			w *= tf * (bm25K1 + 1) / (tf + bm25K1*(1-bm25B+bm25B*length/t.average))
		}
		sum += w
		if explain != nil {
			explain(t, tf, length, w)
		}
	}
	return sum, nil
}

// explain returns how the score of a document comes about.
func (k *ranker) explain(doc uint64) (*search.Explanation, error) {
	top := &search.Explanation{Message: "sum of the fields"}
	for _, g := range k.groups {
		part := &search.Explanation{Message: fmt.Sprintf("field %s, boost %g: sum of the terms", g.field, g.boost)}
		n, err := g.score(doc, func(t *rankTerm, tf, length, score float64) {
			part.Parts = append(part.Parts, &search.Explanation{
				Value: score,
				Message: fmt.Sprintf("%s: BM25 with tf=%g, idf=%.4f (in %d articles), length=%g, average length=%.4f",
					t.text, tf, t.idf, t.docFreq, length, t.average),
			})
		})
		if err != nil {
			return nil, err
		}
		if n > 0 {
			part.Value = n
			top.Value += n
			top.Parts = append(top.Parts, part)
		}
	}
	return top, nil
}
