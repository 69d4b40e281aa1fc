package opensearch

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"xinwen/indexer/internal/querytest"
	"xinwen/indexer/plan"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/lexicon"
)

var agreePairs = flag.Int("agree", 40_000, "query and article pairs in TestIndexAgreesWithEvaluator")

// TestIndexAgreesWithEvaluator searches random articles with random queries and
// holds the index to what the evaluator, which alerts use and package bleve is
// held to as well, says of each.
func TestIndexAgreesWithEvaluator(t *testing.T) {
	const articles = 500
	for round := 0; round*articles*articles < *agreePairs; round++ {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			o := testOptions(t)
			x := openTest(t, o)
			queries := min(articles, (*agreePairs-round*articles*articles+articles-1)/articles)
			lex := o.Lexicon.Current()
			querytest.Compare(t, querytest.Index{
				Analyzer: x.analyzer, Lexicon: lex,
				Write:     func(t testing.TB, seq uint64, articles ...*news.Article) { write(t, x, seq, articles...) },
				Matching:  func(n query.Node) ([]string, error) { return matching(t.Context(), x, n, lex) },
				MayRefuse: standsForTooMany,
			}, querytest.New(uint64(round)+1), articles, queries)
		})
		if t.Failed() {
			return
		}
	}
}

// standsForTooMany reports whether the cluster refused a prefix that stands for
// more words than its limit.
func standsForTooMany(n query.Node, err error) bool {
	var refused *search.RequestError
	return errors.As(err, &refused) && strings.Contains(n.String(), "*")
}

// matching returns the IDs of all articles that match, sorted.
func matching(ctx context.Context, x *Index, n query.Node, lex *lexicon.Lexicon) ([]string, error) {
	required, texts := plan.Parts(n)
	m, err := x.planner.Lower(required, texts, query.Expansion{Lexicon: lex})
	if err != nil {
		return nil, err
	}
	res, err := x.search(ctx, object{
		"query": wanted(&plan.Plan{Meaning: m}, search.MatchAll), "size": 10_000, "_source": false, "track_total_hits": true,
	})
	if err != nil {
		return nil, err
	}
	if int(res.Hits.Total.Value) != len(res.Hits.Hits) {
		return nil, fmt.Errorf("total %d of %d hits", res.Hits.Total.Value, len(res.Hits.Hits))
	}
	var ids []string
	for _, h := range res.Hits.Hits {
		ids = append(ids, h.ID)
	}
	slices.Sort(ids)
	return ids, nil
}
