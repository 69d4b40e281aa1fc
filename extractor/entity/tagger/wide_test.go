package tagger

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/extractor/entity/crf"
	"xinwen/news/han"
)

// clubs has lessons in names of clubs and towns that only the beginning of the sentence tells apart.
func clubs() []Sentence {
	var list []Sentence
	begins := []string{"比赛踢得很好看", "旅游过得很舒服"}
	for i, n := range strings.Fields("罗安 北陇 卡维 石岭 青禾 澜溪 苇芯 星穹 南桥 东墅 沐江 柏川 云阜 林岙 泉坞 汐岚 谷雍 竹淇 枫屿 月湄") {
		kind := i % 2
		text := han.FoldString(begins[kind] + "，大家后来都去了" + n + "那边")
		at := strings.Index(text, n)
		list = append(list, Sentence{Text: text, Capital: noCapital, Names: []crf.Span{{Start: at, End: at + len(n), Kind: kind}}})
	}
	return list
}

func TestWideTaggerReadsTheWholeSentence(t *testing.T) {
	words := NewWords(map[string]uint8{"比赛": 1, "旅游": 1, "大家": 8, "后来": 8})
	o := crf.Options{Least: 1, Rounds: 20, Rate: 0.2}
	kinds := func(m *Tagger) (out []int) {
		for _, begin := range []string{"比赛踢得很好看", "旅游过得很舒服"} {
			for _, n := range m.Names(han.FoldString(begin+"，大家后来都去了麦浦那边"), noCapital, nil) {
				out = append(out, n.Kind)
			}
		}
		return out
	}
	if diff := cmp.Diff(kinds(TrainWide(Chinese, 2, words, clubs(), o)), []int{0, 1}); diff != "" {
		t.Errorf("kinds differ (-got +want):\n%s", diff)
	}
	if got := kinds(Train(Chinese, 2, words, clubs(), o)); len(got) != 2 || got[0] != got[1] {
		t.Errorf("got kinds %v of a tagger that sees neighbours only, want one kind twice: the sentences differ too near to the name", got)
	}
}

func TestListedNamesAreTheLongest(t *testing.T) {
	l := make(lists)
	for kind, text := range []string{"星穹", "星穹河", "河"} {
		l.add(&Sentence{Text: text, Names: []crf.Span{{Start: 0, End: len(text), Kind: kind}}})
	}
	var r reader
	r.words = NewWords(nil)
	r.cut(&Sentence{Text: "去星穹河,星穹", Capital: noCapital})
	r.prepare(nil)
	r.widely(&wide{topics: fitTopics(3, nil), lists: l})
	const begin, inside, end = 3, 1, 5
	want := []uint32{0, 2<<3 | begin, 2<<3 | inside, 2<<3 | end, 0, 1<<3 | begin, 1<<3 | end}
	if diff := cmp.Diff(r.listed, want); diff != "" {
		t.Errorf("listed names differ (-got +want):\n%s", diff)
	}
}

func TestWideTaggerIsNotPacked(t *testing.T) {
	m := TrainWide(Chinese, 2, NewWords(nil), clubs()[:4], crf.Options{Least: 1, Rounds: 1, Rate: 0.2})
	if err := m.Pack(io.Discard); err == nil {
		t.Error("a tagger that knows the names of its lessons was packed")
	}
}
