package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/gocolly/colly/v2"

	"xinwen/crawler"
	"xinwen/crawler/source"
	"xinwen/news"
	"xinwen/news/bus"
)

// openBus opens an embedded bus in a folder of its own.
func openBus(ctx context.Context) (*bus.Bus, func() error, error) {
	dir, err := os.MkdirTemp("", "xinwen-bench-")
	if err != nil {
		return nil, nil, err
	}
	b, err := bus.Open(ctx, bus.Options{Config: bus.Config{Dir: filepath.Join(dir, "bus")}, Name: "bench"})
	if err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	return b, func() error { return errors.Join(b.Close(), os.RemoveAll(dir)) }, nil
}

// benchSources makes sources without delay, one a host.
func benchSources(hosts int, interval time.Duration) *source.Set {
	var list []*source.Source
	for i := range hosts {
		id := fmt.Sprintf("h%d", i)
		home := "http://" + id + ".example/"
		list = append(list, &source.Source{ID: id, Name: id, Home: home, Enabled: true, Feeds: []string{home + "feed"}, Interval: interval})
	}
	return source.NewSet(list...)
}

// crawl fetches pages of 67 KB from 100 hosts without delay, from the feeds to
// PAGES, each written durably, takes them from there and parses each once, as the
// extractor does. colly fetches and parses the same pages and writes nothing.
func crawl(ctx context.Context) (err error) {
	const hosts = 100
	w, err := serve(ctx, "portal")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.stop()) }()
	b, remove, err := openBus(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	pages, cpu, took, err := crawlAndParse(ctx, b, crawler.Options{
		Config: crawler.Config{Once: true, Resolve: []string{"*=" + w.addr}}, Bus: b, List: benchSources(hosts, time.Hour),
	})
	if err != nil {
		return err
	}
	var urls []string
	for h := range hosts {
		for i := range perHost {
			urls = append(urls, fmt.Sprintf("http://h%d.example/p/%d.html", h, i))
		}
	}
	rival, err := collyCrawl(w.addr, urls)
	if err != nil {
		return err
	}
	versus("fetch + bus + parse once", float64(pages)/cpu.Seconds(), "pages/s/core", "≥ 150, aim 220", "colly, parse only="+number(rival))
	versus("processor time a page", 1000*cpu.Seconds()/float64(pages), "ms", "", "colly, parse only="+number(1000/rival))
	figure("wall clock", float64(pages)/took.Seconds(), "pages/s", "")
	figure("pages", float64(pages), fmt.Sprintf("of %d", hosts*perHost), "")
	return nil
}

// crawlAndParse crawls once while the pages are taken from PAGES and parsed, and
// returns how many there were, the processor's time and the clock's.
func crawlAndParse(ctx context.Context, b *bus.Bus, o crawler.Options) (pages int, cpu, took time.Duration, err error) {
	c, err := crawler.New(o)
	if err != nil {
		return 0, 0, 0, err
	}
	run, cancel := context.WithCancel(ctx)
	defer cancel()
	var parsed atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = b.Consume(run, bus.ConsumerConfig{Stream: bus.Pages, Name: "extractor", Workers: 4}, func(ctx context.Context, m *bus.Message) error {
			p, err := b.Page(ctx, m)
			if err != nil {
				return err
			}
			parse(p)
			parsed.Add(1)
			return nil
		}) // it ends with run
	})
	began, used := time.Now(), processor()
	if err := c.Run(ctx); err != nil {
		return 0, 0, 0, err
	}
	pages = c.Report().Pages
	for parsed.Load() < int64(pages) && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	cpu, took = processor()-used, time.Since(began)
	cancel()
	wg.Wait()
	return pages, cpu, took, ctx.Err()
}

// parse makes a page's tree and looks at its links and text.
func parse(p *news.Page) {
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(p.Body))
	if err != nil {
		return
	}
	links := 0
	doc.Find("a[href]").Each(func(int, *goquery.Selection) { links++ })
	_ = doc.Find("p").Text()
}

// collyCrawl returns the pages a second of processor time that colly fetches and
// parses, with a queue of the same size.
func collyCrawl(addr string, urls []string) (float64, error) {
	c := colly.NewCollector(colly.Async(true), colly.AllowURLRevisit(), colly.MaxBodySize(10<<20))
	c.WithTransport(transportTo(addr))
	if err := c.Limit(&colly.LimitRule{DomainGlob: "*", Parallelism: 16}); err != nil {
		return 0, err
	}
	var pages atomic.Int64
	c.OnHTML("html", func(e *colly.HTMLElement) {
		links := 0
		e.ForEach("a[href]", func(int, *colly.HTMLElement) { links++ })
		_ = e.DOM.Find("p").Text()
		pages.Add(1)
	})
	used := processor()
	for _, u := range urls {
		if err := c.Visit(u); err != nil {
			return 0, err
		}
	}
	c.Wait()
	if got := pages.Load(); got != int64(len(urls)) {
		return 0, fmt.Errorf("colly read %d pages of %d", got, len(urls))
	}
	return float64(pages.Load()) / (processor() - used).Seconds(), nil
}

// polls asks 200 feeds that never change, again and again, on connections that
// stay open, with the state that a poll leaves kept as ever.
func polls(ctx context.Context) (err error) {
	w, err := serve(ctx, "portal")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.stop()) }()
	b, remove, err := openBus(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	const hosts = 200
	c, err := crawler.New(crawler.Options{
		Config: crawler.Config{Resolve: []string{"*=" + w.addr}, MinInterval: time.Millisecond, Concurrency: 64},
		Bus:    b, List: benchSources(hosts, time.Millisecond),
	})
	if err != nil {
		return err
	}
	if err := c.Start(ctx); err != nil {
		return err
	}
	for c.Report().Pages < hosts*perHost && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	began, used, start := time.Now(), processor(), c.Report().Polls
	for c.Report().Polls < start+200_000 && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	n := float64(c.Report().Polls - start)
	took, cpu := time.Since(began), processor()-used
	if err := c.Stop(); err != nil {
		return err
	}
	figure("polls answered 304", n/cpu.Seconds(), "polls/s/core", "≥ 8,000, aim 12,000")
	figure("processor time a poll", 1e6*cpu.Seconds()/n, "µs", "")
	figure("wall clock", n/took.Seconds(), "polls/s", "")
	return nil
}
