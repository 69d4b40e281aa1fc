package metadata

import (
	"encoding/json"
	"html"
	"strconv"
	"strings"
	"unicode/utf8"

	"xinwen/extractor/pattern"
)

// parseLoose reads JSON as pages have it: in comments, with raw line breaks and
// quotes inside strings, trailing commas, several values after each other, or
// cut off. What can be read is returned: nil, a value, or a list of values.
func parseLoose(s string) any {
	s = strings.TrimSpace(s)
	for _, cut := range [...]string{"<!--", "//<![CDATA[", "<![CDATA[", "/*<![CDATA[*/"} {
		s = strings.TrimSpace(strings.TrimPrefix(s, cut))
	}
	for _, cut := range [...]string{"-->", "//]]>", "]]>", "/*]]>*/", ";"} {
		s = strings.TrimSpace(strings.TrimSuffix(s, cut))
	}
	var v any
	if json.Unmarshal([]byte(s), &v) == nil {
		return v
	}
	if strings.Contains(s, "&quot;") {
		s = html.UnescapeString(s)
		if json.Unmarshal([]byte(s), &v) == nil {
			return v
		}
	}
	p := loose{s: s}
	var all []any
	for len(all) < 50 {
		p.skip()
		if p.i >= len(p.s) {
			break
		}
		at := p.i
		if x, ok := p.value(0); ok {
			all = append(all, x)
		}
		if p.i == at {
			p.i++
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return all
}

// loose is a parser of JSON that goes on after faults.
type loose struct {
	s string
	i int
}

// skip passes white space and commas.
func (p *loose) skip() {
	for p.i < len(p.s) && (p.s[p.i] <= ' ' || p.s[p.i] == ',' || p.s[p.i] == ';') {
		p.i++
	}
}

func (p *loose) value(depth int) (any, bool) {
	p.skip()
	if p.i >= len(p.s) || depth > 64 {
		return nil, false
	}
	switch c := p.s[p.i]; {
	case c == '{':
		return p.object(depth), true
	case c == '[':
		p.i++
		list := []any{}
		for {
			p.skip()
			if p.i >= len(p.s) {
				return list, true
			}
			if p.s[p.i] == ']' {
				p.i++
				return list, true
			}
			if p.s[p.i] == '}' {
				return list, true // the bracket is missing
			}
			at := p.i
			if x, ok := p.value(depth + 1); ok {
				list = append(list, x)
			}
			if p.i == at {
				p.i++
			}
		}
	case c == '"' || c == '\'':
		return p.str(), true
	default:
		at := p.i
		for p.i < len(p.s) && !strings.ContainsRune(",}]:\"{[", rune(p.s[p.i])) && p.s[p.i] > ' ' {
			p.i++
		}
		switch w := p.s[at:p.i]; w {
		case "":
			return nil, false
		case "null", "undefined":
			return nil, true
		case "true", "false":
			return w == "true", true
		default:
			if f, err := strconv.ParseFloat(w, 64); err == nil {
				return f, true
			}
			return w, true
		}
	}
}

func (p *loose) object(depth int) map[string]any {
	p.i++
	m := make(map[string]any)
	for {
		p.skip()
		if p.i >= len(p.s) {
			return m
		}
		if p.s[p.i] == '}' {
			p.i++
			return m
		}
		if p.s[p.i] == ']' {
			return m // the brace is missing
		}
		at := p.i
		key, ok := p.value(depth + 1)
		if name, is := key.(string); ok && is {
			p.skip()
			if p.i < len(p.s) && p.s[p.i] == ':' {
				p.i++
				if v, ok := p.value(depth + 1); ok {
					if _, twice := m[name]; !twice {
						m[name] = v
					}
				}
			}
		}
		if p.i == at {
			p.i++
		}
	}
}

// reKey matches the key that follows where a comma is missing.
var reKey = pattern.MustCompile(`^["'][\w@$-]{1,40}["']\s*:`)

// str reads a string. A quote inside it ends it only where a comma, colon,
// bracket or key follows.
func (p *loose) str() string {
	quote := p.s[p.i]
	p.i++
	var b strings.Builder
	for p.i < len(p.s) {
		c := p.s[p.i]
		switch {
		case c == '\\' && p.i+1 < len(p.s):
			p.i += p.escape(&b)
			continue
		case c == quote:
			rest := strings.TrimLeft(p.s[p.i+1:min(len(p.s), p.i+64)], " \t\r\n")
			if rest == "" || strings.ContainsRune(",:}]", rune(rest[0])) || reKey.MatchString(rest) {
				p.i++
				return b.String()
			}
			b.WriteByte(c)
		case c < ' ':
			b.WriteByte(' ')
		default:
			b.WriteByte(c)
		}
		p.i++
	}
	return b.String()
}

// escape writes what the escape at p.i means and returns how long it is.
func (p *loose) escape(b *strings.Builder) int {
	switch c := p.s[p.i+1]; c {
	case 'n', 't', 'r', 'b', 'f':
		b.WriteByte(' ')
	case 'u':
		n, used := rune(0), 0
		if p.i+6 <= len(p.s) {
			if x, err := strconv.ParseUint(p.s[p.i+2:p.i+6], 16, 32); err == nil {
				n, used = rune(x), 6
			}
		}
		if used == 0 {
			return 2
		}
		// A surrogate pair.
		if n >= 0xd800 && n < 0xdc00 && p.i+12 <= len(p.s) && p.s[p.i+6:p.i+8] == `\u` {
			if x, err := strconv.ParseUint(p.s[p.i+8:p.i+12], 16, 32); err == nil && x >= 0xdc00 && x < 0xe000 {
				n, used = (n-0xd800)<<10+(rune(x)-0xdc00)+0x10000, 12
			}
		}
		if !utf8.ValidRune(n) {
			n = utf8.RuneError
		}
		b.WriteRune(n)
		return used
	default:
		b.WriteByte(c)
	}
	return 2
}
