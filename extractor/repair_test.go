package extractor

import (
	"encoding/json"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/simplifiedchinese"

	"xinwen/news"
)

const repairBody = `<p>星河半导体昨日宣布，位于临江的二期晶圆厂正式动工，总投资约180亿元，<a href="/k/price.html">代工价格</a>在明年上半年仍有压力。</p>
<p>业内人士认为，成熟制程的扩产速度快于需求，客户大多接受新的报价，交期从六个月拉长到十个月。</p>`

// utf8AsLatin1 is s as a system leaves it that took its UTF-8 for Latin-1.
func utf8AsLatin1(t *testing.T, s string) string {
	t.Helper()
	out, err := charmap.ISO8859_1.NewDecoder().String(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDoubleEncodedTextIsPutRight(t *testing.T) {
	gbk, err := simplifiedchinese.GBK.NewEncoder().String("星河半导体二期晶圆厂动工")
	if err != nil {
		t.Fatal(err)
	}
	page := func(title, body string) string {
		return "<html><head><meta charset=utf-8><title>" + title + "</title></head><body><h1>" + title + "</h1><p>2025-11-03 09:12</p>" + body + "</body></html>"
	}
	for _, c := range []struct{ name, html string }{
		{"whole-page", utf8AsLatin1(t, page("星河半导体二期晶圆厂动工", repairBody))},
		{"title-alone", page(utf8AsLatin1(t, "星河半导体二期晶圆厂动工"), repairBody)},
		{"title-from-gbk", page(utf8AsLatin1(t, gbk), repairBody)},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := newExtractor(t, Options{}).Extract(htmlPage("twice", c.html))
			if err != nil {
				t.Fatal(err)
			}
			if a.Title != "星河半导体二期晶圆厂动工" || !strings.HasPrefix(a.Text, "星河半导体昨日宣布") {
				t.Errorf("got %q, %.40q", a.Title, a.Text)
			}
			if !strings.Contains(strings.Join(a.Warnings, "\n"), "double-encoded:") {
				t.Errorf("warnings: got %q, want double-encoded", a.Warnings)
			}
			runes := []rune(a.Text)
			for _, l := range a.Links {
				if got := string(runes[l.Start:l.End]); got != "代工价格" || l.Text != got {
					t.Errorf("link: got %q at %d to %d, want 代工价格", got, l.Start, l.End)
				}
			}
			if len(a.Links) != 1 {
				t.Errorf("got %d links, want 1", len(a.Links))
			}
		})
	}
}

func TestDoubleEncodedFeedAndImportArePutRight(t *testing.T) {
	x := newExtractor(t, Options{})
	p := htmlPage("feed", "<html><body>"+repairBody+"</body></html>")
	p.Entry = &news.FeedEntry{Title: utf8AsLatin1(t, "星河半导体二期晶圆厂动工")}
	a, err := x.Extract(p)
	if err != nil {
		t.Fatal(err)
	}
	if a.Title != "星河半导体二期晶圆厂动工" || p.Entry.Title == a.Title {
		t.Errorf("got title %q and entry %q; want the title put right, the page as it was", a.Title, p.Entry.Title)
	}
	line, err := json.Marshal(news.ImportedArticle{ID: "1", Title: utf8AsLatin1(t, "星河动工"), Text: utf8AsLatin1(t, "星河半导体昨日宣布动工。")})
	if err != nil {
		t.Fatal(err)
	}
	a, err = x.Extract(&news.Page{Version: news.Version, ContentType: news.ArticleContentType, Body: line})
	if err != nil {
		t.Fatal(err)
	}
	if a.Title != "星河动工" || a.Text != "星河半导体昨日宣布动工。" || len(a.Warnings) != 1 {
		t.Errorf("got %q, %q, %q", a.Title, a.Text, a.Warnings)
	}
}
