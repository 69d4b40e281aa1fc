// Package searchtest holds what every search.Searcher must do, as one test that
// engines and clients run.
package searchtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
)

// Articles are what the Searcher under test must have indexed, written for this
// test. AppliedSeq must be at least their number.
func Articles() []*news.Article {
	day := time.Date(2025, 11, 1, 8, 0, 0, 0, time.UTC)
	list := []*news.Article{
		{
			ID: "hans", Source: "demo-cn", Lang: "zh", Script: news.ScriptHans, Authors: []string{"林一鸣"}, Credit: "演示社",
			Title:    "英伟达追加先进封装订单",
			Text:     "英伟达向台积电追加先进封装订单。产能仍然不足，交货期延长到明年三月。\n分析师认为涨价不可避免。",
			Mentions: []news.Mention{{Start: 0, End: 3, Surface: "英伟达", Kind: news.Org, Entity: "org:nvidia"}, {Start: 12, End: 15, Surface: "英伟达", Kind: news.Org, Entity: "org:nvidia"}, {Start: 16, End: 19, Surface: "台积电", Kind: news.Org, Entity: "org:tsmc"}},
		},
		{
			ID: "hant", Source: "demo-tw", Lang: "zh", Script: news.ScriptHant,
			Title:    "輝達與台積電談先進封裝",
			Text:     "輝達執行長表示，先進封裝的產能將在明年倍增。台積電沒有評論。",
			Mentions: []news.Mention{{Start: 0, End: 2, Surface: "輝達", Kind: news.Org, Entity: "org:nvidia"}, {Start: 3, End: 6, Surface: "台積電", Kind: news.Org, Entity: "org:tsmc"}},
		},
		{
			ID: "en", Source: "demo-en", Lang: "en", Script: news.ScriptLatn,
			Title:    "NVIDIA books more advanced packaging",
			Text:     "NVIDIA has booked more advanced packaging at TSMC. Prices are expected to rise next year. Memory makers follow.",
			Mentions: []news.Mention{{Start: 0, End: 6, Surface: "NVIDIA", Kind: news.Org, Entity: "org:nvidia"}, {Start: 82, End: 86, Surface: "TSMC", Kind: news.Org, Entity: "org:tsmc"}},
		},
		{
			ID: "memory", Source: "demo-cn", Lang: "zh", Script: news.ScriptHans,
			Title: "存储芯片价格连涨三个月",
			Text:  "存储芯片价格已经连涨三个月。模组厂表示库存见底，客户开始签长约。",
		},
		{
			ID: "plain", Source: "demo-en", Lang: "en", Script: news.ScriptLatn,
			Title: "A new wafer fab opens",
			Text:  "The fab makes power chips on 200 mm wafers.",
		},
	}
	for i, a := range list {
		a.Version, a.Revision = news.Version, int64(1000+i)
		a.URL = fmt.Sprintf("https://news.example/%s", a.ID)
		a.Published = day.AddDate(0, 0, i)
		a.Fetched = a.Published.Add(5 * time.Minute)
		a.Extracted = a.Fetched
	}
	return list
}

// Run tests s, which has Articles and nothing else.
func Run(t *testing.T, s search.Searcher) {
	t.Run("finds", func(t *testing.T) { finds(t, s) })
	t.Run("sorts_and_pages", func(t *testing.T) { sortsAndPages(t, s) })
	t.Run("counts_facets", func(t *testing.T) { countsFacets(t, s) })
	t.Run("counts_by_time", func(t *testing.T) { countsByTime(t, s) })
	t.Run("tells_stories", func(t *testing.T) { tellsStories(t, s) })
	t.Run("counts_trends", func(t *testing.T) { countsTrends(t, s) })
	t.Run("counts_cooccurrences", func(t *testing.T) { countsCooccurrences(t, s) })
	t.Run("finds_similar", func(t *testing.T) { findsSimilar(t, s) })
	t.Run("relaxes", func(t *testing.T) { relaxes(t, s) })
	t.Run("shows_hits", func(t *testing.T) { showsHits(t, s) })
	t.Run("says_why", func(t *testing.T) { saysWhy(t, s) })
	t.Run("explains", func(t *testing.T) { explains(t, s) })
	t.Run("says_what_is_wrong", func(t *testing.T) { saysWhatIsWrong(t, s) })
	t.Run("returns_articles", func(t *testing.T) { returnsArticles(t, s) })
	t.Run("tells_its_status", func(t *testing.T) { tellsStatus(t, s) })
}

func ids(r *search.Result) []string {
	list := make([]string, 0, len(r.Hits))
	for _, h := range r.Hits {
		list = append(list, h.ID)
	}
	return list
}

func finds(t *testing.T, s search.Searcher) {
	day := func(d int) time.Time { return time.Date(2025, 11, d, 0, 0, 0, 0, time.UTC) }
	tests := []struct {
		name string
		r    search.Request
		want []string // sorted
	}{
		{"everything", search.Request{}, []string{"en", "hans", "hant", "memory", "plain"}},
		{"a_word", search.Request{Query: "库存"}, []string{"memory"}},
		{"simplified_finds_traditional", search.Request{Query: "先进封装"}, []string{"hans", "hant"}},
		{"traditional_finds_simplified", search.Request{Query: "先進封裝"}, []string{"hans", "hant"}},
		{"full_width_and_case", search.Request{Query: "ＭＥＭＯＲＹ"}, []string{"en"}},
		{"phrase", search.Request{Query: `"advanced packaging"`}, []string{"en"}},
		{"phrase_not_there", search.Request{Query: `"packaging advanced"`}, nil},
		{"or", search.Request{Query: "库存 OR fab"}, []string{"memory", "plain"}},
		{"and_not", search.Request{Query: "先进封装 NOT 涨价"}, []string{"hant"}},
		{"not_alone", search.Request{Query: "-先进封装"}, []string{"en", "memory", "plain"}},
		{"title_only", search.Request{Query: "title:订单"}, []string{"hans"}},
		{"title_only_misses_text", search.Request{Query: "title:分析师"}, nil},
		{"near", search.Request{Query: "产能 NEAR/4 不足"}, []string{"hans"}},
		{"near_too_far", search.Request{Query: "产能 NEAR/1 涨价"}, nil},
		{"prefix", search.Request{Query: "wafe*"}, []string{"plain"}},
		{"entity_by_id", search.Request{Query: "entity:org:nvidia"}, []string{"en", "hans", "hant"}},
		{"entity_filter", search.Request{Entity: []string{"org:tsmc"}}, []string{"en", "hans", "hant"}},
		{"source_filter", search.Request{Source: []string{"demo-cn"}}, []string{"hans", "memory"}},
		{"two_sources", search.Request{Source: []string{"demo-cn", "demo-tw"}}, []string{"hans", "hant", "memory"}},
		{"lang_filter", search.Request{Lang: []string{"zh-Hant"}}, []string{"hant"}},
		{"lang_and_query", search.Request{Query: "lang:zh 台积电"}, []string{"hans", "hant"}},
		{"author", search.Request{Query: "author:林一鸣"}, []string{"hans"}},
		{"credit", search.Request{Query: "credit:演示社"}, []string{"hans"}},
		{"from_to", search.Request{From: day(2), To: day(4)}, []string{"hant", "en"}},
		{"published", search.Request{Query: "published:2025-11-02..2025-11-03"}, []string{"en", "hant"}},
		{"published_in_zone", search.Request{Query: "published:2025-11-01", TZ: "Pacific/Pago_Pago"}, []string{"hant"}},
		{"plain_has_no_operators", search.Request{Query: "库存 OR", Syntax: search.SyntaxPlain, Match: search.MatchAll}, nil},
		{"by_id", search.Request{Query: "id:plain"}, []string{"plain"}},
		{"by_url", search.Request{Query: `url:"https://news.example/en"`}, []string{"en"}},
		{"other_side_of_the_strait", search.Request{Query: "晶片價格"}, []string{"memory"}},
		{"other_side_in_a_phrase", search.Request{Query: `"晶片價格"`}, []string{"memory"}},
		{"other_side_in_near", search.Request{Query: "晶片 NEAR/3 連漲"}, []string{"memory"}},
		{"no_synonyms", search.Request{Query: "晶片價格", NoSynonyms: true, Match: search.MatchAll}, nil},
		{"no_names", search.Request{Query: "辉达", NoNames: true}, []string{"hant"}},
		{"nothing", search.Request{Query: "qqqq"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			res, err := s.Search(t.Context(), tt.r)
			if err != nil {
				t.Fatalf("Search: %v", err)
			}
			got := ids(res)
			slices.Sort(got)
			want := slices.Clone(tt.want)
			slices.Sort(want)
			if !slices.Equal(got, want) || res.Total != uint64(len(want)) {
				t.Errorf("got %v (total %d), want %v", got, res.Total, want)
			}
		})
	}
}

func sortsAndPages(t *testing.T, s search.Searcher) {
	for _, tt := range []struct {
		sort string
		want []string
	}{
		{search.SortNewest, []string{"plain", "memory", "en", "hant", "hans"}},
		{search.SortOldest, []string{"hans", "hant", "en", "memory", "plain"}},
	} {
		t.Run(tt.sort, func(t *testing.T) {
			var got []string
			r := search.Request{Sort: tt.sort, Size: 2}
			for range 4 {
				res, err := s.Search(t.Context(), r)
				if err != nil {
					t.Fatalf("Search: %v", err)
				}
				if res.Total != 5 {
					t.Errorf("total: got %d, want 5", res.Total)
				}
				got = append(got, ids(res)...)
				if r.Cursor = res.NextCursor; r.Cursor == "" {
					break
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
	t.Run("relevance", func(t *testing.T) {
		r := search.Request{Query: "先进封装 OR packaging OR 存储芯片 OR fab", Size: 2}
		var got []string
		last := 0.0
		for page := range 4 {
			res, err := s.Search(t.Context(), r)
			if err != nil {
				t.Fatalf("Search: %v", err)
			}
			for _, h := range res.Hits {
				if len(got) > 0 && h.Score > last {
					t.Errorf("page %d: score %v after %v", page, h.Score, last)
				}
				last = h.Score
				got = append(got, h.ID)
			}
			if r.Cursor = res.NextCursor; r.Cursor == "" {
				break
			}
		}
		slices.Sort(got)
		if want := []string{"en", "hans", "hant", "memory", "plain"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want each of %v once", got, want)
		}
	})
	t.Run("new_ones_preferred", func(t *testing.T) {
		r := search.Request{Query: "先进封装 OR packaging OR 存储芯片 OR fab", Size: 2, HalfLife: news.Duration(time.Hour)}
		var got []string
		for range 4 {
			res, err := s.Search(t.Context(), r)
			if err != nil {
				t.Fatalf("Search: %v", err)
			}
			got = append(got, ids(res)...)
			if r.Cursor = res.NextCursor; r.Cursor == "" {
				break
			}
		}
		// A day apart, a score would have to be 2^24 times as high to matter.
		if want := []string{"plain", "memory", "en", "hant", "hans"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	t.Run("no_hits_wanted", func(t *testing.T) {
		res, err := s.Search(t.Context(), search.Request{Size: -1})
		if err != nil || res.Total != 5 || len(res.Hits) != 0 || res.NextCursor != "" {
			t.Errorf("got %+v, %v, want a total of 5 without hits", res, err)
		}
	})
}

func countsFacets(t *testing.T, s search.Searcher) {
	res, err := s.Search(t.Context(), search.Request{Facets: []string{"source", "lang", "script", "entity"}, Size: -1})
	if err != nil {
		t.Fatalf("Search: %v", err)
	}
	for _, list := range res.Facets {
		for i := range list {
			list[i].Name = "" // depends on the lexicon
		}
	}
	want := map[string][]search.FacetValue{
		"source": {{Value: "demo-cn", Count: 2}, {Value: "demo-en", Count: 2}, {Value: "demo-tw", Count: 1}},
		"lang":   {{Value: "zh", Count: 3}, {Value: "en", Count: 2}},
		"script": {{Value: "Hans", Count: 2}, {Value: "Latn", Count: 2}, {Value: "Hant", Count: 1}},
		"entity": {{Value: "org:nvidia", Count: 3}, {Value: "org:tsmc", Count: 3}},
	}
	if diff := cmp.Diff(res.Facets, want); diff != "" {
		t.Errorf("facets differ (-got +want):\n%s", diff)
	}
}

func countsByTime(t *testing.T, s search.Searcher) {
	counter, ok := s.(search.Counter)
	if !ok {
		t.Skip("this searcher does not count")
	}
	day := func(d int) time.Time { return time.Date(2025, 11, d, 0, 0, 0, 0, time.UTC) }
	days := []time.Time{day(1), day(2), day(4), day(5)}
	tests := []struct {
		name string
		r    search.CountRequest
		want []search.CountGroup
	}{
		{"all", search.CountRequest{Edges: days}, []search.CountGroup{{Counts: []uint64{1, 2, 1}, Total: 4}}},
		{"from_the_beginning", search.CountRequest{Edges: []time.Time{{}, day(3)}}, []search.CountGroup{{Counts: []uint64{2}, Total: 2}}},
		{"an_edge_belongs_to_what_follows", search.CountRequest{Edges: []time.Time{day(1), day(1).Add(8 * time.Hour), day(2)}}, []search.CountGroup{{Counts: []uint64{0, 1}, Total: 1}}},
		{"of_a_query", search.CountRequest{Request: search.Request{Query: "先进封装"}, Edges: days}, []search.CountGroup{{Counts: []uint64{1, 1, 0}, Total: 2}}},
		{"never_relaxed", search.CountRequest{Request: search.Request{Query: "库存 qqqq"}, Edges: days}, []search.CountGroup{}},
		{"by_source", search.CountRequest{Edges: days, By: []string{"source"}}, []search.CountGroup{
			{Labels: map[string]string{"source": "demo-cn"}, Counts: []uint64{1, 0, 1}, Total: 2},
			{Labels: map[string]string{"source": "demo-en"}, Counts: []uint64{0, 1, 0}, Total: 1},
			{Labels: map[string]string{"source": "demo-tw"}, Counts: []uint64{0, 1, 0}, Total: 1},
		}},
		{"by_entity_and_lang", search.CountRequest{Edges: days, By: []string{"entity", "lang"}}, []search.CountGroup{
			{Labels: map[string]string{"entity": "org:nvidia", "lang": "zh"}, Counts: []uint64{1, 1, 0}, Total: 2},
			{Labels: map[string]string{"entity": "org:tsmc", "lang": "zh"}, Counts: []uint64{1, 1, 0}, Total: 2},
			{Labels: map[string]string{"entity": "org:nvidia", "lang": "en"}, Counts: []uint64{0, 1, 0}, Total: 1},
			{Labels: map[string]string{"entity": "org:tsmc", "lang": "en"}, Counts: []uint64{0, 1, 0}, Total: 1},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := counter.Count(t.Context(), tt.r)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got.Groups, tt.want); diff != "" || got.Truncated || got.AppliedSeq < 5 {
				t.Errorf("counts %+v differ (-got +want):\n%s", got, diff)
			}
		})
	}
	t.Run("limit", func(t *testing.T) {
		got, err := counter.Count(t.Context(), search.CountRequest{Edges: days, By: []string{"source"}, Limit: 1})
		if err != nil || len(got.Groups) != 1 || !got.Truncated {
			t.Errorf("got %+v, %v, want one group of more", got, err)
		}
	})
	for field, r := range map[string]search.CountRequest{
		"edges": {Edges: []time.Time{day(2), day(1)}},
		"by":    {Edges: days, By: []string{"colour"}},
		"limit": {Edges: days, Limit: -1},
	} {
		_, err := counter.Count(t.Context(), r)
		var e *search.RequestError
		if !errors.As(err, &e) || e.Field != field || e.Hint == "" {
			t.Errorf("got %v, want a RequestError for %q with a hint", err, field)
		}
	}
}

func relaxes(t *testing.T, s search.Searcher) {
	const words = "库存 见底 qqqq"
	tests := []struct {
		match   string
		total   uint64
		used    string
		relaxed bool
	}{
		{search.MatchAuto, 1, search.MatchAny, true},
		{search.MatchAll, 0, search.MatchAll, false},
		{search.MatchAny, 1, search.MatchAny, false},
	}
	for _, tt := range tests {
		t.Run(tt.match, func(t *testing.T) {
			res, err := s.Search(t.Context(), search.Request{Query: words, Match: tt.match})
			if err != nil {
				t.Fatalf("Search: %v", err)
			}
			if res.Total != tt.total || res.Match != tt.used || res.Relaxed != tt.relaxed {
				t.Errorf("got total %d, match %q, relaxed %t, want %d, %q, %t", res.Total, res.Match, res.Relaxed, tt.total, tt.used, tt.relaxed)
			}
		})
	}
	t.Run("filters_stay", func(t *testing.T) {
		res, err := s.Search(t.Context(), search.Request{Query: "库存 qqqq", Source: []string{"demo-tw"}})
		if err != nil || res.Total != 0 || res.Relaxed {
			t.Errorf("got %+v, %v, want nothing", res, err)
		}
	})
}

func showsHits(t *testing.T, s search.Searcher) {
	res, err := s.Search(t.Context(), search.Request{Query: "先进封装 lang:zh-Hant"})
	if err != nil || len(res.Hits) != 1 {
		t.Fatalf("got %+v, %v, want one hit", res, err)
	}
	h := res.Hits[0]
	if h.Indexed.IsZero() || h.Score <= 0 {
		t.Errorf("got indexed %v and score %v, want both set", h.Indexed, h.Score)
	}
	h.Indexed, h.Score = time.Time{}, 0
	a := Articles()[1]
	want := search.Hit{
		ID: "hant", URL: a.URL, Title: a.Title, Snippet: a.Text,
		Highlights: []search.Highlight{
			{Field: search.FieldTitle, Text: "先進封裝", Start: 7, End: 11, Reason: search.ReasonTerm},
			{Field: search.FieldSnippet, Text: "先進封裝", Start: 8, End: 12, Reason: search.ReasonTerm},
		},
		Source: "demo-tw", Lang: "zh", Script: "Hant",
		Published: a.Published, Fetched: a.Fetched, Revision: a.Revision,
		Entities: []string{"org:nvidia", "org:tsmc"}, Story: "hans",
	}
	if diff := cmp.Diff(h, want); diff != "" {
		t.Errorf("hit differs (-got +want):\n%s", diff)
	}
}

func saysWhy(t *testing.T, s search.Searcher) {
	for _, tt := range []struct{ query, text, want string }{
		{"库存", "库存", search.ReasonTerm},
		{"晶片", "芯片", search.ReasonSynonym + " 芯片"},
		{"entity:org:nvidia lang:zh-Hant", "輝達", search.ReasonEntity + " "},
	} {
		res, err := s.Search(t.Context(), search.Request{Query: tt.query})
		if err != nil || len(res.Hits) == 0 || len(res.Hits[0].Highlights) == 0 {
			t.Fatalf("%s: got %+v, %v, want highlights", tt.query, res, err)
		}
		if h := res.Hits[0].Highlights[0]; h.Text != tt.text || !strings.HasPrefix(h.Reason, tt.want) {
			t.Errorf("%s: got %+v, want %s for reason %q", tt.query, h, tt.text, tt.want)
		}
	}
}

func explains(t *testing.T, s search.Searcher) {
	res, err := s.Search(t.Context(), search.Request{Query: "advanced packaging OR wafer", Explain: true})
	if err != nil || len(res.Hits) != 2 {
		t.Fatalf("got %+v, %v, want two hits", res, err)
	}
	for _, h := range res.Hits {
		if h.Explanation == nil || h.Explanation.Value != h.Score || len(h.Explanation.Parts) == 0 {
			t.Errorf("%s: explanation %+v does not explain the score %v", h.ID, h.Explanation, h.Score)
		}
	}
}

func saysWhatIsWrong(t *testing.T, s search.Searcher) {
	t.Run("syntax", func(t *testing.T) {
		_, err := s.Search(t.Context(), search.Request{Query: "台积电 AND ("})
		var syntax *query.SyntaxError
		if !errors.As(err, &syntax) || syntax.Column == 0 || syntax.Message == "" || syntax.Hint == "" {
			t.Errorf("got %v, want a syntax error with column and hint", err)
		}
	})
	for field, r := range map[string]search.Request{
		"sort":   {Sort: "best"},
		"match":  {Match: "some"},
		"syntax": {Syntax: "sql"},
		"size":   {Size: 100_000},
		"facets": {Facets: []string{"colour"}},
		"lang":   {Lang: []string{"xx"}},
		"entity": {Entity: []string{"no such entity at all"}},
		"cursor": {Cursor: "bogus"},
		"tz":     {TZ: "Mars/Olympus"},
		"to":     {From: time.Unix(10, 0), To: time.Unix(5, 0)},
	} {
		t.Run(field, func(t *testing.T) {
			_, err := s.Search(t.Context(), r)
			var e *search.RequestError
			if !errors.As(err, &e) || e.Field != field || e.Message == "" || e.Hint == "" {
				t.Errorf("got %v, want a RequestError for %q with a hint", err, field)
			}
		})
	}
	t.Run("cursor_of_another_query", func(t *testing.T) {
		res, err := s.Search(t.Context(), search.Request{Size: 1})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Search(t.Context(), search.Request{Query: "库存", Size: 1, Cursor: res.NextCursor})
		var e *search.RequestError
		if !errors.As(err, &e) || e.Field != "cursor" {
			t.Errorf("got %v, want a RequestError for cursor", err)
		}
	})
}

func returnsArticles(t *testing.T, s search.Searcher) {
	for _, want := range Articles() {
		got, err := s.Article(t.Context(), want.ID)
		if err != nil {
			t.Fatalf("Article(%s): %v", want.ID, err)
		}
		if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("article %s differs (-got +want):\n%s", want.ID, diff)
		}
	}
	if _, err := s.Article(t.Context(), "no such"); !errors.Is(err, search.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
}

func tellsStatus(t *testing.T, s search.Searcher) {
	st, err := s.Status(t.Context())
	if err != nil || st.Docs != 5 || st.AppliedSeq < 5 {
		t.Errorf("got %+v, %v, want 5 articles and at least as many messages", st, err)
	}
}
