package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"xinwen/news/bus"
)

// loaded measures the whole program with many articles in its streams and its
// index: cold start, and memory and time to be searchable while more are handed
// in. With -dir the articles are kept and used again.
func loaded(ctx context.Context) error {
	flags := flag.NewFlagSet("loaded", flag.ExitOnError)
	count := flags.Int("articles", 100_000, "articles there are; where there are too few texts they come again with other dates")
	rate := flags.Float64("rate", 30, "articles per second to hand in then")
	length := flags.Duration("for", 2*time.Minute, "how long")
	dir := flags.String("dir", "", "folder to keep the articles in; a temporary one if empty")
	_ = flags.Parse(os.Args[2:]) // it ends the process itself
	p, err := build(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = p.remove() }() // a folder below the temporary one
	if *dir == "" {
		*dir = filepath.Join(p.dir, "data")
	}
	if err := publishArticles(ctx, filepath.Join(*dir, "nats"), *count); err != nil {
		return err
	}
	s := &soaked{every: 1}
	if s.process, _, err = p.start(ctx, "--data", *dir, "--sources", "none"); err != nil {
		return err
	}
	began := time.Now()
	for docs := uint64(0); docs < uint64(*count) && err == nil && ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
		docs, err = s.count()
	}
	if err := errors.Join(err, ctx.Err(), s.stop()); err != nil {
		return err
	}
	figure("index built from the stream", float64(*count)/time.Since(began).Seconds(), "articles/s", "")
	name := fmt.Sprintf("with %d articles", *count)
	var took []float64
	for range 5 {
		x, ready, err := p.start(ctx, "--data", *dir, "--sources", "none")
		if err != nil {
			return err
		}
		took = append(took, ready.Seconds())
		if err := x.stop(); err != nil {
			return err
		}
	}
	figure("cold start "+name+", median of 5", median(took), "s", "< 5, aim < 2")
	if s.texts, err = soakTexts(); err != nil {
		return err
	}
	if s.process, _, err = p.start(ctx, "--data", *dir, "--sources", "none"); err != nil {
		return err
	}
	if s.before, err = s.count(); err == nil {
		err = s.run(ctx, *length, *rate)
	}
	memory, memErr := s.memory()
	if err := errors.Join(err, memErr, s.stop()); err != nil {
		return err
	}
	figure("handed in "+name, float64(s.sent)/length.Seconds(), "articles/s", "")
	figure("memory at its highest "+name, memory.highest/(1<<20), "MiB", "< 1024, aim < 600")
	figure("searchable after, p50 "+name, quantile(s.samples, 0.5), "s", "< 1, aim < 0.3")
	figure("searchable after, p99 "+name, quantile(s.samples, 0.99), "s", "< 5, aim < 2")
	return nil
}

// publishArticles makes a stream of count articles, ten minutes apart, as far as
// it is not there.
func publishArticles(ctx context.Context, dir string, count int) (err error) {
	texts, err := mixedTexts(count)
	if err != nil {
		return err
	}
	b, err := bus.Open(ctx, bus.Options{Config: bus.Config{Dir: dir}, Name: "bench", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	first, err := b.LastSeq(ctx, bus.Articles)
	if err != nil {
		return err
	}
	start := time.Now().UTC().Truncate(time.Minute).Add(-time.Duration(count) * 10 * time.Minute)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(32)
	for i := int(first); i < count; i++ {
		group.Go(func() error {
			a := *texts[i%len(texts)]
			a.ID = fmt.Sprintf("%024x", i*7919)
			a.URL = "https://news.example/" + a.ID
			a.Published = start.Add(time.Duration(i) * 10 * time.Minute)
			a.Fetched, a.Extracted = a.Published, a.Published
			return b.PublishArticle(ctx, &a)
		})
	}
	return group.Wait()
}
