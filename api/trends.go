package api

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"xinwen/indexer/search"
)

// trendDays is how far back trends look if nothing is said.
const trendDays = 14

// PeriodParams say which articles are counted.
type PeriodParams struct {
	Q      string `query:"q" maxLength:"8192" doc:"Only articles that this query finds"`
	From   string `query:"from" doc:"Published at or after: a date in tz, or an RFC 3339 time; 14 days ago if empty"`
	To     string `query:"to" doc:"Published until: a date in tz (the whole day counts), or an RFC 3339 time; now if empty"`
	TZ     string `query:"tz" doc:"IANA time zone of days, UTC if empty" example:"Asia/Taipei"`
	Lang   list   `query:"lang,explode" doc:"zh, en, zh-Hans, zh-Hant; several are alternatives"`
	Source list   `query:"source,explode" doc:"IDs of sources; several are alternatives"`
	Entity list   `query:"entity,explode" doc:"IDs, names or aliases of entities; several are alternatives"`
	Topic  list   `query:"topic,explode" doc:"IDs of topics; several are alternatives"`
	Kind   string `query:"kind" enum:"org,person,product,tech,node,place" doc:"Only entities of this kind" example:"org"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"10" doc:"Number of values, the most frequent first"`
}

func (p *PeriodParams) request() (search.Request, error) {
	r, err := (&SearchParams{Q: p.Q, From: p.From, To: p.To, TZ: p.TZ, Lang: p.Lang, Source: p.Source, Entity: p.Entity, Topic: p.Topic}).request()
	if err != nil {
		return r, err
	}
	r.Size = 0
	if r.To.IsZero() {
		r.To = time.Now().UTC()
	}
	if r.From.IsZero() {
		r.From = r.To.AddDate(0, 0, -trendDays)
	}
	return r, nil
}

// named is a value with what people call it.
type named struct {
	search.Series
	Name string `json:"name,omitempty" doc:"Name of the entity"`
}

type trendsBody struct {
	search.Trends
	Series []named `json:"series"`
}

type cooccurrence struct {
	search.Cooccurrence
	Name string `json:"name,omitempty" doc:"Name of the entity"`
}

type cooccurBody struct {
	search.Cooccurrences
	Entities []cooccurrence `json:"entities"`
}

func (s *Server) trendRoutes(api huma.API) {
	op := operation(http.MethodGet, "/v1/trends", "trends", "Articles over time, by entity, source or language", "trends")
	op.Description = "Shares are of all articles in question (share of voice). Spikes are intervals with far more articles than the 14 before, and name the stories behind them."
	register(s, api, op, func(ctx context.Context, in *struct {
		PeriodParams
		Interval string `query:"interval" enum:"hour,day,week" default:"day" doc:"Length of an interval, in tz"`
		By       string `query:"by" enum:"entity,topic,source,lang,script,none" default:"entity" doc:"What to make series of"`
		Spikes   bool   `query:"spikes" doc:"Look for spikes"`
	},
	) (*struct{ Body trendsBody }, error) {
		r, err := in.request()
		if err != nil {
			return nil, err
		}
		if in.By == "none" {
			in.By = ""
		}
		t, err := search.Trend(ctx, s.o.Searcher, search.TrendRequest{
			Request: r, Interval: in.Interval, By: in.By, Kind: in.Kind, Limit: in.Limit, Spikes: in.Spikes,
		})
		if err != nil {
			return nil, err
		}
		out := &struct{ Body trendsBody }{trendsBody{Trends: *t, Series: []named{}}}
		for _, series := range t.Series {
			out.Body.Series = append(out.Body.Series, named{series, s.entityName(series.Value)})
		}
		return out, nil
	})
	register(s, api, operation(http.MethodGet, "/v1/cooccur", "cooccur", "Entities mentioned together with one", "trends"),
		func(ctx context.Context, in *struct {
			PeriodParams
			Of string `query:"of" required:"true" maxLength:"256" doc:"ID, name or alias of the entity" example:"台积电"`
		},
		) (*struct{ Body cooccurBody }, error) {
			r, err := in.request()
			if err != nil {
				return nil, err
			}
			c, err := search.Cooccur(ctx, s.o.Searcher, search.CooccurRequest{Request: r, Of: s.entityID(in.Of), Kind: in.Kind, Limit: in.Limit})
			if err != nil {
				return nil, err
			}
			out := &struct{ Body cooccurBody }{cooccurBody{Cooccurrences: *c, Entities: []cooccurrence{}}}
			for _, e := range c.Entities {
				out.Body.Entities = append(out.Body.Entities, cooccurrence{e, s.entityName(e.Entity)})
			}
			return out, nil
		})
}

// entityName returns the name of an entity, "" if the lexicon does not know it.
func (s *Server) entityName(id string) string {
	if e, ok := s.o.Lexicon.Current().Entity(id); ok {
		return cmp.Or(e.En, e.ZhHans, e.ZhHant)
	}
	return ""
}

// entityID returns the ID that a name means, or the name if it means none.
func (s *Server) entityID(name string) string {
	if ids := s.o.Lexicon.Current().Lookup(name); len(ids) > 0 {
		return ids[0]
	}
	return name
}
