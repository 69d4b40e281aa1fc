// Package template knows where sites and content systems keep the parts of an
// article: a table of CSS selectors in templates.yaml. In goes a document and
// its host, out come the elements.
//
// What the table says is a hint. The steps that use it weigh it against what
// the page itself shows, since sites change their templates.
package template

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/PuerkitoBio/goquery"
	"github.com/andybalholm/cascadia"
	"github.com/goccy/go-yaml"
	"golang.org/x/net/html"

	"xinwen/extractor/dom"
)

//go:embed templates.yaml
var builtin []byte

// Part is a part of an article.
type Part string

// The parts that a template may name.
const (
	Body   Part = "body"
	Title  Part = "title"
	Time   Part = "time"
	Author Part = "author"
	Editor Part = "editor"
	Credit Part = "credit"
	// Publisher is the medium or account whose page it is.
	Publisher Part = "publisher"
	// Drop are elements inside the body that do not belong to it.
	Drop Part = "drop"
)

var parts = []Part{Body, Title, Time, Author, Editor, Credit, Publisher, Drop}

// Table is a set of templates. It is safe for concurrent use.
type Table struct {
	hosts map[string]map[Part][]goquery.Matcher
	// general is the template of content systems, by the id or class that the
	// last part of a selector asks for, in lower case with "#" or ".".
	general map[string][]general
}

type general struct {
	part Part
	// match is nil where the id or class alone decides.
	match cascadia.Matcher
}

// file is the form of templates.yaml.
type file struct {
	General map[Part][]string            `yaml:"general"`
	Hosts   map[string]map[Part][]string `yaml:"hosts"`
}

// Builtin returns the table that comes with the program.
func Builtin() (*Table, error) { return Parse(builtin) }

// Parse reads a table.
func Parse(data []byte) (*Table, error) {
	var f file
	if err := yaml.UnmarshalWithOptions(data, &f, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("templates: %s", yaml.FormatError(err, false, true))
	}
	t := &Table{hosts: make(map[string]map[Part][]goquery.Matcher), general: make(map[string][]general)}
	for _, part := range slices.Sorted(maps.Keys(f.General)) {
		for _, s := range f.General[part] {
			if err := t.addGeneral(part, s); err != nil {
				return nil, err
			}
		}
	}
	for host, named := range f.Hosts {
		m := make(map[Part][]goquery.Matcher)
		for part, list := range named {
			if !slices.Contains(parts, part) {
				return nil, fmt.Errorf("templates: %s: no part %q; use one of %v", host, part, parts)
			}
			for _, s := range list {
				c, err := cascadia.Compile(s)
				if err != nil {
					return nil, fmt.Errorf("templates: %s: selector %q: %w", host, s, err)
				}
				m[part] = append(m[part], c)
			}
		}
		t.hosts[host] = m
	}
	return t, nil
}

func (t *Table) addGeneral(part Part, s string) error {
	if !slices.Contains(parts, part) {
		return fmt.Errorf("templates: no part %q; use one of %v", part, parts)
	}
	c, err := cascadia.Parse(s)
	if err != nil {
		return fmt.Errorf("templates: selector %q: %w", s, err)
	}
	last := s[strings.LastIndexAny(s, " >")+1:]
	at := strings.IndexAny(last, "#.")
	if at < 0 {
		return fmt.Errorf("templates: selector %q: a general one must end in an id or class", s)
	}
	key := strings.ToLower(last[at:])
	if i := strings.IndexAny(key[1:], "#.[:"); i >= 0 {
		key = key[:i+1]
	}
	g := general{part: part}
	if strings.ToLower(s) != key {
		g.match = c
	}
	t.general[key] = append(t.general[key], g)
	return nil
}

// Found are the elements of a document that a table names: indices in
// Document.Elements, in document order; Site those that the host's own template
// names, General those of content systems.
type Found struct {
	Site, General map[Part][]int
}

// Find returns what the table says of a document from host, which may be "".
func (t *Table) Find(d *dom.Document, host string) Found {
	f := Found{General: make(map[Part][]int)}
	for i := range d.Elements {
		e := &d.Elements[i]
		if e.First == e.End {
			continue
		}
		for a := range e.Node.Attr {
			switch attr := &e.Node.Attr[a]; attr.Key {
			case "id":
				t.look("#", strings.TrimSpace(attr.Val), e.Node, i, f.General)
			case "class":
				for c := range strings.FieldsSeq(attr.Val) {
					t.look(".", c, e.Node, i, f.General)
				}
			}
		}
	}
	own := t.host(host)
	if own == nil {
		return f
	}
	f.Site = make(map[Part][]int)
	doc := goquery.NewDocumentFromNode(d.Root)
	for part, list := range own {
		for _, m := range list {
			for _, n := range doc.FindMatcher(m).Nodes {
				if i := d.Index(n); i >= 0 && !slices.Contains(f.Site[part], i) {
					f.Site[part] = append(f.Site[part], i)
				}
			}
		}
	}
	return f
}

func (t *Table) look(mark, name string, n *html.Node, index int, found map[Part][]int) {
	for _, g := range t.general[mark+strings.ToLower(name)] {
		if (g.match == nil || g.match.Match(n)) && !slices.Contains(found[g.part], index) {
			found[g.part] = append(found[g.part], index)
		}
	}
}

// host returns the template of a host or of the nearest domain above it.
func (t *Table) host(h string) map[Part][]goquery.Matcher {
	h, _, _ = strings.Cut(strings.ToLower(h), ":")
	for h != "" {
		if m := t.hosts[h]; m != nil {
			return m
		}
		_, h, _ = strings.Cut(h, ".")
	}
	return nil
}
