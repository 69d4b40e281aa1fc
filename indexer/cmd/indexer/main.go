// Command indexer keeps an index of all articles, matches rules, and answers
// searches over NATS.
package main

import (
	"context"
	"flag"
	"path/filepath"

	"xinwen/indexer"
	"xinwen/news/service"
)

// version is set when a release is built.
var version string

func main() {
	c := indexer.Config{Serve: true}
	flag.BoolVar(&c.NoAlerts, "no-alerts", false, "leave rules to another indexer")
	service.Main("indexer", version, func(ctx context.Context, s *service.Service) error {
		lex, err := s.Lexicon(ctx)
		if err != nil {
			return err
		}
		return indexer.Run(ctx, indexer.Options{
			Bus: s.Bus, Lexicon: lex, Dir: filepath.Join(s.Data, "index"), Config: c, Logger: s.Log, Metrics: s.Metrics,
		})
	})
}
