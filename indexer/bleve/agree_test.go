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
	"xinwen/news/lexicon"
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
		compare(t, x, g, articles, min(articles/2, (*agreePairs-round*articles*articles/2+articles-1)/articles), lex)
		if err := x.Close(); err != nil {
			t.Error(err)
		}
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
		got, err := matching(t, x, n)
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
}

// matching returns the IDs of all articles that match, sorted.
func matching(t *testing.T, x *Index, n query.Node) ([]string, error) {
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
