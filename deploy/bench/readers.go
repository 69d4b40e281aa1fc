package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"xinwen/crawler"
	"xinwen/crawler/source"
	"xinwen/deploy/simweb"
)

// reader is when a feed reader asks a feed again, by the rule that its
// documentation gives. Its code cannot be imported: it is internal to its module.
type reader struct {
	name string
	// wake is how often the reader looks for feeds that are due.
	wake time.Duration
	// next returns when a feed is due again that had weekly entries in the last
	// seven days.
	next func(weekly int) time.Duration
}

// roundRobin asks every feed after the same time (Miniflux: POLLING_SCHEDULER
// round_robin, the default; FreshRSS: the time to live of a feed).
func roundRobin(interval time.Duration) func(int) time.Duration {
	return func(int) time.Duration { return interval }
}

// entryFrequency is Miniflux's POLLING_SCHEDULER entry_frequency: a week divided by
// the entries of the last one and a factor, within bounds.
func entryFrequency(factor float64, least, most time.Duration) func(int) time.Duration {
	return func(weekly int) time.Duration {
		if weekly == 0 {
			return most
		}
		return min(max(time.Duration(float64(7*24*time.Hour)/(float64(weekly)*factor)), least), most)
	}
}

// read polls a feed as a reader does, and returns the polls after the warm-up.
func (l *lags) read(f *simFeed, r reader, rnd *rand.Rand) (polls int) {
	last := begin.Add(simWarm - 24*time.Hour)
	now := last.Add(time.Duration(rnd.Int64N(int64(r.wake))))
	for now.Before(begin.Add(simLong)) {
		if fresh := f.at(last, now); now.After(begin.Add(simWarm)) {
			polls++
			if len(fresh) > 0 {
				l.useful++
			}
			for _, t := range fresh {
				l.add(f.kind, now.Sub(t))
			}
		}
		due := now.Add(r.next(len(f.at(now.Add(-7*24*time.Hour), now))))
		last = now
		now = now.Add((due.Sub(now) + r.wake - 1) / r.wake * r.wake) // only then it looks
	}
	l.polls += polls
	return polls
}

// rivals puts a crawling framework and a feed reader beside us, each doing what it
// is for in the same simulator.
func rivals(ctx context.Context) error {
	if err := crawlSimweb(ctx); err != nil {
		return err
	}
	return readers()
}

// readers compares the times that feeds are polled at: the same 500 feeds, the
// same entries.
func readers() error {
	rnd := rand.New(rand.NewPCG(3, 5))
	feeds, _, err := simFeeds(rnd)
	if err != nil {
		return err
	}
	days := float64(len(feeds)) * (simLong - simWarm).Hours() / 24
	run := func(r reader) (*lags, float64) {
		l, rnd := new(lags), rand.New(rand.NewPCG(7, 11))
		polls := 0
		for i := range feeds {
			polls += l.read(&feeds[i], r, rnd)
		}
		return l, float64(polls) / days
	}
	ours := new(lags)
	polls := 0
	for i := range feeds {
		n, _ := ours.follow(&feeds[i], rnd)
		polls += n
	}
	// The factor at which Miniflux makes as many polls as we do, busy feeds more
	// than 96 a day.
	low, high := 1.0, 1000.0
	for range 12 {
		middle := (low + high) / 2
		if _, n := run(reader{wake: time.Minute, next: entryFrequency(middle, 5*time.Minute, 24*time.Hour)}); n < float64(polls)/days {
			low = middle
		} else {
			high = middle
		}
	}
	row := func(name string, l *lags, perDay float64) {
		versus(name, l.at(50).Minutes(), "min p50", "", "p90="+number(l.at(90).Minutes()), "p99="+number(l.at(99).Minutes()),
			"mean="+number(l.mean().Minutes()), "polls a day and feed="+number(perDay))
	}
	row("xinwen, at most 96 polls a day and feed", ours, float64(polls)/days)
	for _, r := range []reader{
		{"even, 96 polls a day and feed", time.Minute, roundRobin(15 * time.Minute)},
		{fmt.Sprintf("Miniflux entry_frequency, as many polls in all (factor %.0f)", low), time.Minute, entryFrequency(low, 5*time.Minute, 24*time.Hour)},
		{"Miniflux entry_frequency, at most 96 polls (factor 10)", time.Minute, entryFrequency(10, 15*time.Minute, 24*time.Hour)},
		{"Miniflux entry_frequency, its defaults", time.Hour, entryFrequency(1, 5*time.Minute, 24*time.Hour)},
		{"Miniflux round_robin, its default; FreshRSS: 60 min", time.Hour, roundRobin(time.Hour)},
	} {
		l, n := run(r)
		row(r.name, l, n)
	}
	return nil
}

// simwebSites is how many sites of simweb are crawled, each with perHost links.
const simwebSites = 100

// crawlSimweb crawls the sites of simweb that are for counting, from their feeds to
// PAGES, and has colly fetch and parse the same pages.
func crawlSimweb(ctx context.Context) (err error) {
	w, err := serve(ctx, "simweb")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.stop()) }()
	b, remove, err := openBus(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	var list []*source.Source
	for i := range simwebSites {
		home := "http://" + simweb.VolumeHost(i) + "/"
		list = append(list, &source.Source{ID: fmt.Sprintf("v%d", i), Home: home, Enabled: true, Feeds: []string{home + "feed.xml"}, Interval: time.Hour})
	}
	pages, cpu, _, err := crawlAndParse(ctx, b, crawler.Options{
		Config: crawler.Config{Once: true, Resolve: []string{"*=" + w.addr}}, Bus: b, List: source.NewSet(list...),
	})
	if err != nil {
		return err
	}
	var urls []string
	for h := range simwebSites {
		for i := range perHost {
			urls = append(urls, fmt.Sprintf("http://%s/page/%d", simweb.VolumeHost(h), i))
		}
	}
	rival, err := collyCrawl(w.addr, urls)
	if err != nil {
		return err
	}
	versus("simweb, pages of 1 KB: robots.txt, fetch, redirects, bus, parse", float64(pages)/cpu.Seconds(), "pages/s/core", "", "colly, fetch and parse="+number(rival))
	return nil
}
