package bleve

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"golang.org/x/sync/errgroup"

	"xinwen/indexer/plan"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
)

var _ search.Searcher = (*Index)(nil)

// Search implements search.Searcher.
func (x *Index) Search(ctx context.Context, r search.Request) (*search.Result, error) {
	start := time.Now()
	q, err := x.planner.Plan(r)
	if err != nil {
		return nil, err
	}
	if err := x.turns.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	defer x.turns.Release(1)
	s, err := x.snapshot()
	if err != nil {
		return nil, err
	}
	defer s.close()

	var c *collector
	var f *facets
	match := ""
	for _, match = range q.Matches {
		if c, f, err = x.collect(ctx, s, q, match); err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
		if c.total > 0 {
			break
		}
	}
	if c.total == 0 {
		match = q.Matches[0] // nothing found is not a relaxed answer
	}
	page, err := c.page()
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}

	res := &search.Result{
		Total:      c.total,
		Stories:    c.stories,
		Match:      match,
		Relaxed:    match != search.MatchAll && r.Match != search.MatchAny,
		AppliedSeq: s.state.AppliedSeq,
	}
	if f != nil {
		res.Facets = f.values(x.planner.FacetName)
	}
	if len(page) > q.Size {
		page = page[:q.Size]
		last := page[len(page)-1]
		res.NextCursor = q.Cursor(match, plan.Position{Key: last.key, ID: last.id})
	}
	if res.Hits, err = x.hits(q, page); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	if r.Explain {
		if err := x.explain(s, q, page, res.Hits); err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
	}
	res.TookMS = float64(time.Since(start).Microseconds()) / 1000
	return res, nil
}

// hits returns what is shown of a page.
func (x *Index) hits(q *plan.Plan, page []*found) ([]search.Hit, error) {
	view, now := x.planner.View(q), time.Now()
	hits := make([]search.Hit, len(page))
	var g errgroup.Group
	g.SetLimit(workers())
	for i, hit := range page {
		g.Go(func() (err error) {
			defer func() { // a panic here would end the process
				if p := recover(); p != nil {
					err = fmt.Errorf("show article %s: panic: %v", hit.id, p)
				}
			}()
			hits[i], err = hit.hit(view)
			if q.Sort == search.SortRelevance {
				hits[i].Score = hit.key
			}
			if q.Request.HalfLife > 0 {
				hits[i].Score = plan.DecayedScore(hit.key, now, q.Request.HalfLife)
			}
			hits[i].More = hit.more
			return err
		})
	}
	return hits, g.Wait()
}

// planned returns the documents that match in one way of matching.
func (s *snapshot) planned(q *plan.Plan, match string) (docs, error) {
	d, err := s.meant(q.Meaning, match)
	if err != nil || q.Request.Story == "" {
		return d, err
	}
	return newAllOf(storyDocs(q.Request.Story), d), nil
}

// collect runs the query with one way of matching.
func (x *Index) collect(ctx context.Context, s *snapshot, q *plan.Plan, match string) (*collector, *facets, error) {
	d, err := s.planned(q, match)
	if err != nil {
		return nil, nil, err
	}
	c := &collector{desc: q.Sort != search.SortOldest, size: q.Size + min(q.Size, 1), after: q.After}
	if q.Request.Collapse {
		c.groups = newStoryGroups()
	}
	var f *facets
	if len(q.Request.Facets) > 0 {
		f = newFacets(q.Request.Facets)
	}
	keys, err := x.sortKeys(s, q)
	if err != nil {
		return nil, nil, err
	}
	full := c.full
	if c.groups != nil {
		full = nil // a story needs its best hit and all that it counts
	}
	for _, g := range slices.Backward(s.segments) { // the newest first
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		hits, err := d.in(ctx, g, g.live)
		if err != nil {
			return nil, nil, err
		}
		if hits.IsEmpty() {
			continue
		}
		if f != nil {
			if err := f.add(g, hits); err != nil {
				return nil, nil, err
			}
		}
		c.total += hits.GetCardinality()
		if c.size == 0 && c.groups == nil {
			continue
		}
		if c.groups != nil {
			if err := c.groups.begin(g); err != nil {
				return nil, nil, err
			}
		}
		if err := keys(ctx, g, hits, full, func(doc uint32, key float64) error {
			if full != nil && full(key) {
				return nil
			}
			return c.add(found{in: g, doc: doc, key: key})
		}); err != nil {
			return nil, nil, err
		}
	}
	return c, f, nil
}

// keys calls visit with what the hits of a segment are sorted by, all or those
// that are not full.
type keys func(ctx context.Context, g *segment, hits *roaring.Bitmap, full full, visit func(doc uint32, key float64) error) error

// sortKeys returns what the hits of a plan are sorted by.
func (x *Index) sortKeys(s *snapshot, q *plan.Plan) (keys, error) {
	if q.Size == 0 && !q.Request.Collapse || q.Sort != search.SortRelevance {
		return timeKeys(q.Sort), nil
	}
	k, err := x.ranker(s, q.Node, q.Expansion)
	if err != nil || q.Request.HalfLife == 0 {
		return k.best, err
	}
	return func(ctx context.Context, g *segment, hits *roaring.Bitmap, _ full, visit func(doc uint32, key float64) error) error {
		t, err := g.timesOf(query.FieldPublished)
		if err != nil {
			return err
		}
		return k.score(ctx, g, hits, func(doc uint32, score float64) error {
			if key := t.key(doc); !math.IsInf(key, -1) {
				return visit(doc, plan.Decay(score, time.UnixMicro(int64(key)), q.Request.HalfLife))
			}
			return visit(doc, math.Inf(-1))
		})
	}, nil
}

// each calls visit with each of some documents.
func each(ctx context.Context, hits *roaring.Bitmap, visit func(doc uint32) error) error {
	var buf [1024]uint32
	for all := hits.ManyIterator(); ; {
		some := buf[:all.NextMany(buf[:])]
		if len(some) == 0 {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, doc := range some {
			if err := visit(doc); err != nil {
				return err
			}
		}
	}
}

// explain adds to each hit how its score came about.
func (x *Index) explain(s *snapshot, q *plan.Plan, page []*found, hits []search.Hit) error {
	k, err := x.ranker(s, q.Node, q.Expansion)
	if err != nil {
		return err
	}
	for i, f := range page {
		if hits[i].Explanation, err = k.explain(f.in, f.doc); err != nil {
			return err
		}
	}
	return nil
}

// hit reads what is shown of a document.
func (f *found) hit(show *plan.View) (search.Hit, error) {
	stored, known, err := f.in.stored(f.doc)
	if err != nil {
		return search.Hit{}, err
	}
	if stored == nil {
		return search.Hit{}, fmt.Errorf("article %s: matched but is not stored; rebuild the index", f.id)
	}
	a, m, _, err := decodeArticle(stored, known)
	if err != nil {
		return search.Hit{}, err
	}
	return show.Hit(a, m.story, time.UnixMilli(m.indexed)), nil
}

// Article implements search.Searcher.
func (x *Index) Article(_ context.Context, id string) (*news.Article, error) {
	s, err := x.snapshot()
	if err != nil {
		return nil, err
	}
	defer s.close()
	a, _, _, err := readArticle(s.r, id)
	if err != nil {
		return nil, err
	}
	if a == nil {
		return nil, search.ErrNotFound
	}
	return a, nil
}

// Status implements search.Searcher, as far as the index knows: not the
// stream's last sequence.
func (x *Index) Status(context.Context) (search.Status, error) {
	st, err := x.state()
	if err != nil {
		return search.Status{}, err
	}
	return search.Status{Docs: st.Docs, AppliedSeq: st.AppliedSeq, Bytes: x.Bytes()}, nil
}
