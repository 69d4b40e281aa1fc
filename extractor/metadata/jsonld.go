package metadata

import (
	"strconv"
	"strings"
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
