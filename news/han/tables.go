package han

import (
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"
)

//go:embed opencc/TSCharacters.txt
var tsCharacters string

//go:embed opencc/TSPhrases.txt
var tsPhrases string

//go:embed opencc/STCharacters.txt
var stCharacters string

//go:embed opencc/TWVariants.txt
var twVariants string

//go:embed opencc/HKVariants.txt
var hkVariants string

// What a character of the basic plane says about the script it stands in.
const (
	onlyHans     = 1 << iota // written in Simplified Chinese only
	onlyHant                 // written in Traditional Chinese only
	startsPhrase             // first character of a conversion phrase
)

// conversion is the Traditional→Simplified data, made once from the
// dictionaries and never changed.
type conversion struct {
	characters
	flags [1 << 16]uint8
	// phrases are the phrases by first character, longest first.
	phrases map[rune][]phrase
}

// A phrase has as many characters from as to.
type phrase struct{ from, to string }

var loadConversion = sync.OnceValue(func() *conversion {
	c := &conversion{phrases: make(map[rune][]phrase)}
	// The dictionaries prefer rare Traditional forms (羣 for 群); what Taiwan
	// and Hong Kong write instead is no sign of Simplified.
	written := make(map[string]bool)
	for _, variants := range []string{twVariants, hkVariants} {
		eachEntry(variants, func(_ string, values []string) {
			for _, v := range values {
				written[v] = true
			}
		})
	}
	hans := make(map[rune]bool)
	eachEntry(stCharacters, func(key string, values []string) {
		if !contains(values, key) && !written[key] {
			hans[firstRune(key)] = true
		}
	})
	eachEntry(tsCharacters, func(key string, values []string) {
		from, to := firstRune(key), firstRune(values[0])
		if from < 1<<16 && !contains(values, key) {
			c.flags[from] |= onlyHant
		}
		c.set(from, to)
	})
	for r := range hans {
		if r < 1<<16 && c.flags[r]&onlyHant == 0 {
			c.flags[r] |= onlyHans
		}
	}
	eachEntry(tsPhrases, func(key string, values []string) {
		if utf8.RuneCountInString(key) != utf8.RuneCountInString(values[0]) {
			return // would break the alignment of runes; the dictionary has none today
		}
		first := firstRune(key)
		list := c.phrases[first]
		at := len(list)
		for at > 0 && len(list[at-1].from) < len(key) {
			at--
		}
		list = append(list, phrase{})
		copy(list[at+1:], list[at:])
		list[at] = phrase{key, values[0]}
		c.phrases[first] = list
		if first < 1<<16 {
			c.flags[first] |= startsPhrase
		}
	})
	return c
})

func eachEntry(dict string, visit func(key string, values []string)) {
	for line := range strings.Lines(dict) {
		line = strings.TrimRight(line, "\r\n")
		key, values, ok := strings.Cut(line, "\t")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		if list := strings.Fields(values); len(list) > 0 {
			visit(key, list)
		}
	}
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

// phraseAt returns the longest conversion phrase s begins with.
func (c *conversion) phraseAt(r rune, s string) (phrase, bool) {
	for _, p := range c.phrases[r] {
		if strings.HasPrefix(s, p.from) {
			return p, true
		}
	}
	return phrase{}, false
}
