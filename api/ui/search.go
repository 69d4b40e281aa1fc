package ui

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
)

// pageSize is the number of hits on a page.
const pageSize = 20

// spans are the times that can be chosen at once, in days before today.
var spans = []struct {
	key  string
	days int
}{{"day", 1}, {"week", 6}, {"month", 29}}

// state is what the address of a search page says.
type state struct {
	Q, Sort, From, To, Cursor string
	Lang, Source, Entity      []string
	Topic                     []string
	// All shows every article, not only the best of each story.
	All bool
}

func stateOf(q url.Values) state {
	return state{
		Q: q.Get("q"), Sort: q.Get("sort"), From: q.Get("from"), To: q.Get("to"), Cursor: q.Get("cursor"),
		Lang: nonEmpty(q["lang"]), Source: nonEmpty(q["source"]), Entity: nonEmpty(q["entity"]), Topic: nonEmpty(q["topic"]),
		All: q.Get("all") == "1",
	}
}

func nonEmpty(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
}

func (s state) values() url.Values {
	v := url.Values{}
	for key, value := range map[string]string{"q": s.Q, "sort": s.Sort, "from": s.From, "to": s.To, "cursor": s.Cursor} {
		if value != "" {
			v.Set(key, value)
		}
	}
	for key, list := range map[string][]string{"lang": s.Lang, "source": s.Source, "entity": s.Entity, "topic": s.Topic} {
		if len(list) > 0 {
			v[key] = list
		}
	}
	if s.All {
		v.Set("all", "1")
	}
	return v
}

// URL returns the address of s on the search page.
func (s state) URL() string { return s.at("/") }

func (s state) at(path string) string {
	if q := s.values().Encode(); q != "" {
		return path + "?" + q
	}
	return path
}

// toggle puts a filter in, or takes it out, and goes back to the first page.
func (s state) toggle(field, value string) state {
	s.Cursor = ""
	l := map[string]*[]string{"lang": &s.Lang, "source": &s.Source, "entity": &s.Entity, "topic": &s.Topic}[field]
	if i := slices.Index(*l, value); i >= 0 {
		*l = slices.Delete(slices.Clone(*l), i, i+1)
	} else {
		*l = append(slices.Clone(*l), value)
	}
	return s
}

// Link is a choice on the page.
type Link struct {
	Label  string
	URL    string
	Count  int
	Active bool
	Kind   string
	Note   string // a word more
}

// QueryFault is a query that cannot be understood, cut at the fault.
type QueryFault struct {
	Before, At, After string
	Column            int
	Message, Hint     string
	// Mended is a query of the same words that can be understood, "" if there is none.
	Mended, MendedURL string
}

// Empty is why there is nothing to search.
type Empty struct {
	Waiting uint64
	Sources int
}

type searchPage struct {
	State state
	Asked bool // something was searched for
	Total uint64
	// Stories is how many hits there are where those of one story are together.
	Stories uint64
	Took    string
	Lag     uint64
	Hits    []Hit
	Facets  []Facet
	// Histogram is how the hits lie in time.
	Histogram *Chart
	Chips     []Link
	Sorts     []Link
	Spans     []Link
	// Form repeats the state in forms: with all but the query, all but the time.
	QueryForm, TimeForm []field
	Relaxed             bool
	First, Next         string
	Clear               string
	RSS, JSONFeed       string
	NDJSON, CSV         string
	Fault               *QueryFault
	Wrong               string // a fault of another parameter
	Empty               *Empty
	Work                []Progress
	// About leads to the pages of the entities the search is narrowed to.
	About []Link
	// Test leads to how often the search finds something.
	Test string
	// Every leads to the search without stories put together, Together back.
	Every, Together string
}

type field struct{ Name, Value string }

// fields returns the state as hidden fields, without some of them.
func (s state) fields(without ...string) []field {
	s.Cursor = ""
	var out []field
	v := s.values()
	for _, name := range []string{"q", "lang", "source", "entity", "topic", "from", "to", "sort", "all"} {
		if slices.Contains(without, name) {
			continue
		}
		for _, value := range v[name] {
			out = append(out, field{name, value})
		}
	}
	return out
}

func (u *UI) search(w http.ResponseWriter, r *http.Request) {
	ctx, lang := r.Context(), languageOf(r)
	s := stateOf(r.URL.Query())
	p := searchPage{State: s, Asked: len(s.values()) > 0}
	u.links(&p, lang)
	req, invalid := u.request(s)
	var (
		res *search.Result
		err error = invalid
	)
	if invalid == nil {
		res, p.Histogram, err = u.find(ctx, req, s, lang)
	}
	var (
		syntax  *query.SyntaxError
		request *search.RequestError
	)
	title := s.Q
	if title == "" {
		title = catalogue["tagline"][lang]
	}
	switch {
	case errors.As(err, &syntax):
		p.Fault = fault(s.Q, syntax, lang)
		u.render(w, r, http.StatusBadRequest, "search.html", page{Title: title, Section: "search", Data: p})
		return
	case errors.As(err, &request):
		p.Wrong = wrong(request, lang)
		u.render(w, r, http.StatusBadRequest, "search.html", page{Title: title, Section: "search", Data: p})
		return
	case err != nil:
		u.failure(w, r, err)
		return
	}
	p.Total, p.Stories, p.Relaxed = res.Total, res.Stories, res.Relaxed
	p.Took = strconv.FormatFloat(res.TookMS, 'f', 1, 64)
	names := u.o.SourceNames(ctx)
	p.Hits = u.hits(r, res.Hits, names)
	p.Facets = u.facets(s, res.Facets, lang, names)
	if res.NextCursor != "" {
		next := s
		next.Cursor = res.NextCursor
		p.Next = next.URL()
	}
	if st, err := u.o.Searcher.Status(ctx); err == nil { // else the lag is not shown
		p.Lag, p.Work = st.Lag, u.work(ctx, &st, lang)
		if st.Docs == 0 && res.Total == 0 {
			p.Empty = &Empty{Waiting: st.Lag, Sources: len(names)}
		}
	}
	u.render(w, r, http.StatusOK, "search.html", page{Title: title, Section: "search", Data: p})
}

// find asks for the hits and for how they lie in time, at the same time.
func (u *UI) find(ctx context.Context, req search.Request, s state, lang int) (res *search.Result, h *Chart, err error) {
	g, both := errgroup.WithContext(ctx)
	g.Go(func() error {
		var err error
		res, err = u.o.Searcher.Search(both, req)
		return err
	})
	g.Go(func() error {
		var err error
		if h, err = u.histogram(both, req, s, lang); err != nil {
			u.o.Logger.Debug("page lacks a part", "page", "search", "part", "histogram", "err", err)
		}
		return nil // the hits matter
	})
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	if res.Relaxed && h == nil {
		req.Match = search.MatchAny
		h, _ = u.histogram(ctx, req, s, lang) // as above
	}
	return res, h, nil
}

// request turns the address into a search.
func (u *UI) request(s state) (search.Request, error) {
	req := search.Request{
		Query: s.Q, Sort: s.Sort, TZ: u.o.Zone.String(), Lang: s.Lang, Source: s.Source, Entity: s.Entity, Topic: s.Topic,
		Size: pageSize, Cursor: s.Cursor, Collapse: !s.All,
		Facets: []string{search.FacetEntity, search.FacetSource, search.FacetLang, search.FacetScript, search.FacetTopic},
	}
	for _, d := range []struct {
		name, value string
		days        int
		to          *time.Time
	}{{"from", s.From, 0, &req.From}, {"to", s.To, 1, &req.To}} {
		if d.value == "" {
			continue
		}
		t, err := time.ParseInLocation(time.DateOnly, d.value, u.o.Zone)
		if err != nil {
			return req, &search.RequestError{Field: d.name, Message: strconv.Quote(d.value) + " is not a date", Hint: "write for example 2025-11-17"}
		}
		*d.to = t.AddDate(0, 0, d.days).UTC()
	}
	return req, nil
}

// links sets what leads on from a state, whatever the index answers.
func (u *UI) links(p *searchPage, lang int) {
	s := p.State
	first := s
	first.Cursor = ""
	if s.Cursor != "" {
		p.First = first.URL()
	}
	for _, name := range []string{search.SortRelevance, search.SortNewest, search.SortOldest} {
		if name == search.SortRelevance && s.Q == "" {
			continue
		}
		sorted := first
		sorted.Sort = name
		current := s.Sort == name || s.Sort == "" && (name == search.SortRelevance || name == search.SortNewest && s.Q == "")
		p.Sorts = append(p.Sorts, Link{Label: catalogue[name][lang], URL: sorted.URL(), Active: current})
	}
	today := time.Now().In(u.o.Zone)
	for _, d := range spans {
		spanned := first
		spanned.From, spanned.To = today.AddDate(0, 0, -d.days).Format(time.DateOnly), ""
		active := s.From == spanned.From && s.To == ""
		if active {
			spanned.From = ""
		}
		p.Spans = append(p.Spans, Link{Label: catalogue[d.key][lang], URL: spanned.URL(), Active: active})
	}
	p.QueryForm, p.TimeForm = s.fields("q"), s.fields("from", "to")
	every := first
	every.All = !s.All
	if s.All {
		p.Together = every.URL()
	} else {
		p.Every = every.URL()
	}
	bare := first
	bare.Sort, bare.All = "", false
	p.Test = bare.at("/alerts/test")
	p.RSS, p.JSONFeed = bare.at("/feeds/search.rss"), bare.at("/feeds/search.json")
	exported := first
	exported.All = false
	export := exported.values()
	export.Set("tz", u.o.Zone.String())
	p.NDJSON = "/v1/export?" + export.Encode()
	export.Set("format", "csv")
	p.CSV = "/v1/export?" + export.Encode()
	p.Clear = state{Q: s.Q, Sort: s.Sort, All: s.All}.URL()
	if s.From != "" || s.To != "" {
		open := first
		open.From, open.To = "", ""
		p.Chips = append(p.Chips, Link{Label: s.From + " – " + s.To, URL: open.URL()})
	}
	for _, v := range s.Lang {
		p.Chips = append(p.Chips, Link{Label: u.langLabel(v, lang), URL: s.toggle("lang", v).URL()})
	}
	for _, v := range s.Entity {
		p.Chips = append(p.Chips, Link{Label: u.entityName(lang, v), URL: s.toggle("entity", v).URL(), Kind: entityKind(v)})
		p.About = append(p.About, Link{Label: say(lang, "about-entity", u.entityName(lang, v)), URL: entityURL(v)})
	}
	for _, v := range s.Topic {
		p.Chips = append(p.Chips, Link{Label: topicName(v, lang), URL: s.toggle("topic", v).URL()})
	}
	for _, v := range s.Source {
		p.Chips = append(p.Chips, Link{Label: v, URL: s.toggle("source", v).URL()})
	}
}

func or(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
