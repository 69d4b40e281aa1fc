// Package percolate matches each new article against all rules, at ingest: rules
// come from the KV bucket rules, articles from the stream ARTICLES, and what
// matches goes to ALERTS as a news.Alert.
//
// From each rule follows a set of terms of which an article must have one
// (query.Requirement). They lead from the terms of an article to the few rules
// that can match it; only those are evaluated.
//
// The consumer is durable and its own: rebuilding an index or starting another
// indexer sends nothing again. It begins with articles published after it was
// first created, so a new rule does not tell of history. An alert's ID follows
// from rule, article and revision; a doubled alert has the same ID.
//
// Rules with a condition beside their query (a threshold, a spike, a first
// mention) count in KV: the count is written before the alert is published, with
// the article that made it go off, so that a message that comes again after a
// crash is counted once and told with the same ID.
package percolate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/sketch"
)

// Consumer is the name of the durable consumer on ARTICLES.
const Consumer = bus.ConsumerPercolator

const (
	// maxMatches bounds the spans told in an alert.
	maxMatches = 20
	// publishers is how many alerts of one article are published at once.
	publishers = 16
)

// Options is what code passes to New.
type Options struct {
	Bus *bus.Bus
	// Evaluator analyses as the index does.
	Evaluator *query.Evaluator
	// Searcher knows what was published before a rule was made: which entities
	// were mentioned and, if it is a search.Counter, how often the rule matched.
	// Without one such rules begin with what they see.
	Searcher search.Searcher
	// Logger defaults to discarding.
	Logger *slog.Logger
	// Metrics, if set, tells of the percolator while it runs.
	Metrics prometheus.Registerer
}

// Percolator matches articles against rules.
type Percolator struct {
	bus       *bus.Bus
	evaluator *query.Evaluator
	searcher  search.Searcher
	log       *slog.Logger
	metrics   prometheus.Registerer

	rules  atomic.Pointer[Rules]
	loaded chan struct{} // closed when the rules are there for the first time

	mu     sync.Mutex
	faults []Fault

	articles, alerts, tested atomic.Uint64
}

// Fault is a rule that cannot be used.
type Fault struct {
	Rule string // ID, or the key of a rule that cannot be read
	Err  string
}

// State is what a percolator is doing.
type State struct {
	// Rules is the number of rules in force.
	Rules int
	// Faults are the rules that are not, sorted by rule.
	Faults []Fault
	// Articles, Tested and Alerts count since the start: articles seen, rules
	// evaluated on them, alerts published.
	Articles, Tested, Alerts uint64
}

// Run matches articles until ctx is done.
func Run(ctx context.Context, o Options) error {
	p, err := New(o)
	if err != nil {
		return err
	}
	return p.Run(ctx)
}

// New returns a percolator that does nothing until Run.
func New(o Options) (*Percolator, error) {
	if o.Bus == nil || o.Evaluator == nil {
		return nil, errors.New("percolate: a bus and an evaluator are required")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	p := &Percolator{bus: o.Bus, evaluator: o.Evaluator, searcher: o.Searcher, log: o.Logger, metrics: o.Metrics, loaded: make(chan struct{})}
	p.rules.Store(NewRules(nil))
	return p, nil
}

// Run matches articles until ctx is done. No article is matched before the rules
// have been read.
func (p *Percolator) Run(ctx context.Context) error {
	if p.metrics != nil {
		if err := p.metrics.Register(p); err != nil {
			return fmt.Errorf("percolate: metrics: %w", err)
		}
		defer p.metrics.Unregister(p)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.watch(ctx) })
	g.Go(func() error {
		return p.bus.Consume(ctx, bus.ConsumerConfig{Stream: bus.Articles, Name: Consumer, FromNow: true}, p.handle)
	})
	if err := g.Wait(); err != nil {
		return fmt.Errorf("percolate: %w", err)
	}
	return nil
}

// Loaded is closed once the rules have been read.
func (p *Percolator) Loaded() <-chan struct{} { return p.loaded }

// State returns what p is doing.
func (p *Percolator) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return State{
		Rules: p.rules.Load().Len(), Faults: slices.Clone(p.faults),
		Articles: p.articles.Load(), Tested: p.tested.Load(), Alerts: p.alerts.Load(),
	}
}

// handle matches one article. When it fails half-way, the alerts already
// published are published again with the same IDs.
func (p *Percolator) handle(ctx context.Context, m *bus.Message) error {
	select {
	case <-p.loaded:
	case <-ctx.Done():
		return ctx.Err()
	}
	a, err := news.ParseArticle(m.Data)
	switch {
	case errors.Is(err, news.ErrVersion):
		return err // after the upgrade it can be read
	case err != nil:
		return bus.Permanent(err)
	case a.Deleted:
		return nil
	}
	alerts, err := p.match(ctx, a, time.Now().UTC())
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(publishers)
	for _, alert := range alerts {
		g.Go(func() error { return p.bus.PublishAlert(ctx, alert) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	p.articles.Add(1)
	p.alerts.Add(uint64(len(alerts)))
	return nil
}

// match returns the alerts of the rules that a matches, sorted by rule.
func (p *Percolator) match(ctx context.Context, a *news.Article, now time.Time) ([]*news.Alert, error) {
	d := p.evaluator.Document(a)
	var matched []*Rule
	p.tested.Add(uint64(p.rules.Load().Match(d, func(r *Rule) { matched = append(matched, r) })))
	if len(matched) == 0 {
		return nil, nil
	}
	slices.SortFunc(matched, func(x, y *Rule) int { return strings.Compare(x.ID, y.ID) })
	brief := *a
	brief.Text, brief.Links, brief.Mentions = "", nil, nil
	fingerprint := sketch.Of(a.Title, a.Text)
	var alerts []*news.Alert
	for _, r := range matched {
		reason, ok, err := p.allow(ctx, r, a, now)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		matches := r.matcher.Explain(d)
		alerts = append(alerts, &news.Alert{
			Version: news.Version, ID: news.AlertID(r.ID, a.ID, a.Revision),
			Rule: r.ID, RuleName: r.Name, Query: r.Query, Revision: a.Revision,
			Article: brief, Matches: matches[:min(len(matches), maxMatches)], Matched: now,
			Reason: reason, Fingerprint: fingerprint,
		})
	}
	return alerts, nil
}
