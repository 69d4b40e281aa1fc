package bleve

import (
	"flag"
	"fmt"
	"slices"
	"testing"

	"xinwen/indexer/internal/querytest"
	"xinwen/indexer/plan"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
)

var agreePairs = flag.Int("agree", 40_000, "query and article pairs in TestIndexAgreesWithEvaluator")

// TestIndexAgreesWithEvaluator searches random articles with random queries and
// holds the index to what the evaluator, which alerts use, says of each.
func TestIndexAgreesWithEvaluator(t *testing.T) {
	lex := testOptions(t, "").Lexicon.Current()
	const articles = 500
	for round := 0; round*articles*articles/2 < *agreePairs; round++ {
		g := querytest.New(uint64(round) + 1)
		x, err := Open(testOptions(t, t.TempDir()))
		if err != nil {
			t.Fatal(err)
		}
		querytest.Compare(t, querytest.Index{
			Analyzer: x.analyzer, Lexicon: lex,
			Write:    func(t testing.TB, seq uint64, articles ...*news.Article) { write(t, x, seq, articles...) },
			Matching: func(n query.Node) ([]string, error) { return matching(x, n) },
		}, g, articles, min(articles/2, (*agreePairs-round*articles*articles/2+articles-1)/articles))
		if err := x.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			return
		}
	}
}

// matching returns the IDs of all articles that match, sorted.
func matching(x *Index, n query.Node) ([]string, error) {
	s, err := x.snapshot()
	if err != nil {
		return nil, err
	}
	defer s.close()
	m, err := lowered(x, n)
	if err != nil {
		return nil, err
	}
	d, err := s.meant(m, search.MatchAll)
	if err != nil {
		return nil, err
	}
	c := &collector{r: s.r, size: 1 << 20}
	for doc, err := d.seek(0); doc != done || err != nil; doc, err = d.seek(doc + 1) {
		if err != nil {
			return nil, err
		}
		if err := c.add(found{doc: doc}); err != nil {
			return nil, err
		}
	}
	page, err := c.page()
	if err != nil {
		return nil, err
	}
	if uint64(len(page)) != c.total {
		return nil, fmt.Errorf("total %d of %d hits", c.total, len(page))
	}
	var ids []string
	for _, f := range page {
		ids = append(ids, f.id)
	}
	slices.Sort(ids)
	return ids, nil
}

func lowered(x *Index, n query.Node) (plan.Meaning, error) {
	required, texts := plan.Parts(n)
	return x.planner.Lower(required, texts, query.Expansion{Lexicon: x.planner.Lexicon.Current()})
}
