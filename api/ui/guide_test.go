package ui

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/api/internal/memory"
	"xinwen/indexer/query"
)

func TestGuideIsThatOfTheDocs(t *testing.T) {
	for _, name := range guideNames {
		want, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := guides.ReadFile("guide/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("guide/%s is not docs/%s: go generate ./ui", name, name)
		}
	}
}

func TestGuideIsShownInTheReadersLanguage(t *testing.T) {
	h := newUI(t, &memory.Index{})
	for accept, want := range map[string]string{"en": "<h1>User guide</h1>", "zh-CN": "<h1>使用指南</h1>", "zh-TW": "輸入時會補全實體"} {
		body := get(t, h, "/guide", "Accept-Language", accept).Body.String()
		if !strings.Contains(body, want) || strings.Contains(body, "](") || strings.Contains(body, "|---") {
			t.Errorf("%s: got a page without %s, or with signs of Markdown", accept, want)
		}
		inert(t, body)
	}
}

func TestQueriesOfTheGuideAreQueries(t *testing.T) {
	for _, name := range guideNames {
		text, err := guides.ReadFile("guide/" + name)
		if err != nil {
			t.Fatal(err)
		}
		queries := 0
		for _, b := range blocks(string(text)) {
			if len(b.Header) == 0 || queries > 0 {
				continue // the first table is that of queries
			}
			for _, row := range b.Rows {
				for _, i := range row[0] {
					if !i.Code {
						continue
					}
					queries++
					if _, err := query.Parse(i.Text); err != nil {
						t.Errorf("%s: %s: %v", name, i.Text, err)
					}
				}
			}
		}
		if queries < 10 {
			t.Errorf("%s: got %d queries, want those of the table", name, queries)
		}
	}
}

// The guide has the same parts in each language.
func TestGuidesAreAlike(t *testing.T) {
	type shape struct {
		Level, Items, Rows int
		Code               bool
	}
	var want []shape
	for _, name := range guideNames {
		text, err := guides.ReadFile("guide/" + name)
		if err != nil {
			t.Fatal(err)
		}
		var got []shape
		for _, b := range blocks(string(text)) {
			if s := (shape{b.Level, len(b.Items), len(b.Rows), b.Code != ""}); s != (shape{}) {
				got = append(got, s)
			}
		}
		if want == nil {
			want = got
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s is not as %s (-want +got):\n%s", name, guideNames[0], d)
		}
	}
}

func TestInline(t *testing.T) {
	got := inline("[中文](guide.zh-CN.md)see `a*` and [here](/x) or [there](docs.md), not [this or ]that `open")
	want := []Inline{
		{Text: "see "},
		{Text: "a*", Code: true},
		{Text: " and "},
		{Text: "here", URL: "/x"},
		{Text: " or "},
		{Text: "there"},
		{Text: ", not ["},
		{Text: "this or ]that `open"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
