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
