package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sort"
	"strings"
	"time"

	"xinwen/crawler/schedule"
)

// The simulation of freshness: a clock of its own, the scheduler's real code, and
// feeds that are nothing but the times of their entries. No request is made.
const (
	simSources = 500
	simBudget  = 96 // polls a day and feed
	simWarm    = 21 * 24 * time.Hour
	simLong    = 42 * 24 * time.Hour
	simWindow  = 20 // entries in a feed
	// simPipeline is added to every lag: from found to searchable, by the
	// pipeline benchmark's order of magnitude.
	simPipeline = 2 * time.Second
)

// simFeed is a feed of the simulation.
type simFeed struct {
	kind    string
	zone    *time.Location
	entries []time.Time // sorted
}

// at returns the entries published in (from, to].
func (f *simFeed) at(from, to time.Time) []time.Time {
	i := sort.Search(len(f.entries), func(i int) bool { return f.entries[i].After(from) })
	j := sort.Search(len(f.entries), func(i int) bool { return f.entries[i].After(to) })
	return f.entries[i:j]
}

// freshness measures published → found for 500 feeds: by the rhythm that the
// crawler learns, and by polls at even intervals, with the same budget, and with
// the hour that feed readers take.
func freshness(_ context.Context) error {
	rnd := rand.New(rand.NewPCG(3, 5))
	feeds, real, err := simFeeds(rnd)
	if err != nil {
		return err
	}
	var ours, even, hourly lags
	most, days := 0, 0.0
	polls := 0
	for i := range feeds {
		n, worst := ours.follow(&feeds[i], rnd)
		polls += n
		most = max(most, worst)
		days += (simLong - simWarm).Hours() / 24
		even.every(&feeds[i], 24*time.Hour/simBudget, rnd)
		hourly.every(&feeds[i], time.Hour, rnd)
	}
	figure("feeds", float64(len(feeds)), fmt.Sprintf("of which %d have the times of a real wire", real), "")
	figure("entries measured", float64(len(ours.all)), "", "")
	target := map[float64]string{50: "≤ 5, aim 2", 99: "≤ 30, aim 15"}
	for _, p := range []float64{50, 90, 99} {
		versus(fmt.Sprintf("published → searchable p%.0f", p), ours.at(p).Minutes(), "min", target[p],
			"same budget, even="+number(even.at(p).Minutes()), "hourly (Miniflux's default)="+number(hourly.at(p).Minutes()))
	}
	versus("mean", ours.mean().Minutes(), "min", "", "same budget, even="+number(even.mean().Minutes()), "hourly="+number(hourly.mean().Minutes()))
	figure("polls a day and feed", float64(polls)/days, fmt.Sprintf("at most %d on any day", most), "")
	versus("polls with news", 100*float64(ours.useful)/float64(polls), "%", "", "same budget, even="+number(100*float64(even.useful)/float64(even.polls)))
	for _, kind := range []string{"wire", "newsroom", "portal", "magazine", "company", "blog"} {
		versus("p50 of "+kind, ours.of(kind, 50).Minutes(), "min", "", "same budget, even="+number(even.of(kind, 50).Minutes()))
	}
	return nil
}

// lags collects how long entries waited.
type lags struct {
	all           []time.Duration
	byKind        map[string][]time.Duration
	polls, useful int
}

func (l *lags) add(kind string, d time.Duration) {
	if l.byKind == nil {
		l.byKind = make(map[string][]time.Duration)
	}
	d += simPipeline
	l.all = append(l.all, d)
	l.byKind[kind] = append(l.byKind[kind], d)
}

func percentile(all []time.Duration, p float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[min(int(math.Ceil(p/100*float64(len(all))))-1, len(all)-1)]
}

func (l *lags) at(p float64) time.Duration              { return percentile(l.all, p) }
func (l *lags) of(kind string, p float64) time.Duration { return percentile(l.byKind[kind], p) }
func (l *lags) mean() time.Duration {
	var sum time.Duration
	for _, d := range l.all {
		sum += d
	}
	return sum / time.Duration(max(len(l.all), 1))
}

// begin is when the simulation starts.
var begin = time.Date(1987, 2, 26, 0, 0, 0, 0, time.UTC)

// follow polls a feed as the crawler does: by the rhythm so far. It returns the polls after the warm-up, and the most on
// one day.
func (l *lags) follow(f *simFeed, rnd *rand.Rand) (polls, most int) {
	var rhythm schedule.Rhythm
	class := schedule.Outlet
	var table schedule.Timetable
	last := begin
	now := begin.Add(time.Duration(rnd.Int64N(int64(15 * time.Minute))))
	perDay := make(map[int64]int)
	for now.Before(begin.Add(simLong)) {
		fresh := f.at(last, now)
		measured := !now.Before(begin.Add(simWarm))
		if measured {
			polls++
			local := now.In(f.zone)
			_, offset := local.Zone()
			day := (now.Unix() + int64(offset)) / 86400
			perDay[day]++
			most = max(most, perDay[day])
			if len(fresh) > 0 {
				l.useful++
			}
			for _, t := range fresh {
				l.add(f.kind, now.Sub(t))
			}
		}
		if len(fresh) > 0 {
			window := f.at(begin, now)
			window = window[max(len(window)-simWindow, 0):]
			local := make([]time.Time, len(window))
			for i, t := range window {
				local[i] = t.In(f.zone)
			}
			rhythm.Add(local, now.In(f.zone))
		}
		last, now = now, table.Next(&rhythm, class, simBudget, now.In(f.zone), time.Minute).UTC()
	}
	return polls, most
}

// every polls a feed at even intervals.
func (l *lags) every(f *simFeed, interval time.Duration, rnd *rand.Rand) {
	last := begin.Add(simWarm)
	for now := last.Add(time.Duration(rnd.Int64N(int64(interval)))); now.Before(begin.Add(simLong)); now = now.Add(interval) {
		fresh := f.at(last, now)
		l.polls++
		if len(fresh) > 0 {
			l.useful++
		}
		for _, t := range fresh {
			l.add(f.kind, now.Sub(t))
		}
		last = now
	}
}

// simFeeds makes the feeds: a fifth are thinned out of the times of a real wire
// where they are at hand, the others follow the habits of their kind.
func simFeeds(rnd *rand.Rand) (feeds []simFeed, real int, err error) {
	wire, err := wireTimes()
	if err != nil {
		return nil, 0, err
	}
	zones := []string{"Asia/Shanghai", "Asia/Taipei", "America/New_York", "America/Los_Angeles", "Europe/London", "Asia/Seoul"}
	kinds := []struct {
		name   string
		share  float64
		perDay func() float64
		// office is how much more comes in hours of work, sharp the share of
		// entries at fixed minutes, weekend that of a working day's.
		office, sharp, weekend float64
	}{
		{"newsroom", .35, func() float64 { return 5 + 25*rnd.Float64() }, 8, .3, .25},
		{"portal", .2, func() float64 { return 20 + 60*rnd.Float64() }, 4, .1, .6},
		{"magazine", .2, func() float64 { return 1 + 4*rnd.Float64() }, 15, .5, .05},
		{"company", .1, func() float64 { return .1 + .6*rnd.Float64() }, 20, .8, 0},
		{"blog", .15, func() float64 { return .1 + .9*rnd.Float64() }, 3, .2, .7},
	}
	if len(wire) > 0 {
		real = simSources / 5
		for range real {
			zone, keep := time.UTC, .03+.27*rnd.Float64()
			f := simFeed{kind: "wire", zone: zone}
			for _, t := range wire {
				if rnd.Float64() < keep {
					f.entries = append(f.entries, t)
				}
			}
			feeds = append(feeds, f)
		}
	}
	for len(feeds) < simSources {
		pick := rnd.Float64()
		for _, k := range kinds {
			if pick -= k.share; pick > 0 && k.name != "blog" {
				continue
			}
			zone, err := time.LoadLocation(zones[rnd.IntN(len(zones))])
			if err != nil {
				return nil, 0, err
			}
			f := simFeed{kind: k.name, zone: zone}
			f.entries = simEntries(rnd, zone, k.perDay(), k.office, k.sharp, k.weekend)
			feeds = append(feeds, f)
			break
		}
	}
	return feeds, real, nil
}

// simEntries draws the times of a feed's entries from an inhomogeneous Poisson
// process: by hour of the day and of the week, with days that differ, and a share
// at the minutes that the feed's content system publishes at.
func simEntries(rnd *rand.Rand, zone *time.Location, perDay, office, sharp, weekend float64) []time.Time {
	var weights [24]float64
	peak := 8 + rnd.IntN(9)
	sum := 0.0
	for h := range weights {
		weights[h] = 1
		if h >= 8 && h < 19 {
			weights[h] = office * (.4 + rnd.Float64())
		}
		if h == peak || h == (peak+1)%24 {
			weights[h] *= 1.8
		}
		sum += weights[h]
	}
	minutes := []int{0, 30}
	if rnd.Float64() < .4 {
		minutes = []int{rnd.IntN(12) * 5}
	}
	var all []time.Time
	for day := range int(simLong/(24*time.Hour)) + 1 {
		date := begin.In(zone).AddDate(0, 0, day)
		rate := perDay * (.6 + .8*rnd.Float64())
		if wd := date.Weekday(); wd == time.Saturday || wd == time.Sunday {
			rate *= weekend
		}
		for h, w := range weights {
			for range poisson(rnd, rate*w/sum) {
				minute, second := rnd.IntN(60), rnd.IntN(60)
				if rnd.Float64() < sharp {
					minute, second = minutes[rnd.IntN(len(minutes))], rnd.IntN(20)
				}
				all = append(all, time.Date(date.Year(), date.Month(), date.Day(), h, minute, second, 0, zone).UTC())
			}
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return all
}

func poisson(rnd *rand.Rand, mean float64) int {
	n, p, limit := 0, 1.0, math.Exp(-mean)
	for p *= rnd.Float64(); p > limit; p *= rnd.Float64() {
		n++
	}
	return n
}

// wireTimes returns the times of the Reuters articles of 1987 that lie beside the
// project, none if they do not.
func wireTimes() ([]time.Time, error) {
	f, err := os.Open("../../../shared/data/corpora/news-en.jsonl.gz")
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var all []time.Time
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		if !strings.Contains(lines.Text(), "reuters-21578") {
			continue
		}
		var a struct{ Date time.Time }
		if json.Unmarshal(lines.Bytes(), &a) == nil && !a.Date.Before(begin) && a.Date.Before(begin.Add(simLong)) {
			all = append(all, a.Date.Truncate(time.Second))
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return all, lines.Err()
}
