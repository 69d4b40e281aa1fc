package search

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Intervals of trends.
const (
	IntervalHour = "hour"
	IntervalDay  = "day"
	IntervalWeek = "week" // from Monday
)

// Limits of trends.
const (
	DefaultSeries  = 10
	MaxSeries      = 100
	MaxIntervals   = 2000
	spikeHistory   = 14 // intervals that an expectation is made of
	spikeScore     = 3.0
	spikeLeast     = 3 // articles
	maxSpikes      = 20
	storiesOfSpike = 3
	// maxGroups bounds how many groups are looked at for spikes.
	maxGroups = 2000
)

// TrendRequest asks how many articles there are over time. Of the Request query,
// filters and zone count; From and To are required.
type TrendRequest struct {
	Request
	// Interval is hour, day or week, in the zone TZ.
	Interval string `json:"interval"`
	// By is a facet: there is a series for each of its values, those with most
	// articles first. Empty is one series.
	By string `json:"by,omitempty"`
	// Kind keeps only entities of a kind, such as org.
	Kind string `json:"kind,omitempty"`
	// Limit is the number of series, 0 for DefaultSeries.
	Limit int `json:"limit,omitempty"`
	// Spikes asks for what is far more frequent than before.
	Spikes bool `json:"spikes,omitempty"`
}

// Trends are numbers of articles over time.
type Trends struct {
	Interval string `json:"interval"`
	// Times are the beginnings of the intervals.
	Times []time.Time `json:"times"`
	// Totals has the number of articles in each interval, whatever their value.
	Totals []uint64 `json:"totals"`
	Total  uint64   `json:"total"`
	Series []Series `json:"series"`
	// Spikes are sorted by score.
	Spikes     []TrendSpike `json:"spikes,omitempty"`
	AppliedSeq uint64       `json:"applied_seq"`
}

// Series is the articles of one value over time.
type Series struct {
	Value  string   `json:"value"`
	Counts []uint64 `json:"counts"`
	Total  uint64   `json:"total"`
	// Share is the part of all articles: the share of voice.
	Share float64 `json:"share"`
}

// TrendSpike is an interval in which a value is far more frequent than before.
type TrendSpike struct {
	Value string    `json:"value"`
	Time  time.Time `json:"time"`
	Count uint64    `json:"count"`
	// Expected is the mean of the intervals before; Score says by how many
	// standard deviations the count lies above it.
	Expected float64 `json:"expected"`
	Score    float64 `json:"score"`
	// Stories are those with most articles in the spike.
	Stories []SpikeStory `json:"stories"`
}

// SpikeStory is a story behind a spike.
type SpikeStory struct {
	ID       string `json:"id"`
	Title    string `json:"title"`
	Articles int    `json:"articles"`
}

// Trend answers r with the counts of s, which must be a Counter. They are made
// from the index itself and so are exact after updates and deletions.
func Trend(ctx context.Context, s Searcher, r TrendRequest) (*Trends, error) {
	c, ok := s.(Counter)
	if !ok {
		return nil, fmt.Errorf("%w: the index cannot count", ErrUnavailable)
	}
	edges, err := r.edges()
	if err != nil {
		return nil, err
	}
	history := 0
	if r.Spikes {
		history = spikeHistory
	}
	all := slices.Concat(r.before(edges[0], history), edges)
	t := &Trends{Interval: r.Interval, Times: edges[:len(edges)-1], Series: []Series{}}

	req := CountRequest{Request: r.Request, Edges: all}
	req.From, req.To = time.Time{}, time.Time{} // the edges say it
	counts, err := c.Count(ctx, req)
	if err != nil {
		return nil, err
	}
	t.AppliedSeq = counts.AppliedSeq
	t.Totals = make([]uint64, len(t.Times))
	for _, g := range counts.Groups {
		copy(t.Totals, g.Counts[history:])
	}
	t.Total = sum(t.Totals)
	groups := counts.Groups
	if r.By != "" {
		req.By, req.Limit = []string{r.By}, min(maxGroups, MaxCounts/len(all))
		if counts, err = c.Count(ctx, req); err != nil {
			return nil, err
		}
		groups = slices.DeleteFunc(counts.Groups, func(g CountGroup) bool {
			return r.Kind != "" && !strings.HasPrefix(g.Labels[r.By], r.Kind+":")
		})
	}
	for _, g := range groups {
		series := Series{Value: g.Labels[r.By], Counts: g.Counts[history:]}
		if series.Total = sum(series.Counts); series.Total > 0 {
			series.Share = float64(series.Total) / float64(t.Total)
			t.Series = append(t.Series, series)
		}
		if r.Spikes {
			t.Spikes = append(t.Spikes, spikes(g, r.By, all, history)...)
		}
	}
	slices.SortFunc(t.Series, func(a, b Series) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), cmp.Compare(a.Value, b.Value))
	})
	t.Series = t.Series[:min(len(t.Series), cmp.Or(r.Limit, DefaultSeries))]
	slices.SortFunc(t.Spikes, func(a, b TrendSpike) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), b.Time.Compare(a.Time), cmp.Compare(a.Value, b.Value))
	})
	t.Spikes = t.Spikes[:min(len(t.Spikes), maxSpikes)]
	for i := range t.Spikes {
		if err := t.Spikes[i].tell(ctx, s, r); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func sum(counts []uint64) uint64 {
	n := uint64(0)
	for _, c := range counts {
		n += c
	}
	return n
}

// edges returns the beginnings of the intervals that r asks for, and the end of
// the last.
func (r *TrendRequest) edges() ([]time.Time, error) {
	wrong := func(field, message, hint string) ([]time.Time, error) {
		return nil, &RequestError{Field: field, Message: message, Hint: hint}
	}
	if r.Limit < 0 || r.Limit > MaxSeries {
		return wrong("limit", "must be from 1 to "+strconv.Itoa(MaxSeries), "ask for fewer series")
	}
	switch r.By {
	case "", FacetEntity, FacetTopic, FacetSource, FacetLang, FacetScript:
	default:
		return wrong("by", "cannot be "+strconv.Quote(r.By), "it is entity, topic, source, lang or script")
	}
	switch {
	case r.From.IsZero():
		return wrong("from", "is missing", "say from when to count")
	case r.To.IsZero():
		return wrong("to", "is missing", "say until when to count")
	case !r.From.Before(r.To):
		return wrong("to", "is not after from", "exchange the two")
	}
	start, err := r.start(r.From)
	if err != nil {
		return nil, err
	}
	edges := []time.Time{start}
	for start.Before(r.To) {
		if start = r.next(start, 1); len(edges) > MaxIntervals {
			return wrong("interval", "makes more than "+strconv.Itoa(MaxIntervals)+" intervals", "choose a longer interval or a shorter time")
		}
		edges = append(edges, start)
	}
	return edges, nil
}

// start returns the beginning of the interval that t is in.
func (r *TrendRequest) start(t time.Time) (time.Time, error) {
	zone, err := time.LoadLocation(r.TZ)
	if err != nil {
		return t, &RequestError{Field: "tz", Message: "is not a time zone: " + strconv.Quote(r.TZ), Hint: "use an IANA name such as Asia/Shanghai"}
	}
	t = t.In(zone)
	year, month, day := t.Date()
	switch r.Interval {
	case IntervalHour:
		return t.Add(-time.Duration(t.Minute())*time.Minute - time.Duration(t.Second())*time.Second - time.Duration(t.Nanosecond())), nil
	case IntervalDay:
	case IntervalWeek:
		day -= (int(t.Weekday()) + 6) % 7
	default:
		return t, &RequestError{Field: "interval", Message: "cannot be " + strconv.Quote(r.Interval), Hint: "it is hour, day or week"}
	}
	return time.Date(year, month, day, 0, 0, 0, 0, zone), nil
}

// next returns the beginning of the interval n after that which begins at t. A
// day has the hours that it has in the zone.
func (r *TrendRequest) next(t time.Time, n int) time.Time {
	switch r.Interval {
	case IntervalHour:
		return t.Add(time.Duration(n) * time.Hour)
	case IntervalWeek:
		n *= 7
	}
	return time.Date(t.Year(), t.Month(), t.Day()+n, 0, 0, 0, 0, t.Location())
}

// before returns the beginnings of the n intervals before t.
func (r *TrendRequest) before(t time.Time, n int) []time.Time {
	var edges []time.Time
	for i := n; i > 0; i-- {
		edges = append(edges, r.next(t, -i))
	}
	return edges
}

// spikes returns the intervals after the first history ones in which a group is
// far above the history before them.
func spikes(g CountGroup, by string, edges []time.Time, history int) []TrendSpike {
	var list []TrendSpike
	for i := history; i < len(g.Counts); i++ {
		n := g.Counts[i]
		expected := float64(sum(g.Counts[i-history:i])) / float64(history)
		// Half an article more, as what is new has no rhythm yet.
		score := (float64(n) - expected) / math.Sqrt(expected+0.5)
		if n >= spikeLeast && score >= spikeScore {
			list = append(list, TrendSpike{Value: g.Labels[by], Time: edges[i], Count: n, Expected: expected, Score: score, Stories: []SpikeStory{}})
		}
	}
	return list
}

// tell adds the stories behind a spike.
func (p *TrendSpike) tell(ctx context.Context, s Searcher, r TrendRequest) error {
	teller, ok := s.(Storyteller)
	if !ok {
		return nil
	}
	q := Request{
		Query: r.Query, Syntax: r.Syntax, Match: MatchAll, TZ: r.TZ, Lang: r.Lang, Source: r.Source, Entity: r.Entity, Topic: r.Topic,
		From: p.Time, To: r.next(p.Time, 1), Size: -1, Facets: []string{FacetStory},
	}
	switch {
	case r.By == FacetEntity && len(r.Entity) == 0:
		q.Entity = []string{p.Value}
	case r.By == FacetTopic && len(r.Topic) == 0:
		q.Topic = []string{p.Value}
	case r.By == FacetSource:
		q.Source = []string{p.Value}
	}
	res, err := s.Search(ctx, q)
	if err != nil {
		return err
	}
	for _, v := range res.Facets[FacetStory] {
		if len(p.Stories) == storiesOfSpike {
			break
		}
		st, err := teller.Story(ctx, v.Value)
		if err != nil {
			continue // gone meanwhile
		}
		p.Stories = append(p.Stories, SpikeStory{ID: v.Value, Title: st.Title, Articles: v.Count})
	}
	return nil
}

// CooccurRequest asks which entities are mentioned together with one.
type CooccurRequest struct {
	Request
	// Of is the ID of the entity.
	Of string `json:"of"`
	// Kind keeps only entities of a kind, such as org.
	Kind string `json:"kind,omitempty"`
	// Limit is the number of entities, 0 for 20.
	Limit int `json:"limit,omitempty"`
}

// Cooccurrences are the entities mentioned together with one.
type Cooccurrences struct {
	// Articles is the number of articles that mention the entity, All that of
	// all articles in question.
	Articles   uint64         `json:"articles"`
	All        uint64         `json:"all"`
	Entities   []Cooccurrence `json:"entities"`
	AppliedSeq uint64         `json:"applied_seq"`
}

// Cooccurrence is an entity mentioned together with another.
type Cooccurrence struct {
	Entity string `json:"entity"`
	// Count is the number of articles that mention both.
	Count uint64 `json:"count"`
	// Share is the part of the articles that mention the other entity; Lift is
	// how many times that is what chance would give.
	Share float64 `json:"share"`
	Lift  float64 `json:"lift"`
}

// Cooccur answers r with the counts of s, which must be a Counter.
func Cooccur(ctx context.Context, s Searcher, r CooccurRequest) (*Cooccurrences, error) {
	c, ok := s.(Counter)
	if !ok {
		return nil, fmt.Errorf("%w: the index cannot count", ErrUnavailable)
	}
	switch {
	case r.Of == "":
		return nil, &RequestError{Field: "entity", Message: "is missing", Hint: "give the ID of an entity, such as org:tsmc"}
	case r.Limit < 0 || r.Limit > MaxSeries:
		return nil, &RequestError{Field: "limit", Message: "must be from 1 to " + strconv.Itoa(MaxSeries), Hint: "ask for fewer entities"}
	}
	count := func(of bool, by ...string) (*Counts, error) {
		req := CountRequest{Request: r.Request, Edges: []time.Time{r.From, r.To}, By: by, Limit: maxGroups}
		if r.To.IsZero() {
			req.Edges[1] = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		req.From, req.To = time.Time{}, time.Time{}
		if of {
			if len(r.Entity) > 0 {
				return nil, &RequestError{Field: "entity", Message: "is given twice", Hint: "give it once"}
			}
			req.Entity = []string{r.Of}
		}
		return c.Count(ctx, req)
	}
	total := func(c *Counts) (n uint64) {
		for _, g := range c.Groups {
			n += g.Total
		}
		return n
	}
	all, err := count(false)
	if err != nil {
		return nil, err
	}
	everywhere, err := count(false, FacetEntity)
	if err != nil {
		return nil, err
	}
	with, err := count(true)
	if err != nil {
		return nil, err
	}
	together, err := count(true, FacetEntity)
	if err != nil {
		return nil, err
	}
	out := &Cooccurrences{Articles: total(with), All: total(all), Entities: []Cooccurrence{}, AppliedSeq: together.AppliedSeq}
	known := make(map[string]uint64)
	for _, g := range everywhere.Groups {
		known[g.Labels[FacetEntity]] = g.Total
	}
	limit := cmp.Or(r.Limit, 20)
	for _, g := range together.Groups {
		id := g.Labels[FacetEntity]
		if len(out.Entities) == limit {
			break
		}
		if id == r.Of || r.Kind != "" && !strings.HasPrefix(id, r.Kind+":") {
			continue
		}
		e := Cooccurrence{Entity: id, Count: g.Total, Share: float64(g.Total) / float64(out.Articles)}
		if n := known[id]; n > 0 {
			e.Lift = e.Share * float64(out.All) / float64(n)
		}
		out.Entities = append(out.Entities, e)
	}
	return out, nil
}
