// Command crawler runs the crawler alone, against a NATS server.
package main

import (
	"context"
	"flag"
	"strings"

	"xinwen/crawler"
	"xinwen/news/service"
)

// version is set when a release is built.
var version string

func main() {
	var c crawler.Config
	flag.StringVar(&c.Sources, "sources", service.Env("XINWEN_SOURCES", ""), "file of sources, none for none, the built-in ones if empty (XINWEN_SOURCES)")
	resolve := flag.String("resolve", service.Env("XINWEN_RESOLVE", ""), "where to find hosts instead of asking DNS, separated by commas: HOST:PORT=ADDR, or *=ADDR for all (XINWEN_RESOLVE)")
	flag.StringVar(&c.Contact, "contact", service.Env("XINWEN_CONTACT", ""), "URL or mail address for publishers, sent with every request (XINWEN_CONTACT)")
	service.Main("crawler", version, func(ctx context.Context, s *service.Service) error {
		if *resolve != "" {
			c.Resolve = strings.Split(*resolve, ",")
		}
		return crawler.Run(ctx, crawler.Options{Config: c, Bus: s.Bus, Logger: s.Log, Metrics: s.Metrics})
	})
}
