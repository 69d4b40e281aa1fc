package opensearch

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"xinwen/indexer/plan"
	"xinwen/indexer/search"
)

var _ search.Counter = (*Index)(nil)

// facetSize is how many values of a facet are returned; shardValues is how many
// each shard tells of, above which the counts of rare ones may be short where
// there are several shards.
const (
	facetSize   = 50
	shardValues = 5000
)

// aggregations returns what the first request of a list counts.
func (l *listing) aggregations() object {
	a := object{}
	for _, name := range l.facets {
		a[name] = object{"terms": object{
			"field": facetPrefix + name, "size": facetSize, "shard_size": shardValues,
			"order": []object{{"_count": "desc"}, {"_key": "asc"}},
		}}
	}
	if l.stories {
		a[fieldGroup] = object{"cardinality": object{"field": fieldGroup, "precision_threshold": manyStories}}
	}
	return a
}

// facetValues returns the counted values of facets.
func (x *Index) facetValues(names []string, counted map[string]json.RawMessage) (map[string][]search.FacetValue, error) {
	if len(names) == 0 {
		return nil, nil
	}
	all := make(map[string][]search.FacetValue, len(names))
	for _, name := range names {
		list := []search.FacetValue{}
		if data, ok := counted[name]; ok {
			var counts struct {
				Buckets []struct {
					Key   string
					Count int `json:"doc_count"`
				}
			}
			if err := json.Unmarshal(data, &counts); err != nil {
				return nil, fmt.Errorf("facet %s: %w", name, err)
			}
			for _, b := range counts.Buckets {
				list = append(list, search.FacetValue{Value: b.Key, Name: x.planner.FacetName(name, b.Key), Count: b.Count})
			}
		}
		all[name] = list
	}
	return all, nil
}

// bucketPage is how many combinations of values and times are read at once.
const bucketPage = 10_000

// Count implements search.Counter. Articles are counted by steps of time that
// end where intervals do.
func (x *Index) Count(ctx context.Context, r search.CountRequest) (*search.Counts, error) {
	q, err := x.planner.Count(r)
	if err != nil {
		return nil, err
	}
	st, _, err := x.state(ctx)
	if err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	edges := make([]int64, len(r.Edges))
	for i, e := range r.Edges {
		edges[i] = ceilMilli(e)
	}
	groups, err := x.countGroups(ctx, q, r.By, edges)
	if err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	limit := cmp.Or(r.Limit, search.DefaultGroups)
	if err := plan.CheckCounts(min(limit, len(groups)), len(edges)-1); err != nil {
		return nil, err
	}
	list := make([]*countGroup, 0, len(groups))
	for _, g := range groups {
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b *countGroup) int {
		return cmp.Or(cmp.Compare(b.total, a.total), slices.Compare(a.labels, b.labels))
	})
	result := &search.Counts{Groups: []search.CountGroup{}, Truncated: len(list) > limit, AppliedSeq: st.AppliedSeq}
	for _, g := range list[:min(len(list), limit)] {
		out := search.CountGroup{Counts: make([]uint64, len(edges)-1), Total: g.total}
		for i, n := range g.counts {
			out.Counts[i] = n
		}
		for i, name := range r.By {
			if out.Labels == nil {
				out.Labels = make(map[string]string)
			}
			out.Labels[name] = g.labels[i]
		}
		result.Groups = append(result.Groups, out)
	}
	return result, nil
}

// countGroup is the counts of one combination of values.
type countGroup struct {
	labels []string
	total  uint64
	counts map[int]uint64 // by interval
}

// ceilMilli returns the first millisecond that does not begin before t.
func ceilMilli(t time.Time) int64 {
	us := ceil(t)
	ms := us / 1000
	if us > ms*1000 {
		ms++
	}
	return ms
}

// step returns the longest step of time, and its offset, in milliseconds, by
// which all edges can be reached.
func step(edges []int64) (length, offset int64) {
	for i, e := range edges[1:] {
		a, b := length, e-edges[i]
		for b != 0 {
			a, b = b, a%b
		}
		length = a
	}
	if offset = edges[0] % length; offset < 0 {
		offset += length
	}
	return length, offset
}

// countGroups counts what q matches by the facets in by and the intervals between
// edges, in milliseconds.
func (x *Index) countGroups(ctx context.Context, q *plan.Plan, by []string, edges []int64) (map[string]*countGroup, error) {
	inner := edges
	if r := q.Request; len(edges) > 2 && edges[0] == ceilMilli(time.Time{}) && r.From.IsZero() {
		inner = edges[1:] // from the beginning: all that is before the second edge
	}
	length, offset := int64(1<<52), int64(0) // one step
	if len(inner) > 2 || len(inner) == len(edges) && len(edges) > 2 {
		length, offset = step(inner)
	}
	var sources []object
	for _, name := range by {
		source := object{"field": facetPrefix + name}
		if name != search.FacetEntity && name != search.FacetTopic && name != search.FacetStory {
			source["missing_bucket"] = true
		}
		sources = append(sources, object{name: object{"terms": source}})
	}
	steps := length < 1<<52
	if steps {
		sources = append(sources, object{stepSource: object{"date_histogram": object{
			"field": fieldDay, "fixed_interval": strconv.FormatInt(length, 10) + "ms", "offset": strconv.FormatInt(offset, 10) + "ms",
		}}})
	}
	groups := make(map[string]*countGroup)
	// Where one interval cannot be reached by steps it is counted by itself.
	if !steps {
		for i := range edges[1:] {
			if err := x.countInto(ctx, groups, q, by, sources, edges[i], edges[i+1], func(int64) int { return i }); err != nil {
				return nil, err
			}
		}
		return groups, nil
	}
	return groups, x.countInto(ctx, groups, q, by, sources, edges[0], edges[len(edges)-1], func(at int64) int {
		return sort.Search(len(edges), func(i int) bool { return edges[i] > at }) - 1
	})
}

const stepSource = "step"

// countInto adds to groups the counts of articles between two times; interval
// says which one a step is in.
func (x *Index) countInto(ctx context.Context, groups map[string]*countGroup, q *plan.Plan, by []string, sources []object, from, to int64, interval func(at int64) int) error {
	filter := allOf(wanted(q, q.Matches[0]), object{"range": object{fieldDay: object{"gte": from, "lt": to}}})
	add := func(labels []string, i int, n uint64) {
		key := strings.Join(labels, "\x00")
		g := groups[key]
		if g == nil {
			g = &countGroup{labels: labels, counts: make(map[int]uint64)}
			groups[key] = g
		}
		g.counts[i] += n
		g.total += n
	}
	if len(sources) == 0 {
		counts, err := x.counts(ctx, []object{filter})
		if err == nil && counts[0] > 0 {
			add(nil, interval(from), counts[0])
		}
		return err
	}
	composite := object{"size": bucketPage, "sources": sources}
	for {
		res, err := x.search(ctx, object{
			"query": object{"constant_score": object{"filter": filter}}, "size": 0, "track_total_hits": false,
			"aggs": object{"groups": object{"composite": composite}},
		})
		if err != nil {
			return err
		}
		if res.Aggregations == nil {
			return nil // there is no index yet
		}
		var found struct {
			After   map[string]any `json:"after_key"`
			Buckets []struct {
				Key   map[string]any
				Count uint64 `json:"doc_count"`
			}
		}
		if err := json.Unmarshal(res.Aggregations["groups"], &found); err != nil {
			return err
		}
		for _, b := range found.Buckets {
			labels := make([]string, len(by))
			for i, name := range by {
				labels[i], _ = b.Key[name].(string) // null is unknown
			}
			at := from
			if ms, ok := b.Key[stepSource].(float64); ok {
				at = max(int64(ms), from)
			}
			add(labels, interval(at), b.Count)
		}
		if len(found.Buckets) < bucketPage || found.After == nil {
			return nil
		}
		composite["after"] = found.After
	}
}
