package listpage

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"xinwen/news"
)

var (
	now      = time.Date(2025, 11, 20, 4, 0, 0, 0, time.UTC)
	shanghai = time.FixedZone("CST", 8*3600)
)

// portal is a list page as old Chinese content systems write it: table layout,
// unclosed elements, GBK, navigation before and after.
func portal() string {
	var b strings.Builder
	b.WriteString(`<html><head><meta charset="gb2312"><title>芯片频道</title></head><body><table><tr><td>`)
	for _, nav := range []string{"首页", "新闻", "集成电路", "汽车电子", "论坛", "下载中心"} {
		fmt.Fprintf(&b, `<a href="/%d/">%s</a><font>`, len(nav), nav)
	}
	b.WriteString(strings.Repeat("<font><span>", 600))
	for i, title := range []string{"台积电宣布扩大先进封装产能以满足人工智能需求", "国产光刻机零部件取得突破性进展", "存储芯片价格连续第三个月上涨", "车规级芯片供应趋于稳定"} {
		fmt.Fprintf(&b, `<tr><td>·<a href="/article/20251%d/4%d.htm" target=_blank>%s</a><td>2025-11-%02d 09:30`, i, i, title, 10+i)
	}
	b.WriteString(`<tr><td><a href="list_2.htm">2</a> <a href="list_2.htm">下一页</a>
<a href="http://ads.other.example/chip/2025/1234.htm">一个很长很长很长的外站广告标题，不是文章</a>
<a href="javascript:void(0)">收藏本站</a><a href="/about/contact.htm">联系我们</a></body>`)
	return b.String()
}

func TestParseLearnsLinksOfOldPortal(t *testing.T) {
	body, err := simplifiedchinese.GBK.NewEncoder().String(portal())
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse([]byte(body), "text/html", "http://www.chips.example/list/index.htm", Rule{NextAuto: true, Location: shanghai}, now)
	if err != nil {
		t.Fatal(err)
	}
	entry := func(i int, title string) Entry {
		return Entry{
			URL:       fmt.Sprintf("http://www.chips.example/article/20251%d/4%d.htm", i, i),
			FeedEntry: news.FeedEntry{Title: title, Published: time.Date(2025, 11, 10+i, 1, 30, 0, 0, time.UTC)},
		}
	}
	want := []Entry{
		entry(0, "台积电宣布扩大先进封装产能以满足人工智能需求"), entry(1, "国产光刻机零部件取得突破性进展"),
		entry(2, "存储芯片价格连续第三个月上涨"), entry(3, "车规级芯片供应趋于稳定"),
	}
	if diff := cmp.Diff(want, got.Entries); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
	if want := "http://www.chips.example/list/list_2.htm"; got.Next != want {
		t.Errorf("next: got %q, want %q", got.Next, want)
	}
}

func TestParseLearnsBlogCards(t *testing.T) {
	page := `<!doctype html><html><body><header><nav><a href="/">Home</a><a href="/category/memory">Memory</a><a href="/about-the-editors-and-writers-of-demo">About the editors and writers</a></nav></header><main>`
	for i := range 4 {
		page += fmt.Sprintf(`<article><a href="/2025/11/chip-story-number-%[1]d/?utm_source=list"><img src="/i.jpg" alt=""></a>
<h2><a href="/2025/11/chip-story-number-%[1]d/">Foundry %[1]d raises its capital spending for packaging</a></h2>
<time datetime="2025-11-1%[1]dT08:00:00Z">Nov 1%[1]d</time><p>Lead.</p><a href="/2025/11/chip-story-number-%[1]d/#more">Read more</a></article>`, i)
	}
	page += `</main><footer><a href="/privacy-policy-and-terms-of-service">Privacy policy and terms of service</a></footer>`
	got, err := Parse([]byte(page), "text/html; charset=utf-8", "https://blog.example/", Rule{}, now)
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, e := range got.Entries {
		titles = append(titles, e.Title+" "+e.Published.Format(time.DateTime))
	}
	want := []string{
		"Foundry 0 raises its capital spending for packaging 2025-11-10 08:00:00", "Foundry 1 raises its capital spending for packaging 2025-11-11 08:00:00",
		"Foundry 2 raises its capital spending for packaging 2025-11-12 08:00:00", "Foundry 3 raises its capital spending for packaging 2025-11-13 08:00:00",
	}
	if diff := cmp.Diff(want, titles); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestParseDeclaredPattern(t *testing.T) {
	page := `<base href="/news/"><a href="a1.html">短</a><a href="b1.html">不是文章，但标题很长很长很长</a><a href="a2.html" title="全文标题">略…</a><a href="?p=2">more</a>`
	got, err := Parse([]byte(page), "", "http://h.example/", Rule{Links: regexp.MustCompile(`/a\d+\.html$`), Next: regexp.MustCompile(`[?]p=\d+$`)}, now)
	if err != nil {
		t.Fatal(err)
	}
	want := &Page{
		Entries: []Entry{{URL: "http://h.example/news/a1.html", FeedEntry: news.FeedEntry{Title: "短"}}, {URL: "http://h.example/news/a2.html", FeedEntry: news.FeedEntry{Title: "全文标题"}}},
		Next:    "http://h.example/news/?p=2", Links: 4,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("page (-want +got):\n%s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	tests := []struct {
		name, body, want string
		rule             Rule
	}{
		{"empty", "  ", "empty", Rule{}},
		{"no-links", "<p>Loading…</p><script>document.write('<a href=/1>')</script>", "no links", Rule{}},
		{"other-domain", `<a href="http://b.other/1">x</a>`, "no links", Rule{}},
		{"no-match", `<a href="/1">x</a>`, "matches /chips/", Rule{Links: regexp.MustCompile("/chips/")}},
		{"only-navigation", `<a href="/news">News</a><a href="/about">About</a>`, "looks like an article", Rule{}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			_, err := Parse([]byte(tc.body), "", "http://h.example/", tc.rule, now)
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(e.Error(), tc.want) || e.Hint == "" {
				t.Errorf("got %v, want one about %q with a hint", err, tc.want)
			}
		})
	}
}

func TestParseDate(t *testing.T) {
	day := func(y, m, d, h, min int) time.Time { return time.Date(y, time.Month(m), d, h, min, 0, 0, shanghai) }
	tests := []struct {
		text string
		want time.Time
	}{
		{"2025-11-17 09:30", day(2025, 11, 17, 9, 30)},
		{"发布于 2025年1月7日", day(2025, 1, 7, 0, 0)},
		{"2025/3/4", day(2025, 3, 4, 0, 0)},
		{"2025.12.31 23:59:59", time.Date(2025, 12, 31, 23, 59, 59, 0, shanghai)},
		{"[11-17]", day(2025, 11, 17, 0, 0)},
		{"12-30 08:00", day(2024, 12, 30, 8, 0)},
		{"11月17日", day(2025, 11, 17, 0, 0)},
		{"2025-02-30", time.Time{}},
		{"A16-3 nm", time.Time{}},
		{"1/2025", time.Time{}},
		{"", time.Time{}},
	}
	for _, tc := range tests {
		got, ok := parseDate(tc.text, shanghai, now)
		if ok == tc.want.IsZero() || ok && !got.Equal(tc.want) {
			t.Errorf("%q: got %v, %v, want %v", tc.text, got, ok, tc.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(portal()), "text/html")
	f.Add([]byte(`<base href="http://x"><a href="//y/1"><time datetime="2025-11-11T25:61:00">`), "")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		page, err := Parse(body, contentType, "http://www.chips.example/list/", Rule{NextAuto: true, Location: shanghai}, now)
		if (page == nil) == (err == nil) {
			t.Fatalf("got page %v and error %v", page, err)
		}
		if page == nil {
			return
		}
		for _, e := range page.Entries {
			if !strings.HasPrefix(e.URL, "http") {
				t.Errorf("address %q is not absolute", e.URL)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	body := []byte(portal())
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := Parse(body, "text/html; charset=utf-8", "http://www.chips.example/list/", Rule{}, now); err != nil {
			b.Fatal(err)
		}
	}
}
