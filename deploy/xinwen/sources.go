package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"xinwen/crawler"
	"xinwen/news"
)

type sourcesCmd struct {
	Verify  sourcesVerifyCmd `cmd:"" help:"Probe each source: feed, robots.txt, freshness, tier. Needs no running system."`
	List    sourcesListCmd   `cmd:"" help:"List the sources of a running system and how each is doing."`
	Add     sourcesAddCmd    `cmd:"" help:"Follow a new source: an address is searched for feeds, sitemaps and lists of articles."`
	Enable  sourcesSwitchCmd `cmd:"" help:"Switch sources on."`
	Disable sourcesSwitchCmd `cmd:"" help:"Switch sources off; their articles stay."`
	Remove  sourcesRemoveCmd `cmd:"" help:"Follow sources no longer that were added."`
}

type sourcesVerifyCmd struct {
	configFlags
	ID       []string `arg:"" optional:"" help:"Sources to probe; without any, all of them, also those that are disabled."`
	Sources  string   `placeholder:"FILE" help:"File of sources instead of the configured or built-in ones."`
	Discover bool     `help:"Search the homes of sources that fail for feeds and sitemaps."`
	JSON     bool     `name:"json" help:"One JSON object a source."`
	Resolve  []string `placeholder:"HOST:PORT:ADDR" help:"Where to find hosts instead of asking DNS, as curl has it; '*=ADDR' for all."`
}

// Run probes sources and prints what it finds: as they come as JSON, sorted as a
// table.
func (c *sourcesVerifyCmd) Run(ctx context.Context, k *cli) error {
	config, err := c.config(k)
	if err != nil {
		return err
	}
	if c.Sources != "" {
		config.Crawler.Sources = c.Sources
	}
	config.Crawler.Resolve = append(config.Crawler.Resolve, c.Resolve...)
	log, err := config.Log.Logger()
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	var all []news.Verification
	var failed error
	err = crawler.Verify(ctx, crawler.VerifyOptions{Config: config.Crawler, IDs: c.ID, Discover: c.Discover, Logger: log}, func(v news.Verification) {
		if c.JSON {
			if err := out.Encode(v); err != nil && failed == nil {
				failed = err
			}
			return
		}
		all = append(all, v)
		fmt.Fprintf(os.Stderr, "\r%d sources probed", len(all))
	})
	if c.JSON {
		if err == nil {
			err = failed
		}
		return err
	}
	if len(all) > 0 {
		fmt.Fprintln(os.Stderr)
	}
	if perr := printVerified(all); err == nil {
		err = perr
	}
	return err
}

// printVerified prints a table of sources and the ways that say something of their
// own, and counts the tiers.
func printVerified(all []news.Verification) error {
	slices.SortFunc(all, func(a, b news.Verification) int { return strings.Compare(a.ID, b.ID) })
	tiers := make(map[news.Tier]int)
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "SOURCE\tTIER\tENABLED\tITEMS\tNEWEST\tWAY\tREMARK")
	for _, v := range all {
		tiers[v.Tier]++
		enabled := map[bool]string{true: "yes", false: "no"}[v.Enabled]
		if len(v.Ways) == 0 {
			fmt.Fprintf(w, "%s\t%s\t%s\t0\t-\t-\tno way in is known\n", v.ID, v.Tier, enabled)
		}
		for i, p := range v.Ways {
			id, on := v.ID, enabled
			if i > 0 {
				id, on = "", ""
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", id, p.Tier, on, p.Items, ago(p.Newest), p.URL, remark(p))
		}
		for _, f := range v.Found {
			fmt.Fprintf(w, "\t\t\t\t\t%s\tfound at its home: a %s\n", f.URL, strings.ReplaceAll(f.Kind, "_", " "))
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	var sums []string
	for _, t := range []news.Tier{news.TierOK, news.TierStale, news.TierEmpty, news.TierLimited, news.TierDenied, news.TierTLS, news.TierBad} {
		if tiers[t] > 0 {
			sums = append(sums, fmt.Sprintf("%d %s", tiers[t], t))
		}
	}
	_, err := fmt.Printf("%d sources: %s\n", len(all), strings.Join(sums, ", "))
	return err
}

func remark(p news.Probe) string {
	var parts []string
	switch {
	case p.Error != "":
		parts = append(parts, p.Error)
	case p.Hint != "":
		parts = append(parts, p.Hint)
	}
	if p.MovedTo != "" {
		parts = append(parts, "moved to "+p.MovedTo)
	}
	if p.Hub != "" {
		parts = append(parts, "WebSub")
	}
	if p.Error == "" && p.HTTPStatus == 200 && !p.Validators {
		parts = append(parts, "no validators")
	}
	return strings.Join(parts, "; ")
}

// ago says how long ago t was.
func ago(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	switch d := time.Since(t); {
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	default:
		return fmt.Sprintf("%d d", int(d.Hours()/24))
	}
}
