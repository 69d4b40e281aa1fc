package query

import (
	"slices"
	"testing"
)

func TestStem(t *testing.T) {
	for _, forms := range [][]string{
		{"receive", "receives", "received", "receiving"},
		{"plan", "plans", "planned", "planning"},
		{"order", "orders", "ordered", "ordering"},
		{"supply", "supplies", "supplied", "supplying"},
		{"process", "processes", "processed", "processing"},
		{"price", "prices", "priced", "pricing"},
		{"install", "installs", "installed", "installing"},
		{"launch", "launches", "launched", "launching"},
	} {
		for _, w := range forms {
			if got, want := Stem(w), Stem(forms[0]); got != want {
				t.Errorf("%s: got %q, want %q as of %s", w, got, want, forms[0])
			}
			others := Inflections(w)
			for _, f := range forms {
				if f != w && !slices.Contains(others, f) {
					t.Errorf("%s: %q lacks %s", w, others, f)
				}
			}
		}
	}
}

func TestStemLeavesOthersAlone(t *testing.T) {
	for a, b := range map[string]string{
		"news": "new", "united": "unit", "business": "busines", "king": "k", "need": "ne", "status": "statu", "analysis": "analysi",
		"芯片": "芯", "hbm3e": "hbm3", "gb200s": "gb200", "naïves": "naïve", "bed": "b",
	} {
		if Stem(a) == Stem(b) {
			t.Errorf("%s has the stem of %s: %q", a, b, Stem(a))
		}
	}
	for _, w := range []string{"news", "芯片", "hbm3e", "a16", "the", ""} {
		if forms := Inflections(w); len(forms) > 0 {
			t.Errorf("%s: got forms %q", w, forms)
		}
	}
}

func FuzzInflections(f *testing.F) {
	f.Add("received")
	f.Add("supplies")
	f.Fuzz(func(t *testing.T, word string) {
		for _, w := range Inflections(word) {
			if w == word || Stem(w) != Stem(word) {
				t.Errorf("%q has the form %q of stem %q", word, w, Stem(w))
			}
		}
	})
}

func TestAlike(t *testing.T) {
	for _, c := range []struct {
		a, b      string
		synonyms  bool
		wantAlike bool
	}{
		{"芯片", "晶片", true, true},
		{"芯片", "晶片", false, false},
		{"orders", "order", true, true},
		{"orders", "order", false, true},
		{"芯片", "内存", true, false},
		{"org:orders", "org:order", false, false},
	} {
		a, b := Alike(c.a, c.synonyms), Alike(c.b, c.synonyms)
		if (a == b) != c.wantAlike {
			t.Errorf("Alike(%q, %v), Alike(%q, %v): got %q, %q, want the same: %v", c.a, c.synonyms, c.b, c.synonyms, a, b, c.wantAlike)
		}
	}
}
