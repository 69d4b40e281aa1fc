package lexicon

import (
	"strings"

	"xinwen/news/han"
)

// Key returns the form in which names are compared: folded (see package han)
// and without spaces, hyphens and middle dots, so that "SK 海力士", "SK-海力士"
// and "ＳＫ海力士" are one.
func Key(s string) string { return separators.Replace(han.FoldString(s)) }

var separators = strings.NewReplacer(" ", "", "-", "", "·", "")
