package entity

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/news"
	"xinwen/news/han"
	"xinwen/news/lexicon"
)

// testLexicon is the built-in lexicon with entities that no file of it has, so
// that these tests do not depend on what it lists.
func testLexicon(t testing.TB) *lexicon.Lexicon {
	t.Helper()
	lex, err := loadTest()
	if err != nil {
		t.Fatal(err)
	}
	return lex
}

// loadTest reads the lexicon once for all tests.
var loadTest = sync.OnceValues(func() (*lexicon.Lexicon, error) {
	dir, err := os.MkdirTemp("", "lexicon")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	data := `
- {id: org:xinghe, en: Xinghe Semiconductor, zh_hans: 星穹河半导体, zh_hant: 星穹河半導體, aliases: [XHS半导体, {text: 星穹河, weak: true}, {text: XHQ, case: true}]}
- {id: org:quxing, en: Quxing Quantum}
- {id: product:qz100, en: QZ100 NVX9}
- {id: product:qzblade, en: Qzblade, zh_hans: 苇芯锋, zh_hant: 葦芯鋒}
- {id: tech:qzm3e, en: QZM3E}
- {id: node:zq16, en: ZQ16, aliases: [{text: ZQ16, near: [org:xinghe]}]}
- {id: product:zq16-chip, en: ZQ16 chip, aliases: [{text: ZQ16, near: [Quxing Quantum]}]}
- {id: org:weixing, en: Weixing Group, zh_hans: 苇星, aliases: [{text: 苇星, not: [苇星堆, 停牌表]}]}
`
	if err := os.WriteFile(filepath.Join(dir, "test.yaml"), []byte(data), 0o600); err != nil {
		return nil, err
	}
	return lexicon.Load(dir)
})

func TestGazetteerFindsNamesInEveryForm(t *testing.T) {
	g := New(testLexicon(t))
	for _, c := range []struct {
		name, text string
		want       []string // surface=entity
	}{
		{"hans", "据悉星穹河半导体说", []string{"星穹河半导体=org:xinghe"}},
		{"hant", "據悉星穹河半導體說", []string{"星穹河半導體=org:xinghe"}},
		{"latin-case", "said XINGHE semiconductor.", []string{"XINGHE semiconductor=org:xinghe"}},
		{"full-width", "ＱＺＭ３Ｅ很快", []string{"ＱＺＭ３Ｅ=tech:qzm3e"}},
		{"optional-space", "QZM 3E和QZ100NVX9", []string{"QZM 3E=tech:qzm3e", "QZ100NVX9=product:qz100"}},
		{"hyphen", "QZM-3E, XHS 半导体", []string{"QZM-3E=tech:qzm3e", "XHS 半导体=org:xinghe"}},
		{"word-boundary", "AQZM3E QZM3EX QZM3", nil},
		{"no-space-inside-words", "Q ZM3E Qz blade", nil},
		{"possessive", "Quxing Quantum's QZM3E", []string{"Quxing Quantum=org:quxing", "QZM3E=tech:qzm3e"}},
		{"plural", "two Qzblades", []string{"Qzblades=product:qzblade"}},
		{"model", "Qzblade X Plus and Qzblade 15 Pro, 2025", []string{"Qzblade X Plus=product:qzblade", "Qzblade 15 Pro=product:qzblade"}},
		{"model-after-han", "新款苇芯锋9000S售价", []string{"苇芯锋9000S=product:qzblade"}},
		{"no-model", "Qzblade 15% of Qzblade 2025 plus Qzblade plus", []string{"Qzblade=product:qzblade", "Qzblade=product:qzblade", "Qzblade=product:qzblade"}},
		{"case-rule", "XHQ xhq Xhq", []string{"XHQ=org:xinghe"}},
		{"longest", "星穹河半导体与星穹河", []string{"星穹河半导体=org:xinghe", "星穹河=org:xinghe"}},
		{"weak-alone", "星穹河很美", nil},
		{"near", "星穹河半导体的ZQ16", []string{"星穹河半导体=org:xinghe", "ZQ16=node:zq16"}},
		{"near-other", "Quxing Quantum ZQ16", []string{"Quxing Quantum=org:quxing", "ZQ16=product:zq16-chip"}},
		{"near-none", "ZQ16", nil},
		{"not-inside-term", "苇星堆出土，苇星上涨", []string{"苇星=org:weixing"}},
		{"not-in-article", "停牌表：苇星", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, m := range g.Annotate(c.text, Context{}) {
				if m.Entity != "" {
					got = append(got, m.Surface+"="+m.Entity)
				}
			}
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Errorf("mentions differ (-got +want):\n%s", diff)
			}
		})
	}
}

func TestAbbreviationsNeedTheirNeighbours(t *testing.T) {
	dir := t.TempDir()
	data := "- {id: place:united-states, en: United States, aliases: [{text: 美, abbrev: true}]}\n" +
		"- {id: place:japan, en: Japan, aliases: [{text: 日, abbrev: true}]}\n" +
		"- {id: place:south-korea, en: South Korea, aliases: [{text: 韩, abbrev: true}]}\n" +
		"- {id: place:taiwan, en: Taiwan, aliases: [{text: 台, abbrev: true}]}\n" +
		"- {id: place:china, en: China, aliases: [{text: 华, abbrev: true}, {text: 中, abbrev: true}]}\n"
	if err := os.WriteFile(filepath.Join(dir, "places.yaml"), []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	lex, err := lexicon.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	g := New(lex)
	for _, c := range []struct {
		text string
		want []string
	}{
		{"中美谈判，美日韩合作", []string{"中", "美", "美", "日", "韩"}},
		{"對美出口；赴日投資、全台門市", []string{"美", "日", "台"}},
		{"韓、台與美的晶圓廠", []string{"韓", "台"}},
		{"韓、台與美同意", []string{"韓", "台", "美"}},
		{"美元、美股、韩媒，对美元走强；在日前", nil},
		{"其中日企，一台机器，近日没法量产，平台在，赴美上市", []string{"美"}},
		{"对华断供；中华经济", []string{"华"}},
	} {
		var got []string
		for _, m := range g.Annotate(c.text, Context{Lang: "zh"}) {
			if m.Kind == news.Place {
				got = append(got, m.Surface)
			}
		}
		if diff := cmp.Diff(got, c.want); diff != "" {
			t.Errorf("%s: places differ (-got +want):\n%s", c.text, diff)
		}
	}
}

func TestOffsetsAreCodePointsOfTheOriginal(t *testing.T) {
	g := New(testLexicon(t))
	text := "𝄞½，ＱＺＭ３Ｅ，İ星穹河半導體ﬁ 3nm"
	runes := []rune(text)
	ms := g.Annotate(text, Context{})
	if len(ms) != 3 {
		t.Fatalf("got %+v, want 3 mentions", ms)
	}
	for _, m := range ms {
		if got := string(runes[m.Start:m.End]); got != m.Surface {
			t.Errorf("offsets give %q, want %q", got, m.Surface)
		}
	}
}

func TestQuantitiesHaveValues(t *testing.T) {
	date := time.Date(2025, 11, 17, 0, 0, 0, 0, time.UTC) // a Monday
	for _, c := range []struct {
		text string
		want []string // surface=kind:value
	}{
		{"投资600亿美元", []string{"600亿美元=money:USD 60000000000"}},
		{"1兆530億美元", []string{"1兆530億美元=money:USD 1053000000000"}},
		{"NT$1,000與19,651元", []string{"NT$1,000=money:TWD 1000", "19,651元=money:CNY 19651"}},
		{"$5 trillion, $5-billion, 7.25 dlrs", []string{"$5 trillion=money:USD 5000000000000", "$5-billion=money:USD 5000000000", "7.25 dlrs=money:USD 7.25"}},
		{"3000 億美元、20 億英鎊", []string{"3000 億美元=money:USD 300000000000", "20 億英鎊=money:GBP 2000000000"}},
		{"市值5萬億", []string{"5萬億=money:5000000000000"}},
		{"三千亿元、数百亿美元", []string{"三千亿元=money:CNY 300000000000", "数百亿美元=money:"}},
		{"100至399美元", []string{"100至399美元=money:USD 100..399"}},
		{"每月12万片、2个单元、500元件", nil},
		{"13．4%、百分之三十、２０％", []string{"13．4%=percent:13.4%", "百分之三十=percent:30%", "２０％=percent:20%"}},
		{"七成、近三成五，完成", []string{"七成=percent:70%", "三成五=percent:35%"}},
		{"2.9个百分点 61 per cent", []string{"2.9个百分点=percent:2.9%", "61 per cent=percent:61%"}},
		{"10%-20%，10~20%，30%+", []string{"10%=percent:10%", "20%=percent:20%", "10~20%=percent:10%..20%", "30%+=percent:30%"}},
		{"3nm 7纳米 3奈米 ３奈米 14/28nm 193nm", []string{"3nm=node:3 nm", "7纳米=node:7 nm", "3奈米=node:3 nm", "３奈米=node:3 nm", "14=node:14 nm", "28nm=node:28 nm"}},
		{"2025年11月3日、本月3日、昨天", []string{"2025年11月3日=date:2025-11-03", "本月3日=date:2025-11-03", "昨天=date:2025-11-16"}},
		{"第三季度，去年同期", []string{"第三季度=date:2025-Q3", "去年同期=date:2024-Q3"}},
		{"11月初；下半年；民國114年；二〇二五年十月", []string{"11月初=date:2025-11", "下半年=date:2025-H2", "民國114年=date:2025", "二〇二五年十月=date:2025-10"}},
		{"2024年上半年、明年第一季、今年底", []string{"2024年上半年=date:2024-H1", "明年第一季=date:2026-Q1", "今年底=date:2025"}},
		{"上周五、下月、上季度", []string{"上周五=date:2025-11-14", "下月=date:2025-12", "上季度=date:2025-Q3"}},
		{"Q2 FY2026 and the fourth quarter", []string{"Q2 FY2026=date:2026-Q2", "fourth quarter=date:2025-Q4"}},
		{"last Thursday, Nov 3, 2025, 3 November 2025", []string{"last Thursday=date:2025-11-13", "Nov 3, 2025=date:2025-11-03", "3 November 2025=date:2025-11-03"}},
		{"It may rise in May 2026 this year", []string{"May 2026=date:2026-05", "this year=date:2025"}},
		{"2025-11-03 and 2025.11.03", []string{"2025-11-03=date:2025-11-03", "2025.11.03=date:2025-11-03"}},
		{"这二十年中、1980年代、1990 年代", nil},
		{"%e9%96%af%e5 and 170 mln dlr", []string{"170 mln dlr=money:USD 170000000"}},
		{"三年来、8个月、今年以来", []string{"今年=date:2025"}},
	} {
		t.Run(strings.ReplaceAll(strings.ReplaceAll(c.text, "/", "_"), " ", "-"), func(t *testing.T) {
			var g *Gazetteer
			var got []string
			lang := "zh"
			if c.text[0] < 0x80 && !strings.ContainsAny(c.text, "與，、") {
				lang = "en"
			}
			for _, m := range g.Annotate(c.text, Context{Lang: lang, Date: date}) {
				got = append(got, m.Surface+"="+string(m.Kind)+":"+m.Value)
			}
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Errorf("mentions differ (-got +want):\n%s", diff)
			}
		})
	}
}

func TestRelativeDatesNeedAnAnchor(t *testing.T) {
	var g *Gazetteer
	for _, m := range g.Annotate("昨天、今年、第三季度、2025年", Context{Lang: "zh"}) {
		if want := map[string]string{"2025年": "2025"}[m.Surface]; m.Value != want {
			t.Errorf("%s: got %q, want %q", m.Surface, m.Value, want)
		}
	}
}

func FuzzAnnotate(f *testing.F) {
	g := New(testLexicon(f))
	f.Add("星穹河半導體 QZM 3E 1兆530億 去年同期 Q2 of 2025 ½ﬁ")
	f.Add("$$5-5-5nm/％百分之百分之两千零〇万")
	f.Fuzz(func(t *testing.T, s string) {
		runes := []rune(s)
		last := 0
		for _, m := range g.Annotate(s, Context{Lang: "zh", Date: time.Date(2025, 1, 31, 0, 0, 0, 0, time.UTC)}) {
			if m.Start < last || m.End <= m.Start || m.End > len(runes) || m.Kind == "" {
				t.Fatalf("mention %+v overlaps or lies outside", m)
			}
			last = m.End
		}
	})
}

// benchText is about 18 KB of prose with names and quantities in it.
var benchText = strings.Repeat("星穹河半导体昨天宣布，第三季度营收为13.4亿美元，比去年同期增长18.6%，毛利率达到52.1%。公司说，3nm产线将在2026年下半年投产，"+
	"台积电与英伟达没有评论。分析师认为，需求来自数据中心，手机厂商的采购量没有变化。Xinghe Semiconductor said it would spend $5 billion on the plant. ", 40)

func BenchmarkAnnotate(b *testing.B) {
	g := New(testLexicon(b))
	b.SetBytes(int64(len(benchText)))
	b.ReportAllocs()
	for b.Loop() {
		g.Annotate(benchText, Context{Lang: "zh"})
	}
}

func BenchmarkGazetteer(b *testing.B) {
	g := New(testLexicon(b))
	m := matcher{g: g, original: benchText}
	s := han.Fold(benchText)
	m.shadow, m.text = &s, s.Text
	b.SetBytes(int64(len(benchText)))
	b.ReportAllocs()
	for b.Loop() {
		m.hits = m.hits[:0]
		m.find()
		m.choose()
	}
}

func BenchmarkGazetteerAndGrammar(b *testing.B) {
	g := New(testLexicon(b))
	b.SetBytes(int64(len(benchText)))
	b.ReportAllocs()
	for b.Loop() {
		s := han.Fold(benchText)
		m := matcher{g: g, original: benchText, shadow: &s, text: s.Text}
		m.find()
		m.choose()
		quantities(s.Text, Context{Lang: "zh"}, func(int) bool { return false })
	}
}

func BenchmarkNew(b *testing.B) {
	lex := testLexicon(b)
	b.ReportAllocs()
	for b.Loop() {
		New(lex)
	}
}
