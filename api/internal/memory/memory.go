// Package memory is a small search.Searcher over a slice, for tests of what
// asks a Searcher. It knows queries of plain words (all must occur), filters,
// sorting, cursors, facets and highlights; the syntax of queries is checked by
// the real parser.
package memory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
)

// Index holds articles in memory.
type Index struct {
	mu       sync.Mutex
	articles []news.Article
	seq      uint64
	// Err is what every call returns, if set.
	Err error
	// Lag is reported by Status.
	Lag uint64
	// Searches counts the calls of Search.
	Searches int
}

// Add puts articles into the index.
func (x *Index) Add(articles ...news.Article) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.articles = append(x.articles, articles...)
	x.seq += uint64(len(articles))
}

// Search returns a page of hits.
func (x *Index) Search(_ context.Context, r search.Request) (*search.Result, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.Searches++
	if x.Err != nil {
		return nil, x.Err
	}
	if r.Syntax != search.SyntaxPlain && r.Query != "" {
		if _, err := query.Parse(r.Query); err != nil {
			return nil, err
		}
	}
	var found []*news.Article
	for i := range x.articles {
		if matches(&x.articles[i], &r) {
			found = append(found, &x.articles[i])
		}
	}
	slices.SortStableFunc(found, func(a, b *news.Article) int {
		if r.Sort == search.SortOldest {
			a, b = b, a
		}
		return cmp.Or(b.Time().Compare(a.Time()), strings.Compare(a.ID, b.ID))
	})
	res := &search.Result{Total: uint64(len(found)), TookMS: 1.25, Match: search.MatchAll, AppliedSeq: x.seq, Facets: facets(found, r.Facets)}
	at := 0
	if r.Cursor != "" {
		var err error
		if at, err = strconv.Atoi(r.Cursor); err != nil || at > len(found) {
			return nil, &search.RequestError{Field: "cursor", Message: "this cursor is not one of ours", Hint: "begin at the first page"}
		}
	}
	size := cmp.Or(max(r.Size, 0), search.DefaultSize)
	if r.Size < 0 {
		size = 0
	}
	for ; at < len(found) && len(res.Hits) < size; at++ {
		res.Hits = append(res.Hits, hit(found[at], r.Query))
	}
	if at < len(found) && size > 0 {
		res.NextCursor = strconv.Itoa(at)
	}
	return res, nil
}

func matches(a *news.Article, r *search.Request) bool {
	for _, w := range strings.Fields(r.Query) {
		if w != "AND" && w != "*" && !strings.Contains(a.Content(), w) {
			return false
		}
	}
	if len(r.Lang) > 0 && !slices.Contains(r.Lang, a.Lang) && !slices.Contains(r.Lang, a.Lang+"-"+a.Script) {
		return false
	}
	if len(r.Source) > 0 && !slices.Contains(r.Source, a.Source) {
		return false
	}
	if len(r.Entity) > 0 && !slices.ContainsFunc(r.Entity, func(id string) bool { return slices.Contains(a.Entities(), id) }) {
		return false
	}
	if len(r.Topic) > 0 && !slices.ContainsFunc(r.Topic, func(id string) bool { return slices.Contains(topics(a), id) }) {
		return false
	}
	return (r.From.IsZero() || !a.Time().Before(r.From)) && (r.To.IsZero() || a.Time().Before(r.To))
}

func hit(a *news.Article, q string) search.Hit {
	snippet := a.Text
	if r := []rune(snippet); len(r) > 140 {
		snippet = string(r[:140]) + "…"
	}
	h := search.Hit{
		ID: a.ID, URL: a.URL, Title: a.Title, Snippet: snippet, Highlights: []search.Highlight{}, Source: a.Source, Publisher: a.Publisher,
		Credit: a.Credit, Lang: a.Lang, Script: a.Script, Published: a.Published, Fetched: a.Fetched, Indexed: a.Extracted,
		Score: 1, Revision: a.Revision, Entities: a.Entities(),
	}
	for _, f := range []struct{ field, text string }{{search.FieldTitle, a.Title}, {search.FieldSnippet, snippet}} {
		for _, w := range strings.Fields(q) {
			if i := strings.Index(f.text, w); i >= 0 {
				start := utf8.RuneCountInString(f.text[:i])
				h.Highlights = append(h.Highlights, search.Highlight{Field: f.field, Text: w, Start: start, End: start + utf8.RuneCountInString(w)})
			}
		}
	}
	return h
}

func facets(found []*news.Article, wanted []string) map[string][]search.FacetValue {
	if len(wanted) == 0 {
		return nil
	}
	out := make(map[string][]search.FacetValue)
	for _, name := range wanted {
		counts := make(map[string]int)
		for _, a := range found {
			values := map[string][]string{
				search.FacetSource: {a.Source}, search.FacetLang: {a.Lang}, search.FacetScript: {a.Script}, search.FacetEntity: a.Entities(), search.FacetTopic: topics(a),
			}[name]
			for _, v := range values {
				counts[v]++
			}
		}
		list := []search.FacetValue{}
		for v, n := range counts {
			list = append(list, search.FacetValue{Value: v, Count: n})
		}
		slices.SortFunc(list, func(a, b search.FacetValue) int { return cmp.Or(b.Count-a.Count, strings.Compare(a.Value, b.Value)) })
		out[name] = list
	}
	return out
}

// Article returns an article, or search.ErrNotFound.
func (x *Index) Article(_ context.Context, id string) (*news.Article, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.Err != nil {
		return nil, x.Err
	}
	for i := range x.articles {
		if x.articles[i].ID == id {
			a := x.articles[i]
			return &a, nil
		}
	}
	return nil, fmt.Errorf("article %s: %w", id, search.ErrNotFound)
}

// Status returns the number of articles.
func (x *Index) Status(context.Context) (search.Status, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return search.Status{Docs: uint64(len(x.articles)), AppliedSeq: x.seq, LastSeq: x.seq + x.Lag, Lag: x.Lag}, x.Err
}

// Count counts articles by time and group.
func (x *Index) Count(_ context.Context, r search.CountRequest) (*search.Counts, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.Err != nil {
		return nil, x.Err
	}
	if r.Syntax != search.SyntaxPlain && r.Query != "" {
		if _, err := query.Parse(r.Query); err != nil {
			return nil, err
		}
	}
	groups := make(map[string]*search.CountGroup)
	add := func(labels map[string]string, i int) {
		key := fmt.Sprint(labels)
		g := groups[key]
		if g == nil {
			g = &search.CountGroup{Labels: labels, Counts: make([]uint64, len(r.Edges)-1)}
			groups[key] = g
		}
		g.Counts[i]++
		g.Total++
	}
	for k := range x.articles {
		a := &x.articles[k]
		at := a.Time()
		i, on := slices.BinarySearchFunc(r.Edges, at, time.Time.Compare)
		if !on {
			i--
		}
		if at.IsZero() || i < 0 || i >= len(r.Edges)-1 || !matches(a, &r.Request) {
			continue
		}
		sets := []map[string]string{{}}
		for _, by := range r.By {
			values := map[string][]string{
				search.FacetSource: {a.Source}, search.FacetLang: {a.Lang}, search.FacetScript: {a.Script}, search.FacetEntity: a.Entities(), search.FacetTopic: topics(a),
			}[by]
			var next []map[string]string
			for _, set := range sets {
				for _, v := range values {
					more := maps.Clone(set)
					more[by] = v
					next = append(next, more)
				}
			}
			sets = next
		}
		for _, labels := range sets {
			add(labels, i)
		}
	}
	out := &search.Counts{AppliedSeq: x.seq, Groups: []search.CountGroup{}}
	for _, g := range groups {
		out.Groups = append(out.Groups, *g)
	}
	slices.SortFunc(out.Groups, func(a, b search.CountGroup) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), strings.Compare(fmt.Sprint(a.Labels), fmt.Sprint(b.Labels)))
	})
	if r.Limit > 0 && len(out.Groups) > r.Limit {
		out.Groups, out.Truncated = out.Groups[:r.Limit], true
	}
	return out, nil
}

func topics(a *news.Article) []string {
	ids := make([]string, len(a.Topics))
	for i, t := range a.Topics {
		ids[i] = t.ID
	}
	return ids
}
