// Package pattern is regular expressions that are quick to say no: before the
// expression is tried, the text is searched for the literals one of which every
// match has. In goes an expression in the syntax of package regexp, out come the
// answers of package regexp, always the same ones.
//
// The literals are read off the expression itself, so that nothing is to be kept
// in step. A page asks some hundred expressions about some hundred lines, and
// hardly any of them matches.
package pattern

import (
	"iter"
	"regexp"
	"regexp/syntax"
	"strings"
)

// Pattern is a regular expression. It is safe for concurrent use.
type Pattern struct {
	re *regexp.Regexp
	// need is nil if nothing is known that every match has.
	need *literals
}

// MustCompile is like regexp.MustCompile.
func MustCompile(expr string) *Pattern {
	p := &Pattern{re: regexp.MustCompile(expr)}
	if tree, err := syntax.Parse(expr, syntax.Perl); err == nil {
		p.need = newLiterals(needed(tree.Simplify()))
	}
	return p
}

// May reports whether s may have a match: false is sure.
func (p *Pattern) May(s string) bool { return p.need == nil || p.need.in(s) }

// MatchString is that of regexp.Regexp.
func (p *Pattern) MatchString(s string) bool { return p.May(s) && p.re.MatchString(s) }

// FindString is that of regexp.Regexp.
func (p *Pattern) FindString(s string) string {
	if !p.May(s) {
		return ""
	}
	return p.re.FindString(s)
}

// FindStringIndex is that of regexp.Regexp.
func (p *Pattern) FindStringIndex(s string) []int {
	if !p.May(s) {
		return nil
	}
	return p.re.FindStringIndex(s)
}

// FindStringSubmatch is that of regexp.Regexp.
func (p *Pattern) FindStringSubmatch(s string) []string {
	if !p.May(s) {
		return nil
	}
	return p.re.FindStringSubmatch(s)
}

// FindStringSubmatchIndex is that of regexp.Regexp.
func (p *Pattern) FindStringSubmatchIndex(s string) []int {
	if !p.May(s) {
		return nil
	}
	return p.re.FindStringSubmatchIndex(s)
}

// FindAllString is that of regexp.Regexp.
func (p *Pattern) FindAllString(s string, n int) []string {
	if !p.May(s) {
		return nil
	}
	return p.re.FindAllString(s, n)
}

// FindAllStringIndex is that of regexp.Regexp.
func (p *Pattern) FindAllStringIndex(s string, n int) [][]int {
	if !p.May(s) {
		return nil
	}
	return p.re.FindAllStringIndex(s, n)
}

// FindAllStringSubmatch is that of regexp.Regexp.
func (p *Pattern) FindAllStringSubmatch(s string, n int) [][]string {
	if !p.May(s) {
		return nil
	}
	return p.re.FindAllStringSubmatch(s, n)
}

// FindAllStringSubmatchIndex is that of regexp.Regexp.
func (p *Pattern) FindAllStringSubmatchIndex(s string, n int) [][]int {
	if !p.May(s) {
		return nil
	}
	return p.re.FindAllStringSubmatchIndex(s, n)
}

// ReplaceAllString is that of regexp.Regexp.
func (p *Pattern) ReplaceAllString(s, to string) string {
	if !p.May(s) {
		return s
	}
	return p.re.ReplaceAllString(s, to)
}

// Split is that of regexp.Regexp.
func (p *Pattern) Split(s string, n int) []string {
	if !p.May(s) && n != 0 && s != "" {
		return []string{s}
	}
	return p.re.Split(s, n)
}

// Places yields where in s the literals that each match of p has begin, those of
// ASCII in order.
// Where all that p matches is such literals, those are its matches, and those
// that overlap them.
func (p *Pattern) Places(s string) iter.Seq[int] {
	return func(yield func(int) bool) {
		if p.need != nil {
			p.need.each(s, yield)
		}
	}
}

// literals is a set of strings that is looked for in texts, upper and lower case
// of ASCII letters alike.
type literals struct {
	// gram has a bit for the hash of two bytes of each string.
	gram [1 << gramBits / 64]uint64
	// by leads from such a hash to the strings with it.
	by map[uint16][]literal
	// folds says that letters beyond ASCII stand for k and s: K and ſ.
	folds bool
}

// literal is a string in lower case and the place of its two bytes.
type literal struct {
	text string
	at   int
}

const gramBits = 12

func hash(a, b byte) uint16 {
	return uint16((uint32(a)<<8|uint32(b))*0x9e3779b1>>16) & (1<<gramBits - 1)
}

// newLiterals returns nil if list is empty.
func newLiterals(list []string) *literals {
	if len(list) == 0 {
		return nil
	}
	l := &literals{by: make(map[uint16][]literal)}
	for _, s := range list {
		x := literal{text: s}
		// The two last bytes of a character tell more than the first, which most
		// Chinese characters share.
		if len(s) > 2 && s[0] >= 0xe0 {
			x.at = 1
		}
		h := hash(s[x.at], s[x.at+1])
		l.gram[h/64] |= 1 << (h % 64)
		l.by[h] = append(l.by[h], x)
		l.folds = l.folds || strings.ContainsAny(s, "ks")
	}
	return l
}

// lower maps capital ASCII letters to small ones.
var lower = func() (t [256]byte) {
	for i := range t {
		t[i] = byte(i)
		if 'A' <= i && i <= 'Z' {
			t[i] += 'a' - 'A'
		}
	}
	return t
}()

// in reports whether one of l may be in s.
func (l *literals) in(s string) bool {
	found := false
	l.each(s, func(int) bool {
		found = true
		return false
	})
	return found || l.folds && (strings.Contains(s, "ſ") || strings.Contains(s, "\u212a"))
}

// each calls do with the places of l in s, until it returns false.
func (l *literals) each(s string, do func(int) bool) {
	if len(s) < 2 {
		return
	}
	a := lower[s[0]]
	for i := 1; i < len(s); i++ {
		b := lower[s[i]]
		if h := hash(a, b); l.gram[h/64]>>(h%64)&1 != 0 {
			for _, x := range l.by[h] {
				if at := i - 1 - x.at; starts(s, at, x.text) && !do(at) {
					return
				}
			}
		}
		a = b
	}
}

// starts reports whether text stands at i of s.
func starts(s string, i int, text string) bool {
	if i < 0 || len(s)-i < len(text) {
		return false
	}
	for k := range len(text) {
		if lower[s[i+k]] != text[k] {
			return false
		}
	}
	return true
}
