package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"xinwen/indexer/search"
	"xinwen/news"
)

// SearchParams are the parameters of a search, in the query string of a GET or
// as the JSON body of a POST.
type SearchParams struct {
	Q        string `query:"q" json:"q,omitempty" maxLength:"8192" doc:"The query; empty means every article" example:"台积电 AND 涨价"`
	From     string `query:"from" json:"from,omitempty" doc:"Published at or after: a date in tz, or an RFC 3339 time" example:"2025-11-01"`
	To       string `query:"to" json:"to,omitempty" doc:"Published until: a date in tz (the whole day counts), or an RFC 3339 time (which does not)" example:"2025-11-17"`
	TZ       string `query:"tz" json:"tz,omitempty" doc:"IANA time zone of days, UTC if empty" example:"Asia/Taipei"`
	Lang     list   `query:"lang,explode" json:"lang,omitempty" doc:"zh, en, zh-Hans, zh-Hant; several are alternatives"`
	Source   list   `query:"source,explode" json:"source,omitempty" doc:"IDs of sources; several are alternatives"`
	Entity   list   `query:"entity,explode" json:"entity,omitempty" doc:"IDs, names or aliases of entities; several are alternatives"`
	Topic    list   `query:"topic,explode" json:"topic,omitempty" doc:"IDs of topics, such as export-control; several are alternatives"`
	Story    string `query:"story" json:"story,omitempty" maxLength:"128" doc:"ID of a story: only its articles"`
	Sort     string `query:"sort" json:"sort,omitempty" enum:"relevance,newest,oldest" doc:"relevance where there is a query, else newest"`
	Size     int    `query:"size" json:"size,omitempty" minimum:"-1" maximum:"100" default:"10" doc:"Hits on a page; -1 only counts"`
	Cursor   string `query:"cursor" json:"cursor,omitempty" maxLength:"4096" doc:"next_cursor of the page before; all else must stay the same"`
	Facets   list   `query:"facets,explode" json:"facets,omitempty" doc:"Facets to count: source, lang, script, entity, topic, story"`
	Match    string `query:"match" json:"match,omitempty" enum:"auto,all,any" default:"auto" doc:"How many of the words an article must have"`
	Syntax   string `query:"syntax" json:"syntax,omitempty" enum:"query,plain" default:"query" doc:"plain knows no operators"`
	Collapse bool   `query:"collapse" json:"collapse,omitempty" doc:"Show of each story only the best hit, with how many more there are"`
	HalfLife string `query:"half_life" json:"half_life,omitempty" maxLength:"16" doc:"With sort=relevance: a hit counts half for every such time that it is old" example:"7d"`
	Explain  bool   `query:"explain" json:"explain,omitempty" doc:"Say how each hit came to its score"`
}

// request turns the parameters into what a Searcher takes.
func (p *SearchParams) request() (search.Request, error) {
	zone, err := time.LoadLocation(p.TZ)
	if err != nil || p.TZ == "Local" {
		return search.Request{}, &search.RequestError{Field: "tz", Message: fmt.Sprintf("%q is not an IANA time zone", p.TZ), Hint: "write for example Asia/Shanghai"}
	}
	r := search.Request{
		Query: p.Q, Syntax: p.Syntax, Match: p.Match, Sort: p.Sort, TZ: p.TZ,
		Lang: p.Lang.split(), Source: p.Source.split(), Entity: p.Entity, Topic: p.Topic.split(), Facets: p.Facets.split(),
		Size: p.Size, Cursor: p.Cursor, Explain: p.Explain, Story: p.Story, Collapse: p.Collapse,
	}
	if r.From, err = instant("from", p.From, zone, 0); err != nil {
		return search.Request{}, err
	}
	if r.To, err = instant("to", p.To, zone, 1); err != nil {
		return search.Request{}, err
	}
	if !r.From.IsZero() && !r.To.IsZero() && !r.From.Before(r.To) {
		return search.Request{}, &search.RequestError{Field: "to", Message: "the end is not after the beginning", Hint: "exchange from and to"}
	}
	if p.HalfLife != "" {
		if r.HalfLife, err = news.ParseDuration(p.HalfLife); err != nil {
			return search.Request{}, &search.RequestError{Field: "half_life", Message: err.Error(), Hint: "write for example 7d"}
		}
	}
	if r.Size == 0 {
		r.Size = -1
	}
	return r, nil
}

// narrowing are the parameters that say which articles are meant, for routes that
// write their own body.
func narrowing(q url.Values) SearchParams {
	return SearchParams{
		Q: q.Get("q"), From: q.Get("from"), To: q.Get("to"), TZ: q.Get("tz"), Lang: q["lang"], Source: q["source"], Entity: q["entity"],
		Topic: q["topic"], Story: q.Get("story"), Match: q.Get("match"), Syntax: q.Get("syntax"),
	}
}

// narrowingParams describe them.
func narrowingParams() []*huma.Param {
	text := &huma.Schema{Type: huma.TypeString}
	several := &huma.Schema{Type: huma.TypeArray, Items: text}
	return []*huma.Param{
		{Name: "q", In: "query", Description: "The query; empty means every article", Schema: text},
		{Name: "from", In: "query", Description: "Published at or after: a date in tz, or an RFC 3339 time", Schema: text},
		{Name: "to", In: "query", Description: "Published until: a date in tz (the whole day counts), or an RFC 3339 time (which does not)", Schema: text},
		{Name: "tz", In: "query", Description: "IANA time zone of days, UTC if empty", Schema: text},
		{Name: "lang", In: "query", Description: "zh, en, zh-Hans, zh-Hant; several are alternatives", Schema: several},
		{Name: "source", In: "query", Description: "IDs of sources; several are alternatives", Schema: several},
		{Name: "entity", In: "query", Description: "IDs, names or aliases of entities; several are alternatives", Schema: several},
		{Name: "topic", In: "query", Description: "IDs of topics; several are alternatives", Schema: several},
		{Name: "story", In: "query", Description: "ID of a story: only its articles", Schema: text},
		{Name: "match", In: "query", Description: "How many of the words an article must have", Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{search.MatchAuto, search.MatchAll, search.MatchAny}, Default: search.MatchAuto}},
		{Name: "syntax", In: "query", Description: "plain knows no operators", Schema: &huma.Schema{Type: huma.TypeString, Enum: []any{search.SyntaxQuery, search.SyntaxPlain}, Default: search.SyntaxQuery}},
	}
}

// instant reads a date, of which it returns the beginning some days later, or a
// time.
func instant(field, s string, zone *time.Location, days int) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		return t.AddDate(0, 0, days).UTC(), nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, &search.RequestError{Field: field, Message: fmt.Sprintf("%q is neither a date nor a time", s), Hint: "write 2025-11-17 or 2025-11-17T08:00:00+08:00"}
	}
	return t.UTC(), nil
}

type searchResponse struct {
	ETag         string `header:"ETag"`
	CacheControl string `header:"Cache-Control"`
	Body         *search.Result
}

func (s *Server) searchRoutes(api huma.API) {
	op := operation(http.MethodGet, "/v1/search", "search", "Search for articles", "search")
	op.Description = "Answers carry an ETag; a GET with If-None-Match is answered 304 until the index or the lexicon changes."
	register(s, api, op, func(ctx context.Context, in *struct {
		SearchParams
		IfNoneMatch string `header:"If-None-Match"`
	},
	) (*searchResponse, error) {
		if in.IfNoneMatch != "" {
			st, err := s.o.Searcher.Status(ctx)
			if err != nil {
				return nil, err
			}
			if tag := s.etag(st.AppliedSeq); matchesTag(in.IfNoneMatch, tag) {
				return nil, huma.ErrorWithHeaders(huma.Status304NotModified(), http.Header{"Etag": {tag}, "Cache-Control": {"no-cache"}})
			}
		}
		return s.search(ctx, &in.SearchParams)
	})
	op = operation(http.MethodPost, "/v1/search", "search-by-post", "Search for articles, with a query of any length", "search")
	register(s, api, op, func(ctx context.Context, in *struct{ Body SearchParams }) (*searchResponse, error) {
		return s.search(ctx, &in.Body)
	})
}

func (s *Server) search(ctx context.Context, p *SearchParams) (*searchResponse, error) {
	r, err := p.request()
	if err != nil {
		return nil, err
	}
	res, err := s.o.Searcher.Search(ctx, r)
	if err != nil {
		return nil, err
	}
	if res.Hits == nil {
		res.Hits = []search.Hit{}
	}
	return &searchResponse{ETag: s.etag(res.AppliedSeq), CacheControl: "no-cache", Body: res}, nil
}

// etag names the state that answers depend on: what the index holds, and what
// names mean.
func (s *Server) etag(appliedSeq uint64) string {
	h := s.o.Lexicon.Current().Hash()
	return fmt.Sprintf(`W/"%d-%s"`, appliedSeq, h[:min(8, len(h))])
}

func matchesTag(header, tag string) bool {
	for t := range strings.SplitSeq(header, ",") {
		t = strings.TrimSpace(t)
		if t == "*" || strings.TrimPrefix(t, "W/") == strings.TrimPrefix(tag, "W/") {
			return true
		}
	}
	return false
}

// list is a parameter that may be given several times. In a JSON body it is an
// array, or one string.
type list []string

// UnmarshalJSON reads an array of strings or one string.
func (l *list) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*l = list{""}
		return json.Unmarshal(data, &(*l)[0])
	}
	return json.Unmarshal(data, (*[]string)(l))
}

// Schema describes both forms.
func (l list) Schema(huma.Registry) *huma.Schema {
	text := &huma.Schema{Type: huma.TypeString}
	return &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeArray, Items: text}, text}}
}

// split takes commas between values, as well as values given several times.
func (l list) split() []string {
	var out []string
	for _, v := range l {
		for part := range strings.SplitSeq(v, ",") {
			if part = strings.TrimSpace(part); part != "" && !slices.Contains(out, part) {
				out = append(out, part)
			}
		}
	}
	return out
}
