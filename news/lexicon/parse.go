package lexicon

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// MaxFileBytes limits one lexicon file.
const MaxFileBytes = 16 << 20

// Limits that keep the YAML library, which takes time by the square of the
// depth, from working for minutes on a file that is no lexicon.
const (
	maxLineBytes = 8 << 10
	maxOpen      = 200 // brackets not closed
)

// entry is one entity as a file has it. Every text knows its line.
type entry struct {
	file             string
	line             int
	id               text
	en, hans, hant   text
	aliases          []form
	tickers, removed []text
	parent           text
	note             string
}

type text struct {
	s    string
	line int
}

// place is where in the files something is said.
type place struct {
	file string
	line int
}

// fileParser reads one file into entries and collects its faults.
type fileParser struct {
	file   string
	faults Faults
}

// parse reads the entries of one file. Entries with faults are left out or
// incomplete, so the caller must not use them if there are any faults.
func parse(file string, data []byte) ([]entry, Faults) {
	p := fileParser{file: file}
	if len(data) > MaxFileBytes {
		p.fault(1, fmt.Sprintf("file has more than %d bytes", MaxFileBytes), "split it")
		return nil, p.faults
	}
	if line, what := checkShape(data); what != "" {
		p.fault(line, what, "a lexicon file is a list of flat entities; break long lists into lines")
		return nil, p.faults
	}
	if entries, ok := parseFlat(file, string(data)); ok {
		return entries, nil
	}
	return p.yaml(data)
}

// yaml reads a file that parseFlat does not understand, or that has faults.
func (p *fileParser) yaml(data []byte) ([]entry, Faults) {
	tree, err := parser.ParseBytes(data, 0)
	if err != nil {
		line, what := 1, err.Error()
		var ye yaml.Error
		if errors.As(err, &ye) {
			what = ye.GetMessage()
			if t := ye.GetToken(); t != nil && t.Position != nil {
				line = t.Position.Line
			}
		}
		p.fault(line, "not YAML: "+what, "look for a missing quote, bracket or space after a colon")
		return nil, p.faults
	}
	var entries []entry
	for _, doc := range tree.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.NullType || doc.Body.Type() == ast.CommentType {
			continue
		}
		seq, ok := doc.Body.(*ast.SequenceNode)
		if !ok {
			p.fault(line(doc.Body), "not a list of entities", "start every entity with \"- id: \"")
			continue
		}
		for _, n := range seq.Values {
			if e, ok := p.entry(n); ok {
				entries = append(entries, e)
			}
		}
	}
	return entries, p.faults
}

// checkShape looks for what no lexicon file has. It says where and what.
func checkShape(data []byte) (line int, what string) {
	line, start, open := 1, 0, 0
	for i, c := range data {
		switch c {
		case '\n':
			line++
			start = i + 1
		case '[', '{':
			open++
		case ']', '}':
			open--
		}
		if i-start >= maxLineBytes {
			return line, fmt.Sprintf("line of more than %d bytes", maxLineBytes)
		}
		if open > maxOpen {
			return line, fmt.Sprintf("more than %d brackets that are not closed", maxOpen)
		}
	}
	return 0, ""
}

func (p *fileParser) fault(line int, what, hint string) {
	p.faults = append(p.faults, Fault{File: p.file, Line: line, What: what, Hint: hint})
}

func (p *fileParser) entry(n ast.Node) (entry, bool) {
	e := entry{file: p.file, line: line(n)}
	pairs, ok := p.mapping(n, "an entity")
	if !ok {
		return e, false
	}
	for _, kv := range pairs {
		key, v := keyOf(kv), kv.Value
		switch key {
		case "id":
			e.id = p.text(v, key)
		case "en":
			e.en = p.text(v, key)
		case "zh_hans":
			e.hans = p.text(v, key)
		case "zh_hant":
			e.hant = p.text(v, key)
		case "aliases":
			e.aliases = append(e.aliases, p.forms(v, key, "")...)
		case "cn", "tw", "hk":
			e.aliases = append(e.aliases, p.forms(v, key, key)...)
		case "tickers":
			e.tickers = p.texts(v, key)
		case "parent":
			e.parent = p.text(v, key)
		case "remove":
			e.removed = p.texts(v, key)
		case "note":
			e.note = p.text(v, key).s
		default:
			p.fault(line(kv.Key), fmt.Sprintf("unknown key %q", key),
				"an entity has id, en, zh_hans, zh_hant, aliases, cn, tw, hk, tickers, parent, note, remove")
		}
	}
	return e, true
}

// forms reads a list of aliases: text, or a mapping of text and rules.
func (p *fileParser) forms(n ast.Node, what, region string) []form {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		p.fault(line(n), what+" is not a list", "write "+what+": [first, second]")
		return nil
	}
	list := make([]form, 0, len(seq.Values))
	for _, v := range seq.Values {
		f := form{Alias: Alias{Region: region, Origin: origin(p.file)}, at: place{p.file, line(v)}}
		if _, ok := scalar(v); ok {
			f.Text = p.text(v, what).s
		} else if !p.rules(v, &f) {
			continue
		}
		f.key = Key(f.Text)
		list = append(list, f)
	}
	return list
}

func (p *fileParser) rules(n ast.Node, f *form) bool {
	pairs, ok := p.mapping(n, "an alias")
	if !ok {
		return false
	}
	for _, kv := range pairs {
		key, v := keyOf(kv), kv.Value
		switch key {
		case "text":
			f.Text = p.text(v, key).s
		case "case":
			f.Case = p.flag(v, key)
		case "weak":
			f.Weak = p.flag(v, key)
		case "abbrev":
			f.Abbrev = p.flag(v, key)
		case "near":
			f.Near = p.terms(v, key)
		case "not":
			f.Not = p.terms(v, key)
		default:
			p.fault(line(kv.Key), fmt.Sprintf("unknown key %q in an alias", key),
				"an alias has text, case, near, not, weak, abbrev")
		}
	}
	return true
}

func (p *fileParser) mapping(n ast.Node, what string) ([]*ast.MappingValueNode, bool) {
	switch m := n.(type) {
	case *ast.MappingNode:
		return m.Values, true
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{m}, true
	}
	p.fault(line(n), what+" is neither text nor a mapping of keys", "write key: value; anchors and tags are not supported")
	return nil, false
}

func (p *fileParser) text(n ast.Node, what string) text {
	s, ok := scalar(n)
	if !ok {
		p.fault(line(n), what+" is not text", "write "+what+": text, in quotes where it is a word such as true or null")
		return text{line: line(n)}
	}
	t := text{s: s, line: line(n)}
	if why := checkText(s); why != "" {
		p.fault(t.line, fmt.Sprintf("%s %q %s", what, s, why), "mend the text or leave the key out")
	}
	return t
}

func (p *fileParser) texts(n ast.Node, what string) []text {
	seq, ok := n.(*ast.SequenceNode)
	if !ok {
		p.fault(line(n), what+" is not a list", "write "+what+": [first, second]")
		return nil
	}
	list := make([]text, 0, len(seq.Values))
	for _, v := range seq.Values {
		list = append(list, p.text(v, what))
	}
	return list
}

func (p *fileParser) terms(n ast.Node, what string) []string {
	list := p.texts(n, what)
	if len(list) == 0 {
		p.fault(line(n), what+" is empty", "name at least one term or leave the key out")
	}
	terms := make([]string, len(list))
	for i, t := range list {
		terms[i] = t.s
	}
	return terms
}

func (p *fileParser) flag(n ast.Node, what string) bool {
	b, ok := n.(*ast.BoolNode)
	if !ok {
		p.fault(line(n), what+" is not true or false", "write "+what+": true or leave the key out")
		return false
	}
	return b.Value
}

// scalar returns the text of a scalar as it was written. Numbers are text here
// (the RTX 5090); true, false and null are not, since they are likely mistakes.
func scalar(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return strings.TrimRight(n.Value.Value, "\n"), true
	case *ast.IntegerNode, *ast.FloatNode:
		return n.GetToken().Value, true
	case *ast.MappingValueNode:
		return joined(n)
	case *ast.MappingNode:
		if len(n.Values) == 1 && !n.IsFlowStyle {
			return joined(n.Values[0])
		}
	}
	return "", false
}

// joined returns TWSE:2330 where the YAML library takes it for a mapping, as it
// does within a list in a mapping in flow style: no space follows the colon, so
// it is text.
func joined(n *ast.MappingValueNode) (string, bool) {
	key, ok := n.Key.(*ast.StringNode)
	if !ok || n.Value == nil || n.Start == nil {
		return "", false
	}
	switch n.Value.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode:
	default:
		return "", false
	}
	colon, value := n.Start.Position, n.Value.GetToken()
	if colon == nil || value.Position == nil || colon.Line != value.Position.Line || value.Position.Column != colon.Column+1 {
		return "", false
	}
	return key.Value + ":" + value.Value, true
}

func keyOf(kv *ast.MappingValueNode) string {
	if s, ok := scalar(kv.Key); ok {
		return s
	}
	return strings.TrimSpace(kv.Key.String())
}

func line(n ast.Node) int {
	var t *token.Token
	if n != nil {
		t = n.GetToken()
		if kv, ok := n.(*ast.MappingValueNode); ok {
			t = kv.Key.GetToken()
		}
		if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
			t = m.Values[0].Key.GetToken()
		}
	}
	if t == nil || t.Position == nil {
		return 1
	}
	return t.Position.Line
}
