package query

import (
	"slices"
	"strings"
	"unicode/utf8"

	"xinwen/indexer/analysis"
	"xinwen/news"
)

// RuleNode returns what a rule asks of one article as a tree: its query,
// narrowed by its languages, sources and entities. Its errors are of type
// *SyntaxError; their column is in the rule's query, or 0.
func (e *Evaluator) RuleNode(r *news.Rule) (Node, error) {
	var parts []Node
	if strings.TrimSpace(r.Query) != "" || r.Together == nil {
		n, err := e.Parse(r.Query, nil)
		if err != nil {
			return nil, err
		}
		parts = append(parts, n)
	}
	for _, list := range []struct {
		field  string
		values []string
	}{{FieldLang, r.Languages}, {FieldSource, r.Sources}} {
		var any []Node
		for _, v := range list.values {
			any = append(any, Keyword{list.field, v})
		}
		if len(any) > 0 {
			parts = append(parts, oneOf(any))
		}
	}
	if r.Together != nil {
		for _, name := range r.Together.Entities {
			if len(e.EntityIDs(name)) == 0 {
				return nil, unknownEntity(0, name)
			}
			parts = append(parts, Entity{name})
		}
	}
	return allOf(parts), nil
}

func oneOf(nodes []Node) Node {
	if len(nodes) == 1 {
		return nodes[0]
	}
	return Or{nodes}
}

// allOf is the And of nodes in normal form.
func allOf(nodes []Node) Node {
	var flat []Node
	for _, n := range nodes {
		switch n := n.(type) {
		case All:
		case And:
			flat = append(flat, n.Nodes...)
		default:
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

// EntityIDs returns the IDs that an ID, name or alias can mean, none if it is
// unknown.
func (e *Evaluator) EntityIDs(name string) []string { return entityIDs(name, e.current()) }

// RuleMatcher tests documents against what a rule asks of one article. It never
// changes and is safe for concurrent use.
type RuleMatcher struct {
	*Matcher
	// sentence holds, for each entity that must be in one sentence with the
	// others, its possible IDs.
	sentence [][]string
}

// CompileRule makes a matcher of r. Its errors are as those of RuleNode.
func (e *Evaluator) CompileRule(r *news.Rule) (*RuleMatcher, error) {
	n, err := e.RuleNode(r)
	if err != nil {
		return nil, err
	}
	m, err := e.Compile(n)
	if err != nil {
		return nil, err
	}
	m.root.arrange(e.analyzer)
	out := &RuleMatcher{Matcher: m}
	if r.Together != nil && r.Together.Within == news.WithinSentence {
		for _, name := range r.Together.Entities {
			out.sentence = append(out.sentence, e.EntityIDs(name))
		}
	}
	return out, nil
}

// Match reports whether d matches.
func (m *RuleMatcher) Match(d *Document) bool {
	return m.Matcher.Match(d) && m.InSentence(d.article)
}

// Requirement returns the rarest condition that follows from m.
func (m *RuleMatcher) Requirement(a *analysis.Analyzer) Requirement {
	r := m.Matcher.Requirement(a)
	for i := range r.Needs {
		r.Needs[i].Sure = r.Needs[i].Sure && len(m.sentence) == 0
	}
	return r
}

// InSentence reports whether a sentence of a names the entities that the rule
// wants in one; a rule that wants none is content.
func (m *RuleMatcher) InSentence(a *news.Article) bool {
	if len(m.sentence) == 0 {
		return true
	}
	at := 0 // the code points before the sentence
	for _, s := range sentences(a.Content()) {
		end := at + utf8.RuneCountInString(s)
		if m.named(a.Mentions, at, end) {
			return true
		}
		at = end
	}
	return false
}

func (m *RuleMatcher) named(mentions []news.Mention, start, end int) bool {
	return !slices.ContainsFunc(m.sentence, func(ids []string) bool {
		return !slices.ContainsFunc(mentions, func(x news.Mention) bool {
			return x.Start >= start && x.End <= end && slices.Contains(ids, x.Entity)
		})
	})
}

// sentences cuts a text after the marks that end a sentence; together they are
// the text. A full stop counts only before a space, so that 3.5 stays whole.
func sentences(s string) []string {
	var list []string
	from := 0
	cut := func(to int) {
		if to > from {
			list = append(list, s[from:to])
			from = to
		}
	}
	for i, r := range s {
		next := i + utf8.RuneLen(r)
		switch r {
		case '\n', '。', '！', '？', '!', '?', '；':
			cut(next)
		case '.':
			if next < len(s) && (s[next] == ' ' || s[next] == '\n') && !initial(s[from:i]) {
				cut(next)
			}
		}
	}
	cut(len(s))
	return list
}

// initial reports whether a text ends in a single capital or a short title, as
// in "J. Huang" and "Mr. Huang", where a full stop ends nothing.
func initial(s string) bool {
	word := s[strings.LastIndexAny(s, " \n(\"“")+1:]
	switch word {
	case "Mr", "Ms", "Mrs", "Dr", "Inc", "Co", "Corp", "Ltd", "vs", "No", "U.S", "St":
		return true
	}
	return len(word) == 1 && word[0] >= 'A' && word[0] <= 'Z'
}

// Verdict says whether a part of a query holds for an article, and why.
type Verdict struct {
	// Clause is the part, in the query language.
	Clause string `json:"clause"`
	// Op is "and", "or", "not" or "near" where the part has parts, else empty.
	Op    string `json:"op,omitempty"`
	Holds bool   `json:"holds"`
	// Spans are the places that make it hold, at most ten.
	Spans []news.Span `json:"spans,omitempty"`
	Parts []Verdict   `json:"parts,omitempty"`
}

// maxVerdictSpans bounds the places told of one part.
const maxVerdictSpans = 10

// Judge tells which parts of n hold for d and which do not.
func (e *Evaluator) Judge(n Node, d *Document) (Verdict, error) {
	m, err := e.Compile(n)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Clause: n.String(), Holds: m.Match(d)}
	var parts []Node
	switch n := n.(type) {
	case And:
		v.Op, parts = "and", n.Nodes
	case Or:
		v.Op, parts = "or", n.Nodes
	case Not:
		v.Op, parts = "not", []Node{n.Node}
	case Near:
		v.Op, parts = "near", []Node{n.Left, n.Right}
	}
	for _, part := range parts {
		p, err := e.Judge(part, d)
		if err != nil {
			return Verdict{}, err
		}
		v.Parts = append(v.Parts, p)
	}
	if v.Holds && (len(parts) == 0 || v.Op == "near") {
		v.Spans = m.Explain(d)
		v.Spans = v.Spans[:min(len(v.Spans), maxVerdictSpans)]
	}
	return v, nil
}

// RuleText returns what r asks of one article, but for languages and sources,
// as one query to search by.
func RuleText(r *news.Rule) string {
	var parts []string
	if q := strings.TrimSpace(r.Query); q != "" {
		parts = append(parts, q)
	}
	if r.Together != nil {
		for _, name := range r.Together.Entities {
			parts = append(parts, Entity{name}.String())
		}
	}
	if len(parts) > 1 && r.Query != "" {
		parts[0] = "(" + parts[0] + ")"
	}
	return strings.Join(parts, " AND ")
}
