package ui

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
)

// maxCompared is how many queries are compared at once: as many as there are
// colours that can be told apart.
const maxCompared = 5

// Comparison is the articles of several queries over the same days.
type Comparison struct {
	Lines []CompareLine
	Days  []string
	Most  uint64
	Label string
	Rows  []CompareRow
	times []time.Time
}

// CompareLine is one query of a comparison.
type CompareLine struct {
	Query, URL string
	Class      string // of its colour
	Total      uint64
	Share      string
	// Points are those of a drawing 1000 wide and 100 high.
	Points string
	counts []uint64
}

// CompareRow is one day, in the order of the lines.
type CompareRow struct {
	Day    string
	Counts []uint64
}

// compared returns the queries that the address wants compared, each once.
func compared(r *http.Request) []string {
	var out []string
	for _, q := range r.URL.Query()["c"] {
		if q = strings.TrimSpace(q); q != "" && len(out) < maxCompared && !slices.Contains(out, q) {
			out = append(out, q)
		}
	}
	return out
}

// compareError is what is wrong with one of the queries.
type compareError struct {
	query string
	err   error
}

func (e *compareError) Error() string { return fmt.Sprintf("%s: %v", e.query, e.err) }
func (e *compareError) Unwrap() error { return e.err }

// compare counts the articles of each query on each of the last days.
func (u *UI) compare(r *http.Request, queries []string, days, lang int) (*Comparison, error) {
	counter, ok := u.o.Searcher.(search.Counter)
	if !ok {
		return nil, fmt.Errorf("%w: the index cannot count", search.ErrUnavailable)
	}
	now := time.Now().In(u.o.Zone)
	edges := make([]time.Time, days+1)
	for i := range edges {
		edges[i] = time.Date(now.Year(), now.Month(), now.Day()+1-days+i, 0, 0, 0, 0, u.o.Zone)
	}
	c := &Comparison{Lines: make([]CompareLine, len(queries)), times: edges[:days]}
	g, ctx := errgroup.WithContext(r.Context())
	for i, q := range queries {
		g.Go(func() error {
			counts, err := counter.Count(ctx, search.CountRequest{Request: search.Request{Query: q, TZ: u.o.Zone.String(), Match: search.MatchAll}, Edges: edges})
			if err != nil {
				return &compareError{q, err}
			}
			l := CompareLine{Query: q, URL: state{Q: q, From: edges[0].Format(time.DateOnly)}.URL(), Class: "line-" + strconv.Itoa(i), counts: make([]uint64, days)}
			for _, group := range counts.Groups {
				copy(l.counts, group.Counts)
				l.Total = group.Total
			}
			c.Lines[i] = l
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	c.draw(lang)
	return c, nil
}

// draw makes the drawing, the table and the shares of the counts.
func (c *Comparison) draw(lang int) {
	var all uint64
	for i := range c.Lines {
		all += c.Lines[i].Total
		c.Most = max(c.Most, slices.Max(c.Lines[i].counts))
	}
	for d, t := range c.times {
		row := CompareRow{Day: t.Format(time.DateOnly)}
		for i := range c.Lines {
			row.Counts = append(row.Counts, c.Lines[i].counts[d])
		}
		c.Days = append(c.Days, row.Day)
		if slices.Max(row.Counts) > 0 {
			c.Rows = append(c.Rows, row)
		}
	}
	var names []string
	for i := range c.Lines {
		l := &c.Lines[i]
		l.Share = "0 %"
		if all > 0 {
			l.Share = strconv.FormatFloat(100*float64(l.Total)/float64(all), 'f', 1, 64) + " %"
		}
		var points []string
		for d, n := range l.counts {
			points = append(points, fmt.Sprintf("%d,%d", 1000*d/max(len(l.counts)-1, 1), 100-100*n/max(c.Most, 1)))
		}
		l.Points = strings.Join(points, " ")
		names = append(names, fmt.Sprintf("%s %d", l.Query, l.Total))
	}
	c.Label = say(lang, "compare-label", c.Days[0], c.Days[len(c.Days)-1], strings.Join(names, say(lang, "comma")))
}

// JSON returns the comparison for scripts.
func (c *Comparison) JSON() (string, error) {
	type line struct {
		Label  string   `json:"label"`
		Counts []uint64 `json:"counts"`
	}
	out := struct {
		Days  []string `json:"days"`
		Lines []line   `json:"lines"`
	}{Days: c.Days}
	for i := range c.Lines {
		out.Lines = append(out.Lines, line{c.Lines[i].Query, c.Lines[i].counts})
	}
	data, err := json.Marshal(out)
	return string(data), err
}

// compareFault returns what to show of an error of compare, if the reader can
// mend it.
func compareFault(err error, lang int) (*QueryFault, string) {
	var (
		of      *compareError
		syntax  *query.SyntaxError
		request *search.RequestError
	)
	switch {
	case errors.As(err, &of) && errors.As(err, &syntax):
		return fault(of.query, syntax, lang), ""
	case errors.As(err, &request):
		return nil, wrong(request, lang)
	}
	return nil, ""
}
