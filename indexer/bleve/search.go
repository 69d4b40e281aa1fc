package bleve

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

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
	if res.Hits, err = x.hits(s, q, page); err != nil {
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
func (x *Index) hits(s *snapshot, q *plan.Plan, page []*found) ([]search.Hit, error) {
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
			hits[i], err = x.hit(s, hit, view)
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

func (x *Index) snapshot() (*snapshot, error) {
	r, err := x.reader()
	if err != nil {
		return nil, err
	}
	st, err := readState(r)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return &snapshot{r: r, state: st}, nil
}

// docs returns the documents that match in one way of matching.
func (s *snapshot) planned(q *plan.Plan, match string) (docs, error) {
	d, err := s.meant(q.Meaning, match)
	if err != nil || q.Request.Story == "" {
		return d, err
	}
	of, err := s.storyDocs(q.Request.Story)
	return allOf{of, d}, err
}

// collect runs the query with one way of matching.
func (x *Index) collect(ctx context.Context, s *snapshot, q *plan.Plan, match string) (*collector, *facets, error) {
	d, err := s.planned(q, match)
	if err != nil {
		return nil, nil, err
	}
	c := &collector{r: s.r, desc: q.Sort != search.SortOldest, size: q.Size + min(q.Size, 1), after: q.After}
	if q.Request.Collapse {
		if c.groups, err = s.storyGroups(); err != nil {
			return nil, nil, err
		}
	}
	var f *facets
	if len(q.Request.Facets) > 0 {
		if f, err = s.facets(q.Request.Facets); err != nil {
			return nil, nil, err
		}
	}
	key, err := x.sortKey(s, q)
	if err != nil {
		return nil, nil, err
	}
	if q.Sort == search.SortNewest && f == nil && c.groups == nil && c.size > 0 {
		if err := s.newest(ctx, q, d, c, key); err != nil {
			return nil, nil, err
		}
		return c, nil, nil
	}
	for doc, err := d.seek(0); doc != done || err != nil; doc, err = d.seek(doc + 1) {
		if err != nil {
			return nil, nil, err
		}
		if c.total%1024 == 0 && ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		k := 0.0
		if c.size > 0 {
			if k, err = key(doc); err != nil {
				return nil, nil, err
			}
		}
		if err := c.add(found{doc: doc, key: k}); err != nil {
			return nil, nil, err
		}
		if f != nil {
			if err := f.add(doc); err != nil {
				return nil, nil, err
			}
		}
	}
	return c, f, nil
}

// sortKey returns the function that hits are sorted by.
func (x *Index) sortKey(s *snapshot, q *plan.Plan) (func(doc uint64) (float64, error), error) {
	score := func(uint64) (float64, error) { return 0, nil }
	if q.Sort == search.SortRelevance {
		k, err := x.ranker(s, q.Node, q.Expansion)
		if err != nil {
			return nil, err
		}
		score = k.score
	}
	if q.Sort == search.SortRelevance && q.Request.HalfLife == 0 {
		return score, nil
	}
	times, err := s.values(query.FieldPublished)
	if err != nil {
		return nil, err
	}
	return func(doc uint64) (float64, error) {
		v, err := times.of(doc)
		if err != nil || v == "" { // an article without a time is the oldest
			return math.Inf(-1), err
		}
		at, err := decodeTime(v)
		if err != nil || q.Sort != search.SortRelevance {
			return at, err
		}
		n, err := score(doc)
		return plan.Decay(n, time.UnixMicro(int64(at)), q.Request.HalfLife), err
	}, nil
}

// explain adds to each hit how its score came about.
func (x *Index) explain(s *snapshot, q *plan.Plan, page []*found, hits []search.Hit) error {
	k, err := x.ranker(s, q.Node, q.Expansion)
	if err != nil {
		return err
	}
	order := make([]int, len(page))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		if page[a].doc < page[b].doc {
			return -1
		}
		return 1
	})
	for _, i := range order {
		if hits[i].Explanation, err = k.explain(page[i].doc); err != nil {
			return err
		}
	}
	return nil
}

// hit reads what is shown of a document.
func (x *Index) hit(s *snapshot, f *found, show *plan.View) (search.Hit, error) {
	a, m, _, err := readArticle(s.r, f.id)
	if err != nil {
		return search.Hit{}, err
	}
	if a == nil {
		return search.Hit{}, fmt.Errorf("article %s: matched but is not stored; rebuild the index", f.id)
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
