package suggest

import (
	"strings"

	"github.com/mozillazg/go-pinyin"

	"xinwen/news/han"
)

// maxSpellings bounds the ways of reading a name whose characters have several.
const maxSpellings = 8

// spellings returns how the Chinese name s is typed in pinyin: in full
// (taijidian) and by initials (tjd), without tones. A name without Chinese has
// none.
func spellings(s string) []string {
	full, initials := []string{""}, []string{""}
	found := false
	args := pinyin.NewArgs()
	args.Heteronym = true
	for _, r := range han.FoldString(s) {
		readings := []string{string(r)}
		if han.IsHan(r) {
			if readings = unique(pinyin.SinglePinyin(r, args)); len(readings) == 0 {
				return nil
			}
			found = true
		}
		if strings.TrimSpace(string(r)) == "" {
			continue
		}
		full, initials = extend(full, readings, false), extend(initials, readings, true)
	}
	if !found {
		return nil
	}
	return unique(append(full, initials...))
}

// extend returns each of list with each of the readings after it.
func extend(list, readings []string, initial bool) []string {
	var out []string
	for _, s := range list {
		for _, r := range readings {
			if initial {
				r = string([]rune(r)[:1])
			}
			if len(out) < maxSpellings {
				out = append(out, s+r)
			}
		}
	}
	return unique(out)
}

// unique returns list without repetitions.
func unique(list []string) []string {
	seen := make(map[string]bool)
	var out []string
	for _, s := range list {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}
