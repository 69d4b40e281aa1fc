package bleve

import (
	"fmt"
	"math"

	zap "github.com/blevesearch/scorch_segment_api/v2"

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
	asked  []*part // the terms of all groups, nil if not needed yet
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
	lists   []*rankList
	text    string
	docFreq uint64
	idf     float64
	boost   float64
	average float64 // length of the field in tokens
	counted bool    // it matters how often it occurs
	rows    [often]*row
}

// row is what a term that occurs so often adds to the score, by the code of the
// field's length.
type row [128]float64

// rankList is where one term stands: its postings by segment.
type rankList struct {
	key      fieldTerm
	postings map[*segment]zap.PostingsList
}

func (s *snapshot) rankList(key fieldTerm) (l *rankList, docFreq uint64, err error) {
	l = &rankList{key: key, postings: make(map[*segment]zap.PostingsList, len(s.segments))}
	for _, g := range s.segments {
		list, err := g.postings(key.field, key.term)
		if err != nil {
			return nil, 0, err
		}
		if n := g.count(bitmapOf(list)); n > 0 {
			l.postings[g] = list
			docFreq += n
		}
	}
	return l, docFreq, nil
}

// rankGroup looks up terms in a field for scoring.
func (s *snapshot) rankGroup(field string, boost float64, terms []string) (*rankGroup, error) {
	g := &rankGroup{field: field, boost: boost}
	n := float64(s.state.Docs)
	sets := make(map[string]*rankTerm)
	for _, text := range terms {
		in := field
		if g.words() {
			in = wordField(field, text)
		}
		l, df, err := s.rankList(fieldTerm{in, text})
		if err != nil {
			return nil, err
		}
		if df == 0 {
			continue
		}
		set := query.Alike(text, g.words())
		if t := sets[set]; t != nil {
			t.lists = append(t.lists, l)
			t.text += "|" + text
			t.docFreq += df
			continue
		}
		t := &rankTerm{
			lists: []*rankList{l}, text: text, docFreq: df, boost: boost,
			average: float64(s.state.Tokens[in]) / n, counted: g.field != query.FieldEntity, // an entity is mentioned or it is not
		}
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
		if len(group.terms) > 0 {
			k.groups = append(k.groups, group)
		}
	}
	return k, nil
}

// words says that the terms are words; they may have synonyms.
func (g *rankGroup) words() bool { return g.field == fieldWords || g.field == fieldTitleWords }

// score returns what the term adds to the score of a document that has it tf
// times in a field whose length has a code.
func (t *rankTerm) score(tf float64, code uint8) float64 {
	w := t.boost * t.idf
	if t.counted {
		w *= tf * (bm25K1 + 1) / (tf + bm25K1*(1-bm25B+bm25B*lengthOf(int(code))/t.average))
	}
	return w
}

// scores returns score for all lengths.
func (t *rankTerm) scores(tf uint8) *row {
	r := t.rows[tf]
	if r == nil {
		r = new(row)
		for code := range r {
			r[code] = t.score(float64(tf), uint8(code))
		}
		t.rows[tf] = r
	}
	return r
}

// score returns the group's part of a document's score: the BM25 of its terms,
// times the share that those make of the group by weight.
func (g *rankGroup) score(in *segment, doc uint32, explain func(t *rankTerm, tf, length, score float64)) (float64, error) {
	sum, matched := 0.0, 0.0
	for _, t := range g.terms {
		tf, code, err := t.frequency(in, doc)
		if err != nil {
			return 0, err
		}
		if tf == 0 {
			continue
		}
		w := t.score(tf, code)
		sum += w
		matched += t.idf
		explain(t, tf, lengthOf(int(code)), w)
	}
	if matched == 0 {
		return 0, nil
	}
	return sum * matched / g.weight, nil
}

// frequency returns how often a document has the term, 0 if it does not, and the
// code of the field's length.
func (t *rankTerm) frequency(in *segment, doc uint32) (tf float64, code uint8, err error) {
	code = 1
	for _, l := range t.lists {
		list := l.postings[in]
		if list == nil {
			continue
		}
		p, err := list.Iterator(t.counted, t.counted, false, nil).Advance(uint64(doc))
		if err != nil {
			return 0, 0, err
		}
		switch {
		case p == nil || p.Number() != uint64(doc):
		case t.counted:
			tf += float64(p.Frequency())
			code = codeOf(p)
		default:
			tf = 1
		}
	}
	return tf, code, nil
}

// explain returns how the score of a document comes about.
func (k *ranker) explain(in *segment, doc uint32) (*search.Explanation, error) {
	top := &search.Explanation{Message: "sum of the fields"}
	for _, g := range k.groups {
		part := &search.Explanation{Message: fmt.Sprintf("field %s, boost %g: sum of the terms, times the share of the query's weight that they make", g.field, g.boost)}
		n, err := g.score(in, doc, func(t *rankTerm, tf, length, score float64) {
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
