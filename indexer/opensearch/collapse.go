package opensearch

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"xinwen/indexer/search"
)

// manyStories is up to how many stories their number is exact.
const manyStories = 40_000

// collapsed reads up to n more hits, of each story only the best. Hits of the
// story apart, if that is not "", are shown each. OpenSearch collapses only from
// the beginning; from any place on, a hit is shown that is the best of its
// story's.
func (l *listing) collapsed(ctx context.Context, n int, apart string) ([]*shownHit, error) {
	var shown []*shownHit
	for {
		// Hits of stories that were shown before are passed over, so more are read
		// than wanted.
		many := min(max(2*n, 20), 500)
		if n == 0 {
			many = 0
		}
		hits, err := l.next(ctx, many)
		if err != nil || len(hits) == 0 {
			return shown, err
		}
		best, err := l.best(ctx, hits, apart)
		if err != nil {
			return nil, err
		}
		for _, h := range hits {
			g := best[h.group()]
			if h.group() != apart && (g == nil || g.id != h.ID) {
				continue
			}
			if g != nil {
				h.more = g.more
			}
			if shown = append(shown, h); len(shown) == n {
				return shown, nil
			}
		}
		if len(hits) < many {
			return shown, nil
		}
	}
}

// groupBest is the best hit of a story.
type groupBest struct {
	id   string
	more *search.More
}

// best returns the best hit of the stories of some hits, and what more they have.
func (l *listing) best(ctx context.Context, hits []*shownHit, apart string) (map[string]*groupBest, error) {
	var names []string
	for _, h := range hits {
		if name := h.group(); name != apart && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	best := make(map[string]*groupBest, len(names))
	if len(names) == 0 {
		return best, nil
	}
	res, err := l.x.search(ctx, object{
		"query":       l.query,
		"post_filter": terms(fieldGroup, names),
		"collapse":    object{"field": fieldGroup}, "sort": l.sort, "size": len(names),
		"_source": false, "track_scores": true, "docvalue_fields": []string{fieldGroup, fieldTongue}, "track_total_hits": false,
		"aggs": object{"mine": object{
			"filter": terms(fieldGroup, names),
			"aggs": object{"groups": object{
				"terms": object{"field": fieldGroup, "size": len(names)},
				"aggs":  object{"languages": object{"terms": object{"field": fieldTongue, "size": 50, "order": object{"_key": "asc"}}}},
			}},
		}},
	})
	if err != nil {
		return nil, err
	}
	var counts struct {
		Groups struct{ Buckets []groupBucket }
	}
	if err := json.Unmarshal(res.Aggregations["mine"], &counts); err != nil {
		return nil, err
	}
	tongues := make(map[string]string)
	for i := range res.Hits.Hits {
		h := &res.Hits.Hits[i]
		best[h.group()] = &groupBest{id: h.ID}
		tongues[h.group()] = h.value(fieldTongue)
	}
	for _, b := range counts.Groups.Buckets {
		g := best[b.Key]
		if g == nil || b.Count < 2 {
			continue
		}
		g.more = &search.More{Articles: b.Count - 1, Languages: b.others(tongues[b.Key])}
	}
	return best, nil
}

// groupBucket counts the hits of a story by language.
type groupBucket struct {
	Key       string
	Count     int `json:"doc_count"`
	Languages struct {
		Buckets []struct {
			Key   string
			Count int `json:"doc_count"`
		}
	}
}

// others returns the languages of the hits without the one in shown.
func (b *groupBucket) others(shown string) []string {
	counts := make(map[string]int)
	known := 0
	for _, l := range b.Languages.Buckets {
		counts[l.Key] = l.Count
		known += l.Count
	}
	if known < b.Count {
		counts[""] = b.Count - known
	}
	if counts[shown]--; counts[shown] <= 0 {
		delete(counts, shown)
	}
	return slices.Sorted(maps.Keys(counts))
}
