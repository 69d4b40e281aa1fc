package news_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"xinwen/news"
)

var fetched = time.Date(2026, 1, 2, 3, 4, 5, 678_000_000, time.UTC)

func fullPage() *news.Page {
	return &news.Page{
		Version: news.Version, ID: "p1", URL: "https://chips.example/1", RequestURL: "https://chips.example/?id=1",
		Source: "chips", Status: 200, ContentType: "text/html; charset=gb2312", Fetched: fetched, TimeZone: "Asia/Shanghai",
		Entry: &news.FeedEntry{Title: "存储芯片", Summary: "<p>涨价</p>", Authors: []string{"甲"}, Published: fetched, Updated: fetched},
		Fast:  true,
		// Bytes as received: not UTF-8, with newlines and zeros.
		Body: []byte("<p>\xd0\xbe\xc6\xac\n\x00</p>\n"),
	}
}

func fullArticle() *news.Article {
	return &news.Article{
		Version: news.Version, ID: "a1", Revision: 1767323045678, Deleted: true, URL: "https://chips.example/1",
		Source: "chips", Publisher: "芯片报", Title: "台积电扩产", Summary: "扩产", Text: "台积电宣布扩产。\n详情见此。",
		Lang: "zh", Script: news.ScriptHans, Charset: "gb18030",
		Authors: []string{"甲", "乙"}, Editor: "丙", Reporter: "丁", Credit: "某报",
		Published: fetched, PublishedConfidence: 0.9, Modified: fetched, Fetched: fetched, Extracted: fetched,
		Mentions: []news.Mention{
			{Start: 0, End: 3, Surface: "台积电", Kind: news.Org, Entity: "org:tsmc", Name: "TSMC", Score: 1},
			{Start: 6, End: 9, Surface: "台积电", Kind: news.Org, Entity: "org:tsmc", Name: "TSMC", Value: "x", Score: 0.5},
			{Start: 9, End: 10, Surface: "宣", Kind: news.Person, Score: 0.1},
		},
		Links:    []news.Link{{Start: 12, End: 13, Text: "此", URL: "https://chips.example/2"}},
		Warnings: []string{"date-guessed: the date comes from the URL"},
	}
}

func fullAlert() *news.Alert {
	return &news.Alert{
		Version: news.Version, ID: news.AlertID("tsmc", "a1", 7), Rule: "tsmc", RuleName: "TSMC", Query: "台积电",
		Revision: 7, Article: *fullArticle(), Matched: fetched,
		Matches: []news.Span{{Start: 0, End: 3, Text: "台积电", Clause: "台积电"}},
	}
}

func TestPageRoundTrip(t *testing.T) {
	for _, c := range []struct {
		name string
		page *news.Page
	}{
		{"Full", fullPage()},
		{"Zero", &news.Page{Body: []byte{}}},
		{"BodyLooksLikeAHead", &news.Page{ID: "x", Body: []byte("{}\n{}")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			data, err := news.AppendPage([]byte("before"), c.page)
			if err != nil {
				t.Fatal(err)
			}
			data, ok := bytes.CutPrefix(data, []byte("before"))
			if !ok {
				t.Fatal("AppendPage does not append")
			}
			got, err := news.ParsePage(data)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.page, got); d != "" {
				t.Errorf("page (-want +got):\n%s", d)
			}
		})
	}
}

func TestArticleRoundTrip(t *testing.T) {
	for _, want := range []*news.Article{fullArticle(), {}} {
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := news.ParseArticle(data)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("article (-want +got):\n%s", d)
		}
	}
}

func TestAlertRoundTrip(t *testing.T) {
	for _, want := range []*news.Alert{fullAlert(), {}} {
		data, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := news.ParseAlert(data)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("alert (-want +got):\n%s", d)
		}
	}
}

// parsers are the three readers, on JSON alone.
var parsers = map[string]func([]byte) error{
	"Page":    func(b []byte) error { _, err := news.ParsePage(append(b, '\n')); return err },
	"Article": func(b []byte) error { _, err := news.ParseArticle(b); return err },
	"Alert":   func(b []byte) error { _, err := news.ParseAlert(b); return err },
}

func TestVersions(t *testing.T) {
	for name, parse := range parsers {
		t.Run(name, func(t *testing.T) {
			for _, c := range []struct {
				name, data string
				want       error
			}{
				{"Older", `{"id":"x"}`, nil},
				{"Same", `{"v":1}`, nil},
				{"UnknownField", `{"v":1,"from_the_future":{"a":[1]}}`, nil},
				{"Newer", `{"v":2,"id":"x"}`, news.ErrVersion},
			} {
				if err := parse([]byte(c.data)); !errors.Is(err, c.want) {
					t.Errorf("%s: got %v, want %v", c.name, err, c.want)
				}
			}
			for _, bad := range []string{"", "null and void", `{"v":"1"}`, `[]`, `{"v":1`} {
				if err := parse([]byte(bad)); err == nil || !strings.HasPrefix(err.Error(), strings.ToLower(name)) {
					t.Errorf("%q: got %v, want an error that begins with the form's name", bad, err)
				}
			}
		})
	}
	if _, err := news.ParsePage([]byte(`{"v":1}`)); err == nil {
		t.Error("a page without the newline after its head was read")
	}
}

// The names are a contract with other programs.
func TestJSONNames(t *testing.T) {
	data, err := json.Marshal(fullAlert())
	if err != nil {
		t.Fatal(err)
	}
	var alert map[string]any
	if err := json.Unmarshal(data, &alert); err != nil {
		t.Fatal(err)
	}
	article, ok := alert["article"].(map[string]any)
	if !ok {
		t.Fatalf("got article %v", alert["article"])
	}
	for _, c := range []struct {
		form map[string]any
		want string
	}{
		{alert, "article id matched matches query revision rule rule_name v"},
		{article, "authors charset credit deleted editor extracted fetched id lang links mentions modified published " +
			"published_confidence publisher reporter revision script source summary text title url v warnings"},
	} {
		want := strings.Fields(c.want)
		got := make([]string, 0, len(c.form))
		for k := range c.form {
			got = append(got, k)
		}
		if d := cmp.Diff(want, got, cmpopts.SortSlices(strings.Compare)); d != "" {
			t.Errorf("names (-want +got):\n%s", d)
		}
	}
}

func TestAlertID(t *testing.T) {
	id := news.AlertID("r", "a", 1)
	if got := news.AlertID("r", "a", 1); got != id {
		t.Errorf("got %s, want the same ID %s again", got, id)
	}
	for _, other := range []string{news.AlertID("r", "a", 2), news.AlertID("r", "b", 1), news.AlertID("ra", "", 1)} {
		if other == id {
			t.Errorf("different matches share ID %s", id)
		}
	}
	if len(id) != 24 || strings.ToLower(id) != id {
		t.Errorf("got %q, want 24 lower-case characters", id)
	}
}

func TestArticleHelpers(t *testing.T) {
	a := fullArticle()
	if got, want := a.Content(), "台积电扩产\n台积电宣布扩产。\n详情见此。"; got != want {
		t.Errorf("got content %q, want %q", got, want)
	}
	for _, m := range a.Mentions[:2] {
		if got := string([]rune(a.Content())[m.Start:m.End]); got != m.Surface {
			t.Errorf("got %q at the mention of %q", got, m.Surface)
		}
	}
	if got, want := a.Entities(), []string{"org:tsmc"}; !cmp.Equal(got, want) {
		t.Errorf("got entities %v, want %v", got, want)
	}
	if got := a.Time(); !got.Equal(a.Published) {
		t.Errorf("got time %s, want when it was published", got)
	}
	a.Published, a.Fetched = time.Time{}, fetched.Add(time.Hour)
	if got := a.Time(); !got.Equal(a.Fetched) {
		t.Errorf("got time %s, want when it was fetched", got)
	}
}

// FuzzParsePage holds that what was read can be written and read again.
func FuzzParsePage(f *testing.F) {
	for _, p := range []*news.Page{fullPage(), {}} {
		data, err := news.AppendPage(nil, p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("{\"v\":9}\n"))
	f.Add([]byte("{\"fetched\":\"2026-01-02T03:04:05+08:00\",\"entry\":{}}\nbody"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := news.ParsePage(data)
		if err != nil {
			return
		}
		again, err := news.AppendPage(nil, p)
		if err != nil {
			t.Fatal(err)
		}
		got, err := news.ParsePage(again)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(p, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("page (-want +got):\n%s", d)
		}
	})
}
