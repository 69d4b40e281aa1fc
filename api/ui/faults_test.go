package ui

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"xinwen/api/internal/memory"
	"xinwen/api/rules"
	"xinwen/indexer/query"
	"xinwen/news"
)

// faulty are queries with each fault there can be.
var faulty = []string{
	"台积电 AND (涨价", "台积电)", "AND a", "a AND", "*a", `""`, `"a`, "a*b*", "titel:x", "colour:x", "NEAR/999 x", "a NEAR b NEAR c", "a NEAR lang:zh",
	"title:a NEAR text:b", "title:(lang:zh)", "entity:", "title:*", "lang:xx", "kind:x", "published:x", "published:..", "published:=>2025", "published:2025-12-01..2025-11-01",
	"source:a*", "!!", "()", "\xff", strings.Repeat("a", query.MaxBytes+1), strings.Repeat("(", query.MaxDepth+2) + "a", strings.Repeat("a ", query.MaxLeaves+1),
}

func TestFaultsOfQueriesAreTranslated(t *testing.T) {
	for _, q := range faulty {
		_, err := query.Parse(q)
		var syntax *query.SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%.40q: got %v, want a fault to translate", q, err)
			continue
		}
		for _, lang := range []int{hans, hant} {
			for _, said := range []string{syntax.Message, syntax.Hint} {
				if got := translated(lang, said); said != "" && !strings.ContainsFunc(got, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
					t.Errorf("%.40q: got %q in %s", q, got, tags[lang])
				}
			}
		}
	}
	for _, r := range []news.Rule{{ID: "x"}, {ID: "x", Query: "*:*"}, {ID: "x", Query: "NOT a"}, {ID: "x", Query: "a", Threshold: &news.Threshold{}}, {ID: "x", Query: "a", Channels: []news.Channel{{Kind: "email", To: []string{"x"}}}}} {
		for _, f := range rules.Check(&r, query.Parse) {
			if got := translated(hans, f.Message); !strings.ContainsFunc(got, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
				t.Errorf("%+v: got %q", r, got)
			}
		}
	}
}

func TestFaultyQueryOffersItsWords(t *testing.T) {
	for q, want := range map[string]string{
		"台积电 AND (涨价": "台积电 AND 涨价", "台积电 AND": "台积电", `"advanced packaging`: "advanced packaging", "titel:HBM": "titel HBM", "()": "", "AND": "",
	} {
		if got := mended(q); got != want {
			t.Errorf("%s: got %q, want %q", q, got, want)
		}
	}
	for _, q := range faulty {
		if m := mended(q); m != "" {
			if _, err := query.Parse(m); err != nil {
				t.Errorf("%.40q: got %.40q, which is faulty too: %v", q, m, err)
			}
		}
	}
	body := get(t, newUI(t, &memory.Index{}), "/?q="+url.QueryEscape("台积电 AND (涨价"), "Accept-Language", "zh-CN").Body.String()
	for _, want := range []string{"第 9 个字符：这个 ( 没有结束", "请补上 )", `>台积电 AND 涨价</a>`} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
}

func TestMessagesKnowOneFromMany(t *testing.T) {
	for _, tc := range []struct {
		key  string
		args []any
		want string
	}{
		{"results", []any{uint64(1)}, "1 article"},
		{"results", []any{uint64(12345)}, "12,345 articles"},
		{"trends-volume", []any{1, 14}, "1 article in 14 days"},
		{"more-languages", []any{2, 1}, "2 more articles of this story, in 1 language"},
		{"work-read", []any{1}, "1 % of the files"},
	} {
		if got := say(en, tc.key, tc.args...); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.key, got, tc.want)
		}
	}
}

// day is when the article of a test was published.
var day = time.Date(2025, 11, 17, 0, 0, 0, 0, time.UTC)

func TestTimesAreThoseOfTheReadersZone(t *testing.T) {
	x := &memory.Index{}
	x.Add(news.Article{ID: "a1", Title: "HBM", Text: "text", Lang: "en", Published: day.Add(20 * time.Hour)})
	h := newUI(t, x)
	chosen := get(t, h, "/zone?zone=Asia%2FTaipei&back=%2Fsettings")
	cookie := chosen.Result().Cookies()
	if chosen.Header().Get("Location") != "/settings" || len(cookie) != 1 {
		t.Fatalf("got %v, want the choice remembered", chosen.Header())
	}
	if w := get(t, h, "/zone?zone=Mars%2FX"); len(w.Result().Cookies()) != 0 {
		t.Errorf("got %v for a zone that is none", w.Header())
	}
	shown := day.Add(28 * time.Hour).Format("2006-01-02 15:04")
	for _, path := range []string{"/", "/article/a1"} {
		if body := get(t, h, path, "Cookie", cookie[0].String()).Body.String(); !strings.Contains(body, shown) || !strings.Contains(body, "Times in Asia/Taipei") {
			t.Errorf("%s: got a page without %s", path, shown)
		}
		if body := get(t, h, path).Body.String(); strings.Contains(body, shown) || !strings.Contains(body, "Times in UTC") {
			t.Errorf("%s: got a page in another zone than that of the pages", path)
		}
	}
}
