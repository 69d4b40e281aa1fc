package ui

import (
	"context"
	"errors"
	"time"

	"xinwen/indexer/search"
)

const (
	// fineDays is how far back a histogram of all times has days.
	fineDays = 92
	// oldestYears is how far back it reaches.
	oldestYears = 30
	// leastBars keeps a few days from filling the whole width.
	leastBars = 21
)

// histogram counts what s finds over the time that it covers: by day where that
// is up to three months, else by week or month. It returns nil where the index
// cannot count.
func (u *UI) histogram(ctx context.Context, req search.Request, s state, lang int) (*Chart, error) {
	counter, ok := u.o.Searcher.(search.Counter)
	if !ok {
		return nil, nil
	}
	edges := u.histogramEdges(req.From, req.To)
	req.From, req.To = time.Time{}, time.Time{}
	if req.Match == "" {
		req.Match = search.MatchAll
	}
	counts, err := counter.Count(ctx, search.CountRequest{Request: req, Edges: edges})
	if errors.Is(err, search.ErrUnavailable) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	n := make([]uint64, len(edges)-1)
	for _, g := range counts.Groups {
		copy(n, g.Counts)
	}
	if s.From == "" && s.To == "" {
		n, edges = trim(n, edges)
	}
	if len(n) == 0 {
		return nil, nil
	}
	return chart(n, edges, s, lang), nil
}

// histogramEdges returns the edges of the intervals from one time to another;
// for all time, months and then the last days.
func (u *UI) histogramEdges(from, to time.Time) []time.Time {
	now := time.Now().In(u.o.Zone)
	tomorrow := time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, u.o.Zone)
	if from.IsZero() && to.IsZero() {
		days := tomorrow.AddDate(0, 0, -fineDays)
		var edges []time.Time
		for m := time.Date(now.Year()-oldestYears, now.Month(), 1, 0, 0, 0, 0, u.o.Zone); m.Before(days); m = m.AddDate(0, 1, 0) {
			edges = append(edges, m)
		}
		for d := days; !d.After(tomorrow); d = d.AddDate(0, 0, 1) {
			edges = append(edges, d)
		}
		return edges
	}
	if to.IsZero() {
		to = tomorrow
	}
	if from.IsZero() {
		from = to.AddDate(-1, 0, 0)
	}
	from, to = from.In(u.o.Zone), to.In(u.o.Zone)
	step := func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }
	switch days := to.Sub(from).Hours() / 24; {
	case days > 3*365:
		step = func(t time.Time) time.Time { return t.AddDate(0, 1, 0) }
	case days > fineDays+1:
		step = func(t time.Time) time.Time { return t.AddDate(0, 0, 7) }
	}
	edges := []time.Time{from}
	for t := step(from); t.Before(to) && len(edges) < search.MaxEdges-1; t = step(t) {
		edges = append(edges, t)
	}
	return append(edges, to)
}

// trim keeps of a histogram of all time what has articles: only days if all are
// of the last months, else only months.
func trim(n []uint64, edges []time.Time) ([]uint64, []time.Time) {
	first := 0
	for first < len(n) && n[first] == 0 {
		first++
	}
	if first == len(n) {
		return nil, nil
	}
	months := len(n) - fineDays
	if first >= months {
		first = min(first, len(n)-leastBars)
		return n[first:], edges[first:]
	}
	// The days become parts of their months.
	var counts []uint64
	var begins []time.Time
	for i := first; i < len(n); i++ {
		e := edges[i]
		month := time.Date(e.Year(), e.Month(), 1, 0, 0, 0, 0, e.Location())
		if len(begins) == 0 || month.After(begins[len(begins)-1]) {
			begins, counts = append(begins, month), append(counts, 0)
		}
		counts[len(counts)-1] += n[i]
	}
	last := len(counts)
	for last > 1 && counts[last-1] == 0 {
		last--
	}
	end := begins[last-1].AddDate(0, 1, 0)
	return counts[:last], append(begins[:last:last], end)
}
