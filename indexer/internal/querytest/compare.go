package querytest

import (
	"slices"
	"testing"

	"xinwen/indexer/analysis"
	"xinwen/indexer/query"
	"xinwen/news"
	"xinwen/news/lexicon"
)

// Index is an index to compare with the evaluator.
type Index struct {
	Analyzer *analysis.Analyzer
	Lexicon  *lexicon.Lexicon
	// Write makes the articles searchable.
	Write func(t testing.TB, seq uint64, articles ...*news.Article)
	// Matching returns the IDs of all articles that match, sorted.
	Matching func(query.Node) ([]string, error)
	// MayRefuse reports whether the index may answer the query with the error;
	// nil if it may refuse none. One query of fifty is allowed.
	MayRefuse func(query.Node, error) bool
}

// Compare writes random articles, deletes some, and holds the index to what the
// evaluator, which alerts use, says of each article for random queries.
func Compare(t *testing.T, x Index, g *Generator, articles, queries int) {
	t.Helper()
	documents := x.fill(t, g, articles)
	refused := 0
	for range queries {
		n := g.Query()
		c, err := query.Lower(query.Expand(n, x.Lexicon), x.Analyzer, x.Lexicon)
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
		got, err := x.Matching(n)
		switch {
		case err != nil && x.MayRefuse != nil && x.MayRefuse(n, err):
			if refused++; refused*50 > queries {
				t.Fatalf("%d of %d queries refused: %v", refused, queries, err)
			}
		case err != nil:
			t.Fatalf("query %s: %v", n, err)
		case !slices.Equal(got, want):
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
	if refused > 0 {
		t.Logf("%d of %d queries refused", refused, queries)
	}
}

// fill writes articles in uneven batches, so that there are several segments,
// and deletes some. It returns those that are left.
func (x Index) fill(t *testing.T, g *Generator, articles int) map[string]*query.Document {
	t.Helper()
	documents := make(map[string]*query.Document)
	var batch []*news.Article
	for i := range articles {
		a := g.Article()
		documents[a.ID] = query.NewDocument(a, x.Analyzer)
		if batch = append(batch, a); len(batch) > i%90 {
			x.Write(t, uint64(i+1), batch...)
			batch = nil
		}
		if i%50 == 49 {
			gone := *a
			gone.Revision, gone.Deleted = a.Revision+1, true
			x.Write(t, uint64(i+1), append(batch, &gone)...)
			batch = nil
			delete(documents, a.ID)
		}
	}
	x.Write(t, uint64(articles), batch...)
	return documents
}
