package query

import (
	"sort"
	"unicode/utf8"

	"xinwen/indexer/analysis"
	"xinwen/news"
)

// Mention is an entity and the positions of the grams that it is mentioned by.
// Positions count from 0 in title and text each.
type Mention struct {
	Entity     string // as Keywords has it
	Start, End int    // half open
}

// Mentions returns the places of the entities of a in title and text, of which
// the grams are given.
func Mentions(a *news.Article, title, text []analysis.Token) (inTitle, inText []Mention) {
	titleRunes := utf8.RuneCountInString(a.Title)
	titleHeads, textHeads := heads(title), heads(text)
	titleAt, textAt := byteOffsets(a.Title), byteOffsets(a.Text)
	for _, t := range a.Mentions {
		if t.Entity == "" || t.Start < 0 || t.End <= t.Start {
			continue
		}
		switch {
		case t.End <= titleRunes:
			if from, to := cover(titleHeads, titleAt(t.Start), titleAt(t.End)); from < to {
				inTitle = append(inTitle, Mention{KeywordTerm(t.Entity), from, to})
			}
		case t.Start > titleRunes:
			if from, to := cover(textHeads, textAt(t.Start-titleRunes-1), textAt(t.End-titleRunes-1)); from < to {
				inText = append(inText, Mention{KeywordTerm(t.Entity), from, to})
			}
		}
	}
	return inTitle, inText
}

// heads returns the first token of each position.
func heads(tokens []analysis.Token) []analysis.Token {
	list := make([]analysis.Token, 0, len(tokens))
	for _, t := range tokens {
		if !t.Part {
			list = append(list, t)
		}
	}
	return list
}

// cover returns the positions that begin within the bytes from start to end. A
// span that begins inside a word covers that too.
func cover(heads []analysis.Token, start, end int) (from, to int) {
	at := func(from int) int {
		return sort.Search(len(heads), func(i int) bool { return heads[i].Start >= from })
	}
	i := at(start)
	if i > 0 && (i == len(heads) || heads[i].Start > start) && heads[i-1].End > start {
		i--
	}
	return i, at(end)
}

// byteOffsets returns a function from code points to bytes of s, which is
// quick when it is called with ascending offsets.
func byteOffsets(s string) func(runes int) int {
	runes, at := 0, 0
	return func(n int) int {
		if n < runes {
			runes, at = 0, 0
		}
		for ; runes < n && at < len(s); runes++ {
			_, size := utf8.DecodeRuneInString(s[at:])
			at += size
		}
		return at
	}
}
