package metadata

import (
	"html"
	"slices"
	"strings"

	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"xinwen/extractor/dom"
	"xinwen/extractor/pattern"
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
	// Article is the article object of the structured data, Page what its other
	// objects say of the page; the zero value if there are none.
	Article, Page Structured
	// Script maps variables that scripts set, such as publish_time, to the first
	// value of each: "date", "author" and "source".
	Script map[string]string

	// Authors are the values of meta elements named author, if there are several.
	Authors []string

	dated []string // further meta names that seem to carry the time of publication
	own   bool     // Article says that it is about this page
}

var (
	scriptDate = pattern.MustCompile(`(?:var ct|[pP]ublish(?:ed)?_?(?:[tT]ime|[dD]ate|[oO]n|[aA]t)|pubtime|[pP]ub_?[dD]ate)["']?\s*[:=]\s*["'](\d{10}|(?:19|20)\d\d-\d{1,2}-\d{1,2}[^"'<]{0,15})["']`)
	scriptWord = pattern.MustCompile(`(?i)author|source|media`)
	scriptName = pattern.MustCompile(`^(?i:(author_?name|author)|(source(?:_?name)?|media_?name|media))["']?\s*[:=]\s*["']([^"'\\<>{}]{2,60})["']`)
)

// ReadHead reads the head of d.
func ReadHead(d *dom.Document) *Head {
	h := &Head{Meta: make(map[string]string), Script: make(map[string]string)}
	var scripts []string // read last: they are compared with the canonical address
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
						if (strings.Contains(name, "publish") || strings.Contains(name, "pub-date")) && len(h.dated) < 8 && !slices.Contains(publishedNames, name) {
							h.dated = append(h.dated, name)
						}
					} else if (name == "author" || name == "citation_author") && len(h.Authors) < 20 {
						h.Authors = append(h.Authors, content)
					}
				}
			}
		case atom.Script:
			if s := childText(n); strings.Contains(s, "@type") {
				scripts = append(scripts, s)
			} else {
				h.variables(s)
			}
		}
	}
	for _, s := range scripts {
		h.structured(s)
	}
	return h
}

// longestName is the longest place of a script that sets a name, with white
// space within reason.
const longestName = 500

// wordByte reports whether \b stands for no boundary behind b.
func wordByte(b byte) bool {
	return 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9' || b == '_'
}

// variables reads what a script sets.
func (h *Head) variables(s string) {
	set := func(name, value string) {
		if _, ok := h.Script[name]; !ok && value != "" {
			h.Script[name] = value
		}
	}
	if x := scriptDate.FindStringSubmatch(s); x != nil {
		set("date", x[1])
	}
	if len(s) > 256<<10 {
		return
	}
	// Scripts are long, and hardly anything in them is a name: it is read at the
	// words alone.
	n, end := 0, 0
	for i := range scriptWord.Places(s) {
		if i < end || i > 0 && wordByte(s[i-1]) {
			continue
		}
		x := scriptName.FindStringSubmatch(s[i:min(len(s), i+longestName)])
		if x == nil {
			continue
		}
		if x[1] != "" {
			set("author", space(x[3]))
		} else {
			set("source", space(x[3]))
		}
		if n++; n == 20 {
			return
		}
		end = i + len(x[0])
	}
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
