package query

import (
	"slices"
	"strings"
)

// English words are ranked by in all their regular forms: who asks for what was
// received is served with what receives. Which articles have all words of a query
// is decided by the words as they are.

// minInflected is how long a word must be to have forms.
const minInflected = 4

// Stem returns what the regular forms of an English word have in common; any other
// word is its own stem. Words are in folded form.
func Stem(word string) string {
	if !inflected(word) {
		return word
	}
	s := word
	switch {
	case strings.HasSuffix(s, "ies") && len(s) > 4:
		s = s[:len(s)-3] + "y"
	case hasSuffix(s, "sses", "xes", "zes", "ches", "shes"):
		s = s[:len(s)-2]
	case strings.HasSuffix(s, "s") && !hasSuffix(s, "ss", "us", "is"):
		s = s[:len(s)-1]
	case strings.HasSuffix(s, "ied") && len(s) > 4:
		s = s[:len(s)-3] + "y"
	default:
		for _, suffix := range []string{"ed", "ing"} {
			rest, ok := strings.CutSuffix(s, suffix)
			if !ok || len(rest) < 3 || !strings.ContainsAny(rest, "aeiouy") {
				continue
			}
			s = rest
			if n := len(s); s[n-1] == s[n-2] && !hasSuffix(s, "ll", "ss", "zz", "ee", "oo") {
				s = s[:n-1] // planning
			}
		}
	}
	if len(s) >= minInflected {
		s = strings.TrimSuffix(s, "e")
	}
	return s
}

// inflected says that a word has forms by rule.
func inflected(word string) bool {
	return len(word) >= minInflected && !irregular[word] && !strings.ContainsFunc(word, func(r rune) bool { return r < 'a' || r > 'z' })
}

// irregular are words that only look like a form of another.
var irregular = map[string]bool{
	"news": true, "united": true, "during": true, "nothing": true, "something": true, "anything": true, "everything": true,
	"series": true, "species": true, "means": true, "hundred": true, "always": true, "perhaps": true, "besides": true,
}

func hasSuffix(s string, suffixes ...string) bool {
	return slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(s, suffix) })
}

// Inflections returns the other words with the stem of word that can be made of it
// by rule; most of them will be in no text.
func Inflections(word string) []string {
	if !inflected(word) {
		return nil
	}
	stem := Stem(word)
	var forms []string
	add := func(form string) {
		if form != word && Stem(form) == stem && !slices.Contains(forms, form) {
			forms = append(forms, form)
		}
	}
	n := len(stem)
	for _, base := range []string{stem, stem + stem[n-1:], strings.TrimSuffix(stem, "y") + "i"} {
		for _, suffix := range []string{"", "e", "s", "es", "ed", "ing"} {
			add(base + suffix)
		}
	}
	return forms
}

// Alike returns a name that all terms have which are ranked by as if they were
// one: the forms of a word and, with synonyms, words that mean the same across the
// strait. A gram or the ID of an entity is its own.
func Alike(term string, synonyms bool) string {
	if synonyms {
		if _, others := Synonyms(term); len(others) > 0 {
			return slices.Min(append(others, term))
		}
	}
	return Stem(term)
}
