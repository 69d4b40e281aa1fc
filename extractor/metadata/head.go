package metadata

import (
	"encoding/json"
	"html"
	"regexp"
	"strings"

	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"xinwen/extractor/dom"
)

// Head is what a page says of itself outside its text: title and meta elements,
// links and structured data.
type Head struct {
	Title string
	// Meta maps names, properties and itemprops, in lower case, to the first
	// content of each.
	Meta map[string]string
	// Canonical is the address of rel=canonical, Base of the base element; they
	// may be relative.
	Canonical, Base string
	// Article is the article object of the structured data, the zero value if
	// there is none.
	Article Structured
	// PageDate is the datePublished of another object of the structured data,
	// such as the page.
	PageDate string
	// ScriptDate is what a script's variable such as publish_time is set to.
	ScriptDate string
}

var scriptDate = regexp.MustCompile(`(?:var ct|[pP]ublish_?[tT]ime|pubtime)["']?\s*[:=]\s*["'](\d{10}|(?:19|20)\d\d-\d{1,2}-\d{1,2}[^"'<]{0,15})["']`)

// Structured is the article object of a page's structured data (JSON-LD).
type Structured struct {
	Headline, Description, Body, Published, Modified, Publisher string
	Authors                                                     []string
}

// ReadHead reads the head of d.
func ReadHead(d *dom.Document) *Head {
	h := &Head{Meta: make(map[string]string)}
	for _, n := range d.Heads {
		switch n.DataAtom {
		case atom.Title:
			if h.Title == "" {
				h.Title = space(childText(n))
			}
		case atom.Base:
			if h.Base == "" {
				h.Base = strings.TrimSpace(dom.Attr(n, "href"))
			}
		case atom.Link:
			if h.Canonical == "" && strings.EqualFold(dom.Attr(n, "rel"), "canonical") {
				h.Canonical = strings.TrimSpace(dom.Attr(n, "href"))
			}
		case atom.Meta:
			content := space(dom.Attr(n, "content"))
			if content == "" {
				continue
			}
			for _, key := range [...]string{"property", "name", "itemprop", "http-equiv"} {
				if name := strings.ToLower(strings.TrimSpace(dom.Attr(n, key))); name != "" {
					if _, ok := h.Meta[name]; !ok {
						h.Meta[name] = content
					}
				}
			}
		case atom.Script:
			s := childText(n)
			if h.ScriptDate == "" {
				if x := scriptDate.FindStringSubmatch(s); x != nil {
					h.ScriptDate = x[1]
				}
			}
			h.structured(s)
		}
	}
	return h
}

// first returns the first of the named meta values that is there.
func (h *Head) first(names ...string) string {
	for _, n := range names {
		if v := h.Meta[n]; v != "" {
			return v
		}
	}
	return ""
}

// Description is the page's summary of itself, "" if it has none.
func (h *Head) Description() string {
	if s := h.first("og:description", "description", "twitter:description", "dc.description"); s != "" {
		return s
	}
	return space(h.Article.Description)
}

func childText(n *nethtml.Node) string {
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		if c.Type == nethtml.TextNode {
			b.WriteString(c.Data)
		}
	}
	return b.String()
}

// space collapses white space and undoes entities that were escaped twice.
func space(s string) string {
	if strings.Contains(s, "&") {
		s = html.UnescapeString(s)
	}
	return strings.Join(strings.Fields(s), " ")
}

// structured reads one JSON-LD script. Of several article objects the first
// with a headline or body counts.
func (h *Head) structured(s string) {
	if len(s) > 2<<20 || !strings.Contains(s, "@type") {
		return
	}
	s = strings.TrimSpace(s)
	s = strings.TrimPrefix(s, "<!--")
	s = strings.TrimSuffix(s, "-->")
	s = strings.TrimSuffix(strings.TrimSpace(s), ";")
	var v any
	if json.Unmarshal([]byte(s), &v) != nil {
		// Raw line breaks inside strings are the usual fault.
		s = strings.Map(func(r rune) rune {
			if r < ' ' {
				return ' '
			}
			return r
		}, s)
		if json.Unmarshal([]byte(s), &v) != nil {
			return
		}
	}
	h.visit(v, 0)
}

func (h *Head) visit(v any, depth int) {
	if depth > 8 {
		return
	}
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			h.visit(x, depth+1)
		}
	case map[string]any:
		if isArticle(v["@type"]) {
			h.take(v)
		} else if s := strings.TrimSpace(text(v["datePublished"])); s != "" && h.PageDate == "" && depth < 4 {
			h.PageDate = s
		}
		for _, key := range [...]string{"@graph", "mainEntity", "mainEntityOfPage", "itemListElement"} {
			if key == "itemListElement" && isArticle(v["@type"]) {
				continue
			}
			if x, ok := v[key]; ok && key != "itemListElement" {
				h.visit(x, depth+1)
			}
		}
	}
}

func isArticle(v any) bool {
	switch v := v.(type) {
	case string:
		return strings.HasSuffix(v, "Article") || strings.HasSuffix(v, "BlogPosting") || v == "Report" || v == "LiveBlogPosting"
	case []any:
		for _, x := range v {
			if isArticle(x) {
				return true
			}
		}
	}
	return false
}

func (h *Head) take(m map[string]any) {
	a := Structured{
		Headline:    space(text(m["headline"])),
		Description: space(text(m["description"])),
		Body:        text(m["articleBody"]),
		Published:   strings.TrimSpace(text(m["datePublished"])),
		Modified:    strings.TrimSpace(text(m["dateModified"])),
		Publisher:   space(text(m["publisher"])),
		Authors:     texts(m["author"]),
	}
	if a.Headline == "" {
		a.Headline = space(text(m["name"]))
	}
	if h.Article.Headline == "" && h.Article.Body == "" && h.Article.Published == "" {
		h.Article = a
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
