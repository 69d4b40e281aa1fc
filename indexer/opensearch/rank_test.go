package opensearch

import (
	"errors"
	"math"
	"net/http"
	"testing"

	"xinwen/indexer/bleve"
	"xinwen/indexer/change"
	"xinwen/indexer/internal/querytest"
	"xinwen/indexer/plan"
	"xinwen/indexer/search"
)

// tolerance is how far a score may be from that of package bleve: both keep the
// lengths of fields in a byte, each in another way.
const tolerance = 0.1

// TestRanksAreThoseOfBleve searches the same articles with both engines. They
// find the same number, with scores as near as tolerance says, in the same order
// where scores are further apart.
func TestRanksAreThoseOfBleve(t *testing.T) {
	o := testOptions(t)
	x := openTest(t, o)
	b, err := bleve.Open(bleve.Options{Dir: t.TempDir(), Analyzer: o.Analyzer, Lexicon: o.Lexicon})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	g := querytest.New(11)
	for seq := uint64(50); seq <= 300; seq += 50 {
		var ops []change.Op
		for range 50 {
			ops = append(ops, testOp(t, g.Article()))
		}
		if err := errors.Join(x.Write(t.Context(), seq, ops), b.Write(t.Context(), seq, ops)); err != nil {
			t.Fatal(err)
		}
	}
	// Articles that were replaced weigh in until they are merged away.
	if err := x.client.ask(t.Context(), http.MethodPost, "/"+x.pattern()+"/_forcemerge?max_num_segments=1", nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := x.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	var requests []search.Request
	for len(requests) < 60 {
		if n := g.Query(); len(plan.Positive(n)) > 0 {
			requests = append(requests, search.Request{Query: n.String(), Sort: search.SortRelevance, Size: search.MaxSize})
		}
	}
	for _, text := range []string{"晶片", "芯片 涨价", "记忆体 封装 产能", "HBM3E 良率", "title:台积电", "GB200 NVL72 价格", "服务器 OR 伺服器"} {
		requests = append(requests, search.Request{Query: text, Match: search.MatchAny, Sort: search.SortRelevance, Size: search.MaxSize})
	}
	worst := 0.0
	for _, r := range requests {
		got, err := x.Search(t.Context(), r)
		if err != nil {
			t.Fatalf("%s: %v", r.Query, err)
		}
		want, err := b.Search(t.Context(), r)
		if err != nil {
			t.Fatalf("%s: %v", r.Query, err)
		}
		if got.Total != want.Total || got.Match != want.Match {
			t.Errorf("%s: got %d by %s, want %d by %s", r.Query, got.Total, got.Match, want.Total, want.Match)
		}
		scores := make(map[string]float64)
		for _, h := range want.Hits {
			scores[h.ID] = h.Score
		}
		above := math.Inf(1)
		for i, h := range got.Hits {
			s, ok := scores[h.ID]
			if !ok {
				continue // of the next page there
			}
			off := math.Abs(h.Score-s) / max(s, 0.1)
			if worst = max(worst, off); off > tolerance {
				t.Errorf("%s: hit %d, %s: got score %g, want %g", r.Query, i, h.ID, h.Score, s)
			}
			if s > above*(1+2*tolerance) {
				t.Errorf("%s: hit %d, %s with score %g there comes after one with %g", r.Query, i, h.ID, s, above)
			}
			above = min(above, s)
		}
		if t.Failed() {
			return
		}
	}
	t.Logf("scores differ by at most %.1f %%", worst*100)
}
