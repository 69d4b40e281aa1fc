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

var noon = time.Date(2025, 11, 17, 12, 0, 0, 0, time.UTC)

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
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
	compiled, err := Compile(r, evaluator(), nil)
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
	a := article("a5", noon, "org:unknown-0123456789ab")
	a.Mentions[0].Surface = "澜溪苇半导体"
	if r := tell(a, noon); r == nil || !cmp.Equal(r.Names, []string{"澜溪苇半导体"}) {
		t.Errorf("got %+v, want what the article calls it", r)
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
