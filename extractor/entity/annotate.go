package entity

import (
	"strings"
	"time"
	"unicode/utf8"

	"xinwen/news"
	"xinwen/news/han"
)

// Context is what the reading of a text depends on beside the text.
type Context struct {
	// Lang is the language, "" if unknown.
	Lang string
	// Date anchors relative dates; it may be zero.
	Date time.Time
	// Hant says that the text is in Traditional Chinese, where 元 is Taiwan's.
	Hant bool
}

// Annotate returns the mentions in content, in order and without overlaps, with
// offsets in code points. A nil Gazetteer finds quantities and dates alone.
func (g *Gazetteer) Annotate(content string, c Context) []news.Mention {
	shadow := han.Fold(content)
	m := matcher{g: g, original: content, shadow: &shadow, text: shadow.Text}
	var named []hit
	if g != nil {
		m.find()
		named = m.choose()
		m.models(named)
	}
	q := quantities(shadow.Text, c, func(i int) bool {
		a, _ := shadow.Original(i, i+1)
		return a < len(content) && 'A' <= content[a] && content[a] <= 'Z'
	})
	out := make([]news.Mention, 0, len(named)+len(q))
	bytes, runes := 0, 0
	point := func(b int) int {
		runes += utf8.RuneCountInString(content[bytes:b])
		bytes = b
		return runes
	}
	emit := func(start, end int, mention news.Mention) {
		a, b := shadow.Original(start, end)
		if a < bytes || b <= a {
			return // two spans in the folded form of one character
		}
		mention.Start = point(a)
		mention.End = point(b)
		mention.Surface = content[a:b]
		out = append(out, mention)
	}
	for i, j := 0, 0; i < len(named) || j < len(q); {
		// Of two that overlap the longer stays, of the same length the name.
		if i < len(named) && j < len(q) && named[i].start < q[j].end && q[j].start < named[i].end {
			if q[j].end-q[j].start > named[i].end-named[i].start {
				i++
			} else {
				j++
			}
			continue
		}
		if j >= len(q) || i < len(named) && named[i].start < q[j].start {
			h := named[i]
			p := &g.patterns[h.pattern]
			score := 1.0
			switch {
			case p.form.Weak:
				score = 0.8
			case p.form.Conditional():
				score = 0.9
			}
			name := p.entity.En
			if h.model > 0 { // the entity is the line, the name that of the model
				a, b := shadow.Original(h.model, h.end)
				name += " " + strings.TrimSpace(content[a:b])
			}
			emit(h.start, h.end, news.Mention{Kind: p.entity.Kind, Entity: p.entity.ID, Name: name, Score: score})
			i++
			continue
		}
		emit(q[j].start, q[j].end, news.Mention{Kind: q[j].kind, Entity: q[j].entity, Name: q[j].name, Value: q[j].value, Score: q[j].score})
		j++
	}
	return out
}
