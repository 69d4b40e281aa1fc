package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"xinwen/news"
	"xinwen/news/bus"
)

func TestFollowGoesOnWhereItStopped(t *testing.T) {
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"}, Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	publish := func(id string) {
		t.Helper()
		a := &news.Article{
			Version: news.Version, ID: id, URL: "https://example.com/" + id, Source: "example", Title: "Title " + id, Text: "Text.", Lang: "en",
			Published: time.Date(2025, 11, 17, 0, 0, 0, 0, time.UTC), Fetched: time.Date(2025, 11, 17, 1, 0, 0, 0, time.UTC),
		}
		if err := b.PublishArticle(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	// run follows until it has read a line that ends so.
	run := func(begin func(), want string) {
		t.Helper()
		r, w := io.Pipe()
		following, stop := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() {
			err := follow(following, w, b.URL(), bus.Articles, "xinwen.articles.>", "test")
			_ = w.Close() // no line comes any more
			done <- err
		}()
		begin()
		lines := bufio.NewScanner(r)
		for lines.Scan() && lines.Text() != want {
		}
		if lines.Text() != want {
			t.Errorf("got no %q", want)
		}
		stop()
		_ = r.Close() // a line after the one that was awaited is not read
		if err := <-done; err != nil && !errors.Is(err, io.ErrClosedPipe) {
			t.Error(err)
		}
	}
	run(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for { // from now on: once there is a consumer
			if _, err := b.JetStream().Consumer(ctx, bus.Articles, "test"); err == nil {
				break
			}
			select {
			case <-ctx.Done():
				t.Fatal("got no consumer in 30 s")
			case <-tick.C:
			}
		}
		publish("a")
	}, "  https://example.com/a")
	publish("b") // while nobody follows
	run(func() {}, "  https://example.com/b")
}
