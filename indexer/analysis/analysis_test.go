package analysis

import (
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"xinwen/news/han"
	"xinwen/news/lexicon"
)

var builtin = sync.OnceValue(func() *Analyzer {
	l, err := lexicon.Builtin()
	if err != nil {
		panic(err)
	}
	a, err := New(Options{Lexicon: l})
	if err != nil {
		panic(err)
	}
	return a
})

// show writes tokens as term@position, parts in parentheses.
func show(tokens []Token) string {
	var b strings.Builder
	last := 0
	for _, t := range tokens {
		switch {
		case t.Position == last:
			b.WriteByte('|')
		case last > 0:
			b.WriteString(strings.Repeat(" ", t.Position-last))
		}
		if t.Part {
			b.WriteString("(" + t.Term + ")")
		} else {
			b.WriteString(t.Term)
		}
		last = t.Position
	}
	return b.String()
}

func TestTokens(t *testing.T) {
	for _, tt := range []struct{ name, text, words, grams string }{
		{"empty", "", "", ""},
		{"punctuation", "，。!?", "", ""},
		{"simplified", "台积电宣布涨价", "台积电 宣布 涨价", "台积 积电 电宣 宣布 布涨 涨价 价"},
		{"traditional", "台積電宣布漲價", "台积电 宣布 涨价", "台积 积电 电宣 宣布 布涨 涨价 价"},
		{"one-character", "涨", "涨", "涨"},
		{"runs", "英伟达、台积电", "英伟达 台积电", "英伟 伟达 达 台积 积电 电"},
		{"person", "黄仁勋说", "黄仁勋 说", "黄仁 仁勋 勋说 说"},
		{"mixed", "用HBM3E内存", "用 hbm3e|(hbm)|(3e) 内存", "用 hbm3e|(hbm)|(3e) 内存 存"},
		{"full-width", "ＨＢＭ３Ｅ", "hbm3e|(hbm)|(3e)", "hbm3e|(hbm)|(3e)"},
		{"spaced-name", "RTX 5090显卡", "rtx5090|(rtx)|(5090) 显卡", "rtx5090|(rtx)|(5090) 显卡 卡"},
		{"hyphened-name", "GPT-4 and A-16", "gpt4|(gpt)|(4) and a16|(a)|(16)", "gpt4|(gpt)|(4) and a16|(a)|(16)"},
		{"two-names", "GB200 NVL72", "gb200|(gb)|(200) nvl72|(nvl)|(72)", "gb200|(gb)|(200) nvl72|(nvl)|(72)"},
		{"short-name", "A16 N2P H20", "a16 n2p h20", "a16 n2p h20"},
		{"measure", "3nm 3 nm 3-nm", "3nm|(3)|(nm) 3nm|(3)|(nm) 3nm|(3)|(nm)", "3nm|(3)|(nm) 3nm|(3)|(nm) 3nm|(3)|(nm)"},
		{"english", "In 2025 the chipmaker's wafer-level line", "in 2025 the chipmaker wafer level line", "in 2025 the chipmaker wafer level line"},
		{"numbers", "1,000 92.5% 1,00 3.", "1000 92.5 1 00 3", "1000 92.5 1 00 3"},
		{"date", "2025-11-17", "2025 11 17", "2025 11 17"},
		{"kana", "キオクシア", "キ オ ク シ ア", "キオ オク クシ シア ア"},
		{"accents", "Café", "cafe", "cafe"},
		{"marks", "हिन्दी \u0333", "हिन्दी", "हिन्दी"},
		{"rare-ideograph", "𠮷野家", "𠮷 野 家", "𠮷野 野家 家"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := builtin()
			if got := show(a.Words(tt.text)); got != tt.words {
				t.Errorf("words: got %s, want %s", got, tt.words)
			}
			if got := show(a.Bigrams(tt.text)); got != tt.grams {
				t.Errorf("grams: got %s, want %s", got, tt.grams)
			}
		})
	}
}

func TestTokensLeadBackToTheOriginal(t *testing.T) {
	const s = "（記者）台積電２奈米，ＨＢＭ 3E漲價1,000元"
	var got []string
	for _, tok := range builtin().Words(s) {
		got = append(got, s[tok.Start:tok.End])
	}
	want := []string{"記者", "台積電", "２", "奈米", "ＨＢＭ 3E", "ＨＢＭ", "3E", "漲價", "1,000", "元"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
}

func TestNamesOfTheLexiconAreWords(t *testing.T) {
	plain, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	const s = "中芯国际与长江存储"
	if got := len(plain.Words(s)); got < 4 {
		t.Fatalf("got %d words without a lexicon, want more", got)
	}
	if got, want := show(builtin().Words(s)), "中芯国际 与 长江存储"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if plain.Hash() == builtin().Hash() {
		t.Errorf("got the same hash with and without a lexicon")
	}
}

func TestWordListIsFolded(t *testing.T) {
	d := builtin().dict
	if n := len(d.weights); n < 400_000 {
		t.Errorf("got a trie of %d nodes, want the whole dictionary", n)
	}
	for _, w := range []string{"半导体", "芯片", "涨价", "a股"} {
		node := uint32(0)
		for _, r := range w {
			node = d.next(node, r)
		}
		if d.weights[node] == 0 {
			t.Errorf("%s is not in the dictionary", w)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	a := builtin()
	const s = "台积电宣布HBM3E涨价，英伟达、三星与SK海力士跟进。"
	want := show(a.Words(s))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				if got := show(a.Words(s)); got != want {
					t.Errorf("got %s, want %s", got, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

func FuzzTokens(f *testing.F) {
	for _, s := range []string{"台積電宣布漲價", "RTX 5090's 1,000.5nm", "ﬁ½İ ㎏A股", "\xff中\x00", "３Ｄ－ＮＡＮＤ"} {
		f.Add(s)
	}
	a := builtin()
	f.Fuzz(func(t *testing.T, s string) {
		for name, tokens := range map[string][]Token{"words": a.Words(s), "grams": a.Bigrams(s)} {
			position, start := 0, 0
			for _, tok := range tokens {
				if tok.Term == "" || tok.Start < 0 || tok.End > len(s) || tok.Start >= tok.End {
					t.Fatalf("%s of %q: bad token %+v", name, s, tok)
				}
				if tok.Position != position && tok.Position != position+1 || !tok.Part && tok.Position == position {
					t.Fatalf("%s of %q: position of %+v after %d", name, s, tok, position)
				}
				if !tok.Part && tok.Start < start {
					t.Fatalf("%s of %q: %+v begins before the word before", name, s, tok)
				}
				position = tok.Position
				if !tok.Part {
					start = tok.Start
				}
				if !utf8.ValidString(tok.Term) {
					t.Fatalf("%s of %q: term %q is not UTF-8", name, s, tok.Term)
				}
			}
		}
		if folded := han.FoldString(s); show(a.Words(s)) != show(a.Words(folded)) && folded == han.FoldString(folded) {
			t.Fatalf("%q and its folded form have different words", s)
		}
	})
}
