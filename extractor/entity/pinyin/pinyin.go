// Package pinyin spells Chinese names of persons in Latin letters: as the
// mainland does (陈岩, Chen Yan), or as Taiwan mostly does (簡志誠, Chien
// Chih-cheng, in the spelling of Wade and Giles without its marks).
//
// The readings are those of pinyin-data (MIT licence, https://github.com/mozillazg/pinyin-data),
// the first of each character; surnames that are read otherwise are listed here.
package pinyin

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"
)

//go:embed syllables.txt
var syllables string

var readings = sync.OnceValue(func() map[rune]string {
	m := make(map[rune]string, 7000)
	for line := range strings.Lines(syllables) {
		syllable, chars, _ := strings.Cut(strings.TrimSpace(line), " ")
		for _, r := range chars {
			m[r] = syllable
		}
	}
	return m
})

// surnames that are read in another way than the character mostly is.
var surnames = map[string]string{
	"单": "shan", "仇": "qiu", "查": "zha", "解": "xie", "曾": "zeng", "任": "ren", "区": "ou", "翟": "zhai", "盖": "ge", "覃": "qin", "乐": "yue", "缪": "miao",
	"朴": "piao", "尉迟": "yuchi", "万俟": "moqi", "逄": "pang", "卜": "bu", "宁": "ning", "贾": "jia", "沈": "shen", "俞": "yu", "冼": "xian", "葛": "ge", "吕": "lu",
	"欧阳": "ouyang", "司马": "sima", "上官": "shangguan", "诸葛": "zhuge", "司徒": "situ", "东方": "dongfang", "夏侯": "xiahou", "皇甫": "huangfu", "公孙": "gongsun",
	"慕容": "murong", "张简": "zhangjian", "范姜": "fanjiang",
}

// doubled is the length of the longer surnames.
const doubled = 2

// Name spells a name in Simplified characters, surname first; "" if it has a
// character that is not listed or no given name. taiwan asks for that spelling.
func Name(name string, taiwan bool) string {
	runes := []rune(name)
	if len(runes) < 2 || len(runes) > 4 {
		return ""
	}
	first := 1
	if len(runes) > doubled {
		if _, ok := surnames[string(runes[:doubled])]; ok {
			first = doubled
		}
	}
	var family []string
	for _, r := range runes[:first] {
		s := readings()[r]
		if first == 1 {
			if x, ok := surnames[string(r)]; ok {
				s = x
			}
		}
		family = append(family, s)
	}
	var given []string
	for _, r := range runes[first:] {
		given = append(given, readings()[r])
	}
	for _, s := range append(family[:len(family):len(family)], given...) {
		if s == "" {
			return ""
		}
	}
	join := ""
	if taiwan {
		join = "-"
		for _, list := range [...][]string{family, given} {
			for i, s := range list {
				list[i] = wade(s)
			}
		}
	} else {
		family, given = plain(family), plain(given)
	}
	return capital(strings.Join(family, join)) + " " + capital(strings.Join(given, join))
}

// plain writes ü as passports did for long.
func plain(list []string) []string {
	for i, s := range list {
		switch s {
		case "lv", "nv":
			list[i] = s[:1] + "u"
		case "lve", "nve":
			list[i] = s[:1] + "ue"
		}
	}
	return list
}

func capital(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return strings.ToUpper(s[:n]) + s[n:]
}

// whole are syllables that Wade and Giles spell in their own way.
var whole = map[string]string{
	"zhi": "chih", "chi": "chih", "shi": "shih", "ri": "jih", "zi": "tzu", "ci": "tzu", "si": "szu", "yi": "yi", "you": "yu", "ye": "yeh", "yan": "yen", "er": "erh",
	"ge": "ko", "ke": "ko", "he": "ho", "guo": "kuo", "kuo": "kuo", "huo": "huo", "shuo": "shuo", "gui": "kuei", "kui": "kuei", "yue": "yueh", "yong": "yung", "rong": "jung",
	"lv": "lu", "nv": "nu", "lve": "lueh", "nve": "nueh", "xiong": "hsiung", "zhe": "che", "che": "che", "she": "she", "re": "je", "ze": "tse", "ce": "tse", "se": "se",
}

// initials in the spelling of Wade and Giles, longest first.
var initials = [...][2]string{
	{"zh", "ch"}, {"ch", "ch"}, {"sh", "sh"}, {"b", "p"}, {"d", "t"}, {"g", "k"}, {"j", "ch"}, {"q", "ch"}, {"x", "hs"}, {"z", "ts"}, {"c", "ts"}, {"r", "j"},
}

// wade spells a syllable of pinyin as Wade and Giles, without marks.
func wade(s string) string {
	if w, ok := whole[s]; ok {
		return w
	}
	head, tail := "", s
	for _, i := range initials {
		if rest, ok := strings.CutPrefix(s, i[0]); ok {
			head, tail = i[1], rest
			break
		}
	}
	if head == "" {
		k := strings.IndexAny(s, "aeiouv")
		head, tail = s[:max(k, 0)], s[max(k, 0):]
	}
	switch {
	case strings.HasSuffix(tail, "ong"):
		tail = tail[:len(tail)-3] + "ung"
	case strings.HasSuffix(tail, "ian"):
		tail = tail[:len(tail)-3] + "ien"
	case tail == "ie" || tail == "ue":
		tail += "h"
	case tail == "uo":
		tail = "o"
	}
	return head + tail
}

// Spell spells any text of Chinese characters as one word; "" if one of them is
// not listed. Letters and digits stay.
func Spell(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch s := readings()[r]; {
		case s != "":
			b.WriteString(s)
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		default:
			return ""
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return capital(b.String())
}
