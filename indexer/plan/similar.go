package plan

import (
	"cmp"
	"math"
	"slices"
	"strconv"
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

// Similar checks r. The plan has its filters.
func (p *Planner) Similar(r search.SimilarRequest) (*Plan, error) {
	if r.Size < 0 || r.Size > search.MaxSize {
		return nil, &search.RequestError{Field: "size", Message: "must be from 1 to " + strconv.Itoa(search.MaxSize), Hint: "ask for fewer"}
	}
	filters, err := p.Filters(search.Request{Lang: r.Lang})
	if err != nil {
		return nil, err
	}
	q := &Plan{Request: search.Request{Collapse: true}, Size: cmp.Or(r.Size, search.DefaultSize), Sort: search.SortRelevance}
	q.Meaning, err = p.Lower(filters, nil, query.Expansion{})
	return q, err
}

// Content counts what an article may be compared by.
type Content struct{ Words, Entities map[string]float64 }

// Content counts the words of a and its entities, as Lower looks for them.
func (p *Planner) Content(a *news.Article) Content {
	text := a.Text
	for len(text) > similarBytes || !utf8.ValidString(text) {
		text = text[:min(len(text)-1, similarBytes)]
	}
	c := Content{make(map[string]float64), make(map[string]float64)}
	for _, w := range p.Analyzer.Words(a.Title) {
		c.Words[w.Term] += 2
	}
	for _, w := range p.Analyzer.Words(text) {
		c.Words[w.Term]++
	}
	for term := range c.Words {
		if functionWords[term] || utf8.RuneCountInString(term) < 2 {
			delete(c.Words, term)
		}
	}
	for _, m := range a.Mentions {
		if m.Entity != "" {
			c.Entities[query.KeywordTerm(m.Entity)]++
		}
	}
	return c
}

// Characteristic returns the words and entities of c that say most of the
// article: often in it, rare among all articles. The functions say how many
// articles have a word and an entity.
func (c Content) Characteristic(articles uint64, word, entity func(term string) (uint64, error)) (words, entities []string, err error) {
	if words, err = best(c.Words, similarWords, articles, word); err != nil {
		return nil, nil, err
	}
	entities, err = best(c.Entities, similarEntities, articles, entity)
	return words, entities, err
}

// best returns the n terms that weigh most.
func best(counts map[string]float64, n int, articles uint64, frequency func(term string) (uint64, error)) ([]string, error) {
	type weighed struct {
		term   string
		weight float64
	}
	list := make([]weighed, 0, len(counts))
	for term, count := range counts {
		df, err := frequency(term)
		if err != nil {
			return nil, err
		}
		if df < 2 {
			continue // it is alone with it
		}
		list = append(list, weighed{term, (1 + math.Log(count)) * math.Log(1+float64(articles)/float64(df))})
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
