package ui

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
)

// trendSeries is the number of entities that trends show.
const trendSeries = 20

// trendDays are the spans that trends can show, the first if nothing is said.
var trendDays = []int{14, 30, 90}

type trendsPage struct {
	Q, Kind string
	Form    []field
	Kinds   []Choice
	Spans   []Link
	Chart   *Chart
	Series  []Series
	Spikes  []Spike
	Fault   *QueryFault
	Wrong   string
	Days    int
	None    bool
	// Compare is set where queries are compared; Inputs are the fields for them.
	Compare *Comparison
	Inputs  []string
}

// Series is the articles that name an entity, over time.
type Series struct {
	Link
	Chart *Chart
	Share string
}

// Spike is a day on which an entity was named far more often than before.
type Spike struct {
	Link
	Day, Said string
	Stories   []Link
}

func (u *UI) trends(w http.ResponseWriter, r *http.Request) {
	lang, q := languageOf(r), r.URL.Query()
	p := trendsPage{Q: q.Get("q"), Days: trendDays[0]}
	if n, err := strconv.Atoi(q.Get("days")); err == nil && slices.Contains(trendDays, n) {
		p.Days = n
	}
	entities := kinds[:6] // those after have no entities
	for _, k := range entities {
		if q.Get("kind") == string(k) {
			p.Kind = string(k)
		}
	}
	p.Inputs = compared(r)
	address := func(kind string, days int) string {
		v := url.Values{}
		if p.Q != "" {
			v.Set("q", p.Q)
		}
		if kind != "" {
			v.Set("kind", kind)
		}
		if len(p.Inputs) > 0 {
			v["c"] = p.Inputs
		}
		v.Set("days", strconv.Itoa(days))
		return "/trends?" + v.Encode()
	}
	p.Kinds = []Choice{{Link{URL: address("", p.Days), Active: p.Kind == ""}, "all"}}
	for _, k := range entities {
		p.Kinds = append(p.Kinds, Choice{Link{URL: address(string(k), p.Days), Active: p.Kind == string(k)}, "kind-" + string(k)})
	}
	for _, days := range trendDays {
		p.Spans = append(p.Spans, Link{Label: say(lang, "days", days), URL: address(p.Kind, days), Active: days == p.Days})
	}
	p.Form = []field{{"kind", p.Kind}, {"days", strconv.Itoa(p.Days)}}
	status := http.StatusOK
	var err error
	if len(p.Inputs) > 0 {
		if p.Compare, err = u.compare(r, p.Inputs, p.Days, lang); err != nil {
			if p.Fault, p.Wrong = compareFault(err, lang); p.Fault == nil && p.Wrong == "" {
				u.failure(w, r, err)
				return
			}
			status = http.StatusBadRequest
		}
	} else {
		err = u.trend(r, &p, lang)
	}
	for len(p.Inputs) < 2 || len(p.Inputs) < maxCompared && p.Inputs[len(p.Inputs)-1] != "" {
		p.Inputs = append(p.Inputs, "")
	}
	var (
		syntax  *query.SyntaxError
		request *search.RequestError
	)
	switch {
	case status != http.StatusOK:
	case errors.As(err, &syntax):
		p.Fault, status = fault(p.Q, syntax, lang), http.StatusBadRequest
	case errors.As(err, &request):
		p.Wrong, status = wrong(request, lang), http.StatusBadRequest
	case err != nil:
		u.failure(w, r, err)
		return
	}
	u.render(w, r, status, "trends.html", page{Title: say(lang, "nav-trends"), Section: "trends", Data: p})
}

// trend fills p with what the index counts.
func (u *UI) trend(r *http.Request, p *trendsPage, lang int) error {
	now := time.Now().In(u.o.Zone)
	t, err := search.Trend(r.Context(), u.o.Searcher, search.TrendRequest{
		Request: search.Request{
			Query: p.Q, TZ: u.o.Zone.String(), Match: search.MatchAll,
			From: time.Date(now.Year(), now.Month(), now.Day()+1-p.Days, 0, 0, 0, 0, u.o.Zone), To: now,
		},
		Interval: search.IntervalDay, By: search.FacetEntity, Kind: p.Kind, Limit: trendSeries, Spikes: true,
	})
	if err != nil {
		return err
	}
	s := state{Q: p.Q}
	p.Chart, p.None = chart(t.Totals, t.Times, s, lang), t.Total == 0
	for _, v := range t.Series {
		of := s.toggle("entity", v.Value)
		p.Series = append(p.Series, Series{
			Link:  Link{Label: u.entityName(lang, v.Value), URL: entityURL(v.Value), Count: int(v.Total), Kind: entityKind(v.Value)},
			Chart: chart(v.Counts, t.Times, of, lang), Share: strconv.FormatFloat(100*v.Share, 'f', 1, 64) + " %",
		})
	}
	for _, v := range t.Spikes {
		if v.Time.Before(t.Times[0]) {
			continue
		}
		day := v.Time.In(u.o.Zone).Format(time.DateOnly)
		of := s.toggle("entity", v.Value)
		of.From, of.To = day, day
		spike := Spike{
			Link: Link{Label: u.entityName(lang, v.Value), URL: of.URL(), Kind: entityKind(v.Value)}, Day: day,
			Said: say(lang, "spike-said", v.Count, strconv.FormatFloat(v.Expected, 'f', 1, 64)),
		}
		for _, st := range v.Stories {
			spike.Stories = append(spike.Stories, Link{Label: or(st.Title, say(lang, "untitled")), URL: storyURL(st.ID), Count: st.Articles})
		}
		p.Spikes = append(p.Spikes, spike)
	}
	return nil
}
