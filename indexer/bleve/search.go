package bleve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
)

var _ search.Searcher = (*Index)(nil)

// Search implements search.Searcher.
func (x *Index) Search(ctx context.Context, r search.Request) (*search.Result, error) {
	start := time.Now()
	q, err := x.plan(r)
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
	for _, match = range q.matches {
		if c, f, err = x.collect(ctx, s, q, match); err != nil {
			return nil, fmt.Errorf("search: %w", err)
		}
		if c.total > 0 {
			break
		}
	}
	if c.total == 0 {
		match = q.matches[0] // nothing found is not a relaxed answer
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
		res.Facets = f.values(x.facetName)
	}
	if len(page) > q.size {
		page = page[:q.size]
		last := page[len(page)-1]
		res.NextCursor = encodeCursor(q.hash, match, position{last.key, last.id})
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
func (x *Index) hits(s *snapshot, q *plan, page []*found) ([]search.Hit, error) {
	mark, why := q.meaning.marks(), x.reasons(q)
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
			hits[i], err = x.hit(s, hit, mark, why)
			if q.sort == search.SortRelevance {
				hits[i].Score = hit.key
			}
			hits[i].More = hit.more
			return err
		})
	}
	return hits, g.Wait()
}

// plan is a request, checked and read.
type plan struct {
	request search.Request
	size    int
	sort    string
	matches []string // to be tried until something is found
	after   *position
	hash    uint32
	meaning meaning
	// node is the query without the filters, expansion what it is expanded by.
	node      query.Node
	expansion query.Expansion
}

func (x *Index) plan(r search.Request) (*plan, error) {
	q := &plan{request: r, hash: queryHash(r)}
	wrong := func(field, message, hint string) (*plan, error) {
		return nil, &search.RequestError{Field: field, Message: message, Hint: hint}
	}

	zone := time.UTC
	if r.TZ != "" {
		var err error
		if zone, err = time.LoadLocation(r.TZ); err != nil {
			return wrong("tz", "is not a time zone: "+strconv.Quote(r.TZ), "use an IANA name such as Asia/Shanghai")
		}
	}
	var node query.Node
	switch r.Syntax {
	case "", search.SyntaxQuery:
		var err error
		if node, err = query.ParseWith(r.Query, query.Options{Location: zone, KnowsEntity: x.knowsEntity}); err != nil {
			return nil, err
		}
	case search.SyntaxPlain:
		if len(r.Query) > search.MaxQueryBytes {
			return wrong("q", "is longer than "+strconv.Itoa(search.MaxQueryBytes)+" bytes", "shorten it")
		}
		node = query.Plain(r.Query)
	default:
		return wrong("syntax", "cannot be "+strconv.Quote(r.Syntax), "it is query or plain")
	}

	filters, err := x.filters(r)
	if err != nil {
		return nil, err
	}
	q.node = node
	q.expansion.NoSynonyms = r.NoSynonyms
	if !r.NoNames {
		q.expansion.Lexicon = x.names()
	}
	required, texts := parts(node)
	if q.meaning, err = x.lower(append(filters, required...), texts, q.expansion); err != nil {
		return nil, err
	}

	q.sort = r.Sort
	switch r.Sort {
	case "":
		q.sort = search.SortNewest
		if len(positive(node)) > 0 {
			q.sort = search.SortRelevance
		}
	case search.SortRelevance, search.SortNewest, search.SortOldest:
	default:
		return wrong("sort", "cannot be "+strconv.Quote(r.Sort), "it is relevance, newest or oldest")
	}

	switch q.size = r.Size; {
	case r.Size == 0:
		q.size = search.DefaultSize
	case r.Size == -1:
		q.size = 0
	case r.Size < 0 || r.Size > search.MaxSize:
		return wrong("size", "must be from 1 to "+strconv.Itoa(search.MaxSize), "follow next_cursor for more hits")
	}

	for _, f := range r.Facets {
		if !slices.Contains(facetFields, f) {
			return wrong("facets", "there is no facet "+strconv.Quote(f), "the facets are "+strings.Join(facetFields, ", "))
		}
	}

	switch r.Match {
	case "", search.MatchAuto:
		q.matches = []string{search.MatchAll}
		if q.meaning.several {
			q.matches = append(q.matches, search.MatchAny)
		}
	case search.MatchAll, search.MatchAny:
		q.matches = []string{r.Match}
	default:
		return wrong("match", "cannot be "+strconv.Quote(r.Match), "it is auto, all or any")
	}
	if r.Cursor != "" {
		p, match, err := decodeCursor(r.Cursor, q.hash)
		if err != nil {
			return nil, err
		}
		q.after, q.matches = &p, []string{match}
	}
	return q, nil
}

// parts parts a query into its words at the top level, which may be relaxed, and
// what is required in any case.
func parts(n query.Node) (required []query.Node, texts []query.Text) {
	nodes := []query.Node{n}
	if and, ok := n.(query.And); ok {
		nodes = and.Nodes
	}
	for _, n := range nodes {
		if t, ok := n.(query.Text); ok {
			texts = append(texts, t)
		} else {
			required = append(required, n)
		}
	}
	return required, texts
}

// facetFields are the facets, which are named as their fields.
var facetFields = []string{search.FacetSource, search.FacetLang, search.FacetScript, search.FacetEntity, search.FacetStory}

// filters turns the request's filters into parts of the query.
func (x *Index) filters(r search.Request) ([]query.Node, error) {
	var nodes []query.Node
	anyOf := func(values []string, node func(string) query.Node) {
		if len(values) > 0 {
			list := make([]query.Node, len(values))
			for i, v := range values {
				list[i] = node(v)
			}
			nodes = append(nodes, query.AnyOf(list...))
		}
	}
	for _, l := range r.Lang {
		if !slices.Contains(langs, l) {
			return nil, &search.RequestError{Field: "lang", Message: "cannot be " + strconv.Quote(l), Hint: "it is one of " + strings.Join(langs, ", ")}
		}
	}
	for _, e := range r.Entity {
		if !x.knowsEntity(e) {
			return nil, &search.RequestError{Field: "entity", Message: "the lexicon has no entity " + strconv.Quote(e), Hint: "search for it as text, or add it to the lexicon"}
		}
	}
	anyOf(r.Lang, func(v string) query.Node { return query.Keyword{Field: query.FieldLang, Value: v} })
	anyOf(r.Source, func(v string) query.Node { return query.Keyword{Field: query.FieldSource, Value: v} })
	anyOf(r.Entity, func(v string) query.Node { return query.Entity{Value: v} })
	if !r.From.IsZero() || !r.To.IsZero() {
		if !r.From.IsZero() && !r.To.IsZero() && !r.From.Before(r.To) {
			return nil, &search.RequestError{Field: "to", Message: "is not after from", Hint: "to is excluded: for one day write from=2025-11-17&to=2025-11-18"}
		}
		nodes = append(nodes, query.Range{Field: query.FieldPublished, From: r.From.UTC(), To: r.To.UTC()})
	}
	return nodes, nil
}

var langs = []string{"zh", "en", "zh-Hans", "zh-Hant"}

// knowsEntity says whether entity: finds name. IDs are taken as they are: an
// article may name an entity that has left the lexicon since.
func (x *Index) knowsEntity(name string) bool {
	if kind, slug, ok := strings.Cut(name, ":"); ok && slug != "" && slices.Contains(kinds, news.Kind(kind)) {
		return true
	}
	return x.lexicon != nil && len(x.lexicon.Current().Lookup(name)) > 0
}

var kinds = []news.Kind{news.Org, news.Person, news.Place, news.Product, news.Tech, news.Node, news.Money, news.Percent, news.Date}

func (x *Index) facetName(field, value string) string {
	if field == search.FacetEntity && x.lexicon != nil {
		if e, ok := x.lexicon.Current().Entity(value); ok {
			return e.En
		}
	}
	return ""
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
func (q *plan) docs(s *snapshot, match string) (docs, error) {
	d, err := q.meaning.docs(s, match)
	if err != nil || q.request.Story == "" {
		return d, err
	}
	of, err := s.storyDocs(q.request.Story)
	return allOf{of, d}, err
}

// collect runs the query with one way of matching.
func (x *Index) collect(ctx context.Context, s *snapshot, q *plan, match string) (*collector, *facets, error) {
	d, err := q.docs(s, match)
	if err != nil {
		return nil, nil, err
	}
	c := &collector{r: s.r, desc: q.sort != search.SortOldest, size: q.size + min(q.size, 1), after: q.after}
	if q.request.Collapse {
		if c.groups, err = s.storyGroups(); err != nil {
			return nil, nil, err
		}
	}
	var f *facets
	if len(q.request.Facets) > 0 {
		if f, err = s.facets(q.request.Facets); err != nil {
			return nil, nil, err
		}
	}
	key, err := x.sortKey(s, q)
	if err != nil {
		return nil, nil, err
	}
	if q.sort == search.SortNewest && f == nil && c.groups == nil && c.size > 0 {
		if err := q.newest(ctx, s, d, c, key); err != nil {
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
func (x *Index) sortKey(s *snapshot, q *plan) (func(doc uint64) (float64, error), error) {
	if q.sort == search.SortRelevance {
		k, err := x.ranker(s, q.node, q.expansion)
		if err != nil {
			return nil, err
		}
		return k.score, nil
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
		return decodeTime(v)
	}, nil
}

// explain adds to each hit how its score came about.
func (x *Index) explain(s *snapshot, q *plan, page []*found, hits []search.Hit) error {
	k, err := x.ranker(s, q.node, q.expansion)
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
func (x *Index) hit(s *snapshot, f *found, mark *query.Matcher, why func(clause string) string) (search.Hit, error) {
	a, m, _, err := readArticle(s.r, f.id)
	if err != nil {
		return search.Hit{}, err
	}
	if a == nil {
		return search.Hit{}, fmt.Errorf("article %s: matched but is not stored; rebuild the index", f.id)
	}
	entities := a.Entities()
	if entities == nil {
		entities = []string{}
	}
	h := search.Hit{
		ID: a.ID, URL: a.URL, Title: a.Title,
		Source: a.Source, Publisher: a.Publisher, Credit: a.Credit,
		Lang: a.Lang, Script: a.Script,
		Published: a.Published, Fetched: a.Fetched, Indexed: time.UnixMilli(m.indexed).UTC(),
		Revision: a.Revision, Entities: entities, Story: cmp.Or(m.story, a.ID),
	}
	h.Snippet, h.Highlights = snippet(a, mark.Explain(mark.Document(a, x.analyzer)))
	for i := range h.Highlights {
		h.Highlights[i].Reason = why(h.Highlights[i].Reason)
	}
	return h, nil
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
