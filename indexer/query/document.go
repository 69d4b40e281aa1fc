package query

import (
	"hash/maphash"
	"iter"
	"sort"
	"strings"
	"unicode/utf8"

	"xinwen/indexer/analysis"
	"xinwen/news"
)

// Document is an article analysed once, to be tested against many queries. It
// never changes and is safe for concurrent use.
type Document struct {
	article *news.Article
	entries []entry
	// table is open-addressed; it holds index+1 of an entry.
	table []int32
	mask  uint64
	// postings are the grams of the title, then of the text, in order of
	// position, then the single words of both.
	postings []posting
	// at holds, for each position, the first of its postings.
	at []int32
	// title is the last position of the title.
	title    int32
	mentions []mentioned
}

// A position counts grams from 1. The positions of the text go on from the
// title's with a distance that no phrase and no Near reaches over.
const fieldGap = 1000

// entry is a distinct term of an article.
type entry struct {
	hash        uint64
	kind        kind
	term        string
	first, last int32 // postings
	count       int32
}

// posting is one occurrence of a term.
type posting struct {
	entry      int32
	next       int32 // of the same entry, -1 at the end
	position   int32
	start, end int32 // bytes of the title or text
}

// mentioned is a mention with its place among the grams.
type mentioned struct {
	entry      int32
	from, to   int32 // positions
	start, end int   // code points of the content
}

// kind tells terms of different streams and fields apart.
type kind uint8

const (
	gramKind kind = iota
	wordKind
	keywordKind // plus the number of the field
)

func keywordKindOf(field string) kind {
	switch field {
	case FieldEntity:
		return keywordKind
	case FieldKind:
		return keywordKind + 1
	case FieldSource:
		return keywordKind + 2
	case FieldLang:
		return keywordKind + 3
	case FieldScript:
		return keywordKind + 4
	case FieldID:
		return keywordKind + 5
	case FieldURL:
		return keywordKind + 6
	case FieldAuthor:
		return keywordKind + 7
	case FieldCredit:
		return keywordKind + 8
	}
	return keywordKind + 9 // topic
}

// seed makes hashes of one process comparable.
var seed = maphash.MakeSeed()

func hashOf(k kind, term string) uint64 {
	return maphash.String(seed, term) ^ uint64(k)*0x9E3779B97F4A7C15
}

// NewDocument analyses a. The article must not be changed while the document is
// in use.
func NewDocument(a *news.Article, an *analysis.Analyzer) *Document {
	return newDocument(a, an, true)
}

// Document analyses a as far as m needs it: the document is for m alone.
func (m *Matcher) Document(a *news.Article, an *analysis.Analyzer) *Document {
	return newDocument(a, an, m.root.asksWords())
}

func newDocument(a *news.Article, an *analysis.Analyzer, words bool) *Document {
	d := &Document{article: a}
	tokens := an.AppendBigrams(make([]analysis.Token, 0, (len(a.Title)+len(a.Text))/3+64), a.Title)
	split := len(tokens)
	tokens = an.AppendBigrams(tokens, a.Text)
	d.init(len(tokens))
	for _, t := range tokens[:split] {
		d.gram(t, 0, 0)
	}
	d.title = int32(len(d.at) - 1)
	for _, t := range tokens[split:] {
		d.gram(t, d.title, fieldGap)
	}
	d.at = append(d.at, int32(len(d.postings)))
	if words {
		d.words(an.AppendWords(tokens[:0], a.Title), 1)
		d.words(an.AppendWords(tokens[:0], a.Text), d.title+fieldGap+1)
	}
	for _, t := range Keywords(a) {
		d.entry(keywordKindOf(t.Field), t.Value)
	}
	d.mention(a)
	return d
}

func (d *Document) init(tokens int) {
	size := 64
	for size < tokens*2 {
		size *= 2
	}
	d.table, d.mask = make([]int32, size), uint64(size-1)
	d.entries = make([]entry, 0, tokens/2+32)
	d.postings = make([]posting, 0, tokens+tokens/8+16)
	d.at = make([]int32, 1, tokens+2)
}

// gram adds a token of the title (after is 0) or of the text (after is the last
// position of the title, gap what lies between).
func (d *Document) gram(t analysis.Token, after, gap int32) {
	if i := after + int32(t.Position); int(i) == len(d.at) {
		d.at = append(d.at, int32(len(d.postings)))
	}
	d.add(d.entry(gramKind, t.Term), after+gap+int32(t.Position), t.Start, t.End)
}

// words adds the words of one character: longer ones are found by their grams.
func (d *Document) words(tokens []analysis.Token, position int32) {
	for _, t := range tokens {
		if analysis.IsIdeograph(t.Term) && utf8.RuneCountInString(t.Term) == 1 {
			d.add(d.entry(wordKind, t.Term), position, t.Start, t.End)
		}
	}
}

func (d *Document) add(e, position int32, start, end int) {
	i := int32(len(d.postings))
	d.postings = append(d.postings, posting{e, -1, position, int32(start), int32(end)})
	if x := &d.entries[e]; x.count == 0 {
		x.first, x.last, x.count = i, i, 1
	} else {
		d.postings[x.last].next = i
		x.last, x.count = i, x.count+1
	}
}

// entry returns the entry of a term, which it adds if it is not there.
func (d *Document) entry(k kind, term string) int32 {
	h := hashOf(k, term)
	i := h & d.mask
	for ; d.table[i] != 0; i = (i + 1) & d.mask {
		if e := &d.entries[d.table[i]-1]; e.hash == h && e.kind == k && e.term == term {
			return d.table[i] - 1
		}
	}
	d.entries = append(d.entries, entry{hash: h, kind: k, term: term, first: -1, last: -1})
	n := int32(len(d.entries))
	d.table[i] = n
	if len(d.entries)*3 > len(d.table)*2 {
		d.grow()
	}
	return n - 1
}

func (d *Document) grow() {
	d.table = make([]int32, 2*len(d.table))
	d.mask = uint64(len(d.table) - 1)
	for n := range d.entries {
		i := d.entries[n].hash & d.mask
		for d.table[i] != 0 {
			i = (i + 1) & d.mask
		}
		d.table[i] = int32(n + 1)
	}
}

// find returns the entry of a term, -1 if the article does not have it.
func (d *Document) find(h uint64, k kind, term string) int32 {
	for i := h & d.mask; d.table[i] != 0; i = (i + 1) & d.mask {
		if e := &d.entries[d.table[i]-1]; e.hash == h && e.kind == k && e.term == term {
			return d.table[i] - 1
		}
	}
	return -1
}

// positionsAt returns the postings at a position.
func (d *Document) positionsAt(position int32) []posting {
	i := position
	if position > d.title {
		if i = position - fieldGap; i <= d.title {
			return nil
		}
	}
	if i < 1 || int(i)+1 >= len(d.at) {
		return nil
	}
	return d.postings[d.at[i]:d.at[i+1]]
}

// in says whether a position is in a part of the article.
func (d *Document) in(w where, position int32) bool {
	return w == anywhere || (w == inTitle) == (position <= d.title)
}

// mention finds the places of a's mentions among the grams.
func (d *Document) mention(a *news.Article) {
	if len(a.Mentions) == 0 {
		return
	}
	title := utf8.RuneCountInString(a.Title)
	c := cursor{text: a.Text}
	for _, m := range a.Mentions {
		if m.Entity == "" || m.End <= m.Start {
			continue
		}
		var from, to int
		inTitle := m.End <= title
		switch {
		case inTitle:
			t := cursor{text: a.Title}
			from, to = t.byte(m.Start), t.byte(m.End)
		case m.Start > title:
			from, to = c.byte(m.Start-title-1), c.byte(m.End-title-1)
		default:
			continue // no mention reaches from title to text
		}
		first, last := d.cover(inTitle, int32(from), int32(to))
		if first > last {
			continue
		}
		term := KeywordTerm(m.Entity)
		d.mentions = append(d.mentions, mentioned{
			entry: d.find(hashOf(keywordKind, term), keywordKind, term),
			from:  first, to: last, start: m.Start, end: m.End,
		})
	}
}

// cover returns the first and last position that begin within the bytes from
// start to end of the title or text.
func (d *Document) cover(inTitle bool, start, end int32) (first, last int32) {
	lo, hi, shift := int(d.title)+1, len(d.at)-1, int32(fieldGap)
	if inTitle {
		lo, hi, shift = 1, int(d.title)+1, 0
	}
	at := func(from int32) int {
		return lo + sort.Search(hi-lo, func(i int) bool { return d.postings[d.at[lo+i]].start >= from })
	}
	i := at(start)
	// A mention may begin inside a word: 3nm in TSMC3nm.
	if i > lo && (i == hi || d.postings[d.at[i]].start > start) && d.postings[d.at[i-1]].end > start {
		i--
	}
	return int32(i) + shift, int32(at(end)-1) + shift
}

// cursor finds the byte offset of code points; it is quick where they ascend.
type cursor struct {
	text        string
	rune, bytes int
}

func (c *cursor) byte(n int) int {
	if n < c.rune {
		c.rune, c.bytes = 0, 0
	}
	for ; c.rune < n && c.bytes < len(c.text); c.rune++ {
		_, size := utf8.DecodeRuneInString(c.text[c.bytes:])
		c.bytes += size
	}
	return c.bytes
}

// Article returns the article that d was made from.
func (d *Document) Article() *news.Article { return d.article }

// Key stands for a term of an article within one process.
type Key uint64

// Keys returns the keys of the terms of d, each once.
func (d *Document) Keys() iter.Seq[Key] {
	return func(yield func(Key) bool) {
		for i := range d.entries {
			if !yield(Key(d.entries[i].hash)) {
				return
			}
		}
	}
}

// Grams returns the grams of d, each once.
func (d *Document) Grams() iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range d.entries {
			if e := &d.entries[i]; e.kind == gramKind && !yield(e.term) {
				return
			}
		}
	}
}

// withPrefix calls visit with the grams that begin with prefix until it returns
// false.
func (d *Document) withPrefix(prefix string, visit func(entry int32) bool) {
	for i := range d.entries {
		if e := &d.entries[i]; e.kind == gramKind && strings.HasPrefix(e.term, prefix) && !visit(int32(i)) {
			return
		}
	}
}
