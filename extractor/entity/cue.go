package entity

import (
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
			for _, x := range cueWords[r] {
				if x == w {
					r = -1
					break
				}
			}
			if r >= 0 {
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
