package part

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/extractor/dom"
)

const prose = "<p>封装厂表示，由于金价和基板价格上涨，将从明年一月起上调报价，幅度约为百分之五。</p>"

// find returns the series of a page whose article is its first two blocks.
func find(address, after string) Series {
	return Find(dom.Parse("<h1>上调报价</h1>"+prose+after), address, "", []int{0, 1})
}

func links(of ...string) string {
	var b strings.Builder
	for i := 0; i < len(of); i += 2 {
		fmt.Fprintf(&b, `<a href="%s">%s</a> `, of[i], of[i+1])
	}
	return "<div>" + b.String() + "</div>"
}

func TestFind(t *testing.T) {
	const host = "http://a.example"
	pages := func(addresses ...string) (all []Page) {
		for i, a := range addresses {
			all = append(all, Page{Number: i + 2, URL: host + a})
		}
		return all
	}
	for _, c := range []struct {
		name, url, after string
		want             Series
	}{
		{"numbers", "/n/12.html", links("/n/12_2.html", "2", "/n/12_3.html", "3", "/n/12_2.html", "下一页"), Series{Number: 1, Further: pages("/n/12_2.html", "/n/12_3.html")}},
		{"brackets", "/n/12.html", links("/n/12-2.html", "[2]", "/n/12-3.html", "[3]"), Series{Number: 1, Further: pages("/n/12-2.html", "/n/12-3.html")}},
		{"next-alone", "/n/12.html", links("12_2.html", "下一页 »"), Series{Number: 1, Further: pages("/n/12_2.html")}},
		{"traditional", "/n/12.html", links("12_2.html", "下一頁"), Series{Number: 1, Further: pages("/n/12_2.html")}},
		{"named", "/n/12.html", links("12_2.html", "第2页：封装", "12_3.html", "第3页：测试"), Series{Number: 1, Further: pages("/n/12_2.html", "/n/12_3.html")}},
		{"query", "/n?id=7", links("/n?id=7&page=2", "2", "/n?id=7&page=2", "Next page"), Series{Number: 1, Further: pages("/n?id=7&page=2")}},
		{"folder", "/story/foo", links("/story/foo/2", "2", "/story/foo/3", "3"), Series{Number: 1, Further: pages("/story/foo/2", "/story/foo/3")}},
		{"word-in-path", "/story/foo/", links("/story/foo/page/2/", "Next"), Series{Number: 1, Further: pages("/story/foo/page/2/")}},
		{"rel-next", "/story/foo", `<link rel="next" href="/story/foo?page=2">`, Series{Number: 1, Further: pages("/story/foo?page=2")}},
		{"first-has-a-number", "/n/12_1.html", links("/n/12_2.html", "2", "/n/12_1.html", "1"), Series{Number: 1, Further: pages("/n/12_2.html")}},
		{"counted-from-zero", "/n/t12.html", links("t12_1.html", "2", "t12_2.html", "3"), Series{Number: 1, Further: []Page{{1, host + "/n/t12_1.html"}, {2, host + "/n/t12_2.html"}}}},
		{"script", "/n/t2025_12.html", `<script>createPageHTML(3, 0, "t2025_12", "html");</script>`, Series{Number: 1, Further: []Page{{1, host + "/n/t2025_12_1.html"}, {2, host + "/n/t2025_12_2.html"}}}},
		{"script-on-second", "/n/t2025_12_1.html", `<script>createPageHTML(3, 1, "t2025_12", "html");</script>`, Series{First: host + "/n/t2025_12.html", Number: 1, Further: []Page{{2, host + "/n/t2025_12_2.html"}}}},
		{"second", "/n/12_2.html", links("/n/12.html", "1", "/n/12_3.html", "3"), Series{First: host + "/n/12.html", Number: 2, Further: []Page{{3, host + "/n/12_3.html"}}}},
		{"second-with-words", "/story/foo/2", links("/story/foo", "Previous page", "/story/foo/3", "Next page"), Series{First: host + "/story/foo", Number: 2, Further: []Page{{3, host + "/story/foo/3"}}}},
		{"third-without-first", "/n/12_3.html", links("/n/12_2.html", "上一页", "/n/12_4.html", "下一页"), Series{Number: 3, Further: []Page{{4, host + "/n/12_4.html"}}}},

		{"next-article", "/n/12.html", links("/n/13.html", "下一篇", "/n/14.html", "下一页"), Series{}},
		{"next-post", "/2025/11/foo/", `<link rel="next" href="/2025/11/bar/">`, Series{}},
		{"other-host", "/n/12.html", links("http://b.example/n/12_2.html", "2"), Series{}},
		{"comments", "/n/12.html", `<div class="comment-list">` + links("/n/12?page=2", "2", "/n/12_2.html", "2") + `</div>`, Series{}},
		{"number-is-another", "/n/12.html", links("/n/12_7.html", "2"), Series{}},
		{"words-only", "/n/12.html", links("/n/12_2.html", "图集"), Series{}},
		{"article-with-a-number", "/n/2025-2.html", links("/n/2025-1.html", "上一篇", "/n/2025-3.html", "下一篇"), Series{}},
		{"list-link", "/n/2", links("/n", "新闻", "/n/3", "下一篇"), Series{}},
		{"itself", "/n/12.html", links("/n/12.html", "1", "#p2", "2"), Series{}},
		{"no-script-call", "/n/12.html", `<script>createPageHTML(pages, 0);</script>`, Series{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(find(host+c.url, c.after), c.want); diff != "" {
				t.Errorf("series differs (-got +want):\n%s", diff)
			}
		})
	}
}

func TestAListHasNoParts(t *testing.T) {
	teaser := `<h2><a href="/p/%d">存储价格连涨三个月，还要涨到什么时候</a></h2><p>一季度的合约价将再涨一成，模组厂说。</p>`
	html := ""
	for i := range 4 {
		html += fmt.Sprintf(teaser, i)
	}
	d := dom.Parse(html + links("/blog?page=2", "2", "/blog?page=2", "下一页"))
	if got := Find(d, "http://a.example/blog", "", []int{0, 1, 2, 3, 4, 5, 6, 7}); len(got.Further) > 0 {
		t.Errorf("got %+v, want none", got)
	}
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		first, address string
		want           int
	}{
		{"http://a.example/n/12.html", "http://a.example/n/12_2.html", 2},
		{"http://a.example/n/12.html", "https://a.example/n/12_2.html", 2},
		{"http://a.example/n/12_1.html", "http://a.example/n/12_3.html", 3},
		{"http://a.example/n/12", "http://a.example/n/12?page=4", 4},
		{"http://a.example/n/12.html", "http://a.example/n/12.html", 0},
		{"http://a.example/n/12.html", "http://b.example/n/12_2.html", 0},
		{"http://a.example/n/12.html", "http://a.example/n/13.html", 0},
		{"http://a.example/n/12_2.html", "http://a.example/n/12_1.html", 0},
		{"::", "http://a.example/n/12_1.html", 0},
		{"http://a.example/n", "::", 0},
	} {
		if got, ok := Number(c.first, c.address); got != c.want || ok != (c.want > 0) {
			t.Errorf("Number(%q, %q): got %d, %v, want %d", c.first, c.address, got, ok, c.want)
		}
	}
}

func TestJoinIsBounded(t *testing.T) {
	var many []Page
	for n := 90; n > 1; n-- {
		many = append(many, Page{Number: n, URL: fmt.Sprint("http://a.example/", n)})
	}
	got := Join(many[:40], many)
	if len(got) != Max || got[0].Number != 2 || got[Max-1].Number != Max+1 {
		t.Errorf("got %v, want the first %d pages in order", got, Max)
	}
}

func FuzzFind(f *testing.F) {
	f.Add("http://a.example/n/12.html", "12_2.html", "下一页")
	f.Add("http://a.example/n?page=1", "?page=2", "2")
	f.Add("http://a.example/%2f_1/", "%zz", "[3]")
	f.Fuzz(func(t *testing.T, address, href, text string) {
		s := find(address, links(href, text))
		if len(s.Further) > Max {
			t.Errorf("%d pages", len(s.Further))
		}
		for _, p := range s.Further {
			if p.URL == address || p.URL == s.First {
				t.Errorf("%q leads to itself", address)
			}
		}
	})
}
