package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"xinwen/indexer/search"
	"xinwen/news/bus"
)

// filters narrow a search.
type filters struct {
	From   string   `placeholder:"DATE" help:"Published on or after this date or time."`
	To     string   `placeholder:"DATE" help:"Published on or before this date, or before this time."`
	TZ     string   `name:"tz" placeholder:"ZONE" help:"Time zone of dates, such as Asia/Shanghai."`
	Lang   []string `help:"zh, en, zh-Hans or zh-Hant."`
	Source []string `help:"IDs of sources."`
	Entity []string `help:"IDs, names or aliases of entities."`
	Sort   string   `enum:"relevance,newest,oldest," default:"" help:"relevance, newest or oldest."`
	Match  string   `enum:"auto,all,any" default:"auto" help:"How many of the words to ask for: auto, all or any."`
}

func (f filters) values(query string) url.Values {
	v := url.Values{"q": {query}, "match": {f.Match}}
	for name, value := range map[string]string{"from": f.From, "to": f.To, "tz": f.TZ, "sort": f.Sort} {
		if value != "" {
			v.Set(name, value)
		}
	}
	for name, values := range map[string][]string{"lang": f.Lang, "source": f.Source, "entity": f.Entity} {
		for _, value := range values {
			v.Add(name, value)
		}
	}
	return v
}

type searchCmd struct {
	apiFlags
	filters
	Query string `arg:"" optional:"" help:"What to search for, such as 台积电 AND (涨价 OR price)."`
	Size  int    `default:"10" help:"Hits to show."`
	JSON  bool   `name:"json" help:"Print the api's answer as it is."`
}

// Run prints the hits of a search.
func (c *searchCmd) Run(ctx context.Context) error {
	v := c.values(c.Query)
	v.Set("size", strconv.Itoa(c.Size))
	resp, err := c.client().do(ctx, http.MethodGet, "/v1/search", v, "", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if c.JSON {
		_, err := io.Copy(os.Stdout, resp.Body)
		return err
	}
	var r search.Result
	if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
		return fmt.Errorf("answer to a search: %w", err)
	}
	fmt.Printf("%d found in %.1f ms", r.Total, r.TookMS)
	if r.Relaxed {
		fmt.Print(" (no article has all the words)")
	}
	fmt.Println()
	for _, h := range r.Hits {
		day := "no date   "
		if !h.Published.IsZero() {
			day = h.Published.Format(time.DateOnly)
		}
		fmt.Printf("\n%s  %s  [%s]\n  %s\n", day, h.Title, h.Source, h.URL)
		if s := strings.TrimSpace(h.Snippet); s != "" {
			fmt.Printf("  %s\n", strings.ReplaceAll(s, "\n", "\n  "))
		}
	}
	return nil
}

type quarantineCmd struct {
	List   quarantineListCmd   `cmd:"" help:"List messages that failed for good, with their reasons."`
	Replay quarantineReplayCmd `cmd:"" help:"Send messages through the pipeline again."`
}

type quarantineListCmd struct {
	apiFlags
	Limit int  `default:"100" help:"Messages to show."`
	JSON  bool `name:"json" help:"Print the api's answer as it is."`
}

// Run lists the quarantine.
func (c *quarantineListCmd) Run(ctx context.Context) error {
	v := url.Values{"limit": {strconv.Itoa(c.Limit)}}
	if c.JSON {
		resp, err := c.client().do(ctx, http.MethodGet, "/v1/quarantine", v, "", nil)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(os.Stdout, resp.Body)
		return err
	}
	var list struct{ Messages []bus.Quarantined }
	if err := c.client().getJSON(ctx, "/v1/quarantine", v, &list); err != nil {
		return err
	}
	if len(list.Messages) == 0 {
		fmt.Println("the quarantine is empty")
		return nil
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SEQ\tTIME\tSERVICE\tTRIES\tWHAT\tREASON")
	for _, q := range list.Messages {
		what := q.URL
		if what == "" {
			what = q.Subject
		}
		reason := q.Reason
		if q.Hint != "" {
			reason += " — " + q.Hint
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%d\t%s\t%s\n", q.Seq, q.Time.Format(time.DateTime), q.Service, q.Attempts, what, reason)
	}
	return w.Flush()
}

type quarantineReplayCmd struct {
	apiFlags
	Seqs []uint64 `arg:"" optional:"" help:"Sequences of the messages; none means all."`
}

// Run replays messages.
func (c *quarantineReplayCmd) Run(ctx context.Context) error {
	var out struct{ Replayed int }
	in := map[string]any{"seqs": c.Seqs}
	if len(c.Seqs) == 0 {
		in = map[string]any{}
	}
	if err := c.client().postJSON(ctx, "/v1/quarantine:replay", in, &out); err != nil {
		return err
	}
	fmt.Printf("%d messages sent through the pipeline again\n", out.Replayed)
	return nil
}

type indexCmd struct {
	Rebuild rebuildCmd `cmd:"" help:"Build the index anew from the stream of articles."`
}

type rebuildCmd struct {
	apiFlags
	Wait bool `help:"Return when the new index answers."`
}

// Run starts a rebuild.
func (c *rebuildCmd) Run(ctx context.Context) error {
	if err := c.client().postJSON(ctx, "/v1/index:rebuild", struct{}{}, nil); err != nil {
		return err
	}
	if !c.Wait {
		fmt.Println("the rebuild has begun; `xinwen doctor` tells when it is done")
		return nil
	}
	return await(ctx, func() (bool, error) {
		s, err := c.client().status(ctx)
		if err != nil || s.Index == nil {
			return false, err
		}
		if !s.Index.Rebuilding {
			fmt.Printf("rebuilt: %d articles\n", s.Index.Docs)
		}
		return !s.Index.Rebuilding, nil
	})
}

// status is what the api says of the pipeline.
type status struct {
	Index    *search.Status
	Streams  []bus.StreamStatus
	Problems []string
}

func (c *client) status(ctx context.Context) (*status, error) {
	var s status
	if err := c.getJSON(ctx, "/v1/status", nil, &s); err != nil {
		return nil, err
	}
	return &s, nil
}

// idle reports whether nothing is on its way through the pipeline.
func (s *status) idle() bool {
	if s.Index == nil || s.Index.Lag > 0 {
		return false
	}
	for _, stream := range s.Streams {
		if stream.Name == bus.Alerts {
			continue // what a receiver refuses waits for hours
		}
		for _, c := range stream.Consumers {
			if c.Pending > 0 || c.AckPending > 0 {
				return false
			}
		}
	}
	return true
}
