package analysis

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// class says what a rune of folded text is to a tokenizer.
type class uint8

const (
	gap    class = iota // space, punctuation, symbols
	letter              // of a script written in words
	mark                // an accent; it belongs to the letter before
	digit
	ideograph // Chinese, kana, Hangul: scripts without spaces
)

// classes is read only once made.
type classes [1 << 16]class

var loadClasses = sync.OnceValue(func() *classes {
	c := new(classes)
	for r := range rune(1 << 16) {
		c[r] = classOf(r)
	}
	return c
})

func classOf(r rune) class {
	switch {
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo),
		r == 'ー':
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) {
			return gap // radicals
		}
		return ideograph
	case unicode.IsNumber(r):
		return digit
	case unicode.IsLetter(r):
		return letter
	case unicode.IsMark(r):
		return mark
	}
	return gap
}

// of returns the class of the rune at s[i] and its length.
func (c *classes) of(s string, i int) (class, int) {
	if b := s[i]; b < utf8.RuneSelf {
		return c[b], 1
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	if r < 1<<16 {
		return c[r], n
	}
	return classOf(r), n
}

// unit is a run of ideographs or one word or number in folded text.
type unit struct {
	start, end int
	ideographs bool
	// seam is where a word made of letters and digits changes for the first
	// time from one to the other, 0 if it does not.
	seam int
	// digits says that the unit begins with a digit, letters that it is nothing
	// but letters.
	digits, letters bool
	// commas says that the unit is a number with grouping commas.
	commas bool
}

// nextUnit returns the first unit of s at or after i; its end is 0 when there is
// none.
func (c *classes) nextUnit(s string, i int) unit {
	for i < len(s) {
		k, n := c.of(s, i)
		switch k {
		case gap, mark:
			i += n
			continue
		case ideograph:
			u := unit{start: i, ideographs: true}
			for i += n; i < len(s); i += n {
				if k, n = c.of(s, i); k != ideograph {
					break
				}
			}
			u.end = i
			return u
		}
		return c.word(s, i)
	}
	return unit{}
}

// word returns the word or number that begins at s[i]: letters and digits, with
// points and grouping commas between digits.
func (c *classes) word(s string, i int) unit {
	k, n := c.of(s, i)
	u := unit{start: i, digits: k == digit, letters: k == letter}
	last := k
	for i += n; i < len(s); i += n {
		k, n = c.of(s, i)
		switch {
		case k == mark:
			continue
		case k == letter, k == digit:
			u.letters = u.letters && k == letter
			if k != last && u.seam == 0 {
				u.seam = i
			}
			last = k
			continue
		case s[i] == '.' && last == digit && c.digitAt(s, i+1):
			continue
		case s[i] == ',' && last == digit && c.group(s, i):
			u.commas = true
			continue
		}
		break
	}
	u.end = i
	return u
}

func (c *classes) digitAt(s string, i int) bool {
	return i < len(s) && '0' <= s[i] && s[i] <= '9'
}

// group says that the comma at s[i] groups thousands: exactly three digits
// follow.
func (c *classes) group(s string, i int) bool {
	for k := 1; k <= 3; k++ {
		if !c.digitAt(s, i+k) {
			return false
		}
	}
	return !c.digitAt(s, i+4)
}

// term returns what u is called in a token stream.
func (u *unit) term(s string) string {
	if u.commas {
		return strings.ReplaceAll(s[u.start:u.end], ",", "")
	}
	return s[u.start:u.end]
}

// possessive says that the word at u is the s of 's.
func (u *unit) possessive(s string) bool {
	return u.end == u.start+1 && s[u.start] == 's' && u.start > 1 && s[u.start-1] == '\'' &&
		(s[u.start-2] >= 'a' && s[u.start-2] <= 'z' || s[u.start-2] >= '0' && s[u.start-2] <= '9')
}

// joins says that u and v, the unit after it, are one name or measure written
// with a space or hyphen: RTX 5090, GPT-4, HBM 3E, 3 nm.
func joins(s string, u, v *unit) bool {
	if v.start != u.end+1 || u.ideographs || v.ideographs || u.commas || v.commas {
		return false
	}
	hyphen := s[u.end] == '-'
	if !hyphen && s[u.end] != ' ' {
		return false
	}
	n := u.end - u.start
	switch {
	case u.letters && v.digits:
		return n <= 6 && (hyphen || n > 1 && !function[s[u.start:u.end]])
	case u.digits && v.letters && u.seam == 0:
		return units[s[v.start:v.end]]
	}
	return false
}

// function holds the short English words that stand before numbers without
// belonging to them. Read only.
var function = set("in on by to of at as is was are the for from than and or with about over up")

// units are the units of measure that are written with and without a space
// after the number. Read only.
var units = set("nm um μm mm cm kb mb gb tb pb kw mw gw w v a k hz khz mhz ghz gbps tbps mbps gt tops tflops pflops")

func set(words string) map[string]bool {
	m := make(map[string]bool)
	for w := range strings.FieldsSeq(words) {
		m[w] = true
	}
	return m
}

// IsIdeograph reports whether s, a term of a token stream, begins with a
// character of a script that is written without spaces.
func IsIdeograph(s string) bool {
	if s == "" {
		return false
	}
	k, _ := loadClasses().of(s, 0)
	return k == ideograph
}
