package crf

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// words makes a sequence whose features are the words themselves and the words
// before them.
func words(list ...uint32) [][]uint32 {
	var out [][]uint32
	before := uint32(999)
	for _, w := range list {
		out = append(out, []uint32{w, before<<16 | 7})
		before = w
	}
	return out
}

// toy is a language in which a name of kind 0 follows word 1 and goes on to word
// 2, and word 5 is a name of kind 1.
func toy() []Example {
	var list []Example
	for i := range uint32(60) {
		x, y := 100+i%7, 200+i%5
		list = append(list,
			Example{Features: words(3, 1, x, y, 2, 4), Labels: Labels(6, []Span{{Start: 2, End: 5, Kind: 0}})},
			Example{Features: words(x, y, 4, 3), Labels: Labels(4, nil)},
			Example{Features: words(4, 5, y), Labels: Labels(3, []Span{{Start: 1, End: 2, Kind: 1}})},
		)
	}
	return list
}

func names(m *Model, features [][]uint32) []Span {
	d := m.NewDecoder()
	for _, f := range features {
		d.Add(f)
	}
	return d.Names()
}

func TestNamesAreLearnt(t *testing.T) {
	m := Train(2, toy(), Options{Least: 1, Rounds: 20, Rate: 0.2, Decay: 1e-6})
	got := names(m, words(3, 1, 102, 203, 2, 4, 5, 3))
	if len(got) != 2 {
		t.Fatalf("got %v, want two names", got)
	}
	for i, want := range []Span{{Start: 2, End: 5, Kind: 0}, {Start: 6, End: 7, Kind: 1}} {
		if p := got[i].P; p < 0.8 || p > 1.000001 {
			t.Errorf("name %d: got probability %v, want nearly 1", i, p)
		}
		got[i].P = 0
		if got[i] != want {
			t.Errorf("got %v, want %v", got[i], want)
		}
	}
	if got := names(m, words(3, 4, 3)); len(got) > 0 {
		t.Errorf("got %v in a sentence without names", got)
	}
}

func TestTrainingRepeats(t *testing.T) {
	var a, b bytes.Buffer
	for _, w := range []*bytes.Buffer{&a, &b} {
		if err := Train(2, toy(), Options{Least: 1, Rounds: 3, Rate: 0.2, Dropout: 0.2}).Pack(w); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("the same examples gave two models")
	}
}

func TestPackedModelFindsTheSame(t *testing.T) {
	m := Train(2, toy(), Options{Least: 1, Rounds: 10, Rate: 0.2})
	var b bytes.Buffer
	if err := m.Pack(&b); err != nil {
		t.Fatal(err)
	}
	read, rest, err := Unpack(append(b.Bytes(), "rest"...))
	if err != nil || string(rest) != "rest" {
		t.Fatalf("got rest %q, error %v", rest, err)
	}
	features := words(3, 1, 102, 203, 2, 4, 5)
	if diff := cmp.Diff(names(read, features), names(m, features)); diff != "" {
		t.Errorf("names differ (-unpacked +trained):\n%s", diff)
	}
}

func TestLabelsMakeWholeNames(t *testing.T) {
	got := Labels(7, []Span{{Start: 0, End: 1, Kind: 1}, {Start: 2, End: 5, Kind: 0}})
	if diff := cmp.Diff(got, []uint8{8, 0, 1, 2, 3, 0, 0}); diff != "" {
		t.Errorf("labels differ (-got +want):\n%s", diff)
	}
	for _, c := range []struct {
		from, to int
		want     bool
	}{{0, 0, true}, {0, 1, true}, {0, 2, false}, {1, 2, true}, {1, 3, true}, {1, 0, false}, {1, 7, false}, {3, 5, true}, {4, 4, true}, {4, 3, false}} {
		if got := follows(c.from, c.to); got != c.want {
			t.Errorf("label %d behind %d: got %v, want %v", c.to, c.from, got, c.want)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	var b bytes.Buffer
	if err := Train(1, toy()[:2], Options{Least: 1, Rounds: 1, Rate: 0.2}).Pack(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<16 {
			return
		}
		if m, _, err := Unpack(data); err == nil {
			names(m, words(1, 2, 3))
		}
	})
}
