package extractor

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"xinwen/news"
)

// maxArticle is what an article may take as JSON where the bus refused all of it.
const maxArticle = 800 << 10

// shorten cuts the end off a text that is too long for a message, with all that
// counts its offsets there, and warns of it. A novel is no news; its beginning can
// be found all the same.
func shorten(a *news.Article) {
	whole := utf8.RuneCountInString(a.Text)
	for tries := 0; tries < 4; tries++ {
		text, all := sizeOf(a.Text), sizeOf(a)
		if all <= maxArticle {
			break
		}
		if rest := all - text; rest > maxArticle/2 && tries > 0 { // it is not the text
			a.Links, a.Stripped, a.Images, a.Gaps, a.Provenance = nil, nil, nil, nil, nil
			a.Mentions = a.Mentions[:len(a.Mentions)/2]
			continue
		}
		keep := int(float64(len(a.Text)) * float64(maxArticle) / float64(all))
		cut(a, keep)
	}
	kept := utf8.RuneCountInString(a.Text)
	a.Warnings = append(a.Warnings, fmt.Sprintf("truncated: of %d characters of text the first %d are kept", whole, kept))
}

// cut keeps the paragraphs of a's text that fit into bytes, at least the beginning
// of the first.
func cut(a *news.Article, bytes int) {
	text := strings.ToValidUTF8(a.Text[:bytes], "")
	if k := strings.LastIndexByte(text, '\n'); k > len(text)/2 {
		text = text[:k]
	}
	a.Text = text
	end := utf8.RuneCountInString(text)
	a.Links = before(a.Links, end, func(l news.Link) int { return l.End })
	a.Gaps = before(a.Gaps, end, func(at int) int { return at })
	end += utf8.RuneCountInString(a.Title) + 1 // mentions count from the title on
	a.Mentions = before(a.Mentions, end, func(m news.Mention) int { return m.End })
}

// before returns those of a sorted list that end by an offset.
func before[T any](list []T, end int, endOf func(T) int) []T {
	n := len(list)
	for n > 0 && endOf(list[n-1]) > end {
		n--
	}
	return list[:n]
}

func sizeOf(v any) int {
	data, err := json.Marshal(v)
	if err != nil {
		return 0 // an article can be written
	}
	return len(data)
}
