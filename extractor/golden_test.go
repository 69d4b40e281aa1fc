package extractor

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"

	"xinwen/news"
)

var update = flag.Bool("update", false, "write the golden files anew")

var fetched = time.Date(2025, 11, 17, 4, 0, 0, 0, time.UTC)

// goldenPages are the pages of testdata, one for each fault that templates in
// the wild have. The files are UTF-8; Encoding is what the bytes are turned
// into before they are extracted.
var goldenPages = []struct {
	File     string
	URL      string
	Encoding encoding.Encoding
	Page     news.Page
}{
	{File: "portal/td-br", URL: "http://finance.xinhuo.example/20251103/0912.html", Encoding: simplifiedchinese.GBK},
	{File: "wechat/nested-sections", URL: "https://mp.weixin.example/s/abc"},
	{File: "gov/table", URL: "https://www.linjiang.example/zwgk/content_5712.htm"},
	{File: "eepw/keyword-links", URL: "https://www.dianzi.example/article/202511/1234.htm"},
	{File: "digitimes/byline", URL: "https://www.xidao.example/tech/dt/n/shwnws.asp?id=0000736"},
	{File: "feed/summary-only", URL: "https://app.haiyue.example/n/77", Page: news.Page{Entry: &news.FeedEntry{
		Title: "海岳微电子完成B轮融资", Summary: "海岳微电子宣布完成4亿元B轮融资，资金将用于扩建碳化硅产线。", Authors: []string{"方知行"},
		Published: time.Date(2025, 11, 16, 2, 0, 0, 0, time.UTC),
	}}},
	{File: "flash/one-sentence", URL: "https://kx.xinhuo.example/20251105/1.html"},
	{File: "hant/roc-date", URL: "https://www.xidao-park.example/news/1140"},
	{File: "relative/hours-ago", URL: "https://night.example/p/31"},
	{File: "broken/unclosed-tags", URL: "https://www.jingyuan.example/n/12"},
	{File: "charset/lying", URL: "https://www.jingyuan.example/n/13", Page: news.Page{ContentType: "text/html; charset=gbk"}},
	{File: "charset/big5", URL: "https://www.xidao.example/n/14", Encoding: traditionalchinese.Big5},
	{File: "amp/canonical", URL: "https://www.waferledger.example/amp/2025/10/larkspur-tapes-out?utm_source=x"},
	{File: "english/newsletter-box", URL: "https://www.waferledger.example/2025/09/memory-contracts"},
	{File: "copyright/no-date", URL: "https://www.xinhuo.example/wiki/clean"},
	{File: "blog/several-posts", URL: "https://blog.example/yuanzhou"},
	{File: "spam/around", URL: "https://www.xinhuo.example/chip/20251011.html"},
	{File: "gaps/lost-links", URL: "https://cj.beiyu.example/a/5521.html"},
	{File: "endless/three-articles", URL: "https://www.xinhuo.example/story/771"},
	{File: "paged/first", URL: "https://www.jitai.example/d/content_88.htm", Encoding: simplifiedchinese.GBK},
	{File: "hidden/inside-text", URL: "https://www.beiyu.example/n/9"},
	{File: "ranking/inside-node", URL: "https://auto.xinhuo.example/c/2025-11-06/doc-1.shtml"},
	{File: "disclaimer/tail", URL: "https://www.xinhuo.example/n/881"},
	{File: "mixed/scripts", URL: "https://forum.example/t/30"},
	{File: "charset/encoded-twice", URL: "https://www.jingyuan.example/n/15"},
	{File: "charset/gbk-says-utf8", URL: "https://www.linjiang.example/n/16", Encoding: simplifiedchinese.GBK, Page: news.Page{ContentType: "text/html; charset=utf-8"}},
	{File: "jsonld/body", URL: "https://www.jitai.example/a/3001"},
	{File: "quotes/nested", URL: "https://www.xidao.example/essay/12"},
	{File: "images/captions", URL: "https://www.xinhuo.example/photo/20251020.html"},
	{File: "table/financials", URL: "https://www.xinhuo.example/n/905"},
	{File: "notes/footnotes", URL: "https://www.waferledger.example/2025/03/wafer-cost"},
	{File: "live/entries", URL: "https://live.xinhuo.example/20251114"},
	{File: "pdf/stub", URL: "https://gxj.linjiang.example/bg/t20250910_81.html"},
	{File: "interview/questions", URL: "https://www.jitai.example/a/2977"},
	{File: "english/agency", URL: "https://www.waferledger.example/autos/larkspur-order"},
	{File: "hant/agency-line", URL: "https://www.xidao-news.example/af/202511150001.aspx"},
	{File: "flash/list", URL: "https://kx.xinhuo.example/20251117/77.html"},
	{File: "fullwidth/date", URL: "https://www.linjiang.example/rb/440"},
	{File: "broken/nested-tables", URL: "http://old.xinhuo.example/news/1203.htm", Encoding: simplifiedchinese.GBK},
	{File: "press/release", URL: "https://www.haiyue.example/press/8-inch"},
	{File: "mobile/folded", URL: "https://m.xinhuo.example/n/2025/8801.html"},
	{File: "plain/text", URL: "https://www.xinhuo.example/n/txt/7.txt", Page: news.Page{ContentType: "text/plain; charset=utf-8"}},
	{File: "ruby/marks", URL: "https://www.xidao.example/essay/13"},
	{File: "pre/lines", URL: "https://www.xinghe.example/notice/14"},
	{File: "related/middle", URL: "https://www.xinhuo.example/n/940"},
	{File: "comments/longer", URL: "https://www.xinhuo.example/renwu/3"},
	{File: "list/numbered", URL: "https://packaging.example/five-things"},
}

func goldenPage(t testing.TB, i int) *news.Page {
	t.Helper()
	c := goldenPages[i]
	body, err := os.ReadFile(filepath.Join("testdata", c.File+".html"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Encoding != nil {
		if body, err = c.Encoding.NewEncoder().Bytes(body); err != nil {
			t.Fatal(err)
		}
	}
	p := c.Page
	p.Version, p.URL, p.Status, p.Source, p.Fetched, p.Body = news.Version, c.URL, 200, "test", fetched, body
	return &p
}

func newExtractor(t testing.TB, o Options) *Extractor {
	t.Helper()
	x, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func TestExtractGoldenPages(t *testing.T) {
	x := newExtractor(t, Options{})
	for i, c := range goldenPages {
		t.Run(strings.ReplaceAll(c.File, "/", "_"), func(t *testing.T) {
			p := goldenPage(t, i)
			p.Fast = true // entities have tests of their own
			a, err := x.Extract(p)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			enc := json.NewEncoder(&got)
			enc.SetEscapeHTML(false)
			enc.SetIndent("", "  ")
			if err := enc.Encode(a); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", c.File+".golden.json")
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatalf("%v; run go test -update and read what it writes", err)
			}
			if diff := cmp.Diff(got.String(), string(want)); diff != "" {
				t.Errorf("article differs (-got +want):\n%s", diff)
			}
			again, err := x.Extract(p)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(again, a); diff != "" {
				t.Errorf("second extraction differs (-got +want):\n%s", diff)
			}
		})
	}
}
