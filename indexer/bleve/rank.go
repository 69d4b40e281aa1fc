package bleve

import (
	"fmt"
	"math"

	"xinwen/indexer/plan"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
)

// The parameters of BM25, and what a word in a title counts for one in the
// text.
const (
	bm25K1     = 1.2
	bm25B      = 0.75
	titleBoost = 0.3
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
	// weight is the sum of the terms' idf.
	weight float64
}

// rankTerm is a term, or several that mean the same and count as one.
type rankTerm struct {
	docs    []*termDocs
	text    string
	docFreq uint64
	idf     float64
	average float64 // length of the field in tokens
}

// rankGroup opens the postings of terms in a field for scoring.
func (s *snapshot) rankGroup(field string, boost float64, terms []string) (*rankGroup, error) {
	g := &rankGroup{field: field, boost: boost}
	n := float64(s.state.Docs)
	sets := make(map[int]*rankTerm)
	for _, text := range terms {
		in := field
		if g.words() {
			in = wordField(field, text)
		}
		d, err := s.open(in, text, g.frequencies())
		if err != nil {
			return nil, err
		}
		df := d.r.Count()
		if df == 0 {
			continue
		}
		set, _ := query.Synonyms(text)
		if t := sets[set]; t != nil && set >= 0 && g.words() {
			t.docs = append(t.docs, d)
			t.text += "|" + text
			t.docFreq += df
			continue
		}
		t := &rankTerm{docs: []*termDocs{d}, text: text, docFreq: df, average: float64(s.state.Tokens[in]) / n}
		sets[set] = t
		g.terms = append(g.terms, t)
	}
	for _, t := range g.terms {
		df := min(float64(t.docFreq), n)
		t.idf = math.Log(1 + (n-df+0.5)/(df+0.5))
	}
	for _, t := range g.terms {
		g.weight += t.idf
	}
	return g, nil
}

// ranker returns the ranker for the text that a query asks for.
func (x *Index) ranker(s *snapshot, n query.Node, e query.Expansion) (*ranker, error) {
	t, err := x.planner.Terms(n, e)
	if err != nil {
		return nil, err
	}
	return s.ranker(t)
}

// ranker returns the ranker by some terms.
func (s *snapshot) ranker(t plan.Terms) (*ranker, error) {
	k := new(ranker)
	for _, g := range []struct {
		field string
		boost float64
		terms []string
	}{
		{fieldWords, 1, t.Words[inText]},
		{fieldGrams, 1, t.Grams[inText]},
		{fieldTitleWords, titleBoost, t.Words[inTitle]},
		{fieldTitleGrams, titleBoost, t.Grams[inTitle]},
		{query.FieldEntity, 1, t.Entities},
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

// words says that the terms are words; they may have synonyms.
func (g *rankGroup) words() bool { return g.field == fieldWords || g.field == fieldTitleWords }

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

// score returns the group's part of a document's score: the BM25 of its terms,
// times the share that those make of the group by weight.
func (g *rankGroup) score(doc uint64, explain func(t *rankTerm, tf, length, score float64)) (float64, error) {
	sum, matched := 0.0, 0.0
	for _, t := range g.terms {
		tf, length, w := 0.0, 1.0, g.boost*t.idf
		for _, d := range t.docs {
			at, err := d.seek(doc)
			if err != nil {
				return 0, err
			}
			switch {
			case at != doc:
			case g.frequencies():
				tf += float64(d.doc.Freq)
				length = lengthOf(int(math.Round(1 / (d.doc.Norm * d.doc.Norm)))) // scorch gives 1/√code
			default:
				tf = 1
			}
		}
		if tf == 0 {
			continue
		}
		if g.frequencies() {
			w *= tf * (bm25K1 + 1) / (tf + bm25K1*(1-bm25B+bm25B*length/t.average))
		}
		sum += w
		matched += t.idf
		if explain != nil {
			explain(t, tf, length, w)
		}
	}
	if matched == 0 {
		return 0, nil
	}
	return sum * matched / g.weight, nil
}

// explain returns how the score of a document comes about.
func (k *ranker) explain(doc uint64) (*search.Explanation, error) {
	top := &search.Explanation{Message: "sum of the fields"}
	for _, g := range k.groups {
		part := &search.Explanation{Message: fmt.Sprintf("field %s, boost %g: sum of the terms, times the share of the query's weight that they make", g.field, g.boost)}
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
