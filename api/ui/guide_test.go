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
	for _, name := range []string{"guide.md", "guide.zh-CN.md"} {
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
	for accept, want := range map[string]string{"en": "<h1>User guide</h1>", "zh-CN": "<h1>使用指南</h1>", "zh-TW": "<h1>使用指南</h1>"} {
		body := get(t, h, "/guide", "Accept-Language", accept).Body.String()
		if !strings.Contains(body, want) || strings.Contains(body, "](") || strings.Contains(body, "|---") {
			t.Errorf("%s: got a page without %s, or with signs of Markdown", accept, want)
		}
		inert(t, body)
	}
}

func TestQueriesOfTheGuideAreQueries(t *testing.T) {
	text, err := guides.ReadFile("guide/guide.zh-CN.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks(string(text)) {
		if len(b.Header) == 0 || b.Header[0][0].Text != "写法" {
			continue
		}
		for _, row := range b.Rows {
			for _, i := range row[0] {
				if _, err := query.Parse(i.Text); i.Code && err != nil {
					t.Errorf("%s: %v", i.Text, err)
				}
			}
		}
		return
	}
	t.Error("got no table of queries")
}

func TestInline(t *testing.T) {
	got := inline("see `a*` and [here](/x) or [there](docs.md), not [this or ]that `open")
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
