// Command xinwen is a news monitor for the semiconductor industry: it crawls,
// extracts, indexes, and tells of what it finds. Without a command it runs all
// services in one process; the commands beside that run one service, or are
// tools for a running system.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	_ "time/tzdata" // containers have no zone files

	"github.com/alecthomas/kong"

	"xinwen/news/service"
)

// version is set when a release is built.
var version = ""

// cli is the command line.
type cli struct {
	LogLevel  string           `name:"log-level" env:"XINWEN_LOG_LEVEL" placeholder:"LEVEL" help:"debug, info, warn or error."`
	LogFormat string           `name:"log-format" env:"XINWEN_LOG_FORMAT" placeholder:"FORMAT" help:"text or json."`
	Version   kong.VersionFlag `help:"Print the version."`

	Run  runCmd  `cmd:"" default:"withargs" help:"Run everything in this process: crawler, extractor, indexer and api on an embedded NATS server. This is the command when none is named."`
	Demo demoCmd `cmd:"" help:"Run everything against a bundled web of demo articles, with no network."`

	Crawler   serviceCmd `cmd:"" help:"Run the crawler alone against a NATS server." group:"services"`
	Extractor serviceCmd `cmd:"" help:"Run an extractor alone against a NATS server." group:"services"`
	Indexer   serviceCmd `cmd:"" help:"Run an indexer alone against a NATS server." group:"services"`
	API       serviceCmd `cmd:"" name:"api" help:"Run an api alone against a NATS server." group:"services"`

	Crawl    crawlCmd    `cmd:"" help:"Crawl given sources into the pipeline." group:"tools"`
	Extract  extractCmd  `cmd:"" help:"Turn a saved page into an article as JSON." group:"tools"`
	Annotate annotateCmd `cmd:"" help:"Find the entities in texts, one JSON object a line." group:"tools"`

	Import     importCmd     `cmd:"" help:"Send articles (JSONL) or pages (WARC) into the pipeline." group:"tools of a running system"`
	Search     searchCmd     `cmd:"" help:"Search for articles." group:"tools of a running system"`
	Export     exportCmd     `cmd:"" help:"Print all articles that match." group:"tools of a running system"`
	Alerts     alertsCmd     `cmd:"" help:"Work with alert rules." group:"tools of a running system"`
	Sources    sourcesCmd    `cmd:"" help:"Work with sources." group:"tools of a running system"`
	Lexicon    lexiconCmd    `cmd:"" help:"Work with the lexicon." group:"tools of a running system"`
	Quarantine quarantineCmd `cmd:"" help:"See and replay what failed." group:"tools of a running system"`
	Index      indexCmd      `cmd:"" help:"Work on the index." group:"tools of a running system"`
	MCP        mcpCmd        `cmd:"" name:"mcp" help:"Offer search, articles, entities and backtests to an assistant (Model Context Protocol on standard input and output)." group:"tools of a running system"`
	Doctor     doctorCmd     `cmd:"" help:"Check configuration, machine, streams and a running system, and say what to mend." group:"tools of a running system"`

	Streams    streamsCmd    `cmd:"" help:"Make and mend the streams, and show them." group:"tools of the streams"`
	NATSConfig natsConfigCmd `cmd:"" name:"nats-config" help:"Write a configuration for NATS servers with TLS and a user for each service." group:"tools of the streams"`
	Backup     backupCmd     `cmd:"" help:"Save all streams and state; the system may run." group:"tools of the streams"`
	Restore    restoreCmd    `cmd:"" help:"Bring a backup back into an empty system." group:"tools of the streams"`
	Keys       keysCmd       `cmd:"" help:"Make, list and revoke keys of the api; the system may run." group:"tools of the streams"`
	Delete     deleteCmd     `cmd:"" help:"Erase articles from streams, indexes, alerts and deliveries." group:"tools of the streams"`
}

func main() { os.Exit(run(os.Args[1:])) }

// run returns the exit status: 0 done, 1 failed, 2 wrong usage, 130
// interrupted.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c cli
	parser, err := kong.New(&c,
		kong.Name("xinwen"),
		kong.Description("Xinwen 芯闻 monitors semiconductor news in Chinese and English."),
		kong.UsageOnError(),
		kong.Vars{"version": versionText()},
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(&c),
	)
	if err != nil {
		panic(err) // the command line itself is wrong
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "xinwen: %v\n", err)
		fmt.Fprintln(os.Stderr, "  → xinwen --help lists the commands and flags")
		return 2
	}
	err = parsed.Run()
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "xinwen: interrupted")
		return 130
	}
	fmt.Fprintf(os.Stderr, "xinwen: %s\n", indented(err.Error()))
	var h interface{ Hint() string }
	if errors.As(err, &h) && h.Hint() != "" {
		fmt.Fprintf(os.Stderr, "  → %s\n", h.Hint())
	}
	return 1
}

// indented keeps the lines of a long message together.
func indented(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n  ") }

// versionText names the release, or the commit that was built.
func versionText() string { return service.Version(version) }
