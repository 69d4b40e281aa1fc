package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"xinwen/api/problem"
	"xinwen/news"
	"xinwen/news/han"
	"xinwen/news/lexicon"
)

// entity is an entity as the interface shows it.
type entity struct {
	ID      string    `json:"id"`
	Kind    news.Kind `json:"kind"`
	Names   names     `json:"names"`
	Aliases []alias   `json:"aliases"`
	Tickers []string  `json:"tickers,omitempty"`
	Parent  string    `json:"parent,omitempty"`
	Note    string    `json:"note,omitempty"`
	Origin  string    `json:"origin" doc:"built-in, or the lexicon file it comes from"`
}

type names struct {
	En     string `json:"en,omitempty"`
	ZhHans string `json:"zh-Hans,omitempty"`
	ZhHant string `json:"zh-Hant,omitempty"`
}

type alias struct {
	Text   string   `json:"text"`
	Case   bool     `json:"case,omitempty" doc:"Upper and lower case count"`
	Near   []string `json:"near,omitempty" doc:"Counts only in an article that has one of these"`
	Not    []string `json:"not,omitempty" doc:"Does not count in an article that has one of these"`
	Weak   bool     `json:"weak,omitempty" doc:"Counts only beside another name of the entity"`
	Origin string   `json:"origin,omitempty"`
}

func showEntity(e *lexicon.Entity) entity {
	out := entity{
		ID: e.ID, Kind: e.Kind, Names: names{e.En, e.ZhHans, e.ZhHant}, Aliases: []alias{},
		Tickers: e.Tickers, Parent: e.Parent, Note: e.Note, Origin: e.Origin,
	}
	for _, a := range e.Aliases {
		out.Aliases = append(out.Aliases, alias{a.Text, a.Case, a.Near, a.Not, a.Weak, a.Origin})
	}
	return out
}

// suggestion is one completion of what someone types.
type suggestion struct {
	Value string    `json:"value" doc:"What to put into a query, such as entity:org:tsmc"`
	Text  string    `json:"text" doc:"The name that matched"`
	Label string    `json:"label" doc:"The name to show"`
	Kind  news.Kind `json:"kind"`
}

func (s *Server) entityRoutes(api huma.API) {
	register(s, api, operation(http.MethodGet, "/v1/entities/{id}", "get-entity", "One entity of the lexicon, by ID or any name", "lexicon"),
		func(_ context.Context, in *struct {
			ID string `path:"id" maxLength:"256" doc:"ID, name or alias in any script" example:"org:tsmc"`
		},
		) (*struct{ Body entity }, error) {
			lex := s.o.Lexicon.Current()
			e, ok := lex.Entity(in.ID)
			if !ok {
				if ids := lex.Lookup(in.ID); len(ids) > 0 {
					e, ok = lex.Entity(ids[0])
				}
			}
			if !ok {
				return nil, problem.New(http.StatusNotFound, fmt.Sprintf("The lexicon has no entity %q.", in.ID), "Look for it with /v1/suggest?q=…, or add it to a lexicon file.")
			}
			return &struct{ Body entity }{showEntity(e)}, nil
		})
	register(s, api, operation(http.MethodGet, "/v1/suggest", "suggest", "Entities whose names begin so, also in pinyin", "lexicon"),
		func(_ context.Context, in *struct {
			Q    string `query:"q" maxLength:"256" required:"true" doc:"The beginning of a name, in any script, or of its pinyin (taiji, tjd)"`
			Size int    `query:"size" minimum:"1" maximum:"50" default:"10"`
		},
		) (*struct {
			Body struct {
				Suggestions []suggestion `json:"suggestions"`
			}
		}, error,
		) {
			var out struct {
				Body struct {
					Suggestions []suggestion `json:"suggestions"`
				}
			}
			out.Body.Suggestions = s.suggest.find(s.o.Lexicon.Current(), in.Q, in.Size)
			return &out, nil
		})
}

// suggestions finds entities by the beginning of a folded name or its pinyin.
type suggestions struct {
	mu    sync.Mutex
	of    *lexicon.Lexicon
	names []folded // sorted by text
}

type folded struct {
	text, surface string
	entity        *lexicon.Entity
}

func (s *suggestions) list(l *lexicon.Lexicon) []folded {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == l {
		return s.names
	}
	var list []folded
	for _, e := range l.Entities() {
		forms := append([]string{e.En, e.ZhHans, e.ZhHant}, e.Tickers...)
		for _, a := range e.Aliases {
			forms = append(forms, a.Text)
		}
		for _, f := range forms {
			if t := han.FoldString(f); t != "" {
				list = append(list, folded{t, f, e})
			}
			for _, t := range spellings(f) {
				list = append(list, folded{t, f, e})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b folded) int { return cmp.Compare(a.text, b.text) })
	s.of, s.names = l, list
	return list
}

func (s *suggestions) find(l *lexicon.Lexicon, q string, size int) []suggestion {
	out := []suggestion{}
	q = han.FoldString(strings.TrimSpace(q))
	if q == "" {
		return out
	}
	list := s.list(l)
	at, _ := slices.BinarySearchFunc(list, q, func(f folded, q string) int { return cmp.Compare(f.text, q) })
	seen := make(map[string]bool)
	for ; at < len(list) && len(out) < size && strings.HasPrefix(list[at].text, q); at++ {
		e := list[at].entity
		if seen[e.ID] {
			continue
		}
		seen[e.ID] = true
		out = append(out, suggestion{Value: "entity:" + e.ID, Text: list[at].surface, Label: cmp.Or(e.En, e.ZhHans, e.ZhHant, e.ID), Kind: e.Kind})
	}
	return out
}
