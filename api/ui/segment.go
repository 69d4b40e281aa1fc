package ui

import (
	"slices"
	"strings"

	"xinwen/news"
)

// span is a piece of a text that stands out.
type span struct {
	start, end int // code points, half open
	Mark       bool
	Kind       string
	Label      string
	URL        string
	Gap        bool // no text: words are missing here
}

// Segment is a run of text that is shown in one way.
type Segment struct {
	Text string
	span
}

// cut returns a span of a text, as much of it as there is.
func cut(text []rune, start, end int) string {
	start = min(max(start, 0), len(text))
	return string(text[start:min(max(end, start), len(text))])
}

// segments cuts s at the spans. Spans that do not fit into s, or overlap an
// earlier one, are left out: a wrong offset must never lose text. Gaps have no
// length.
func segments(s string, spans []span) []Segment {
	r := []rune(s)
	slices.SortStableFunc(spans, func(a, b span) int { return a.start - b.start })
	var out []Segment
	at := 0
	for _, p := range spans {
		if p.start < at || p.end < p.start || p.end == p.start && !p.Gap || p.end > len(r) {
			continue
		}
		if p.start > at {
			out = append(out, Segment{Text: string(r[at:p.start])})
		}
		out = append(out, Segment{string(r[p.start:p.end]), p})
		at = p.end
	}
	if at < len(r) {
		out = append(out, Segment{Text: string(r[at:])})
	}
	return out
}

// paragraphs cuts an article's text at line breaks, each paragraph into its
// segments. offset is where the text begins in what the mentions count in.
func paragraphs(textRunes []rune, offset int, mentions []span) [][]Segment {
	var out [][]Segment
	next := 0 // the first mention that may be in the paragraph
	for start := 0; start <= len(textRunes); {
		end := start
		for end < len(textRunes) && textRunes[end] != '\n' {
			end++
		}
		var inside []span
		for next < len(mentions) && mentions[next].end <= offset+end {
			m := mentions[next]
			next++
			if m.start < offset+start {
				continue
			}
			m.start -= offset + start
			m.end -= offset + start
			inside = append(inside, m)
		}
		if line := string(textRunes[start:end]); strings.TrimSpace(line) != "" {
			out = append(out, segments(line, inside))
		}
		start = end + 1
	}
	return out
}

// kinds are the kinds of mentions in the order that lists have.
var kinds = []news.Kind{news.Org, news.Person, news.Product, news.Tech, news.Node, news.Place, news.Money, news.Percent, news.Date}

func kindOf(k news.Kind) string {
	if slices.Contains(kinds, k) {
		return string(k)
	}
	return "" // a newer extractor's: shown without colour
}
