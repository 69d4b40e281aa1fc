package han_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"xinwen/news"
	"xinwen/news/han"
)

func TestSimplify(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"company", "台積電與輝達擴大先進封裝產能", "台积电与辉达扩大先进封装产能"},
		{"phrase-over-character", "乾隆年間的瞭望台，乾燥後瞭解", "乾隆年间的瞭望台，干燥后了解"},
		{"one-to-many", "發現頭髮", "发现头发"},
		{"simplified-stays", "英伟达发布新芯片", "英伟达发布新芯片"},
		{"latin-stays", "HBM3E 與 CoWoS-L", "HBM3E 与 CoWoS-L"},
		{"outside-basic-plane", "𠮷野家與𪚏", "𠮷野家与𪚏"},
		{"name-kept", "楊聯陞步步高陞", "杨联陞步步高升"},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := han.Simplify(tt.in)
			if got != tt.want {
				t.Errorf("Simplify(%q): got %q, want %q", tt.in, got, tt.want)
			}
			if g, w := utf8.RuneCountInString(got), utf8.RuneCountInString(tt.in); g != w {
				t.Errorf("code points: got %d, want %d", g, w)
			}
		})
	}
}

func TestFold(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"traditional", "英偉達", "英伟达"},
		{"full-width", "ＨＢＭ３Ｅ（台積電）", "hbm3e(台积电)"},
		{"case", "NVIDIA GB200 NVL72", "nvidia gb200 nvl72"},
		{"sharp-s", "Straße", "strasse"},
		{"ligature", "ﬁnfet", "finfet"},
		{"fraction", "½", "1⁄2"},
		{"dotted-capital", "İstanbul", "istanbul"},
		{"accents", "José Müller", "jose muller"},
		{"decomposed-accent", "Jose\u0301", "jose"},
		{"kana-stays-composed", "ガが", "ガが"},
		{"half-width-kana", "ｶ", "カ"},
		{"dashes-and-quotes", "CoWoS—L ‘x’ “y”", "cowos-l 'x' \"y\""},
		{"name-dots", "菲利普・英曼•x", "菲利普·英曼·x"},
		{"zero-width", "台\u200b积\ufeff电", "台积电"},
		{"compatibility-ideograph", "金\uf90a", "金金"},
		{"unit", "㎏ ３㎚", "kg 3nm"},
		{"final-sigma", "ΣΑΣ", "σασ"},
		{"bad-utf8", "a\xffb", "a\ufffdb"},
		{"mathematical", "𝐀16", "a16"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := han.FoldString(tt.in); got != tt.want {
				t.Errorf("FoldString(%q): got %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func TestOriginalLeadsBack(t *testing.T) {
	tests := []struct{ name, in, find, want string }{
		{"plain", "今天台積電上漲", "台积电", "台積電"},
		{"after-full-width", "ＡＢＣ公司買下輝達", "辉达", "輝達"},
		{"full-width-itself", "買ＨＢＭ３Ｅ了", "hbm3e", "ＨＢＭ３Ｅ"},
		{"part-of-ligature", "xﬁy", "i", "ﬁ"},
		{"same-bytes-more-runes", "a⒝c", "b", "⒝"},
		{"zero-width-inside", "a台\u200b積\u200b電\u200bb", "台积电", "台\u200b積\u200b電"},
		{"zero-width-around", "\u200bTSMC\u200b", "tsmc", "TSMC"},
		{"longer-fold-before", "½½ TSMC", "tsmc", "TSMC"},
		{"rare-converted", "見𠁞物", "物", "物"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := han.Fold(tt.in)
			at := strings.Index(s.Text, tt.find)
			if at < 0 {
				t.Fatalf("%q is not in shadow %q", tt.find, s.Text)
			}
			start, end := s.Original(at, at+len(tt.find))
			if got := tt.in[start:end]; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestScript(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"hans", "台积电宣布扩大在美国的投资", news.ScriptHans},
		{"hant", "台積電宣布擴大在美國的投資", news.ScriptHant},
		{"taiwan-standard-forms", "群創董事長何立峰的床", news.ScriptHant},
		{"undecided-counts-as-hans", "日月光半年", news.ScriptHans},
		{"machine-converted-with-leftovers", "面對中國AI對手,英偉達卡緊產能和存儲的脖子,畢竟從市場占有率", news.ScriptHant},
		{"mixed", "台積電宣布擴大投資，台积电宣布扩大投资，这是两种书写", news.ScriptMixed},
		{"english", "TSMC said on Monday that output would double", news.ScriptLatn},
		{"english-with-names", strings.Repeat("TSMC said on Monday that output would double. ", 5) + "台積電", news.ScriptLatn},
		{"chinese-with-english", "台積電的 CoWoS-L 與 NVIDIA GB200 NVL72 需求強勁，產能擴充", news.ScriptHant},
		{"accented", "Über Müller", news.ScriptLatn},
		{"digits", "2025-11-17", ""},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := han.Script(tt.in); got != tt.want {
				t.Errorf("Script(%q): got %q, want %q", tt.in, got, tt.want)
			}
		})
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"台積電 ＨＢＭ３Ｅ", "½\u200bﬁ\xff", "乾隆瞭望", "𠁞𝐀", "İ\u0301\u200b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		shadow := han.Fold(s)
		if !utf8.ValidString(shadow.Text) {
			t.Fatalf("Fold(%q) is not UTF-8: %q", s, shadow.Text)
		}
		last := 0
		for i := range shadow.Text {
			start, end := shadow.Original(i, i+1)
			if start < last || end <= start || end > len(s) {
				t.Fatalf("Fold(%q): offset %d leads to %d:%d after %d", s, i, start, end, last)
			}
			last = start
		}
		if utf8.ValidString(s) {
			if g, w := utf8.RuneCountInString(han.Simplify(s)), utf8.RuneCountInString(s); g != w {
				t.Fatalf("Simplify(%q): got %d code points, want %d", s, g, w)
			}
		}
	})
}

var benchText = strings.Repeat("台積電董事長魏哲家表示，先進製程與CoWoS先進封裝需求強勁，輝達（NVIDIA）是主要客戶之一。", 400)

func BenchmarkSimplify(b *testing.B) {
	b.SetBytes(int64(len(benchText)))
	for b.Loop() {
		han.Simplify(benchText)
	}
}

func BenchmarkFold(b *testing.B) {
	b.SetBytes(int64(len(benchText)))
	for b.Loop() {
		han.Fold(benchText)
	}
}
