package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"xinwen/deploy/app"
	"xinwen/deploy/simweb"
	"xinwen/news/weburl"
)

type demoCmd struct {
	configFlags
	Listen string `placeholder:"ADDR" help:"Address of the api and the pages (default 127.0.0.1:8080, with --once any free port)."`
	Once   bool   `help:"End when every demo article is searchable, and print counts and time."`
	Keep   bool   `help:"Keep the data directory; without --data it is a temporary one."`
}

// Run serves the demo web on loopback and monitors it.
func (d *demoCmd) Run(ctx context.Context, c *cli) error {
	started := time.Now()
	if c.LogLevel == "" && d.Once {
		c.LogLevel = "warn"
	}
	config, err := d.config(c)
	if err != nil {
		return err
	}
	if config.Data == "" {
		dir, err := os.MkdirTemp("", "xinwen-demo-")
		if err != nil {
			return hint(err, "name a directory with --data")
		}
		if !d.Keep {
			defer func() { _ = os.RemoveAll(dir) }() // below the temporary directory
		}
		config.Data = dir
	}
	web, err := simweb.New(simweb.Options{})
	if err != nil {
		return err
	}
	if err := web.Start(ctx); err != nil {
		return err
	}
	defer func() { _ = web.Close() }() // the demo is over
	if err := demoConfig(&config, web, d.Listen, d.Once); err != nil {
		return err
	}
	log, err := config.Log.Logger()
	if err != nil {
		return err
	}
	a, err := app.New(app.Options{Config: config, Logger: log, Version: versionText()})
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return err
	}
	err = d.watch(ctx, a, web.Articles(), started)
	return errors.Join(err, stop(ctx, a))
}

// demoConfig points the crawler at the demo web.
func demoConfig(config *app.Config, web *simweb.Web, listen string, once bool) error {
	dir := filepath.Join(config.Data, "config")
	if err := os.MkdirAll(dir, 0o700); err != nil { // the data directory is its owner's alone
		return fmt.Errorf("data directory: %w; name another with --data", err)
	}
	sources := filepath.Join(dir, "demo-sources.yaml")
	if err := os.WriteFile(sources, []byte(web.SourcesFor(simweb.SourceOptions{Delay: 250 * time.Millisecond})), 0o644); err != nil {
		return fmt.Errorf("data directory: %w; name another with --data", err)
	}
	config.Crawler.Sources = sources
	config.Crawler.Resolve = []string{"*=" + web.Addr()}
	config.Indexer.OpenSearch.Prefix = cmp.Or(config.Indexer.OpenSearch.Prefix, "xinwen-demo") // apart from real articles
	switch {
	case listen != "":
		config.API.Listen = listen
	case once:
		config.API.Listen = "127.0.0.1:0"
	}
	return nil
}

// watch waits until every article is searchable, says so, and with --once ends.
func (d *demoCmd) watch(ctx context.Context, a *app.App, articles []simweb.Article, started time.Time) error {
	fmt.Fprintf(os.Stderr, "Xinwen reads the demo web: %d articles, all fictional\n", len(articles))
	found, err := d.await(ctx, a, articles)
	if err != nil {
		return err
	}
	took := time.Since(started)
	fmt.Printf("%d of %d demo articles searchable in %.1f s\n", len(articles), len(articles), took.Seconds())
	for _, script := range []string{"Hans", "Hant", "Latn"} {
		fmt.Printf("  %-5s %d\n", script, found[script])
	}
	if d.Once {
		return nil
	}
	fmt.Fprintf(os.Stderr, "search at http://%s — Ctrl-C stops it\n", a.Addr())
	select {
	case <-ctx.Done():
		return nil
	case <-a.Done():
		return errors.New("a service has failed; the log says why")
	}
}

// await returns the number of articles by script when all can be found.
func (d *demoCmd) await(ctx context.Context, a *app.App, articles []simweb.Article) (map[string]int, error) {
	api := apiFlags{API: "http://" + a.Addr()}.client()
	missing := make(map[string]simweb.Article)
	for _, article := range articles {
		missing[weburl.ID(article.URL)] = article
	}
	found := make(map[string]int)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	err := await(ctx, func() (bool, error) {
		select {
		case <-a.Done():
			return false, errors.New("a service has failed; the log says why")
		default:
		}
		for id, article := range missing {
			resp, err := api.do(ctx, http.MethodGet, "/v1/articles/"+id, nil, "", nil)
			if err != nil {
				continue // not there yet
			}
			resp.Body.Close()
			found[article.Script]++
			delete(missing, id)
		}
		return len(missing) == 0, nil
	})
	if errors.Is(err, context.DeadlineExceeded) {
		for _, article := range missing {
			fmt.Fprintf(os.Stderr, "not searchable: %s %s\n", article.URL, article.Title)
		}
		return nil, hint(fmt.Errorf("%d of %d demo articles are not searchable", len(missing), len(articles)), "run it again with --log-level debug --keep and look at `xinwen quarantine list`")
	}
	return found, err
}
