package entity

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// cueWords are the words that names are found by, under their first character;
// cueStarts has a bit for each of those.
var (
	cueWords  = make(map[rune][]string)
	cueStarts [1 << 16 / 64]uint64
)

func init() {
	add := func(list ...string) {
		for _, w := range list {
			r, _ := utf8.DecodeRuneInString(w)
			if !slices.Contains(cueWords[r], w) {
				cueWords[r] = append(cueWords[r], w)
				cueStarts[r/64] |= 1 << (r % 64)
			}
		}
	}
	add("(", "·", ".", "有限公司", "有限责任公司")
	add(titlesBefore...)
	add(speaking...)
	for _, e := range shortEndings {
		add(e.text)
	}
}

// cues finds the places of all cueWords in one pass.
func cues(s string) map[string][]int {
	found := make(map[string][]int)
	for i, r := range s {
		if r >= 1<<16 || cueStarts[r/64]&(1<<(r%64)) == 0 {
			continue
		}
		for _, w := range cueWords[r] {
			if strings.HasPrefix(s[i:], w) {
				found[w] = append(found[w], i)
			}
		}
	}
	return found
}

// each calls do for every place of a cue word.
func (t *tagging) each(word string, do func(i int)) {
	if t.cues == nil {
		t.cues = cues(t.s)
	}
	for _, i := range t.cues[word] {
		do(i)
	}
}
