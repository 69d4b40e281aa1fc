package query

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"xinwen/news/lexicon"
)

// Bounds of Expand.
const (
	maxNameWords = 6  // words of a name written with spaces
	maxForms     = 16 // other names tried in one field
)

// Expansion says what Expand adds.
type Expansion struct {
	// Lexicon knows the names of entities; nil adds none.
	Lexicon *lexicon.Lexicon
	// NoSynonyms leaves out the words of the other side of the strait.
	NoSynonyms bool
}

// Expand adds what words and phrases of n also mean, by l and the synonyms: see
// Expansion.Expand.
func Expand(n Node, l *lexicon.Lexicon) Node { return Expansion{Lexicon: l}.Expand(n) }

// Expand adds to each word and phrase of n that is as a whole the name of an
// entity the entity itself: 台积电 becomes 台积电 OR entity:org:tsmc. In a field
// it adds the entity's other names, as an article's entities belong to no field.
// Adjacent words that make a name together (SK hynix) count as one. What holds
// words that are called differently on the other side of the strait is also
// looked for with those: 晶片 becomes 晶片 OR 芯片.
func (x Expansion) Expand(n Node) Node {
	switch n := n.(type) {
	case And:
		return AllOf(x.words(n.Nodes)...)
	case Or:
		return AnyOf(x.each(n.Nodes)...)
	case Not:
		return Except(x.Expand(n.Node))
	case Near:
		return Near{n.Distance, x.Expand(n.Left), x.Expand(n.Right)}
	case Text:
		also := x.also(n.Field, n.Value, func(v string) Node { return Text{n.Field, v} })
		return AnyOf(append([]Node{n}, also...)...)
	case Phrase:
		also := x.also(n.Field, n.Value, func(v string) Node { return Phrase{n.Field, v} })
		return AnyOf(append([]Node{n}, also...)...)
	}
	return n
}

// also returns what a text stands for besides itself: entities, and other ways of
// writing it.
func (x Expansion) also(field, value string, node func(string) Node) []Node {
	var nodes []Node
	if x.Lexicon != nil {
		nodes = meant(x.Lexicon, field, value)
	}
	if x.NoSynonyms {
		return nodes
	}
	for _, v := range variants(value) {
		nodes = append(nodes, node(v))
	}
	return nodes
}

// words expands the parts of an And; words in a row that make a name become one
// part.
func (x Expansion) words(nodes []Node) []Node {
	if x.Lexicon == nil {
		return x.each(nodes)
	}
	var out []Node
	for i := 0; i < len(nodes); i++ {
		name, last := "", i
		var found []Node
		for j := i; j < len(nodes) && j < i+maxNameWords; j++ {
			t, ok := nodes[j].(Text)
			if !ok || t.Field != "" {
				break
			}
			name += " " + t.Value
			if j > i {
				if m := meant(x.Lexicon, "", name[1:]); m != nil {
					found, last = m, j
				}
			}
		}
		if found == nil {
			out = append(out, x.Expand(nodes[i]))
			continue
		}
		out = append(out, AnyOf(append([]Node{AllOf(x.each(nodes[i : last+1])...)}, found...)...))
		i = last
	}
	return out
}

func (x Expansion) each(nodes []Node) []Node {
	out := make([]Node, len(nodes))
	for i, n := range nodes {
		out[i] = x.Expand(n)
	}
	return out
}

// meant returns what name stands for besides itself.
func meant(l *lexicon.Lexicon, field, name string) []Node {
	// A ticker like 2330 is a number first, a character like 美 a part of words.
	if !strings.ContainsFunc(name, unicode.IsLetter) || utf8.RuneCountInString(name) == 1 {
		return nil
	}
	ids := l.Lookup(name)
	var nodes []Node
	if field == "" {
		for _, id := range ids {
			nodes = append(nodes, Entity{id})
		}
		return nodes
	}
	key := lexicon.Key(name)
	for _, id := range ids {
		e, ok := l.Entity(id)
		if !ok {
			continue
		}
		for _, f := range e.Forms() {
			form := Node(Phrase{field, f.Text})
			if len(nodes) < maxForms && !f.Case && !f.Conditional() && lexicon.Key(f.Text) != key && !slices.Contains(nodes, form) {
				nodes = append(nodes, form)
			}
		}
	}
	return nodes
}
