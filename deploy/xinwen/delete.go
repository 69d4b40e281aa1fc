package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"xinwen/news"
	"xinwen/news/bus"
)

type deleteCmd struct {
	busFlags
	ID     []string `name:"id" placeholder:"ID" help:"Articles to erase for good: they do not come back when they are crawled or imported again."`
	Source string   `placeholder:"SOURCE" help:"Erase all articles of this source; take it out of the sources before."`
	Before string   `placeholder:"TIME" help:"Erase articles published before a day (2025-01-31), a time (RFC 3339), or an age (365d)."`
	Yes    bool     `help:"Do it; without this flag the command only says what it would do."`
}

// Run erases articles from streams, indexes, alerts and deliveries.
func (c *deleteCmd) Run(ctx context.Context, k *cli) (err error) {
	e := bus.Erasure{IDs: c.ID, Source: c.Source, DryRun: !c.Yes}
	if c.Before != "" {
		if e.Before, err = parseBefore(c.Before, time.Now()); err != nil {
			return err
		}
	}
	if len(e.IDs) == 0 && e.Source == "" && e.Before.IsZero() {
		return hint(errors.New("delete: which articles?"), "say --id ID, --source SOURCE or --before TIME")
	}
	b, err := c.open(ctx, k, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	n, err := b.Erase(ctx, e)
	if err != nil {
		return err
	}
	if e.DryRun {
		fmt.Printf("%d articles would be erased; it cannot be undone. Say it again with --yes to do it\n", n.Articles)
		return nil
	}
	fmt.Printf("%d articles erased: %d messages of them, %d pages, %d alerts, %d deliveries, %d in quarantine\n",
		n.Articles, n.Messages, n.Pages, n.Alerts, n.Deliveries, n.Quarantined)
	return nil
}

// parseBefore reads a day (in this machine's zone), a time, or an age.
func parseBefore(s string, now time.Time) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, s, time.Local); err == nil {
		return t, nil
	}
	if d, err := news.ParseDuration(s); err == nil && d > 0 {
		return now.Add(-time.Duration(d)), nil
	}
	return time.Time{}, hint(fmt.Errorf("--before %q is no day, time or age", s), "write 2025-01-31, 2025-01-31T12:00:00Z or 365d")
}
