package query

import (
	"cmp"
	"slices"
	"unicode/utf8"

	"xinwen/news"
)

// Bounds of Explain.
const (
	MaxSpans       = 100 // of a document
	maxClauseSpans = 10  // of one clause
)

// Explain returns the places in d's content that made m match, in order of
// Start and none within another, at most MaxSpans; none if m does not match d. Conditions without a
// place (lang:, published:, NOT) give none.
func (m *Matcher) Explain(d *Document) []news.Span {
	if !m.Match(d) {
		return nil
	}
	x := explanation{document: d, titleRunes: utf8.RuneCountInString(d.article.Title)}
	x.visit(m.root)
	slices.SortStableFunc(x.places, func(a, b explained) int {
		return cmp.Or(int(a.inText)-int(b.inText), cmp.Compare(a.start, b.start), cmp.Compare(b.end, a.end))
	})
	return x.spans()
}

// explained is a place in bytes of the title or text.
type explained struct {
	inText     int // 0 in the title, 1 in the text
	start, end int
	clause     string
}

type explanation struct {
	document   *Document
	titleRunes int
	places     []explained
}

func (x *explanation) visit(s *step) {
	d := x.document
	n := 0
	switch s.op {
	case OpAnd, OpOr:
		for i := range s.steps {
			if s.steps[i].match(d) {
				x.visit(s.steps[i])
			}
		}
	case OpSequence:
		s.sequence(d, func(o occurrence) bool {
			n++
			x.add(o, s.source)
			return n < maxClauseSpans
		})
	case OpNear:
		s.near(d, func(left, right occurrence) bool {
			n++
			x.add(left, s.source)
			x.add(right, s.source)
			return n < maxClauseSpans
		})
	case OpWord:
		e := s.find(d)
		for i := d.entries[e].first; i >= 0 && n < maxClauseSpans; i = d.postings[i].next {
			p := d.postings[i]
			if d.in(s.in, p.position) {
				n++
				x.add(occurrence{from: p.position, start: p.start, end: p.end}, s.source)
			}
		}
	case OpKeyword:
		e := s.find(d)
		for _, m := range d.mentions {
			if m.entry == e && n < maxClauseSpans {
				n++
				x.add(occurrence{m.from, m.to, int32(m.start), int32(m.end), true}, s.source)
			}
		}
	}
}

func (x *explanation) add(o occurrence, clause string) {
	p := explained{start: int(o.start), end: int(o.end), clause: clause}
	if o.from > x.document.title {
		p.inText = 1
	}
	if o.mention {
		c := cursor{text: x.document.article.Title}
		if p.inText == 1 {
			c.text = x.document.article.Text
			p.start -= x.titleRunes + 1
			p.end -= x.titleRunes + 1
		}
		p.start, p.end = c.byte(p.start), c.byte(p.end)
	}
	x.places = append(x.places, p)
}

// spans turns sorted places into spans in code points; a place that lies within
// another is left out.
func (x *explanation) spans() []news.Span {
	a := x.document.article
	texts := [2]string{a.Title, a.Text}
	base := [2]int{0, x.titleRunes + 1}
	var spans []news.Span
	runes, bytes, field := 0, 0, 0
	covered := 0
	for _, p := range x.places {
		if p.inText == field && p.end <= covered {
			continue
		}
		if len(spans) == MaxSpans {
			break
		}
		if p.inText != field {
			runes, bytes, field = 0, 0, p.inText
		}
		covered = p.end
		text := texts[field]
		runes += utf8.RuneCountInString(text[bytes:p.start])
		bytes = p.start
		start := base[field] + runes
		spans = append(spans, news.Span{
			Start: start, End: start + utf8.RuneCountInString(text[p.start:p.end]),
			Text: text[p.start:p.end], Clause: p.clause,
		})
	}
	return spans
}
