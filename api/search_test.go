package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/api/problem"
	"xinwen/indexer/search"
)

func TestSearch(t *testing.T) {
	f := start(t, nil)
	f.index.Add(article("a1", "英伟达 HBM", "正文", "zh", "Hans"), article("a2", "HBM supply", "text", "en", "Latn"), article("a3", "光刻", "正文", "zh", "Hant"))
	var got search.Result
	a := f.get("/v1/search?q=HBM&facets=lang,source&size=1")
	a.json(t, &got)
	if a.status != 200 || got.Total != 2 || len(got.Hits) != 1 || got.NextCursor == "" || len(got.Facets["lang"]) != 2 {
		t.Fatalf("got %s", a.body)
	}
	if !strings.Contains(a.body, `"published":"2025-11-17T00:30:00Z"`) {
		t.Errorf("got %s, want RFC 3339 times", a.body)
	}
	var second search.Result
	f.get("/v1/search?q=HBM&size=1&cursor="+url.QueryEscape(got.NextCursor)).json(t, &second)
	if len(second.Hits) != 1 || second.Hits[0].ID == got.Hits[0].ID || second.NextCursor != "" {
		t.Errorf("got %+v, want the other hit", second)
	}
	for name, tc := range map[string]struct {
		query, body string
		want        int
	}{
		"lang":     {"lang=zh", `{"lang":"zh"}`, 2},
		"langs":    {"lang=en&lang=zh-Hant", `{"lang":["en","zh-Hant"]}`, 2},
		"commas":   {"lang=en,zh-Hant", `{"lang":["en,zh-Hant"]}`, 2},
		"none":     {"source=other", `{"source":["other"]}`, 0},
		"from day": {"from=2025-11-17", `{"from":"2025-11-17"}`, 3},
		"from":     {"from=2025-11-17T01:00:00Z", `{"from":"2025-11-17T01:00:00Z"}`, 0},
		"zone":     {"to=2025-11-16&tz=America/New_York", `{"to":"2025-11-16","tz":"America/New_York"}`, 3},
		"to day":   {"to=2025-11-16", `{"to":"2025-11-16"}`, 0},
		"nothing":  {"", `{}`, 3},
		"count":    {"size=0", `{"size":-1}`, 3},
	} {
		t.Run(name, func(t *testing.T) {
			var get, post search.Result
			f.get("/v1/search?"+tc.query).json(t, &get)
			f.do(http.MethodPost, "/v1/search", tc.body, "Content-Type", "application/json").json(t, &post)
			if int(get.Total) != tc.want || int(post.Total) != tc.want {
				t.Errorf("got %d by GET and %d by POST, want %d", get.Total, post.Total, tc.want)
			}
			if d := cmp.Diff(get.Hits, post.Hits); d != "" {
				t.Errorf("got different hits by GET and POST:\n%s", d)
			}
		})
	}
}

func TestSearchFaultsAreProblems(t *testing.T) {
	f := start(t, nil)
	for name, tc := range map[string]struct {
		query  string
		status int
		column int
		detail string
	}{
		"syntax":      {"q=%E5%8F%B0%E7%A7%AF%E7%94%B5)", 400, 4, ""},
		"zone":        {"tz=Moon", 400, 0, "not an IANA time zone"},
		"from":        {"from=yesterday", 400, 0, "neither a date nor a time"},
		"order":       {"from=2025-11-17&to=2025-11-01", 400, 0, "not after"},
		"cursor":      {"cursor=xx", 400, 0, "cursor"},
		"size":        {"size=101", 422, 0, "size: expected number <= 100"},
		"sort":        {"sort=best", 422, 0, "sort: expected value to be one of"},
		"size letter": {"size=x", 422, 0, "size: invalid integer"},
	} {
		t.Run(name, func(t *testing.T) {
			a := f.get("/v1/search?" + tc.query)
			var p problem.Problem
			a.json(t, &p)
			if a.status != tc.status || p.Status != tc.status || p.Column != tc.column || !strings.Contains(p.Detail, tc.detail) || a.header.Get("Content-Type") != problem.ContentType {
				t.Errorf("got %d %s", a.status, a.body)
			}
		})
	}
	if a := f.do(http.MethodPost, "/v1/search", `{"queri":"x"}`, "Content-Type", "application/json"); a.status != 422 || !strings.Contains(a.body, "queri") {
		t.Errorf("got %+v, want the unknown field named", a)
	}
	f.index.Err = search.ErrUnavailable
	if a := f.get("/v1/search"); a.status != 503 {
		t.Errorf("got %+v, want 503", a)
	}
	f.index.Err = &json.SyntaxError{}
	if a := f.get("/v1/search"); a.status != 500 || strings.Contains(a.body, "json") {
		t.Errorf("got %+v, want a 500 that tells nothing of the inside", a)
	}
}

func TestSearchIsAnswered304UntilTheIndexChanges(t *testing.T) {
	f := start(t, nil)
	f.index.Add(article("a1", "HBM", "text", "en", "Latn"))
	tag := f.get("/v1/search?q=HBM").header.Get("ETag")
	before := f.index.Searches
	if a := f.get("/v1/search?q=HBM", "If-None-Match", tag); a.status != 304 || a.body != "" || a.header.Get("ETag") != tag || f.index.Searches != before {
		t.Errorf("got %+v, want 304 without a search", a)
	}
	f.index.Add(article("a2", "HBM", "text", "en", "Latn"))
	if a := f.get("/v1/search?q=HBM", "If-None-Match", tag); a.status != 200 || a.header.Get("ETag") == tag {
		t.Errorf("got %+v, want a new answer", a)
	}
}

func TestArticle(t *testing.T) {
	f := start(t, nil)
	want := article("a1", "HBM", "text", "en", "Latn")
	f.index.Add(want)
	a := f.get("/v1/articles/a1")
	if a.status != 200 || !strings.Contains(a.body, `"title":"HBM"`) {
		t.Errorf("got %+v", a)
	}
	if a := f.get("/v1/articles/none"); a.status != 404 || a.header.Get("Content-Type") != problem.ContentType {
		t.Errorf("got %+v, want a 404 problem", a)
	}
}

func TestFeedsAreConditional(t *testing.T) {
	f := start(t, nil)
	f.index.Add(article("a1", "HBM <b>", "text", "en", "Latn"), article("a2", "光刻", "正文", "zh", "Hans"))
	for path, want := range map[string]string{
		"/feeds/search.rss?q=HBM": "application/rss+xml", "/feeds/search.atom?q=HBM": "application/atom+xml", "/feeds/search.json?q=HBM": "application/feed+json",
		"/feeds/hbm.rss": "application/rss+xml", "/feeds/hbm.json": "application/feed+json",
	} {
		a := f.get(path)
		if a.status != 200 || !strings.HasPrefix(a.header.Get("Content-Type"), want) || !strings.Contains(a.body, "HBM &lt;b&gt;") && !strings.Contains(a.body, `HBM \u003cb\u003e`) || strings.Contains(a.body, "光刻") {
			t.Errorf("%s: got %d %s %s", path, a.status, a.header, a.body)
		}
		if b := f.get(path, "If-None-Match", a.header.Get("ETag")); b.status != 304 || b.body != "" {
			t.Errorf("%s: got %d, want 304 by ETag", path, b.status)
		}
		if b := f.get(path, "If-Modified-Since", a.header.Get("Last-Modified")); b.status != 304 {
			t.Errorf("%s: got %d, want 304 by date", path, b.status)
		}
		if b := f.get(path, "If-Modified-Since", time.Unix(0, 0).UTC().Format(http.TimeFormat)); b.status != 200 {
			t.Errorf("%s: got %d, want 200", path, b.status)
		}
	}
	for path, want := range map[string]int{"/feeds/none.rss": 404, "/feeds/hbm.opml": 404, "/feeds/hbm": 404, "/feeds/search.rss?q=(": 400} {
		if a := f.get(path); a.status != want {
			t.Errorf("%s: got %d, want %d", path, a.status, want)
		}
	}
}
