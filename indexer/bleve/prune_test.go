package bleve

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"xinwen/indexer/search"
)

// TestBestLeavesOutWhatCannotBeShown scores an OR of common words: far fewer hits
// are scored than there are, and the best are those of all hits.
func TestBestLeavesOutWhatCannotBeShown(t *testing.T) {
	x := scoreIndex(t)
	req := search.Request{Query: "wafer OR 晶圆 OR foundry OR price OR 涨价", Sort: search.SortRelevance}
	q, err := x.planner.Plan(req)
	if err != nil {
		t.Fatal(err)
	}
	s, err := x.snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	d, err := s.meant(q.Meaning, search.MatchAll)
	if err != nil {
		t.Fatal(err)
	}
	k, err := x.ranker(s, q.Node, q.Expansion)
	if err != nil {
		t.Fatal(err)
	}
	const shown = 10
	var all, best []float64
	hits, scored := 0, 0
	for _, g := range s.segments {
		of, err := d.in(t.Context(), g, g.live)
		if err != nil {
			t.Fatal(err)
		}
		hits += int(of.GetCardinality())
		if err := k.score(t.Context(), g, of, func(_ uint32, score float64) error {
			all = append(all, score)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		full := func(score float64) bool { return len(best) == shown && score < best[shown-1] }
		if err := k.best(t.Context(), g, of, full, func(_ uint32, score float64) error {
			scored++
			if best = append(best, score); len(best) > shown {
				slices.SortFunc(best, func(a, b float64) int { return cmp.Compare(b, a) })
				best = best[:shown]
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	slices.SortFunc(all, func(a, b float64) int { return cmp.Compare(b, a) })
	if !slices.Equal(best, all[:shown]) {
		t.Errorf("got %v, want %v", best, all[:shown])
	}
	if scored > hits/2 {
		t.Errorf("%d of %d hits were scored", scored, hits)
	}
}

// TestBoundIsNoLowerThanAnyScore holds the bound of what hits may have to the
// scores of those that have it.
func TestBoundIsNoLowerThanAnyScore(t *testing.T) {
	x := scoreIndex(t)
	s, err := x.snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	r := rand.New(rand.NewPCG(7, 8))
	for range 20 {
		words := make([]string, 1+r.IntN(9))
		for i := range words {
			words[i] = scoreWords[r.IntN(len(scoreWords))]
		}
		q, err := x.planner.Plan(search.Request{Query: strings.Join(words, " OR "), Sort: search.SortRelevance})
		if err != nil {
			t.Fatal(err)
		}
		k, err := x.ranker(s, q.Node, q.Expansion)
		if err != nil {
			t.Fatal(err)
		}
		k.asked = k.parts()
		terms := 0
		for _, p := range k.asked {
			terms += len(p.terms)
		}
		for _, g := range k.groups {
			terms -= len(g.terms)
		}
		if terms != 0 || len(k.asked) > maxParts {
			t.Fatalf("%q: %d parts, %d terms more than there are", words, len(k.asked), terms)
		}
		for _, g := range s.segments {
			if err := k.score(t.Context(), g, g.live, func(doc uint32, score float64) error {
				has := uint(0)
				for n, p := range k.asked {
					if p.docs(g).Contains(doc) {
						has |= 1 << n
					}
				}
				if bound := k.bound(has); score > bound {
					return fmt.Errorf("document %d has %b of %q: got score %g, want at most %g", doc, has, words, score, bound)
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
	}
}
