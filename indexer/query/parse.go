package query

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits on queries.
const (
	MaxBytes        = 8 << 10 // length of a query
	MaxLeaves       = 512     // words, phrases and values in it
	MaxPrefixes     = 32      // words with *, each of which reads all words that begin so
	MaxDepth        = 32      // parentheses within parentheses
	MaxDistance     = 100     // of NEAR/n
	DefaultDistance = 10      // of NEAR without a number
)

// Options is what the meaning of a query depends on.
type Options struct {
	// Location is the zone of days and of times without one; nil is UTC.
	Location *time.Location
	// KnowsEntity, if set, says whether entity: knows a name; a query with an
	// unknown one is then refused.
	KnowsEntity func(name string) bool
}

// Parse reads a query. Its errors are of type *SyntaxError. An empty query is
// All. Days are in UTC.
func Parse(s string) (Node, error) { return ParseWith(s, Options{}) }

// ParseWith reads a query as o says. Its errors are of type *SyntaxError.
func ParseWith(s string, o Options) (Node, error) {
	if len(s) > MaxBytes {
		return nil, &SyntaxError{Message: "the query is longer than " + strconv.Itoa(MaxBytes) + " bytes", Hint: "shorten it or make several of it"}
	}
	if !utf8.ValidString(s) {
		return nil, &SyntaxError{Message: "the query is not UTF-8 text"}
	}
	if o.Location == nil {
		o.Location = time.UTC
	}
	p := &parser{Options: o, lexer: lexer{runes: []rune(s)}}
	if err := p.advance(plainMode); err != nil {
		return nil, err
	}
	if p.kind == endToken && !p.skipped {
		return All{}, nil
	}
	n, err := p.or("")
	if err != nil {
		return nil, err
	}
	if p.kind != endToken {
		return nil, p.unexpected()
	}
	return n, nil
}

// parser is a recursive descent parser with one token of look-ahead.
type parser struct {
	Options
	lexer
	token
	// skipped says that a word without letters and digits was passed over.
	skipped       bool
	leaves, depth int
	prefixes      int
}

func (p *parser) advance(m mode) error {
	for {
		t, err := p.next(m)
		if err != nil {
			return err
		}
		if m == plainMode && t.kind == wordToken && !wordy(t.text) {
			p.skipped = true
			continue
		}
		p.token = t
		return nil
	}
}

// inside returns how the tokens in the parentheses after field are read.
func inside(field string) mode {
	if field == "" || kindOf(field) == textField {
		return plainMode
	}
	return groupMode
}

func (p *parser) unexpected() error {
	e := &SyntaxError{Column: p.column}
	switch p.kind {
	case endToken:
		e.Message, e.Hint = "the query ends where a word should be", "write one or take the operator before it away"
		if p.skipped {
			e.Message, e.Hint = "there is no word to search for", "write at least one letter, digit or Chinese character"
		}
	case closeToken:
		e.Message, e.Hint = "this ) closes nothing or stands where a word should be", "take it away or write the missing part before it"
	case andToken, orToken, nearToken:
		e.Message, e.Hint = "an operator needs a word on both sides", "to search for the operator's own name, put it in quotation marks"
	default:
		e.Message = "this was not expected here"
	}
	return e
}

func (p *parser) deeper() error {
	if p.depth++; p.depth > MaxDepth {
		return p.fail(p.column, "the query is nested deeper than "+strconv.Itoa(MaxDepth), "take parentheses away")
	}
	return nil
}

func (p *parser) or(field string) (Node, error) {
	var nodes []Node
	for {
		n, err := p.and(field)
		if err != nil {
			return nil, err
		}
		if o, ok := n.(Or); ok {
			nodes = append(nodes, o.Nodes...)
		} else {
			nodes = append(nodes, n)
		}
		if p.kind != orToken {
			break
		}
		if err := p.advance(inside(field)); err != nil {
			return nil, err
		}
	}
	return AnyOf(nodes...), nil
}

func (p *parser) and(field string) (Node, error) {
	var nodes []Node
	for {
		n, err := p.not(field)
		if err != nil {
			return nil, err
		}
		if a, ok := n.(And); ok {
			nodes = append(nodes, a.Nodes...)
		} else {
			nodes = append(nodes, n)
		}
		switch p.kind {
		case andToken:
			if err := p.advance(inside(field)); err != nil {
				return nil, err
			}
			continue
		case orToken, closeToken, endToken:
			return AllOf(nodes...), nil
		}
	}
}

func (p *parser) not(field string) (Node, error) {
	if p.kind != notToken {
		return p.near(field)
	}
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if err := p.advance(inside(field)); err != nil {
		return nil, err
	}
	n, err := p.not(field)
	if err != nil {
		return nil, err
	}
	return Except(n), nil
}

func (p *parser) near(field string) (Node, error) {
	column := p.column
	left, err := p.primary(field)
	if err != nil || p.kind != nearToken {
		return left, err
	}
	near := Near{Distance: p.distance, Left: left}
	if err := p.advance(inside(field)); err != nil {
		return nil, err
	}
	if near.Right, err = p.primary(field); err != nil {
		return nil, err
	}
	if p.kind == nearToken {
		return nil, p.fail(p.column, "NEAR joins two sides only", "write (a NEAR/5 b) AND (b NEAR/5 c)")
	}
	in := ""
	for _, side := range []Node{near.Left, near.Right} {
		for _, n := range alternatives(side) {
			f, ok := placeOf(n)
			if !ok {
				return nil, p.fail(column, "NEAR stands between words, phrases and entity: only", "take other conditions out: (a NEAR/5 b) AND lang:zh")
			}
			if f != "" && in != "" && f != in {
				return nil, p.fail(column, "the sides of NEAR are in different fields", "nothing can be near in both title and text; use AND")
			}
			if f != "" {
				in = f
			}
		}
	}
	return near, nil
}

// alternatives returns the parts of an Or, or n alone.
func alternatives(n Node) []Node {
	if o, ok := n.(Or); ok {
		return o.Nodes
	}
	return []Node{n}
}

// placeOf returns the field that n stands in, and false if n has no place in an
// article.
func placeOf(n Node) (string, bool) {
	switch n := n.(type) {
	case Text:
		return n.Field, true
	case Phrase:
		return n.Field, true
	case Prefix:
		return n.Field, true
	case Entity:
		return "", true
	}
	return "", false
}

func (p *parser) primary(field string) (Node, error) {
	t := p.token
	switch t.kind {
	case openToken:
		return p.group(field, inside(field))
	case fieldToken:
		if field != "" {
			return nil, p.fail(t.column, "a field inside another field", "close the parentheses of "+field+": first")
		}
		m := valueMode
		if kindOf(t.text) == textField {
			m = plainMode
		}
		if err := p.advance(m); err != nil {
			return nil, err
		}
		switch p.kind {
		case openToken:
			return p.group(t.text, plainMode)
		case wordToken, prefixToken, phraseToken:
			return p.leaf(t.text, plainMode)
		}
		return nil, p.fail(t.column, t.text+": has no value", "write the value after the colon")
	case wordToken, prefixToken, phraseToken, allToken:
		return p.leaf(field, inside(field))
	}
	return nil, p.unexpected()
}

// group reads what is in parentheses; m is the mode after them.
func (p *parser) group(field string, m mode) (Node, error) {
	column := p.column
	if err := p.deeper(); err != nil {
		return nil, err
	}
	defer func() { p.depth-- }()
	if err := p.advance(inside(field)); err != nil {
		return nil, err
	}
	n, err := p.or(field)
	if err != nil {
		return nil, err
	}
	if p.kind != closeToken {
		return nil, p.fail(column, "this ( is never closed", "add a )")
	}
	return n, p.advance(m)
}

// leaf makes a node of the current token and steps over it; m is the mode after
// it.
func (p *parser) leaf(field string, m mode) (Node, error) {
	if p.leaves++; p.leaves > MaxLeaves {
		return nil, p.fail(p.column, "the query has more than "+strconv.Itoa(MaxLeaves)+" parts", "shorten it or make several of it")
	}
	n, err := p.node(field)
	if err != nil {
		return nil, err
	}
	return n, p.advance(m)
}

func (p *parser) node(field string) (Node, error) {
	t := p.token
	if kindOf(field) == unknownField || kindOf(field) == textField {
		switch t.kind {
		case phraseToken:
			return Phrase{field, t.text}, nil
		case prefixToken:
			if !wordy(t.text) {
				return nil, p.fail(t.column, "there is no word before *", "write at least one letter, digit or Chinese character")
			}
			if p.prefixes++; p.prefixes > MaxPrefixes {
				return nil, p.fail(t.column, "the query has more than "+strconv.Itoa(MaxPrefixes)+" words with *", "write the words out, or make several queries of it")
			}
			return Prefix{field, t.text}, nil
		case allToken:
			if field != "" {
				return nil, p.fail(t.column, "every article has a "+field, "leave this part out")
			}
			return All{}, nil
		}
		return Text{field, t.text}, nil
	}
	if t.kind == prefixToken || t.kind == allToken {
		return nil, p.fail(t.column, field+": takes whole values", "leave the * out")
	}
	switch kindOf(field) {
	case entityField:
		if p.KnowsEntity != nil && !p.KnowsEntity(t.text) {
			return nil, unknownEntity(t.column, t.text)
		}
		return Entity{t.text}, nil
	case timeField:
		return parseRange(field, t, p.Location)
	}
	return p.keyword(field, t)
}

func unknownEntity(column int, name string) error {
	return &SyntaxError{
		Column: column, Message: "the lexicon has no entity " + strconv.Quote(name),
		Hint: "search for it as text, or add it to the lexicon",
	}
}

func (p *parser) keyword(field string, t token) (Node, error) {
	var known []string
	switch field {
	case FieldLang:
		known = []string{"zh", "en", "zh-Hans", "zh-Hant"}
	case FieldScript:
		known = []string{"Hans", "Hant", "mixed", "Latn"}
	case FieldKind:
		known = []string{"org", "person", "place", "product", "tech", "node", "money", "percent", "date"}
	default:
		return Keyword{field, t.text}, nil
	}
	for _, v := range known {
		if strings.EqualFold(v, t.text) {
			return Keyword{field, v}, nil
		}
	}
	return nil, p.fail(t.column, field+": cannot be "+strconv.Quote(t.text), "it is one of "+strings.Join(known, ", "))
}

// AllOf returns the And of nodes in normal form; of none it is All.
func AllOf(nodes ...Node) Node {
	var flat []Node
	for _, n := range nodes {
		if a, ok := n.(And); ok {
			flat = append(flat, a.Nodes...)
		} else {
			flat = append(flat, n)
		}
	}
	switch len(flat) {
	case 0:
		return All{}
	case 1:
		return flat[0]
	}
	return And{flat}
}

// AnyOf returns the Or of nodes in normal form; of none it is Not All.
func AnyOf(nodes ...Node) Node {
	var flat []Node
	for _, n := range nodes {
		if o, ok := n.(Or); ok {
			flat = append(flat, o.Nodes...)
		} else {
			flat = append(flat, n)
		}
	}
	switch len(flat) {
	case 0:
		return Not{All{}}
	case 1:
		return flat[0]
	}
	return Or{flat}
}

// Except returns the Not of n in normal form.
func Except(n Node) Node {
	if inner, ok := n.(Not); ok {
		return inner.Node
	}
	return Not{n}
}

// Plain reads s as words only: no operators, no fields, no errors. Every word
// must be matched; those after MaxLeaves are left out. Without a word it is All.
func Plain(s string) Node {
	var nodes []Node
	for w := range strings.FieldsFuncSeq(s, separator) {
		if len(nodes) == MaxLeaves {
			break
		}
		if wordy(w) && utf8.ValidString(w) {
			nodes = append(nodes, Text{Value: w})
		}
	}
	return AllOf(nodes...)
}
