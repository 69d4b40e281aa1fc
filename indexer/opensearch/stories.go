package opensearch

import (
	"context"
	"fmt"
	"time"

	"xinwen/indexer/plan"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
)

var (
	_ search.Storyteller = (*Index)(nil)
	_ search.Resembler   = (*Index)(nil)
)

// Story implements search.Storyteller.
func (x *Index) Story(ctx context.Context, id string) (*search.Story, error) {
	s, err := x.story(ctx, id)
	if err != nil || len(s.Articles) > 0 {
		return s, err
	}
	// A story that has become part of another one is found by its first article.
	m, _, err := x.article(ctx, id)
	if err != nil {
		return nil, err
	}
	if m.Story == "" || m.Story == id {
		return nil, search.ErrNotFound
	}
	return x.story(ctx, m.Story)
}

func (x *Index) story(ctx context.Context, id string) (*search.Story, error) {
	st, _, err := x.state(ctx)
	if err != nil {
		return nil, fmt.Errorf("story: %w", err)
	}
	s := &search.Story{ID: id, AppliedSeq: st.AppliedSeq}
	l := &listing{x: x, query: object{"constant_score": object{"filter": allOf(term(fieldLive, true), term(fieldGroup, keyword(id)))}}}
	l.order(&plan.Plan{Sort: search.SortOldest})
	var articles []*news.Article
	for {
		hits, err := l.next(ctx, readMany)
		if err != nil {
			return nil, fmt.Errorf("story: %w", err)
		}
		for _, h := range hits {
			a, err := (&stored{article: h.Source.Article}).parse()
			if err != nil {
				return nil, fmt.Errorf("story: %w", err)
			}
			articles = append(articles, a)
		}
		if len(hits) < readMany {
			s.Tell(articles)
			return s, nil
		}
	}
}

// Similar implements search.Resembler.
func (x *Index) Similar(ctx context.Context, r search.SimilarRequest) (*search.Result, error) {
	start := time.Now()
	q, err := x.planner.Similar(r)
	if err != nil {
		return nil, err
	}
	st, _, err := x.state(ctx)
	if err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	m, a, err := x.article(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	t, err := x.characteristic(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	not := []object{term(fieldKey, keyword(a.ID))}
	apart := ""
	switch {
	case m.Story != "" && !r.SameStory:
		not = append(not, term(fieldGroup, m.Story))
	case m.Story != "":
		apart = m.Story
	}
	filter := object{"bool": object{"filter": []object{wanted(q, search.MatchAll), alike(t)}, "must_not": not}}
	scorers, err := x.scorers(ctx, t)
	if err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	l := &listing{x: x, filter: filter, query: ranked(filter, scorers)}
	l.order(q)
	shown, err := l.collapsed(ctx, q.Size, apart)
	if err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	res := &search.Result{Match: search.MatchAny, AppliedSeq: st.AppliedSeq}
	if res.Hits, err = x.show(ctx, q, shown); err != nil {
		return nil, fmt.Errorf("similar: %w", err)
	}
	res.TookMS = float64(time.Since(start).Microseconds()) / 1000
	return res, nil
}

// characteristic returns what an article is compared with others by.
func (x *Index) characteristic(ctx context.Context, a *news.Article) (plan.Terms, error) {
	content := x.planner.Content(a)
	words, entities := &rankGroup{field: fieldWords}, &rankGroup{field: query.FieldEntity}
	var asked []fieldTerm
	for w := range content.Words {
		asked = append(asked, words.ask(w))
	}
	for e := range content.Entities {
		asked = append(asked, entities.ask(e))
	}
	counts, articles, err := x.frequencies(ctx, asked)
	if err != nil {
		return plan.Terms{}, err
	}
	var t plan.Terms
	t.Words[plan.InText], t.Entities, err = content.Characteristic(articles,
		func(w string) (uint64, error) { return counts[words.ask(w)], nil },
		func(e string) (uint64, error) { return counts[entities.ask(e)], nil })
	return t, err
}

// alike returns the query of articles that have at least two of the terms.
func alike(t plan.Terms) object {
	var parts []object
	for field, values := range byField(t) {
		for _, v := range values {
			parts = append(parts, term(field, v))
		}
	}
	if len(parts) == 0 {
		return nothing
	}
	return object{"bool": object{"should": parts, "minimum_should_match": min(2, len(parts))}}
}
