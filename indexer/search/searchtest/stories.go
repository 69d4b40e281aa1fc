package searchtest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/indexer/search"
)

// tellsStories holds stories, the filter by story and collapsing to each other.
func tellsStories(t *testing.T, s search.Searcher) {
	teller, ok := s.(search.Storyteller)
	if !ok {
		t.Fatal("it tells no stories")
	}
	all, err := s.Search(t.Context(), search.Request{})
	if err != nil {
		t.Fatal(err)
	}
	stories := make(map[string]int)
	for _, h := range all.Hits {
		stories[h.Story]++
		st, err := teller.Story(t.Context(), h.Story)
		if err != nil {
			t.Fatalf("story %s of %s: %v", h.Story, h.ID, err)
		}
		if !slices.ContainsFunc(st.Articles, func(a search.StoryArticle) bool { return a.ID == h.ID }) || st.Total != len(st.Articles) {
			t.Errorf("story %s: got %+v, want %s in it", h.Story, st, h.ID)
		}
		res, err := s.Search(t.Context(), search.Request{Story: h.Story})
		if err != nil || res.Total != uint64(st.Total) {
			t.Errorf("filter by story %s: got %+v, %v, want %d hits", h.Story, res, err, st.Total)
		}
	}
	var got []string
	count := uint64(0)
	for r := (search.Request{Collapse: true, Size: 2}); ; {
		res, err := s.Search(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if res.Total != all.Total || res.Stories != uint64(len(stories)) {
			t.Errorf("collapsed: got total %d, stories %d, want %d, %d", res.Total, res.Stories, all.Total, len(stories))
		}
		for _, h := range res.Hits {
			got = append(got, h.Story)
			if count++; h.More != nil {
				count += uint64(h.More.Articles)
			}
		}
		if r.Cursor = res.NextCursor; r.Cursor == "" {
			break
		}
	}
	if len(got) != len(stories) || count != all.Total {
		t.Errorf("collapsed: got stories %v standing for %d hits, want %v", got, count, stories)
	}
	for _, h := range all.Hits {
		if got, err := search.StoryOf(t.Context(), s, h.ID, h.Revision); err != nil || got != h.Story {
			t.Errorf("story of %s: got %s, %v, want %s", h.ID, got, err, h.Story)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := search.StoryOf(ctx, s, "nowhere", 1); !errors.Is(err, search.ErrNotFound) {
		t.Errorf("story of an unknown article: got %v, want %v", err, search.ErrNotFound)
	}
	if _, err := teller.Story(t.Context(), "nowhere"); !errors.Is(err, search.ErrNotFound) {
		t.Errorf("unknown story: got %v, want %v", err, search.ErrNotFound)
	}
}

func countsTrends(t *testing.T, s search.Searcher) {
	day := func(d, h int) time.Time { return time.Date(2025, 11, d, h, 0, 0, 0, time.UTC) }
	for _, tt := range []struct {
		name   string
		r      search.TrendRequest
		times  []time.Time
		totals []uint64
		series []search.Series
	}{
		{
			"by_day",
			search.TrendRequest{Request: search.Request{From: day(1, 0), To: day(6, 0)}, Interval: search.IntervalDay, By: search.FacetSource},
			[]time.Time{day(1, 0), day(2, 0), day(3, 0), day(4, 0), day(5, 0)},
			[]uint64{1, 1, 1, 1, 1},
			[]search.Series{
				{Value: "demo-cn", Counts: []uint64{1, 0, 0, 1, 0}, Total: 2, Share: 0.4},
				{Value: "demo-en", Counts: []uint64{0, 0, 1, 0, 1}, Total: 2, Share: 0.4},
				{Value: "demo-tw", Counts: []uint64{0, 1, 0, 0, 0}, Total: 1, Share: 0.2},
			},
		},
		{
			"by_week_of_a_query",
			search.TrendRequest{Request: search.Request{Query: "先进封装", From: day(1, 12), To: day(4, 0)}, Interval: search.IntervalWeek},
			[]time.Time{time.Date(2025, 10, 27, 0, 0, 0, 0, time.UTC), day(3, 0)},
			[]uint64{2, 0},
			[]search.Series{{Counts: []uint64{2, 0}, Total: 2, Share: 1}},
		},
		{
			"entities_of_a_kind_by_hour",
			search.TrendRequest{Request: search.Request{From: day(3, 7), To: day(3, 9), TZ: "Asia/Shanghai"}, Interval: search.IntervalHour, By: search.FacetEntity, Kind: "org", Limit: 1},
			[]time.Time{day(3, 7), day(3, 8)},
			[]uint64{0, 1},
			[]search.Series{{Value: "org:nvidia", Counts: []uint64{0, 1}, Total: 1, Share: 1}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := search.Trend(t.Context(), s, tt.r)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got.Totals, tt.totals); diff != "" {
				t.Errorf("totals: -got +want:\n%s", diff)
			}
			if diff := cmp.Diff(got.Series, tt.series); diff != "" {
				t.Errorf("series: -got +want:\n%s", diff)
			}
			if !slices.EqualFunc(got.Times, tt.times, time.Time.Equal) {
				t.Errorf("times: got %v, want %v", got.Times, tt.times)
			}
		})
	}
	for field, r := range map[string]search.TrendRequest{
		"from":     {Interval: search.IntervalDay},
		"interval": {Request: search.Request{From: day(1, 0), To: day(2, 0)}, Interval: "year"},
		"by":       {Request: search.Request{From: day(1, 0), To: day(2, 0)}, Interval: search.IntervalDay, By: "colour"},
	} {
		var e *search.RequestError
		if _, err := search.Trend(t.Context(), s, r); !errors.As(err, &e) || e.Field != field || e.Hint == "" {
			t.Errorf("got %v, want a RequestError for %q with a hint", err, field)
		}
	}
}

func countsCooccurrences(t *testing.T, s search.Searcher) {
	got, err := search.Cooccur(t.Context(), s, search.CooccurRequest{Of: "org:nvidia"})
	if err != nil {
		t.Fatal(err)
	}
	want := &search.Cooccurrences{
		Articles: 3, All: 5, AppliedSeq: got.AppliedSeq,
		Entities: []search.Cooccurrence{{Entity: "org:tsmc", Count: 3, Share: 1, Lift: 5. / 3}},
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("-got +want:\n%s", diff)
	}
}

func findsSimilar(t *testing.T, s search.Searcher) {
	r, ok := s.(search.Resembler)
	if !ok {
		t.Fatal("it finds nothing similar")
	}
	res, err := r.Similar(t.Context(), search.SimilarRequest{ID: "hans", SameStory: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(res); len(got) == 0 || got[0] != "hant" || slices.Contains(got, "hans") {
		t.Errorf("got %v, want hant first and not the article itself", got)
	}
	if _, err := r.Similar(t.Context(), search.SimilarRequest{ID: "nowhere"}); !errors.Is(err, search.ErrNotFound) {
		t.Errorf("got %v, want %v", err, search.ErrNotFound)
	}
}
