// Package backtest says what a rule would have told of: how often it matched on
// each day, how often somebody would have been told, and of what.
//
// Hits are counted by the index, exactly. The articles themselves are read back
// up to MaxArticles, newest first, and put through the same counting and the same
// memory of repeats that alerts go through, oldest first.
package backtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/sketch"
	"xinwen/news/tally"
)

const (
	// MaxArticles is how many articles are read back.
	MaxArticles = 2000
	// MaxDays is the longest history.
	MaxDays = 732
	// readers is how many articles are read at once.
	readers = 4
)

// Tester runs backtests.
type Tester struct {
	Searcher  search.Searcher
	Evaluator *query.Evaluator
	// Progress, if it is set, hears how many articles are to be read, and that one
	// more of them has been. It may be called at the same time.
	Progress func(all, more int)
}

// Request is one backtest.
type Request struct {
	Rule news.Rule
	// From and To bound the time of the articles.
	From, To time.Time
	// Zone decides where days begin; nil is UTC.
	Zone *time.Location
	// Samples is how many notices are shown.
	Samples int
}

// Day is what happened on one day.
type Day struct {
	Date string `json:"date"`
	// Hits is the number of articles that match, Notices how many of them
	// somebody would have been told of.
	Hits    int `json:"hits"`
	Notices int `json:"notices"`
}

// Levels of noise.
const (
	Silent = "silent" // nothing at all
	Low    = "low"    // up to 5 notices a day
	Medium = "medium" // up to 30
	High   = "high"   // more, or more than one a day that are a twentieth of all news
)

// Noise is how much a rule would disturb.
type Noise struct {
	Level string `json:"level" enum:"silent,low,medium,high"`
	// NoticesPerDay is after conditions and repeats, RepeatShare the share of
	// matches that only repeat a story, Busiest the most notices on one day.
	NoticesPerDay float64 `json:"notices_per_day"`
	RepeatShare   float64 `json:"repeat_share"`
	Busiest       int     `json:"busiest_day"`
	Sentence      string  `json:"sentence"`
}

// Sample is an article somebody would have been told of.
type Sample struct {
	ID        string       `json:"id"`
	URL       string       `json:"url"`
	Title     string       `json:"title"`
	Source    string       `json:"source"`
	Lang      string       `json:"lang"`
	Published time.Time    `json:"published"`
	Matches   []news.Span  `json:"matches,omitempty"`
	Reason    *news.Reason `json:"reason,omitempty"`
	// Repeats is the number of later articles that were held back as repeats.
	Repeats int `json:"repeats,omitempty"`
}

// Report is what came out.
type Report struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Hits is the exact number of articles that match the query and its filters,
	// All that of all articles, Share their ratio.
	Hits       int     `json:"hits"`
	All        int     `json:"all"`
	Share      float64 `json:"share"`
	HitsPerDay float64 `json:"hits_per_day"`
	Days       []Day   `json:"days"`
	// Read is how many of the hits were read back, newest first, Since the
	// oldest of them where that is not all.
	Read  int       `json:"read"`
	Since time.Time `json:"read_since,omitzero"`
	// Together is how many of Read have the rule's entities in one sentence, where
	// it asks for that. Stories is how many of these are no repeat of another.
	Together int `json:"in_sentence,omitempty"`
	Stories  int `json:"stories"`
	// Notices is how many somebody would have been told of.
	Notices int      `json:"notices"`
	Noise   Noise    `json:"noise"`
	Samples []Sample `json:"samples"`
	TookMS  float64  `json:"took_ms"`
}

// Run runs a backtest. Its errors are those of the searcher, *query.SyntaxError
// and *search.RequestError.
func (t *Tester) Run(ctx context.Context, q Request) (*Report, error) {
	began := time.Now()
	if q.Zone == nil {
		q.Zone = time.UTC
	}
	m, err := t.Evaluator.CompileRule(&q.Rule)
	if err != nil {
		return nil, err
	}
	if !q.From.Before(q.To) || q.To.Sub(q.From) > MaxDays*24*time.Hour {
		return nil, &search.RequestError{Field: "from", Message: "the history is empty or longer than two years", Hint: "choose a shorter one, such as since=30d"}
	}
	r := &Report{From: q.From.UTC(), To: q.To.UTC(), Samples: []Sample{}}
	if err := t.count(ctx, &q, r); err != nil {
		return nil, err
	}
	articles, err := t.read(ctx, &q)
	if err != nil {
		return nil, err
	}
	r.Read = len(articles)
	if len(articles) > 0 && r.Read < r.Hits {
		r.Since = articles[0].Time().UTC()
	}
	if err := t.replay(ctx, &q, m, articles, r); err != nil {
		return nil, err
	}
	r.Noise = noise(r)
	r.TookMS = math.Round(float64(time.Since(began).Microseconds())/10) / 100
	return r, nil
}

func request(r *news.Rule) search.Request {
	return search.Request{Query: query.RuleText(r), Lang: r.Languages, Source: r.Sources, Match: search.MatchAll}
}

// count fills in the hits of each day.
func (t *Tester) count(ctx context.Context, q *Request, r *Report) error {
	var edges []time.Time
	for day := q.From; day.Before(q.To); {
		edges = append(edges, day.UTC())
		local := day.In(q.Zone)
		r.Days = append(r.Days, Day{Date: local.Format(time.DateOnly)})
		day = time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, q.Zone)
	}
	edges = append(edges, q.To.UTC())
	hits, err := Count(ctx, t.Searcher, request(&q.Rule), edges)
	if err != nil {
		return err
	}
	all, err := Count(ctx, t.Searcher, search.Request{}, []time.Time{q.From.UTC(), q.To.UTC()})
	if err != nil {
		return err
	}
	for i, n := range hits {
		r.Days[i].Hits = n
		r.Hits += n
	}
	r.All = all[0]
	if r.All > 0 {
		r.Share = float64(r.Hits) / float64(r.All)
	}
	r.HitsPerDay = float64(r.Hits) / max(q.To.Sub(q.From).Hours()/24, 1)
	return nil
}

// Count returns how many articles match between each edge and the next. A
// searcher that does not count is asked for each interval.
func Count(ctx context.Context, s search.Searcher, r search.Request, edges []time.Time) ([]int, error) {
	counts := make([]int, len(edges)-1)
	if c, ok := s.(search.Counter); ok {
		res, err := c.Count(ctx, search.CountRequest{Request: r, Edges: edges})
		if err != nil {
			return nil, err
		}
		for _, g := range res.Groups {
			for i, n := range g.Counts {
				counts[i] += int(n)
			}
		}
		return counts, nil
	}
	r.Size = -1
	for i := range counts {
		r.From, r.To = edges[i], edges[i+1]
		res, err := s.Search(ctx, r)
		if err != nil {
			return nil, err
		}
		counts[i] = int(res.Total)
	}
	return counts, nil
}

// read returns the newest articles that match, oldest first.
func (t *Tester) read(ctx context.Context, q *Request) ([]*news.Article, error) {
	req := request(&q.Rule)
	req.From, req.To, req.Sort, req.Size = q.From, q.To, search.SortNewest, search.MaxSize
	var ids []string
	for len(ids) < MaxArticles {
		res, err := t.Searcher.Search(ctx, req)
		if err != nil {
			return nil, err
		}
		for i := range res.Hits {
			ids = append(ids, res.Hits[i].ID)
		}
		if res.NextCursor == "" {
			break
		}
		req.Cursor = res.NextCursor
	}
	ids = ids[:min(len(ids), MaxArticles)]
	if t.Progress != nil {
		t.Progress(len(ids), 0)
	}
	list := make([]*news.Article, len(ids))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(readers)
	for i, id := range ids {
		g.Go(func() error {
			a, err := t.Searcher.Article(ctx, id)
			if errors.Is(err, search.ErrNotFound) {
				return nil // deleted meanwhile
			}
			list[len(ids)-1-i] = a
			if t.Progress != nil {
				t.Progress(len(ids), 1)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(a *news.Article) bool { return a == nil }), nil
}

// replay puts articles through what alerts go through.
func (t *Tester) replay(ctx context.Context, q *Request, m *query.RuleMatcher, articles []*news.Article, r *Report) error {
	days := make(map[string]int, len(r.Days))
	for i, d := range r.Days {
		days[d.Date] = i
	}
	allow, err := t.condition(ctx, q, articles)
	if err != nil {
		return err
	}
	sentence := q.Rule.Together != nil && q.Rule.Together.Within == news.WithinSentence
	var (
		stories, told sketch.Memory
		samples       = make(map[string]*Sample)
		order         []*Sample
	)
	for _, a := range articles {
		if !m.InSentence(a) {
			continue
		}
		if sentence {
			r.Together++
		}
		s := sketch.Told{Article: a.ID, Sketch: sketch.Of(a.Title, a.Text), At: a.Time().Unix()}
		if _, repeat := stories.Find(s); !repeat {
			stories.Add(s)
			r.Stories++
		}
		reason, ok, err := allow(a)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		if !q.Rule.Repeats {
			if first, repeat := told.Find(s); repeat {
				if x := samples[first.Article]; x != nil {
					x.Repeats++
				}
				continue
			}
			told.Add(s)
		}
		r.Notices++
		if i, ok := days[a.Time().In(q.Zone).Format(time.DateOnly)]; ok {
			r.Days[i].Notices++
		}
		x := &Sample{
			ID: a.ID, URL: a.URL, Title: a.Title, Source: a.Source, Lang: a.Lang,
			Published: a.Time().UTC(), Reason: reason,
		}
		samples[a.ID], order = x, append(order, x)
	}
	byID := make(map[string]*news.Article, len(articles))
	for _, a := range articles {
		byID[a.ID] = a
	}
	for i := len(order) - 1; i >= 0 && len(r.Samples) < q.Samples; i-- {
		x := *order[i]
		x.Matches = m.Explain(t.Evaluator.Document(byID[x.ID]))
		x.Matches = x.Matches[:min(len(x.Matches), 5)]
		r.Samples = append(r.Samples, x)
	}
	return nil
}

// condition returns what decides, article by article, whether the rule's
// condition holds.
func (t *Tester) condition(ctx context.Context, q *Request, articles []*news.Article) (func(*news.Article) (*news.Reason, bool, error), error) {
	rule := &q.Rule
	switch {
	case rule.First != nil:
		var ids []string
		for _, name := range rule.First.Entities {
			ids = append(ids, t.Evaluator.EntityIDs(name)...)
		}
		var f tally.Firsts
		window := rule.First.Window.Std()
		return func(a *news.Article) (*news.Reason, bool, error) {
			// What was published is what counts in hindsight: history may have been
			// fetched in one go.
			at := a.Time()
			reason, _, err := f.Add(a.ID, tally.Watched(a, ids, rule.First.Kinds), at, window, func(id string) (bool, error) {
				req := search.Request{Entity: []string{id}, To: at, Size: -1}
				if window > 0 {
					req.From = at.Add(-window)
				}
				res, err := t.Searcher.Search(ctx, req)
				if err != nil {
					return false, err
				}
				return res.Total > 0, nil
			})
			if reason != nil {
				reason.Names = tally.Names(a, reason.Entities)
			}
			return reason, reason != nil, err
		}, nil
	case rule.Threshold != nil || rule.Spike != nil:
		counts := tally.Counts{Since: q.From}
		window, history := tally.Windows(rule)
		if history > 0 && len(articles) > 0 {
			begin := articles[0].Time()
			first, last := tally.Bucket(begin.Add(-history), window), tally.Bucket(begin, window)
			var edges []time.Time
			for b := first; b <= last; b++ {
				edges = append(edges, time.Unix(b*int64(window/time.Second), 0).UTC())
			}
			before, err := Count(ctx, t.Searcher, request(rule), edges)
			if err != nil {
				return nil, err
			}
			counts.Since, counts.Buckets = begin.Add(-history), make(map[int64]int)
			for i, n := range before {
				if n > 0 {
					counts.Buckets[first+int64(i)] = n
				}
			}
		}
		return func(a *news.Article) (*news.Reason, bool, error) {
			reason, _ := counts.Add(rule, a, a.Time())
			return reason, reason != nil, nil
		}, nil
	}
	return func(*news.Article) (*news.Reason, bool, error) { return nil, true, nil }, nil
}

// noise judges a report.
func noise(r *Report) Noise {
	span := r.To.Sub(r.From)
	if !r.Since.IsZero() {
		span = r.To.Sub(r.Since)
	}
	n := Noise{NoticesPerDay: round(float64(r.Notices) / max(span.Hours()/24, 1))}
	matched := r.Read
	if r.Together > 0 {
		matched = r.Together
	}
	if matched > 0 {
		n.RepeatShare = round(1 - float64(r.Stories)/float64(matched))
	}
	for _, d := range r.Days {
		n.Busiest = max(n.Busiest, d.Notices)
	}
	switch {
	case r.Notices == 0:
		n.Level, n.Sentence = Silent, "Nobody would have been told of anything."
	case n.NoticesPerDay > 30, n.NoticesPerDay > 1 && r.Share > 0.05:
		n.Level = High
	case n.NoticesPerDay > 5:
		n.Level = Medium
	default:
		n.Level = Low
	}
	if n.Sentence == "" {
		n.Sentence = fmt.Sprintf("About %s notices a day, %d on the busiest day; %.0f %% of the matches repeat a story.", figure(n.NoticesPerDay), n.Busiest, 100*n.RepeatShare)
	}
	return n
}

func round(x float64) float64 { return math.Round(x*100) / 100 }

func figure(x float64) string {
	if x >= 10 {
		return fmt.Sprintf("%.0f", x)
	}
	return fmt.Sprintf("%.1f", x)
}
