package ui

import (
	"context"
	"time"

	"xinwen/indexer/search"
)

// chartDays is how many days a chart shows, today included.
const chartDays = 30

// Chart is the number of articles on each day, as bars.
type Chart struct {
	Bars        []Bar
	Total, Most uint64
	// Label says in a sentence what the bars show.
	Label       string
	First, Last string
	// Width is the width of all bars, in the units of their X.
	Width int
}

// Bar is one day of a chart. Heights go up to 100.
type Bar struct {
	Day                 string
	URL                 string // the articles of the day
	Count               uint64
	X, Y, Width, Height int
}

const (
	barStep  = 10
	barWidth = 7
	// leastHeight is that of a day with few articles: it must be seen.
	leastHeight = 3
)

// volume counts the articles of each of the last days that match s. It returns
// nil where the index cannot count.
func (u *UI) volume(ctx context.Context, s state, lang int) (*Chart, error) {
	counter, ok := u.o.Searcher.(search.Counter)
	if !ok {
		return nil, nil
	}
	now := time.Now().In(u.o.Zone)
	edges := make([]time.Time, chartDays+1)
	for i := range edges {
		edges[i] = time.Date(now.Year(), now.Month(), now.Day()+1-chartDays+i, 0, 0, 0, 0, u.o.Zone)
	}
	counts, err := counter.Count(ctx, search.CountRequest{
		Request: search.Request{Query: s.Q, TZ: u.o.Zone.String(), Lang: s.Lang, Source: s.Source, Entity: s.Entity, Match: search.MatchAll},
		Edges:   edges,
	})
	if err != nil {
		return nil, err
	}
	days := make([]uint64, chartDays)
	for _, g := range counts.Groups {
		copy(days, g.Counts)
	}
	return chart(days, edges, s, lang), nil
}

// chart draws the counts of days; s is what was counted.
func chart(days []uint64, edges []time.Time, s state, lang int) *Chart {
	c := &Chart{Width: barStep * len(days)}
	for _, n := range days {
		c.Total += n
		c.Most = max(c.Most, n)
	}
	for i, n := range days {
		b := Bar{Day: edges[i].Format(time.DateOnly), Count: n, X: i*barStep + (barStep-barWidth)/2, Width: barWidth}
		if n > 0 {
			b.Height = max(int(100*n/c.Most), leastHeight)
		}
		b.Y = 100 - b.Height
		day := s
		day.From, day.To, day.Cursor = b.Day, b.Day, ""
		b.URL = day.URL()
		c.Bars = append(c.Bars, b)
	}
	c.First, c.Last = c.Bars[0].Day, c.Bars[len(c.Bars)-1].Day
	c.Label = say(lang, "chart-label", c.First, c.Last, c.Total, c.Most)
	return c
}
