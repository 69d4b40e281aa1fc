package ui

import (
	"context"
	"encoding/json"
	"time"

	"xinwen/api/backtest"
	"xinwen/indexer/search"
)

// chartDays is how many days a chart shows, today included.
const chartDays = 30

// Chart is the number of articles in each interval of time, as bars.
type Chart struct {
	Bars        []Bar
	Total, Most uint64
	// Label says in a sentence what the bars show.
	Label       string
	First, Last string
	// Width is the width of all bars, in the units of their X.
	Width int
	// Twofold says that the bars have a second count, Told.
	Twofold bool
	// Brush is where a choice of time leads: from and to are added to it.
	Brush string
}

// Bar is one interval of a chart. Heights go up to 100.
type Bar struct {
	From, To            string // its first and last day
	Day                 string // both, as shown
	URL                 string // the articles of the interval
	Count               uint64
	X, Y, Width, Height int
	// Told is how many of Count somebody would be told of, drawn over them.
	Told, ToldY, ToldHeight int
}

// JSON returns the bars for scripts: first day, last day and count of each.
func (c *Chart) JSON() (string, error) {
	rows := make([][3]any, len(c.Bars))
	for i, b := range c.Bars {
		rows[i] = [3]any{b.From, b.To, b.Count}
	}
	data, err := json.Marshal(rows)
	return string(data), err
}

const (
	barStep  = 10
	barWidth = 7
	// leastHeight is that of an interval with few articles: it must be seen.
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
		Request: search.Request{Query: s.Q, TZ: u.o.Zone.String(), Lang: s.Lang, Source: s.Source, Entity: s.Entity, Topic: s.Topic, Match: search.MatchAll},
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

// twofold draws the days of a backtest: what matches, and what is told of it. It
// returns nil if there are none.
func twofold(days []backtest.Day, s state, lang int) *Chart {
	if len(days) == 0 {
		return nil
	}
	counts, edges, told := make([]uint64, len(days)), make([]time.Time, len(days)), 0
	for i, d := range days {
		counts[i] = uint64(max(d.Hits, 0))
		edges[i], _ = time.Parse(time.DateOnly, d.Date) // our own
		told += d.Notices
	}
	c := chart(counts, edges, s, lang)
	c.Twofold = true
	for i, d := range days {
		b := &c.Bars[i]
		b.Told = d.Notices
		if b.Told > 0 {
			b.ToldHeight = min(max(100*b.Told/int(max(c.Most, 1)), leastHeight), 100)
		}
		b.ToldY = 100 - b.ToldHeight
	}
	c.Label = say(lang, "chart-twofold", c.First, c.Last, c.Total, told)
	return c
}

// chart draws the counts of intervals, each of whole days; edges are their
// beginnings and, if there is one more, the end of the last. s is what was
// counted.
func chart(counts []uint64, edges []time.Time, s state, lang int) *Chart {
	open := s
	open.From, open.To, open.Cursor = "", "", ""
	c := &Chart{Width: barStep * len(counts), Brush: open.URL()}
	for _, n := range counts {
		c.Total += n
		c.Most = max(c.Most, n)
	}
	for i, n := range counts {
		b := Bar{From: edges[i].Format(time.DateOnly), Count: n, X: i*barStep + (barStep-barWidth)/2, Width: barWidth}
		b.To = b.From
		if i+1 < len(edges) {
			b.To = edges[i+1].AddDate(0, 0, -1).Format(time.DateOnly)
		}
		if b.Day = b.From; b.To > b.From {
			b.Day += " – " + b.To
		}
		if n > 0 {
			b.Height = max(int(100*n/c.Most), leastHeight)
		}
		b.Y = 100 - b.Height
		of := open
		of.From, of.To = b.From, b.To
		b.URL = of.URL()
		c.Bars = append(c.Bars, b)
	}
	c.First, c.Last = c.Bars[0].From, c.Bars[len(c.Bars)-1].To
	c.Label = say(lang, "chart-label", c.First, c.Last, c.Total, c.Most)
	return c
}
