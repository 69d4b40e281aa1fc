// Command indexer keeps an index of all articles, matches rules, and answers
// searches over NATS.
package main

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"

	"xinwen/indexer"
	"xinwen/news/service"
)

// version is set when a release is built.
var version string

func main() {
	c := indexer.Config{Serve: true}
	flag.BoolVar(&c.NoAlerts, "no-alerts", false, "leave rules to another indexer")
	flag.StringVar(&c.Engine, "engine", service.Env("XINWEN_ENGINE", ""), "what keeps the index: bleve in this process (the default) or an opensearch cluster (XINWEN_ENGINE)")
	urls := flag.String("opensearch-url", service.Env("XINWEN_OPENSEARCH_URL", ""), "nodes of the OpenSearch cluster, separated by commas (XINWEN_OPENSEARCH_URL)")
	flag.StringVar(&c.OpenSearch.Username, "opensearch-user", service.Env("XINWEN_OPENSEARCH_USER", ""), "name to log in there; the password is in XINWEN_OPENSEARCH_PASSWORD (XINWEN_OPENSEARCH_USER)")
	flag.StringVar(&c.OpenSearch.CA, "opensearch-ca", service.Env("XINWEN_OPENSEARCH_CA", ""), "certificate authority of the cluster, a file (XINWEN_OPENSEARCH_CA)")
	flag.BoolVar(&c.OpenSearch.ReadOnly, "opensearch-read-only", service.Env("XINWEN_OPENSEARCH_READ_ONLY", "") == "true", "leave writing to another indexer over the same cluster (XINWEN_OPENSEARCH_READ_ONLY=true)")
	c.OpenSearch.Password = os.Getenv("XINWEN_OPENSEARCH_PASSWORD")
	service.Main("indexer", version, func(ctx context.Context, s *service.Service) error {
		if *urls != "" {
			c.OpenSearch.URLs = strings.Split(*urls, ",")
		}
		lex, err := s.Lexicon(ctx)
		if err != nil {
			return err
		}
		return indexer.Run(ctx, indexer.Options{
			Bus: s.Bus, Lexicon: lex, Dir: filepath.Join(s.Data, "index"), Config: c, Logger: s.Log, Metrics: s.Metrics,
		})
	})
}
