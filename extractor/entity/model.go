package entity

import (
	"strings"
	"unicode/utf8"

	"xinwen/news"
)

// models takes the model that follows the name of a product into the mention:
// Snapdragon X Plus, 麒麟9000S, iPhone 15 Pro.
func (m *matcher) models(hits []hit) {
	for i := range hits {
		h := &hits[i]
		if m.g.patterns[h.pattern].entity.Kind != news.Product {
			continue
		}
		limit := len(m.text)
		if i+1 < len(hits) {
			limit = hits[i+1].start
		}
		for {
			end := m.model(h.end, limit)
			if end == 0 {
				break
			}
			if h.model == 0 {
				h.model = h.end
			}
			h.end = end
		}
	}
}

// modelWords are words that set one model apart from another.
var modelWords = map[string]bool{
	"pro": true, "max": true, "plus": true, "ultra": true, "elite": true, "lite": true, "mini": true, "se": true, "air": true, "gen": true, "x": true, "xl": true,
	"ti": true, "super": true, "fe": true, "turbo": true, "prime": true, "+": true,
}

// model returns the end of a model word at i, 0 if there is none.
func (m *matcher) model(i, limit int) int {
	s := m.text
	capital := func(i int) bool { return s[i] == '+' || m.capital(i) }
	j := i
	for j < limit && (s[j] == ' ' && (j == i || s[j-1] == mark) || s[j] == mark) {
		j++
	}
	end := j
	digit, letter := false, false
	for end < limit && (s[end] >= 'a' && s[end] <= 'z' || s[end] >= '0' && s[end] <= '9' || s[end] == '+') {
		digit = digit || s[end] <= '9' && s[end] >= '0'
		letter = letter || s[end] >= 'a'
		end++
	}
	word := s[j:end]
	switch {
	case word == "" || len(word) > 7:
		return 0
	case j == i && letter && i > 0 && s[i-1] < utf8.RuneSelf:
		return 0 // inside a word
	case !digit && !modelWords[word]:
		// XA of XA AU7P: short, in capitals, with a number behind.
		if j > i && len(word) < 4 && capital(j) && capital(end-1) && end+1 < limit && s[end] == ' ' && capital(end+1) {
			if e := m.model(end, limit); e > 0 && strings.ContainsAny(s[end:e], "0123456789") {
				return e
			}
		}
		return 0
	case letter && !capital(j) && !(digit && s[j] >= '0' && s[j] <= '9'):
		return 0
	}
	if digit && !letter {
		if len(word) == 4 && (strings.HasPrefix(word, "19") || strings.HasPrefix(word, "20")) || j > i && i > 0 && s[i-1] >= utf8.RuneSelf {
			return 0 // a year; a number after a Chinese name and a space
		}
	}
	if end < len(s) {
		// Numbers with a unit are amounts.
		point := (s[end] == '.' || s[end] == ',') && end+1 < len(s) && s[end+1] >= '0' && s[end+1] <= '9'
		if r, _ := utf8.DecodeRuneInString(s[end:]); digit && (point || strings.ContainsRune("%年月日万亿千百颗个台倍成元美nmg", r)) {
			return 0
		}
		if r, _ := utf8.DecodeRuneInString(strings.TrimLeft(s[end:], " ")); digit && !letter && strings.ContainsRune("%年月日万亿千百颗个台倍成元美", r) {
			return 0
		}
		for _, u := range [...]string{" million", " billion", " percent", " per", " times", " units", " years", " of ", " nm", " gb"} {
			if digit && !letter && strings.HasPrefix(s[end:], u) {
				return 0
			}
		}
	}
	return end
}
