package ui

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/lexicon"
)

const (
	// latestSize is the number of articles on the page of an entity.
	latestSize = 10
	// relatedSize is the number of articles that the graph is drawn from.
	relatedSize = 50
	// sourcesSize is the number of sources shown.
	sourcesSize = 8
	// togetherSize is the number of entities named together with one.
	togetherSize = 12
	// maxChildren is the number of children shown.
	maxChildren = 60
)

type entityPage struct {
	ID, Name, Kind string
	Known          bool // in the lexicon
	Names          []Name
	Facts          []Fact
	Parents        []Link // from the nearest up
	Children       []Link
	MoreChildren   int
	Aliases        []Alias
	Note           string
	Chart          *Chart
	Total          uint64
	Hits           []Hit
	Together       []Link
	Graph          *Graph
	Sources        []Link
	Search         string
	RSS            string
	JSON           string
}

// Name is the name of an entity in one language.
type Name struct{ Lang, Text string }

// Alias is a further surface form of an entity.
type Alias struct {
	Text, Region string
	BuiltIn      bool
	Origin       string
	// Rules say where the form counts.
	Rules []string
}

func entityURL(id string) string { return "/entity/" + url.PathEscape(id) }

func (u *UI) entity(w http.ResponseWriter, r *http.Request) {
	ctx, lang, id := r.Context(), languageOf(r), r.PathValue("id")
	lex := u.o.Lexicon.Current()
	e, known := lex.Entity(id)
	if !known {
		if ids := lex.Lookup(id); len(ids) > 0 {
			http.Redirect(w, r, entityURL(ids[0]), http.StatusSeeOther)
			return
		}
	}
	p := entityPage{ID: id, Name: u.entityName(lang, id), Kind: entityKind(id), Known: known}
	s := state{}.toggle("entity", id)
	latest, err := u.o.Searcher.Search(ctx, search.Request{Entity: s.Entity, Sort: search.SortNewest, Size: relatedSize, TZ: u.o.Zone.String(), Facets: []string{search.FacetSource}})
	if err != nil {
		u.failure(w, r, err)
		return
	}
	p.Total = latest.Total
	if !known && p.Total == 0 {
		u.message(w, r, http.StatusNotFound, "entity-gone", "entity-gone-hint")
		return
	}
	names := u.o.SourceNames(ctx)
	p.Hits = u.hits(r, latest.Hits[:min(latestSize, len(latest.Hits))], names)
	for i := range p.Hits {
		p.Hits[i].Reasons = nil // they name it
	}
	if !known && p.Total > 0 {
		p.Name = or(u.surface(ctx, id, latest.Hits[0].ID), p.Name)
	}
	for _, v := range latest.Facets[search.FacetSource] {
		if len(p.Sources) < sourcesSize {
			p.Sources = append(p.Sources, Link{Label: or(names[v.Value], v.Name, v.Value), URL: s.toggle("source", v.Value).URL(), Count: v.Count})
		}
	}
	if p.Chart, err = u.volume(ctx, s, lang); err != nil {
		u.failure(w, r, err)
		return
	}
	var ids []string
	p.Together, ids = u.together(r, id, lang)
	p.Graph = graph(p.Name, p.Kind, p.Together, ids, latest.Hits)
	p.Search, p.RSS, p.JSON = s.URL(), s.at("/feeds/search.rss"), "/v1/entities/"+url.PathEscape(id)
	if known {
		u.describe(&p, e, lex, lang)
	}
	u.render(w, r, http.StatusOK, "entity.html", page{Title: p.Name, Data: p})
}

// describe adds what the lexicon knows.
func (u *UI) describe(p *entityPage, e *lexicon.Entity, lex *lexicon.Lexicon, lang int) {
	p.Names = namesOf(e)
	if len(e.Tickers) > 0 {
		p.Facts = append(p.Facts, Fact{Key: "tickers", Value: strings.Join(e.Tickers, ", ")})
	}
	p.Facts = append(p.Facts, Fact{Key: "entity-id", Value: e.ID}, Fact{Key: "origin", Value: origin(e.Origin, lang)})
	p.Note = e.Note
	for above := e.Parent; above != "" && len(p.Parents) < 5; {
		p.Parents = append(p.Parents, Link{Label: u.entityName(lang, above), URL: entityURL(above), Kind: entityKind(above)})
		parent, ok := lex.Entity(above)
		if !ok {
			break
		}
		above = parent.Parent
	}
	for _, c := range lex.Entities() {
		if c.Parent == e.ID {
			p.Children = append(p.Children, Link{Label: u.entityName(lang, c.ID), URL: entityURL(c.ID), Kind: entityKind(c.ID)})
		}
	}
	slices.SortStableFunc(p.Children, func(a, b Link) int {
		return cmp.Or(cmp.Compare(kindRank(a.Kind), kindRank(b.Kind)), strings.Compare(a.Label, b.Label))
	})
	if len(p.Children) > maxChildren {
		p.MoreChildren = len(p.Children) - maxChildren
		p.Children = p.Children[:maxChildren]
	}
	for i := range e.Aliases {
		a := &e.Aliases[i]
		shown := Alias{Text: a.Text, Origin: origin(a.Origin, lang), BuiltIn: a.Origin == lexicon.BuiltIn}
		if a.Region != "" {
			shown.Region = say(lang, "region-"+a.Region)
		}
		if a.Case {
			shown.Rules = append(shown.Rules, say(lang, "rule-case"))
		}
		if len(a.Near) > 0 {
			shown.Rules = append(shown.Rules, say(lang, "rule-near", strings.Join(u.terms(a.Near, lang), ", ")))
		}
		if len(a.Not) > 0 {
			shown.Rules = append(shown.Rules, say(lang, "rule-not", strings.Join(u.terms(a.Not, lang), ", ")))
		}
		if a.Weak {
			shown.Rules = append(shown.Rules, say(lang, "rule-weak"))
		}
		if a.Abbrev {
			shown.Rules = append(shown.Rules, say(lang, "rule-abbrev"))
		}
		p.Aliases = append(p.Aliases, shown)
	}
}

// namesOf returns the names of an entity in the languages of the pages.
func namesOf(e *lexicon.Entity) []Name {
	var out []Name
	for i, n := range [languages]string{en: e.En, hans: e.ZhHans, hant: e.ZhHant} {
		if n != "" {
			out = append(out, Name{tags[i].String(), n})
		}
	}
	return out
}

// terms gives the IDs in a list of a rule their names.
func (u *UI) terms(list []string, lang int) []string {
	out := make([]string, len(list))
	for i, term := range list {
		out[i] = term
		if _, ok := u.o.Lexicon.Current().Entity(term); ok {
			out[i] = u.entityName(lang, term)
		}
	}
	return out
}

func origin(of string, lang int) string {
	if of == lexicon.BuiltIn {
		return say(lang, "built-in")
	}
	return of
}

func kindRank(kind string) int {
	return slices.IndexFunc(kinds, func(k news.Kind) bool { return string(k) == kind })
}

// surface returns how an article calls an entity that the lexicon lacks.
func (u *UI) surface(ctx context.Context, entity, article string) string {
	a, err := u.o.Searcher.Article(ctx, article)
	if err != nil {
		u.o.Logger.Debug("name of an entity unknown", "entity", entity, "err", err)
		return ""
	}
	i := slices.IndexFunc(a.Mentions, func(m news.Mention) bool { return m.Entity == entity })
	if i < 0 {
		return ""
	}
	return a.Mentions[i].Surface
}

// together lists what is named together with an entity of late, with the IDs;
// nothing where the index cannot count.
func (u *UI) together(r *http.Request, id string, lang int) (list []Link, ids []string) {
	now := time.Now().In(u.o.Zone)
	c, err := search.Cooccur(r.Context(), u.o.Searcher, search.CooccurRequest{
		Request: search.Request{From: time.Date(now.Year(), now.Month(), now.Day()+1-chartDays, 0, 0, 0, 0, u.o.Zone)},
		Of:      id, Limit: 2 * togetherSize,
	})
	if err != nil {
		u.o.Logger.Debug("entities named together not counted", "entity", id, "err", err)
		return nil, nil
	}
	for _, e := range c.Entities {
		if unnamedEntity(e.Entity) || len(list) == togetherSize {
			continue
		}
		both := query.And{Nodes: []query.Node{query.Entity{Value: id}, query.Entity{Value: e.Entity}}}
		list = append(list, Link{Label: u.entityName(lang, e.Entity), URL: state{Q: both.String()}.URL(), Count: int(e.Count), Kind: entityKind(e.Entity)})
		ids = append(ids, e.Entity)
	}
	return list, ids
}
