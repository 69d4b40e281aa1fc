package entity

import (
	"strings"
	"unicode/utf8"

	"xinwen/news/han"
	"xinwen/news/lexicon"
)

// hit is a pattern found at a span of the shadow text.
type hit struct {
	start, end int
	pattern    int32
	// model is where the model of a product line begins, 0 if none is named.
	model int
}

// mark stands in the matcher's text for the bytes of ™ and ®, which separate
// the parts of a name: Artix™ UltraScale+™.
const mark = '\x01'

// unmarked returns the folded text of content with its ™ and ® as marks.
func unmarked(content string, shadow *han.Shadow) string {
	if !strings.ContainsAny(content, "™®") {
		return shadow.Text
	}
	text := []byte(shadow.Text)
	for i := range text {
		if a, _ := shadow.Original(i, i+1); strings.HasPrefix(content[a:], "™") || strings.HasPrefix(content[a:], "®") {
			text[i] = mark
		}
	}
	return string(text)
}

// matcher holds the state of one article.
type matcher struct {
	g        *Gazetteer
	original string
	shadow   *han.Shadow
	text     string // shadow.Text
	hits     []hit
	terms    map[int32]int // index of a term -> times it occurs
	firm     map[*lexicon.Entity]bool
}

// find collects every name at every place, longest first at each.
func (m *matcher) find() {
	s := m.text
	prevWord := false
	for i := 0; i < len(s); {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		word := wordRune(r)
		if word && prevWord {
			// Inside a word no name begins.
			i += n
			continue
		}
		prevWord = word
		if r == ' ' || r == '\n' {
			i += n
			continue
		}
		m.at(i, r, n)
		i += n
	}
}

// at looks for the names that begin at i with r.
func (m *matcher) at(i int, r rune, n int) {
	s := m.text
	if j := i + n; j < len(s) {
		next, w := rune(s[j]), 1
		if next >= utf8.RuneSelf {
			next, w = utf8.DecodeRuneInString(s[j:])
		}
		for n := 0; n < 3 && separator(next) && j+w < len(s); n++ {
			var x int
			next, x = utf8.DecodeRuneInString(s[j+w:])
			w += x
		}
		if v, ok := m.g.pairs.get(pack(r, next)); ok {
			m.try(i, v)
		}
	}
	if v, ok := m.g.singles[r]; ok {
		m.try(i, v)
	}
}

func (m *matcher) try(i int, v span) {
	for k := v.from; k < v.to; k++ {
		p := &m.g.patterns[k]
		if end := m.ends(i, p); end > 0 && (!p.form.Case || m.sameCase(i, end, p.form.Text)) {
			m.hits = append(m.hits, hit{start: i, end: end, pattern: k})
		}
	}
}

// ends returns where p ends if it stands at i, else -1.
func (m *matcher) ends(i int, p *pattern) int {
	s, k := m.text, p.key
	j := i
	for at := 0; at < len(k); {
		if j >= len(s) {
			return -1
		}
		if s[j] == k[at] {
			j++
			at++
			continue
		}
		// A separator may stand where the name has a joint.
		if at == 0 || at >= 64 || p.gaps&(1<<at) == 0 {
			return -1
		}
		r, n := utf8.DecodeRuneInString(s[j:])
		if !separator(r) {
			return -1
		}
		for j += n; j < len(s) && s[j-1] == mark && (s[j] == mark || s[j] == ' '); j++ {
			// ™ and a space
		}
		if !strings.HasPrefix(s[j:], k[at:at+1]) {
			return -1
		}
	}
	if !p.latinEnd || j >= len(s) {
		return j
	}
	r, n := utf8.DecodeRuneInString(s[j:])
	if !wordRune(r) {
		return j
	}
	if p.plural && r == 's' {
		if j += n; j >= len(s) {
			return j
		}
		if r, _ = utf8.DecodeRuneInString(s[j:]); !wordRune(r) {
			return j
		}
	}
	return -1
}

// sameCase compares the letters of the original with a form, without
// separators.
func (m *matcher) sameCase(start, end int, form string) bool {
	a, b := m.shadow.Original(start, end)
	got := m.original[a:b]
	for _, r := range form {
		if separator(r) {
			continue
		}
		x, n := utf8.DecodeRuneInString(got)
		for n > 0 && separator(x) {
			got = got[n:]
			x, n = utf8.DecodeRuneInString(got)
		}
		if n == 0 {
			return false
		}
		if x != r {
			if x >= 0xff01 && x <= 0xff5e {
				x -= 0xfee0
			}
			// The scripts may differ; letters must not.
			if x != r && (x < utf8.RuneSelf || r < utf8.RuneSelf) {
				return false
			}
		}
		got = got[n:]
	}
	return true
}

// choose takes the leftmost, then longest hits whose rules hold.
func (m *matcher) choose() []hit {
	var out []hit
	for i := 0; i < len(m.hits); {
		j := i + 1
		for j < len(m.hits) && m.hits[j].start == m.hits[i].start {
			j++
		}
		if best := m.best(m.hits[i:j]); best.end > 0 {
			for best.end < len(m.text) && m.text[best.end] == mark {
				best.end++
			}
			out = append(out, best)
			for j < len(m.hits) && m.hits[j].start < best.end {
				j++
			}
		}
		i = j
	}
	return out
}

// best returns the longest hit whose rules hold; of two of the same length the
// one with more evidence.
func (m *matcher) best(hits []hit) hit {
	var best hit
	evidence := -1
	for _, h := range hits {
		if h.end < best.end {
			continue
		}
		n, ok := m.holds(h)
		if ok && (h.end > best.end || n > evidence) {
			best, evidence = h, n
		}
	}
	return best
}

// holds reports whether the rules of a hit's form hold, and how much speaks for
// it.
func (m *matcher) holds(h hit) (evidence int, ok bool) {
	p := &m.g.patterns[h.pattern]
	if !p.form.Conditional() {
		return 1, true
	}
	if p.form.Abbrev && !m.abbreviates(h) {
		return 0, false
	}
	for _, t := range p.cover {
		if m.covered(h, m.g.terms[t]) {
			return 0, false
		}
	}
	for _, t := range p.not {
		if m.count(t) > 0 {
			return 0, false
		}
	}
	if len(p.near) > 0 {
		for _, t := range p.near {
			evidence += m.count(t)
		}
		if evidence == 0 {
			return 0, false
		}
	}
	if p.form.Weak && !m.named(h) {
		return 0, false
	}
	return evidence + 1, true
}

// covered reports whether a term that contains the name stands around the hit.
func (m *matcher) covered(h hit, term string) bool {
	from, to := max(0, h.start-len(term)), min(len(m.text), h.end+len(term))
	for from < h.end {
		i := strings.Index(m.text[from:to], term)
		if i < 0 {
			return false
		}
		if s := from + i; s <= h.start && s+len(term) >= h.end {
			return true
		}
		from += i + 1
	}
	return false
}

// count returns how often a term occurs, as a word where it is of letters.
func (m *matcher) count(t int32) int {
	if n, ok := m.terms[t]; ok {
		return n
	}
	term, n := m.g.terms[t], 0
	first, _ := utf8.DecodeRuneInString(term)
	last, _ := utf8.DecodeLastRuneInString(term)
	for i := 0; ; {
		k := strings.Index(m.text[i:], term)
		if k < 0 {
			break
		}
		i += k
		before, _ := utf8.DecodeLastRuneInString(m.text[:i])
		after, _ := utf8.DecodeRuneInString(m.text[i+len(term):])
		if !(wordRune(first) && i > 0 && wordRune(before)) && !(wordRune(last) && i+len(term) < len(m.text) && wordRune(after)) {
			n++
		}
		i += len(term)
	}
	if m.terms == nil {
		m.terms = make(map[int32]int)
	}
	m.terms[t] = n
	return n
}

// named reports whether another, not weak form of the hit's entity is in the
// article.
func (m *matcher) named(h hit) bool {
	if m.firm == nil {
		m.firm = make(map[*lexicon.Entity]bool)
		for _, x := range m.hits {
			if p := &m.g.patterns[x.pattern]; !p.form.Weak && !m.firm[p.entity] {
				if _, ok := m.holds(x); ok {
					m.firm[p.entity] = true
				}
			}
		}
	}
	return m.firm[m.g.patterns[h.pattern].entity]
}
