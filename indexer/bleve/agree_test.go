package bleve

import (
	"context"
	"flag"
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
	var ids []string
	if err := s.ids(context.Background(), d, func(id string) error {
		ids = append(ids, id)
		return nil
	}); err != nil {
		return nil, err
	}
	slices.Sort(ids)
	return ids, nil
}

func lowered(x *Index, n query.Node) (plan.Meaning, error) {
	required, texts := plan.Parts(n)
	return x.planner.Lower(required, texts, query.Expansion{Lexicon: x.planner.Lexicon.Current()})
}
