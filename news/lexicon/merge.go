package lexicon

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// merger brings the entries of all files together and checks what needs more
// than one entry to see.
type merger struct {
	drafts map[string]*draft
	order  []*draft
	faults Faults
}

// draft is an entity in the making, with the places its parts come from.
type draft struct {
	Entity
	first       *entry
	aliases     []located
	tickerAt    []place
	parentAt    place
	formsAt     []place
	nameAt      map[string]place // name -> where
	builtinOnly bool
}

type place struct {
	file string
	line int
}

type located struct {
	Alias
	at place
}

func newMerger() *merger { return &merger{drafts: make(map[string]*draft)} }

func (m *merger) fault(at place, what, hint string) {
	m.faults = append(m.faults, Fault{at.file, at.line, what, hint})
}

func origin(file string) string {
	if strings.HasPrefix(file, BuiltIn+"/") {
		return BuiltIn
	}
	return file
}

// add takes an entry in: as a new entity, or as an addition to one that an
// earlier file has.
func (m *merger) add(e *entry) {
	kind, ok := kindOf(e.id.s)
	if !ok {
		return // reported by checkEntry
	}
	at := func(line int) place { return place{e.file, line} }
	d := m.drafts[e.id.s]
	switch {
	case d == nil:
		d = &draft{first: e, nameAt: make(map[string]place)}
		d.ID, d.Kind, d.Origin = e.id.s, kind, origin(e.file)
		m.drafts[e.id.s] = d
		m.order = append(m.order, d)
		if e.en.s == "" {
			m.fault(at(e.line), fmt.Sprintf("entity %s has no English name", e.id.s), "add en: (a romanised name will do)")
		}
	case origin(d.first.file) == origin(e.file):
		m.fault(at(e.line), fmt.Sprintf("id %s is already used at %s:%d", e.id.s, d.first.file, d.first.line),
			"join the two entities, or give one another id")
		return
	}
	m.names(d, e)
	m.remove(d, e)
	for _, f := range e.aliases {
		m.alias(d, located{f.Alias, at(f.line)})
	}
	for _, t := range e.tickers {
		if slices.Contains(d.Tickers, t.s) {
			m.fault(at(t.line), fmt.Sprintf("ticker %q is already listed for %s", t.s, d.ID), "remove one of the two")
			continue
		}
		d.Tickers = append(d.Tickers, t.s)
		d.tickerAt = append(d.tickerAt, at(t.line))
	}
	if e.parent.s != "" {
		d.Parent, d.parentAt = e.parent.s, at(e.parent.line)
	}
	d.Note = cmp.Or(e.note, d.Note)
}

// names sets the names of d that e gives. A name that a later file replaces
// stays as an alias.
func (m *merger) names(d *draft, e *entry) {
	for _, n := range []struct {
		to  *string
		new text
	}{{&d.En, e.en}, {&d.ZhHans, e.hans}, {&d.ZhHant, e.hant}} {
		if n.new.s == "" || n.new.s == *n.to {
			continue
		}
		old := *n.to
		*n.to = n.new.s
		if old != "" && Key(old) != Key(n.new.s) {
			d.aliases = append(d.aliases, located{Alias{Text: old, Origin: origin(d.nameAt[old].file)}, d.nameAt[old]})
		}
		d.nameAt[n.new.s] = place{e.file, n.new.line}
		// The new name may have been an alias without rules.
		d.aliases = slices.DeleteFunc(d.aliases, func(a located) bool {
			return !a.ruled() && a.at.file != e.file && Key(a.Text) == Key(n.new.s)
		})
	}
}

// remove takes away the aliases of earlier files that e does not want.
func (m *merger) remove(d *draft, e *entry) {
	for _, r := range e.removed {
		before := len(d.aliases)
		d.aliases = slices.DeleteFunc(d.aliases, func(a located) bool { return sameForm(a.Text, r.s) })
		if len(d.aliases) == before {
			m.fault(place{e.file, r.line}, fmt.Sprintf("remove: %s has no alias %q", d.ID, r.s),
				"remove takes aliases of the built-in entity, not names")
		}
	}
}

// alias adds a to d. In a later file it may restate an alias of an earlier one
// to change its rules; within one file that is a duplicate.
func (m *merger) alias(d *draft, a located) {
	a.Origin = origin(a.at.file)
	for i := range d.aliases {
		b := &d.aliases[i]
		if !clash(&a.Alias, &b.Alias) {
			continue
		}
		if b.at.file != a.at.file {
			*b = a
			return
		}
		m.fault(a.at, fmt.Sprintf("alias %q is already listed for %s in line %d", a.Text, d.ID, b.at.line),
			"remove one of the two: script, width, letter case, spaces and hyphens make no difference")
		return
	}
	if !a.ruled() {
		for _, n := range d.names() {
			if sameForm(n, a.Text) {
				m.fault(a.at, fmt.Sprintf("alias %q is a name of %s already", a.Text, d.ID),
					"remove it: script, width, letter case, spaces and hyphens make no difference")
				return
			}
		}
	}
	d.aliases = append(d.aliases, a)
}

func sameForm(a, b string) bool { return Key(a) == Key(b) }

// clash reports whether two aliases of one entity are the same form.
func clash(a, b *Alias) bool {
	if a.Case && b.Case {
		return a.Text == b.Text
	}
	return sameForm(a.Text, b.Text)
}

// finish checks the whole and returns the entities sorted by ID.
func (m *merger) finish() ([]*Entity, Faults) {
	slices.SortFunc(m.order, func(a, b *draft) int { return cmp.Compare(a.ID, b.ID) })
	entities := make([]*Entity, len(m.order))
	for i, d := range m.order {
		d.Aliases = make([]Alias, len(d.aliases))
		for j, a := range d.aliases {
			d.Aliases[j] = a.Alias
		}
		m.forms(d)
		entities[i] = &d.Entity
	}
	m.checkParents()
	m.checkTickers()
	m.checkTerms()
	m.checkHomonyms()
	return entities, m.faults
}

// forms lists the surface forms of d: its names, with the rules of the alias
// that restates them, then its aliases.
func (m *merger) forms(d *draft) {
	add := func(a Alias, at place) {
		if !slices.ContainsFunc(d.forms, func(b Alias) bool { return clash(&a, &b) }) {
			d.forms = append(d.forms, a)
			d.formsAt = append(d.formsAt, at)
		}
	}
	for _, n := range d.names() {
		form, at := Alias{Text: n, Origin: origin(d.nameAt[n].file)}, d.nameAt[n]
		for _, a := range d.aliases {
			if a.Case && a.Text == n || !a.Case && sameForm(a.Text, n) {
				form, at = a.Alias, a.at
				form.Text = n
			}
		}
		add(form, at)
	}
	for _, a := range d.aliases {
		if a.Case && slices.ContainsFunc(d.forms, func(b Alias) bool { return !b.Case && sameForm(a.Text, b.Text) }) {
			m.fault(a.at, fmt.Sprintf("alias %q of %s asks for letter case, but another form of it does not", a.Text, d.ID),
				"give each of the forms case: true; a name gets its rules from an alias with the same text")
		}
		add(a.Alias, a.at)
	}
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
		for p, steps := d.Parent, 0; p != ""; steps++ {
			next := m.drafts[p]
			if p == d.ID || steps > len(m.order) {
				m.fault(d.parentAt, fmt.Sprintf("%s is its own ancestor", d.ID), "mend the parent")
				break
			}
			if next == nil {
				break
			}
			p = next.Parent
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
		d  *draft
		a  *Alias
		at place
	}
	uses := make(map[string][]use)
	for _, d := range m.order {
		for i := range d.forms {
			a, at := &d.forms[i], d.formsAt[i]
			k := Key(a.Text)
			for _, u := range uses[k] {
				if u.d == d || a.Conditional() || u.a.Conditional() || a.Case && u.a.Case && a.Text != u.a.Text {
					continue
				}
				// The later file is the one to mend.
				here, there := use{d, a, at}, u
				if origin(here.at.file) == BuiltIn && origin(there.at.file) != BuiltIn {
					here, there = there, here
				}
				m.fault(here.at, fmt.Sprintf("%q of %s is also a form of %s (%s:%d)", here.a.Text, here.d.ID, there.d.ID, there.at.file, there.at.line),
					"give one of them a rule: {text: "+here.a.Text+", near: [a term of its articles]}")
			}
			uses[k] = append(uses[k], use{d, a, at})
		}
	}
}
