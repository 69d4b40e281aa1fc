package entity

import (
	"strings"
	"time"
	"unicode"
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
	u := unwrap(content)
	m, list := g.read(u.text, c, true)
	return u.rewrap(mentions(u.text, m.shadow, list))
}

// read finds what content names, in its folded text. guess says whether the
// statistical taggers are asked too.
func (g *Gazetteer) read(content string, c Context, guess bool) (*matcher, []found) {
	shadow := han.Fold(content)
	m := &matcher{g: g, original: content, shadow: &shadow, text: unmarked(content, &shadow)}
	var named []hit
	if g != nil {
		m.find()
		named = m.choose()
		m.models(named)
	}
	list := m.merge(named, quantities(shadow.Text, c, m.upper))
	spans := addresses(shadow.Text)
	list = outside(list, spans)
	if g != nil {
		t := tagging{m: m, s: m.text, list: list, lex: g.lex, hant: c.Hant}
		list = outside(t.tag(guess), spans)
	}
	return m, list
}

// upper reports whether the original has a capital letter from A to Z at i.
func (m *matcher) upper(i int) bool {
	a, _ := m.shadow.Original(i, i+1)
	return a < len(m.original) && 'A' <= m.original[a] && m.original[a] <= 'Z'
}

// capital reports whether the original has a capital letter of any script at i.
func (m *matcher) capital(i int) bool {
	a, _ := m.shadow.Original(i, i+1)
	r, _ := utf8.DecodeRuneInString(m.original[a:])
	return unicode.IsUpper(r)
}

// merge joins names and quantities in order. Of two that overlap the longer
// stays, of the same length the name.
func (m *matcher) merge(named []hit, q []found) []found {
	list := make([]found, 0, len(named)+len(q))
	for i, j := 0, 0; i < len(named) || j < len(q); {
		if i < len(named) && j < len(q) && named[i].start < q[j].end && q[j].start < named[i].end {
			if q[j].end-q[j].start > named[i].end-named[i].start {
				i++
			} else {
				j++
			}
			continue
		}
		if j >= len(q) || i < len(named) && named[i].start < q[j].start {
			list = append(list, m.found(named[i]))
			i++
			continue
		}
		list = append(list, q[j])
		j++
	}
	return list
}

// found is a hit as a mention.
func (m *matcher) found(h hit) found {
	p := &m.g.patterns[h.pattern]
	score := 1.0
	switch {
	case p.form.Weak:
		score = 0.8
	case p.form.Conditional():
		score = 0.9
	}
	name := p.entity.En
	if p.entity.Kind == news.Product {
		name = productName(name, p.form.Text)
	}
	if h.model > 0 { // the entity is the line, the name that of the model
		a, b := m.shadow.Original(h.model, h.end)
		name = line(name) + " " + strings.TrimSpace(m.original[a:b])
	}
	end := h.end
	if cut := strings.TrimSuffix(m.text[h.start:h.end], p.cut); h.model == 0 && p.cut != "" && cut != "" {
		end = h.start + len(strings.TrimRight(cut, " -"))
		name = strings.TrimSuffix(name, " "+p.cut)
	}
	if cut, ok := strings.CutSuffix(m.text[h.start:end], "光刻"); ok && len(cut) > 1 && strings.HasPrefix(m.text[end:], "机") {
		end = h.start + len(strings.TrimRight(cut, " -")) // EUV of EUV光刻机
	}
	return found{start: h.start, end: end, kind: p.entity.Kind, entity: p.entity.ID, name: name, score: score}
}

// productName returns the name of the product that form means, an alias of a
// line named en: iPhone 15 Pro Max of iPhone 15, Surge S1 for 澎湃S1 of Surge chip.
func productName(en, form string) string {
	k := len(en)
	if len(form) > k+1 && strings.EqualFold(form[:k], en) && !hasHan(form) && (form[k] == ' ' || form[k] == '+') {
		return form
	}
	last := strings.LastIndexFunc(form, han.IsHan)
	if last < 0 {
		return en
	}
	_, n := utf8.DecodeRuneInString(form[last:])
	model := strings.TrimSpace(form[last+n:])
	if !strings.ContainsAny(model, "0123456789") || len(model) > 8 || strings.Contains(strings.ToLower(en), strings.ToLower(model)) || strings.ContainsAny(en, "0123456789") {
		return en
	}
	return line(en) + " " + model
}

// line returns the name of a product line without the word for what it is of.
func line(en string) string { return strings.TrimSuffix(strings.TrimSuffix(en, " chip"), " series") }

// mentions gives what was found the offsets and the text of the original.
func mentions(content string, shadow *han.Shadow, list []found) []news.Mention {
	out := make([]news.Mention, 0, len(list))
	bytes, runes := 0, 0
	point := func(b int) int {
		runes += utf8.RuneCountInString(content[bytes:b])
		bytes = b
		return runes
	}
	for i := range list {
		f := &list[i]
		a, b := shadow.Original(f.start, f.end)
		if a < bytes || b <= a {
			continue // two spans in the folded form of one character
		}
		out = append(out, news.Mention{
			Start: point(a), End: point(b), Surface: content[a:b],
			Kind: f.kind, Entity: f.entity, Name: f.name, Value: f.value, Score: f.score,
		})
	}
	return out
}
