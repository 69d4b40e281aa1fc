package bleve

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"xinwen/indexer/analysis"
	"xinwen/indexer/search/searchtest"
	"xinwen/news"
)

// analyzer is shared: making one takes a while.
var analyzer = sync.OnceValues(func() (*analysis.Analyzer, error) { return analysis.New(analysis.Options{}) })

func testAnalyzer(t testing.TB) *analysis.Analyzer {
	a, err := analyzer()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// openTest opens an index that is closed at the end of the test.
func openTest(t testing.TB, dir string) *Index {
	t.Helper()
	x, err := Open(Options{Dir: dir, Analyzer: testAnalyzer(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

func testOp(t testing.TB, a *news.Article) Op {
	t.Helper()
	data, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return Op{Article: a, Data: data, Time: time.UnixMilli(a.Revision).UTC()}
}

func write(t testing.TB, x *Index, seq uint64, articles ...*news.Article) {
	t.Helper()
	ops := make([]Op, len(articles))
	for i, a := range articles {
		ops[i] = testOp(t, a)
	}
	if err := x.Write(t.Context(), seq, ops); err != nil {
		t.Fatal(err)
	}
}

func TestSearcherContract(t *testing.T) {
	x := openTest(t, t.TempDir())
	for i, a := range searchtest.Articles() {
		write(t, x, uint64(i+1), a)
	}
	searchtest.Run(t, x)
}
