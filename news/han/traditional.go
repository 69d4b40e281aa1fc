package han

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

//go:embed opencc/STPhrases.txt
var stPhrases string

// Traditional writes Simplified Chinese in Traditional characters, in the forms
// used in Taiwan. The result has as many code points as s, in the same places;
// all else is left as it is. Words stay the writer's: 芯片 becomes 芯片, not
// 晶片.
//
// A Simplified character may stand for several Traditional ones (发 for 發 and
// 髮). The longest phrase decides, then what is commonest: so the result is for
// reading, not for storing. A text that is Traditional already must not be
// converted: its 后 and 里 may mean what they say.
func Traditional(s string) string {
	c := loadTraditional()
	i := c.first(s)
	if i == len(s) {
		return s
	}
	out := make([]byte, 0, len(s))
	out = append(out, s[:i]...)
	return string(c.append(out, s[i:]))
}

// traditional is the Simplified→Traditional data, made once, when it is first
// needed: few readers ask for it.
type traditional struct {
	characters
	// begins marks the first characters of phrases.
	begins [1 << 16]bool
	// phrases are sorted by their first two characters, those that begin alike
	// by length, longest first. groups says where those lie: a hash table, which
	// is asked at nearly every character.
	phrases []phrase
	groups  [1 << groupBits]group
}

// groupBits keeps the table of some 33,000 groups half empty.
const groupBits = 16

// A group is phrases[from:to], all of which begin with the same pair of
// characters. An empty group ends a search.
type group struct {
	pair     uint64
	from, to int32
}

// everyday are Traditional characters as the press of Taiwan writes them where
// the dictionaries prefer the form of school books: 台積電, not 臺積電.
var everyday = map[rune]rune{'臺': '台', '汙': '污'}

var loadTraditional = sync.OnceValue(func() *traditional {
	forms := make(map[rune]rune)
	eachEntry(twVariants, func(key string, values []string) { forms[firstRune(key)] = firstRune(values[0]) })
	form := func(r rune) rune {
		if f, ok := forms[r]; ok {
			r = f
		}
		if f, ok := everyday[r]; ok {
			r = f
		}
		return r
	}
	c := new(traditional)
	for r := range forms {
		c.set(r, form(r))
	}
	eachEntry(stCharacters, func(key string, values []string) {
		c.set(firstRune(key), form(firstRune(values[0])))
	})
	eachEntry(stPhrases, func(key string, values []string) {
		n := utf8.RuneCountInString(key)
		if n < 2 || n != utf8.RuneCountInString(values[0]) {
			return // would break the alignment of runes; the dictionary has none today
		}
		c.phrases = append(c.phrases, phrase{key, strings.Map(form, values[0])})
	})
	slices.SortFunc(c.phrases, func(a, b phrase) int {
		return cmp.Or(cmp.Compare(firstPair(a.from), firstPair(b.from)), cmp.Compare(len(b.from), len(a.from)))
	})
	for i, p := range c.phrases {
		pair := firstPair(p.from)
		g := c.group(pair)
		if g.to == 0 {
			*g = group{pair: pair, from: int32(i)}
		}
		g.to = int32(i + 1)
		if first := firstRune(p.from); first < 1<<16 {
			c.begins[first] = true
		}
	}
	return c
})

// firstPair returns the first two characters of s as one number.
func firstPair(s string) uint64 {
	first, n := utf8.DecodeRuneInString(s)
	second, _ := utf8.DecodeRuneInString(s[n:])
	return uint64(first)<<32 | uint64(second)
}

// group returns the group of a pair, or the empty one where it would stand.
func (c *traditional) group(pair uint64) *group {
	for i := pair * 0x9E3779B97F4A7C15 >> (64 - groupBits); ; i++ {
		g := &c.groups[i%(1<<groupBits)]
		if g.to == 0 || g.pair == pair {
			return g
		}
	}
}

// first returns where s first holds something that conversion could change.
func (c *traditional) first(s string) int {
	for i, r := range s {
		if r >= utf8.RuneSelf && (r >= 1<<16 || c.basic[r] != 0 || c.begins[r]) {
			return i
		}
	}
	return len(s)
}

func (c *traditional) append(out []byte, s string) []byte {
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			out = append(out, s[i])
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r < 1<<16 && c.begins[r] {
			if p, ok := c.phraseAt(s[i:]); ok {
				out = append(out, p.to...)
				i += len(p.from)
				continue
			}
		}
		if to := c.convert(r); to != r {
			out = utf8.AppendRune(out, to)
		} else {
			out = append(out, s[i:i+n]...)
		}
		i += n
	}
	return out
}

// phraseAt returns the longest phrase s begins with.
func (c *traditional) phraseAt(s string) (phrase, bool) {
	g := c.group(firstPair(s))
	for _, p := range c.phrases[g.from:g.to] {
		if strings.HasPrefix(s, p.from) {
			return p, true
		}
	}
	return phrase{}, false
}
