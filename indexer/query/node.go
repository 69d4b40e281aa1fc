package query

import (
	"strconv"
	"strings"
	"time"
)

// Node is a query or a part of one. The set of nodes is closed; a compiler
// switches over the types of this file. Nodes are values: they are never
// changed once made and compare with go-cmp.
//
// Trees made by Parse and Plain are in normal form: And and Or have two or more
// parts, none of them of their own type, and Not has no Not inside.
type Node interface {
	// String returns the node in the query language; Parse makes an equal node
	// of it.
	String() string
	// level is how tightly the printed form binds.
	level() int
}

// And matches what all its parts match.
type And struct{ Nodes []Node }

// Or matches what at least one of its parts matches.
type Or struct{ Nodes []Node }

// Not matches every article that Node does not match.
type Not struct{ Node Node }

// Text is a run of writing without spaces, matched word by word: an article
// matches when its title or text contains all the words. Field is FieldTitle,
// FieldText, or "" for either.
type Text struct{ Field, Value string }

// Phrase matches its words one directly after the other. Field is as in Text.
type Phrase struct{ Field, Value string }

// Prefix matches words that begin with Value. Field is as in Text.
type Prefix struct{ Field, Value string }

// Near matches where Left and Right stand in either order with at most Distance
// characters of Chinese or other words between them, in title or text. Both
// sides are Text (taken as a phrase), Phrase, Prefix or Entity, or an Or of
// these.
type Near struct {
	Distance    int
	Left, Right Node
}

// Keyword matches articles one of whose values in Field is Value. The fields
// are those of KeywordFields.
type Keyword struct{ Field, Value string }

// Entity matches articles that mention the entity with the ID, name or alias
// Value.
type Entity struct{ Value string }

// Range matches articles with From ≤ time < To. A zero bound is open; never are
// both. Field is FieldPublished (news.Article.Time) or FieldFetched.
type Range struct {
	Field    string
	From, To time.Time
}

// All matches every article.
type All struct{}

const (
	levelOr = iota
	levelAnd
	levelNear
	levelNot
	levelLeaf
)

func (And) level() int     { return levelAnd }
func (Or) level() int      { return levelOr }
func (Not) level() int     { return levelNot }
func (Near) level() int    { return levelNear }
func (Text) level() int    { return levelLeaf }
func (Phrase) level() int  { return levelLeaf }
func (Prefix) level() int  { return levelLeaf }
func (Keyword) level() int { return levelLeaf }
func (Entity) level() int  { return levelLeaf }
func (Range) level() int   { return levelLeaf }
func (All) level() int     { return levelLeaf }

func (n And) String() string { return join(n.Nodes, " AND ", levelAnd) }

func (n Or) String() string { return join(n.Nodes, " OR ", levelOr) }

func (n Not) String() string { return "NOT " + within(n.Node, levelNot) }

func (n Near) String() string {
	return within(n.Left, levelNear+1) + " NEAR/" + strconv.Itoa(n.Distance) + " " + within(n.Right, levelNear+1)
}

func (n Text) String() string { return scope(n.Field) + bare(n.Value) }

func (n Phrase) String() string { return scope(n.Field) + quote(n.Value) }

func (n Prefix) String() string { return scope(n.Field) + bare(n.Value) + "*" }

func (n Keyword) String() string { return scope(n.Field) + value(n.Value) }

func (n Entity) String() string { return scope(FieldEntity) + value(n.Value) }

func (n Range) String() string {
	return scope(n.Field) + instant(n.From) + ".." + instant(n.To)
}

func (All) String() string { return "*" }

func join(nodes []Node, op string, level int) string {
	var b strings.Builder
	for i, n := range nodes {
		if i > 0 {
			b.WriteString(op)
		}
		b.WriteString(within(n, level+1))
	}
	return b.String()
}

// within prints n where only nodes of at least the given level stand without
// parentheses.
func within(n Node, level int) string {
	if n.level() < level {
		return "(" + n.String() + ")"
	}
	return n.String()
}

func scope(field string) string {
	if field == "" {
		return ""
	}
	return field + ":"
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// bare prints a word so that the parser reads it back as one.
func bare(s string) string {
	var b strings.Builder
	for i, r := range s {
		if special(r) || i == 0 && (negation(r) || isOperator(s)) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// special says that r ends a word or means something inside one.
func special(r rune) bool {
	switch r {
	case '\\', '*', '＊', '&', '＆', '|', '｜':
		return true
	}
	return separator(r) || opens(r) || closes(r) || isColon(r) || isQuote(r) || closing(r) != 0 || r == '」' || r == '』'
}

// value prints the value of a field: bare if it is plain, else in quotes.
func value(s string) string {
	if s == "" || isOperator(s) {
		return quote(s)
	}
	for _, r := range s {
		if special(r) && !isColon(r) {
			return quote(s)
		}
	}
	return s
}

func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		if r == '\\' || isQuote(r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}
