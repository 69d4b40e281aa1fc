package bleve

import (
	"context"
	"fmt"
	"time"

	"xinwen/indexer/plan"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
)

var _ search.Resembler = (*Index)(nil)

// Similar implements search.Resembler.
func (x *Index) Similar(ctx context.Context, r search.SimilarRequest) (*search.Result, error) {
	start := time.Now()
	q, err := x.planner.Similar(r)
	if err != nil {
		return nil, err
	}
	if err := x.turns.Acquire(ctx, 1); err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	defer x.turns.Release(1)
	s, err := x.snapshot()
	if err != nil {
		return nil, err
	}
	defer s.close()
	a, m, _, err := readArticle(s.r, r.ID)
	if err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	if a == nil {
		return nil, search.ErrNotFound
	}
	t, err := x.characteristic(s, a)
	if err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	k, err := s.ranker(t)
	if err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	d, err := s.resembling(q, a.ID, t)
	if err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	c := &collector{desc: true, size: q.Size, groups: newStoryGroups()}
	c.groups.apart = r.SameStory
	c.groups.own, c.groups.skip = m.story, !r.SameStory
	for _, g := range s.segments {
		hits, err := d.in(ctx, g, g.live)
		if err == nil {
			err = c.groups.begin(g)
		}
		if err == nil {
			err = k.score(ctx, g, hits, func(doc uint32, score float64) error {
				return c.add(found{in: g, doc: doc, key: score})
			})
		}
		if err != nil {
			return nil, fmt.Errorf("similar: %w", err)
		}
	}
	page, err := c.page()
	if err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	res := &search.Result{Match: search.MatchAny, AppliedSeq: s.state.AppliedSeq}
	if res.Hits, err = x.hits(q, page); err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	res.TookMS = float64(time.Since(start).Microseconds()) / 1000
	return res, nil
}

// characteristic returns what an article is compared with others by.
func (x *Index) characteristic(s *snapshot, a *news.Article) (plan.Terms, error) {
	frequency := func(field func(term string) string) func(term string) (uint64, error) {
		return func(term string) (uint64, error) { return s.docFreq(field(term), term) }
	}
	var t plan.Terms
	var err error
	t.Words[inText], t.Entities, err = x.planner.Content(a).Characteristic(s.state.Docs,
		frequency(func(term string) string { return wordField(fieldWords, term) }),
		frequency(func(string) string { return query.FieldEntity }))
	return t, err
}

// resembling returns the documents that have at least two of the terms, but for
// the article itself.
func (s *snapshot) resembling(q *plan.Plan, id string, t plan.Terms) (docs, error) {
	var parts []docs
	for _, term := range t.Words[inText] {
		parts = append(parts, termDocs{wordField(fieldWords, term), term})
	}
	for _, term := range t.Entities {
		parts = append(parts, termDocs{query.FieldEntity, term})
	}
	required, err := s.compile(q.Meaning.Required)
	like := newAnyOf(min(2, max(len(parts), 1)), parts...)
	return butNot{newAllOf(like, required), termDocs{"_id", id}}, err
}
