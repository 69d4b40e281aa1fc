package opensearch

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"xinwen/indexer/analysis"
	"xinwen/indexer/query"
)

// Signs in the text that is given to OpenSearch. None is part of a token.
const (
	joint = "|" // between what stands at one position
	hole  = "_" // a position that says nothing

	// Before a mark: what stands at the position besides a gram.
	markCharacter = "^" // a character, whatever follows it
	markWord      = "~" // a character that is a word
	markFrom      = "<" // an entity whose mention begins here
	markTo        = ">" // an entity whose mention ends here

	titleEnd = "%"  // is a mark that stands after the title
	nowhere  = "%%" // stands nowhere
)

// gap is the distance between title and text in positions, more than any phrase
// or Near reaches over.
const gap = 1000

// maxToken is the length in bytes of the longest token that is kept as it is.
const maxToken = 256

// token returns the form of a term in the index: without spaces and signs, and
// not too long.
func token(term string) string {
	s := escape(term)
	if len(s) <= maxToken {
		return s
	}
	sum := sha256.Sum256([]byte(term))
	return cut(s) + nowhere + hex.EncodeToString(sum[:16])
}

// start returns what tokens of terms begin with that begin with a prefix. Long
// terms are told apart by their first maxToken/2 bytes only.
func start(prefix string) string {
	if s := escape(prefix); len(s) <= maxToken/2 {
		return s
	}
	return cut(escape(prefix))
}

// cut returns the beginning of s that stays of a long token.
func cut(s string) string {
	s = s[:maxToken/2]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s
}

func escape(term string) string {
	if !strings.ContainsFunc(term, special) {
		return term
	}
	var b strings.Builder
	for _, r := range term {
		if !special(r) {
			b.WriteRune(r)
			continue
		}
		for _, c := range []byte(string(r)) {
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}

func special(r rune) bool {
	return unicode.IsSpace(r) || r < ' ' || r >= 0x1c && r <= 0x1f || r == utf8.RuneError || strings.ContainsRune(joint+hole+markCharacter+markWord+markFrom+markTo+titleEnd, r)
}

// keyword returns the form of a keyword in the index: its hash where it is too
// long.
func keyword(value string) string {
	if len(value) <= maxKeyword {
		return value
	}
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

// maxKeyword is the length in bytes of the longest keyword that is kept whole.
const maxKeyword = 512

// appendTerms appends words as text of a field without positions. Words that
// packages bleve and opensearch look up among the grams are left out but for
// their place, so that the field is as long as there are words.
func appendTerms(b *strings.Builder, words []analysis.Token) {
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		if analysis.IsIdeograph(w.Term) {
			b.WriteString(token(w.Term))
		} else {
			b.WriteString(hole)
		}
	}
}

// places are what stands at the positions of title or text: grams, and marks
// beside them.
type places struct{ grams, marks [][]string }

// placesOf returns the places of a field: its grams, the characters they begin
// with, those of the words that are characters, and the mentions.
func placesOf(grams, words []analysis.Token, mentions []query.Mention) *places {
	p := new(places)
	at := make(map[int]int, len(grams)) // position by the byte it begins at
	for _, g := range grams {
		if g.Part {
			k := len(p.grams) - 1
			p.grams[k] = append(p.grams[k], token(g.Term))
			continue
		}
		at[g.Start] = len(p.grams)
		var marks []string
		if analysis.IsIdeograph(g.Term) {
			r, _ := utf8.DecodeRuneInString(g.Term)
			marks = []string{markCharacter + string(r)}
		}
		p.grams, p.marks = append(p.grams, []string{token(g.Term)}), append(p.marks, marks)
	}
	for _, w := range words {
		if i, ok := at[w.Start]; ok && utf8.RuneCountInString(w.Term) == 1 && analysis.IsIdeograph(w.Term) {
			p.marks[i] = append(p.marks[i], markWord+w.Term)
		}
	}
	for _, m := range mentions {
		name := token(m.Entity)
		p.marks[m.Start] = append(p.marks[m.Start], markFrom+name)
		p.marks[m.End-1] = append(p.marks[m.End-1], markTo+name)
	}
	return p
}

// positionText returns what stands at positions as text of a field.
func positionText(list [][]string) string {
	var b strings.Builder
	for i, here := range list {
		if i > 0 {
			b.WriteByte(' ')
		}
		if len(here) == 0 {
			b.WriteString(hole)
		}
		for k, t := range here {
			if k > 0 {
				b.WriteString(joint)
			}
			b.WriteString(t)
		}
	}
	return b.String()
}
