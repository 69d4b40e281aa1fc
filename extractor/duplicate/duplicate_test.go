package duplicate

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"xinwen/news/han"
)

const report = `晶圆代工厂星河半导体昨日宣布，位于临江的二期工厂正式动工，总投资约一百八十亿元，预计两年后试产，月产能四万片。
公司董事长在仪式上表示，成熟制程的需求来自汽车、工业和电源管理，客户已经预订了一半的产能，但没有透露名单。
业内人士认为，扩产速度快于需求，代工价格在明年上半年仍有压力，而设备的交期正在拉长，真正的产能要到后年才会出现。`

func TestIndexFindsCopies(t *testing.T) {
	runes := []rune(report)
	for _, c := range []struct {
		name, text string
		want       bool
	}{
		{"exact", report, true},
		{"white-space", strings.ReplaceAll(report, "\n", "\n\n　　"), true},
		{"traditional", "晶圓代工廠星河半導體昨日宣布，位於臨江的二期工廠正式動工，總投資約一百八十億元，預計兩年後試產，月產能四萬片。\n公司董事長在儀式上表示，成熟製程的需求來自汽車、工業和電源管理，客戶已經預訂了一半的產能，但沒有透露名單。\n業內人士認為，擴產速度快於需求，代工價格在明年上半年仍有壓力，而設備的交期正在拉長，真正的產能要到後年才會出現。", true},
		{"credit-added", report + "\n本文来自晶圆观察，转载请注明出处。", true},
		{"lead-only", string(runes[:70]), true},
		{"other", "海岳微电子本周公布第三季度业绩，营业收入同比增长百分之十二，净利润下降百分之三，公司把原因归于折旧增加和产品价格下滑，并维持全年指引不变。管理层说，库存已经回到正常水平，渠道的订单从九月起回升。", false},
		{"too-short", "星河半导体动工。", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := NewIndex(10)
			x.Add("first", "晶圆观察", report)
			m, got := x.Add("second", "", c.text)
			if got != c.want {
				t.Fatalf("got duplicate %v, want %v", got, c.want)
			}
			if got && (m.ID != "first" || m.Publisher != "晶圆观察") {
				t.Errorf("got %+v, want the first article", m)
			}
		})
	}
}

func TestIndexIsBoundedAndReplacesRevisions(t *testing.T) {
	x := NewIndex(5)
	for i := range 20 {
		x.Add(fmt.Sprint(i%10), "", fmt.Sprintf("%s 第%d号文件", strings.Repeat(fmt.Sprintf("字%d ", i), 40), i))
	}
	if x.Len() > 5 {
		t.Errorf("got %d articles, want at most 5", x.Len())
	}
	for range 3 {
		if m, ok := x.Add("same", "", report); ok {
			t.Errorf("a new revision is a duplicate of %s", m.ID)
		}
	}
}

type doc struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	Text  string `json:"text"`
}

// corpus reads n texts of the corpora beside the project.
func corpus(t *testing.T, name string, n int) []doc {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "corpora", name))
	if err != nil {
		t.Skip("the corpora are not beside the project")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	sc := bufio.NewScanner(z)
	sc.Buffer(nil, 16<<20)
	var out []doc
	for sc.Scan() && len(out) < n {
		var d doc
		if err := json.Unmarshal(sc.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		if len([]rune(d.Text)) > 150 {
			out = append(out, d)
		}
	}
	return out
}

// f1 adds texts and then their changed copies, and returns the F1 of the pairs
// found.
func f1(docs []doc, change func(string) string) float64 {
	x := NewIndex(4 * len(docs))
	twins := make(map[string]bool) // texts that the corpus itself has twice
	for _, d := range docs {
		if _, ok := x.Add(d.ID, "", d.Text); ok {
			twins[d.ID] = true
		}
	}
	right, wrong, all := 0.0, 0.0, 0.0
	for _, d := range docs {
		if twins[d.ID] {
			continue
		}
		all++
		m, ok := x.Add("copy "+d.ID, "", change(d.Text))
		switch {
		case ok && m.ID == d.ID:
			right++
		case ok && !twins[m.ID]:
			wrong++
		}
	}
	return 2 * right / (all + right + wrong)
}

func TestCopiesInTheCorpora(t *testing.T) {
	const n = 200
	hant, hans := corpus(t, "news-zh-hant.jsonl.gz", n), corpus(t, "news-zh-hans.jsonl.gz", n)
	r := rand.New(rand.NewPCG(7, 7))
	noise := func(s string) string {
		runes := []rune(s)
		for i := range runes {
			if r.IntN(100) < 5 {
				runes[i] = rune(0x4e00 + r.IntN(3000))
			}
		}
		return string(runes)
	}
	lead := func(s string) string {
		runes := []rune(s)
		return string(runes[:max(100, len(runes)*3/10)])
	}
	for _, c := range []struct {
		name   string
		docs   []doc
		change func(string) string
		least  float64
	}{
		{"script", hant, han.Simplify, 0.99},
		{"noise", hans, noise, 0.97},
		{"lead", hans, lead, 0.90},
	} {
		got := f1(c.docs, c.change)
		t.Logf("%s: F1 %.4f", c.name, got)
		if got < c.least {
			t.Errorf("%s: got F1 %.3f, want at least %.2f", c.name, got, c.least)
		}
	}
}

var digits = regexp.MustCompile(`[\d一二三四五六七八九十]+`)

// TestSeriesAreNotMerged adds articles whose titles differ in numbers only.
func TestSeriesAreNotMerged(t *testing.T) {
	docs := corpus(t, "news-zh-hans.jsonl.gz", 3000)
	series := make(map[string][]doc)
	for _, d := range docs {
		k := digits.ReplaceAllString(d.Title, "#")
		series[k] = append(series[k], d)
	}
	merged, all := 0, 0
	for _, l := range series {
		if len(l) < 2 {
			continue
		}
		x := NewIndex(len(l))
		shown := make(map[string]map[string]bool)
		for _, d := range l {
			all++
			shown[d.ID] = set(d.Text)
			m, ok := x.Add(d.ID, "", d.Text)
			if ok && jaccard(shown[d.ID], shown[m.ID]) < 0.3 {
				merged++
				t.Logf("merged %s with %s: %s", d.ID, m.ID, d.Title)
			}
		}
	}
	t.Logf("%d of %d articles of series merged", merged, all)
	if all > 0 && float64(merged) > 0.01*float64(all) {
		t.Errorf("got %d of %d articles of series merged, want at most 1 %%", merged, all)
	}
}

func set(s string) map[string]bool {
	m := make(map[string]bool)
	r := []rune(s)
	for i := 0; i+4 <= len(r); i++ {
		m[string(r[i:i+4])] = true
	}
	return m
}

func jaccard(a, b map[string]bool) float64 {
	n := 0
	for s := range a {
		if b[s] {
			n++
		}
	}
	return float64(n) / float64(max(1, len(a)+len(b)-n))
}

func BenchmarkAdd(b *testing.B) {
	x := NewIndex(10000)
	i := 0
	for b.Loop() {
		i++
		x.Add(fmt.Sprint(i), "", report)
	}
}
