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

const bodyEn = `<div><p>The foundry said on a call that its second line will start in the third quarter, with a monthly capacity of forty thousand wafers.</p>
<p>Customers have mostly accepted the new quotes, since lead times for the tools have grown from six months to ten, people in the industry said.</p></div>`

// readPage is read with everything that a page can come with.
func readPage(html, script string, entry *news.FeedEntry, url string) *Metadata {
	d := dom.Parse(html)
	h := ReadHead(d)
	b := boilerplate.Find(d, Hints(h, url))
	return Read(Input{Doc: d, Head: h, Body: b, URL: url, Entry: entry, Fetched: fetched, Script: script})
}

func TestTitleForms(t *testing.T) {
	const zh, en = "北岭封测厂上调明年报价", "Foundry starts its second line"
	for _, c := range []struct {
		name, html, want, from string
		entry                  *news.FeedEntry
		english                bool
	}{
		{name: "h1", html: `<title>` + zh + `_科技_芯火网</title><h1>` + zh + `</h1>` + body, want: zh, from: "heading"},
		{name: "h1-en", html: `<title>` + en + ` | Wafer Ledger</title><h1>` + en + `</h1>` + bodyEn, want: en, from: "heading", english: true},
		{name: "og", html: `<meta property="og:title" content="` + zh + `"><title>芯火网</title>` + body, want: zh, from: "meta"},
		{name: "og-en", html: `<meta property="og:title" content="` + en + ` - Wafer Ledger"><meta property="og:site_name" content="Wafer Ledger">` + bodyEn, want: en, from: "meta", english: true},
		{name: "json-ld", html: `<script type="application/ld+json">{"@type":"NewsArticle","headline":"` + zh + `"}</script>` + body, want: zh, from: "json-ld"},
		{name: "title-element", html: `<title>` + zh + `-芯火网</title>` + body, want: zh, from: "title"},
		{name: "title-element-en", html: `<title>` + en + ` – Wafer Ledger</title>` + bodyEn, want: en, from: "title", english: true},
		{name: "site-first", html: `<title>芯片夜谈 » ` + zh + `</title>` + body, want: zh, from: "title"},
		{name: "page-number", html: `<title>` + zh + `(页 1)</title>` + body, want: zh, from: "title"},
		{name: "microdata", html: `<title>芯火网</title><div itemprop="headline">` + zh + `</div>` + body, want: zh, from: "microdata"},
		{name: "wechat", html: `<title>芯片夜谈</title><div id="activity-name">` + zh + `</div><div id="js_content">` + body + `</div>`, want: zh, from: "template"},
		{name: "feed", html: body, entry: &news.FeedEntry{Title: zh}, want: zh, from: "feed"},
		{name: "section-h1", html: `<title>` + zh + `_芯火网</title><h1>新闻中心</h1><h2>` + zh + `</h2>` + body, want: zh, from: "heading"},
		{name: "spam-title", html: `<title>久久精品国产-欧美成人一区二区-无码在线观看综合</title><h1>` + zh + `</h1>` + body, want: zh, from: "heading"},
		{name: "spam-before", html: `<title>` + zh + `-云顶娱乐官网入口注册开户平台</title>` + body, want: zh, from: "title"},
		{name: "torn-heading", html: `<title>北岭封测厂上调明年报价_芯火网</title><p align="center"><b>北岭封测厂</b></p>` + body, want: zh, from: "title"},
	} {
		t.Run(c.name, func(t *testing.T) {
			script := news.ScriptHans
			if c.english {
				script = news.ScriptLatn
			}
			m := readPage(c.html, script, c.entry, "")
			p := m.Provenance[Title]
			if m.Title != c.want || !strings.Contains(strings.Join(p.From, " "), c.from) || p.Confidence <= 0 || p.Confidence > 1 {
				t.Errorf("got %q from %v, want %q from %s", m.Title, p, c.want, c.from)
			}
		})
	}
}

func TestPublishedForms(t *testing.T) {
	for _, c := range []struct {
		name, html, url, want, from string
		entry                       *news.FeedEntry
		english                     bool
	}{
		{name: "json-ld", html: `<script type="application/ld+json">{"@type":"NewsArticle","datePublished":"2025-11-10T08:00:00+08:00"}</script>` + body, want: "2025-11-10 08:00", from: "json-ld"},
		{name: "meta", html: `<meta property="article:published_time" content="2025-11-10T00:00:00Z">` + body, want: "2025-11-10 08:00", from: "meta"},
		{name: "meta-unknown-name", html: `<meta name="x-published-date" content="2025-11-10 08:00">` + body, want: "2025-11-10 08:00", from: "meta"},
		{name: "microdata", html: `<span itemprop="datePublished" content="2025-11-10T08:00:00+08:00">今晨</span>` + body, want: "2025-11-10 08:00", from: "microdata"},
		{name: "label-hans", html: `<p>发布时间：2025年11月10日 08:00</p>` + body, want: "2025-11-10 08:00", from: "byline"},
		{name: "label-hant", html: `<p>發佈日期：2025/11/10</p>` + body, want: "2025-11-10 12:00", from: "byline"},
		{name: "label-two-digit-year", html: `<p>发布时间：25-11-10 08:00</p>` + body, want: "2025-11-10 08:00", from: "byline"},
		{name: "roc", html: `<p>中華民國114年11月10日</p>` + body, want: "2025-11-10 12:00", from: "byline"},
		{name: "han-digits", html: `<p>二〇二五年十一月十日</p>` + body, want: "2025-11-10 12:00", from: "byline"},
		{name: "full-width", html: `<p>２０２５－１１－１０　０８：００</p>` + body, want: "2025-11-10 08:00", from: "byline"},
		{name: "relative", html: `<p>3小时前 芯火</p>` + body, want: "2025-11-17 09:00", from: "byline"},
		{name: "yesterday", html: `<p>昨天 10:20</p>` + body, want: "2025-11-16 10:20", from: "byline"},
		{name: "day-without-year", html: `<p>11月10日 08:00</p>` + body, want: "2025-11-10 08:00", from: "byline"},
		{name: "english", html: `<p>Published on November 10, 2025 at 8:00 am</p>` + bodyEn, want: "2025-11-10 08:00", from: "byline", english: true},
		{name: "english-day-first", html: `<p>10 Nov 2025 08:00 GMT</p>` + bodyEn, want: "2025-11-10 08:00", from: "byline", english: true},
		{name: "german", html: `<p>10. Dezember 2024, 8:00 Uhr</p>` + bodyEn, want: "2024-12-10 08:00", from: "byline", english: true},
		{name: "french", html: `<p>Publié le 1er août 2025</p>` + bodyEn, want: "2025-08-01 12:00", from: "byline", english: true},
		{name: "address", html: body, url: "https://a.example/2025/11/10/x.html", want: "2025-11-10 12:00", from: "url"},
		{name: "feed", html: body, entry: &news.FeedEntry{Published: time.Date(2025, 11, 10, 0, 0, 0, 0, time.UTC)}, want: "2025-11-10 08:00", from: "feed"},
		{name: "feed-day", html: body, entry: &news.FeedEntry{Published: time.Date(2025, 11, 9, 16, 0, 0, 0, time.UTC)}, want: "2025-11-10 12:00", from: "feed"},
		{name: "shown-beats-naive-feed", html: `<h1>北岭封测厂上调报价</h1><p>2025年11月10日 09:15 来源：芯火网</p>` + body, entry: &news.FeedEntry{Published: time.Date(2025, 11, 10, 9, 15, 0, 0, time.UTC)}, want: "2025-11-10 09:15", from: "byline"},
		{name: "script", html: `<script>var publish_time = "2025-11-10 08:00";</script><p>11-10</p>` + body, want: "2025-11-10 08:00", from: "meta"},
		{name: "template", html: `<div class="post_time_source">2025-11-10 08:00</div>` + body, want: "2025-11-10 08:00", from: "template"},
		{name: "copyright", html: body + `<p>Copyright © 2000-2026 2024-01-02</p>`, want: ""},
		{name: "copyright-year-alone", html: body + `<p>© 2026 芯火网</p>`, want: ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			script, h := news.ScriptHans, "<title>北岭封测厂上调报价</title><h1>北岭封测厂上调报价</h1>"
			if c.english {
				script, h = news.ScriptLatn, "<title>Foundry starts its second line</title><h1>Foundry starts its second line</h1>"
			}
			m := readPage(h+c.html, script, c.entry, c.url)
			got := ""
			if !m.Published.IsZero() {
				got = m.Published.Format("2006-01-02 15:04")
			}
			p := m.Provenance[Published]
			if got != c.want || !strings.Contains(strings.Join(p.From, " "), c.from) {
				t.Errorf("got %q from %v, want %q from %s", got, p, c.want, c.from)
			}
			if p.Confidence != m.Confidence {
				t.Errorf("confidence: got %v and %v", p.Confidence, m.Confidence)
			}
		})
	}
}

func TestAChangeIsNotTheTimeOfPublication(t *testing.T) {
	const ld = `<script type="application/ld+json">{"@type":"NewsArticle","datePublished":"2025-11-03T08:00:00+08:00","dateModified":"2025-11-12T08:00:00+08:00"}</script>`
	m := readPage(ld+`<h1>北岭封测厂上调报价</h1><p>2025-11-03 08:00 更新：2025-11-12 08:00</p>`+body, news.ScriptHans, nil, "")
	if got := m.Published.Format(time.DateOnly); got != "2025-11-03" {
		t.Errorf("published: got %s, want 2025-11-03", got)
	}
	if got := m.Modified.Format(time.DateOnly); got != "2025-11-12" || len(m.Provenance[Modified].From) == 0 {
		t.Errorf("modified: got %s from %v, want 2025-11-12", got, m.Provenance[Modified])
	}
	m = readPage(`<meta property="article:published_time" content="2025-11-03T08:00:00+08:00"><meta property="article:modified_time" content="2025-11-12T08:00:00+08:00"><h1>北岭封测厂上调报价</h1>`+body, news.ScriptHans, nil, "")
	if got := m.Published.Format(time.DateOnly); got != "2025-11-03" {
		t.Errorf("meta alone: got %s, want 2025-11-03", got)
	}
}

func TestTimesAreToldInTheZoneOfTheSource(t *testing.T) {
	const page = `<meta property="article:published_time" content="2025-11-09T23:30:00Z">` + body
	for _, c := range []struct{ name, script, url, want string }{
		{"hans", news.ScriptHans, "", "2025-11-10T07:30:00+08:00"},
		{"english", news.ScriptLatn, "https://a.example/1", "2025-11-09T23:30:00Z"},
		{"english-in-taiwan", news.ScriptLatn, "https://a.example.tw/1", "2025-11-10T07:30:00+08:00"},
		{"english-in-britain", news.ScriptLatn, "https://a.example.uk/1", "2025-11-09T23:30:00Z"},
		{"english-in-japan", news.ScriptLatn, "https://a.example.jp/1", "2025-11-10T08:30:00+09:00"},
	} {
		if got := readPage(page, c.script, nil, c.url).Published.Format(time.RFC3339); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestPeopleForms(t *testing.T) {
	type people struct {
		Authors                             []string
		Editor, Reporter, Credit, Publisher string
	}
	for _, c := range []struct {
		name, html string
		want       people
		entry      *news.FeedEntry
		english    bool
	}{
		{name: "label", html: `<p>作者：方知行</p>` + body, want: people{Authors: []string{"方知行"}}},
		{name: "slash", html: `<p>文/方知行 编辑/周未</p>` + body, want: people{Authors: []string{"方知行"}, Editor: "周未"}},
		{name: "written", html: `<p>撰文｜方知行</p>` + body, want: people{Authors: []string{"方知行"}}},
		{name: "hant-slash", html: `<p>許若白／新竹 2025-11-14</p>` + body, want: people{Authors: []string{"許若白"}}},
		{name: "hant-reporter", html: `<p>記者林悅／台北報導</p>` + body, want: people{Authors: []string{"林悅"}, Reporter: "林悅"}},
		{name: "hant-editor", html: `<p>編輯／周未　文／林悅</p>` + body, want: people{Authors: []string{"林悅"}, Editor: "周未"}},
		{name: "alone-under-title", html: `<p>方知行</p>` + body, want: people{Authors: []string{"方知行"}}},
		{name: "end-bracket", html: body + `<p>（方知行 上海报道）</p>`, want: people{Authors: []string{"方知行"}, Reporter: "方知行"}},
		{name: "agency", html: `<p>新华社北京11月10日电（记者方知行）` + strings.TrimPrefix(body, "<div><p>"), want: people{Authors: []string{"方知行"}, Reporter: "方知行", Credit: "新华社"}},
		{name: "medium-of-reporter", html: body + `<p>江南晚报记者 方知行</p>`, want: people{Authors: []string{"方知行"}, Reporter: "方知行", Credit: "江南晚报"}},
		{name: "editor-signs-alone", html: body + `<p>（责任编辑：周未）</p>`, want: people{Authors: []string{"周未"}, Editor: "周未"}},
		{name: "agency-hant", html: `<p>（西島社記者許若白新竹15日電）` + strings.TrimPrefix(body, "<div><p>"), want: people{Authors: []string{"許若白"}, Reporter: "許若白", Credit: "西島社"}},
		{name: "agency-hant-short-name", html: `<p>（西島社記者林悅台北15日電）` + strings.TrimPrefix(body, "<div><p>"), want: people{Authors: []string{"林悅"}, Reporter: "林悅", Credit: "西島社"}},
		{name: "wide-labels", html: `<p>作　者：方知行　来　源：晶圆观察</p>` + body, want: people{Authors: []string{"方知行"}, Credit: "晶圆观察"}},
		{name: "bulletin-board", html: `<p>发信人: waferfan (芯片迷), 信区: IC</p>` + body, want: people{Authors: []string{"waferfan"}}},
		{name: "posted", html: body + `<p>本帖由<b>晶圆老兵</b>于2025年11月10日 08:00发表</p>`, want: people{Authors: []string{"晶圆老兵"}}},
		{name: "about-the-author-is-no-author", html: body + `<p>作者单位：临江大学微电子学院</p>`, want: people{}},
		{name: "two-editors-sign", html: body + `<p>(责编：周未、岳行)</p>`, want: people{Authors: []string{"周未", "岳行"}, Editor: "周未、岳行"}},
		{name: "medium-with-dot-is-no-person", html: `<p>2025-11-10 来源：晶圆报·中晶网</p>` + body, want: people{Credit: "晶圆报·中晶网"}},
		{name: "own-work-is-no-source", html: `<p>2025-11-10 来源：本站原创</p>` + body, want: people{}},
		{name: "json-ld", html: `<script type="application/ld+json">{"@type":"NewsArticle","author":[{"name":"方知行"},{"name":"林悅"}],"publisher":{"name":"芯火网"}}</script>` + body, want: people{Authors: []string{"方知行", "林悅"}, Publisher: "芯火网"}},
		{name: "by", html: `<p>By Ines Marlow and Tomas Reyes</p>` + bodyEn, want: people{Authors: []string{"Ines Marlow", "Tomas Reyes"}}, english: true},
		{name: "by-and-date", html: `<p>By Ines Marlow | November 10, 2025</p>` + bodyEn, want: people{Authors: []string{"Ines Marlow"}}, english: true},
		{name: "social-links", html: `<div class="byline"><a rel="author">Ines Marlow</a> <a>Twitter</a></div>` + bodyEn, want: people{Authors: []string{"Ines Marlow"}}, english: true},
		{name: "meta-en", html: `<meta name="author" content="Ines Marlow">` + bodyEn, want: people{Authors: []string{"Ines Marlow"}}, english: true},
		{name: "microdata-en", html: `<div><span itemprop="author">Ines Marlow</span></div>` + bodyEn, want: people{Authors: []string{"Ines Marlow"}}, english: true},
		{name: "rel-en", html: `<div><a rel="author" href="/author/im">Ines Marlow</a></div>` + bodyEn, want: people{Authors: []string{"Ines Marlow"}}, english: true},
		{name: "feed-en", html: bodyEn, entry: &news.FeedEntry{Authors: []string{"Ines Marlow"}}, want: people{Authors: []string{"Ines Marlow"}}, english: true},
		{name: "publisher-is-no-author", html: `<meta property="og:site_name" content="Wafer Ledger"><meta name="author" content="Wafer Ledger">` + bodyEn, want: people{Publisher: "Wafer Ledger"}, english: true},
		{name: "source", html: `<p>2025-11-10 08:00 来源：晶圆观察</p>` + body, want: people{Credit: "晶圆观察"}},
		{name: "source-hant", html: `<p>來源：晶圓觀察　2025/11/10</p>` + body, want: people{Credit: "晶圓觀察"}},
		{name: "source-beside-date", html: `<p>晶圆观察网 2025-11-10 08:00</p>` + body, want: people{Credit: "晶圆观察网"}},
		{name: "source-behind-dot", html: `<p><span>2025-11-10</span> <span>·</span> <span>晶圆观察网</span></p>` + body, want: people{Credit: "晶圆观察网"}},
		{name: "original-account", html: `<p><span>原创</span> <span>WaferWatch</span> <span>2025-11-10 08:00</span></p>` + body, want: people{Credit: "WaferWatch"}},
		{name: "account", html: `<div class="author-txt"><p class="author-name">晶圆观察局</p><p>发布时间：11-10 08:00</p></div>` + body, want: people{Authors: []string{"晶圆观察局"}, Credit: "晶圆观察局"}},
		{name: "reprinted", html: body + `<p>转自：芯片夜谈</p>`, want: people{Credit: "芯片夜谈"}},
		{name: "template", html: `<p><a id="ne_article_source">晶圆观察</a></p>` + body, want: people{Credit: "晶圆观察"}},
		{name: "chart-source-is-none", html: strings.Replace(body, "</p>", "</p><p>资料来源：晶圆协会</p>", 1), want: people{}},
		{name: "empty-fields", html: `<p>作者： 时间：2025-11-10 来源： 收藏</p>` + body, want: people{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			script, h := news.ScriptHans, "<title>北岭封测厂上调报价</title><h1>北岭封测厂上调报价</h1>"
			if c.english {
				script, h = news.ScriptLatn, "<title>Foundry starts its second line</title><h1>Foundry starts its second line</h1>"
			}
			m := readPage(h+c.html, script, c.entry, "")
			got := people{m.Authors, m.Editor, m.Reporter, m.Credit, m.Publisher}
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Errorf("people differ (-got +want):\n%s", diff)
			}
			for field, set := range map[string]bool{Authors: len(m.Authors) > 0, Editor: m.Editor != "", Reporter: m.Reporter != "", Credit: m.Credit != "", Publisher: m.Publisher != ""} {
				if p, ok := m.Provenance[field]; ok != set || set && (len(p.From) == 0 || p.Confidence <= 0) {
					t.Errorf("provenance of %s: got %v", field, p)
				}
			}
		})
	}
}

func TestTheTitleNamesTheBlogger(t *testing.T) {
	m := readPage(`<title>上调报价的影响_晶圆老兵的博客_芯火博客</title><h1>上调报价的影响</h1>`+body, news.ScriptHans, nil, "")
	if diff := cmp.Diff(m.Authors, []string{"晶圆老兵"}); diff != "" || m.Publisher != "芯火博客" {
		t.Errorf("got %q, %q", m.Authors, m.Publisher)
	}
}

func TestSummaryIsFreeOfSpam(t *testing.T) {
	for _, c := range []struct {
		name, description, want string
		spam                    bool
	}{
		{"clean", "北岭封测厂宣布上调报价。", "北岭封测厂宣布上调报价。", false},
		{"before", "扫码关注公众号领取资料！北岭封测厂宣布上调报价。", "北岭封测厂宣布上调报价。", true},
		{"after", "北岭封测厂宣布上调报价。点击下载APP查看全文", "北岭封测厂宣布上调报价。", true},
		{"all", "久久精品国产-欧美成人一区二区-无码在线观看", "", true},
		{"english-after", "The foundry raises its quotes. Sign up for our newsletter now.", "The foundry raises its quotes.", true},
		{"gambling-news-is-news", "澳门博彩监管机构公布上半年数据。", "澳门博彩监管机构公布上半年数据。", false},
		{"platform-news-is-news", "该平台注册用户超过一亿，官网已上线。", "该平台注册用户超过一亿，官网已上线。", false},
	} {
		m := readPage(`<meta name="description" content="`+c.description+`"><h1>北岭封测厂上调报价</h1>`+body, news.ScriptHans, nil, "")
		if m.Summary != c.want || m.Spam != c.spam {
			t.Errorf("%s: got %q, spam %v; want %q, %v", c.name, m.Summary, m.Spam, c.want, c.spam)
		}
	}
}

func TestBallotsShowWhatWasAndWasNotElected(t *testing.T) {
	m := readPage(`<title>北岭封测厂上调报价_芯火</title><h1>北岭封测厂上调报价</h1><p>作者：方知行 2025-11-10</p>`+body, news.ScriptHans, nil, "")
	elected := make(map[string]int)
	for _, b := range m.Ballots {
		for i, c := range b.Candidates {
			if c.Elected {
				elected[b.Field]++
			}
			if i > 0 && b.Candidates[i-1].Confidence < c.Confidence {
				t.Errorf("%s: candidates are not in order", b.Field)
			}
			if len(c.Votes) == 0 || c.Confidence < 0 || c.Confidence > 1 {
				t.Errorf("%s: got %+v", b.Field, c)
			}
		}
	}
	if want := map[string]int{Title: 1, Published: 1, Authors: 1, Publisher: 1}; cmp.Diff(elected, want) != "" {
		t.Errorf("elected: got %v, want %v", elected, want)
	}
}

func TestModelNeedsAllFields(t *testing.T) {
	if _, err := ParseModel([]byte(`{"title":{}}`)); err == nil || !strings.Contains(err.Error(), "published") {
		t.Errorf("got %v, want an error that names the missing field", err)
	}
	if _, err := ParseModel([]byte(`[`)); err == nil {
		t.Error("no JSON: no error")
	}
}
