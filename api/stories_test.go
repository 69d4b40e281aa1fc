package api

import (
	"context"
	"slices"
	"testing"

	"xinwen/api/internal/memory"
	"xinwen/indexer/search"
)

// teller is an index that also tells stories and finds what is similar.
type teller struct{ *memory.Index }

func (teller) Story(_ context.Context, id string) (*search.Story, error) {
	if id != "s1" {
		return nil, search.ErrNotFound
	}
	return &search.Story{ID: id, Title: "嘉义地震", Total: 2}, nil
}

func (teller) Similar(_ context.Context, r search.SimilarRequest) (*search.Result, error) {
	return &search.Result{Hits: []search.Hit{{ID: "like-" + r.ID}}}, nil
}

func TestStoriesAndSimilarArticles(t *testing.T) {
	f := start(t, func(o *Options) { o.Searcher = teller{&memory.Index{}} })
	var st search.Story
	f.get("/v1/stories/s1").json(t, &st)
	if st.ID != "s1" || st.Total != 2 {
		t.Errorf("got %+v, want story s1", st)
	}
	if a := f.get("/v1/stories/other"); a.status != 404 {
		t.Errorf("unknown story: got %d, want 404", a.status)
	}
	var res search.Result
	f.get("/v1/articles/a1/similar?size=3").json(t, &res)
	if len(res.Hits) != 1 || res.Hits[0].ID != "like-a1" {
		t.Errorf("got %+v, want like-a1", res)
	}
	if a := start(t, nil).get("/v1/stories/s1"); a.status != 501 {
		t.Errorf("an index without stories: got %d, want 501", a.status)
	}
}

func TestTrendsNameTheirEntities(t *testing.T) {
	f := start(t, nil)
	f.index.Add(article("a1", "英伟达 HBM", "正文", "zh", "Hans"), article("a2", "HBM supply", "text", "en", "Latn"))
	var got struct {
		Totals []uint64
		Series []struct {
			Value, Name string
			Share       float64
		}
	}
	a := f.get("/v1/trends?from=2025-11-10&to=2025-11-20&by=lang")
	a.json(t, &got)
	if len(got.Totals) != 11 || len(got.Series) != 2 || got.Series[0].Share != 0.5 {
		t.Errorf("got %s, want two languages with half each over 11 days", a.body)
	}
	if a := f.get("/v1/trends?from=2025-11-10&to=2025-11-20&interval=year"); a.status != 422 {
		t.Errorf("unknown interval: got %d, want 422", a.status)
	}
	if a := f.get("/v1/cooccur"); a.status != 422 {
		t.Errorf("cooccur without an entity: got %d, want 422", a.status)
	}
}

func TestSuggestTakesPinyin(t *testing.T) {
	f := start(t, nil)
	for _, q := range []string{"taijidian", "tjd", "TaiJi", "台积"} {
		var got struct{ Suggestions []suggestion }
		f.get("/v1/suggest?size=20&q="+q).json(t, &got)
		if !slices.ContainsFunc(got.Suggestions, func(s suggestion) bool { return s.Value == "entity:org:tsmc" }) {
			t.Errorf("%s: got %+v, want TSMC among them", q, got.Suggestions)
		}
	}
}
