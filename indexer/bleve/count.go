package bleve

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"xinwen/indexer/plan"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
)

var _ search.Counter = (*Index)(nil)

// Count implements search.Counter.
func (x *Index) Count(ctx context.Context, r search.CountRequest) (*search.Counts, error) {
	q, err := x.planner.Count(r)
	if err != nil {
		return nil, err
	}
	if err := x.turns.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	defer x.turns.Release(1)
	s, err := x.snapshot()
	if err != nil {
		return nil, err
	}
	defer s.close()
	d, err := s.planned(q, q.Matches[0])
	if err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	groups := newGroups(r.By)
	for _, g := range s.segments {
		hits, err := d.in(ctx, g, g.live)
		if err == nil {
			err = groups.add(ctx, g, hits, r.Edges)
		}
		if err != nil {
			return nil, fmt.Errorf("count: %w", err)
		}
	}
	limit := cmp.Or(r.Limit, search.DefaultGroups)
	if err := plan.CheckCounts(min(limit, len(groups.groups)), len(r.Edges)-1); err != nil {
		return nil, err
	}
	c := groups.counts(limit, len(r.Edges)-1)
	c.AppliedSeq = s.state.AppliedSeq
	return c, nil
}

// groups counts documents by the values of some facets.
type groups struct {
	by     []string
	groups map[string]*group
}

type group struct {
	labels []string
	total  uint64
	counts map[int]uint64 // by interval
}

func newGroups(by []string) *groups { return &groups{by: by, groups: make(map[string]*group)} }

// combination is the values of the facets as the indexes of a segment's names,
// each plus 1; 0 is unknown.
type combination [maxBy]uint32

const maxBy = 6 // plan.FacetFields

// add counts the hits of a segment by the intervals between edges.
func (g *groups) add(ctx context.Context, in *segment, hits *roaring.Bitmap, edges []time.Time) error {
	times, err := in.timesOf(query.FieldPublished)
	if err != nil {
		return err
	}
	columns := make([]*column, len(g.by))
	for i, name := range g.by {
		if columns[i], err = in.column(facetPrefix + name); err != nil {
			return err
		}
	}
	known := make(map[combination]*group)
	var last combination
	var current *group
	count := func(c combination, interval int) {
		if current == nil || c != last {
			if last, current = c, known[c]; current == nil {
				current = g.of(columns, c)
				known[c] = current
			}
		}
		current.counts[interval]++
		current.total++
	}
	interval := 0
	return each(ctx, hits, func(doc uint32) error {
		// Most documents are of the interval of the one before.
		if interval < 0 || interval == len(edges)-1 || times.before(doc, edges[interval]) || !times.before(doc, edges[interval+1]) {
			interval = sort.Search(len(edges), func(i int) bool { return times.before(doc, edges[i]) }) - 1
		}
		if interval >= 0 && interval < len(edges)-1 {
			g.each(columns, doc, 0, combination{}, func(c combination) { count(c, interval) })
		}
		return nil
	})
}

// each calls visit with the combinations of the document's values, of which
// those before i are in c.
func (g *groups) each(columns []*column, doc uint32, i int, c combination, visit func(c combination)) {
	if i == len(columns) {
		visit(c)
		return
	}
	var buf [1]uint32
	values := columns[i].of(doc, &buf)
	for _, v := range values {
		c[i] = v + 1
		g.each(columns, doc, i+1, c, visit)
	}
	if name := g.by[i]; len(values) == 0 && name != search.FacetEntity && name != search.FacetTopic && name != search.FacetStory {
		c[i] = 0
		g.each(columns, doc, i+1, c, visit)
	}
}

// of returns the group of a combination of a segment's values.
func (g *groups) of(columns []*column, c combination) *group {
	labels := make([]string, len(columns))
	for i, column := range columns {
		if c[i] > 0 {
			labels[i] = column.names[c[i]-1]
		}
	}
	key := strings.Join(labels, "\x00")
	if g.groups[key] == nil {
		g.groups[key] = &group{labels: labels, counts: make(map[int]uint64)}
	}
	return g.groups[key]
}

// counts returns the largest groups.
func (g *groups) counts(limit, intervals int) *search.Counts {
	list := make([]*group, 0, len(g.groups))
	for _, c := range g.groups {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.total, a.total), slices.Compare(a.labels, b.labels))
	})
	result := &search.Counts{Groups: []search.CountGroup{}, Truncated: len(list) > limit}
	for _, c := range list[:min(len(list), limit)] {
		out := search.CountGroup{Counts: make([]uint64, intervals), Total: c.total}
		for i, n := range c.counts {
			out.Counts[i] = n
		}
		for i, name := range g.by {
			if out.Labels == nil {
				out.Labels = make(map[string]string)
			}
			out.Labels[name] = c.labels[i]
		}
		result.Groups = append(result.Groups, out)
	}
	return result
}
