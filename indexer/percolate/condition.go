package percolate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/tally"
)

// tries bounds how often a change of a counter is tried when other percolators
// change it too.
const tries = 20

// allow reports whether the condition of r holds for a match, and why. What it
// counts is durable when it returns; for the same article it says the same
// again.
func (p *Percolator) allow(ctx context.Context, r *Rule, a *news.Article, now time.Time) (*news.Reason, bool, error) {
	if r.condition == nil {
		return nil, true, nil
	}
	var reason *news.Reason
	var err error
	if r.condition.rule.First != nil {
		reason, err = p.first(ctx, r, a)
	} else {
		reason, err = p.count(ctx, r, a, now)
	}
	if err != nil {
		return nil, false, fmt.Errorf("condition of rule %s: %w", r.ID, err)
	}
	return reason, reason != nil, nil
}

func (p *Percolator) count(ctx context.Context, r *Rule, a *news.Article, now time.Time) (reason *news.Reason, err error) {
	err = change(ctx, p.bus.KV(bus.KVDeliveries), "count."+bus.Key(r.ID), func(t *tally.Counts) (changed bool, err error) {
		if t.Of != r.condition.of {
			*t = tally.Counts{Of: r.condition.of, Since: now}
			if err := p.history(ctx, &r.condition.rule, t, now); err != nil {
				return false, err
			}
		}
		reason, changed = t.Add(&r.condition.rule, a, now)
		return changed, nil
	})
	return reason, err
}

// history fills the buckets of a rule that is new with what the index holds, so
// that it knows its rhythm at once. The present window begins empty: the index
// and the stream cannot count one article twice.
func (p *Percolator) history(ctx context.Context, r *news.Rule, t *tally.Counts, now time.Time) error {
	counter, ok := p.searcher.(search.Counter)
	if !ok || r.Spike == nil {
		return nil
	}
	window, history := tally.Windows(r)
	first, last := tally.Bucket(now.Add(-history), window), tally.Bucket(now, window)
	width := int64(window / time.Second)
	req := search.CountRequest{Request: search.Request{Query: query.RuleText(r), Lang: r.Languages, Source: r.Sources}}
	for b := first; b <= last; b++ {
		req.Edges = append(req.Edges, time.Unix(b*width, 0).UTC())
	}
	if len(req.Edges) < 2 {
		return nil
	}
	res, err := counter.Count(ctx, req)
	if err != nil {
		return err
	}
	t.Since, t.Buckets = now.Add(-history), make(map[int64]int)
	for _, g := range res.Groups {
		for i, n := range g.Counts {
			if n > 0 {
				t.Buckets[first+int64(i)] += int(n)
			}
		}
	}
	return nil
}

func (p *Percolator) first(ctx context.Context, r *Rule, a *news.Article) (reason *news.Reason, err error) {
	c := r.condition
	ids := tally.Watched(a, c.watched, c.rule.First.Kinds)
	if len(ids) == 0 {
		return nil, nil
	}
	at := a.Fetched
	if at.IsZero() {
		at = a.Time()
	}
	window := c.rule.First.Window.Std()
	err = change(ctx, p.bus.KV(bus.KVDeliveries), "first."+bus.Key(r.ID), func(f *tally.Firsts) (changed bool, err error) {
		if f.Of != c.of {
			*f = tally.Firsts{Of: c.of}
		}
		reason, changed, err = f.Add(a.ID, ids, at, window, func(id string) (bool, error) {
			return p.mentioned(ctx, id, at, window)
		})
		return changed, err
	})
	if reason != nil {
		reason.Names = tally.Names(a, reason.Entities)
	}
	return reason, err
}

// mentioned asks the index whether an entity was mentioned in an article that
// was fetched before a time (and within window before it, if that is not zero).
// Without an index nothing was.
func (p *Percolator) mentioned(ctx context.Context, id string, before time.Time, window time.Duration) (bool, error) {
	if p.searcher == nil {
		return false, nil
	}
	span := query.Range{Field: query.FieldFetched, To: before}
	if window > 0 {
		span.From = before.Add(-window)
	}
	res, err := p.searcher.Search(ctx, search.Request{Query: span.String(), Entity: []string{id}, Size: -1})
	if err != nil {
		return false, err
	}
	return res.Total > 0, nil
}

// change reads the value of a key, lets edit change it and writes it back if
// nobody else did meanwhile; else it begins anew. A key that is not there is
// the zero value.
func change[T any](ctx context.Context, kv jetstream.KeyValue, key string, edit func(*T) (changed bool, err error)) error {
	for range tries {
		var (
			v        T
			revision uint64
		)
		e, err := kv.Get(ctx, key)
		switch {
		case errors.Is(err, jetstream.ErrKeyNotFound):
		case err != nil:
			return err
		default:
			revision = e.Revision()
			if err := json.Unmarshal(e.Value(), &v); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
		changed, err := edit(&v)
		if err != nil || !changed {
			return err
		}
		data, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if revision == 0 {
			_, err = kv.Create(ctx, key, data)
		} else {
			_, err = kv.Update(ctx, key, data, revision)
		}
		if !errors.Is(err, jetstream.ErrKeyExists) {
			return err
		}
	}
	return fmt.Errorf("%s: changed by others all the time", key)
}
