package tally

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/news"
)

func at(id string, t time.Time) *news.Article {
	return &news.Article{ID: id, Title: "台积电", Published: t, Fetched: t}
}

func threshold(n int, window time.Duration) *news.Rule {
	return &news.Rule{Threshold: &news.Threshold{Count: n, Window: news.Duration(window)}}
}

var noon = time.Date(2025, 11, 17, 12, 0, 0, 0, time.UTC)

func TestThresholdGoesOffOnceInAWindow(t *testing.T) {
	var tl Counts
	c := threshold(3, time.Hour)
	var got []string
	for i, minutes := range []int{0, 10, 20, 30, 40, 85, 90, 100} {
		now := noon.Add(time.Duration(minutes) * time.Minute)
		if r, _ := tl.Add(c, at(fmt.Sprint("a", i), now), now); r != nil {
			got = append(got, fmt.Sprintf("a%d:%d", i, r.Count))
		}
	}
	// a2 is the third within an hour; the next may go off from 13:20 on.
	if d := cmp.Diff([]string{"a2:3", "a5:3"}, got); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
}

func TestCountsAreThoseOfArticlesNotOfMessages(t *testing.T) {
	var tl Counts
	c := threshold(3, time.Hour)
	for range 3 {
		for _, id := range []string{"a", "b"} {
			if r, _ := tl.Add(c, at(id, noon), noon); r != nil {
				t.Fatalf("got %v of two articles, want nothing", r)
			}
		}
	}
	first, _ := tl.Add(c, at("c", noon), noon)
	again, changed := tl.Add(c, at("c", noon), noon.Add(2*time.Hour))
	if first == nil || changed || !cmp.Equal(first, again) {
		t.Errorf("got %v and then %v, want the same twice", first, again)
	}
	if r, _ := tl.Add(c, at("a", noon), noon); r != nil {
		t.Errorf("got %v of an article counted before, want nothing", r)
	}
}

func TestThresholdIgnoresArchives(t *testing.T) {
	var tl Counts
	c := threshold(2, time.Hour)
	for i := range 50 {
		if r, changed := tl.Add(c, at(fmt.Sprint(i), noon.AddDate(-1, 0, 0)), noon); r != nil || changed {
			t.Fatalf("got %v, changed %t, want nothing of last year's news", r, changed)
		}
	}
}

func TestSpikeIsMeasuredAgainstTheRulesRhythm(t *testing.T) {
	spike := &news.Rule{Spike: &news.Spike{Window: news.Duration(time.Hour)}}
	begin := noon.AddDate(0, 0, -14)
	// quiet has a match every five hours, daily a burst of 12 each day at noon.
	for _, tc := range []struct {
		name  string
		hours func(h int) int
		now   int // matches in the present hour
		want  bool
	}{
		{"quiet_4", func(h int) int { return btoi(h%5 == 0) }, 4, false}, // below the least
		{"quiet_6", func(h int) int { return btoi(h%5 == 0) }, 6, true},
		{"busy_12", func(int) int { return 10 }, 12, false},
		{"busy_40", func(int) int { return 10 }, 40, true},
		{"daily_burst", func(h int) int { return 12 * btoi(h%24 == 0) }, 13, false},
		{"daily_burst_and_more", func(h int) int { return 12 * btoi(h%24 == 0) }, 60, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tl := Counts{Since: begin}
			id, got := 0, false
			add := func(when time.Time) {
				id++
				r, _ := tl.Add(spike, at(fmt.Sprint(id), when), when)
				got = r != nil || got
			}
			for h := range 14 * 24 {
				got = false // what went off before is not the question
				for i := range tc.hours(h) {
					add(begin.Add(time.Duration(h)*time.Hour + time.Duration(i)*time.Minute))
				}
			}
			got, tl.At, tl.Fired = false, time.Time{}, ""
			for i := range tc.now {
				add(noon.Add(time.Duration(i) * time.Minute * 59 / time.Duration(tc.now)))
			}
			if got != tc.want {
				t.Errorf("got %t, want %t", got, tc.want)
			}
		})
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestSpikeWaitsUntilItKnowsTheRhythm(t *testing.T) {
	c := &news.Rule{Spike: &news.Spike{Window: news.Duration(time.Hour)}}
	tl := Counts{Since: noon}
	for i := range 100 {
		if r, _ := tl.Add(c, at(fmt.Sprint(i), noon), noon); r != nil {
			t.Fatalf("got %v in the first hour of the rule, want nothing", r)
		}
	}
}
