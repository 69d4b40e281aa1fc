package extractor

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/extractor/dom"
	"xinwen/news"
	"xinwen/news/lexicon"
)

func TestExtractSaysWhyAPageIsNoArticle(t *testing.T) {
	x := newExtractor(t, Options{})
	status := htmlPage("s", shortArticle)
	status.Status = 500
	image := htmlPage("i", "GIF89a\x01\x00")
	zip := htmlPage("z", "PK\x03\x04\x14\x00")
	noise := htmlPage("n", strings.Repeat("\x01\x02\x03ab", 400))
	for _, c := range []struct {
		name   string
		page   *news.Page
		reason string
	}{
		{"status", status, "not a successful answer"},
		{"empty", htmlPage("e", ""), "empty page"},
		{"image", image, "not a page of text"},
		{"zip", zip, "not a page of text"},
		{"noise", noise, "not a page of text"},
		{"captcha", htmlPage("c", "<title>安全验证</title><p>请完成安全验证后继续访问</p>"), "block page"},
		{"forbidden", htmlPage("f", "<title>403 Forbidden</title><h1>403 Forbidden</h1><p>You have no permission to see this page.</p>"), "access denied"},
		{"soft-404", htmlPage("4", "<title>页面不存在</title><p>抱歉，您访问的页面不存在或已被删除。</p>"), "missing page sent as a success"},
		{"soft-404-in-a-site", htmlPage("5", "<title>芯火门户</title>"+strings.Repeat("<ul><li><a href=/a>晶圆代工价格走势与分析</a></li></ul>", 80)+"<div class=text><p>抱歉，您访问的页面不存在或已被删除，三秒后返回首页。</p></div>"), "missing page sent as a success"},
		{"paywall", htmlPage("w", "<title>封测业的涨价潮</title><h1>封测业的涨价潮</h1><div><p>多家封装厂表示，将从明年一月起上调报价……</p></div><div class=vip>本文为付费内容，订阅后可阅读全文</div>"), "paywall"},
		{"paywall-english", htmlPage("v", "<title>Packaging prices rise</title><h1>Packaging prices rise</h1><div><p>Several packaging houses say they will charge more.</p></div><div>Subscribe to continue reading</div>"), "paywall"},
		{"scripts", htmlPage("j", "<title>News</title><p>Please enable JavaScript to view this page.</p>"), "page needs scripts"},
		{"no-text", htmlPage("x", "<html><body><script>render()</script></body></html>"), "no article text"},
		{"bad-import", &news.Page{URL: "urn:import:1", ContentType: news.ArticleContentType, Body: []byte("{")}, "imported article is not valid JSON"},
		{"import-without-text", &news.Page{URL: "urn:import:1", ContentType: news.ArticleContentType, Body: []byte(`{"text":" \n"}`)}, "imported article has no text"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := x.Extract(c.page)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want an *Error", err)
			}
			if e.Reason != c.reason || e.Hint() == "" {
				t.Errorf("got %q with hint %q, want %q with a hint", e.Reason, e.Hint(), c.reason)
			}
		})
	}
}

func TestExtractSurvivesHostilePages(t *testing.T) {
	x := newExtractor(t, Options{})
	sentence := "<p>封装厂表示，由于金价和基板价格上涨，将从明年一月起上调报价，幅度约为百分之五。</p>"
	article := "<h1>封装厂上调报价</h1>" + sentence
	for _, c := range []struct {
		name, body string
	}{
		{"unclosed-inline", strings.Repeat("<b><font>", 600) + article},
		{"unclosed-blocks", strings.Repeat("<div>", 5000) + article},
		{"deep", strings.Repeat("<div>", 200_000) + article + strings.Repeat("</div>", 200_000)},
		{"deep-spans", strings.Repeat("<span>", 100_000) + article},
		{"deep-tables", strings.Repeat("<table><tr><td>", 2000) + article},
		{"nuls", "\x00\x00" + strings.ReplaceAll(article, "，", "\x00，") + "\x00"},
		{"ten-megabytes", article + strings.Repeat("<p>x</p><!-- filler filler filler filler -->", 200_000)},
		{"fifty-megabytes", article + "<p>" + strings.Repeat("\n    ", 10<<20)},
		{"cut-characters", article + "<!--" + strings.Repeat("字字字\n", dom.MaxBytes/10+1)},
		{"one-line", article + "<p>" + strings.Repeat("字", 500_000) + "</p>"},
		{"many-attributes", "<div " + strings.Repeat(`a="b" `, 100_000) + ">" + article},
		{"stray-ends", strings.Repeat("</div></p></td></a>", 50_000) + article},
		{"table-text", "<table>" + strings.Repeat("a<b>b", 300) + "</table>" + article},
	} {
		t.Run(c.name, func(t *testing.T) {
			began := time.Now()
			a, err := x.Extract(htmlPage(c.name, c.body))
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(a.Text, "将从明年一月起上调报价") {
				t.Errorf("text lost: %.200q", a.Text)
			}
			if n := len(c.body); n > dom.MaxBytes && (!strings.Contains(strings.Join(a.Warnings, "\n"), "truncated:") || a.Charset != "utf-8") {
				t.Errorf("%d bytes: got charset %s and warnings %q, want utf-8 and truncated", n, a.Charset, a.Warnings)
			}
			if took := time.Since(began); took > time.Minute { // what a page is given
				t.Errorf("took %s", took)
			}
		})
	}
}

func TestLinkTextIsNeverLost(t *testing.T) {
	x := newExtractor(t, Options{})
	body := `<h1>星河半导体的新产线</h1><div><p><a href="/k/1">星河半导体</a>、<a href="/k/2">海岳微电子</a>与<a href="/k/3">北屿精测</a>共同建设的<a href="/k/4">产线</a>，将在<a href="/k/5">临江</a>投产。</p>
<p>公司说，<span>良率</span><strong>已经</strong><font color="red">达到</font><a href="https://other.example/yield">九成</a>，超出预期。</p></div>`
	a, err := x.Extract(htmlPage("links", body))
	if err != nil {
		t.Fatal(err)
	}
	want := "星河半导体、海岳微电子与北屿精测共同建设的产线，将在临江投产。\n公司说，良率已经达到九成，超出预期。"
	if a.Text != want {
		t.Errorf("text: got %q, want %q", a.Text, want)
	}
	runes := []rune(a.Text)
	if len(a.Links) != 6 {
		t.Fatalf("links: got %d, want 6", len(a.Links))
	}
	for _, l := range a.Links {
		if got := string(runes[l.Start:l.End]); got != l.Text {
			t.Errorf("link %s: offsets give %q, want %q", l.URL, got, l.Text)
		}
	}
	if got := a.Links[0].URL; got != "https://www.example.com/k/1" {
		t.Errorf("first link: got %s, want it resolved", got)
	}
}

func TestCanonicalDecidesTheAddressOnlyOnTheSameSite(t *testing.T) {
	x := newExtractor(t, Options{})
	for _, c := range []struct{ name, canonical, want string }{
		{"same-site", "https://m.example.com/b", "https://m.example.com/b"},
		{"relative", "/c", "https://www.example.com/c"},
		{"other-site", "https://evil.example.net/b", "https://www.example.com/a"},
		{"front-page", "https://www.example.com/", "https://www.example.com/a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := x.Extract(htmlPage("a", `<link rel="canonical" href="`+c.canonical+`">`+shortArticle))
			if err != nil {
				t.Fatal(err)
			}
			if a.URL != c.want {
				t.Errorf("got %s, want %s", a.URL, c.want)
			}
		})
	}
}

func TestExtractIsSafeForConcurrentUse(t *testing.T) {
	lex, err := lexicon.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	store := lexicon.NewStore(lex)
	x := newExtractor(t, Options{Lexicon: store})
	var want []*news.Article
	for i := range goldenPages {
		a, err := x.Extract(goldenPage(t, i))
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, a)
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range goldenPages {
				if w == 0 && i == 4 {
					again, err := lexicon.Builtin()
					if err != nil {
						t.Error(err)
						return
					}
					store.Set(again)
				}
				a, err := x.Extract(goldenPage(t, (i+w)%len(goldenPages)))
				if err != nil {
					t.Error(err)
					return
				}
				if diff := cmp.Diff(a, want[(i+w)%len(goldenPages)]); diff != "" {
					t.Errorf("article differs (-got +want):\n%s", diff)
				}
			}
		})
	}
	wg.Wait()
}

func TestExtractLinesAnswersInOrder(t *testing.T) {
	x := newExtractor(t, Options{})
	var in bytes.Buffer
	const n = 40
	for i := range n {
		body := strings.ReplaceAll(shortArticle, "封装厂上调报价", fmt.Sprintf("封装厂第%d次上调报价", i))
		fmt.Fprintf(&in, `{"id":"%d","url":"https://www.example.com/%d","html_base64":%q}`+"\n", i, i, base64.StdEncoding.EncodeToString([]byte(body)))
	}
	in.WriteString("not json\n\n" + `{"id":"missing","path":"/no/such/file.html"}` + "\n")
	var out bytes.Buffer
	if err := x.ExtractLines(context.Background(), &in, &out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != n+2 {
		t.Fatalf("got %d lines, want %d", len(lines), n+2)
	}
	for i, l := range lines {
		var got articleLine
		if err := json.Unmarshal([]byte(l), &got); err != nil {
			t.Fatal(err)
		}
		switch {
		case i < n && (got.ID != lineID(fmt.Sprintf("\"%d\"", i)) || got.Title != fmt.Sprintf("封装厂第%d次上调报价", i) || !strings.HasPrefix(got.Published, "2025-11-10") || got.Credit != "晶圆观察"):
			t.Errorf("line %d: got %+v", i, got)
		case i >= n && got.Error == "":
			t.Errorf("line %d: got no error", i)
		}
	}
}

func TestAnnotateLinesCountsCodePointsOverTitleAndText(t *testing.T) {
	x := newExtractor(t, Options{})
	in := `{"id":"1","lang":"zh-Hans","title":"😀涨价","text":"报价上调5%，总投资180亿元，1990 年代。","date":"2025-11-17"}` + "\n"
	var out bytes.Buffer
	if err := x.AnnotateLines(context.Background(), strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	var got mentionsLine
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := []news.Mention{
		{Start: 8, End: 10, Surface: "5%", Kind: news.Percent, Value: "5%", Score: 1},
		{Start: 14, End: 19, Surface: "180亿元", Kind: news.Money, Value: "CNY 18000000000", Score: 1},
	}
	if diff := cmp.Diff(got.Mentions, want); diff != "" {
		t.Errorf("mentions differ (-got +want):\n%s", diff)
	}
}

func TestLinesKeepTheirIDs(t *testing.T) {
	x := newExtractor(t, Options{})
	in := "\ufeff" + `{"id":7,"text":"a"}
{"id":"七","text":"b"}
{"text":"c"}
{"id":8,"text":9}
[]
{`
	var out strings.Builder
	if err := x.AnnotateLines(t.Context(), strings.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	want := `{"id":7,"mentions":[]}
{"id":"七","mentions":[]}
{"id":"","mentions":[]}
{"id":8,"mentions":[],"error":"text is a JSON number; lines are {id, lang, title, text, date}"}
{"id":"","mentions":[],"error":"a JSON array; lines are {id, lang, title, text, date}"}
{"id":"","mentions":[],"error":"unexpected end of JSON input; lines are {id, lang, title, text, date}"}
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("annotated lines (-want +got):\n%s", diff)
	}
	out.Reset()
	if err := x.ExtractLines(t.Context(), strings.NewReader(`{"id":7,"url":"https://a.example/"}`), &out); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.HasPrefix(got, `{"id":7,`) || !strings.Contains(got, "neither path nor html_base64") {
		t.Errorf("got %s, want its ID and what is missing", got)
	}
}

func FuzzExtract(f *testing.F) {
	x := newExtractor(f, Options{})
	for i := range goldenPages {
		f.Add(goldenPage(f, i).Body, "text/html")
	}
	f.Add([]byte("<table><tr><td>一<p>二</table></b></a>"), "text/html; charset=big5")
	f.Add([]byte("plain\n\ntext 2025年11月17日"), "text/plain")
	f.Fuzz(func(t *testing.T, body []byte, contentType string) {
		p := htmlPage("fuzz", "")
		p.Body, p.ContentType = body, contentType
		a, err := x.Extract(p)
		if err != nil {
			return
		}
		text, content := []rune(a.Text), []rune(a.Content())
		for _, l := range a.Links {
			if l.Start < 0 || l.End > len(text) || l.Start > l.End || string(text[l.Start:l.End]) != l.Text {
				t.Errorf("link %+v does not lie in the text", l)
			}
		}
		last := 0
		for _, m := range a.Mentions {
			if m.Start < last || m.End <= m.Start || m.End > len(content) || string(content[m.Start:m.End]) != m.Surface {
				t.Errorf("mention %+v does not lie in the content or overlaps", m)
			}
			last = m.End
		}
	})
}

func BenchmarkExtract(b *testing.B) {
	x := newExtractor(b, Options{})
	var pages []*news.Page
	size := 0
	for i := range goldenPages {
		p := goldenPage(b, i)
		size += len(p.Body)
		pages = append(pages, p)
	}
	b.SetBytes(int64(size / len(pages)))
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		if _, err := x.Extract(pages[n%len(pages)]); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "articles/s")
}

func TestShortNewsIsNoWall(t *testing.T) {
	x := newExtractor(t, Options{})
	a, err := x.Extract(htmlPage("k", `<html><head><title>铁路售票系统取消滑动验证码</title></head><body><h1>铁路售票系统取消滑动验证码</h1><p>发布时间：2025-11-10 09:20 来源：晶圆观察</p>
<p>铁路部门今日表示，售票系统从下月起不再使用滑动验证码，改由终端里的安全芯片验证身份。</p></body></html>`))
	if err != nil || !strings.Contains(a.Text, "安全芯片") {
		t.Errorf("got %+v, %v, want the article", a, err)
	}
}

func TestBeginningBeforeAPaywallIsKeptWithAWarning(t *testing.T) {
	x := newExtractor(t, Options{})
	lead := strings.Join(facts, "")
	a, err := x.Extract(htmlPage("w", "<title>封测业的涨价潮</title><h1>封测业的涨价潮</h1><div><p>"+facts[0]+facts[1]+"</p><p>"+facts[2]+facts[3]+"</p></div><div class=more>剩余 72% 的内容，成为会员后阅读全文</div>"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.ReplaceAll(a.Text, "\n", ""); got != lead {
		t.Errorf("text: got %q, want %q", got, lead)
	}
	if !strings.Contains(strings.Join(a.Warnings, "\n"), "paywall:") {
		t.Errorf("warnings: got %q, want one of the paywall", a.Warnings)
	}
	// A stub with a summary in the feed is that summary.
	p := htmlPage("v", "<title>封测业的涨价潮</title><h1>封测业的涨价潮</h1><div><p>多家封装厂表示，将上调报价。</p></div><div>登录后查看全文</div>")
	p.Entry = &news.FeedEntry{Title: "封测业的涨价潮", Summary: lead}
	if a, err = x.Extract(p); err != nil || a.Text != lead || !strings.Contains(strings.Join(a.Warnings, "\n"), "summary-only:") {
		t.Errorf("got %+v, %v, want the feed's summary", a, err)
	}
}
