// Command crawler runs the crawler alone, against an external NATS server.
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

	"xinwen/crawler"
	"xinwen/news/bus"
)

func main() {
	var c crawler.Config
	nats := flag.String("nats", "nats://127.0.0.1:4222", "URL of the NATS server")
	flag.StringVar(&c.Sources, "sources", "", "file of sources; none for none, default the built-in ones")
	flag.StringVar(&c.Contact, "contact", "", "URL or mail address for publishers, sent with every request")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *nats, c); err != nil {
		fmt.Fprintln(os.Stderr, "crawler:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, nats string, c crawler.Config) (err error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	b, err := bus.Open(ctx, bus.Options{Config: bus.Config{URL: nats}, Name: "crawler", Logger: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return crawler.Run(ctx, crawler.Options{Config: c, Bus: b, Logger: log})
}
