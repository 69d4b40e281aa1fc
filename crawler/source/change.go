package source

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"xinwen/news"
)

// MaxDefinitionBytes bounds the definition of one source.
const MaxDefinitionBytes = 64 << 10

// ParseOne reads the definition of one source, written as in the list of a file;
// name stands for it in errors, which join all faults.
func ParseOne(name string, data []byte) (*Source, error) {
	if len(data) > MaxDefinitionBytes {
		return nil, fmt.Errorf("%s: larger than %d KiB", name, MaxDefinitionBytes>>10)
	}
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxError(name, err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, fmt.Errorf("%s: want one source, as id: … and what follows", name)
	}
	r := &reader{name: name, lines: make(map[string]int)}
	src := r.source(file.Docs[0].Body)
	return src, r.errors()
}

// definition is a source as it is written; what has its default is left out.
type definition struct {
	ID        string           `yaml:"id"`
	Name      string           `yaml:"name,omitempty"`
	Home      string           `yaml:"home,omitempty"`
	Lang      string           `yaml:"lang,omitempty"`
	Script    string           `yaml:"script,omitempty"`
	TimeZone  string           `yaml:"time_zone,omitempty"`
	Feeds     []string         `yaml:"feeds,omitempty"`
	Sitemaps  []string         `yaml:"sitemaps,omitempty"`
	ListPages []listDefinition `yaml:"list_pages,omitempty"`
	URLs      []string         `yaml:"urls,omitempty"`
}

type listDefinition struct {
	URL string `yaml:"url"`
}

// Define returns the definition of a new source from its names and ways.
func Define(s *Source) ([]byte, error) {
	d := definition{
		ID: s.ID, Name: s.Name, Home: s.Home, Lang: s.Lang, Script: s.Script, TimeZone: s.TimeZone,
		Feeds: s.Feeds, Sitemaps: s.Sitemaps, URLs: s.URLs,
	}
	for _, p := range s.ListPages {
		d.ListPages = append(d.ListPages, listDefinition{p.URL})
	}
	return yaml.Marshal(d)
}

// changed is a source of the current set that is not as the file has it.
type changed struct {
	base   *Source // nil: added
	change news.SourceChange
	merged *Source
	err    error
}

// merge lays changes over base. Sources that are as before stay the same pointers,
// so that nobody takes them for new ones. The error joins those of definitions
// that cannot be read.
func merge(base *Set, changes map[string]news.SourceChange, before map[string]changed) (*Set, map[string]changed, error) {
	after := make(map[string]changed, len(changes))
	var all []*Source
	var errs []error
	lay := func(c changed) {
		if was, ok := before[c.change.ID]; ok && was.base == c.base && equal(was.change, c.change) {
			c = was
		} else {
			c.merged, c.err = apply(c.base, c.change)
		}
		after[c.change.ID] = c
		if c.merged != nil {
			all = append(all, c.merged)
		}
		errs = append(errs, c.err)
	}
	for _, src := range base.All() {
		if change, ok := changes[src.ID]; ok {
			lay(changed{base: src, change: change})
		} else {
			all = append(all, src)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(changes)) {
		if base.Source(id) == nil && changes[id].Definition != "" {
			lay(changed{change: changes[id]})
		}
	}
	return NewSet(all...), after, errors.Join(errs...)
}

func equal(a, b news.SourceChange) bool {
	return a.Definition == b.Definition && a.By == b.By && (a.Enabled == nil) == (b.Enabled == nil) && (a.Enabled == nil || *a.Enabled == *b.Enabled)
}

// apply returns src with a change; a nil src is added.
func apply(src *Source, change news.SourceChange) (*Source, error) {
	var s Source
	if src != nil {
		s = *src
	} else {
		parsed, err := ParseOne("source "+change.ID, []byte(change.Definition))
		if err != nil {
			return nil, err
		}
		if parsed.ID != change.ID {
			return nil, fmt.Errorf("source %s: its definition is of %s", change.ID, parsed.ID)
		}
		s = *parsed
		s.Added = true
	}
	s.ChangedBy = change.By
	if change.Enabled == nil || *change.Enabled == s.Enabled {
		return &s, nil
	}
	if !*change.Enabled {
		s.Enabled, s.Reason = false, strings.TrimSpace("switched off "+by(change.By))
		return &s, nil
	}
	switch {
	case s.Ways() > 0 || s.Discover:
	case s.Home != "":
		s.Discover = true
	default:
		return &s, fmt.Errorf("source %s cannot be switched on: it has no home and no way in", s.ID)
	}
	s.Enabled, s.Reason = true, ""
	return &s, nil
}

func by(name string) string {
	if name == "" {
		return ""
	}
	return "by " + name
}
