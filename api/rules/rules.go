// Package rules brings the rules of alerts from YAML files into the KV bucket
// that the percolator reads.
//
// A file holds one rule or a list of them:
//
//	id: tsmc-prices
//	name: 台积电涨价
//	query: entity:tsmc AND (涨价 OR title:price)
//	languages: [zh, en]
//	owner: foundry desk
//	labels: [foundry]
//	spike: {window: 1h}       # or threshold: {count: 5, window: 2h}
//	webhooks:
//	  - url: https://example.com/hook
//	    secret_env: HOOK_SECRET # or secret_file
//	channels:
//	  - kind: feishu
//	    url_env: FEISHU_DESK
//	    secret_env: FEISHU_DESK_SECRET
//	    language: zh-Hans
//	quiet: {from: "22:00", to: "07:00", zone: Asia/Taipei}
//
// news.Rule says what each key means.
//
// What a file says is checked whole:
// unknown keys, IDs, queries (by the parser that search uses), webhooks; all
// faults come at once, each with its file and line. A file with a fault changes
// nothing: the rules it gave before stay. A rule whose file is gone, or no
// longer has it, is removed; rules that did not come from files are left alone.
package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"xinwen/indexer/query"
	"xinwen/news"
)

// MaxFileBytes is the largest rule file that is read.
const MaxFileBytes = 4 << 20

// Stored is a rule as it lies in the KV bucket.
type Stored struct {
	news.Rule
	// Origin is the name of the file the rule came from, "" if it did not come
	// from a file.
	Origin string `json:"origin,omitempty"`
	// Revision changes with the rule; it is not part of what is stored.
	Revision uint64 `json:"-"`
}

// ParseStored reads the JSON form of a stored rule.
func ParseStored(data []byte) (*Stored, error) {
	var s Stored
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, fmt.Errorf("rule: %w", err)
	}
	return &s, nil
}

// Fault is one thing wrong with a rule file.
type Fault struct {
	File string
	Line int // from 1, 0 if the file as a whole is meant
	// Message says what is wrong, Hint what to do.
	Message string
	Hint    string
}

// Error returns the fault as file:line: message (hint).
func (f *Fault) Error() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
	}
	b.WriteString(": " + f.Message)
	if f.Hint != "" {
		b.WriteString(" (" + f.Hint + ")")
	}
	return b.String()
}

// Set is what a directory of rule files says.
type Set struct {
	// Rules are the rules of all files without fault, sorted by ID.
	Rules []Stored
	// Bad are the names of the files with faults.
	Bad []string
	// Faults are all faults, by file and line.
	Faults []*Fault
}

// Parser reads the query of a rule. Its errors are *query.SyntaxError.
type Parser func(string) (query.Node, error)

// Load reads every *.yaml and *.yml file of dir. A directory that does not
// exist holds no rules. The error is of the directory itself; faults of files
// are in the Set.
func Load(dir string, parse Parser) (*Set, error) {
	s := &Set{}
	if dir == "" {
		return s, nil
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read alert rules: %w", err)
	}
	owner := make(map[string]string) // rule ID -> file
	for _, e := range entries {
		ext := filepath.Ext(e.Name())
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") || ext != ".yaml" && ext != ".yml" {
			continue
		}
		found, faults := loadFile(dir, e.Name(), parse)
		for _, r := range found {
			if other, ok := owner[r.rule.ID]; ok {
				faults = append(faults, &Fault{e.Name(), r.line, fmt.Sprintf("id %q is already taken in %s", r.rule.ID, other), "give each rule an id of its own"})
			}
			owner[r.rule.ID] = e.Name()
		}
		if len(faults) > 0 {
			s.Bad = append(s.Bad, e.Name())
			s.Faults = append(s.Faults, faults...)
			continue
		}
		for _, r := range found {
			s.Rules = append(s.Rules, Stored{Rule: r.rule, Origin: e.Name()})
		}
	}
	slices.SortFunc(s.Rules, func(a, b Stored) int { return strings.Compare(a.ID, b.ID) })
	return s, nil
}

type located struct {
	rule news.Rule
	line int
}

func loadFile(dir, name string, query Parser) ([]located, []*Fault) {
	path := filepath.Join(dir, name)
	info, err := os.Stat(path)
	if err != nil {
		return nil, []*Fault{{File: name, Message: err.Error()}}
	}
	if info.Size() > MaxFileBytes {
		return nil, []*Fault{{File: name, Message: fmt.Sprintf("larger than %d MiB", MaxFileBytes>>20), Hint: "split it"}}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, []*Fault{{File: name, Message: err.Error(), Hint: "make the file readable"}}
	}
	return parse(name, data, func(r *news.Rule) []KeyFault { return Check(r, query) })
}

// ParseDrafts reads the rules of one file, to try them: CheckDraft says what may
// be missing. The name is for the faults.
func ParseDrafts(name string, data []byte, query Parser) ([]news.Rule, []*Fault) {
	found, faults := parse(name, data, func(r *news.Rule) []KeyFault { return CheckDraft(r, query) })
	rules := make([]news.Rule, len(found))
	for i := range found {
		rules[i] = found[i].rule
	}
	return rules, faults
}

// parse reads one file. It returns the rules that could be read even where
// there are faults.
func parse(name string, data []byte, check func(*news.Rule) []KeyFault) ([]located, []*Fault) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, []*Fault{yamlFault(name, 1, err)}
	}
	var (
		found  []located
		faults []*Fault
	)
	for _, doc := range file.Docs {
		for _, node := range ruleNodes(doc.Body) {
			line := lineOf(node)
			var r news.Rule
			if err := yaml.NodeToValue(node, &r, yaml.Strict()); err != nil {
				faults = append(faults, yamlFault(name, line, err))
				continue
			}
			for _, f := range check(&r) {
				faults = append(faults, &Fault{name, lineOfKey(node, f.Key, line), f.Text(), f.Hint})
			}
			found = append(found, located{r, line})
		}
	}
	return found, faults
}

// ruleNodes returns the rules of a document: itself, or the items of its list.
func ruleNodes(body ast.Node) []ast.Node {
	switch n := body.(type) {
	case nil, *ast.NullNode, *ast.CommentGroupNode:
		return nil
	case *ast.SequenceNode:
		return n.Values
	default:
		return []ast.Node{n}
	}
}

func lineOf(n ast.Node) int {
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken().Position.Line
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

func lineOfKey(n ast.Node, key string, or int) int {
	if m, ok := n.(*ast.MappingNode); ok {
		for _, v := range m.Values {
			if v.Key.GetToken().Value == key {
				return v.Key.GetToken().Position.Line
			}
		}
	}
	return or
}

func yamlFault(name string, line int, err error) *Fault {
	f := &Fault{File: name, Line: line, Message: err.Error()}
	var y yaml.Error
	if errors.As(err, &y) {
		f.Message = y.GetMessage()
		if t := y.GetToken(); t != nil && t.Position != nil && t.Position.Line > 0 {
			f.Line = t.Position.Line
		}
	}
	if strings.Contains(f.Message, "unknown field") {
		f.Hint = "a rule has id, name, query, disabled, muted_until, owner, labels, languages, sources, together, first, threshold, spike, repeats, webhooks, channels, digest, quiet and throttle"
	}
	return f
}
