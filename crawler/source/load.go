package source

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"xinwen/news"
	"xinwen/news/weburl"
)

// Load reads a file of sources. Its error joins all faults.
func Load(path string) (*Set, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("sources: %w; check the path", err)
	}
	return Parse(path, data)
}

// Parse reads sources from data; name stands for the file in errors, which join
// all faults, in the order of the file.
func Parse(name string, data []byte) (*Set, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if at := badUTF8(data); at >= 0 {
		return nil, fmt.Errorf("%s:%d: this is not UTF-8; save the file as UTF-8", name, 1+bytes.Count(data[:at], []byte("\n")))
	}
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, syntaxError(name, err)
	}
	r := &reader{name: name, lines: make(map[string]int)}
	var sources []*Source
	documents := 0
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if documents++; documents > 1 {
			r.fault(line(doc.Body), "there is more than one document; join them")
			break
		}
		r.mapping(doc.Body, "the file", map[string]func(ast.Node){
			"sources": func(n ast.Node) {
				for _, item := range r.sequence(n) {
					sources = append(sources, r.source(item))
				}
			},
		})
	}
	if err := r.errors(); err != nil {
		return nil, err
	}
	return NewSet(sources...), nil
}

// badUTF8 returns where data is not UTF-8, -1 if it is.
func badUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

func syntaxError(name string, err error) error {
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%s:%d: %s", name, syntax.Token.Position.Line, syntax.Message)
	}
	return fmt.Errorf("%s: %w", name, err)
}

type fault struct {
	line int
	text string
}

// reader turns nodes into sources and collects faults.
type reader struct {
	name   string
	faults []fault
	lines  map[string]int // ID -> line
}

// errors returns all faults in the order of the file, nil if there are none.
func (r *reader) errors() error {
	slices.SortStableFunc(r.faults, func(a, b fault) int { return cmp.Compare(a.line, b.line) })
	errs := make([]error, len(r.faults))
	for i, f := range r.faults {
		errs[i] = fmt.Errorf("%s:%d: %s", r.name, f.line, f.text)
	}
	return errors.Join(errs...)
}

func (r *reader) fault(line int, format string, args ...any) {
	r.faults = append(r.faults, fault{line, fmt.Sprintf(format, args...)})
}

func line(n ast.Node) int {
	if n == nil {
		return 0
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		return t.Position.Line
	}
	return 0
}

// mapping calls the function of each key of n.
func (r *reader) mapping(n ast.Node, what string, keys map[string]func(ast.Node)) {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		r.fault(line(n), "%s must be a mapping of keys to values", what)
		return
	}
	seen := make(map[string]bool)
	for _, v := range values {
		key := v.Key.GetToken().Value
		f := keys[key]
		switch {
		case f == nil:
			r.fault(line(v.Key), "unknown key %q; known are %s", key, strings.Join(sortedKeys(keys), ", "))
		case seen[key]:
			r.fault(line(v.Key), "key %q is there twice", key)
		default:
			f(v.Value)
		}
		seen[key] = true
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (r *reader) sequence(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.SequenceNode:
		return n.Values
	case *ast.NullNode:
		return nil
	}
	r.fault(line(n), "must be a list (lines that start with \"- \")")
	return nil
}

// text returns a scalar as written.
func (r *reader) text(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.NullNode:
		return "", true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	r.fault(line(n), "must be text")
	return "", false
}

func (r *reader) string(dst *string) func(ast.Node) {
	return func(n ast.Node) {
		if s, ok := r.text(n); ok {
			*dst = strings.TrimSpace(s)
		}
	}
}

func (r *reader) oneOf(dst *string, key string, allowed ...string) func(ast.Node) {
	return func(n ast.Node) {
		if s, ok := r.text(n); ok {
			if s != "" && !slices.Contains(allowed, s) {
				r.fault(line(n), "%s %q is unknown; use %s", key, s, strings.Join(allowed, ", "))
				return
			}
			*dst = s
		}
	}
}

func (r *reader) bool(dst *bool) func(ast.Node) {
	return func(n ast.Node) {
		b, ok := n.(*ast.BoolNode)
		if !ok {
			r.fault(line(n), "must be true or false")
			return
		}
		*dst = b.Value
	}
}

func (r *reader) duration(dst *time.Duration, least time.Duration) func(ast.Node) {
	return func(n ast.Node) {
		s, ok := r.text(n)
		if !ok {
			return
		}
		d, err := time.ParseDuration(s)
		switch {
		case s == "0":
			d = 0
			fallthrough
		case err == nil:
			if d < least {
				r.fault(line(n), "%s is too short; the least is %s", s, least)
				return
			}
			*dst = d
		default:
			r.fault(line(n), "%q is no duration; write 30s, 15m or 2h", s)
		}
	}
}

// durations reads a list of times that grow.
func (r *reader) durations(dst *[]time.Duration, least time.Duration) func(ast.Node) {
	return func(n ast.Node) {
		*dst = nil
		for _, item := range r.sequence(n) {
			var d time.Duration
			r.duration(&d, least)(item)
			if last := len(*dst) - 1; last >= 0 && d <= (*dst)[last] {
				r.fault(line(item), "%s is not later than the one before", d)
				continue
			}
			*dst = append(*dst, d)
		}
	}
}

func (r *reader) proxy(dst *string) func(ast.Node) {
	return func(n ast.Node) {
		s, ok := r.text(n)
		if !ok || s == "" {
			return
		}
		u, err := url.Parse(s)
		if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
			r.fault(line(n), "proxy is no address of http, https or socks5; write http://proxy.example:3128")
			return
		}
		*dst = s
	}
}

func (r *reader) integer(dst *int64, least, most int64) func(ast.Node) {
	return func(n ast.Node) {
		s, ok := r.text(n)
		if !ok {
			return
		}
		v, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, 64)
		if err != nil || v < least || v > most {
			r.fault(line(n), "%q is not a number between %d and %d", s, least, most)
			return
		}
		*dst = v
	}
}

// url returns an address in its canonical form.
func (r *reader) url(n ast.Node) (string, bool) {
	s, ok := r.text(n)
	if !ok {
		return "", false
	}
	if _, err := weburl.Canonical(s); err != nil {
		r.fault(line(n), "%q is no address: %v", s, err)
		return "", false
	}
	return s, true
}

func (r *reader) urls(dst *[]string) func(ast.Node) {
	return func(n ast.Node) {
		for _, item := range r.sequence(n) {
			if u, ok := r.url(item); ok {
				if slices.Contains(*dst, u) {
					r.fault(line(item), "%s is there twice", u)
					continue
				}
				*dst = append(*dst, u)
			}
		}
	}
}

func (r *reader) pattern(dst **regexp.Regexp) func(ast.Node) {
	return func(n ast.Node) {
		s, ok := r.text(n)
		if !ok || s == "" {
			return
		}
		re, err := regexp.Compile(s)
		if err != nil {
			r.fault(line(n), "%q is no regular expression: %v", s, err)
			return
		}
		*dst = re
	}
}

var idPattern = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func (r *reader) source(n ast.Node) *Source {
	s := &Source{Enabled: true, Interval: DefaultInterval, Delay: DefaultDelay, Backfill: DefaultBackfill, Revisit: DefaultRevisit()}
	before := len(r.faults)
	idLine := line(n)
	r.mapping(n, "a source", map[string]func(ast.Node){
		"id": func(n ast.Node) {
			idLine = line(n)
			r.string(&s.ID)(n)
		},
		"name": r.string(&s.Name),
		"home": func(n ast.Node) {
			if u, ok := r.url(n); ok {
				s.Home = u
			}
		},
		"lang":    r.oneOf(&s.Lang, "lang", "zh", "en"),
		"script":  r.oneOf(&s.Script, "script", news.ScriptHans, news.ScriptHant, news.ScriptMixed, news.ScriptLatn),
		"country": r.string(&s.Country),
		"time_zone": func(n ast.Node) {
			r.string(&s.TimeZone)(n)
			if _, err := time.LoadLocation(s.TimeZone); err != nil || s.TimeZone == "Local" {
				r.fault(line(n), "time zone %q is unknown; use a name such as Asia/Shanghai", s.TimeZone)
			}
		},
		"enabled":        r.bool(&s.Enabled),
		"reason":         r.string(&s.Reason),
		"feeds":          r.urls(&s.Feeds),
		"sitemaps":       r.urls(&s.Sitemaps),
		"urls":           r.urls(&s.URLs),
		"discover":       r.bool(&s.Discover),
		"backfill":       r.duration(&s.Backfill, 0),
		"revisit":        r.durations(&s.Revisit, time.Millisecond),
		"proxy":          r.proxy(&s.Proxy),
		"cookies":        r.bool(&s.Cookies),
		"render":         r.bool(&s.Render),
		"interval":       r.duration(&s.Interval, time.Millisecond),
		"delay":          r.duration(&s.Delay, 0),
		"timeout":        r.duration(&s.Timeout, time.Millisecond),
		"max_body_bytes": r.integer(&s.MaxBodyBytes, 1, 1<<30),
		"list_pages": func(n ast.Node) {
			for _, item := range r.sequence(n) {
				s.ListPages = append(s.ListPages, r.listPage(item))
			}
		},
	})
	whole := len(r.faults) == before
	switch first, twice := r.lines[s.ID], r.lines[s.ID] > 0; {
	case s.ID == "":
		r.fault(idLine, "the source has no id; give it one of lower-case letters, digits and hyphens")
	case !idPattern.MatchString(s.ID):
		r.fault(idLine, "id %q is not made of lower-case letters, digits and single hyphens", s.ID)
	case twice:
		r.fault(idLine, "id %q is taken by the source in line %d", s.ID, first)
	case !whole: // what is missing may be what has a fault
	case s.Discover && s.Home == "":
		r.fault(idLine, "source %s is to be discovered but has no home; add it", s.ID)
	case s.Enabled && s.Ways() == 0 && !s.Discover:
		r.fault(idLine, "source %s has neither feeds, sitemaps, list_pages nor urls; add one, set discover, or disable it with a reason", s.ID)
	case !s.Enabled && s.Reason == "":
		r.fault(idLine, "source %s is disabled without a reason; say why", s.ID)
	}
	r.lines[s.ID] = idLine
	s.Name = cmp.Or(s.Name, s.ID)
	return s
}

func (r *reader) listPage(n ast.Node) ListPage {
	p := ListPage{}
	pages := int64(1)
	r.mapping(n, "a list page", map[string]func(ast.Node){
		"url": func(n ast.Node) {
			if u, ok := r.url(n); ok {
				p.URL = u
			}
		},
		"links": r.pattern(&p.Links),
		"next": func(n ast.Node) {
			if s, _ := r.text(n); s == "auto" {
				p.NextAuto = true
				return
			}
			r.pattern(&p.Next)(n)
		},
		"pages": r.integer(&pages, 1, 1000),
	})
	p.Pages = int(pages)
	if p.URL == "" {
		r.fault(line(n), "a list page needs a url")
	}
	if p.Pages > 1 && p.Next == nil {
		p.NextAuto = true
	}
	return p
}
