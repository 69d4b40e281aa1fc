package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"xinwen/api/backtest"
	"xinwen/api/rules"
	"xinwen/indexer/query"
	"xinwen/news"
)

type alertsCmd struct {
	Test alertsTestCmd `cmd:"" help:"Say what a rule would have told of."`
}

type alertsTestCmd struct {
	apiFlags
	Rule    string `arg:"" placeholder:"RULE.yaml" type:"existingfile" help:"File with the rules to test."`
	Since   string `default:"30d" help:"How far to look back (12h, 30d, 4w), or a date."`
	TZ      string `name:"tz" placeholder:"ZONE" help:"Time zone of days, such as Asia/Shanghai."`
	Samples int    `default:"5" help:"Notices to show."`
	JSON    bool   `name:"json" help:"Print the api's answer as it is, one line for each rule."`
}

// Run prints what the rules of a file would have told of.
func (c *alertsTestCmd) Run(ctx context.Context) error {
	data, err := os.ReadFile(c.Rule)
	if err != nil {
		return err
	}
	list, faults := rules.ParseDrafts(c.Rule, data, query.Parse)
	if len(faults) > 0 {
		var errs []error
		for _, f := range faults {
			errs = append(errs, f)
		}
		return errors.Join(errs...)
	}
	if len(list) == 0 {
		return hint(fmt.Errorf("%s holds no rule", c.Rule), "write at least query:")
	}
	api := c.client()
	for i := range list {
		var answer json.RawMessage
		body := map[string]any{"rule": list[i], "since": c.Since, "tz": c.TZ, "samples": c.Samples}
		if err := api.postJSON(ctx, "/v1/alerts:test", body, &answer); err != nil {
			return fmt.Errorf("rule %s: %w", list[i].ID, err)
		}
		if c.JSON {
			var line bytes.Buffer
			if err := json.Compact(&line, answer); err != nil {
				return err
			}
			fmt.Println(line.String())
			continue
		}
		var r backtest.Report
		if err := json.Unmarshal(answer, &r); err != nil {
			return fmt.Errorf("answer to a backtest: %w", err)
		}
		if i > 0 {
			fmt.Println()
		}
		printReport(os.Stdout, &list[i], &r)
	}
	return nil
}

// chartWidth is the length of the longest bar.
const chartWidth = 40

// printReport prints a backtest with a bar for each day: full blocks for
// notices, light ones for the matches nobody is told of.
func printReport(w io.Writer, rule *news.Rule, r *backtest.Report) {
	fmt.Fprintf(w, "%s: %s\n", rule.ID, rule.Query)
	fmt.Fprintf(w, "%d hits in %d days, %.1f a day, %.1f %% of all news; %d notices\n", r.Hits, len(r.Days), r.HitsPerDay, 100*r.Share, r.Notices)
	most := 1
	for _, d := range r.Days {
		most = max(most, d.Hits)
	}
	for _, d := range r.Days {
		hits := bar(d.Hits, most)
		told := min(bar(d.Notices, most), hits)
		fmt.Fprintf(w, "%s %s%s %d", d.Date, strings.Repeat("█", told), strings.Repeat("░", hits-told), d.Hits)
		if d.Notices != d.Hits {
			fmt.Fprintf(w, ", %d told", d.Notices)
		}
		fmt.Fprintln(w)
	}
	if !r.Since.IsZero() {
		fmt.Fprintf(w, "notices are known since %s only: the newest %d hits were read\n", r.Since.Format(time.DateTime), r.Read)
	}
	fmt.Fprintf(w, "noise: %s. %s\n", r.Noise.Level, r.Noise.Sentence)
	for _, s := range r.Samples {
		fmt.Fprintf(w, "  %s  %s  %s", s.Published.Format("2006-01-02 15:04"), s.Source, s.Title)
		if s.Repeats > 0 {
			fmt.Fprintf(w, " (+%d repeats)", s.Repeats)
		}
		fmt.Fprintf(w, "\n    %s\n", s.URL)
	}
}

// bar returns the length of a bar: at least one block for anything at all.
func bar(n, most int) int {
	if n == 0 {
		return 0
	}
	return max(1, n*chartWidth/most)
}
