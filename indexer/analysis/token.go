package analysis

import (
	"unicode/utf8"

	"xinwen/news/han"
)

// Words returns the words of s.
func (a *Analyzer) Words(s string) []Token { return a.AppendWords(nil, s) }

// AppendWords appends the words of s to dst.
func (a *Analyzer) AppendWords(dst []Token, s string) []Token {
	shadow := han.Fold(s)
	g := a.scratch.Get().(*segmentation)
	defer a.scratch.Put(g)
	w := writer{tokens: dst, shadow: &shadow}
	a.each(shadow.Text, func(first, second unit) {
		if first.ideographs {
			g.reset()
			g.add(shadow.Text, &first)
			a.cut(&w, g, first.end)
			return
		}
		w.word(first, second)
	})
	return w.tokens
}

// Bigrams returns each Chinese character of s with its successor, the last of a
// run alone, and the words of other scripts. Every character has one position.
func (a *Analyzer) Bigrams(s string) []Token { return a.AppendBigrams(nil, s) }

// AppendBigrams appends the grams of s to dst.
func (a *Analyzer) AppendBigrams(dst []Token, s string) []Token {
	shadow := han.Fold(s)
	w := writer{tokens: dst, shadow: &shadow}
	text := shadow.Text
	a.each(text, func(first, second unit) {
		if !first.ideographs {
			w.word(first, second)
			return
		}
		_, n := utf8.DecodeRuneInString(text[first.start:])
		for i := first.start; i < first.end; {
			middle := i + n
			end := middle
			if middle < first.end {
				_, n = utf8.DecodeRuneInString(text[middle:])
				end += n
			}
			w.position++
			w.add(text[i:end], i, end, false)
			i = middle
		}
	})
	return w.tokens
}

// each calls visit with the units of folded text in order; the end of second is
// above 0 when it makes one name with first.
func (a *Analyzer) each(text string, visit func(first, second unit)) {
	c := a.classes
	for u := c.nextUnit(text, 0); u.end > 0; {
		if u.possessive(text) {
			u = c.nextUnit(text, u.end)
			continue
		}
		v := c.nextUnit(text, u.end)
		if v.end > 0 && joins(text, &u, &v) {
			visit(u, v)
			u = c.nextUnit(text, v.end)
			continue
		}
		visit(u, unit{})
		u = v
	}
}

// writer collects tokens.
type writer struct {
	tokens   []Token
	shadow   *han.Shadow
	position int
}

// add appends the token of the folded text from start to end.
func (w *writer) add(term string, start, end int, part bool) {
	from, to := w.shadow.Original(start, end)
	w.tokens = append(w.tokens, Token{term, from, to, w.position, part})
}

// word appends a word with its parts; second is the other half of a name
// written in two.
func (w *writer) word(u, second unit) {
	text := w.shadow.Text
	w.position++
	switch {
	case second.end > 0:
		w.add(text[u.start:u.end]+text[second.start:second.end], u.start, second.end, false)
		w.add(text[u.start:u.end], u.start, u.end, true)
		w.add(text[second.start:second.end], second.start, second.end, true)
	case u.seam > 0 && u.splits(text):
		w.add(u.term(text), u.start, u.end, false)
		w.add(text[u.start:u.seam], u.start, u.seam, true)
		w.add(text[u.seam:u.end], u.seam, u.end, true)
	default:
		w.add(u.term(text), u.start, u.end, false)
	}
}

// splits says that the parts of a mixed word mean something on their own: a
// name before a number (HBM3E), a number before a unit (3nm).
func (u *unit) splits(text string) bool {
	if u.commas || u.end-u.start > 24 {
		return false
	}
	if u.digits {
		return units[text[u.seam:u.end]]
	}
	return u.seam-u.start > 1
}

// cut appends the words of g, which ends at byte end.
func (a *Analyzer) cut(w *writer, g *segmentation, end int) {
	g.cut(a.dict)
	text := w.shadow.Text
	for i := 0; i < len(g.runes); i = g.next[i] {
		to := end
		if g.next[i] < len(g.runes) {
			to = g.at[g.next[i]]
		}
		w.position++
		w.add(text[g.at[i]:to], g.at[i], to, false)
	}
}
