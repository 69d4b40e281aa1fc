package api

import (
	"cmp"
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"xinwen/api/problem"
	"xinwen/news"
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
	register(s, api, operation(http.MethodGet, "/v1/suggest", "suggest", "Entities with a name or a word of it that begins so, also in pinyin", "lexicon"),
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
			out.Body.Suggestions = []suggestion{}
			for _, found := range s.suggest.Find(s.o.Lexicon.Current(), in.Q, in.Size) {
				e := found.Entity
				out.Body.Suggestions = append(out.Body.Suggestions, suggestion{
					Value: "entity:" + e.ID, Text: found.Text, Label: cmp.Or(e.En, e.ZhHans, e.ZhHant, e.ID), Kind: e.Kind,
				})
			}
			return &out, nil
		})
}
