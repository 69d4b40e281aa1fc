package metadata

import (
	"encoding/json"
	"html"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Structured is an object of a page's structured data (JSON-LD).
type Structured struct {
	Headline, Description, Body, Published, Modified, Publisher string
	Authors                                                     []Person
	Editor                                                      string
}

// Person is an author as structured data names one.
type Person struct {
	Name string
	// Organisation says that the data calls it one.
	Organisation bool
}

// maxStructured is how long a script of structured data is read.
const maxStructured = 2 << 20

// structured reads one JSON-LD script into h: of several article objects the one
// that says it is about the page counts, else the first with a headline, body
// or date; what other objects say of the page is kept apart.
func (h *Head) structured(s string) {
	if len(s) > maxStructured {
		return
	}
	v := parseLoose(s)
	g := &graph{head: h, names: make(map[string]map[string]any)}
	g.collect(v, 0)
	g.visit(v, 0)
}

// graph is one script's objects; names are those that others refer to by @id.
type graph struct {
	head  *Head
	names map[string]map[string]any
}

func (g *graph) collect(v any, depth int) {
	if depth > 8 {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			g.collect(x, depth+1)
		}
	case map[string]any:
		if id, ok := v["@id"].(string); ok && v["name"] != nil {
			g.names[id] = v
		}
		for _, x := range v {
			switch x.(type) {
			case map[string]any, []any:
				g.collect(x, depth+1)
			}
		}
	}
}

func (g *graph) visit(v any, depth int) {
	if depth > 8 {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			g.visit(x, depth+1)
		}
	case map[string]any:
		h := g.head
		if isArticle(v["@type"]) {
			a := g.object(v)
			if h.Article.Headline == "" && h.Article.Body == "" && h.Article.Published == "" {
				h.Article = a
			} else if h.about(v) && !h.own {
				h.Article, h.own = a, true
			}
			h.own = h.own || h.about(v)
		} else if depth < 4 && isPage(v["@type"]) {
			h.Page.merge(g.object(v))
		}
		for _, key := range [...]string{"@graph", "mainEntity", "mainEntityOfPage", "itemReviewed", "subjectOf"} {
			if x, ok := v[key]; ok {
				g.visit(x, depth+1)
			}
		}
	}
}

// about reports whether an object says that it is what the page is about.
func (h *Head) about(v map[string]any) bool {
	for _, key := range [...]string{"mainEntityOfPage", "url", "@id"} {
		u := text(v[key])
		if m, ok := v[key].(map[string]any); ok {
			u = text(m["@id"])
		}
		u, _, _ = strings.Cut(u, "#")
		if u = strings.TrimSuffix(u, "/"); strings.Contains(u, "://") && (u == strings.TrimSuffix(h.Canonical, "/") || u == strings.TrimSuffix(h.first("og:url"), "/")) {
			return true
		}
	}
	return false
}

// merge takes from a what s lacks.
func (s *Structured) merge(a Structured) {
	for _, f := range [...]struct {
		to   *string
		from string
	}{{&s.Headline, a.Headline}, {&s.Published, a.Published}, {&s.Modified, a.Modified}, {&s.Publisher, a.Publisher}, {&s.Editor, a.Editor}} {
		if *f.to == "" {
			*f.to = f.from
		}
	}
	if len(s.Authors) == 0 {
		s.Authors = a.Authors
	}
}

func typeIs(v any, is func(string) bool) bool {
	switch v := v.(type) {
	case string:
		return is(v[strings.LastIndexAny(v, "/#:")+1:])
	case []any:
		for _, x := range v {
			if typeIs(x, is) {
				return true
			}
		}
	}
	return false
}

func isArticle(v any) bool {
	return typeIs(v, func(s string) bool {
		return strings.HasSuffix(s, "Article") || strings.HasSuffix(s, "BlogPosting") || s == "Report" || s == "LiveBlogPosting" || s == "ReportageNewsArticle"
	})
}

// isPage reports whether an object may speak of the page as a whole.
func isPage(v any) bool {
	return v == nil || !typeIs(v, func(s string) bool {
		switch s {
		case "Organization", "NewsMediaOrganization", "Person", "WebSite", "BreadcrumbList", "ImageObject", "ItemList", "Comment", "Review", "ListItem",
			"SiteNavigationElement", "WPHeader", "WPFooter", "Corporation", "LocalBusiness", "Event", "JobPosting", "Brand", "Offer", "Place":
			return true
		}
		return false
	})
}

func (g *graph) object(m map[string]any) Structured {
	a := Structured{
		Headline:    space(text(m["headline"])),
		Description: space(text(m["description"])),
		Body:        text(m["articleBody"]),
		Published:   strings.TrimSpace(text(m["datePublished"])),
		Modified:    strings.TrimSpace(text(m["dateModified"])),
		Publisher:   space(text(g.resolve(m["publisher"]))),
		Editor:      space(text(g.resolve(m["editor"]))),
	}
	if a.Headline == "" {
		a.Headline = space(text(m["name"]))
	}
	if a.Published == "" {
		a.Published = strings.TrimSpace(text(m["uploadDate"]))
	}
	for _, key := range [...]string{"author", "creator", "contributor"} {
		if g.people(m[key], &a.Authors); len(a.Authors) > 0 {
			break
		}
	}
	return a
}

// resolve follows a reference to a named object.
func (g *graph) resolve(v any) any {
	if m, ok := v.(map[string]any); ok && m["name"] == nil {
		if id, ok := m["@id"].(string); ok && g.names[id] != nil {
			return g.names[id]
		}
	}
	return v
}

func (g *graph) people(v any, out *[]Person) {
	switch v := v.(type) {
	case string:
		if v = space(v); v != "" && !strings.Contains(v, "://") && len(*out) < 20 {
			*out = append(*out, Person{Name: v})
		}
	case []any:
		for _, x := range v {
			g.people(x, out)
		}
	case map[string]any:
		m, _ := g.resolve(v).(map[string]any)
		org := typeIs(m["@type"], func(s string) bool { return strings.HasSuffix(s, "Organization") || s == "Corporation" })
		for _, n := range texts(m["name"]) {
			if n = space(n); n != "" && len(*out) < 20 {
				*out = append(*out, Person{Name: n, Organisation: org})
			}
		}
	}
}

// text returns a string, an object's name, or the first of a list of them.
func text(v any) string {
	if l := texts(v); len(l) > 0 {
		return l[0]
	}
	return ""
}

func texts(v any) []string {
	switch v := v.(type) {
	case string:
		if v = strings.TrimSpace(v); v != "" {
			return []string{v}
		}
	case float64:
		return []string{strconv.FormatFloat(v, 'f', -1, 64)}
	case map[string]any:
		if s, ok := v["name"]; ok {
			return texts(s)
		}
		if s, ok := v["@value"]; ok {
			return texts(s)
		}
	case []any:
		var out []string
		for _, x := range v {
			out = append(out, texts(x)...)
		}
		return out
	}
	return nil
}

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
var reKey = regexp.MustCompile(`^["'][\w@$-]{1,40}["']\s*:`)

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
