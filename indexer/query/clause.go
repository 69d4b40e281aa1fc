package query

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"xinwen/indexer/analysis"
	"xinwen/news"
	"xinwen/news/han"
	"xinwen/news/lexicon"
	"xinwen/news/weburl"
)

// Op says what a Clause asks for.
type Op uint8

// What a Clause can ask for.
const (
	OpEverything Op = iota // matches every article
	OpNothing              // matches none
	OpAnd                  // all of Clauses
	OpOr                   // one of Clauses
	OpNot                  // not Clauses[0]
	OpSequence             // Slots on the grams of Field
	OpWord                 // Term among the words of Field
	OpKeyword              // Term among the article's values in Field
	OpRange                // From ≤ time of Field < To
	OpNear                 // both Clauses within Distance, in Field
)

// Clause is a query in terms of what an index holds: grams, words, keywords and
// times. Engines compile clauses and nothing else.
type Clause struct {
	Op Op
	// Clauses are two or more for OpAnd and OpOr, one for OpNot, two for OpNear.
	// Those of OpNear are OpSequence or OpKeyword of FieldEntity, or an OpOr of
	// these, or OpNothing; an entity's keyword stands where it is mentioned.
	Clauses []*Clause
	// Field is FieldTitle, FieldText or "" (either) for OpSequence, OpWord and
	// OpNear, else the field of the keyword or time.
	Field string
	// Slots are in order of Offset; the first has offset 0.
	Slots []Slot
	// Length is how many positions a sequence covers.
	Length int
	// Term is the word, or the keyword as Keywords gives it.
	Term string
	// From and To are as in Range.
	From, To time.Time
	Distance int
	// Words are the terms to rank by where this clause matches: those that the
	// words of the article have. They decide nothing.
	Words []string
	// Source is the part of the query that the clause comes from.
	Source string
}

// Slot is one place in a sequence.
type Slot struct {
	// Terms are the grams that may stand here: one or two.
	Terms []string
	// Offset is the distance from the first slot in positions.
	Offset int
	// Prefix says that the gram here begins with Terms[0]. Only the last slot of
	// a sequence can have it.
	Prefix bool
}

// Term is a value that an article has in a keyword field.
type Term struct{ Field, Value string }

// Keywords returns the values of a that OpKeyword looks among, each once.
func Keywords(a *news.Article) []Term {
	var terms []Term
	add := func(field, value string) {
		if value == "" {
			return
		}
		t := Term{field, KeywordTerm(value)}
		if !slices.Contains(terms, t) {
			terms = append(terms, t)
		}
	}
	for _, m := range a.Mentions {
		add(FieldEntity, m.Entity)
		add(FieldKind, string(m.Kind))
	}
	add(FieldSource, a.Source)
	add(FieldLang, a.Lang)
	add(FieldScript, a.Script)
	add(FieldID, a.ID)
	add(FieldURL, a.URL)
	for _, name := range a.Authors {
		add(FieldAuthor, name)
	}
	add(FieldAuthor, a.Editor)
	add(FieldAuthor, a.Reporter)
	add(FieldCredit, a.Credit)
	for _, t := range a.Topics {
		add(FieldTopic, t.ID)
	}
	return terms
}

// KeywordTerm returns the form in which keywords are compared.
func KeywordTerm(value string) string { return han.FoldString(strings.TrimSpace(value)) }

// Lower returns the clause that n means. The lexicon, which may be nil, knows
// the names after entity:; an unknown one is a *SyntaxError. Lower does not
// Expand.
func Lower(n Node, a *analysis.Analyzer, l *lexicon.Lexicon) (*Clause, error) {
	return (&lowering{a, l}).node(n)
}

type lowering struct {
	analyzer *analysis.Analyzer
	lexicon  *lexicon.Lexicon
}

func (w *lowering) node(n Node) (*Clause, error) {
	switch n := n.(type) {
	case All:
		return &Clause{Op: OpEverything}, nil
	case And:
		parts, err := w.nodes(n.Nodes)
		return every(parts...), err
	case Or:
		parts, err := w.nodes(n.Nodes)
		return either(parts...), err
	case Not:
		c, err := w.node(n.Node)
		if err != nil {
			return nil, err
		}
		return except(c), nil
	case Near:
		return w.near(n)
	case Text:
		return w.text(n), nil
	case Phrase:
		return w.phrase(n.Field, n.Value, n.String()), nil
	case Prefix:
		return w.prefix(n), nil
	case Entity:
		return w.entity(n)
	case Keyword:
		return w.keyword(n), nil
	case Range:
		return &Clause{Op: OpRange, Field: n.Field, From: n.From, To: n.To, Source: n.String()}, nil
	}
	return &Clause{Op: OpNothing}, nil
}

func (w *lowering) nodes(nodes []Node) ([]*Clause, error) {
	parts := make([]*Clause, 0, len(nodes))
	for _, n := range nodes {
		c, err := w.node(n)
		if err != nil {
			return nil, err
		}
		parts = append(parts, c)
	}
	return parts, nil
}

func (w *lowering) entity(n Entity) (*Clause, error) {
	ids := entityIDs(n.Value, w.lexicon)
	if len(ids) == 0 {
		return nil, unknownEntity(0, n.Value)
	}
	parts := make([]*Clause, len(ids))
	for i, id := range ids {
		parts[i] = &Clause{Op: OpKeyword, Field: FieldEntity, Term: KeywordTerm(id), Source: n.String()}
	}
	return either(parts...), nil
}

// entityIDs returns the IDs that name can mean; l may be nil. What has the form
// of an ID is one: it may be gone from the lexicon and still be in articles.
func entityIDs(name string, l *lexicon.Lexicon) []string {
	if l != nil {
		if ids := l.Lookup(name); len(ids) > 0 {
			return ids
		}
	}
	if kind, slug, ok := strings.Cut(name, ":"); ok && kind != "" && slug != "" {
		return []string{name}
	}
	return nil
}

func (w *lowering) keyword(n Keyword) *Clause {
	equal := func(field, value string) *Clause {
		return &Clause{Op: OpKeyword, Field: field, Term: KeywordTerm(value), Source: n.String()}
	}
	if lang, script, ok := strings.Cut(n.Value, "-"); ok && n.Field == FieldLang {
		return every(equal(FieldLang, lang), equal(FieldScript, script))
	}
	if n.Field == FieldURL {
		if u, err := weburl.Canonical(n.Value); err == nil {
			return equal(n.Field, u)
		}
	}
	return equal(n.Field, n.Value)
}

func (w *lowering) near(n Near) (*Clause, error) {
	c := &Clause{Op: OpNear, Distance: n.Distance, Source: n.String()}
	for _, side := range []Node{n.Left, n.Right} {
		var parts []*Clause
		for _, alt := range alternatives(side) {
			var part *Clause
			switch alt := alt.(type) {
			case Text:
				part = w.phrase(alt.Field, alt.Value, alt.String())
			default:
				var err error
				if part, err = w.node(alt); err != nil {
					return nil, err
				}
			}
			if f, _ := placeOf(alt); f != "" {
				c.Field = f
			}
			parts = append(parts, part)
		}
		c.Clauses = append(c.Clauses, either(parts...))
	}
	if c.Clauses[0].Op == OpNothing || c.Clauses[1].Op == OpNothing {
		return &Clause{Op: OpNothing}, nil
	}
	return c, nil
}

// every is the And of parts.
func every(parts ...*Clause) *Clause {
	var flat []*Clause
	for _, c := range parts {
		switch c.Op {
		case OpEverything:
		case OpNothing:
			return c
		case OpAnd:
			flat = append(flat, c.Clauses...)
		default:
			flat = append(flat, c)
		}
	}
	switch len(flat) {
	case 0:
		return &Clause{Op: OpEverything}
	case 1:
		return flat[0]
	}
	return &Clause{Op: OpAnd, Clauses: flat}
}

// either is the Or of parts.
func either(parts ...*Clause) *Clause {
	var flat []*Clause
	for _, c := range parts {
		switch c.Op {
		case OpNothing:
		case OpEverything:
			return c
		case OpOr:
			flat = append(flat, c.Clauses...)
		default:
			flat = append(flat, c)
		}
	}
	switch len(flat) {
	case 0:
		return &Clause{Op: OpNothing}
	case 1:
		return flat[0]
	}
	return &Clause{Op: OpOr, Clauses: flat}
}

// except is the Not of c.
func except(c *Clause) *Clause {
	switch c.Op {
	case OpEverything:
		return &Clause{Op: OpNothing}
	case OpNothing:
		return &Clause{Op: OpEverything}
	case OpNot:
		return c.Clauses[0]
	}
	return &Clause{Op: OpNot, Clauses: []*Clause{c}}
}

// gram is one position of a query's text.
type gram struct {
	term       string
	start, end int // bytes of the character or word itself
	ideograph  bool
	// last says that the character ends its run.
	last bool
	// joined says that nothing stands between this and the gram before.
	joined bool
}

// grams returns the positions of value.
func (w *lowering) grams(value string) []gram {
	var grams []gram
	for _, t := range w.analyzer.Bigrams(value) {
		if t.Part {
			continue
		}
		g := gram{term: t.Term, start: t.Start, end: t.End, ideograph: analysis.IsIdeograph(t.Term)}
		if g.ideograph {
			g.last = utf8.RuneCountInString(t.Term) == 1
		}
		if k := len(grams) - 1; k >= 0 {
			if p := &grams[k]; p.ideograph && !p.last {
				p.end = g.start // a gram reaches over the next character
			}
			g.joined = grams[k].end == g.start
		}
		grams = append(grams, g)
	}
	return grams
}

// sequence returns the clause of grams, one directly after the other.
func sequence(field, source string, grams []gram) *Clause {
	c := &Clause{Op: OpSequence, Field: field, Source: source}
	add := func(i int, prefix bool, terms ...string) {
		c.Slots = append(c.Slots, Slot{Terms: terms, Offset: i, Prefix: prefix})
	}
	for i, g := range grams {
		end := i+1 == len(grams)
		if !g.ideograph {
			add(i, false, g.term)
			continue
		}
		first, size := utf8.DecodeRuneInString(g.term)
		inside := i > 0 && grams[i-1].ideograph && !grams[i-1].last
		switch {
		case !end && !g.last:
			add(i, false, g.term)
		case inside: // the gram before has this character
		case end:
			add(i, true, g.term[:size])
		case grams[i+1].ideograph && !grams[i+1].joined:
			// A space in the query; the article may have none.
			next, _ := utf8.DecodeRuneInString(grams[i+1].term)
			add(i, false, g.term, string([]rune{first, next}))
		default: // a word of another script follows
			add(i, false, g.term)
		}
	}
	if len(c.Slots) == 0 {
		return &Clause{Op: OpNothing}
	}
	c.Length = len(grams)
	return c
}

func (w *lowering) phrase(field, value, source string) *Clause {
	c := sequence(field, source, w.grams(value))
	if c.Op == OpSequence {
		c.Words = w.words(value)
	}
	return c
}

// words returns the words of value, each once.
func (w *lowering) words(value string) []string {
	var words []string
	for _, t := range w.analyzer.Words(value) {
		if !t.Part && !slices.Contains(words, t.Term) {
			words = append(words, t.Term)
		}
	}
	return words
}

func (w *lowering) prefix(n Prefix) *Clause {
	grams := w.grams(n.Value)
	c := sequence(n.Field, n.String(), grams)
	if k := len(grams) - 1; k >= 0 && !grams[k].ideograph {
		c.Slots[len(c.Slots)-1].Prefix = true
	} else if c.Op == OpSequence {
		c.Words = w.words(n.Value)
	}
	return c
}

// text returns the And of the words of n.
func (w *lowering) text(n Text) *Clause {
	grams := w.grams(n.Value)
	source := n.String()
	var parts []*Clause
	for _, u := range w.split(n.Value, grams) {
		part := sequence(n.Field, source, grams[u.from:u.to])
		part.Words = u.words
		if u.lone {
			word := &Clause{Op: OpWord, Field: n.Field, Term: u.words[0], Words: u.words, Source: source}
			around := []*Clause{word}
			if u.from > 0 && !grams[u.from-1].last && grams[u.from-1].ideograph {
				around = append(around, sequence(n.Field, source, grams[u.from-1:u.to]))
			}
			if !grams[u.from].last {
				around = append(around, sequence(n.Field, source, grams[u.from:u.to+1]))
			}
			part = either(around...)
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return &Clause{Op: OpNothing}
	}
	return every(parts...)
}

// span is a part of a text that must stand in an article as it is.
type span struct {
	from, to int // grams
	words    []string
	// lone says that it is one character, with others of its run around it.
	lone bool
}

// split cuts grams at the words of value, except where they stick together.
func (w *lowering) split(value string, grams []gram) []span {
	var spans []span
	i := 0
	for _, t := range w.analyzer.Words(value) {
		if t.Part {
			continue
		}
		// Both streams come from the same units, in which a character is a gram.
		n := 1
		if analysis.IsIdeograph(t.Term) {
			n = utf8.RuneCountInString(t.Term)
		}
		s := span{from: i, to: i + n, words: []string{t.Term}}
		i = s.to
		if k := len(spans) - 1; k >= 0 && sticks(value, grams, spans[k], s) {
			spans[k].to, spans[k].words = s.to, append(spans[k].words, t.Term)
			continue
		}
		spans = append(spans, s)
	}
	for k := range spans {
		s := &spans[k]
		s.lone = s.to-s.from == 1 && grams[s.from].ideograph && !isolated(grams, s.from)
	}
	return spans
}

// sticks says that s must directly follow p, the span before it: characters that
// are words of their own (黄 仁 勋), a character between Latin words (A股), and
// Latin words with nothing but a mark between (AT&T, wafer-level).
func sticks(value string, grams []gram, p, s span) bool {
	before, first := grams[p.to-1], grams[s.from]
	switch {
	case before.ideograph && first.ideograph:
		return first.joined && s.to-s.from == 1 && p.to-p.from == len(p.words)
	case before.ideograph:
		return first.joined && isolated(grams, p.to-1)
	case first.ideograph:
		return first.joined && isolated(grams, s.from)
	}
	return before.end >= first.start || !strings.ContainsFunc(value[before.end:first.start], unicode.IsSpace)
}

// isolated says that the character at gram i is a run of its own.
func isolated(grams []gram, i int) bool {
	return grams[i].last && (i == 0 || !grams[i-1].ideograph || grams[i-1].last)
}
