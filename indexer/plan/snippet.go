package plan

import (
	"cmp"
	"slices"
	"unicode"

	"xinwen/indexer/search"
	"xinwen/news"
)

// Lengths of a snippet in code points. Text is cut in whole sentences as long
// as they fit.
const (
	snippetHan   = 120
	snippetLatin = 240
)

// snippet returns the part of a's text with the most of spans, which are over
// a.Content and need not be sorted, and what to highlight in title and snippet;
// their reasons are the clauses yet.
func snippet(a *news.Article, spans []news.Span) (string, []search.Highlight) {
	title, text := []rune(a.Title), []rune(a.Text)
	spans = merge(spans)

	highlights := []search.Highlight{}
	var inText []news.Span
	for _, sp := range spans {
		switch {
		case sp.Start < 0 || sp.End > len(title)+1+len(text):
		case sp.End <= len(title):
			highlights = append(highlights, search.Highlight{
				Field: search.FieldTitle, Text: string(title[sp.Start:sp.End]), Start: sp.Start, End: sp.End, Reason: sp.Clause,
			})
		case sp.Start > len(title):
			sp.Start -= len(title) + 1
			sp.End -= len(title) + 1
			inText = append(inText, sp)
		}
	}

	size := snippetLatin
	if a.Lang == "zh" {
		size = snippetHan
	}
	start, end := window(text, inText, size)
	shown := oneLine(text[start:end])
	for _, sp := range inText {
		if sp.Start >= start && sp.End <= end {
			highlights = append(highlights, search.Highlight{
				Field: search.FieldSnippet, Text: string(shown[sp.Start-start : sp.End-start]), Start: sp.Start - start, End: sp.End - start, Reason: sp.Clause,
			})
		}
	}
	return string(shown), highlights
}

// merge returns spans in order of Start, those that touch made one.
func merge(spans []news.Span) []news.Span {
	spans = slices.Clone(spans)
	slices.SortStableFunc(spans, func(a, b news.Span) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	})
	merged := spans[:0]
	for _, sp := range spans {
		if n := len(merged); n > 0 && sp.Start <= merged[n-1].End {
			merged[n-1].End = max(merged[n-1].End, sp.End)
			continue
		}
		if sp.Start < sp.End {
			merged = append(merged, sp)
		}
	}
	return merged
}

// window chooses the part of text to show: it begins with the last sentence after
// which, within size, most different things are marked. Whole sentences are
// added while they fit, then some before if the part is still short. Only a
// sentence that is too long by itself is cut.
func window(text []rune, marks []news.Span, size int) (start, end int) {
	sentences := sentences(text)
	if len(sentences) == 0 {
		return 0, 0
	}
	best, bestScore := sentences[0][0], 0
	for _, s := range sentences {
		score := 0
		seen := make(map[string]bool)
		for _, m := range marks {
			if m.Start >= s[0] && m.End <= s[0]+size {
				score++
				if key := m.Clause + "\x00" + string(text[m.Start:m.End]); !seen[key] {
					seen[key] = true
					score += 10
				}
			}
		}
		if score >= bestScore && score > 0 {
			best, bestScore = s[0], score
		}
	}
	start, end = best, best
	for _, s := range sentences {
		if s[0] >= start && s[1]-start <= size {
			end = s[1]
		}
	}
	if end == start { // the sentence alone is too long: show its first mark
		end = min(start+size, len(text))
		for _, s := range sentences {
			if s[0] == start {
				end = min(end, s[1])
			}
		}
		if bestScore == 0 {
			for _, m := range marks {
				if m.End > end {
					start = max(start, m.Start-size/3)
					end = min(start+size, len(text))
					break
				}
			}
		}
	}
	for _, s := range slices.Backward(sentences) {
		if s[0] < start && end-s[0] <= size/2 {
			start = s[0]
		}
	}
	for end > start && unicode.IsSpace(text[end-1]) {
		end--
	}
	return start, end
}

// sentences returns where each sentence of text begins and ends, without the
// space around it.
func sentences(text []rune) [][2]int {
	var list [][2]int
	add := func(start, end int) {
		for start < end && unicode.IsSpace(text[start]) {
			start++
		}
		for end > start && unicode.IsSpace(text[end-1]) {
			end--
		}
		if start < end {
			list = append(list, [2]int{start, end})
		}
	}
	start := 0
	for i := 0; i < len(text); i++ {
		if !endsSentence(text, i) {
			continue
		}
		for i+1 < len(text) && closesSentence(text[i+1]) {
			i++
		}
		add(start, i+1)
		start = i + 1
	}
	add(start, len(text))
	return list
}

func endsSentence(text []rune, i int) bool {
	switch text[i] {
	case '。', '！', '？', '…', '\n':
		return true
	case '.', '!', '?':
		// 3.5, U.S., example.com: only with space and a capital or Han after it.
		if i+1 == len(text) {
			return true
		}
		if !unicode.IsSpace(text[i+1]) && !closesSentence(text[i+1]) {
			return false
		}
		for j := i + 1; j < len(text); j++ {
			if !unicode.IsSpace(text[j]) && !closesSentence(text[j]) {
				return !unicode.IsLower(text[j])
			}
		}
		return true
	}
	return false
}

// closesSentence says that r after the end of a sentence still belongs to it.
func closesSentence(r rune) bool {
	switch r {
	case '”', '’', '」', '』', '"', ')', '）', '》', '。', '！', '？', '…':
		return true
	}
	return false
}

// oneLine returns text with each line break as a space, which keeps offsets.
func oneLine(text []rune) []rune {
	line := slices.Clone(text)
	for i, r := range line {
		if r == '\n' || r == '\r' || r == '\t' {
			line[i] = ' '
		}
	}
	return line
}
