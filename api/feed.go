package api

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"xinwen/api/auth"
	"xinwen/api/feeds"
	"xinwen/api/problem"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
)

// feedSize is the number of articles in a feed.
const feedSize = 50

var feedOperation = func() huma.Operation {
	op := operation(http.MethodGet, "/feeds/{name}", "feed", "The newest articles of an alert or a query as a feed", "feeds")
	op.Description = "The name is the ID of an alert, or search for the query in q, with .rss, .atom or .json after it."
	text := &huma.Schema{Type: huma.TypeString}
	op.Description += " Readers that cannot send a header give a key with the role feeds in token."
	op.Description += " For search, all that narrows /v1/search narrows the feed."
	op.Parameters = append(
		[]*huma.Param{{Name: "name", In: "path", Required: true, Schema: text, Example: "search.rss"}},
		narrowingParams()...,
	)
	op.Parameters = append(op.Parameters, &huma.Param{Name: auth.TokenParam, In: "query", Description: "A key with the role feeds", Schema: text})
	xml := &huma.MediaType{Schema: text}
	op.Responses["200"] = &huma.Response{Description: "The feed", Content: map[string]*huma.MediaType{
		"application/rss+xml": xml, "application/atom+xml": xml, "application/feed+json": {Schema: &huma.Schema{Type: huma.TypeObject}},
	}}
	op.Responses["304"] = &huma.Response{Description: "Nothing new"}
	return op
}()

func (s *Server) feed(w http.ResponseWriter, r *http.Request) {
	if err := s.writeFeed(w, r); err != nil {
		problem.Write(w, problem.Of(s.problem(r.Context(), "feed", err)))
	}
}

func (s *Server) writeFeed(w http.ResponseWriter, r *http.Request) error {
	file := r.PathValue("name")
	dot := strings.LastIndexByte(file, '.')
	if dot < 0 || feeds.ContentType(file[dot+1:]) == "" {
		return problem.New(http.StatusNotFound, fmt.Sprintf("There is no feed %q.", file), "Write the alert's id or search, and .rss, .atom or .json after it.")
	}
	name, format := file[:dot], file[dot+1:]
	base := s.base(r)
	q := r.URL.Query()
	q.Del(auth.TokenParam) // feeds are passed on
	p := narrowing(q)
	f := feeds.Feed{Page: func(id string) string { return base + "/article/" + url.PathEscape(id) }}
	if name == "search" {
		f.Title, f.Description = "Xinwen: "+p.Q, "News that matches "+p.Q
		if p.Q == "" {
			f.Title, f.Description = "Xinwen 芯闻", "All news"
		}
		f.Home, f.Self = address(base+"/", q), address(base+r.URL.EscapedPath(), q)
	} else {
		rule, err := s.rules.Get(r.Context(), name)
		if err != nil {
			return err
		}
		if rule == nil {
			return noRule(name)
		}
		text := query.RuleText(&rule.Rule)
		p = SearchParams{Q: text, Lang: rule.Languages, Source: rule.Sources}
		f.Title, f.Description = "Xinwen: "+rule.Name, "News that matches "+text
		f.Home, f.Self = base+"/?"+url.Values{"q": {text}, "lang": rule.Languages, "source": rule.Sources, "sort": {"newest"}}.Encode(), base+"/feeds/"+url.PathEscape(file)
	}
	p.Sort, p.Size = search.SortNewest, feedSize
	req, err := p.request()
	if err != nil {
		return err
	}
	if tag := r.Header.Get("If-None-Match"); tag != "" {
		st, err := s.o.Searcher.Status(r.Context())
		if err != nil {
			return err
		}
		if now := s.etag(st.AppliedSeq); matchesTag(tag, now) {
			w.Header().Set("ETag", now)
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	res, err := s.o.Searcher.Search(r.Context(), req)
	if err != nil {
		return err
	}
	f.Hits = res.Hits
	names := s.sourceNames(r.Context())
	for i := range f.Hits {
		h := &f.Hits[i]
		h.Publisher = cmp.Or(h.Publisher, names[h.Source], h.Source)
	}
	h := w.Header()
	h.Set("ETag", s.etag(res.AppliedSeq))
	h.Set("Cache-Control", "no-cache")
	if updated := f.Updated(); !updated.IsZero() {
		h.Set("Last-Modified", updated.Format(http.TimeFormat))
		since, err := http.ParseTime(r.Header.Get("If-Modified-Since"))
		if err == nil && r.Header.Get("If-None-Match") == "" && !updated.Truncate(1e9).After(since) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	body, err := feeds.Write(f, format)
	if err != nil {
		return err
	}
	h.Set("Content-Type", feeds.ContentType(format))
	_, _ = w.Write(body) // the client has gone
	return nil
}

// address returns path with parameters, if there are any.
func address(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// base is the address that clients reach the api by.
func (s *Server) base(r *http.Request) string {
	if s.o.Config.PublicURL != "" {
		return strings.TrimSuffix(s.o.Config.PublicURL, "/")
	}
	if s.guard.Secure(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
