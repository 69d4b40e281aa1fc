package bleve

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"xinwen/indexer/search"
	"xinwen/news"
)

// TestNewestIsOldestBackwards pages through many articles, some without a time
// and some with the same, from either end.
func TestNewestIsOldestBackwards(t *testing.T) {
	x := openTest(t, t.TempDir())
	r := rand.New(rand.NewPCG(5, 6))
	start := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	const count = 2500
	var batch []*news.Article
	for i := range count {
		a := &news.Article{Version: news.Version, ID: fmt.Sprintf("a%04d", i), Revision: 1, Lang: "zh", Title: "晶圆"}
		if r.IntN(50) > 0 {
			a.Published = start.Add(time.Duration(r.IntN(40*24)) * time.Hour)
		}
		batch = append(batch, a)
	}
	write(t, x, count, batch...)
	times := make(map[string]time.Time)
	for _, a := range batch {
		times[a.ID] = a.Time()
	}
	list := func(sort string) []string {
		var ids []string
		for r := (search.Request{Sort: sort, Size: search.MaxSize}); ; {
			res, err := x.Search(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			for _, h := range res.Hits {
				ids = append(ids, h.ID)
			}
			if r.Cursor = res.NextCursor; r.Cursor == "" {
				if res.Total != uint64(len(ids)) {
					t.Errorf("by %s: got total %d of %d hits", sort, res.Total, len(ids))
				}
				return ids
			}
		}
	}
	newest, oldest := list(search.SortNewest), list(search.SortOldest)
	slices.SortStableFunc(oldest, func(a, b string) int { return times[b].Compare(times[a]) })
	if len(newest) != count || !slices.Equal(newest, oldest) {
		t.Errorf("got %d from new to old, want the %d of old to new backwards", len(newest), len(oldest))
	}
}
