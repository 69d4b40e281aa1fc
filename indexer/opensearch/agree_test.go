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
			compare(t, x, querytest.New(uint64(round)+1), articles, queries, o.Lexicon.Current())
		})
		if t.Failed() {
			return
		}
	}
}

func compare(t *testing.T, x *Index, g *querytest.Generator, articles, queries int, lex *lexicon.Lexicon) {
	t.Helper()
	documents := make(map[string]*query.Document)
	var batch []*news.Article
	for i := range articles {
		a := g.Article()
		documents[a.ID] = query.NewDocument(a, x.analyzer)
		// Uneven batches, so that there are several segments, and some deletions.
		if batch = append(batch, a); len(batch) > i%90 {
			write(t, x, uint64(i+1), batch...)
			batch = nil
		}
		if i%50 == 49 {
			gone := *a
			gone.Revision, gone.Deleted = a.Revision+1, true
			write(t, x, uint64(i+1), append(batch, &gone)...)
			batch = nil
			delete(documents, a.ID)
		}
	}
	write(t, x, uint64(articles), batch...)
	tooMany := 0 // words that a prefix stands for: OpenSearch has a limit there
	for range queries {
		n := g.Query()
		c, err := query.Lower(query.Expand(n, lex), x.analyzer, lex)
		if err != nil {
			t.Fatalf("query %s: %v", n, err)
		}
		m := query.NewMatcher(c)
		var want []string
		for id, d := range documents {
			if m.Match(d) {
				want = append(want, id)
			}
		}
		slices.Sort(want)
		got, err := matching(t.Context(), x, n, lex)
		var refused *search.RequestError
		if errors.As(err, &refused) && strings.Contains(n.String(), "*") {
			if tooMany++; tooMany*50 > queries {
				t.Fatalf("%d of %d queries refused: %v", tooMany, queries, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("query %s: %v", n, err)
		}
		if !slices.Equal(got, want) {
			t.Errorf("query %s: got %v, want %v", n, got, want)
			for id, d := range documents {
				if slices.Contains(got, id) != slices.Contains(want, id) {
					t.Logf("%s: %q %q", id, d.Article().Title, d.Article().Text)
					break
				}
			}
			return
		}
	}
	if tooMany > 0 {
		t.Logf("%d of %d queries stand for too many words", tooMany, queries)
	}
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
