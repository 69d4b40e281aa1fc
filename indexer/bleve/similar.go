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
	d, err := x.resembling(s, q, t)
	if err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	c := &collector{r: s.r, desc: true, size: q.Size}
	if c.groups, err = s.storyGroups(); err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	c.groups.apart = r.SameStory
	c.groups.own, c.groups.skip = m.story, !r.SameStory
	self, err := s.term("_id", a.ID)
	if err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	own, err := self.seek(0)
	if err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	for doc, err := d.seek(0); doc != done || err != nil; doc, err = d.seek(doc + 1) {
		if doc == own {
			continue
		}
		if err == nil && c.total%1024 == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return nil, fmt.Errorf("similar: %w", err)
		}
		key, err := k.score(doc)
		if err != nil {
			return nil, fmt.Errorf("similar: %w", err)
		}
		if err := c.add(found{doc: doc, key: key}); err != nil {
			return nil, fmt.Errorf("similar: %w", err)
		}
	}
	page, err := c.page()
	if err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	res := &search.Result{Match: search.MatchAny, AppliedSeq: s.state.AppliedSeq}
	if res.Hits, err = x.hits(s, q, page); err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	res.TookMS = float64(time.Since(start).Microseconds()) / 1000
	return res, nil
}

// characteristic returns what an article is compared with others by.
func (x *Index) characteristic(s *snapshot, a *news.Article) (plan.Terms, error) {
	frequency := func(field func(term string) string) func(term string) (uint64, error) {
		return func(term string) (uint64, error) {
			d, err := s.open(field(term), term, false)
			if err != nil {
				return 0, err
			}
			return d.r.Count(), nil
		}
	}
	var t plan.Terms
	var err error
	t.Words[inText], t.Entities, err = x.planner.Content(a).Characteristic(s.state.Docs,
		frequency(func(term string) string { return wordField(fieldWords, term) }),
		frequency(func(string) string { return query.FieldEntity }))
	return t, err
}

// resembling returns the documents that have at least two of the terms.
func (x *Index) resembling(s *snapshot, q *plan.Plan, t plan.Terms) (docs, error) {
	var parts []docs
	for field, list := range map[string][]string{fieldWords: t.Words[inText], query.FieldEntity: t.Entities} {
		for _, term := range list {
			in := field
			if field == fieldWords {
				in = wordField(field, term)
			}
			d, err := s.term(in, term)
			if err != nil {
				return nil, err
			}
			parts = append(parts, d)
		}
	}
	like := newAnyOf(min(2, max(len(parts), 1)), parts...)
	if q.Meaning.Required.Op == query.OpEverything {
		return like, nil
	}
	required, err := s.compile(q.Meaning.Required)
	return allOf{like, required}, err
}
