// Package language tells the language and script of an article from its text.
// What a page declares about itself counts only where the text is too short to
// say.
package language

import (
	"strings"
	"unicode"

	"xinwen/news"
	"xinwen/news/han"
)

// sampleBytes is how much of a text is looked at.
const sampleBytes = 64 << 10

// Detect returns the language ("zh", "en", or "" for every other and for
// unknown) and the script of text. declared is the page's own language tag and
// may be "".
func Detect(text, declared string) (lang, script string) {
	if len(text) > sampleBytes {
		text = strings.ToValidUTF8(text[:sampleBytes], "")
	}
	script = han.Script(text)
	declared = strings.ToLower(declared)
	switch script {
	case news.ScriptHans, news.ScriptHant, news.ScriptMixed:
		if kana(text) {
			return "", script
		}
		return "zh", script
	case news.ScriptLatn:
		words, common := english(text)
		switch {
		case words < 12:
			if declared == "" || strings.HasPrefix(declared, "en") {
				return "en", script
			}
		case float64(common) >= 0.12*float64(words):
			return "en", script
		case float64(common) >= 0.07*float64(words) && strings.HasPrefix(declared, "en"):
			return "en", script
		}
	}
	return "", script
}

// kana reports whether the text is Japanese: a tenth of its East Asian
// characters are kana.
func kana(s string) bool {
	n, all := 0, 0
	for _, r := range s {
		switch {
		case r >= 0x3041 && r <= 0x30ff && r != 0x30fb && r != 0x30fc:
			n++
			all++
		case han.IsHan(r):
			all++
		}
	}
	return n*10 > all
}

var commonEnglish = func() map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(`the of and to in is that for it as was with be by on at from this are or an have has had will would
		they their he she his her its not but which who what when where were been than more you your we our about said after new can`) {
		m[w] = true
	}
	return m
}()

// english counts the words of s and those that only English uses much.
func english(s string) (words, common int) {
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' }) {
		words++
		if len(w) <= 5 && commonEnglish[strings.ToLower(w)] {
			common++
		}
		if words == 3000 {
			break
		}
	}
	return words, common
}
