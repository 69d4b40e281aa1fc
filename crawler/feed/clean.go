package feed

import (
	"fmt"
	"html"
	"net/url"
	"strings"

	"golang.org/x/net/html/atom"

	xhtml "golang.org/x/net/html"
)

// clean removes what no parser takes: control characters, code points that XML
// does not allow, and anything before the first tag or brace.
func clean(text string) string {
	if strings.IndexFunc(text, forbidden) >= 0 {
		text = strings.Map(func(r rune) rune {
			if forbidden(r) {
				return -1
			}
			return r
		}, text)
	}
	trimmed := strings.TrimLeft(text, " \t\r\n\ufeff\u00a0\u200b")
	if strings.HasPrefix(trimmed, "<") || strings.HasPrefix(trimmed, "{") {
		return trimmed
	}
	// A PHP warning or stray text before the feed.
	for _, root := range []string{"<?xml", "<rss", "<feed", "<rdf:RDF", "<channel"} {
		if i := strings.Index(text[:min(len(text), 4096)], root); i >= 0 {
			return text[i:]
		}
	}
	return trimmed
}

func forbidden(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r':
		return false
	case r < 0x20, r == 0x7f, r == 0xFFFE, r == 0xFFFF:
		return true
	}
	return false
}

// isHTML reports whether text is an HTML page: its first element is html, or
// another one that only HTML has.
func isHTML(text string) bool {
	rest := text
	for {
		rest = strings.TrimLeft(rest, " \t\r\n")
		switch {
		case strings.HasPrefix(rest, "<!--"):
			_, after, ok := strings.Cut(rest, "-->")
			if !ok {
				return false
			}
			rest = after
		case strings.HasPrefix(rest, "<?"), hasPrefixFold(rest, "<!doctype") && !hasPrefixFold(rest, "<!doctype html"):
			end := strings.IndexByte(rest, '>')
			if bracket := strings.IndexByte(rest, '['); bracket >= 0 && bracket < end {
				// An internal subset.
				close := strings.Index(rest, "]")
				if close < 0 {
					return false
				}
				end = close + strings.IndexByte(rest[close:], '>')
			}
			if end < 0 {
				return false
			}
			rest = rest[end+1:]
		default:
			for _, tag := range []string{"<!doctype html", "<html", "<head", "<body", "<title", "<meta", "<script", "<div", "<p>", "<h1"} {
				if hasPrefixFold(rest, tag) {
					return true
				}
			}
			return false
		}
	}
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// discover returns the feeds that an HTML page names in its head.
func discover(text string, base *url.URL) []string {
	var feeds []string
	z := xhtml.NewTokenizer(strings.NewReader(text))
	z.SetMaxBuf(1 << 20)
	for {
		switch z.Next() {
		case xhtml.ErrorToken:
			return feeds
		case xhtml.StartTagToken, xhtml.SelfClosingTagToken:
			t := z.Token()
			if t.DataAtom == atom.Body {
				return feeds
			}
			if t.DataAtom != atom.Link && t.DataAtom != atom.Base {
				continue
			}
			attr := make(map[string]string, len(t.Attr))
			for _, a := range t.Attr {
				attr[a.Key] = a.Val
			}
			if t.DataAtom == atom.Base {
				if u, err := base.Parse(attr["href"]); err == nil {
					base = u
				}
				continue
			}
			switch strings.ToLower(attr["type"]) {
			case "application/rss+xml", "application/atom+xml", "application/feed+json":
			default:
				continue
			}
			link := resolve(base, attr["href"])
			if link == "" || !strings.Contains(strings.ToLower(attr["rel"]), "alternate") || strings.Contains(link, "/comments/") {
				continue // a feed of comments tells of no page
			}
			feeds = append(feeds, link)
		}
	}
}

// predefined are the entities that XML knows itself.
var predefined = map[string]bool{"amp": true, "lt": true, "gt": true, "quot": true, "apos": true}

// prepare makes XML safe and palatable: it fails if elements nest deeper than
// MaxDepth, drops comments and the DTD (which may define entities that grow),
// replaces the named entities of HTML, which XML does not know, and mends tags
// that are not closed. Of a feed that was cut off, cut says so and the entry it
// was cut in is left out.
func prepare(text string) (out string, cut bool, err error) {
	var b strings.Builder
	b.Grow(len(text))
	var open []element
	for len(text) > 0 {
		i := strings.IndexByte(text, '<')
		if i < 0 {
			writeText(&b, text)
			break
		}
		writeText(&b, text[:i])
		text = text[i:]
		var n int // length of the markup
		switch {
		case strings.HasPrefix(text, "<!--"):
			n = until(text, "-->")
		case strings.HasPrefix(text, "<![CDATA["):
			n = until(text, "]]>")
			b.WriteString(text[:n])
			if !strings.HasSuffix(text[:n], "]]>") {
				b.WriteString("]]>")
			}
		case strings.HasPrefix(text, "<?"):
			n = until(text, "?>")
			if strings.HasSuffix(text[:n], "?>") {
				b.WriteString(text[:n])
			}
		case strings.HasPrefix(text, "<!"):
			n = doctype(text)
		case strings.HasPrefix(text, "</"):
			n = tagLength(text)
			open = closeElement(&b, open, tagName(text[2:n]))
		case len(text) > 1 && isNameStart(text[1]):
			n = tagLength(text)
			if text[n-1] != '>' { // broken, or the end of what was sent
				text = text[n:]
				continue
			}
			if text[n-2] != '/' {
				if len(open) == MaxDepth {
					return "", false, fmt.Errorf("elements nest deeper than %d", MaxDepth)
				}
				open = append(open, element{name: tagName(text[1:n]), start: b.Len()})
			}
			writeText(&b, text[:n]) // attributes may hold entities
		default:
			b.WriteString("&lt;") // a bare "<" in text
			n = 1
		}
		text = text[n:]
	}
	out = b.String()
	for i, e := range open {
		if e.name == "item" || e.name == "entry" {
			out, open = out[:e.start], open[:i]
			break
		}
	}
	for i := len(open) - 1; i >= 0; i-- {
		out += "</" + open[i].name + ">"
	}
	return out, len(open) > 0, nil
}

// element is one that is open, with where its tag starts in the output.
type element struct {
	name  string
	start int
}

// closeElement closes name and what is open inside of it; an end tag without a
// start is dropped.
func closeElement(b *strings.Builder, open []element, name string) []element {
	for i := len(open) - 1; i >= 0; i-- {
		if open[i].name != name {
			continue
		}
		for len(open) > i {
			b.WriteString("</" + open[len(open)-1].name + ">")
			open = open[:len(open)-1]
		}
		break
	}
	return open
}

// tagName returns the name that a tag without its first character starts with.
func tagName(s string) string {
	if i := strings.IndexAny(s, " \t\r\n/>"); i >= 0 {
		return s[:i]
	}
	return s
}

func isNameStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == ':' || c >= 0x80
}

// until returns the length of text up to and including end, or all of it.
func until(text, end string) int {
	if i := strings.Index(text, end); i >= 0 {
		return i + len(end)
	}
	return len(text)
}

// tagLength returns the length of the tag text starts with; ">" inside quotes
// does not end it.
func tagLength(text string) int {
	var quote byte
	for i := 1; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && text[i-1] == '=':
			quote = c
		case c == '>':
			return i + 1
		case c == '<':
			return i // the tag is broken; the next one starts here
		}
	}
	return len(text)
}

// doctype returns the length of a declaration, with its internal subset.
func doctype(text string) int {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '[':
			end := strings.Index(text[i:], "]")
			if end < 0 {
				return len(text)
			}
			i += end
		case '>':
			return i + 1
		}
	}
	return len(text)
}

// writeText writes s with HTML's named entities replaced by what they stand for
// and an ampersand that starts no entity escaped.
func writeText(b *strings.Builder, s string) {
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			b.WriteString(s)
			return
		}
		b.WriteString(s[:i])
		s = s[i:]
		end := strings.IndexByte(s[:min(len(s), 34)], ';')
		if end < 2 {
			b.WriteString("&amp;")
			s = s[1:]
			continue
		}
		name := s[1:end]
		switch {
		case predefined[name]:
			b.WriteString(s[:end+1])
		case name[0] == '#' && numeric(name[1:]):
			b.WriteString(s[:end+1])
		default:
			plain := html.UnescapeString(s[:end+1])
			if plain == s[:end+1] { // not an entity
				b.WriteString("&amp;")
				s = s[1:]
				continue
			}
			b.WriteString(html.EscapeString(plain))
		}
		s = s[end+1:]
	}
}

func numeric(s string) bool {
	if strings.HasPrefix(s, "x") || strings.HasPrefix(s, "X") {
		s = s[1:]
		return s != "" && strings.Trim(s, "0123456789abcdefABCDEF") == ""
	}
	return s != "" && strings.Trim(s, "0123456789") == ""
}
