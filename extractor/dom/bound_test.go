package dom_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"xinwen/extractor/dom"
)

// formattingBomb leaves elements open that the HTML5 parser opens again in every
// one of so many blocks.
func formattingBomb(open, blocks int, between string) string {
	var b strings.Builder
	b.WriteString("<body><p>正文第一段。</p><div>")
	for i := range open {
		fmt.Fprintf(&b, "<font a%d>", i)
	}
	b.WriteString("</div>")
	for range blocks {
		b.WriteString("<div>x</div>" + between)
	}
	b.WriteString("<p>正文最后一段。</p>")
	return b.String()
}

// TestPagesThatGrowStaySmall parses pages of which a parser could make gigabytes.
func TestPagesThatGrowStaySmall(t *testing.T) {
	for _, c := range []struct{ name, page, last string }{
		{"formatting", formattingBomb(400, 15_000, ""), "正文最后一段。"},
		{"formatting-hidden-ends", formattingBomb(400, 15_000, "<!--</font></font></font>-->"), "正文最后一段。"},
		{"formatting-in-script", formattingBomb(400, 15_000, "<script>'</font>'</script>"), "正文最后一段。"},
		{"formatting-in-paragraphs", strings.NewReplacer("<div>x</div>", "<p>x", "<div>", "<p>", "</div>", "").Replace(formattingBomb(400, 15_000, "")), "正文最后一段。"},
		{"formatting-in-cells", strings.NewReplacer("<div>x</div>", "<li>x", "<div>", "<li>", "</div>", "").Replace(formattingBomb(400, 15_000, "")), "正文最后一段。"},
		{"formatting-around-breaks", strings.ReplaceAll(formattingBomb(400, 7_000, ""), "<div>x</div>", "<div><br></div><div><img></div>"), "正文最后一段。"},
		{"tags", "<p>正文第一段。</p>" + strings.Repeat("<p>", 3<<20), "正文第一段。"},
		{"breaks", "<p>正文第一段。</p>" + strings.Repeat("<br>", 2<<20), "正文第一段。"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			d := dom.Parse(c.page)
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > 512<<20 {
				t.Errorf("allocated %d MiB for a page of %d KiB, want less than 512", got>>20, len(c.page)>>10)
			}
			found := false
			for _, b := range d.Blocks {
				found = found || strings.Contains(b.Text, c.last)
			}
			if !found {
				t.Errorf("%q is not among %d blocks", c.last, len(d.Blocks))
			}
		})
	}
}

// TestUnclosedEmphasisIsParsedAsEver holds that an old page with a few elements
// left open is not taken for one that grows.
func TestUnclosedEmphasisIsParsedAsEver(t *testing.T) {
	page := formattingBomb(20, 2000, "")
	want, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var a, b strings.Builder
	d := dom.Parse(page)
	if html.Render(&a, want) != nil || html.Render(&b, d.Root) != nil || a.String() != b.String() || d.Rebuilt {
		t.Errorf("parsed otherwise than by HTML5, rebuilt: %v", d.Rebuilt)
	}
}
