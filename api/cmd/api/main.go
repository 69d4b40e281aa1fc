// Command api serves the HTTP interface, the pages and the delivery of alerts.
// An indexer answers its searches over NATS.
package main

import (
	"context"
	"flag"
	"path/filepath"

	"xinwen/api"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news/service"
)

// version is set when a release is built.
var version string

func main() {
	var c api.Config
	flag.StringVar(&c.Listen, "listen", service.Env("XINWEN_LISTEN", api.DefaultListen), "address of the api and the pages (XINWEN_LISTEN)")
	flag.StringVar(&c.PublicURL, "public-url", service.Env("XINWEN_PUBLIC_URL", ""), "where others reach it, such as https://news.example.com (XINWEN_PUBLIC_URL)")
	flag.StringVar(&c.Auth.AdminKeyFile, "admin-key-file", service.Env("XINWEN_ADMIN_KEY_FILE", ""), "file with a key of the role admin; or the key itself in XINWEN_ADMIN_KEY (XINWEN_ADMIN_KEY_FILE)")
	flag.BoolVar(&c.Auth.Open, "open", service.Env("XINWEN_OPEN", "") == "true", "let everybody who reaches it do everything, also from other machines (XINWEN_OPEN=true)")
	c.Auth.AdminKey = service.Env("XINWEN_ADMIN_KEY", "")
	service.Main("api", version, func(ctx context.Context, s *service.Service) error {
		lex, err := s.Lexicon(ctx)
		if err != nil {
			return err
		}
		evaluator, err := query.LoadEvaluator(lex)
		if err != nil {
			return err
		}
		c.AlertsDir = filepath.Join(s.Config, "alerts")
		return api.Run(ctx, api.Options{
			Bus: s.Bus, Searcher: search.NewClient(s.Bus.Conn()), Evaluator: evaluator, Lexicon: lex,
			Config: c, Logger: s.Log, Metrics: s.Metrics, Version: s.Version,
		})
	})
}
