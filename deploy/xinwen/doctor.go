package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"xinwen/api"
	"xinwen/deploy/app"
	"xinwen/news/lexicon"
)

type doctorCmd struct {
	apiFlags
	configFlags
}

// Run makes every check, prints what it found, and fails if anything is wrong.
func (d *doctorCmd) Run(ctx context.Context, c *cli) error {
	var p patient
	config, err := d.config(c)
	p.check("configuration", err)
	config, err = config.WithDefaults()
	p.check("configuration values", err)
	p.check("data directory", app.CheckData(config.Data))
	_, err = lexicon.Load(filepath.Join(config.Dir, "lexicon"))
	p.check("lexicon", err)
	p.running(ctx, d.client(), config.API.Listen)
	if p.faults > 0 {
		return fmt.Errorf("%d of %d checks failed", p.faults, p.checks)
	}
	fmt.Printf("all %d checks passed\n", p.checks)
	return nil
}

// patient counts checks and prints them.
type patient struct{ checks, faults int }

func (p *patient) check(what string, err error) {
	p.checks++
	if err == nil {
		fmt.Printf("ok    %s\n", what)
		return
	}
	p.faults++
	fmt.Printf("FAULT %s: %s\n", what, indented(err.Error()))
	var h interface{ Hint() string }
	if errors.As(err, &h) && h.Hint() != "" {
		fmt.Printf("      → %s\n", h.Hint())
	}
}

// running looks at a system if one answers.
func (p *patient) running(ctx context.Context, api *client, listen string) {
	resp, err := api.do(ctx, http.MethodGet, "/healthz", nil, "", nil)
	if err != nil {
		fmt.Printf("--    running system: %v (listens on %s unless told otherwise)\n", err, orDefault(listen))
		return
	}
	resp.Body.Close()
	if resp, err = api.do(ctx, http.MethodGet, "/readyz", nil, "", nil); err == nil {
		resp.Body.Close()
	}
	p.check("ready", err)
	s, err := api.status(ctx)
	p.check("status", err)
	if err != nil {
		return
	}
	var problems error
	if len(s.Problems) > 0 {
		problems = errors.New(strings.Join(s.Problems, "; "))
	}
	p.check("pipeline", problems)
	for _, stream := range s.Streams {
		var full error
		if stream.MaxBytes > 0 && stream.Bytes > uint64(stream.MaxBytes)/10*9 {
			full = hint(fmt.Errorf("%d of %d bytes are used", stream.Bytes, stream.MaxBytes), "raise nats.limits in the configuration, or find out which consumer lags")
		}
		p.check("stream "+stream.Name, full)
		if stream.Name == "QUARANTINE" && stream.Messages > 0 {
			fmt.Fprintf(os.Stdout, "--    quarantine holds %d messages: xinwen quarantine list\n", stream.Messages)
		}
	}
	if s.Index != nil {
		fmt.Printf("--    index: %d articles, %d messages behind\n", s.Index.Docs, s.Index.Lag)
	}
}

func orDefault(listen string) string {
	if listen == "" {
		return api.DefaultListen
	}
	return listen
}
