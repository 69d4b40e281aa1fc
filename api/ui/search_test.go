package ui

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"xinwen/api/internal/memory"
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

func TestChineseIsShownInSimplifiedIfWanted(t *testing.T) {
	x := &memory.Index{}
	x.Add(article("a1", "台積電漲價", "供應鏈吃緊。", "zh", "Hant"), article("a2", "TSMC raises prices", "A 漢字 name.", "en", "Latn"))
	h := newUI(t, x)
	cookie := []string{"Cookie", displayCookie + "=zh-Hans"}
	for path, want := range map[string]string{"/": "台积电涨价", "/article/a1": "供应链吃紧。", "/article/a2": "A 漢字 name."} {
		body := get(t, h, path, cookie...).Body.String()
		if !strings.Contains(body, want) {
			t.Errorf("%s: got a page without %q", path, want)
		}
	}
	if body := get(t, h, "/article/a1").Body.String(); !strings.Contains(body, "供應鏈吃緊。") || !strings.Contains(body, `<article lang="zh-Hant">`) {
		t.Error("got a text that is not as written, and nobody wanted that")
	}
	w := get(t, h, "/characters/zh-Hans?back=/article/a1")
	if w.Header().Get("Location") != "/article/a1" || !strings.HasPrefix(w.Header().Get("Set-Cookie"), displayCookie+"=zh-Hans; ") {
		t.Errorf("got %v, want the cookie and the way back", w.Header())
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
