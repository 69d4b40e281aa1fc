package crawler_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"xinwen/crawler"
	"xinwen/crawler/source"
	"xinwen/news"
	"xinwen/news/bus"
)

// demo is a source with no delay.
func demo(id string, change func(*source.Source)) *source.Source {
	s := &source.Source{ID: id, Name: id, Home: "http://" + id + ".example/", Enabled: true, Interval: time.Hour, TimeZone: "Asia/Shanghai"}
	if change != nil {
		change(s)
	}
	return s
}

func options(w *web, b *bus.Bus, sources ...*source.Source) crawler.Options {
	return crawler.Options{
		Config: crawler.Config{Once: true, Resolve: []string{"*=" + w.Listener.Addr().String()}, HeaderTimeout: time.Second, Timeout: 3 * time.Second},
		Bus:    b, List: source.NewSet(sources...),
	}
}

// crawl runs a crawl to its end.
func crawl(t *testing.T, o crawler.Options) crawler.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	c, err := crawler.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatal("the crawl did not end in time")
	}
	r := c.Report()
	r.Took, r.Bytes = 0, 0
	return r
}

// pages returns everything in PAGES.
func pages(t *testing.T, b *bus.Bus) []*news.Page {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	last, err := b.LastSeq(ctx, bus.Pages)
	if err != nil {
		t.Fatal(err)
	}
	var all []*news.Page
	if last == 0 {
		return nil
	}
	err = b.Read(ctx, bus.ReadConfig{Stream: bus.Pages, From: 1}, func(ctx context.Context, ms []*bus.Message) error {
		for _, m := range ms {
			p, err := b.Page(ctx, m)
			if err != nil {
				return err
			}
			all = append(all, p)
			if m.Seq == last {
				cancel()
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return all
}

func urls(all []*news.Page) []string {
	var list []string
	for _, p := range all {
		list = append(list, p.URL)
	}
	slices.Sort(list)
	return list
}

func state(t *testing.T, b *bus.Bus, id string) *news.SourceState {
	t.Helper()
	v, err := b.KV(bus.KVSources).Get(t.Context(), bus.Key(id))
	if err != nil {
		t.Fatalf("state of %s: %v", id, err)
	}
	s, err := news.ParseSourceState(v.Value())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openBus(t *testing.T, dir string) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: dir, MinFreeBytes: -1}, Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() }) // closed twice where the test did
	return b
}
