package lexicon

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"xinwen/news"
)

// BuiltIn is the Origin of what comes from the embedded data files.
const BuiltIn = "built-in"

// Entity is one thing that news names. Entities belong to their snapshot and
// must not be changed.
type Entity struct {
	// ID is the kind, a colon and a slug: "org:tsmc". It never changes.
	ID   string
	Kind news.Kind
	// En, ZhHans and ZhHant are the names to show; the Chinese ones may be
	// empty. ZhHans is the mainland's word, ZhHant Taiwan's: 英伟达, 輝達.
	En, ZhHans, ZhHant string
	// Aliases are the further surface forms as the files list them; Forms has
	// these and the names.
	Aliases []Alias
	// Tickers are in the form EXCHANGE:SYMBOL, the main listing first.
	Tickers []string
	// Parent is the ID of the entity this one belongs to, "" if none.
	Parent string
	// Note is for whoever edits the file.
	Note string
	// Origin is BuiltIn or the name of the file the entity comes from.
	Origin string

	forms []form
}

// Alias is a surface form of an entity, with the rules that say where it means
// that entity. All rules given must hold.
type Alias struct {
	Text string
	// Region is where the word is used: "cn", "tw", "hk", or "" for anywhere.
	Region string
	// Case asks for the letters exactly as in Text: ARM, but not arm.
	Case bool
	// Near asks for one of these terms somewhere in the article. An entity ID
	// among them stands for that entity's names and for its aliases without
	// rules; Lexicon.Terms gives the text of both.
	Near []string
	// Not forbids: a term that contains the alias (三星堆 for 三星) rules out
	// the places where the term stands, any other term the whole article.
	Not []string
	// Weak asks for another, not weak form of the same entity in the article:
	// 中芯 counts once 中芯国际 is named.
	Weak bool
	// Abbrev marks the abbreviation of a place to one character, as 美 for
	// 美国: it counts only where the characters beside it show that it is one,
	// such as another abbreviation (中美) or a verb of direction (对美).
	Abbrev bool
	// Origin is BuiltIn or the name of the file the alias comes from.
	Origin string
}

// Conditional reports whether a needs context to be believed; letter case is
// not context.
func (a *Alias) Conditional() bool {
	return a.Weak || a.Abbrev || len(a.Near) > 0 || len(a.Not) > 0
}

func (a *Alias) ruled() bool { return a.Case || a.Conditional() }

// Forms returns every surface form of e, names first, each once: a form that
// differs from an earlier one by script, width or (unless Case is set) letter
// case is left out. It is the list a gazetteer is built from.
func (e *Entity) Forms() []Alias {
	list := make([]Alias, len(e.forms))
	for i := range e.forms {
		list[i] = e.forms[i].Alias
	}
	return list
}

// form is a surface form with what its use needs.
type form struct {
	Alias
	key  string // Key(Text)
	name bool   // it is a name of the entity
	at   place
}

// rank is lower the more surely the form means its entity.
func (f *form) rank() int {
	rank := 0
	if !f.name {
		rank = 1
	}
	if f.Conditional() {
		rank += 2
	}
	return rank
}

// Lexicon is a snapshot of all entities. It never changes and is safe for
// concurrent use.
type Lexicon struct {
	entities []*Entity
	byID     map[string]*Entity
	byName   map[string][]string // Key of a form -> IDs, best first
	byTicker map[string][]string // EXCHANGE:SYMBOL and bare symbol -> IDs
	hash     string
}

// Entity returns the entity with the given ID.
func (l *Lexicon) Entity(id string) (*Entity, bool) {
	e, ok := l.byID[id]
	return e, ok
}

// Entities returns all entities, sorted by ID. The slice must not be changed.
func (l *Lexicon) Entities() []*Entity { return l.entities }

// Hash changes whenever names, aliases, rules, tickers or parents change. Notes,
// comments and the order within files do not matter.
func (l *Lexicon) Hash() string { return l.hash }

// Lookup returns the IDs of the entities that name can mean, best first: name
// is an ID, a name or alias in any script, case and width, or a ticker ("2330",
// "TWSE:2330", "2330.TW"). A form that needs no context comes before one that
// does, a name before an alias, a ticker last.
func (l *Lexicon) Lookup(name string) []string {
	name = strings.TrimSpace(name)
	if id := strings.ToLower(name); l.byID[id] != nil {
		return []string{id}
	}
	ids := slices.Clone(l.byName[Key(name)])
	for _, id := range l.byTicker[tickerKey(name)] {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// Terms returns the text of the terms of a Near or Not list: an entity ID is
// replaced by that entity's names and by its aliases without rules.
func (l *Lexicon) Terms(list []string) []string {
	var terms []string
	for _, t := range list {
		e := l.byID[t]
		if e == nil {
			terms = append(terms, t)
			continue
		}
		for i := range e.forms {
			if !e.forms[i].ruled() {
				terms = append(terms, e.forms[i].Text)
			}
		}
	}
	return terms
}

// newLexicon indexes entities, which must be free of faults and sorted by ID.
func newLexicon(entities []*Entity) *Lexicon {
	l := &Lexicon{
		entities: entities,
		byID:     make(map[string]*Entity, len(entities)),
		byName:   make(map[string][]string, 4*len(entities)),
		byTicker: make(map[string][]string, len(entities)),
	}
	// Four rounds, from the form that is most surely meant to the least.
	for round := range 4 {
		for _, e := range entities {
			for i := range e.forms {
				if f := &e.forms[i]; f.rank() == round && !slices.Contains(l.byName[f.key], e.ID) {
					l.byName[f.key] = append(l.byName[f.key], e.ID)
				}
			}
		}
	}
	h := sha256.New()
	for _, e := range entities {
		l.byID[e.ID] = e
		for _, t := range e.Tickers {
			keys := []string{tickerKey(t)}
			if sym, ok := bareSymbol(t); ok {
				keys = append(keys, tickerKey(sym))
			}
			for _, k := range keys {
				if !slices.Contains(l.byTicker[k], e.ID) {
					l.byTicker[k] = append(l.byTicker[k], e.ID)
				}
			}
		}
		h.Write(e.appendContent(nil))
	}
	l.hash = hex.EncodeToString(h.Sum(nil)[:16])
	return l
}

// appendContent appends all of e that Hash looks at, in an order that does not
// depend on that in the files.
func (e *Entity) appendContent(dst []byte) []byte {
	// Lengths keep ["ab", "c"] and ["a", "bc"] apart.
	put := func(list ...string) {
		dst = binary.AppendUvarint(dst, uint64(len(list)))
		for _, s := range list {
			dst = binary.AppendUvarint(dst, uint64(len(s)))
			dst = append(dst, s...)
		}
	}
	put(e.ID, e.En, e.ZhHans, e.ZhHant, e.Parent)
	put(e.Tickers...)
	forms := slices.Clone(e.forms)
	slices.SortFunc(forms, func(a, b form) int {
		return cmp.Or(strings.Compare(a.key, b.key), strings.Compare(a.Text, b.Text))
	})
	for i := range forms {
		f := &forms[i]
		put(f.Text, f.Region, strconv.FormatBool(f.Case), strconv.FormatBool(f.Weak), strconv.FormatBool(f.Abbrev))
		put(f.Near...)
		put(f.Not...)
	}
	return dst
}
