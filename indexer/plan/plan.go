package plan

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"xinwen/indexer/analysis"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/lexicon"
)

// Planner reads requests. Its methods are safe for concurrent use.
type Planner struct {
	Analyzer *analysis.Analyzer
	// Lexicon resolves names of entities; it may be nil.
	Lexicon *lexicon.Store
}

// Plan is a request, checked and read.
type Plan struct {
	Request search.Request
	// Size is the number of hits on a page, 0 for none; Sort is one of search's.
	Size int
	Sort string
	// Matches are the ways of matching, to be tried until something is found.
	Matches []string
	// After is the last hit of the page before, nil on the first page.
	After   *Position
	Meaning Meaning
	// Node is the query without the filters, Expansion what it is expanded by.
	Node      query.Node
	Expansion query.Expansion

	hash uint32
}

// Plan reads r. Its errors are *search.RequestError and *query.SyntaxError.
func (p *Planner) Plan(r search.Request) (*Plan, error) {
	q := &Plan{Request: r, hash: queryHash(r)}
	wrong := func(field, message, hint string) (*Plan, error) {
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
		if node, err = query.ParseWith(r.Query, query.Options{Location: zone, KnowsEntity: p.KnowsEntity}); err != nil {
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

	filters, err := p.Filters(r)
	if err != nil {
		return nil, err
	}
	q.Node = node
	q.Expansion.NoSynonyms = r.NoSynonyms
	if !r.NoNames {
		q.Expansion.Lexicon = p.names()
	}
	required, texts := Parts(node)
	if q.Meaning, err = p.Lower(append(filters, required...), texts, q.Expansion); err != nil {
		return nil, err
	}

	q.Sort = r.Sort
	switch r.Sort {
	case "":
		q.Sort = search.SortNewest
		if len(Positive(node)) > 0 {
			q.Sort = search.SortRelevance
		}
	case search.SortRelevance, search.SortNewest, search.SortOldest:
	default:
		return wrong("sort", "cannot be "+strconv.Quote(r.Sort), "it is relevance, newest or oldest")
	}

	switch q.Size = r.Size; {
	case r.Size == 0:
		q.Size = search.DefaultSize
	case r.Size == -1:
		q.Size = 0
	case r.Size < 0 || r.Size > search.MaxSize:
		return wrong("size", "must be from 1 to "+strconv.Itoa(search.MaxSize), "follow next_cursor for more hits")
	}

	if r.HalfLife != 0 && (r.HalfLife.Std() < minHalfLife || q.Sort != search.SortRelevance) {
		return wrong("half_life", "must be an hour at least and go with sort=relevance", "write for example half_life=7d")
	}
	for _, f := range r.Facets {
		if !slices.Contains(FacetFields, f) {
			return wrong("facets", "there is no facet "+strconv.Quote(f), "the facets are "+strings.Join(FacetFields, ", "))
		}
	}

	switch r.Match {
	case "", search.MatchAuto:
		q.Matches = []string{search.MatchAll}
		if q.Meaning.Several {
			q.Matches = append(q.Matches, search.MatchAny)
		}
	case search.MatchAll, search.MatchAny:
		q.Matches = []string{r.Match}
	default:
		return wrong("match", "cannot be "+strconv.Quote(r.Match), "it is auto, all or any")
	}
	if r.Cursor != "" {
		at, match, err := decodeCursor(r.Cursor, q.hash)
		if err != nil {
			return nil, err
		}
		q.After, q.Matches = &at, []string{match}
	}
	return q, nil
}

// Parts parts a query into its words at the top level, which may be relaxed, and
// what is required in any case.
func Parts(n query.Node) (required []query.Node, texts []query.Text) {
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

// FacetFields are the facets, which are named as their fields.
var FacetFields = []string{search.FacetSource, search.FacetLang, search.FacetScript, search.FacetEntity, search.FacetTopic, search.FacetStory}

// Filters turns the request's filters into parts of the query.
func (p *Planner) Filters(r search.Request) ([]query.Node, error) {
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
		if !p.KnowsEntity(e) {
			return nil, &search.RequestError{Field: "entity", Message: "the lexicon has no entity " + strconv.Quote(e), Hint: "search for it as text, or add it to the lexicon"}
		}
	}
	anyOf(r.Lang, func(v string) query.Node { return query.Keyword{Field: query.FieldLang, Value: v} })
	anyOf(r.Source, func(v string) query.Node { return query.Keyword{Field: query.FieldSource, Value: v} })
	anyOf(r.Entity, func(v string) query.Node { return query.Entity{Value: v} })
	anyOf(r.Topic, func(v string) query.Node { return query.Keyword{Field: query.FieldTopic, Value: v} })
	if !r.From.IsZero() || !r.To.IsZero() {
		if !r.From.IsZero() && !r.To.IsZero() && !r.From.Before(r.To) {
			return nil, &search.RequestError{Field: "to", Message: "is not after from", Hint: "to is excluded: for one day write from=2025-11-17&to=2025-11-18"}
		}
		nodes = append(nodes, query.Range{Field: query.FieldPublished, From: r.From.UTC(), To: r.To.UTC()})
	}
	return nodes, nil
}

// minHalfLife keeps the sort keys of Decay exact enough.
const minHalfLife = time.Hour

var langs = []string{"zh", "en", "zh-Hans", "zh-Hant"}

// KnowsEntity says whether entity: finds name. IDs are taken as they are: an
// article may name an entity that has left the lexicon since.
func (p *Planner) KnowsEntity(name string) bool {
	if kind, slug, ok := strings.Cut(name, ":"); ok && slug != "" && slices.Contains(kinds, news.Kind(kind)) {
		return true
	}
	return p.Lexicon != nil && len(p.Lexicon.Current().Lookup(name)) > 0
}

var kinds = []news.Kind{news.Org, news.Person, news.Place, news.Product, news.Tech, news.Node, news.Money, news.Percent, news.Date}

// FacetName returns what people call a value of a facet, "" if that is the value.
func (p *Planner) FacetName(field, value string) string {
	if field == search.FacetEntity && p.Lexicon != nil {
		if e, ok := p.Lexicon.Current().Entity(value); ok {
			return e.En
		}
	}
	return ""
}

// Decay returns the key that hits are sorted by where new ones are preferred: the
// logarithm of the score, one less for every half life since 1970. So the order
// does not depend on when it is asked for.
func Decay(score float64, at time.Time, halfLife news.Duration) float64 {
	const least = 1e-9 // of what matches without a word to rank by
	return math.Log2(max(score, least)) + halfLives(at, halfLife)
}

// DecayedScore returns the score that a key of Decay stands for at some time.
func DecayedScore(key float64, now time.Time, halfLife news.Duration) float64 {
	return math.Exp2(key - halfLives(now, halfLife))
}

func halfLives(t time.Time, halfLife news.Duration) float64 {
	return float64(t.UnixMilli()) / float64(halfLife.Std().Milliseconds())
}
