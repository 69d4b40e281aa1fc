// Command bench measures Xinwen, and beside it what others do of the same kind,
// in one run. It lies outside the workspace, so that rivals' dependencies stay
// out of the product.
//
//	go -C deploy/bench run . NAME
//
// prints lines of metric, value, unit and the rival's value, separated by tabs;
// a rival that was not measured is "-".
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
)

// benchmarks are the measurements by name.
var benchmarks = map[string]struct {
	help string
	run  func(context.Context, *report) error
}{
	"search":     {"indexing and searching, against SQLite FTS5 and bluge on the same words", compare},
	"start":      {"cold start and memory at rest of the whole program", start},
	"pipeline":   {"articles per second from fetch to searchable, whole program", pipeline},
	"crawl":      {"pages per second of the crawler, parsed once, against colly", crawl},
	"polls":      {"polls per second of feeds that have not changed", polls},
	"robots":     {"Google's robots.txt cases, against temoto", robotsCases},
	"freshness":  {"published to searchable for 500 simulated feeds (a simulation of the scheduler)", freshness},
	"politeness": {"requests too soon, two at a time or forbidden, of 100,000 or $REQUESTS, with successions of crawlers", politeness},
	"hostile":    {"memory and time over every misbehaviour that simweb knows", hostile},
	"frontier":   {"start and memory of a crawler that knows a million URLs", scale},
	"web":        {"serves pages to the benchmarks above until its input ends", web},
	"convert":    {"Traditional to Simplified Chinese, against two Go libraries", convert},
}

func main() {
	if len(os.Args) != 2 || benchmarks[os.Args[1]].run == nil {
		fmt.Fprintln(os.Stderr, "usage: go -C deploy/bench run . NAME, where NAME is one of")
		for _, name := range slices.Sorted(maps.Keys(benchmarks)) {
			fmt.Fprintf(os.Stderr, "  %-10s %s\n", name, benchmarks[name].help)
		}
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := benchmarks[os.Args[1]].run(ctx, &report{}); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// report prints figures as they come.
type report struct{}

// add prints one figure; rivals are written "name=value".
func (*report) add(metric string, value float64, unit string, rivals ...string) {
	rival := "-"
	if len(rivals) > 0 {
		rival = strings.Join(rivals, " ")
	}
	fmt.Printf("%s\t%s\t%s\t%s\n", metric, figure(value), unit, rival)
}

// figure writes a number with three significant digits, or whole above 100.
func figure(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
