// Command indexer runs the indexer alone, against an external NATS server. It
// answers searches over NATS.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"xinwen/indexer"
	"xinwen/news/bus"
	"xinwen/news/lexicon"
)

func main() {
	nats := flag.String("nats", "nats://127.0.0.1:4222", "URL of the NATS server")
	dir := flag.String("dir", "index", "directory of the index; no other process may use it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *nats, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "indexer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, nats, dir string) (err error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	lex, err := lexicon.Builtin()
	if err != nil {
		return err
	}
	b, err := bus.Open(ctx, bus.Options{Config: bus.Config{URL: nats}, Name: "indexer", Logger: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return indexer.Run(ctx, indexer.Options{
		Bus: b, Lexicon: lexicon.NewStore(lex), Dir: dir, Config: indexer.Config{Serve: true}, Logger: log,
	})
}
