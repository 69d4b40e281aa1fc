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

const (
	// sampleBytes is how much of a text is looked at.
	sampleBytes = 64 << 10
	// fewWords and fewHan are below which length a text does not say enough.
	fewWords, fewHan = 12, 40
)

// Detect returns the language ("zh", "en", or "" for every other and for
// unknown) and the script of text. declared is the page's own language tag and
// may be "".
func Detect(text, declared string) (lang, script string) {
	if len(text) > sampleBytes {
		text = strings.ToValidUTF8(text[:sampleBytes], "")
	}
	declared = strings.ToLower(strings.ReplaceAll(declared, "_", "-"))
	n := count(text)
	if n.other > n.latin+n.han+n.kana {
		return "", "" // Korean, Russian, Arabic and the like with foreign names
	}
	script = han.Script(text)
	switch script {
	case news.ScriptHans, news.ScriptHant, news.ScriptMixed:
		if 10*n.kana > n.han+n.kana || n.han < fewHan && strings.HasPrefix(declared, "ja") {
			return "", script
		}
		if script == news.ScriptHans && hant(declared) && undecided(text) {
			script = news.ScriptHant
		}
		return "zh", script
	case news.ScriptLatn:
		return latin(text, declared), script
	}
	return "", script
}

// hant reports whether a language tag means Traditional characters.
func hant(tag string) bool {
	if !strings.HasPrefix(tag, "zh") {
		return false
	}
	for part := range strings.SplitSeq(tag, "-") {
		switch part {
		case "hant", "tw", "hk", "mo", "cht":
			return true
		}
	}
	return false
}

// undecided reports whether none of the characters of s are of Simplified
// writing alone: then one of Traditional writing makes it Traditional.
func undecided(s string) bool { return han.Script(s+"們") == news.ScriptHant }

// letters are how many letters of each sort a text has.
type letters struct{ latin, han, kana, other int }

func count(s string) (n letters) {
	for _, r := range s {
		switch {
		case r < 0x80:
			if 'a' <= r|0x20 && r|0x20 <= 'z' {
				n.latin++
			}
		case han.IsHan(r):
			n.han++
		case r >= 0x3041 && r <= 0x30ff && r != 0x30fb && r != 0x30fc:
			n.kana++
		case unicode.Is(unicode.Latin, r):
			n.latin++
		case unicode.IsLetter(r):
			n.other++
		}
	}
	return n
}

func wordSet(s string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(s) {
		m[w] = true
	}
	return m
}

// commonEnglish are words that only English uses much, commonForeign those of
// its neighbours.
var (
	commonEnglish = wordSet(`the of and to in is that for it as was with be by on at from this are or an have has had will would
		they their he she his her its not but which who what when where were been than more you your we our about said after new can`)
	commonForeign = wordSet(`der die das und ist nicht ein eine einen dem den des mit für auf von zu im sich auch als wird werden nach bei über
		le la les des et est une du dans que qui pour pas sur au aux avec ce cette plus el los las del y en por con para una se su como al lo
		il di che è per non gli della dei nel sono alla een het van de op te dat niet zijn met voor aan och att det som på är inte til af og
		o os da do em um uma não na no ao dos das e nie w z się jest na do`)
)

// latin returns "en" for English and "" for every other language in Latin
// letters.
func latin(s, declared string) string {
	words, common, foreign, accents := 0, 0, 0, 0
	for w := range strings.FieldsFuncSeq(s, func(r rune) bool { return !unicode.IsLetter(r) && r != '\'' && r != '’' }) {
		words++
		w = strings.ToLower(w)
		if commonEnglish[w] {
			common++
		}
		if commonForeign[w] {
			foreign++
		}
		if strings.ContainsFunc(w, func(r rune) bool { return r > 0xbf && r < 0x250 }) {
			accents++
		}
		if words == 3000 {
			break
		}
	}
	english := strings.HasPrefix(declared, "en")
	switch {
	case words < fewWords:
		// A name with an accent says nothing, two such words do.
		if foreign > common || accents > 1 && common == 0 {
			return ""
		}
		if common > foreign || declared == "" || english {
			return "en"
		}
	case float64(common) >= 0.12*float64(words) && common > foreign:
		return "en"
	case float64(common) >= 0.07*float64(words) && common > foreign && english:
		return "en"
	}
	return ""
}
