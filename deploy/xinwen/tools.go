package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"xinwen/deploy/app"
	"xinwen/extractor"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/lexicon"
	"xinwen/news/weburl"
)

type crawlCmd struct {
	configFlags
	Source  string   `required:"" placeholder:"FILE" type:"existingfile" help:"Sources to crawl (sources.yaml)."`
	Once    bool     `help:"End when every source was read once and every page is searchable or in quarantine."`
	NATS    string   `name:"nats" placeholder:"URL" env:"XINWEN_NATS" help:"Crawl into the pipeline behind this server; without it everything runs in this process."`
	Listen  string   `placeholder:"ADDR" help:"Address of the api (default 127.0.0.1:8080)."`
	Resolve []string `placeholder:"HOST:PORT:ADDR" help:"Where to find hosts instead of asking DNS, as curl has it; '*=ADDR' for all."`
}

// Run crawls sources.
func (c *crawlCmd) Run(ctx context.Context, k *cli) error {
	config, err := c.config(k)
	if err != nil {
		return err
	}
	config.Crawler.Sources = c.Source
	config.Crawler.Resolve = append(config.Crawler.Resolve, c.Resolve...)
	config.Crawler.Once = c.Once
	if c.Listen != "" {
		config.API.Listen = c.Listen
	}
	services := app.All
	if c.NATS != "" {
		config.NATS.URL = c.NATS
		services = []string{app.Crawler}
	}
	log, err := config.Log.Logger()
	if err != nil {
		return err
	}
	a, err := app.New(app.Options{Config: config, Services: services, Logger: log, Version: versionText()})
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return err
	}
	if !c.Once {
		select {
		case <-ctx.Done():
		case <-a.Done():
		}
		return stop(ctx, a)
	}
	err = a.Drained(ctx)
	if err == nil {
		err = c.report(ctx, a)
	}
	return errors.Join(err, stop(ctx, a))
}

// report prints what became of the crawl.
func (c *crawlCmd) report(ctx context.Context, a *app.App) error {
	streams, err := a.Bus().Status(ctx)
	if err != nil {
		return err
	}
	for _, s := range streams {
		fmt.Printf("%-10s %d\n", s.Name, s.LastSeq)
		if s.Name == bus.Frontier && s.Messages > 0 {
			fmt.Printf("  → %d addresses wait there: their servers asked for time, or their robots.txt cannot be read; the next crawl goes on with them\n", s.Messages)
		}
	}
	quarantined, err := a.Bus().ListQuarantine(ctx, 1000)
	if err != nil {
		return err
	}
	for _, q := range quarantined {
		fmt.Printf("quarantined %s: %s\n", q.URL, q.Reason)
		if q.Hint != "" {
			fmt.Printf("  → %s\n", q.Hint)
		}
	}
	return nil
}

type extractCmd struct {
	URL     string `name:"url" help:"Address the page was fetched from."`
	JSONL   bool   `name:"jsonl" help:"Read lines {id, path or html_base64, url, content_type} and write one result a line, in their order."`
	Explain bool   `help:"Show how: candidates with scores, blocks with the judgement on them, votes on title, dates, people and media."`
	Memory  string `name:"memory" placeholder:"FILE" help:"What the pages of hosts have in common, as the bucket memory has it: an article's site_memory names the state it was read with."`
	File    string `arg:"" optional:"" default:"-" help:"Saved page, or with --jsonl the lines; - is standard input."`
}

// Run prints the article of one page, or of many.
func (e *extractCmd) Run(ctx context.Context) error {
	in, err := open(e.File)
	if err != nil {
		return err
	}
	defer in.Close()
	x, err := newExtractor(e.Memory)
	if err != nil {
		return err
	}
	if e.JSONL {
		return x.ExtractLines(ctx, in, os.Stdout)
	}
	body, err := io.ReadAll(io.LimitReader(in, 64<<20))
	if err != nil {
		return err
	}
	address := e.URL
	if address == "" {
		address = "https://example.com/" + filepath.Base(e.File)
	}
	if address, err = weburl.Canonical(address); err != nil {
		return hint(err, "give the page's address with --url https://…")
	}
	page := &news.Page{
		Version: news.Version, ID: weburl.ID(address), URL: address, Source: "file",
		Status: http.StatusOK, Fetched: time.Now().UTC(), Body: body,
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	if e.Explain {
		how, err := x.Explain(page)
		if err != nil {
			return err
		}
		return out.Encode(how)
	}
	a, err := x.Extract(page)
	if err != nil {
		return err
	}
	a.Extracted = time.Now().UTC()
	return out.Encode(a)
}

type annotateCmd struct {
	File string `arg:"" optional:"" default:"-" help:"Lines {id, lang, title, text, date}; - is standard input."`
}

// Run prints the mentions of each text.
func (c *annotateCmd) Run(ctx context.Context) error {
	in, err := open(c.File)
	if err != nil {
		return err
	}
	defer in.Close()
	x, err := newExtractor("")
	if err != nil {
		return err
	}
	return x.AnnotateLines(ctx, in, os.Stdout)
}

// newExtractor returns an extractor with the lexicon that comes with the program
// and the memory of hosts in a file, "" for none.
func newExtractor(memory string) (*extractor.Extractor, error) {
	l, err := lexicon.Builtin()
	if err != nil {
		return nil, err
	}
	o := extractor.Options{Lexicon: lexicon.NewStore(l)}
	if memory != "" {
		f, err := os.Open(memory)
		if err != nil {
			return nil, err
		}
		o.Memory, err = extractor.ReadMemory(f)
		_ = f.Close() // only read
		if err != nil {
			return nil, hint(fmt.Errorf("%s: %w", memory, err), "take it from the bucket: nats kv get memory HOST --raw")
		}
	}
	return extractor.New(o)
}

// open returns a file, or standard input for "-".
func open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(bufio.NewReader(os.Stdin)), nil
	}
	return os.Open(name)
}
