package weburl

import (
	"sort"
	"strings"
)

// isPlain recognises, without parsing, addresses that are canonical already:
// most of those a crawl meets.
func isPlain(s string) bool {
	rest, ok := strings.CutPrefix(s, "https://")
	if !ok {
		if rest, ok = strings.CutPrefix(s, "http://"); !ok {
			return false
		}
	}
	host, path, ok := strings.Cut(rest, "/")
	if !ok || len(s) > maxLength || !isPlainHost(host) {
		return false
	}
	last := byte('/')
	for i := range len(path) {
		c := path[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		case c == '.' && last != '/': // no dot segments
		case c == '/' && last != '/':
		default:
			return false
		}
		last = c
	}
	return true
}

// isPlainHost accepts lower-case names whose last label is of letters, so that
// no number could be an IP address in disguise.
func isPlainHost(host string) bool {
	last := byte('.')
	for i := range len(host) {
		c := host[i]
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case c == '-' && last != '.':
		case c == '.' && last != '.' && last != '-':
		default:
			return false
		}
		last = c
	}
	dot := strings.LastIndexByte(host, '.')
	top := host[dot+1:]
	return dot > 0 && len(top) >= 2 && strings.Trim(top, "abcdefghijklmnopqrstuvwxyz") == "" &&
		!strings.Contains(host, "xn--")
}

// canonicalPath normalises escapes and folds doubled slashes.
func canonicalPath(path string) string {
	path = canonicalEscapes(path, "")
	if strings.Contains(path, "//") {
		var b strings.Builder
		last := byte(0)
		for i := range len(path) {
			if path[i] != '/' || last != '/' {
				b.WriteByte(path[i])
			}
			last = path[i]
		}
		path = b.String()
	}
	if strings.Contains(path, "/.") {
		path = removeDots(path) // escaped dots and folded slashes can leave some
	}
	if path == "" {
		return "/"
	}
	return path
}

// removeDots removes dot segments (RFC 3986, section 5.2.4).
func removeDots(path string) string {
	var out []string
	segments := strings.Split(path, "/")[1:]
	for i, s := range segments {
		last := i == len(segments)-1
		switch s {
		case ".", "..":
			if s == ".." && len(out) > 0 {
				out = out[:len(out)-1]
			}
			if last {
				out = append(out, "")
			}
		default:
			out = append(out, s)
		}
	}
	return "/" + strings.Join(out, "/")
}

// canonicalQuery drops tracking parameters and empty ones, normalises escapes
// and sorts by name; parameters of one name keep their order.
func canonicalQuery(query string) string {
	if query == "" {
		return ""
	}
	var params []string
	for p := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(p, "=")
		if name == "" || isTracking(strings.ToLower(name), value) {
			continue
		}
		p = name
		if value != "" {
			p += "=" + value
		}
		params = append(params, canonicalEscapes(p, "[]{}|\\^`"))
	}
	sort.SliceStable(params, func(i, j int) bool {
		a, _, _ := strings.Cut(params[i], "=")
		b, _, _ := strings.Cut(params[j], "=")
		return a < b
	})
	return strings.Join(params, "&")
}

// canonicalEscapes decodes escapes of letters, digits, "-", "_", "." and "~",
// writes the others with capital digits, and escapes the characters of also
// and percent signs that begin no escape.
func canonicalEscapes(s, also string) string {
	if strings.IndexByte(s, '%') < 0 && (also == "" || !strings.ContainsAny(s, also)) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			if d := unhex(s[i+1])<<4 | unhex(s[i+2]); isUnreserved(d) {
				b.WriteByte(d)
			} else {
				writeEscape(&b, d)
			}
			i += 2
		case c == '%' || strings.IndexByte(also, c) >= 0:
			writeEscape(&b, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func writeEscape(b *strings.Builder, c byte) {
	const hex = "0123456789ABCDEF"
	b.WriteByte('%')
	b.WriteByte(hex[c>>4])
	b.WriteByte(hex[c&15])
}

func isUnreserved(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' && c < 0x80 || '0' <= c && c <= '9' || strings.IndexByte("-_.~", c) >= 0
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
