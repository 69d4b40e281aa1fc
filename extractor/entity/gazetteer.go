// Package entity finds mentions: spans of an article that name an entity of the
// lexicon, an amount of money, a percentage, a date or a process node.
//
// A Gazetteer is built from one snapshot of the lexicon. It takes out the breaks of
// lines that were broken at a width, walks the folded text (package han) once and looks up the two characters at each place in a
// hash table; of the names that fit there the longest wins, if the rules of its
// alias hold in this article. Offsets lead back to the text as it was written.
//
// Rules then add what the lexicon does not say: legal forms (公司, Inc.),
// organisations by their last words, persons by titles, verbs of saying and given
// names, tickers and names in brackets, short forms and surnames once the full
// name stands in the article. Last, the statistical taggers of package tagger name
// persons and organisations that neither knows, where they are sure. A name found
// so has a provisional ID (see Provisional) and a score below 1.
package entity

import (
	"math/bits"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"xinwen/news"
	"xinwen/news/han"
	"xinwen/news/lexicon"
)

// Gazetteer matches the names of a lexicon. It never changes and is safe for
// concurrent use.
type Gazetteer struct {
	lex      *lexicon.Lexicon
	patterns []pattern
	// pairs leads from the first two characters of a name to its patterns,
	// singles from the only one; patterns with the same start lie together,
	// longest first.
	pairs   table
	singles map[rune]span
	terms   []string // folded terms of Near and Not rules
	abbrevs map[rune]bool
}

// span is patterns[from:to].
type span struct{ from, to int32 }

// pattern is one form of one entity.
type pattern struct {
	// key is the folded name without separators.
	key    string
	entity *lexicon.Entity
	form   *lexicon.Alias
	// gaps has bit i set if a separator may stand before byte i of key.
	gaps uint64
	// latinStart and latinEnd say that a word boundary is needed there.
	latinStart, latinEnd bool
	plural               bool
	// cut is a word at the end that is not part of the mention.
	cut string
	// near, not and cover are indices into terms; cover are those of Not that
	// contain the name itself.
	near, not, cover []int32
}

// New builds the gazetteer of a lexicon.
func New(lex *lexicon.Lexicon) *Gazetteer {
	g := &Gazetteer{lex: lex, singles: make(map[rune]span), abbrevs: make(map[rune]bool)}
	b := builder{g: g, lex: lex, terms: make(map[string]int32)}
	for _, e := range lex.Entities() {
		forms := e.Forms()
		for i := range forms {
			b.add(e, &forms[i])
		}
	}
	g.patterns = ownNames(g.patterns)
	g.index()
	return g
}

// index orders the patterns and makes the tables that lead to them.
func (g *Gazetteer) index() {
	sort.SliceStable(g.patterns, func(i, j int) bool {
		a, c := &g.patterns[i], &g.patterns[j]
		if x, y := start(a.key), start(c.key); x != y {
			return x < y
		}
		if len(a.key) != len(c.key) {
			return len(a.key) > len(c.key)
		}
		return a.key < c.key
	})
	g.pairs = newTable(len(g.patterns))
	for i := 0; i < len(g.patterns); {
		j := i + 1
		k := start(g.patterns[i].key)
		for j < len(g.patterns) && start(g.patterns[j].key) == k {
			j++
		}
		s := span{int32(i), int32(j)}
		if r := rune(k >> 32); k&0xffffffff == 0 {
			g.singles[r] = s
		} else {
			g.pairs.put(k, s)
		}
		i = j
	}
}

// Len returns the number of names.
func (g *Gazetteer) Len() int { return len(g.patterns) }

// start packs the first two characters; the second is 0 if there is none.
func start(key string) uint64 {
	a, n := utf8.DecodeRuneInString(key)
	b := rune(0)
	if n < len(key) {
		b, _ = utf8.DecodeRuneInString(key[n:])
	}
	return pack(a, b)
}

func pack(a, b rune) uint64 { return uint64(uint32(a))<<32 | uint64(uint32(b)) }

type builder struct {
	g     *Gazetteer
	lex   *lexicon.Lexicon
	terms map[string]int32
}

func (b *builder) add(e *lexicon.Entity, a *lexicon.Alias) {
	folded := han.FoldString(a.Text)
	p := pattern{entity: e, form: a}
	var key strings.Builder
	var prev rune
	gap := false
	for _, r := range folded {
		if separator(r) {
			gap = key.Len() > 0
			continue
		}
		if key.Len() > 0 && key.Len() < 64 && (gap || class(prev) != class(r)) {
			p.gaps |= 1 << key.Len()
		}
		gap = false
		key.WriteRune(r)
		prev = r
	}
	p.key = key.String()
	if p.key == "" {
		return
	}
	first, _ := utf8.DecodeRuneInString(p.key)
	if a.Abbrev {
		b.g.abbrevs[first] = true
	}
	p.latinStart, p.latinEnd = wordRune(first), wordRune(prev)
	p.plural = e.Kind != news.Person && e.Kind != news.Place && p.latinEnd && 'a' <= prev && prev <= 'z' && prev != 's' && len(p.key) > 2 && !a.Case
	p.near = b.list(a.Near)
	for _, t := range a.Not {
		if lexicon.Key(t) != p.key && strings.Contains(lexicon.Key(t), p.key) {
			p.cover = append(p.cover, b.list([]string{t})...)
		} else {
			p.not = append(p.not, b.list([]string{t})...)
		}
	}
	b.g.patterns = append(b.g.patterns, p)
}

// genericEndings may stand behind the name of a technology or product without
// being part of it.
var genericEndings = []string{
	"芯片", "晶片", "基板", "衬底", "晶圆", "基片", "外延片", "外延晶片", "技术", "工艺", "制程", "处理器", "系列", "光刻机", "设备", "process", "processor", "processors", "technology", "chip", "chips", "wafer", "wafers",
	"substrate", "substrates", "series", "node",
}

// ownNames leaves out the forms of products, technologies and nodes that are
// another such name with a generic word behind: SiC基板 is SiC. Where both are
// forms of one entity, or of a product, the longer finds it and the word is cut
// off: 18A of 18A process.
func ownNames(list []pattern) []pattern {
	keys := make(map[string]bool, len(list))
	own := make(map[string]bool, len(list))
	for i := range list {
		if p := &list[i]; thing(p.entity.Kind) {
			own[p.entity.ID+" "+p.key] = true
			if !p.form.Conditional() {
				keys[p.key] = true
			}
		}
	}
	out := list[:0]
next:
	for _, p := range list {
		if thing(p.entity.Kind) {
			for _, e := range genericEndings {
				s := strings.TrimSuffix(p.key, e)
				switch {
				case s == p.key || s == "":
				case own[p.entity.ID+" "+s], p.entity.Kind == news.Product && utf8.RuneCountInString(s) > 2:
					p.cut = e
				case keys[s]:
					continue next
				}
			}
		}
		out = append(out, p)
	}
	return out
}

func thing(k news.Kind) bool { return k == news.Tech || k == news.Product || k == news.Node }

// list returns the indices of folded terms.
func (b *builder) list(terms []string) []int32 {
	if len(terms) == 0 {
		return nil
	}
	var out []int32
	for _, t := range b.lex.Terms(terms) {
		t = han.FoldString(t)
		if t == "" {
			continue
		}
		i, ok := b.terms[t]
		if !ok {
			i = int32(len(b.g.terms))
			b.terms[t] = i
			b.g.terms = append(b.g.terms, t)
		}
		out = append(out, i)
	}
	return out
}

// separator names what may stand between the parts of a name or be left out.
func separator(r rune) bool { return r == ' ' || r == '-' || r == '·' || r == mark }

// class groups characters that are written together without a separator.
func class(r rune) int {
	switch {
	case '0' <= r && r <= '9':
		return 1
	case wordRune(r):
		return 2
	case han.IsHan(r):
		return 3
	}
	return 4
}

// wordRune reports whether r is part of a word of letters: folded, so ASCII
// mostly.
func wordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_'
	}
	return !han.IsHan(r) && r < 0x2e80 && (unicode.IsLetter(r) || unicode.IsNumber(r))
}

// table is an open-addressed hash table from a packed pair to a span.
type table struct {
	keys   []uint64
	values []span
	shift  uint
}

func newTable(n int) table {
	size := 1 << max(4, bits.Len(uint(2*n)))
	return table{keys: make([]uint64, size), values: make([]span, size), shift: uint(64 - bits.Len(uint(size-1)))}
}

func (t *table) slot(k uint64) int { return int((k * 0x9e3779b97f4a7c15) >> t.shift) }

func (t *table) put(k uint64, v span) {
	i := t.slot(k)
	for t.keys[i] != 0 {
		i = (i + 1) & (len(t.keys) - 1)
	}
	t.keys[i], t.values[i] = k, v
}

func (t *table) get(k uint64) (span, bool) {
	for i := t.slot(k); t.keys[i] != 0; i = (i + 1) & (len(t.keys) - 1) {
		if t.keys[i] == k {
			return t.values[i], true
		}
	}
	return span{}, false
}
