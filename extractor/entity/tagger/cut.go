package tagger

import "xinwen/news/han"

// Word is a word of a text as the word list of a tagger cuts it.
type Word struct {
	// Start and End are bytes of the folded text.
	Start, End int
	// Noun says that a Chinese word is a noun, or one with no other part of
	// speech.
	Noun bool
	// Frequency is about the logarithm to base 2 of how often the word stands in
	// the texts the list was counted in, from 0 (rare or not listed) to 15.
	Frequency int
}

// The classes of Chinese words that are nouns (see package fit).
const (
	nounClass  = 1
	ownClass   = 5
	otherClass = 12
)

// Cut cuts a sentence in the tagger's language into words of letters or of two
// and more Chinese characters; what is left is passed over.
func (t *Tagger) Cut(text string, from, to int) []Word {
	r := reader{words: t.words}
	r.units = cut(nil, text, from, to, func(int) bool { return false })
	var out []Word
	for all := r.units; len(all) > 0; {
		n := min(len(all), maxUnits)
		r.units, all = all[:n], all[n:]
		r.segment()
		for i := 0; i < n; i = int(r.segEnd[i]) {
			end := int(r.segEnd[i])
			u := &r.units[i]
			class := t.words.class(r.segKey[i])
			w := Word{Start: u.start, End: r.units[end-1].end}
			switch {
			case u.class == mark || u.class == digit:
				continue
			case t.language == Chinese && u.class == ideo:
				if end-i < 2 {
					continue
				}
				w.Frequency = int(class >> 4)
				part := class & 15
				w.Noun = part == nounClass || part == ownClass || part == otherClass
			case t.language == English && end-i == 1 && !han.IsHan([]rune(u.text)[0]):
				w.Frequency = 2 * int(class>>4)
			default:
				continue
			}
			out = append(out, w)
		}
	}
	return out
}
