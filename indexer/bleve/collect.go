package bleve

import (
	"cmp"
	"container/heap"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"

	"xinwen/indexer/plan"
	"xinwen/indexer/search"
)

// found is a document that matches.
type found struct {
	in  *segment
	doc uint32
	key float64 // what hits are sorted by
	id  string  // read when it is needed

	more *search.More // of its story, where hits are collapsed
}

// collector keeps the best of the documents it is shown and counts the rest.
type collector struct {
	desc  bool // high keys first
	size  int
	after *plan.Position // of the last hit on the page before
	total uint64
	best  []*found // a heap, the worst on top
	err   error

	groups  *storyGroups // set if hits are collapsed
	stories uint64
}

// add shows a document to the collector, which total has counted already.
func (c *collector) add(f found) error {
	if c.groups != nil && !c.groups.add(f, c.better) {
		return c.err
	}
	return c.put(f)
}

// full says that a hit with such a key is worse than all that are kept.
func (c *collector) full(key float64) bool {
	if len(c.best) < c.size || c.size == 0 {
		return false
	}
	last := c.best[0].key
	return key != last && key < last == c.desc
}

func (c *collector) better(a, b *found) bool { return c.compare(a, b) < 0 }

// put keeps a hit if it is one of the best.
func (c *collector) put(f found) error {
	if c.groups != nil {
		c.stories++
	}
	if c.size == 0 || c.full(f.key) {
		return nil
	}
	if c.after != nil {
		after := found{key: c.after.Key, id: c.after.ID}
		if c.compare(&f, &after) <= 0 {
			return c.err
		}
	}
	switch {
	case len(c.best) < c.size:
		heap.Push(c, &f)
	case c.compare(&f, c.best[0]) < 0:
		*c.best[0] = f
		heap.Fix(c, 0)
	}
	return c.err
}

// compare returns a negative number if a is the better hit.
func (c *collector) compare(a, b *found) int {
	n := cmp.Compare(a.key, b.key)
	if c.desc {
		n = -n
	}
	if n == 0 {
		n = strings.Compare(c.id(a), c.id(b))
	}
	return n
}

func (c *collector) id(f *found) string {
	if f.id == "" {
		id, err := f.in.id(f.doc)
		if err != nil && c.err == nil {
			c.err = err
		}
		f.id = id
	}
	return f.id
}

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (c *collector) Len() int           { return len(c.best) }
func (c *collector) Less(i, j int) bool { return c.compare(c.best[i], c.best[j]) > 0 }
func (c *collector) Swap(i, j int)      { c.best[i], c.best[j] = c.best[j], c.best[i] }
func (c *collector) Push(f any)         { c.best = append(c.best, f.(*found)) }
func (c *collector) Pop() any {
	f := c.best[len(c.best)-1]
	c.best = c.best[:len(c.best)-1]
	return f
}

// page returns the hits, best first, with their IDs.
func (c *collector) page() ([]*found, error) {
	if c.groups != nil {
		if err := c.groups.each(c.put); err != nil {
			return nil, err
		}
	}
	for _, f := range c.best {
		c.id(f)
	}
	if c.err != nil {
		return nil, c.err
	}
	slices.SortFunc(c.best, c.compare)
	return c.best, c.err
}

// facetSize is how many values of a facet are returned.
const facetSize = 50

// facets counts the values of some fields over the documents it is shown.
type facets struct {
	fields []string
	counts map[string]map[string]int
}

func newFacets(fields []string) *facets {
	f := &facets{fields: fields, counts: make(map[string]map[string]int)}
	for _, name := range fields {
		f.counts[name] = make(map[string]int)
	}
	return f
}

// add counts the hits of a segment.
func (f *facets) add(g *segment, hits *roaring.Bitmap) error {
	for _, name := range f.fields {
		field := facetPrefix + name
		c, err := g.column(field)
		if err != nil {
			return err
		}
		if len(c.names) == 0 {
			continue
		}
		counts, err := g.countValues(field, c, hits)
		if err != nil {
			return err
		}
		for i, n := range counts {
			if n > 0 {
				f.counts[name][c.names[i]] += n
			}
		}
	}
	return nil
}

// countValues returns how many of the hits have each value of a field.
func (g *segment) countValues(field string, c *column, hits *roaring.Bitmap) ([]int, error) {
	counts := make([]int, len(c.names))
	// The hits of a value are counted at once where each hit would take longer.
	if perValue := 500 + g.Count()/100; uint64(len(c.names))*perValue < hits.GetCardinality() {
		for i, value := range c.names {
			all, err := g.bitmap(field, value)
			if err != nil {
				return nil, err
			}
			counts[i] = int(all.AndCardinality(hits))
		}
		return counts, nil
	}
	var buf [1024]uint32
	for all := hits.ManyIterator(); ; {
		some := buf[:all.NextMany(buf[:])]
		if len(some) == 0 {
			return counts, nil
		}
		c.count(some, counts)
	}
}

// values returns the counts of each field, from frequent to rare.
func (f *facets) values(name func(field, value string) string) map[string][]search.FacetValue {
	all := make(map[string][]search.FacetValue, len(f.fields))
	for _, field := range f.fields {
		counts := f.counts[field]
		list := make([]search.FacetValue, 0, len(counts))
		for value, count := range counts {
			list = append(list, search.FacetValue{Value: value, Count: count})
		}
		slices.SortFunc(list, func(a, b search.FacetValue) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
		})
		list = list[:min(len(list), facetSize)]
		for i := range list {
			list[i].Name = name(field, list[i].Value)
		}
		all[field] = list
	}
	return all
}
