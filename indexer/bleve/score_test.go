package bleve

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	gocmp "github.com/google/go-cmp/cmp"

	"xinwen/indexer/search"
	"xinwen/news"
)

// scoreWords are common and rare words of articles, some with synonyms; the nth
// is in about one article of n.
var scoreWords = []string{"wafer", "晶圆", "芯片", "晶片", "foundry", "台积电", "price", "涨价", "内存", "記憶體", "nvidia", "封装", "yield", "光罩", "export", "管制"}

// scoreIndex has several segments, deleted articles in them, and terms that are
// common enough for their frequencies to be kept.
func scoreIndex(t *testing.T) *Index {
	t.Helper()
	x := openTest(t, t.TempDir())
	r := rand.New(rand.NewPCG(3, 4))
	start := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	article := func(i, revision int) *news.Article {
		var text []string
		for n, w := range scoreWords {
			if r.IntN(n+1) == 0 {
				for range 1 + r.IntN(3)*r.IntN(4) {
					text = append(text, w)
				}
			}
		}
		if i%500 == 7 { // more often than a byte says
			text = append(text, strings.Repeat("wafer ", 300))
		}
		r.Shuffle(len(text), func(i, j int) { text[i], text[j] = text[j], text[i] })
		return &news.Article{
			Version: news.Version, ID: fmt.Sprintf("a%05d", i), Revision: int64(revision), Lang: "zh", Source: fmt.Sprint("s", i%7),
			Title: scoreWords[r.IntN(len(scoreWords))], Text: strings.Join(text, " "), Published: start.Add(time.Duration(r.IntN(3000)) * time.Hour),
			Deleted: revision > 1 && r.IntN(3) == 0,
		}
	}
	seq := uint64(0)
	for _, n := range []int{common + 400, 300, 40} {
		var list []*news.Article
		for range n {
			list = append(list, article(int(seq), 1))
			seq++
		}
		write(t, x, seq, list...)
	}
	var list []*news.Article
	for range 300 {
		list = append(list, article(r.IntN(int(seq)), 2))
	}
	write(t, x, seq+1, list...)
	return x
}

// TestSearchEqualsScoringEachHit holds totals, hits, their order and their scores
// to those of every document tried and scored by itself.
func TestSearchEqualsScoringEachHit(t *testing.T) {
	x := scoreIndex(t)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 42 {
		if i == 21 {
			x.memory = newMemory(1) // without room to keep anything
		}
		req := scoreRequest(r, i)
		res, err := x.Search(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		total, want := scoreEach(t, x, req)
		if res.Total != total {
			t.Errorf("%s: got total %d, want %d", req.Query, res.Total, total)
		}
		var got []scoredHit
		for _, h := range res.Hits {
			got = append(got, scoredHit{h.ID, h.Score})
		}
		if d := gocmp.Diff(want[:min(len(want), 10)], got); d != "" {
			t.Errorf("%s: -want +got:\n%s", req.Query, d)
		}
	}
}

// scoreRequest returns a request of random words, of one of seven kinds.
func scoreRequest(r *rand.Rand, kind int) search.Request {
	some := func(n int) []string {
		var list []string
		for range n {
			list = append(list, scoreWords[r.IntN(len(scoreWords))])
		}
		return list
	}
	req := search.Request{Size: 10, Sort: search.SortRelevance, Facets: []string{search.FacetSource}}
	switch kind % 7 {
	case 0:
		req.Query = strings.Join(some(5), " OR ")
	case 1:
		req.Query = strings.Join(some(2), " ")
	case 2:
		w := some(4)
		req.Query = fmt.Sprintf("%s AND (%s OR title:%s) NOT %s", w[0], w[1], w[2], w[3])
	case 3:
		req.Query, req.Match = strings.Join(some(3), " "), search.MatchAny
	case 4:
		req.Query = fmt.Sprintf("%s source:s%d published:2025-04-01..2025-04-09", some(1)[0], r.IntN(7))
	case 5:
		req.Query = strings.Join(some(9), " OR ")
	case 6:
		w := some(3)
		req.Query = fmt.Sprintf("title:%s OR %s OR \"%s\"", w[0], w[1], w[2])
	}
	return req
}

// TestSearchWhileWriting searches from several sides for what is kept in memory
// while segments come and go: for the race detector, and hits must count up.
func TestSearchWhileWriting(t *testing.T) {
	x := scoreIndex(t)
	var group sync.WaitGroup
	for n := range 3 {
		group.Go(func() {
			r := rand.New(rand.NewPCG(uint64(n), 9))
			last := uint64(0)
			for i := range 30 {
				req := scoreRequest(r, i)
				req.Collapse = i%2 == 0
				if _, err := x.Search(t.Context(), req); err != nil {
					t.Error(err)
				}
				res, err := x.Search(t.Context(), search.Request{Query: "芯片 OR wafer", Sort: search.SortNewest, Facets: []string{search.FacetLang}})
				if err != nil {
					t.Error(err)
					return
				}
				if res.Total < last || res.Facets[search.FacetLang][0].Count != int(res.Total) {
					t.Errorf("got %d, with facet %v, after %d", res.Total, res.Facets[search.FacetLang], last)
				}
				last = res.Total
			}
		})
	}
	for i := range uint64(20) {
		var list []*news.Article
		for n := range 20 {
			list = append(list, &news.Article{Version: news.Version, ID: fmt.Sprintf("b%d-%d", i, n), Revision: 1, Lang: "zh", Text: "wafer 芯片"})
		}
		write(t, x, 10_000+i, list...)
	}
	group.Wait()
}

type scoredHit struct {
	ID    string
	Score float64
}

// scoreEach returns all hits of a request, best first: each article is asked for
// by itself and scored as explain does it.
func scoreEach(t *testing.T, x *Index, req search.Request) (uint64, []scoredHit) {
	t.Helper()
	q, err := x.planner.Plan(req)
	if err != nil {
		t.Fatal(err)
	}
	s, err := x.snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	k, err := x.ranker(s, q.Node, q.Expansion)
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.meant(q.Meaning, q.Matches[0])
	if err != nil {
		t.Fatal(err)
	}
	var list []scoredHit
	for _, g := range s.segments {
		for it := g.live.Iterator(); it.HasNext(); {
			doc := it.Next()
			one, err := d.in(t.Context(), g, roaring.BitmapOf(doc))
			if err != nil {
				t.Fatal(err)
			}
			if one.IsEmpty() {
				continue
			}
			e, err := k.explain(g, doc)
			if err != nil {
				t.Fatal(err)
			}
			id, err := g.id(doc)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, scoredHit{id, e.Value})
		}
	}
	slices.SortFunc(list, func(a, b scoredHit) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), strings.Compare(a.ID, b.ID))
	})
	return uint64(len(list)), list
}
