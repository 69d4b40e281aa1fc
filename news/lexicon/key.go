package lexicon

import (
	"strings"

	"xinwen/news/han"
)

// Key returns the form in which names are compared: folded (see package han)
// and without spaces, hyphens and middle dots, so that "SK 海力士", "SK-海力士"
// and "ＳＫ海力士" are one.
func Key(s string) string {
	s = han.FoldString(s)
	if !strings.ContainsAny(s, " -·") {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '·':
			return -1
		}
		return r
	}, s)
}
