package han_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"testing"
	"unicode/utf8"

	"xinwen/news/han"
)

func TestTraditional(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"company", "台积电与英伟达扩大先进封装产能", "台積電與英偉達擴大先進封裝產能"},
		{"issue-and-hair", "发布新品，理发店与头发，白发人发现", "發佈新品，理髮店與頭髮，白髮人發現"},
		{"after-and-queen", "后来皇后说以后，太后落后", "後來皇后說以後，太后落後"},
		{"inside-and-mile", "公里之外，心里这里，英里与邻里", "公里之外，心裡這裡，英里與鄰里"},
		{"do-dry-and-shield", "干部干活，干燥的饼干，干涉与若干", "幹部幹活，乾燥的餅乾，干涉與若干"},
		{"face-and-flour", "面条和面粉，表面面对方面", "麵條和麵粉，表面面對方面"},
		{"platform-desk-and-typhoon", "台风过后的台湾平台，柜台与写字台", "颱風過後的台灣平台，櫃檯與寫字檯"},
		{"system-be-and-tie", "系统与关系，联系维系，系鞋带，确系", "系統與關係，聯繫維繫，繫鞋帶，確係"},
		{"again-double-and-cover", "恢复，复杂，答复，重复，复制，颠覆", "恢復，複雜，答覆，重複，複製，顛覆"},
		{"levy-and-journey", "特征，征收，长征，征求意见", "特徵，徵收，長征，徵求意見"},
		{"clock-and-surname", "五分钟，钟表，钟情，钟先生", "五分鐘，鐘錶，鍾情，鍾先生"},
		{"loose-and-pine", "放松宽松，松下电器，松树", "放鬆寬鬆，松下電器，松樹"},
		{"cloud-and-say", "云端云计算，人云亦云，诗云", "雲端雲計算，人云亦云，詩云"},
		{"only-and-piece", "只有三只股票，船只，只好", "只有三隻股票，船隻，只好"},
		{"accurate-and-allow", "标准准确，批准，准许，准备", "標準準確，批准，准許，準備"},
		{"fight-and-measure", "战斗奋斗，北斗，斗争，烟斗", "戰鬥奮鬥，北斗，鬥爭，菸斗"},
		{"gather-and-exchange", "汇率外汇，词汇汇编", "匯率外匯，詞彙彙編"},
		{"calendar-and-history", "历史日历，农历，经历", "歷史日曆，農曆，經歷"},
		{"make-and-system", "制造制程，制度限制", "製造製程，制度限制"},
		{"week-and-all-around", "一周上周，周围，周末", "一週上週，周圍，週末"},
		{"valley-and-grain", "硅谷谷歌，稻谷五谷", "硅谷谷歌，稻穀五穀"},
		{"how-many-and-table", "几乎几家，茶几", "幾乎幾家，茶几"},
		{"wish-and-fish-roll", "胜利，卷入，蛋卷，试卷", "勝利，捲入，蛋卷，試卷"},
		{"words-stay", "芯片、内存、软件、硅片", "芯片、內存、軟件、硅片"},
		{"aspect-particle", "看着，意味着，显著", "看著，意味著，顯著"},
		{"latin-stays", "HBM3E 与 CoWoS-L", "HBM3E 與 CoWoS-L"},
		{"outside-basic-plane", "𠮷野家与㐷", "𠮷野家與傌"},
		{"not-utf8", "台积\xff电", "台積\xff電"},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := han.Traditional(tt.in)
			if got != tt.want {
				t.Errorf("Traditional(%q):\n got %q,\nwant %q", tt.in, got, tt.want)
			}
			if g, w := utf8.RuneCountInString(got), utf8.RuneCountInString(tt.in); g != w {
				t.Errorf("code points: got %d, want %d", g, w)
			}
		})
	}
}

// corpus yields the texts that people wrote of the news beside the project, up to
// limit bytes.
func corpus(t *testing.T, name string, limit int, visit func(text string)) {
	t.Helper()
	f, err := os.Open("../../../shared/data/corpora/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the news to measure on is not here: ../../../shared/data/corpora/" + name)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() && limit > 0 {
		if bytes.HasPrefix(lines.Bytes(), []byte(`{"id": "syn`)) {
			continue // converted by a machine
		}
		var d struct{ Title, Text string }
		if err := json.Unmarshal(lines.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		limit -= len(d.Text)
		visit(d.Title + "\n" + d.Text)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

// What is shown in Traditional characters reads as the original when it is
// turned back, but for spellings that Taiwan has and the mainland has not: 看著,
// 座標, 想像.
func TestTraditionalComesBack(t *testing.T) {
	spellings := map[rune]rune{'著': '着', '座': '坐', '像': '象'}
	all, wrong := 0, map[string]int{}
	corpus(t, "news-zh-hans.jsonl.gz", 4<<20, func(text string) {
		shown := han.Traditional(text)
		back, i := []rune(han.Simplify(shown)), 0
		for _, r := range text {
			if got := back[i]; got != r && spellings[got] != r {
				wrong[string(r)+"→"+string(got)]++
			}
			i++
			all++
		}
	})
	n := 0
	for _, count := range wrong {
		n += count
	}
	t.Logf("%d of %d characters come back as others", n, all)
	if n*10_000 > all {
		t.Errorf("got %d of %d characters that come back as others (%v), want at most 1 in 10,000", n, all, wrong)
	}
}

// Text that people wrote in Traditional characters is simplified and turned back;
// what then differs are mostly two spellings of a word (公布 and 公佈).
func TestTraditionalIsWhatPeopleWrite(t *testing.T) {
	all, wrong := 0, 0
	corpus(t, "news-zh-hant.jsonl.gz", 4<<20, func(text string) {
		got, i := []rune(han.Traditional(han.Simplify(text))), 0
		for _, r := range text {
			if han.IsHan(r) {
				all++
				if r == '臺' {
					r = '台'
				}
				if r != got[i] {
					wrong++
				}
			}
			i++
		}
	})
	right := 1 - float64(wrong)/float64(all)
	t.Logf("%.4f of %d characters are those that were written", right, all)
	if right < 0.996 {
		t.Errorf("got %.4f of %d characters as they were written, want 0.996", right, all)
	}
}

func FuzzTraditional(f *testing.F) {
	for _, s := range []string{"台积电 ＨＢＭ３Ｅ", "头发\xff发现", "干干干干", "𠮷野家与㐷", "一丝不"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := han.Traditional(s)
		if g, w := utf8.RuneCountInString(got), utf8.RuneCountInString(s); g != w {
			t.Fatalf("Traditional(%q): got %d code points, want %d", s, g, w)
		}
		if utf8.ValidString(got) != utf8.ValidString(s) {
			t.Fatalf("Traditional(%q): got %q", s, got)
		}
		in := []rune(s)
		i := 0
		for _, r := range got {
			if !han.IsHan(in[i]) && r != in[i] {
				t.Fatalf("Traditional(%q): code point %d was %q and became %q", s, i, in[i], r)
			}
			i++
		}
	})
}

func BenchmarkTraditional(b *testing.B) {
	text := han.Simplify(benchText)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		han.Traditional(text)
	}
}
