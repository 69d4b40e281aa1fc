package opensearch

import (
	"slices"
	"testing"

	"xinwen/indexer/query"
	"xinwen/news"
)

// TestPlacesThatRepeat holds what stands several times in a row, in the article
// or the query, to the evaluator.
func TestPlacesThatRepeat(t *testing.T) {
	o := testOptions(t)
	x := openTest(t, o)
	long := make([]rune, 3000)
	for i := range long {
		long[i] = rune('a' + i%26)
	}
	texts := []string{
		"涨涨涨停板", "涨停，涨停。涨停", "chip chip chip", "chip, chips", "芯片荒又是芯片荒", "芯片荒芯片荒", "HBM3E HBM HBM",
		"台积电TSMC台积电", "a|b_c^d <e> 100% ~f =g", string(long) + " end", "股 A股 A股", "",
	}
	docs := make(map[string]*query.Document)
	for i, text := range texts {
		a := &news.Article{Version: news.Version, ID: string(rune('a' + i)), Revision: 1, Title: text, Text: "头，" + text, Lang: "zh"}
		docs[a.ID] = query.NewDocument(a, x.analyzer)
		write(t, x, uint64(i+1), a)
	}
	for _, q := range []string{
		`"涨涨"`, `"涨涨涨"`, `"涨 涨"`, `涨 NEAR/0 涨`, `涨 NEAR/1 涨`, `涨停 NEAR/0 涨停`, `"涨停涨停涨停"`, `chip NEAR/0 chip`, `chip* NEAR/0 chip*`, `"chip chip"`,
		`"chip chip chip"`, `芯片荒 NEAR/2 芯片荒`, `芯片荒 NEAR/0 芯片荒`, `text:"涨涨"`, `title:"涨涨涨"`, `text:(涨 NEAR/0 涨)`, `text:涨`, `"头 涨涨"`, `头 NEAR/0 涨`,
		`hbm NEAR/0 hbm`, `hbm* NEAR/1 hbm*`, `3e NEAR/5 3e`, `"a b c d"`, `100`, `e* NEAR/0 100`, string(long), string(long[:400]) + "*", `end`, `A股 NEAR/0 A股`, `"股 A股"`, `*`, `-涨`,
	} {
		n, err := query.ParseWith(q, query.Options{})
		if err != nil {
			t.Fatalf("%.40s: %v", q, err)
		}
		lex := o.Lexicon.Current()
		c, err := query.Lower(query.Expand(n, lex), x.analyzer, lex)
		if err != nil {
			t.Fatal(err)
		}
		m := query.NewMatcher(c)
		var want []string
		for id, d := range docs {
			if m.Match(d) {
				want = append(want, id)
			}
		}
		slices.Sort(want)
		got, err := matching(t.Context(), x, n, lex)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%.40s: got %v, %v, want %v", q, got, err, want)
		}
	}
}
