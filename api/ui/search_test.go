package ui

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"xinwen/api/internal/memory"
	"xinwen/news"
)

func TestQueriesAreCompleted(t *testing.T) {
	h := newUI(t, &memory.Index{})
	for _, tc := range []struct{ token, want string }{
		{"taiji", "entity:org:tsmc"},
		{"輝達", "entity:org:nvidia"},
		{"-英伟", "-entity:org:nvidia"},
		{"entity:hynix", "entity:org:sk-hynix"},
		{"exam", "source:example"},
		{"source:示", "source:example"},
		{"lang:zh-h", "lang:zh-Hant"},
		{"kind:p", "kind:person"},
		{"ti", "title:"},
		{"a", ""},
		{"", ""},
		{strings.Repeat("x", 300), ""},
	} {
		w := get(t, h, "/suggest?q="+url.QueryEscape(tc.token))
		var list []Completion
		if err := json.Unmarshal(w.Body.Bytes(), &list); err != nil {
			t.Fatalf("%s: %v", tc.token, err)
		}
		if tc.want == "" && len(list) > 0 || tc.want != "" && !slices.ContainsFunc(list, func(c Completion) bool { return c.Insert == tc.want }) {
			t.Errorf("%.20s: got %v, want %q among them", tc.token, list, tc.want)
		}
	}
}

func TestChineseIsShownInTheCharactersWanted(t *testing.T) {
	x := &memory.Index{}
	both := article("a3", "台积电头发与頭髮", "台积电后来说，皇后说。\n他說公里之後，皇后的麵條。", "zh", news.ScriptMixed)
	x.Add(
		article("a1", "台積電漲價", "供應鏈吃緊，干涉。", "zh", "Hant"),
		article("a2", "TSMC raises prices 台积电", "A 漢字 name, 汉字.", "en", "Latn"),
		both,
		article("a4", "干燥的面条", "理发店发布头发，皇后之后。", "zh", "Hans"),
	)
	h := newUI(t, x)
	tests := []struct{ characters, path, want string }{
		{"zh-Hans", "/", "台积电涨价"},
		{"zh-Hans", "/", "干燥的面条"},
		{"zh-Hans", "/article/a1", "供应链吃紧，干涉。"},
		{"zh-Hans", "/article/a2", "A 漢字 name, 汉字."},
		{"zh-Hans", "/article/a3", "他说公里之后，皇后的面条。"},
		{"zh-Hant", "/", "乾燥的麵條"},
		{"zh-Hant", "/article/a4", "理髮店發佈頭髮，皇后之後。"},
		{"zh-Hant", "/article/a1", "供應鏈吃緊，干涉。"},
		{"zh-Hant", "/article/a2", "TSMC raises prices 台积电"},
		{"zh-Hant", "/article/a3", "台積電後來說，皇后說。"},
		{"zh-Hant", "/article/a3", "他說公里之後，皇后的麵條。"},
		{"", "/article/a1", "供應鏈吃緊，干涉。"},
		{"", "/article/a4", "理发店发布头发，皇后之后。"},
		{"<script>", "/article/a4", "理发店发布头发，皇后之后。"},
	}
	for _, tt := range tests {
		if body := get(t, h, tt.path, "Cookie", displayCookie+"="+tt.characters).Body.String(); !strings.Contains(body, tt.want) {
			t.Errorf("%s in %q: got a page without %q", tt.path, tt.characters, tt.want)
		}
	}
	if body := get(t, h, "/article/a4", "Cookie", displayCookie+"=zh-Hant").Body.String(); !strings.Contains(body, `<article lang="zh-Hant">`) {
		t.Error("got a converted text that does not say in what it is shown")
	}
	if body := get(t, h, "/article/a4").Body.String(); !strings.Contains(body, `<article lang="zh-Hans">`) {
		t.Error("got a text that does not say in what it is written")
	}
	// What is stored is as it was, and so is what programs get.
	a, err := x.Article(t.Context(), "a4")
	if err != nil {
		t.Fatal(err)
	}
	if a.Title != "干燥的面条" {
		t.Errorf("got title %q in the index, want it as it was", a.Title)
	}
	for choice, want := range map[string]string{"zh-Hans": "=zh-Hans; ", "zh-Hant": "=zh-Hant; ", "written": "=; ", "elsewhere": "=; "} {
		w := get(t, h, "/characters/"+choice+"?back=/article/a1")
		if w.Header().Get("Location") != "/article/a1" || !strings.HasPrefix(w.Header().Get("Set-Cookie"), displayCookie+want) {
			t.Errorf("%s: got %v, want the cookie and the way back", choice, w.Header())
		}
	}
}

// Marks of mentions and highlights stay on their characters in converted text.
func TestMarksStayInConvertedText(t *testing.T) {
	x := &memory.Index{}
	a := article("a1", "里程碑：台积电头发", "他说面条涨价百分之五。皇后公司后来与台积电签约。", "zh", "Hans")
	full := []rune(a.Title + "\n" + a.Text)
	at := func(surface string, after int) (start, end int) {
		for i := after; i < len(full); i++ {
			if strings.HasPrefix(string(full[i:]), surface) {
				return i, i + len([]rune(surface))
			}
		}
		t.Fatalf("no %s", surface)
		return 0, 0
	}
	for _, m := range []struct {
		surface string
		kind    news.Kind
		entity  string
		after   int
	}{{"台积电", news.Org, "org:tsmc", 0}, {"百分之五", news.Percent, "", 0}, {"皇后公司", news.Org, "org:unknown-queen", 0}, {"台积电", news.Org, "org:tsmc", 12}} {
		start, end := at(m.surface, m.after)
		a.Mentions = append(a.Mentions, news.Mention{Start: start, End: end, Surface: m.surface, Kind: m.kind, Entity: m.entity})
	}
	x.Add(a)
	h := newUI(t, x)
	body := get(t, h, "/article/a1", "Cookie", displayCookie+"=zh-Hant").Body.String()
	for _, want := range []string{">台積電</a>頭髮", ">百分之五</span>。", ">皇后公司</a>後來與<a", ">台積電</a>簽約。"} {
		if !strings.Contains(body, want) {
			t.Errorf("got an article without %q", want)
		}
	}
	body = get(t, h, "/?q="+url.QueryEscape("皇后公司"), "Cookie", displayCookie+"=zh-Hant").Body.String()
	if !strings.Contains(body, "皇后公司") || !strings.Contains(body, "後來與台積電") {
		t.Errorf("got a list without the converted snippet")
	}
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// date returns a day, the zero time for "".
func date(s string) time.Time {
	t, _ := time.Parse(time.DateOnly, s)
	return t
}

func TestHistogramFitsWhatIsFound(t *testing.T) {
	u := &UI{o: Options{Zone: zone(t, "Asia/Taipei")}}
	edges := u.histogramEdges(date("2026-11-01"), date("2026-11-11"))
	if len(edges) != 11 {
		t.Errorf("got %d edges for ten days, want 11", len(edges))
	}
	if edges := u.histogramEdges(date("2020-01-01"), date("2026-01-01")); len(edges) < 70 || len(edges) > 74 {
		t.Errorf("got %d edges for six years, want its months", len(edges))
	}
	all := u.histogramEdges(date(""), date(""))
	n := make([]uint64, len(all)-1)
	n[len(n)-3] = 4
	if got, _ := trim(n, all); len(got) != leastBars {
		t.Errorf("got %d bars of one day, want %d", len(got), leastBars)
	}
	n[len(n)-fineDays-13] = 2
	got, begins := trim(n, all)
	var sum uint64
	for _, c := range got {
		sum += c
	}
	if sum != 6 || len(begins) != len(got)+1 || len(got) < 14 || len(got) > 18 {
		t.Errorf("got %d articles in %d bars with %d edges, want 6 by month", sum, len(got), len(begins))
	}
	if got, _ := trim(make([]uint64, len(n)), all); got != nil {
		t.Errorf("got %v of nothing", got)
	}
}
