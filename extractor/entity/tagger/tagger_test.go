package tagger

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/extractor/entity/crf"
	"xinwen/news/han"
)

func noCapital(int) bool { return false }

func capitals(original string) func(int) bool {
	return func(i int) bool { return original[i] >= 'A' && original[i] <= 'Z' }
}

func TestUnits(t *testing.T) {
	original := "II-VI在2025年说:Ab3d,我们"
	var got []string
	for _, u := range cut(nil, han.FoldString(original), 0, len(original), capitals(original)) {
		got = append(got, u.text+string("mhltuxd"[u.class]))
	}
	want := strings.Fields("iiu -m viu 在h 2025d 年h 说h :m abt 3d dl ,m 我h 们h")
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("units differ (-got +want):\n%s", diff)
	}
}

func TestSentences(t *testing.T) {
	text := han.FoldString("Mr. Wu of Xiplex Inc. said so. It rose 3.5 percent! 他说好。再见\nend")
	var got []string
	for from := 0; from < len(text); {
		to := SentenceEnd(text, from)
		got = append(got, strings.TrimSpace(text[from:to]))
		from = to
	}
	want := []string{"mr. wu of xiplex inc. said so.", "it rose 3.5 percent!", "他说好。", "再见", "end"}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("sentences differ (-got +want):\n%s", diff)
	}
}

func TestWordsSurvivePacking(t *testing.T) {
	w := NewWords(map[string]uint8{"半导体": 3, "chip": 7, "会": 1})
	read, err := unpackWords(w.pack(nil))
	if err != nil {
		t.Fatal(err)
	}
	for word, want := range map[string]uint8{"半导体": 3, "chip": 7, "会": 1, "导体": 0} {
		if got := read.class(keyOf(word)); got != want {
			t.Errorf("%s: got class %d, want %d", word, got, want)
		}
	}
	for _, bad := range [][]byte{nil, {1}, {255, 255, 255, 255}, {1, 0, 0, 0, 0, 1}} {
		if _, err := unpackWords(bad); err == nil {
			t.Errorf("%v was read", bad)
		}
	}
}

// teach fits a tagger to a few sentences in which the name of a company stands
// before 宣布.
func teach() *Tagger {
	var list []Sentence
	for _, n := range []string{"星穹河", "苇芯锋", "澜溪苇", "青禾原", "北岭石"} {
		for _, rest := range []string{"宣布投产", "宣布融资", "宣布扩产"} {
			text := "昨天" + n + rest
			list = append(list, Sentence{Text: text, Capital: noCapital, Names: []crf.Span{{Start: 6, End: 6 + len(n), Kind: Org}}})
		}
		list = append(list, Sentence{Text: "昨天下雨没有投产", Capital: noCapital})
	}
	return Train(Chinese, Kinds, NewWords(map[string]uint8{"宣布": 6, "昨天": 9}), list, crf.Options{Least: 1, Rounds: 20, Rate: 0.2})
}

func TestTaggerSurvivesPacking(t *testing.T) {
	tagger := teach()
	text := "昨天山溪木宣布投产。昨天下雨"
	want := tagger.Names(text, noCapital, nil)
	if len(want) != 1 || text[want[0].Start:want[0].End] != "山溪木" || want[0].Kind != Org {
		t.Fatalf("got %v, want 山溪木", want)
	}
	var b bytes.Buffer
	if err := tagger.Pack(&b); err != nil {
		t.Fatal(err)
	}
	read, err := Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(read.Names(text, noCapital, nil), want); diff != "" {
		t.Errorf("names differ (-read +trained):\n%s", diff)
	}
	if _, err := Read(strings.NewReader("no tagger")); err == nil {
		t.Error("read what is no tagger")
	}
}

func TestBuiltinTaggersAreSafeForConcurrentUse(t *testing.T) {
	zh, en := "据悉,石岭微电子创始人陈一鸣表示,公司将扩产。", "Jordan Blakewell, chief executive of Zelvora Systems, said on Monday that demand rose."
	type answer struct{ zh, en []crf.Span }
	ask := func() answer {
		c, err := Builtin(Chinese)
		if err != nil {
			t.Error(err)
			return answer{}
		}
		e, err := Builtin(English)
		if err != nil {
			t.Error(err)
			return answer{}
		}
		return answer{c.Names(zh, noCapital, nil), e.Names(strings.ToLower(en), capitals(en), nil)}
	}
	want := ask()
	if len(want.zh) == 0 || len(want.en) == 0 {
		t.Fatalf("got %v, want names in both languages", want)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if diff := cmp.Diff(ask(), want, cmp.AllowUnexported(answer{})); diff != "" {
				t.Errorf("names differ (-got +want):\n%s", diff)
			}
		})
	}
	wg.Wait()
}

func FuzzNames(f *testing.F) {
	f.Add("昨天山溪木(Shanximu)宣布《投产》。Mr. Wu said \"so\"!")
	tagger := teach()
	f.Fuzz(func(t *testing.T, s string) {
		s = han.FoldString(s)
		last := 0
		for _, n := range tagger.Names(s, noCapital, []Known{{Start: 1, End: 3, Kind: 2}}) {
			if n.Start < last || n.End <= n.Start || n.End > len(s) || !(n.P >= 0 && n.P < 1.0001) {
				t.Fatalf("name %+v overlaps, lies outside or has no probability", n)
			}
			last = n.End
		}
	})
}

func BenchmarkNames(b *testing.B) {
	t, err := Builtin(Chinese)
	if err != nil {
		b.Fatal(err)
	}
	text := strings.Repeat("据悉,石岭微电子创始人陈一鸣昨天表示,公司今年将扩大产能,第三季度毛利率比去年同期高,客户来自汽车和数据中心。", 40)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		t.Names(text, noCapital, nil)
	}
}

func TestDoubtfulSentences(t *testing.T) {
	words := NewWords(map[string]uint8{"昨天": 8, "陈一舟": 2})
	isName := func(class uint8) bool { return class == 2 }
	long := strings.Repeat("昨天", maxUnits)
	for text, want := range map[string]bool{"陈一舟昨天说": true, "昨天说": false, long: false, long + "陈一舟": true} {
		s := Sentence{Text: text, Capital: noCapital}
		if got := s.Doubtful(Chinese, words, isName); got != want {
			t.Errorf("%.30s, %d bytes: got %v, want %v", text, len(text), got, want)
		}
	}
	s := Sentence{Text: "陈一舟昨天说", Capital: noCapital, Names: []crf.Span{{Start: 0, End: len("陈一舟")}}}
	if s.Doubtful(Chinese, words, isName) {
		t.Error("a sentence whose names are all marked is no doubt")
	}
}
