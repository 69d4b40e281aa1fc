package lexicon

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"xinwen/news"
	"xinwen/news/han"
)

// Fault is one thing wrong in a lexicon file.
type Fault struct {
	File string
	Line int
	// What is wrong, Hint what to do about it.
	What, Hint string
}

func (f Fault) Error() string {
	return fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.What, f.Hint)
}

// Faults are all the things wrong in a set of files, in order of file and line.
type Faults []Fault

func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i := range f {
		lines[i] = f[i].Error()
	}
	return strings.Join(lines, "\n")
}

// maxTextRunes limits names, aliases, terms and notes.
const maxTextRunes = 200

// idForm is a kind, a colon and a slug.
var idForm = regexp.MustCompile(`^[a-z]+:[a-z0-9]+(-[a-z0-9]+)*$`)

// kinds are those an entity can have; money, percent and date are read by
// grammar and have no entities.
var kinds = []news.Kind{news.Org, news.Person, news.Place, news.Product, news.Tech, news.Node}

func kindOf(id string) (news.Kind, bool) {
	// Most terms of rules are no IDs, and this is quicker than the expression.
	kind, _, ok := strings.Cut(id, ":")
	if !ok || !slices.Contains(kinds, news.Kind(kind)) || !idForm.MatchString(id) {
		return "", false
	}
	return news.Kind(kind), true
}

// checkText says what is wrong with a text, "" if nothing.
func checkText(s string) string {
	switch {
	case strings.TrimSpace(s) == "":
		return "is empty"
	case !utf8.ValidString(s):
		return "is not UTF-8"
	case s != strings.TrimSpace(s):
		return "has spaces at an end"
	case strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }):
		return "has control characters"
	case utf8.RuneCountInString(s) > maxTextRunes:
		return fmt.Sprintf("has more than %d characters", maxTextRunes)
	case !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }):
		return "has no letter or digit"
	}
	return ""
}

// checkEntry checks what can be said of an entry alone.
func checkEntry(e *entry) (faults Faults) {
	add := func(line int, what, hint string) {
		faults = append(faults, Fault{e.file, line, what, hint})
	}
	kind, ok := kindOf(e.id.s)
	if e.id.s == "" {
		add(e.line, "entity without id", "add id: kind:slug, such as org:tsmc")
	} else if !ok {
		add(e.id.line, fmt.Sprintf("id %q is not kind:slug", e.id.s),
			"the kind is one of org, person, place, product, tech, node; the slug has a–z, 0–9 and single hyphens: org:tsmc")
	}
	if hasHan(e.en.s) {
		add(e.en.line, fmt.Sprintf("en %q has Chinese characters", e.en.s), "put them in zh_hans or zh_hant")
	}
	for _, n := range []text{e.hans, e.hant} {
		if n.s != "" && !hasHan(n.s) {
			add(n.line, fmt.Sprintf("Chinese name %q has no Chinese characters", n.s),
				"leave the key out: where Chinese text uses the Latin name, en is enough")
		}
	}
	if n, want := e.hans, simplified(e.hans.s); n.s != want {
		add(n.line, fmt.Sprintf("zh_hans %q has Traditional characters", n.s), "write "+want)
	}
	// The 國 tips the scale for names that are written alike in both scripts.
	if n := e.hant; n.s != "" && han.Script(n.s+"國") != news.ScriptHant {
		add(n.line, fmt.Sprintf("zh_hant %q has Simplified characters", n.s), "write it in Traditional characters")
	}
	for _, a := range e.aliases {
		letters := utf8.RuneCountInString(a.key)
		switch {
		case a.Text == "":
			add(a.at.line, "alias without text", "add text: to its mapping")
		case hasHan(a.Text) && letters == 1 && !a.Conditional():
			add(a.at.line, fmt.Sprintf("alias %q is a single character", a.Text), "give it near, not, weak or abbrev")
		case a.Abbrev && (!hasHan(a.Text) || letters != 1 || kind != news.Place):
			add(a.at.line, fmt.Sprintf("alias %q asks for abbrev", a.Text), "only the one-character abbreviation of a place, such as 美, may have it")
		case !hasHan(a.Text) && letters <= 2 && !a.Case && !a.Conditional():
			add(a.at.line, fmt.Sprintf("alias %q is too short to be believed in any letter case", a.Text),
				"write {text: "+a.Text+", case: true}")
		}
	}
	for _, t := range e.tickers {
		if what, hint := checkTicker(t.s); what != "" {
			add(t.line, what, hint)
		}
	}
	return faults
}

func (m *merger) checkParents() {
	for _, d := range m.order {
		if d.Parent == "" {
			continue
		}
		if m.drafts[d.Parent] == nil {
			m.fault(d.parentAt, fmt.Sprintf("parent %q of %s is not in the lexicon", d.Parent, d.ID), "add it or mend its id")
			continue
		}
		// A ring that does not go through d is reported for those in it.
		steps := 0
		for p := m.drafts[d.Parent]; p != nil && steps < len(m.order); p = m.drafts[p.Parent] {
			if steps++; p == d {
				m.fault(d.parentAt, fmt.Sprintf("%s is its own ancestor", d.ID), "mend the parent")
				break
			}
		}
	}
}

func (m *merger) checkTickers() {
	owner := make(map[string]*draft)
	for _, d := range m.order {
		for i, t := range d.Tickers {
			if o := owner[t]; o != nil {
				m.fault(d.tickerAt[i], fmt.Sprintf("ticker %q belongs to %s already", t, o.ID), "remove one of the two")
				continue
			}
			owner[t] = d
		}
	}
}

// checkTerms looks for IDs among the terms of rules that no entity has.
func (m *merger) checkTerms() {
	for _, d := range m.order {
		for _, a := range d.aliases {
			for _, t := range slices.Concat(a.Near, a.Not) {
				if _, ok := kindOf(t); ok && m.drafts[t] == nil {
					m.fault(a.at, fmt.Sprintf("term %q of alias %q is not in the lexicon", t, a.Text), "add it or mend its id")
				}
			}
		}
	}
}

// checkHomonyms wants a rule wherever two entities share a form.
func (m *merger) checkHomonyms() {
	type use struct {
		d *draft
		f *form
	}
	uses := make(map[string][]use)
	for _, d := range m.order {
		for i := range d.Entity.forms {
			here := use{d, &d.Entity.forms[i]}
			for _, there := range uses[here.f.key] {
				if there.d == d || here.f.Conditional() || there.f.Conditional() || !here.f.same(there.f) {
					continue
				}
				// The file to mend is the operator's.
				a, b := here, there
				if a.f.Origin == BuiltIn && b.f.Origin != BuiltIn {
					a, b = b, a
				}
				m.fault(a.f.at, fmt.Sprintf("%q of %s is also a form of %s (%s:%d)", a.f.Text, a.d.ID, b.d.ID, b.f.at.file, b.f.at.line),
					"give one of them a rule: {text: "+a.f.Text+", near: [a term of its articles]}")
			}
			uses[here.f.key] = append(uses[here.f.key], here)
		}
	}
}

func hasHan(s string) bool { return strings.ContainsFunc(s, han.IsHan) }

// readmitted are characters that the mainland's standard of 2013 allows again,
// in names above all (昇腾), or that keep their form in one of their readings
// (乾照), though converters replace them.
const readmitted = "昇甦堃邨氾乾"

// simplified returns s as the mainland writes it.
func simplified(s string) string {
	from, to := []rune(s), []rune(han.Simplify(s))
	if len(from) != len(to) {
		return string(to)
	}
	for i, r := range to {
		// Nobody types forms beyond the basic plane (錤 → 𫓹).
		if r > 0xFFFF || strings.ContainsRune(readmitted, from[i]) {
			to[i] = from[i]
		}
	}
	return string(to)
}
