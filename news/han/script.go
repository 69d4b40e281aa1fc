package han

import (
	"unicode"

	"xinwen/news"
)

// IsHan reports whether r is a Chinese character.
func IsHan(r rune) bool {
	return r >= 0x4E00 && r <= 0x9FFF || r >= 0x3400 && r <= 0x4DBF ||
		r >= 0x20000 && r <= 0x3FFFF || r >= 0xF900 && r <= 0xFAFF || r == 0x3007
}

// Script tells how s is written: news.ScriptHans, ScriptHant, ScriptMixed,
// ScriptLatn, or "" if s has neither Chinese nor Latin letters.
//
// Chinese characters that are written in one of the two scripts only decide
// between them; a text without any counts as Hans. It is mixed when the rarer
// script has at least 3 such characters and a fifth of all. A text is Latn
// when it has more than 12 Latin letters for each Chinese character, as an
// English article with a few Chinese names.
func Script(s string) string {
	c := loadConversion()
	var hans, hant, han, latin int
	for _, r := range s {
		switch {
		case r < 0x80:
			if 'a' <= r|0x20 && r|0x20 <= 'z' {
				latin++
			}
		case IsHan(r):
			han++
			if r < 1<<16 {
				if c.flags[r]&onlyHans != 0 {
					hans++
				} else if c.flags[r]&onlyHant != 0 {
					hant++
				}
			}
		case unicode.Is(unicode.Latin, r):
			latin++
		}
	}
	rarer, all := min(hans, hant), hans+hant
	switch {
	case han == 0 && latin == 0:
		return ""
	case latin > 12*han:
		return news.ScriptLatn
	case rarer >= 3 && rarer*5 >= all:
		return news.ScriptMixed
	case hant > hans:
		return news.ScriptHant
	}
	return news.ScriptHans
}
