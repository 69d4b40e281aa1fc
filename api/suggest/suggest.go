// Package suggest completes the names of entities while somebody types them, in
// any script, from any word of the name, and in pinyin.
//
// A Finder makes its list from a lexicon once and keeps it until the lexicon is
// another one.
package suggest

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"xinwen/news/han"
	"xinwen/news/lexicon"
)

// maxCandidates bounds how many names are looked at for one beginning.
const maxCandidates = 4000

// Suggestion is an entity whose name begins as asked.
type Suggestion struct {
	Entity *lexicon.Entity
	// Text is the name that matched.
	Text string
}

// Finder finds entities by the beginning of a name. The zero value is ready; it
// may be used by several goroutines.
type Finder struct {
	mu    sync.Mutex
	of    *lexicon.Lexicon
	names []name // sorted by text
}

// name is a way to begin to type a name.
type name struct {
	text, surface string // folded, as written
	inside        bool   // from a later word
	entity        *lexicon.Entity
}

func (f *Finder) list(l *lexicon.Lexicon) []name {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == l {
		return f.names
	}
	var list []name
	for _, e := range l.Entities() {
		forms := append([]string{e.En, e.ZhHans, e.ZhHant}, e.Tickers...)
		for _, a := range e.Aliases {
			forms = append(forms, a.Text)
		}
		for _, form := range forms {
			text := han.FoldString(form)
			if text == "" {
				continue
			}
			list = append(list, name{text, form, false, e})
			for i := range len(text) {
				if (text[i] == ' ' || text[i] == ':') && i+1 < len(text) { // a ticker stands behind its exchange
					list = append(list, name{text[i+1:], form, true, e})
				}
			}
			for _, t := range spellings(form) {
				list = append(list, name{t, form, false, e})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b name) int { return cmp.Compare(a.text, b.text) })
	f.of, f.names = l, list
	return list
}

// Find returns the entities of l with a name that begins with q, at most size.
// Whole names come first, then the entities that have most names: they are those
// that much is written about.
func (f *Finder) Find(l *lexicon.Lexicon, q string, size int) []Suggestion {
	q = han.FoldString(strings.TrimSpace(q))
	if q == "" {
		return nil
	}
	list := f.list(l)
	at, _ := slices.BinarySearchFunc(list, q, func(n name, q string) int { return cmp.Compare(n.text, q) })
	best := make(map[string]name)
	var ids []string
	for end := min(at+maxCandidates, len(list)); at < end && strings.HasPrefix(list[at].text, q); at++ {
		n := list[at]
		old, known := best[n.entity.ID]
		if !known {
			ids = append(ids, n.entity.ID)
		}
		if !known || old.inside && !n.inside {
			best[n.entity.ID] = n
		}
	}
	rank := func(n name) int {
		switch {
		case n.text == q:
			return 0
		case !n.inside:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(ids, func(a, b string) int {
		x, y := best[a], best[b]
		return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(len(y.entity.Aliases), len(x.entity.Aliases)), cmp.Compare(x.text, y.text))
	})
	var out []Suggestion
	for _, id := range ids[:min(size, len(ids))] {
		out = append(out, Suggestion{best[id].entity, best[id].surface})
	}
	return out
}
