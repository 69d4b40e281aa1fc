package boilerplate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/extractor/dom"
)

func find(html string, h Hints) []string {
	d := dom.Parse(html)
	var out []string
	for _, i := range Find(d, h).Blocks {
		out = append(out, d.Blocks[i].Text)
	}
	return out
}

const (
	first  = "封装厂表示，由于金价和基板价格上涨，将从明年一月起上调报价。"
	second = "设备厂的订单已经排到后年，新机台的交期从六个月拉长到十个月。"
)

func p(s ...string) string { return "<p>" + strings.Join(s, "</p><p>") + "</p>" }

func TestFindPicksTheArticleAndPrunesTheRest(t *testing.T) {
	both := []string{first, second}
	for _, c := range []struct {
		name, html string
		want       []string
	}{
		{"navigation", `<ul class="nav"><li><a href="/">首页</a><li><a href="/a">半导体新闻</a></ul><h1>上调报价</h1>` + p(first, second), both},
		{"related", `<h1>上调报价</h1><div>` + p(first, second) + `<h3>相关阅读</h3><ul><li><a href="/1">封测厂淡季不淡，稼动率走高</a></li><li><a href="/2">设备商接单畅旺</a></li></ul></div>`, both},
		{"related-without-links", `<h1>上调报价</h1><div>` + p(first, second) + `</div><div><h3>延伸閱讀</h3><p>封测厂淡季不淡，稼动率走高</p></div>`, both},
		{"related-in-the-middle", `<h1>上调报价</h1><div>` + p(first) + `<div class="related"><h3>更多报道</h3><a href="/1">封测厂淡季不淡，稼动率走高</a></div>` + p(second) + `</div>`, both},
		{"read-more-line", `<h1>上调报价</h1><div>` + p(first, `更多阅读：<a href="/1">封测厂淡季不淡</a>`, second) + `</div>`, both},
		{"comments", `<h1>上调报价</h1><div>` + p(first, second) + `</div><div id="comments"><p>说得很对，我们厂也收到了涨价通知，幅度还要更大一些。</p></div>`, both},
		{"comments-by-heading", `<h1>上调报价</h1><div>` + p(first, second) + `</div><div><h3>网友评论</h3><p>说得很对，我们厂也收到了通知。</p></div>`, both},
		{"disclaimer", `<h1>上调报价</h1><div>` + p(first, second, "免责声明：本文仅代表作者个人观点，与本网无关，请读者仅作参考。") + `</div>`, both},
		{"editor-line", `<h1>上调报价</h1><div>` + p(first, second, "（责任编辑：周未）") + `</div>`, both},
		{"consent", `<div id="cookie-consent">` + p(strings.Repeat("我们使用小型文本文件来改善体验，并与合作伙伴共享数据。", 10)) + `</div><h1>上调报价</h1>` + p(first, second), both},
		{"ranking-in-a-column", `<table><tr><td><h1>上调报价</h1>` + first + `<br>` + second + `</td><td>热点排行<br><a href="/1">一周芯片要闻回顾，谁涨了</a><br><a href="/2">存储价格连涨三个月，还要涨</a></td></tr></table>`, both},
		{"wrong-class-name", `<div class="sidebar-related"><h1>上调报价</h1>` + p(first, second) + `</div>`, both},
		{"all-names-mislead", `<div class="comment"><div class="related">` + p(first, second) + `</div></div>`, both},
		{"hidden-until-script", `<div style="display:none"><h1>上调报价</h1>` + p(first, second, first+"一", second+"二", first+"三", second+"四", first+"五", second+"六", first+"七") + `</div>`, []string{first, second, first + "一", second + "二", first + "三", second + "四", first + "五", second + "六", first + "七"}},
		{"short-flash", `<ul><li><a href="/1">首页</a></li></ul><h1>海关查获走私芯片</h1><div>海关今日通报，查获走私芯片三万枚。</div>`, []string{"海关今日通报，查获走私芯片三万枚。"}},
		{"list-in-article", `<h1>上调报价</h1><div>` + p(first) + `<ul><li>打线封装：百分之五</li><li>覆晶封装：百分之八</li></ul>` + p(second) + `</div>`, []string{first, "打线封装：百分之五", "覆晶封装：百分之八", second}},
		{"heading-in-article", `<h1>上调报价</h1><div>` + p(first) + `<h2>设备</h2>` + p(second) + `</div>`, []string{first, "设备", second}},
		{"sentence-with-a-date", `<h1>上调报价</h1><div>` + p(first, "2025年11月3日，封装厂上调报价。", second) + `</div>`, []string{first, "2025年11月3日，封装厂上调报价。", second}},
		{"pager", `<h1>上调报价</h1><div>` + p(first, second) + `<p>[1] <a href="/1_2.html">[2]</a> <a href="/1_2.html">下一页</a> 共2页</p></div>`, both},
		{"folded", `<h1>上调报价</h1><div>` + p(first) + `<div style="display:none">` + p(second) + `</div><a class="more">展开全文</a></div>`, both},
		{"hidden-without-control", `<h1>上调报价</h1><div>` + p(first) + `<div style="display:none">` + p(second) + `</div><a class="more">更多新闻</a></div>`, []string{first}},
		{"list-of-flashes", `<h1>上调报价</h1><div>` + p(first) + `</div><div><h2>最新快讯</h2><ul><li>海岳微电子：拟投资六亿元建设封装基地，分两期实施。</li><li>临江海关：前十月集成电路出口增长一成四，进口下降百分之二。</li></ul></div>`, []string{first}},
		{"rules-of-the-house", `<h1>上调报价</h1><div class="a">` + p(first) + `</div><div class="b"><h4>留言规则</h4>` + p("本站对留言系统使用者发布的文字、图片保有修改或移除的权利，使用时表示已经同意下述规定。", "请勿重复发表内容相同或者类似的留言，也不要发表与主题无关的内容。") + `</div>`, []string{first}},
		{"date-line", `<h1>上调报价</h1><div id="artibody"><div>2025年11月06日 13:20 晶圆观察</div>` + p(first, second) + `</div>`, both},
		{"byline", `<h1>Prices rise</h1><p>By Ines Marlow</p><p>Several packaging houses say they will charge more from January.</p><p>Customers said they had expected it.</p>`, []string{"Several packaging houses say they will charge more from January.", "Customers said they had expected it."}},
		{"second-article", `<div><h1 class="t">上调报价</h1>` + p(first, second, first+"一", second+"二", first+"三") + `</div><div><h1 class="t">另一篇</h1>` + p("这是另一篇文章的第一段，讲的是别的事情，和上面没有关系。") + `</div>`, []string{first, second, first + "一", second + "二", first + "三"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(find(c.html, Hints{}), c.want); diff != "" {
				t.Errorf("body differs (-got +want):\n%s", diff)
			}
		})
	}
}

func TestParagraphOfLinksWithASentenceIsKept(t *testing.T) {
	var links strings.Builder
	for _, w := range []string{"碳化硅", "氮化镓", "车规芯片", "功率模块", "晶圆代工"} {
		links.WriteString(`<a href="/k">` + w + `</a>、`)
	}
	html := `<h1>功率器件的下一站</h1><div>` + p(first, links.String()+"都将在明年扩产。", second) + `</div>`
	if got := strings.Join(find(html, Hints{}), "\n"); !strings.Contains(got, "碳化硅、氮化镓、车规芯片、功率模块、晶圆代工、都将在明年扩产。") {
		t.Errorf("got %q, want the paragraph of links kept", got)
	}
}

func TestFindOnNothing(t *testing.T) {
	for _, html := range []string{"", "<p></p>", "<script>x</script>", "<a href=/>首页</a>"} {
		if got := find(html, Hints{}); len(got) != 0 {
			t.Errorf("%q: got %q, want nothing", html, got)
		}
	}
}

func FuzzFind(f *testing.F) {
	f.Add("<div class=related><p>一，二。<h1>三<td>四，五。")
	f.Fuzz(func(t *testing.T, s string) {
		d := dom.Parse(s)
		last := -1
		for _, i := range Find(d, Hints{Title: "一"}).Blocks {
			if i <= last || i >= len(d.Blocks) {
				t.Fatalf("block %d after %d of %d", i, last, len(d.Blocks))
			}
			last = i
		}
	})
}
