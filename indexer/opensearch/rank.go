package opensearch

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"xinwen/indexer/plan"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
)

// titleBoost is what a word in the title counts for one in the text.
const titleBoost = 0.3

// rankGroup is the query's terms in one view of the text. Each of words and
// grams is a complete view, and their scores add up.
type rankGroup struct {
	field string
	boost float64
	terms []rankTerm
}

// rankTerm is a term, or several that mean the same and count as one.
type rankTerm struct {
	field string
	text  []string // as tokens
	freq  []uint64 // the number of articles with each
}

// idf returns the weight of a term by the number of articles that have it.
func idf(articles, freq uint64) float64 {
	n, df := float64(articles), float64(min(freq, articles))
	return math.Log(1 + (n-df+0.5)/(df+0.5))
}

func (t *rankTerm) idf(articles uint64) float64 {
	sum := uint64(0)
	for _, n := range t.freq {
		sum += n
	}
	return idf(articles, sum)
}

// words says that the terms are words; they may have synonyms.
func (g *rankGroup) words() bool { return g.field == fieldWords || g.field == fieldTitleWords }

// rankGroups returns the terms of t that the index has, by group.
func (x *Index) rankGroups(ctx context.Context, t plan.Terms) ([]*rankGroup, uint64, error) {
	groups := []*rankGroup{
		{field: fieldWords, boost: 1},
		{field: fieldGrams, boost: 1},
		{field: fieldTitleWords, boost: titleBoost},
		{field: fieldTitleGrams, boost: titleBoost},
		{field: query.FieldEntity, boost: 1},
	}
	lists := [][]string{t.Words[plan.InText], t.Grams[plan.InText], t.Words[plan.InTitle], t.Grams[plan.InTitle], t.Entities}
	var asked []fieldTerm
	for i, g := range groups {
		for _, text := range lists[i] {
			asked = append(asked, g.ask(text))
		}
	}
	counts, articles, err := x.frequencies(ctx, asked)
	if err != nil {
		return nil, 0, err
	}
	for i, g := range groups {
		sets := make(map[string]int)
		for _, text := range lists[i] {
			ask := g.ask(text)
			n := counts[ask]
			if n == 0 {
				continue
			}
			set := query.Alike(text, g.words())
			if k, ok := sets[set]; ok && g.terms[k].field == ask.field {
				g.terms[k].text = append(g.terms[k].text, ask.term)
				g.terms[k].freq = append(g.terms[k].freq, n)
				continue
			}
			sets[set] = len(g.terms)
			g.terms = append(g.terms, rankTerm{field: ask.field, text: []string{ask.term}, freq: []uint64{n}})
		}
	}
	return slices.DeleteFunc(groups, func(g *rankGroup) bool { return len(g.terms) == 0 }), articles, nil
}

// ask returns where a term of the group is looked up.
func (g *rankGroup) ask(text string) fieldTerm {
	switch {
	case g.field == query.FieldEntity:
		return fieldTerm{g.field, keyword(text)}
	case g.words():
		return fieldTerm{wordField(g.field, text), token(text)}
	}
	return fieldTerm{g.field, token(text)}
}

// fieldTerm is a term in a field.
type fieldTerm struct{ field, term string }

// frequencies returns the number of articles that have each term, and that of
// all, as OpenSearch weighs words by them: articles that were replaced count until
// they are merged away.
func (x *Index) frequencies(ctx context.Context, asked []fieldTerm) (map[fieldTerm]uint64, uint64, error) {
	by := make(map[fieldTerm]uint64, len(asked))
	if len(asked) == 0 {
		return by, 0, nil
	}
	for _, t := range asked {
		by[t] = 0
	}
	var queries []object // of entities, and of text where there are several shards
	var counted []fieldTerm
	texts := map[string][]string{fieldWords: {hole}} // tells of the number of articles
	for t := range by {
		if x.config.Shards > 1 || t.field == query.FieldEntity {
			queries, counted = append(queries, term(t.field, t.term)), append(counted, t)
		} else {
			texts[t.field] = append(texts[t.field], t.term)
		}
	}
	articles := uint64(0)
	if x.config.Shards == 1 {
		var err error
		if articles, err = x.termVectors(ctx, texts, by); err != nil {
			return nil, 0, err
		}
	}
	if len(queries) == 0 {
		return by, articles, nil
	}
	counts, err := x.counts(ctx, append(queries, term(fieldLive, true)))
	if err != nil {
		return nil, 0, err
	}
	all := counts[len(counts)-1]
	if articles == 0 {
		articles = all
	}
	for i, t := range counted {
		by[t] = counts[i]
		if articles > all { // as if those that were replaced had the entities as often
			by[t] = uint64(math.Round(float64(counts[i]) * float64(articles) / float64(max(all, 1))))
		}
	}
	return by, articles, nil
}

// termVectors adds to by how many articles have the terms, and returns the number
// of articles. OpenSearch tells that of a document that has the terms, by the
// shard that it would be in: of indexes with one shard.
func (x *Index) termVectors(ctx context.Context, texts map[string][]string, by map[fieldTerm]uint64) (articles uint64, err error) {
	indexes, err := x.parts(ctx)
	if err != nil || len(indexes) == 0 {
		return 0, err
	}
	doc := object{}
	for field, list := range texts {
		doc[field] = strings.Join(list, " ")
	}
	docs := make([]object, len(indexes))
	for i, name := range indexes {
		docs[i] = object{
			"_index": name, "doc": doc, "term_statistics": true, "field_statistics": true,
			"positions": false, "offsets": false, "payloads": false,
		}
	}
	var res struct {
		Docs []struct {
			Error  struct{ Type, Reason string }
			Fields map[string]struct {
				Statistics struct {
					Docs uint64 `json:"doc_count"`
				} `json:"field_statistics"`
				Terms map[string]struct {
					Docs uint64 `json:"doc_freq"`
				}
			} `json:"term_vectors"`
		}
	}
	if err := x.client.ask(ctx, http.MethodPost, "/_mtermvectors", object{"docs": docs}, &res); err != nil {
		return 0, err
	}
	for _, d := range res.Docs {
		switch d.Error.Type {
		case "":
		case "index_not_found_exception": // removed meanwhile, or not made yet
			continue
		default:
			return 0, &Error{Status: http.StatusServiceUnavailable, Type: d.Error.Type, Reason: d.Error.Reason}
		}
		articles += d.Fields[fieldWords].Statistics.Docs
		for field, f := range d.Fields {
			for text, t := range f.Terms {
				if key := (fieldTerm{field, text}); t.Docs > 0 && slices.Contains(texts[field], text) {
					by[key] += t.Docs
				}
			}
		}
	}
	delete(by, fieldTerm{fieldWords, hole})
	return articles, nil
}

// partsFor is how long the names of indexes are taken to be right.
const partsFor = 5 * time.Second

// parts returns the names of the indexes of this generation.
func (x *Index) parts(ctx context.Context) ([]string, error) {
	if !x.config.Monthly {
		return []string{x.Path() + "-" + everyMonth}, nil
	}
	x.naming.Lock()
	defer x.naming.Unlock()
	if len(x.names) > 0 && time.Since(x.named) < partsFor && strings.HasPrefix(x.names[0], x.Path()+"-") {
		return x.names, nil
	}
	names, err := x.list(ctx, x.pattern())
	if err == nil {
		x.names, x.named = names, time.Now()
	}
	return names, err
}

// counts returns the number of documents that each query matches.
func (x *Index) counts(ctx context.Context, queries []object) ([]uint64, error) {
	if len(queries) == 0 {
		return nil, nil
	}
	var lines strings.Builder
	head, err := json.Marshal(object{"index": x.pattern(), "allow_partial_search_results": false})
	if err != nil {
		return nil, err
	}
	for _, q := range queries {
		body, err := json.Marshal(object{"query": object{"constant_score": object{"filter": q}}, "size": 0, "track_total_hits": true})
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&lines, "%s\n%s\n", head, body)
	}
	var res struct {
		Responses []struct {
			Status int
			Hits   struct{ Total struct{ Value uint64 } }
			Error  struct{ Type, Reason string }
		}
	}
	if err := x.client.ask(ctx, http.MethodPost, "/_msearch?filter_path=responses.status,responses.error,responses.hits.total.value", []byte(lines.String()), &res); err != nil {
		return nil, err
	}
	if len(res.Responses) != len(queries) {
		return nil, fmt.Errorf("opensearch: %d answers to %d questions", len(res.Responses), len(queries))
	}
	counts := make([]uint64, len(queries))
	for i, r := range res.Responses {
		if r.Error.Type != "" {
			e := &Error{Status: r.Status, Type: r.Error.Type, Reason: r.Error.Reason}
			e.hint = hint(e)
			return nil, e
		}
		counts[i] = r.Hits.Total.Value
	}
	return counts, nil
}

// query returns the query that scores by the group: the BM25 of its terms, times
// the share that those make of the group by weight.
func (g *rankGroup) query(articles uint64, boost float64) object {
	weight := 0.0
	for i := range g.terms {
		weight += g.terms[i].idf(articles)
	}
	var should, functions []object
	for i := range g.terms {
		t := &g.terms[i]
		w := t.idf(articles)
		var q object
		switch {
		case g.field == query.FieldEntity: // it is mentioned or it is not
			q = object{"constant_score": object{"filter": term(t.field, t.text[0]), "boost": g.boost * w}}
		case len(t.text) == 1:
			q = object{"term": object{t.field: object{"value": t.text[0], "boost": g.boost * boost}}}
		default:
			// OpenSearch weighs synonyms by the most frequent of them.
			most := slices.Max(t.freq)
			q = object{"match": object{t.field: object{
				"query": strings.Join(t.text, joint), "analyzer": positions, "boost": g.boost * boost * w / idf(articles, most),
			}}}
		}
		should = append(should, q)
		functions = append(functions, object{"filter": terms(t.field, t.text), "weight": w / weight})
	}
	return object{"function_score": object{
		"query":     object{"bool": object{"should": should}},
		"functions": functions, "score_mode": "sum", "boost_mode": "multiply",
	}}
}

// scorers returns the queries that score by t.
func (x *Index) scorers(ctx context.Context, t plan.Terms) ([]object, error) {
	groups, articles, err := x.rankGroups(ctx, t)
	if err != nil {
		return nil, err
	}
	list := make([]object, len(groups))
	for i, g := range groups {
		list[i] = g.query(articles, x.boost)
	}
	return list, nil
}

// ranked returns the query that scores what filter matches.
func ranked(filter object, scorers []object) object {
	b := object{"filter": []object{filter}}
	if len(scorers) > 0 {
		b["should"], b["minimum_should_match"] = scorers, 0
	}
	return object{"bool": b}
}

// explanation is how OpenSearch explains a score.
type explanation struct {
	Value       float64
	Description string
	Details     []explanation
}

func (e *explanation) tell() *search.Explanation {
	t := &search.Explanation{Value: e.Value, Message: e.Description}
	for i := range e.Details {
		t.Parts = append(t.Parts, e.Details[i].tell())
	}
	return t
}
