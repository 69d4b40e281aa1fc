package lexicon

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// merger brings the entities of all files together.
type merger struct {
	drafts map[string]*draft
	order  []*draft
	faults Faults
}

// draft is an entity in the making, with the places its parts come from.
type draft struct {
	Entity
	at       place // of the first entry
	names    [3]form
	aliases  []form
	tickerAt []place
	parentAt place
}

// Which of a draft's names.
const (
	nameEn = iota
	nameHans
	nameHant
)

func newMerger() *merger { return &merger{drafts: make(map[string]*draft)} }

func (m *merger) fault(at place, what, hint string) {
	m.faults = append(m.faults, Fault{at.file, at.line, what, hint})
}

// origin returns what a reader is told of a file.
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
		return // checkEntry has said so
	}
	at := place{e.file, e.line}
	d := m.drafts[e.id.s]
	switch {
	case d == nil:
		d = &draft{Entity: Entity{ID: e.id.s, Kind: kind, Origin: origin(e.file)}, at: at}
		m.drafts[d.ID] = d
		m.order = append(m.order, d)
		if e.en.s == "" {
			m.fault(at, fmt.Sprintf("entity %s has no English name", d.ID), "add en: (a romanised name will do)")
		}
	case d.at.file == e.file || d.Origin == origin(e.file):
		m.fault(at, fmt.Sprintf("id %s is already used at %s:%d", d.ID, d.at.file, d.at.line),
			"join the two entities, or give one another id")
		return
	}
	for i, n := range [...]text{nameEn: e.en, nameHans: e.hans, nameHant: e.hant} {
		if n.s != "" {
			m.name(d, i, form{Alias: Alias{Text: n.s, Origin: origin(e.file)}, key: Key(n.s), name: true, at: place{e.file, n.line}})
		}
	}
	for _, r := range e.removed {
		m.remove(d, r.s, place{e.file, r.line})
	}
	for _, f := range e.aliases {
		m.alias(d, f)
	}
	for _, t := range e.tickers {
		if slices.Contains(d.Tickers, t.s) {
			m.fault(place{e.file, t.line}, fmt.Sprintf("ticker %q is already listed for %s", t.s, d.ID), "remove one of the two")
			continue
		}
		d.Tickers = append(d.Tickers, t.s)
		d.tickerAt = append(d.tickerAt, place{e.file, t.line})
	}
	if e.parent.s != "" {
		d.Parent, d.parentAt = e.parent.s, place{e.file, e.parent.line}
	}
	d.Note = cmp.Or(e.note, d.Note)
}

// name sets a name of d. One that an earlier file gave stays as an alias.
func (m *merger) name(d *draft, which int, n form) {
	old := d.names[which]
	if old.Text == n.Text {
		return
	}
	d.names[which] = n
	if old.Text == "" {
		return
	}
	// The new name may have been an alias without rules.
	d.aliases = slices.DeleteFunc(d.aliases, func(a form) bool { return !a.ruled() && a.key == n.key })
	if old.name = false; old.key != n.key && !slices.ContainsFunc(d.aliases, func(a form) bool { return a.key == old.key }) {
		d.aliases = append(d.aliases, old)
	}
}

// remove takes an alias of an earlier file away.
func (m *merger) remove(d *draft, text string, at place) {
	key, before := Key(text), len(d.aliases)
	d.aliases = slices.DeleteFunc(d.aliases, func(a form) bool { return a.key == key })
	if len(d.aliases) == before {
		m.fault(at, fmt.Sprintf("remove: %s has no alias %q", d.ID, text), "remove takes aliases of an entity of an earlier file, not names")
	}
}

// alias adds a to d. In a later file it may restate an alias of an earlier one
// to change its rules; within one file that is a duplicate.
func (m *merger) alias(d *draft, a form) {
	for i := range d.aliases {
		b := &d.aliases[i]
		if !a.same(b) {
			continue
		}
		if b.at.file != a.at.file {
			*b = a
			return
		}
		m.fault(a.at, fmt.Sprintf("alias %q is already listed for %s in line %d", a.Text, d.ID, b.at.line), noDifference)
		return
	}
	if !a.ruled() && slices.ContainsFunc(d.names[:], func(n form) bool { return n.Text != "" && n.key == a.key }) {
		m.fault(a.at, fmt.Sprintf("alias %q is a name of %s already", a.Text, d.ID), noDifference)
		return
	}
	d.aliases = append(d.aliases, a)
}

const noDifference = "remove it: script, width, letter case, spaces and hyphens make no difference"

// same reports whether text cannot tell f and g apart.
func (f *form) same(g *form) bool {
	if f.Case && g.Case {
		return f.Text == g.Text
	}
	return f.key == g.key
}

// finish checks the whole and returns the entities sorted by ID.
func (m *merger) finish() ([]*Entity, Faults) {
	slices.SortFunc(m.order, func(a, b *draft) int { return cmp.Compare(a.ID, b.ID) })
	entities := make([]*Entity, len(m.order))
	for i, d := range m.order {
		d.En, d.ZhHans, d.ZhHant = d.names[nameEn].Text, d.names[nameHans].Text, d.names[nameHant].Text
		d.Aliases = make([]Alias, len(d.aliases))
		for j := range d.aliases {
			d.Aliases[j] = d.aliases[j].Alias
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
	add := func(f form) {
		if !slices.ContainsFunc(d.Entity.forms, func(g form) bool { return f.same(&g) }) {
			d.Entity.forms = append(d.Entity.forms, f)
		}
	}
	for _, n := range d.names {
		if n.Text == "" {
			continue
		}
		for _, a := range d.aliases {
			if a.Case && a.Text == n.Text || !a.Case && a.key == n.key {
				a.Text, a.name = n.Text, true
				n = a
				break
			}
		}
		add(n)
	}
	for _, a := range d.aliases {
		if a.Case && slices.ContainsFunc(d.Entity.forms, func(f form) bool { return !f.Case && a.key == f.key }) {
			m.fault(a.at, fmt.Sprintf("alias %q of %s asks for letter case, but another form of it does not", a.Text, d.ID),
				"give each of the forms case: true; a name gets its rules from an alias with the same text")
		}
		add(a)
	}
}
