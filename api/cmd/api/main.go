// Command api serves the HTTP interface, the pages and the delivery of alerts.
// NATS_URL names the server; an indexer answers its searches over it.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"xinwen/api"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news/bus"
	"xinwen/news/lexicon"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, log); err != nil {
		log.Error("api failed", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, log *slog.Logger) (err error) {
	builtin, err := lexicon.Builtin()
	if err != nil {
		return err
	}
	lex := lexicon.NewStore(builtin)
	evaluator, err := query.LoadEvaluator(lex)
	if err != nil {
		return err
	}
	b, err := bus.Open(ctx, bus.Options{Config: bus.Config{URL: os.Getenv("NATS_URL"), Dir: "data"}, Name: "api", Logger: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return api.Run(ctx, api.Options{
		Bus: b, Searcher: search.NewClient(b.Conn()), Evaluator: evaluator, Lexicon: lex, Logger: log,
		Config: api.Config{Listen: os.Getenv("XINWEN_LISTEN"), AlertsDir: os.Getenv("XINWEN_ALERTS_DIR"), PublicURL: os.Getenv("XINWEN_PUBLIC_URL")},
	})
}
