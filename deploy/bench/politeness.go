package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"xinwen/crawler"
	"xinwen/crawler/source"
	"xinwen/deploy/simweb"
	"xinwen/news/bus"
)

// politeDelay is what the sources of politeness ask for between requests.
const politeDelay = 20 * time.Millisecond

// politeness runs two crawlers over sites that lead to each other, ends one in
// good order, lets another join and cuts one off, and has the web's log judge:
// 100,000 requests, or REQUESTS.
func politeness(ctx context.Context) (err error) {
	const sites = 300
	total := 100_000
	if s := os.Getenv("REQUESTS"); s != "" {
		if total, err = strconv.Atoi(s); err != nil {
			return fmt.Errorf("REQUESTS: %w", err)
		}
	}
	w, err := simweb.New(simweb.Options{NoDemo: true, Volume: sites})
	if err != nil {
		return err
	}
	if err := w.Start(ctx); err != nil {
		return err
	}
	defer w.Close()
	dir, err := os.MkdirTemp("", "xinwen-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	address := l.Addr().String()
	l.Close()
	b, err := bus.Open(ctx, bus.Options{Config: bus.Config{Dir: filepath.Join(dir, "bus"), Listen: address}, Name: "bench"})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	var list []*source.Source
	for i := range sites {
		home := "http://" + simweb.VolumeHost(i) + "/"
		list = append(list, &source.Source{
			ID: fmt.Sprintf("v%d", i), Home: home, Enabled: true, Feeds: []string{home + "feed.xml"}, Interval: politeDelay, Delay: politeDelay,
		})
	}
	set := source.NewSet(list...)
	type running struct {
		*crawler.Crawler
		bus *bus.Bus
	}
	start := func(name string) (running, error) {
		own, err := b.Connect(name)
		if err != nil {
			return running{}, err
		}
		c, err := crawler.New(crawler.Options{
			Config: crawler.Config{Resolve: []string{w.Resolve()}, MinInterval: politeDelay, Concurrency: 64}, Bus: own, List: set,
		})
		if err != nil {
			return running{}, err
		}
		return running{c, own}, c.Start(ctx)
	}
	reach := func(n int) error {
		for w.Log().Len() < n {
			select {
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}
	began := time.Now()
	one, err := start("one")
	if err != nil {
		return err
	}
	two, err := start("two")
	if err != nil {
		return err
	}
	if err := reach(total * 3 / 10); err != nil {
		return err
	}
	if err := two.Stop(); err != nil { // in good order
		return err
	}
	three, err := start("three")
	if err != nil {
		return err
	}
	if err := reach(total * 6 / 10); err != nil {
		return err
	}
	one.bus.Conn().Close() // and it does not know at once
	if err := reach(total); err != nil {
		return err
	}
	took := time.Since(began)
	_ = one.Stop() // its connection is gone: that is an error
	if err := three.Stop(); err != nil {
		return err
	}
	_ = two.bus.Close()   // nothing depends on it any more
	_ = three.bus.Close() // nor on this one
	impolite, forbidden := w.Log().Impolite(politeDelay), w.Log().Disallowed()
	for _, i := range impolite[:min(len(impolite), 5)] {
		fmt.Fprintf(os.Stderr, "impolite: %+v\n", i)
	}
	figure("requests", float64(w.Log().Len()), fmt.Sprintf("at %d hosts, 3 crawlers, 2 successions", sites), "")
	figure("too soon or two at a time", float64(len(impolite)), "requests", "0")
	figure("forbidden by robots.txt", float64(len(forbidden)), "requests", "0")
	versus("pages by each", float64(one.Report().Pages), "pages", "", fmt.Sprintf("two=%d three=%d", two.Report().Pages, three.Report().Pages))
	figure("wall clock", float64(w.Log().Len())/took.Seconds(), "requests/s", "")
	return nil
}
