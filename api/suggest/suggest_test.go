package suggest

import (
	"slices"
	"sync"
	"testing"

	"xinwen/news/lexicon"
)

var builtin = sync.OnceValues(lexicon.Builtin) // it takes its time

func TestFindsByAnyBeginning(t *testing.T) {
	lex, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	var f Finder
	for _, tc := range []struct {
		q, want string
		first   bool
	}{
		{"英伟", "org:nvidia", true},
		{"英偉", "org:nvidia", true},
		{"輝達", "org:nvidia", true},
		{"nvid", "org:nvidia", true},
		{"taiji", "org:tsmc", true},
		{"tjd", "org:tsmc", true},
		{"TSMC", "org:tsmc", true},
		{"hynix", "org:sk-hynix", true}, // not the first word of its name
		{"2330", "org:tsmc", false},
	} {
		got := f.Find(lex, tc.q, 10)
		i := slices.IndexFunc(got, func(s Suggestion) bool { return s.Entity.ID == tc.want })
		if i < 0 || tc.first && i > 0 {
			t.Errorf("%s: got %s at %d of %d, want it found, first: %v", tc.q, tc.want, i, len(got), tc.first)
		}
	}
	if got := f.Find(lex, " ", 10); got != nil {
		t.Errorf("got %v of nothing", got)
	}
	if got := f.Find(lex, "a", 7); len(got) != 7 {
		t.Errorf("got %d, want 7", len(got))
	}
}

func TestSpellings(t *testing.T) {
	if got := spellings("长江存储"); !slices.Contains(got, "changjiangcunchu") || !slices.Contains(got, "cjcc") {
		t.Errorf("got %v, want the readings of 长", got)
	}
	if got := spellings("TSMC"); got != nil {
		t.Errorf("got %v of a Latin name, want none", got)
	}
}
