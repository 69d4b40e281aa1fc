// Command extractor turns pages into articles, against a NATS server.
package main

import (
	"context"
	"flag"

	"xinwen/extractor"
	"xinwen/news/service"
)

// version is set when a release is built.
var version string

func main() {
	var c extractor.Config
	flag.IntVar(&c.Workers, "workers", 0, "pages to work on at once, 0 for 2")
	service.Main("extractor", version, func(ctx context.Context, s *service.Service) error {
		lex, err := s.Lexicon(ctx)
		if err != nil {
			return err
		}
		return extractor.Run(ctx, extractor.Options{Bus: s.Bus, Lexicon: lex, Config: c, Logger: s.Log, Metrics: s.Metrics})
	})
}
