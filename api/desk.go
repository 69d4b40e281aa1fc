package api

import (
	"context"

	"xinwen/api/backtest"
	"xinwen/api/deliver"
	"xinwen/api/rules"
	"xinwen/news"
	"xinwen/news/bus"
)

// desk answers the pages of operation.
type desk struct{ s *Server }

func (d desk) Streams(ctx context.Context) ([]bus.StreamStatus, error) { return d.s.o.Bus.Status(ctx) }

func (d desk) Quarantine(ctx context.Context, limit int) ([]bus.Quarantined, error) {
	return d.s.o.Bus.ListQuarantine(ctx, limit)
}

func (d desk) Replay(ctx context.Context, seqs ...uint64) (int, error) {
	n, err := d.s.o.Bus.ReplayQuarantine(ctx, seqs...)
	if err == nil {
		d.s.log.Info("quarantine replayed", "messages", n)
	}
	return n, err
}

func (d desk) Rebuild(ctx context.Context) error { return d.s.rebuild(ctx) }

func (d desk) Rules(ctx context.Context) ([]rules.Stored, error) { return d.s.rules.List(ctx) }

func (d desk) CreateRule(ctx context.Context, r *news.Rule) error {
	if faults := rules.Check(r, d.s.parseQuery); len(faults) > 0 {
		return ruleProblem(faults)
	}
	if err := d.s.admit(ctx, r); err != nil {
		return err
	}
	if _, err := d.s.rules.Create(ctx, r); err != nil {
		return err
	}
	d.s.log.Info("alert rule made", "rule", r.ID)
	return nil
}

func (d desk) ReplaceRule(ctx context.Context, r *news.Rule) error {
	if faults := rules.Check(r, d.s.parseQuery); len(faults) > 0 {
		return ruleProblem(faults)
	}
	if err := d.s.admit(ctx, r); err != nil {
		return err
	}
	return d.ChangeRule(ctx, r.ID, func(old *news.Rule) { *old = *r })
}

func (d desk) TestRule(ctx context.Context, r *news.Rule) (*backtest.Report, error) {
	return d.s.test(ctx, &testBody{Rule: r, TZ: d.s.zone.String()})
}

func (d desk) ExplainRule(ctx context.Context, id, article string) (*rules.Ruling, error) {
	return d.s.explain(ctx, &explainBody{ID: id, Article: article})
}

func (d desk) ChangeRule(ctx context.Context, id string, change func(*news.Rule)) error {
	old, err := d.s.rules.Get(ctx, id)
	if err != nil {
		return err
	}
	if old == nil {
		return rules.ErrChanged
	}
	if change == nil {
		if err := d.s.rules.Delete(ctx, old); err != nil {
			return err
		}
		d.s.log.Info("alert rule removed", "rule", id)
		return nil
	}
	r := old.Rule
	change(&r)
	if _, err := d.s.rules.Update(ctx, &r, old); err != nil {
		return err
	}
	d.s.log.Info("alert rule changed", "rule", id)
	return nil
}

func (d desk) Deliveries(ctx context.Context, f deliver.Filter) ([]deliver.Record, error) {
	return d.s.deliver.List(ctx, f)
}

func (d desk) ReplayDelivery(ctx context.Context, id string) error {
	err := d.s.deliver.Replay(ctx, id)
	if err == nil {
		d.s.log.Info("delivery replayed", "delivery", id)
	}
	return err
}
