package bleve

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	bleveindex "github.com/blevesearch/bleve_index_api"

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
	edges := make([]string, len(r.Edges))
	for i, e := range r.Edges {
		edges[i] = encodeTime(e)
	}
	s, err := x.snapshot()
	if err != nil {
		return nil, err
	}
	defer s.close()
	d, err := s.planned(q, q.Matches[0])
	if err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	times, err := s.values(query.FieldPublished)
	if err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	groups, err := s.groups(r.By)
	if err != nil {
		return nil, fmt.Errorf("count: %w", err)
	}
	n := 0
	for doc, err := d.seek(0); doc != done || err != nil; doc, err = d.seek(doc + 1) {
		if err != nil {
			return nil, fmt.Errorf("count: %w", err)
		}
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		at, err := times.of(doc)
		if err != nil {
			return nil, fmt.Errorf("count: %w", err)
		}
		interval := sort.Search(len(edges), func(i int) bool { return edges[i] > at }) - 1
		if at == "" || interval < 0 || interval == len(edges)-1 {
			continue
		}
		if err := groups.add(doc, interval); err != nil {
			return nil, fmt.Errorf("count: %w", err)
		}
	}
	limit := cmp.Or(r.Limit, search.DefaultGroups)
	if err := plan.CheckCounts(min(limit, len(groups.groups)), len(edges)-1); err != nil {
		return nil, err
	}
	c := groups.counts(limit, len(edges)-1)
	c.AppliedSeq = s.state.AppliedSeq
	return c, nil
}

// groups counts documents by the values of some facets.
type groups struct {
	by     []string
	r      bleveindex.DocValueReader
	id     bleveindex.IndexInternalID
	values [][]string // of the document, for each facet
	groups map[string]*group
}

type group struct {
	labels []string
	total  uint64
	counts map[int]uint64 // by interval
}

func (s *snapshot) groups(by []string) (*groups, error) {
	g := &groups{by: by, values: make([][]string, len(by)), groups: make(map[string]*group)}
	fields := make([]string, len(by))
	for i, name := range by {
		fields[i] = facetPrefix + name
	}
	var err error
	g.r, err = s.r.DocValueReader(fields)
	return g, err
}

// add counts a document in an interval.
func (g *groups) add(doc uint64, interval int) error {
	for i := range g.values {
		g.values[i] = g.values[i][:0]
	}
	if len(g.by) > 0 {
		g.id = bleveindex.NewIndexInternalID(g.id, doc)
		err := g.r.VisitDocValues(g.id, func(field string, term []byte) {
			i := slices.Index(g.by, strings.TrimPrefix(field, facetPrefix))
			g.values[i] = append(g.values[i], string(term))
		})
		if err != nil {
			return err
		}
	}
	for i, name := range g.by {
		if len(g.values[i]) == 0 && name != search.FacetEntity && name != search.FacetTopic && name != search.FacetStory {
			g.values[i] = append(g.values[i], "") // unknown
		}
	}
	g.each(nil, interval)
	return nil
}

// each counts the combinations of the document's values that begin with labels.
func (g *groups) each(labels []string, interval int) {
	if i := len(labels); i < len(g.by) {
		for _, v := range g.values[i] {
			g.each(append(labels[:i:i], v), interval)
		}
		return
	}
	key := strings.Join(labels, "\x00")
	c := g.groups[key]
	if c == nil {
		c = &group{labels: labels, counts: make(map[int]uint64)}
		g.groups[key] = c
	}
	c.counts[interval]++
	c.total++
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
