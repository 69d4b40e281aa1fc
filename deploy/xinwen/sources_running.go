package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kong"

	"xinwen/news"
)

type sourcesListCmd struct {
	apiFlags
	Status string `placeholder:"STATUS" help:"Only those that are ok, stale, empty, failing, rate-limited, robots-denied, pending or disabled."`
	JSON   bool   `name:"json" help:"One JSON object a source."`
}

// Run lists the sources of a running system.
func (c *sourcesListCmd) Run(ctx context.Context) error {
	var all struct {
		Sources []news.SourceState `json:"sources"`
	}
	if err := c.client().getJSON(ctx, "/v1/sources", nil, &all); err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	out := json.NewEncoder(os.Stdout)
	if !c.JSON {
		fmt.Fprintln(w, "SOURCE\tSTATUS\tLAST\tNEWEST\tLAG\tARTICLES\tREMARK")
	}
	for _, s := range all.Sources {
		if c.Status != "" && string(s.Status) != c.Status {
			continue
		}
		if c.JSON {
			if err := out.Encode(s); err != nil {
				return err
			}
			continue
		}
		lag := "-"
		if s.Lag > 0 {
			lag = s.Lag.String()
		}
		var remarks []string
		for _, r := range []string{s.Reason, s.LastError, s.Hint} {
			if r != "" {
				remarks = append(remarks, r)
			}
		}
		if s.Added {
			remarks = append(remarks, "added")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\n", s.ID, s.Status, ago(s.LastSuccess), ago(s.NewestEntry), lag, s.Articles, strings.Join(remarks, "; "))
	}
	return w.Flush()
}

type sourcesAddCmd struct {
	apiFlags
	URL    string `arg:"" help:"Address of a site, a feed, or a page that lists articles."`
	ID     string `help:"ID of the source; made from the address without it."`
	Name   string `help:"Name of the source; what the site calls itself without it."`
	DryRun bool   `help:"Only show what there is to follow."`
}

// Run shows what there is to follow at an address, and follows the best.
func (c *sourcesAddCmd) Run(ctx context.Context) error {
	api := c.client()
	var d news.Discovery
	if err := api.postJSON(ctx, "/v1/sources:discover", map[string]string{"url": c.URL}, &d); err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	for _, p := range d.Candidates {
		fmt.Fprintf(w, "%s\t%s\t%d entries\t%s\t%s\n", strings.ReplaceAll(p.Kind, "_", " "), p.Tier, p.Items, p.URL, remark(p))
		for _, t := range p.Titles {
			fmt.Fprintf(w, "\t\t\t  %s\t\n", t)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range d.Remarks {
		fmt.Fprintln(os.Stderr, r)
	}
	best := best(d.Candidates)
	switch {
	case len(best) == 0:
		return hint(errors.New("nothing to follow was found at "+d.URL), "give the address of a feed, or of the page that lists the articles")
	case d.Followed != "":
		fmt.Fprintf(os.Stderr, "the site is followed already, as %s\n", d.Followed)
	}
	if c.DryRun {
		return nil
	}
	draft := news.SourceDraft{URL: d.Home, ID: d.ID, Name: d.Name, Lang: d.Lang, Script: d.Script, Ways: best}
	if c.ID != "" {
		draft.ID = c.ID
	}
	if c.Name != "" {
		draft.Name = c.Name
	}
	var made struct {
		ID         string `json:"id"`
		Definition string `json:"definition"`
	}
	if err := api.postJSON(ctx, "/v1/sources", draft, &made); err != nil {
		return err
	}
	fmt.Printf("following %s:\n  %s\n", made.ID, indented(made.Definition))
	return nil
}

// best returns the first way that has entries; the best come first.
func best(candidates []news.Probe) []news.Way {
	for _, p := range candidates {
		if p.Items > 0 {
			return []news.Way{p.Way}
		}
	}
	return nil
}

type sourcesSwitchCmd struct {
	apiFlags
	ID []string `arg:"" help:"IDs of sources."`
}

// Run switches sources; which way says the name of the command.
func (c *sourcesSwitchCmd) Run(ctx context.Context, k *kong.Context) error {
	on := k.Selected().Name == "enable"
	api := c.client()
	for _, id := range c.ID {
		if err := api.sendJSON(ctx, http.MethodPatch, "/v1/sources/"+url.PathEscape(id), map[string]bool{"enabled": on}, nil); err != nil {
			return err
		}
		fmt.Printf("%s is switched %s\n", id, map[bool]string{true: "on", false: "off"}[on])
	}
	return nil
}

type sourcesRemoveCmd struct {
	apiFlags
	ID []string `arg:"" help:"IDs of sources that were added."`
}

// Run follows sources no longer.
func (c *sourcesRemoveCmd) Run(ctx context.Context) error {
	for _, id := range c.ID {
		resp, err := c.client().do(ctx, http.MethodDelete, "/v1/sources/"+url.PathEscape(id), nil, "", nil)
		if err != nil {
			return err
		}
		_ = resp.Body.Close() // it has none
		fmt.Printf("%s is followed no longer\n", id)
	}
	return nil
}
