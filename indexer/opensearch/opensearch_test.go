package opensearch

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"xinwen/indexer/analysis"
	"xinwen/indexer/change"
	"xinwen/indexer/opensearch/opensearchtest"
	"xinwen/indexer/search/searchtest"
	"xinwen/news"
	"xinwen/news/lexicon"
)

func TestMain(m *testing.M) { opensearchtest.Main(m) }

// fixture is shared: making an analyzer takes a while.
var fixture = sync.OnceValues(func() (Options, error) {
	l, err := lexicon.Builtin()
	if err != nil {
		return Options{}, err
	}
	a, err := analysis.New(analysis.Options{Lexicon: l})
	return Options{Analyzer: a, Lexicon: lexicon.NewStore(l)}, err
})

// testOptions returns options for indexes of the test's own.
func testOptions(t testing.TB) Options {
	t.Helper()
	urls := opensearchtest.URLs(t)
	o, err := fixture()
	if err != nil {
		t.Fatal(err)
	}
	none := 0
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(t.Name()))
	o.Config = Config{URLs: urls, Prefix: "t-" + name, Replicas: &none}
	return o
}

// openTest opens an index that is removed at the end of the test.
func openTest(t testing.TB, o Options) *Index {
	t.Helper()
	x, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeTest(t, x) })
	return x
}

func removeTest(t testing.TB, x *Index) {
	t.Helper()
	x, err := Open(context.Background(), Options{Config: x.config, Analyzer: x.analyzer})
	if err != nil {
		t.Error(err)
		return
	}
	for _, path := range []string{"/" + x.config.Prefix + "-*", "/_index_template/" + x.base()} {
		if err := x.client.ask(context.Background(), "DELETE", path+"?expand_wildcards=all", nil, nil); err != nil && !strings.HasPrefix(path, "/_index") {
			t.Error(err)
		}
	}
	if err := x.Close(); err != nil {
		t.Error(err)
	}
}

func testOp(t testing.TB, a *news.Article) change.Op {
	t.Helper()
	data, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	return change.Op{Article: a, Data: data, Time: time.UnixMilli(a.Revision).UTC()}
}

func write(t testing.TB, x *Index, seq uint64, articles ...*news.Article) {
	t.Helper()
	ops := make([]change.Op, len(articles))
	for i, a := range articles {
		ops[i] = testOp(t, a)
	}
	if err := x.Write(t.Context(), seq, ops); err != nil {
		t.Fatal(err)
	}
}

func TestSearcherContract(t *testing.T) {
	for name, monthly := range map[string]bool{"one_index": false, "by_month": true} {
		t.Run(name, func(t *testing.T) {
			o := testOptions(t)
			o.Config.Monthly = monthly
			x := openTest(t, o)
			for i, a := range searchtest.Articles() {
				write(t, x, uint64(i+1), a)
			}
			searchtest.Run(t, x)
		})
	}
}
