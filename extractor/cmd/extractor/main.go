// Command extractor turns pages into articles. NATS_URL names the server.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // dates in pages need zones also where the system has none

	"xinwen/extractor"
	"xinwen/news/bus"
	"xinwen/news/lexicon"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := run(ctx, log); err != nil {
		log.Error("extractor failed", "err", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, log *slog.Logger) error {
	lex, err := lexicon.Builtin()
	if err != nil {
		return err
	}
	b, err := bus.Open(ctx, bus.Options{Config: bus.Config{URL: os.Getenv("NATS_URL"), Dir: "data"}, Name: "extractor", Logger: log})
	if err != nil {
		return err
	}
	err = extractor.Run(ctx, extractor.Options{Bus: b, Lexicon: lexicon.NewStore(lex), Logger: log})
	if cerr := b.Close(); err == nil {
		err = cerr
	}
	return err
}
