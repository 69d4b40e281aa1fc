package dom

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

func texts(d *Document) []string {
	var out []string
	for i := range d.Blocks {
		if !d.Blocks[i].Hidden {
			out = append(out, d.Blocks[i].Text)
		}
	}
	return out
}

func TestBlocksFollowWhatAReaderSees(t *testing.T) {
	for _, c := range []struct {
		name, html string
		want       []string
	}{
		{"inline-joins", `<p>台积<a href="/a">电</a><b>与</b><span>三星</span></p>`, []string{"台积电与三星"}},
		{"line-break-in-han", "<p>先进\n  封装的\n产能</p>", []string{"先进封装的产能"}},
		{"line-break-in-latin", "<p>advanced\n  packaging</p>", []string{"advanced packaging"}},
		{"break-tag", "<td>第一段。<br><br>第二段。</td>", []string{"第一段。", "第二段。"}},
		{"blocks", "<div>一<p>二</p>三</div>", []string{"一", "二", "三"}},
		{"silent", "<p>一<script>x</script><style>y</style><!-- z --></p><select><option>o</option></select>", []string{"一"}},
		{"hidden-block", `<div style="display: none">no</div><p hidden>no</p><p>yes</p>`, []string{"yes"}},
		{"hidden-inline", `<p>良率<span style="display:none">tip</span>九成</p>`, []string{"良率九成"}},
		{"popover", `<p>议员<span class="rollover"><a href="/p">林远舟</a><span class="rollover-box"><b>相关：</b>旧闻一则</span></span>表示</p>`, []string{"议员林远舟表示"}},
		{"preformatted", "<pre>a\nb</pre>", []string{"a", "b"}},
		{"zero-width", "<p>a\u200bb\u00adc\ufeff</p>", []string{"abc"}},
		{"link-around-blocks", `<a href="/x"><div>一</div><div>二</div></a>`, []string{"一", "二"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(texts(Parse(c.html)), c.want); diff != "" {
				t.Errorf("blocks differ (-got +want):\n%s", diff)
			}
		})
	}
}

func TestLinksAndCutsAreOffsetsInTheBlock(t *testing.T) {
	d := Parse(`<p>来源：<a href="/x">新华社</a> <span>作者</span>：张三</p>`)
	b := d.Blocks[0]
	if len(b.Links) != 1 || b.Text[b.Links[0].Start:b.Links[0].End] != "新华社" || b.Links[0].Href != "/x" {
		t.Errorf("links: got %+v in %q", b.Links, b.Text)
	}
	var parts []string
	last := 0
	for _, c := range append(b.Cuts, len(b.Text)) {
		if s := strings.TrimSpace(b.Text[last:c]); s != "" {
			parts = append(parts, s)
		}
		last = c
	}
	if diff := cmp.Diff(parts, []string{"来源：", "新华社", "作者", "：张三"}); diff != "" {
		t.Errorf("parts differ (-got +want):\n%s", diff)
	}
	if b.Units != 9 || b.LinkUnits != 3 {
		t.Errorf("units: got %v and %v in links, want 9 and 3", b.Units, b.LinkUnits)
	}
}

func TestEveryElementCoversItsBlocks(t *testing.T) {
	d := Parse(`<div id=a><p>一</p><div id=b><p>二</p><p>三 <i>x</i></p></div></div><p>四</p>`)
	got := make(map[string][2]int)
	for _, e := range d.Elements {
		if id := Attr(e.Node, "id"); id != "" {
			got[id] = [2]int{e.First, e.End}
		}
	}
	if diff := cmp.Diff(got, map[string][2]int{"a": {0, 3}, "b": {1, 3}}); diff != "" {
		t.Errorf("ranges differ (-got +want):\n%s", diff)
	}
}

func TestParseRebuildsWhatTheParserRefuses(t *testing.T) {
	for _, c := range []struct {
		name, html string
		want       []string
	}{
		{"inline", strings.Repeat("<b>", 600) + "<p>一<p>二<ul><li>三<li>四</ul>", []string{"一", "二", "三", "四"}},
		{"blocks", strings.Repeat("<div>", 600) + "<p>一</p><table><tr><td>二<td>三</table>", []string{"一", "二", "三"}},
		{"closed", strings.Repeat("<div>", 600) + "一<p>二</p>" + strings.Repeat("</div>", 600) + "<p>三</p>", []string{"一", "二", "三"}},
		{"void", strings.Repeat("<i>", 600) + "一<br>二<img src=x>三", []string{"一", "二三"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := Parse(c.html)
			if !d.Rebuilt {
				t.Error("the fallback parser was not used")
			}
			if diff := cmp.Diff(texts(d), c.want); diff != "" {
				t.Errorf("blocks differ (-got +want):\n%s", diff)
			}
			if n := depth(d.Root); n > maxDepth+3 {
				t.Errorf("depth: got %d, want at most %d", n, maxDepth+3)
			}
		})
	}
}

func depth(n *html.Node) int {
	most := 0
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		most = max(most, depth(c))
	}
	return most + 1
}

func TestParseCutsWhatIsTooLong(t *testing.T) {
	d := Parse("<p>一</p>" + strings.Repeat(" ", MaxBytes))
	if !d.Truncated || len(d.Blocks) != 1 {
		t.Errorf("got truncated %v and %d blocks, want true and 1", d.Truncated, len(d.Blocks))
	}
}

func TestPlainTextHasOneBlockALine(t *testing.T) {
	if diff := cmp.Diff(texts(Plain("一\r\n\r\n  二 <b>\n")), []string{"一", "二 <b>"}); diff != "" {
		t.Errorf("blocks differ (-got +want):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("<table><a href=x><p>一<td>二</a>")
	f.Add(strings.Repeat("<font>", 520) + "</p><svg><title>")
	f.Fuzz(func(t *testing.T, s string) {
		d := Parse(s)
		for i := range d.Blocks {
			b := &d.Blocks[i]
			for _, l := range b.Links {
				if l.Start < 0 || l.End > len(b.Text) || l.Start >= l.End {
					t.Errorf("link %+v outside %q", l, b.Text)
				}
			}
			if b.Element >= len(d.Elements) || b.Text == "" {
				t.Errorf("block %d: element %d of %d, text %q", i, b.Element, len(d.Elements), b.Text)
			}
		}
		for _, e := range d.Elements {
			if e.First > e.End || e.End > len(d.Blocks) {
				t.Errorf("element %s covers %d to %d of %d", e.Node.Data, e.First, e.End, len(d.Blocks))
			}
		}
	})
}

func TestPicturesAndLostLinks(t *testing.T) {
	d := Parse(`<p>一<img src="/a.png">二</p><img data-src="/b.png" src="data:image/gif;base64,R0"><p hidden><img srcset="/c.png 2x, /d.png"></p>
<p>多家云厂商把<a href="/x"></a>的租金，<a href="#top"></a>下调<a class="icon" href="/y"></a>了<a href="/z"><img src="/e.png"></a>一成</p><p><a href="https://b.example/"></a>在财报里说</p><p></p>`)
	var got []string
	for _, m := range d.Images {
		got = append(got, fmt.Sprintf("%s@%d hidden=%v", Source(m.Node), m.At, m.Hidden))
	}
	want := []string{"/a.png@1 hidden=false", "/b.png@1 hidden=false", "/c.png@1 hidden=true", "/e.png@2 hidden=false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pictures differ (-want +got):\n%s", diff)
	}
	gaps := make(map[string][]int)
	for i := range d.Blocks {
		gaps[d.Blocks[i].Text] = d.Blocks[i].Gaps
	}
	if diff := cmp.Diff(map[string][]int{"一二": nil, "多家云厂商把的租金，下调了一成": {len("多家云厂商把")}, "在财报里说": {0}}, gaps); diff != "" {
		t.Errorf("lost links differ (-want +got):\n%s", diff)
	}
}

func TestNumbersOfFootnotesAreNoText(t *testing.T) {
	d := Parse(`<p>产能为四万片<sup><a href="#n1">1</a></sup>，面积为300mm<sup>2</sup>，见<sup><a href="/list">3</a></sup>。<q>好</q></p>`)
	if got, want := d.Blocks[0].Text, "产能为四万片，面积为300mm2，见3。“好”"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFoldKeepsLettersAndDigits(t *testing.T) {
	for s, want := range map[string]string{"A16 节点：Größe, №7 ½!": "a16节点größe7½", "\xffx\x00Y": "xy", "": ""} {
		if got := Fold(s); got != want {
			t.Errorf("%q: got %q, want %q", s, got, want)
		}
	}
}
