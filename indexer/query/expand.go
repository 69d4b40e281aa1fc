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

// Expand adds to each word and phrase of n that is as a whole the name of an
// entity the entity itself: 台积电 becomes 台积电 OR entity:org:tsmc. In a field
// it adds the entity's other names, as an article's entities belong to no field.
// Adjacent words that make a name together (SK hynix) count as one. The result
// of a nil lexicon is n.
func Expand(n Node, l *lexicon.Lexicon) Node {
	if l == nil {
		return n
	}
	switch n := n.(type) {
	case And:
		return AllOf(expandWords(n.Nodes, l)...)
	case Or:
		nodes := make([]Node, len(n.Nodes))
		for i, part := range n.Nodes {
			nodes[i] = Expand(part, l)
		}
		return AnyOf(nodes...)
	case Not:
		return Except(Expand(n.Node, l))
	case Near:
		return Near{n.Distance, Expand(n.Left, l), Expand(n.Right, l)}
	case Text:
		return AnyOf(append([]Node{n}, meant(l, n.Field, n.Value)...)...)
	case Phrase:
		return AnyOf(append([]Node{n}, meant(l, n.Field, n.Value)...)...)
	}
	return n
}

// expandWords expands the parts of an And; words in a row that make a name
// become one part.
func expandWords(nodes []Node, l *lexicon.Lexicon) []Node {
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
				if m := meant(l, "", name[1:]); m != nil {
					found, last = m, j
				}
			}
		}
		if found == nil {
			out = append(out, Expand(nodes[i], l))
			continue
		}
		out = append(out, AnyOf(append([]Node{AllOf(expandEach(nodes[i:last+1], l)...)}, found...)...))
		i = last
	}
	return out
}

func expandEach(nodes []Node, l *lexicon.Lexicon) []Node {
	out := make([]Node, len(nodes))
	for i, n := range nodes {
		out[i] = Expand(n, l)
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
