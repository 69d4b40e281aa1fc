package charset

import (
	"bytes"
	"mime"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
)

// labelBytes is how far into a document a label is looked for. Real pages have
// it after several thousand bytes of scripts.
const labelBytes = 64 << 10

// label returns the encoding a document is labelled with and where the label
// stands ("header", "prolog" or "meta"), or nil.
func label(body []byte, contentType string) (encoding.Encoding, string) {
	if _, params, err := mime.ParseMediaType(contentType); err == nil {
		if e := byName(params["charset"]); e != nil {
			return e, "header"
		}
	} else if _, after, ok := strings.Cut(strings.ToLower(contentType), "charset="); ok {
		if e := byName(strings.Trim(after, " \"';")); e != nil {
			return e, "header"
		}
	}
	body = body[:min(len(body), labelBytes)]
	if e := byName(prologEncoding(body)); e != nil {
		return e, "prolog"
	}
	if e := byName(metaCharset(body)); e != nil {
		return e, "meta"
	}
	return nil, ""
}

// byName returns the encoding of a WHATWG label, nil if there is none.
func byName(name string) encoding.Encoding {
	name = strings.TrimSpace(name)
	if name == "" {
		return nil
	}
	e, err := htmlindex.Get(name)
	if err != nil {
		return nil
	}
	switch n, _ := htmlindex.Name(e); n {
	case "gbk":
		e, _ = htmlindex.Get("gb18030")
	case "utf-16le", "utf-16be":
		// Whoever could read the label was not reading UTF-16.
		e, _ = htmlindex.Get("utf-8")
	case "replacement", "x-user-defined":
		return nil
	}
	return e
}

// prologEncoding returns the encoding that an XML declaration names.
func prologEncoding(body []byte) string {
	start, end := prologEncodingSpan(body)
	return string(body[start:end])
}

// prologEncodingSpan returns where the value of encoding stands in the XML
// declaration that body begins with; it is empty if there is none.
func prologEncodingSpan(body []byte) (start, end int) {
	trimmed := bytes.TrimLeft(body, "\ufeff \t\r\n")
	if !bytes.HasPrefix(trimmed, []byte("<?xml")) {
		return 0, 0
	}
	offset := len(body) - len(trimmed)
	close := bytes.Index(trimmed, []byte("?>"))
	if close < 0 {
		return 0, 0
	}
	at := bytes.Index(trimmed[:close], []byte("encoding"))
	if at < 0 {
		return 0, 0
	}
	i := skipSpace(trimmed, at+len("encoding"))
	if i >= close || trimmed[i] != '=' {
		return 0, 0
	}
	i = skipSpace(trimmed, i+1)
	if i >= close || trimmed[i] != '"' && trimmed[i] != '\'' {
		return 0, 0
	}
	n := bytes.IndexByte(trimmed[i+1:close], trimmed[i])
	if n < 0 {
		return 0, 0
	}
	return offset + i + 1, offset + i + 1 + n
}

// metaCharset returns the first charset that a meta element of an HTML
// document names: the prescan of the HTML standard (section 13.2.3.2), but not
// only within the first 1,024 bytes. Comments, scripts and styles are skipped.
func metaCharset(body []byte) string {
	for i := 0; i < len(body); {
		lt := bytes.IndexByte(body[i:], '<')
		if lt < 0 {
			return ""
		}
		i += lt
		rest := body[i:]
		switch {
		case bytes.HasPrefix(rest, []byte("<!--")):
			// "<!-->" is a whole comment.
			end := bytes.Index(rest[2:], []byte("-->"))
			if end < 0 {
				return ""
			}
			i += 2 + end + 3
		case isTag(rest, "meta"):
			a := attributes{body: rest[len("<meta"):]}
			if name := a.charset(); byName(name) != nil {
				return name
			}
			i += len("<meta") + a.pos
		case len(rest) > 1 && isLetter(rest[1]), len(rest) > 2 && rest[1] == '/' && isLetter(rest[2]):
			a := attributes{body: rest[1:]}
			a.skipName()
			for a.next() {
			}
			i += 1 + a.pos
		case len(rest) > 1 && (rest[1] == '!' || rest[1] == '/' || rest[1] == '?'):
			end := bytes.IndexByte(rest, '>')
			if end < 0 {
				return ""
			}
			i += end + 1
		default:
			i++
		}
	}
	return ""
}

// attributes walks the attributes of a tag.
type attributes struct {
	body []byte
	pos  int
	name string
	val  string
	cut  bool // the body ends before the tag does
}

func (a *attributes) skipName() {
	for a.pos < len(a.body) && !isSpace(a.body[a.pos]) && a.body[a.pos] != '>' {
		a.pos++
	}
}

// charset returns what the attributes of a meta element say of the encoding.
func (a *attributes) charset() string {
	var charset, content string
	var pragma bool
	seen := make(map[string]bool)
	for a.next() {
		if seen[a.name] {
			continue
		}
		seen[a.name] = true
		switch a.name {
		case "charset":
			charset = a.val
		case "content":
			content = a.val
		case "http-equiv":
			pragma = strings.EqualFold(a.val, "content-type")
		}
	}
	switch {
	case a.cut:
		return ""
	case byName(charset) != nil:
		return charset
	case pragma:
		return charsetOfContent(content)
	}
	return ""
}

// next reads one attribute; it returns false at the end of the tag.
func (a *attributes) next() bool {
	for a.pos < len(a.body) && (isSpace(a.body[a.pos]) || a.body[a.pos] == '/') {
		a.pos++
	}
	if a.pos >= len(a.body) {
		a.cut = true
		return false
	}
	if a.body[a.pos] == '>' {
		a.pos++
		return false
	}
	start := a.pos
	for a.pos < len(a.body) {
		c := a.body[a.pos]
		if c == '=' && a.pos > start || isSpace(c) || c == '/' || c == '>' {
			break
		}
		a.pos++
	}
	a.name, a.val = strings.ToLower(string(a.body[start:a.pos])), ""
	i := skipSpace(a.body, a.pos)
	if i >= len(a.body) || a.body[i] != '=' {
		return true
	}
	i = skipSpace(a.body, i+1)
	if i >= len(a.body) {
		a.pos, a.cut = i, true
		return false
	}
	if q := a.body[i]; q == '"' || q == '\'' {
		n := bytes.IndexByte(a.body[i+1:], q)
		if n < 0 {
			a.pos, a.cut = len(a.body), true
			return false
		}
		a.val = string(a.body[i+1 : i+1+n])
		a.pos = i + 1 + n + 1
		return true
	}
	start = i
	for i < len(a.body) && !isSpace(a.body[i]) && a.body[i] != '>' {
		i++
	}
	a.val, a.pos = string(a.body[start:i]), i
	a.cut = i == len(a.body)
	return true
}

// charsetOfContent returns the charset named in a content attribute such as
// "text/html; charset=gb2312".
func charsetOfContent(content string) string {
	for {
		at := indexFold([]byte(content), "charset")
		if at < 0 {
			return ""
		}
		content = strings.TrimLeft(content[at+len("charset"):], " \t\r\n\f")
		if !strings.HasPrefix(content, "=") {
			continue
		}
		content = strings.TrimLeft(content[1:], " \t\r\n\f")
		if content == "" {
			return ""
		}
		if q := content[0]; q == '"' || q == '\'' {
			val, _, ok := strings.Cut(content[1:], content[:1])
			if !ok {
				return ""
			}
			return val
		}
		if end := strings.IndexAny(content, " \t\r\n\f;"); end >= 0 {
			content = content[:end]
		}
		return content
	}
}

func isTag(s []byte, name string) bool {
	if len(s) < 2+len(name) || !strings.EqualFold(string(s[1:1+len(name)]), name) {
		return false
	}
	c := s[1+len(name)]
	return isSpace(c) || c == '/'
}

// indexFold is bytes.Index without regard to the case of ASCII letters; name
// must be in lower case.
func indexFold(s []byte, name string) int {
	for i := 0; i+len(name) <= len(s); i++ {
		if s[i]|0x20 == name[0]|0x20 && strings.EqualFold(string(s[i:i+len(name)]), name) {
			return i
		}
	}
	return -1
}

func skipSpace(s []byte, i int) int {
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	return i
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
