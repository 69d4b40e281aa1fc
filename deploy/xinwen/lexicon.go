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
	"strings"
	"text/tabwriter"

	"xinwen/extractor/entity/suggest"
	"xinwen/news"
	"xinwen/news/lexicon"
)

type lexiconCmd struct {
	Suggest suggestCmd `cmd:"" help:"List the names that articles have and the lexicon lacks, the most frequent first."`
}

type suggestCmd struct {
	apiFlags
	filters
	Query  string `arg:"" optional:"" help:"Which articles to look at; nothing means all."`
	Least  int    `default:"2" help:"How many articles must have a name."`
	Limit  int    `default:"50" help:"Names to show."`
	Kind   string `enum:"org,person," default:"" help:"org or person; nothing means both."`
	YAML   bool   `name:"yaml" help:"Print entries for a lexicon file, to correct and keep."`
	Folder string `name:"lexicon" type:"existingdir" placeholder:"DIR" help:"Folder of own lexicon files that the entries must agree with."`
}

// Run reads the articles from the api and prints their unknown names.
func (c *suggestCmd) Run(ctx context.Context) error {
	v := c.values(c.Query)
	v.Set("format", "ndjson")
	v.Set("full", "true")
	resp, err := c.client().do(ctx, http.MethodGet, "/v1/export", v, "", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return c.suggest(resp.Body, os.Stdout)
}

// suggest reads an export of whole articles and writes their unknown names.
func (c *suggestCmd) suggest(r io.Reader, w io.Writer) error {
	all, articles, err := unknownNames(r, c.Least)
	if err != nil {
		return err
	}
	var names []suggest.Name
	for i := range all {
		if (c.Kind == "" || string(all[i].Kind) == c.Kind) && len(names) < c.Limit {
			names = append(names, all[i])
		}
	}
	if c.YAML {
		lex, err := lexicon.Load(existing(c.Folder)...)
		if err != nil {
			return err
		}
		return suggest.WriteYAML(w, names, lex)
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "%d unknown names in %d articles\n", len(all), articles)
	if len(names) > 0 {
		fmt.Fprintln(out, "ARTICLES\tMENTIONS\tSOURCES\tKIND\tNAME\tCONTEXT")
	}
	for i := range names {
		n := &names[i]
		context := ""
		if len(n.Contexts) > 0 {
			context = n.Contexts[0]
		}
		fmt.Fprintf(out, "%d\t%d\t%d\t%s\t%s\t%s\n", n.Articles, n.Mentions, n.Sources, n.Kind, strings.Join(n.Surfaces[:min(len(n.Surfaces), 3)], " = "), context)
	}
	return out.Flush()
}

func existing(dir string) []string {
	if dir == "" {
		return nil
	}
	return []string{filepath.Clean(dir)}
}

// unknownNames collects the names of an export, and the number of its articles.
func unknownNames(r io.Reader, least int) ([]suggest.Name, int, error) {
	var collector suggest.Collector
	lines := bufio.NewReaderSize(r, 256<<10)
	for n := 0; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil, 0, errors.New("the export was cut: ask again")
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, 0, fmt.Errorf("read articles: %w", err)
		}
		var end struct{ Manifest *exportManifest }
		if err := json.Unmarshal(line, &end); err == nil && end.Manifest != nil {
			if !end.Manifest.Complete {
				return nil, 0, errors.New("the export broke off: look at the api's log and ask again")
			}
			return collector.Names(least), n, nil
		}
		a, err := news.ParseArticle(line)
		if err != nil {
			return nil, 0, err
		}
		collector.Add(a)
	}
}
