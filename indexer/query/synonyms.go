package query

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"xinwen/news/han"
)

//go:embed synonyms.txt
var synonymText string

// maxVariants bounds how many ways of writing a text are tried.
const maxVariants = 12

// synonyms are words that mean the same on both sides of the strait, in folded
// form. Read only.
type synonyms struct {
	// sets are the words of each line; of leads from a word to its set.
	sets [][]string
	of   map[string]int
	// longest is the length in bytes of the longest word that begins with a
	// character.
	longest map[rune]int
}

var loadSynonyms = sync.OnceValue(func() *synonyms {
	s := &synonyms{of: make(map[string]int), longest: make(map[rune]int)}
	for line := range strings.Lines(synonymText) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		set := strings.Fields(line)
		for i, w := range set {
			set[i] = han.FoldString(w)
			s.of[set[i]] = len(s.sets)
			first, _ := utf8.DecodeRuneInString(set[i])
			s.longest[first] = max(s.longest[first], len(set[i]))
		}
		s.sets = append(s.sets, set)
	}
	return s
})

// Synonyms returns the words that mean the same as a word on the other side of
// the strait, and the number of their set; none if there are none. Words are in
// folded form.
func Synonyms(word string) (set int, others []string) {
	s := loadSynonyms()
	i, ok := s.of[word]
	if !ok {
		return -1, nil
	}
	return i, slices.DeleteFunc(slices.Clone(s.sets[i]), func(w string) bool { return w == word })
}

// SynonymList returns all words that have synonyms, and the number of their sets.
func SynonymList() (words []string, sets int) {
	s := loadSynonyms()
	return slices.Concat(s.sets...), len(s.sets)
}

// variants returns the other ways of writing value, with words replaced by what
// they are called on the other side of the strait, in folded form.
func variants(value string) []string {
	s := loadSynonyms()
	text := han.FoldString(value)
	ways := [][]byte{nil}
	replaced := false
	for len(text) > 0 {
		word, choices := s.match(text)
		if choices == nil {
			_, n := utf8.DecodeRuneInString(text)
			word = text[:n]
		}
		// The way as it is comes first, so that it is never left out.
		had := len(ways)
		for _, c := range choices[min(1, len(choices)):] {
			replaced = true
			for _, w := range ways[:min(had, maxVariants-len(ways))] {
				ways = append(ways, append(slices.Clone(w), c...))
			}
		}
		for i := range ways[:had] {
			ways[i] = append(ways[i], word...)
		}
		text = text[len(word):]
	}
	if !replaced {
		return nil
	}
	others := make([]string, 0, len(ways))
	for _, w := range ways[1:] {
		others = append(others, string(w))
	}
	return others
}

// match returns the longest word at the beginning of text that has synonyms, and
// its set with the word first.
func (s *synonyms) match(text string) (word string, choices []string) {
	first, _ := utf8.DecodeRuneInString(text)
	for n := min(s.longest[first], len(text)); n > 0; n-- {
		if i, ok := s.of[text[:n]]; ok {
			word = text[:n]
			choices = append(choices, word)
			for _, w := range s.sets[i] {
				if w != word {
					choices = append(choices, w)
				}
			}
			return word, choices
		}
	}
	return "", nil
}
