package bleve

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
)

// What an article is compared by: so many entities and words, those that say
// most of it, of title and the beginning of the text.
const (
	similarEntities = 8
	similarWords    = 20
	similarBytes    = 4 << 10
)

var _ search.Resembler = (*Index)(nil)

// Similar implements search.Resembler.
func (x *Index) Similar(ctx context.Context, r search.SimilarRequest) (*search.Result, error) {
	start := time.Now()
	if r.Size < 0 || r.Size > search.MaxSize {
		return nil, &search.RequestError{Field: "size", Message: "must be from 1 to " + strconv.Itoa(search.MaxSize), Hint: "ask for fewer"}
	}
	filters, err := x.filters(search.Request{Lang: r.Lang})
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
	q := &plan{size: cmp.Or(r.Size, search.DefaultSize), sort: search.SortRelevance}
	q.request = search.Request{Collapse: true}
	if q.meaning, err = x.lower(filters, nil, query.Expansion{}); err != nil {
		return nil, err
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
	c := &collector{r: s.r, desc: true, size: q.size}
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

// characteristic returns the entities and words that say most of an article: often
// in it, rare elsewhere.
func (x *Index) characteristic(s *snapshot, a *news.Article) (terms, error) {
	text := a.Text
	for len(text) > similarBytes || !utf8.ValidString(text) {
		text = text[:min(len(text)-1, similarBytes)]
	}
	words, entities := make(map[string]float64), make(map[string]float64)
	for _, w := range x.analyzer.Words(a.Title) {
		words[w.Term] += 2
	}
	for _, w := range x.analyzer.Words(text) {
		words[w.Term]++
	}
	for _, m := range a.Mentions {
		if m.Entity != "" {
			entities[query.KeywordTerm(m.Entity)]++
		}
	}
	var t terms
	var err error
	if t.words[inText], err = s.best(fieldWords, words, similarWords, true); err != nil {
		return t, err
	}
	t.entities, err = s.best(query.FieldEntity, entities, similarEntities, false)
	return t, err
}

// best returns the n terms of a field that weigh most.
func (s *snapshot) best(field string, counts map[string]float64, n int, words bool) ([]string, error) {
	type weighed struct {
		term   string
		weight float64
	}
	list := make([]weighed, 0, len(counts))
	for term, count := range counts {
		if words && (functionWords[term] || utf8.RuneCountInString(term) < 2) {
			continue
		}
		in := field
		if words {
			in = wordField(field, term)
		}
		d, err := s.open(in, term, false)
		if err != nil {
			return nil, err
		}
		df := float64(d.r.Count())
		if df < 2 {
			continue // it is alone with it
		}
		list = append(list, weighed{term, (1 + math.Log(count)) * math.Log(1+float64(s.state.Docs)/df)})
	}
	slices.SortFunc(list, func(a, b weighed) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.term, b.term))
	})
	var terms []string
	for _, w := range list[:min(len(list), n)] {
		terms = append(terms, w.term)
	}
	return terms, nil
}

// resembling returns the documents that have at least two of the terms.
func (x *Index) resembling(s *snapshot, q *plan, t terms) (docs, error) {
	var parts []docs
	for field, list := range map[string][]string{fieldWords: t.words[inText], query.FieldEntity: t.entities} {
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
	if q.meaning.required.Op == query.OpEverything {
		return like, nil
	}
	required, err := s.compile(q.meaning.required)
	return allOf{like, required}, err
}
