package percolate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/indexer/search"
	"xinwen/news"
)

func at(id string, t time.Time) *news.Article {
	return &news.Article{ID: id, Title: "台积电", Published: t, Fetched: t}
}

func threshold(n int, window time.Duration) *condition {
	return &condition{threshold: &news.Threshold{Count: n, Window: news.Duration(window)}}
}

var noon = time.Date(2025, 11, 17, 12, 0, 0, 0, time.UTC)

func TestThresholdGoesOffOnceInAWindow(t *testing.T) {
	var tl tally
	c := threshold(3, time.Hour)
	var got []string
	for i, minutes := range []int{0, 10, 20, 30, 40, 85, 90, 100} {
		now := noon.Add(time.Duration(minutes) * time.Minute)
		if r, _ := tl.add(c, at(fmt.Sprint("a", i), now), now); r != nil {
			got = append(got, fmt.Sprintf("a%d:%d", i, r.Count))
		}
	}
	// a2 is the third within an hour; the next may go off from 13:20 on.
	if d := cmp.Diff([]string{"a2:3", "a5:3"}, got); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
}

func TestCountsAreThoseOfArticlesNotOfMessages(t *testing.T) {
	var tl tally
	c := threshold(3, time.Hour)
	for range 3 {
		for _, id := range []string{"a", "b"} {
			if r, _ := tl.add(c, at(id, noon), noon); r != nil {
				t.Fatalf("got %v of two articles, want nothing", r)
			}
		}
	}
	first, _ := tl.add(c, at("c", noon), noon)
	again, changed := tl.add(c, at("c", noon), noon.Add(2*time.Hour))
	if first == nil || changed || !cmp.Equal(first, again) {
		t.Errorf("got %v and then %v, want the same twice", first, again)
	}
	if r, _ := tl.add(c, at("a", noon), noon); r != nil {
		t.Errorf("got %v of an article counted before, want nothing", r)
	}
}

func TestThresholdIgnoresArchives(t *testing.T) {
	var tl tally
	c := threshold(2, time.Hour)
	for i := range 50 {
		if r, changed := tl.add(c, at(fmt.Sprint(i), noon.AddDate(-1, 0, 0)), noon); r != nil || changed {
			t.Fatalf("got %v, changed %t, want nothing of last year's news", r, changed)
		}
	}
}

func TestSpikeIsMeasuredAgainstTheRulesRhythm(t *testing.T) {
	spike := &condition{spike: &news.Spike{Window: news.Duration(time.Hour)}}
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
			tl := tally{Since: begin}
			id, got := 0, false
			add := func(when time.Time) {
				id++
				r, _ := tl.add(spike, at(fmt.Sprint(id), when), when)
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
	c := &condition{spike: &news.Spike{Window: news.Duration(time.Hour)}}
	tl := tally{Since: noon}
	for i := range 100 {
		if r, _ := tl.add(c, at(fmt.Sprint(i), noon), noon); r != nil {
			t.Fatalf("got %v in the first hour of the rule, want nothing", r)
		}
	}
}

// index is a Searcher that knows mentions and counts by hand.
type index struct {
	search.Searcher
	mentioned map[string]bool
	counts    []uint64
	err       error
}

func (x *index) Search(_ context.Context, r search.Request) (*search.Result, error) {
	return &search.Result{Total: uint64(btoi(x.mentioned[r.Entity[0]]))}, x.err
}

func (x *index) Count(_ context.Context, r search.CountRequest) (*search.Counts, error) {
	counts := make([]uint64, len(r.Edges)-1)
	for i := range counts {
		counts[i] = x.counts[i%len(x.counts)]
	}
	return &search.Counts{Groups: []search.CountGroup{{Counts: counts}}}, x.err
}

// conditional returns a percolator with one rule, and what it tells of articles.
func conditional(t *testing.T, r news.Rule, x search.Searcher) (p *Percolator, tell func(a *news.Article, now time.Time) *news.Reason) {
	t.Helper()
	p, err := New(Options{Bus: openBus(t), Evaluator: evaluator(), Searcher: x})
	if err != nil {
		t.Fatal(err)
	}
	r.ID, r.Query = "r", "台积电"
	compiled, err := Compile(r, evaluator())
	if err != nil {
		t.Fatal(err)
	}
	p.rules.Store(NewRules([]*Rule{compiled}))
	return p, func(a *news.Article, now time.Time) *news.Reason {
		t.Helper()
		alerts, err := p.match(t.Context(), a, now)
		if err != nil {
			t.Fatal(err)
		}
		if len(alerts) == 0 {
			return nil
		}
		return alerts[0].Reason
	}
}

func TestFirstMentionIsToldOnce(t *testing.T) {
	x := &index{mentioned: map[string]bool{"org:old": true}}
	_, tell := conditional(t, news.Rule{First: &news.First{Kinds: []news.Kind{news.Org}}}, x)
	article := func(id string, when time.Time, entities ...string) *news.Article {
		a := at(id, when)
		for _, e := range entities {
			a.Mentions = append(a.Mentions, news.Mention{Entity: e, Kind: news.Org})
		}
		a.Mentions = append(a.Mentions, news.Mention{Entity: "person:new", Kind: news.Person})
		return a
	}
	for _, step := range []struct {
		name    string
		article *news.Article
		want    []string
	}{
		{"in the index", article("a1", noon, "org:old"), nil},
		{"new", article("a2", noon, "org:old", "org:new", "org:newer"), []string{"org:new", "org:newer"}},
		{"once more", article("a2", noon, "org:old", "org:new", "org:newer"), []string{"org:new", "org:newer"}},
		{"known now", article("a3", noon, "org:new"), nil},
		{"years later", article("a4", noon.AddDate(9, 0, 0), "org:new"), nil},
	} {
		var got []string
		if r := tell(step.article, noon); r != nil {
			got = r.Entities
		}
		if d := cmp.Diff(step.want, got); d != "" {
			t.Errorf("%s: want -, got +:\n%s", step.name, d)
		}
	}
}

func TestFirstMentionInALongTime(t *testing.T) {
	_, tell := conditional(t, news.Rule{First: &news.First{Entities: []string{"org:tsmc"}, Window: news.Duration(30 * 24 * time.Hour)}}, nil)
	var got []string
	for i, days := range []int{0, 5, 20, 49, 90, 91} {
		a := at(fmt.Sprint("a", i), noon.AddDate(0, 0, days))
		a.Mentions = []news.Mention{{Entity: "org:tsmc", Kind: news.Org}}
		if tell(a, a.Fetched) != nil {
			got = append(got, a.ID)
		}
	}
	if d := cmp.Diff([]string{"a0", "a4"}, got); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
}

func TestSpikeTakesItsRhythmFromTheIndex(t *testing.T) {
	for _, tc := range []struct {
		name   string
		counts []uint64
		want   bool
	}{{"usually_quiet", []uint64{0, 1}, true}, {"always_busy", []uint64{20}, false}} {
		t.Run(tc.name, func(t *testing.T) {
			_, tell := conditional(t, news.Rule{Spike: &news.Spike{Window: news.Duration(time.Hour)}}, &index{counts: tc.counts})
			got := false
			for i := range 8 {
				got = tell(at(fmt.Sprint(i), noon), noon) != nil || got
			}
			if got != tc.want {
				t.Errorf("got %t, want %t", got, tc.want)
			}
		})
	}
}

func TestIndexThatDoesNotAnswerDelaysTheArticle(t *testing.T) {
	p, _ := conditional(t, news.Rule{First: &news.First{Kinds: []news.Kind{news.Org}}}, &index{err: search.ErrUnavailable})
	a := at("a", noon)
	a.Mentions = []news.Mention{{Entity: "org:x", Kind: news.Org}}
	if _, err := p.match(t.Context(), a, noon); !errors.Is(err, search.ErrUnavailable) {
		t.Errorf("got %v, want %v", err, search.ErrUnavailable)
	}
}

// TestCountsSurviveRestarts stops the percolator at every step and hands it
// each article again and again: what it tells is the same as of one run.
func TestCountsSurviveRestarts(t *testing.T) {
	rule := news.Rule{Threshold: &news.Threshold{Count: 4, Window: news.Duration(time.Hour)}}
	articles := make([]*news.Article, 60)
	for i := range articles {
		articles[i] = at(fmt.Sprint("a", i), noon.Add(time.Duration(i)*7*time.Minute))
	}
	_, tell := conditional(t, rule, nil)
	var want []string
	for _, a := range articles {
		if r := tell(a, a.Published); r != nil {
			want = append(want, a.ID)
		}
	}
	g := rand.New(rand.NewPCG(1, 2))
	p, tell := conditional(t, rule, nil)
	var got []string
	for i := 0; i < len(articles); {
		a := articles[i]
		if r := tell(a, a.Published); r != nil && !slices.Contains(got, a.ID) {
			got = append(got, a.ID)
		}
		// A percolator begins with nothing but what is in KV.
		next, err := New(Options{Bus: p.bus, Evaluator: p.evaluator})
		if err != nil {
			t.Fatal(err)
		}
		next.rules.Store(p.rules.Load())
		*p = Percolator{bus: next.bus, evaluator: next.evaluator, log: next.log}
		p.rules.Store(next.rules.Load())
		if g.IntN(3) > 0 { // else the article comes again
			i++
		}
	}
	if len(want) < 5 {
		t.Fatalf("got %d alerts, want more to compare", len(want))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
}
