package story

import (
	"bufio"
	_ "embed"
	"strings"
	"sync"
	"unicode/utf8"

	"xinwen/news/han"
)

//go:embed common.txt
var commonText string

//go:embed concepts.txt
var conceptText string

// common are the words that say nothing of an event, in folded form.
var common = sync.OnceValue(func() map[string]bool {
	set := make(map[string]bool)
	for w := range strings.FieldsSeq(commonText) {
		set[han.FoldString(w)] = true
	}
	return set
})

// concepts say what happens, whatever the language. Read only.
type concepts struct {
	// latin leads from a phrase of one to three words to its concept.
	latin map[string]string
	// han leads from two characters to the forms that begin with them.
	han map[string][]form
}

type form struct{ text, concept string }

var loadConcepts = sync.OnceValue(func() *concepts {
	c := &concepts{latin: make(map[string]string), han: make(map[string][]form)}
	lines := bufio.NewScanner(strings.NewReader(conceptText))
	for lines.Scan() {
		chinese, english, ok := strings.Cut(lines.Text(), " | ")
		if !ok || strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		name := strings.Fields(chinese)[0]
		for w := range strings.FieldsSeq(chinese) {
			w = han.FoldString(w)
			if key := firstTwo(w); key != "" {
				c.han[key] = append(c.han[key], form{w, name})
			}
		}
		for w := range strings.SplitSeq(english, ", ") {
			c.latin[w] = name
		}
	}
	return c
})

// firstTwo returns the first two characters of s, "" if it has fewer.
func firstTwo(s string) string {
	_, a := utf8.DecodeRuneInString(s)
	_, b := utf8.DecodeRuneInString(s[a:])
	if a == 0 || b == 0 {
		return ""
	}
	return s[:a+b]
}

// find calls found with each concept in folded text and its words.
func (c *concepts) find(text string, words []string, found func(concept string)) {
	for i := range text {
		if text[i] < utf8.RuneSelf {
			continue
		}
		for _, f := range c.han[firstTwo(text[i:])] {
			if strings.HasPrefix(text[i:], f.text) {
				found(f.concept)
			}
		}
	}
	for i := range words {
		phrase := ""
		for n := 0; n < 3 && i+n < len(words); n++ {
			if n > 0 {
				phrase += " "
			}
			phrase += words[i+n]
			if concept, ok := c.latin[phrase]; ok {
				found(concept)
			}
		}
	}
}
