package tagger

import (
	"unicode"
	"unicode/utf8"

	"xinwen/news/han"
)

// class is what sort of unit one is.
type class uint8

const (
	mark  class = iota
	ideo        // a Chinese character
	lower       // letters, none of them capital
	title       // the first letter is capital
	upper       // all letters are capital
	mixed
	digit
)

// unit is the least that is tagged.
type unit struct {
	start, end int // bytes of the folded text
	text       string
	class      class
	hash       uint32
}

// maxUnits is the longest sentence; longer ones are cut.
const maxUnits = 256

// cut appends the units of text[from:to], folded text. capital reports whether
// the original has a capital letter at an offset.
func cut(dst []unit, text string, from, to int, capital func(int) bool) []unit {
	for i := from; i < to; {
		r, n := utf8.DecodeRuneInString(text[i:])
		u := unit{start: i, end: i + n}
		switch {
		case r == ' ' || r == '\n' || r == '\t' || r == 0x3000:
			i += n
			continue
		case '0' <= r && r <= '9':
			for u.end < to && '0' <= text[u.end] && text[u.end] <= '9' {
				u.end++
			}
			u.class = digit
			u.hash = 0x51ed270b * uint32(min(u.end-i, 5))
		case han.IsHan(r):
			u.class, u.hash = ideo, spread(uint32(r))
		case unicode.IsLetter(r):
			u.end = wordEnd(text, i, to)
			u.class = shape(text, i, u.end, capital)
			u.hash = hashOf(text[i:u.end])
		default:
			u.hash = spread(uint32(r))
		}
		u.text = text[u.start:u.end]
		dst = append(dst, u)
		i = u.end
	}
	return dst
}

// wordEnd returns the end of the letters at i; an apostrophe ends them.
func wordEnd(text string, i, to int) int {
	for i < to {
		r, n := utf8.DecodeRuneInString(text[i:])
		if !unicode.IsLetter(r) || han.IsHan(r) {
			break
		}
		i += n
	}
	return i
}

func shape(text string, from, to int, capital func(int) bool) class {
	capitals, letters, first := 0, 0, false
	for i := range text[from:to] {
		letters++
		if capital(from + i) {
			capitals++
			first = first || i == 0
		}
	}
	switch {
	case capitals == 0:
		return lower
	case capitals == letters && letters > 1:
		return upper
	case first && capitals == 1:
		return title
	}
	return mixed
}

func spread(x uint32) uint32 {
	x ^= x >> 16
	x *= 0x7feb352d
	x ^= x >> 15
	x *= 0x846ca68b
	return x ^ x>>16
}

func hashOf(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return spread(h)
}

// join makes one hash of two, in order.
func join(a, b uint32) uint32 { return (a<<5 | a>>27) ^ b*0x9e3779b1 }

// feature is the hash of feature t with value v, never 0.
func feature(t, v uint32) uint32 { return spread(join(v, t*0x85ebca6b+1)) | 1 }
