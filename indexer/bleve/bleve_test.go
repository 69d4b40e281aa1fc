package bleve

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"xinwen/indexer/analysis"
	"xinwen/indexer/search/searchtest"
	"xinwen/news"
	"xinwen/news/lexicon"
)

// fixture is shared: making an analyzer takes a while.
var fixture = sync.OnceValues(func() (Options, error) {
	l, err := lexicon.Builtin()
	if err != nil {
		return Options{}, err
	}
	a, err := analysis.New(analysis.Options{Lexicon: l})
	return Options{Analyzer: a, Lexicon: lexicon.NewStore(l)}, err
})

// testOptions returns options for an index in dir.
func testOptions(t testing.TB, dir string) Options {
	t.Helper()
	o, err := fixture()
	if err != nil {
		t.Fatal(err)
	}
	o.Dir = dir
	return o
}

// openTest opens an index that is closed at the end of the test.
func openTest(t testing.TB, dir string) *Index {
	t.Helper()
	x, err := Open(testOptions(t, dir))
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
