// Command bench measures Xinwen, and beside it what others do of the same kind,
// in one run. It lies outside the workspace, so that rivals' dependencies stay
// out of the product.
//
//	go -C deploy/bench run . NAME [FLAGS]
//
// prints lines of "figure", name, value, unit, target and the rivals' values,
// separated by tabs; what is not known is "-". The name report runs all of them
// and writes BENCHMARKS.md.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"time"
)

// benchmarks are the measurements by name. The limit is how long one may take in
// the report; those without are not part of it.
var benchmarks = map[string]struct {
	help  string
	limit time.Duration
	run   func(context.Context) error
}{
	"search":     {"indexing and searching, against SQLite FTS5 and bluge on the same words", 15 * time.Minute, compare},
	"volume":     {"HTTP searches and pages over 100,000 or -articles articles, 8 clients", 10 * time.Minute, atVolume},
	"start":      {"cold start and memory at rest of the whole program", 5 * time.Minute, start},
	"loaded":     {"cold start, memory and time to be searchable with 100,000 or -articles articles", 20 * time.Minute, loaded},
	"recovery":   {"time until a new article is found after kills of processes, NATS and a leader", 10 * time.Minute, recovery},
	"soak":       {"memory and time to be searchable under a steady rate, ten minutes or -for 2h", 20 * time.Minute, soak},
	"pipeline":   {"articles per second from fetch to searchable, whole program", 10 * time.Minute, pipeline},
	"crawl":      {"pages per second of the crawler, parsed once, against colly", 5 * time.Minute, crawl},
	"polls":      {"polls per second of feeds that have not changed", 5 * time.Minute, polls},
	"robots":     {"Google's robots.txt cases, against temoto", 2 * time.Minute, robotsCases},
	"freshness":  {"published to searchable for 500 simulated feeds (a simulation of the scheduler)", 5 * time.Minute, freshness},
	"rivals":     {"a crawling framework and a feed reader beside us in the same simulator", 5 * time.Minute, rivals},
	"politeness": {"requests too soon, two at a time or forbidden, of 100,000 or $REQUESTS, with successions of crawlers", 15 * time.Minute, politeness},
	"hostile":    {"memory and time over every misbehaviour that simweb knows", 5 * time.Minute, hostile},
	"frontier":   {"start and memory of a crawler that knows a million URLs", 10 * time.Minute, scale},
	"opensearch": {"retrieval quality, indexing and size against OpenSearch's own analyzers, which XINWEN_OPENSEARCH_HOME names", 10 * time.Minute, opensearchQuality},
	"web":        {"serves pages to the benchmarks above until its input ends", 0, web},
	"entities":   {"names, amounts and dates: speed, lexicon, quality; -train also trains taggers for CLUENER and WNUT17", 5 * time.Minute, entities},
	"extract":    {"text of articles, against go-trafilatura and the readability port, over pages whose article is known", 5 * time.Minute, extract},
	"convert":    {"Traditional to Simplified Chinese, against two Go libraries", 2 * time.Minute, convert},
}

func main() {
	name := ""
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	run := benchmarks[name].run
	if name == "report" { // runs the others
		run = report
	}
	if run == nil {
		fmt.Fprintln(os.Stderr, "usage: go -C deploy/bench run . report [-only NAME,...] [-skip NAME,...] [-o FILE], or NAME, which is one of")
		for _, name := range slices.Sorted(maps.Keys(benchmarks)) {
			fmt.Fprintf(os.Stderr, "  %-10s %s\n", name, benchmarks[name].help)
		}
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}
