// Package robots reads robots.txt as RFC 9309 has it and says what a crawler
// may fetch.
//
// Parse never fails: whatever a server calls robots.txt yields rules, and lines
// that mean nothing are skipped. Where the RFC leaves room the package does what
// Google's parser does, whose published cases its tests are held to: common
// misspellings of "disallow" are honoured, a colon may be missing, and the agent
// of a group ends at the first character that cannot be part of a product token.
//
// When robots.txt may be fetched, and what holds if it cannot be, is in Cache.
package robots

import (
	"bytes"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxBytes is how much of a robots.txt is read; the rest is ignored.
const MaxBytes = 500 << 10

// maxLine is the length a line is cut to: less than a URL of 2,083 bytes in which
// each byte takes eight.
const maxLine = 2083*8 - 1

// Robots is a parsed robots.txt. It is immutable.
type Robots struct {
	groups   []group
	sitemaps []string
}

// group holds the rules of one user agent.
type group struct {
	agent string // lower-case product token, "*" for everybody
	rules []rule
	delay time.Duration
}

type rule struct {
	pattern string // escaped
	allow   bool
}

// Parse reads a robots.txt.
func Parse(body []byte) *Robots {
	if len(body) > MaxBytes {
		body = body[:MaxBytes]
		// A rule cut in two would mean something else.
		if i := bytes.LastIndexAny(body, "\r\n"); i >= 0 {
			body = body[:i]
		}
	}
	p := parser{robots: new(Robots), index: make(map[string]int)}
	text := decode(body)
	for len(text) > 0 {
		line := text
		if i := strings.IndexAny(text, "\r\n"); i >= 0 {
			line, text = text[:i], text[i+1:]
		} else {
			text = ""
		}
		p.line(line)
	}
	return p.robots
}

// decode removes a byte order mark, and turns UTF-16 into UTF-8.
func decode(body []byte) string {
	switch {
	case bytes.HasPrefix(body, []byte{0xEF, 0xBB, 0xBF}):
		return string(body[3:])
	case bytes.HasPrefix(body, []byte{0xFE, 0xFF}):
		return decodeUTF16(body[2:], func(b []byte) uint16 { return uint16(b[0])<<8 | uint16(b[1]) })
	case bytes.HasPrefix(body, []byte{0xFF, 0xFE}):
		return decodeUTF16(body[2:], func(b []byte) uint16 { return uint16(b[1])<<8 | uint16(b[0]) })
	}
	return string(body)
}

func decodeUTF16(body []byte, unit func([]byte) uint16) string {
	units := make([]uint16, 0, len(body)/2)
	for ; len(body) >= 2; body = body[2:] {
		units = append(units, unit(body))
	}
	return string(utf16.Decode(units))
}

type parser struct {
	robots *Robots
	index  map[string]int // agent -> position in robots.groups
	// current are the groups the next rule belongs to; open says that the last
	// record was a user-agent line, so that another one joins them.
	current []int
	open    bool
}

func (p *parser) line(line string) {
	if len(line) > maxLine {
		line = line[:maxLine]
	}
	if i := strings.IndexByte(line, '#'); i >= 0 {
		line = line[:i]
	}
	key, value, ok := keyValue(strings.TrimSpace(line))
	if !ok {
		return
	}
	switch directive(key) {
	case "user-agent":
		agent := product(value)
		if agent == "" {
			agent = "\x00" // a group nobody belongs to
		}
		if !p.open {
			p.current = p.current[:0]
			p.open = true
		}
		p.current = append(p.current, p.group(agent))
	case "allow", "disallow":
		p.open = false
		if value == "" {
			return // "Disallow:" forbids nothing
		}
		r := rule{pattern: escape(value), allow: directive(key) == "allow"}
		for _, i := range p.current {
			p.robots.groups[i].rules = append(p.robots.groups[i].rules, r)
			// Who allows a directory's index.html means the directory.
			if r.allow {
				if dir, ok := indexDirectory(r.pattern); ok {
					p.robots.groups[i].rules = append(p.robots.groups[i].rules, rule{pattern: dir, allow: true})
				}
			}
		}
	case "crawl-delay":
		// Not part of the RFC, so it must not close a group.
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil || !(seconds > 0) {
			return
		}
		delay := maxDelay
		if seconds < maxDelay.Seconds() {
			delay = time.Duration(seconds * float64(time.Second))
		}
		for _, i := range p.current {
			p.robots.groups[i].delay = max(p.robots.groups[i].delay, delay)
		}
	case "sitemap":
		if value != "" {
			p.robots.sitemaps = append(p.robots.sitemaps, value)
		}
	}
}

// maxDelay bounds crawl-delay to what a clock can add; a site that asks for a
// day gets it.
const maxDelay = 30 * 24 * time.Hour

func (p *parser) group(agent string) int {
	i, ok := p.index[agent]
	if !ok {
		i = len(p.robots.groups)
		p.index[agent] = i
		p.robots.groups = append(p.robots.groups, group{agent: agent})
	}
	return i
}

// keyValue splits a line at its colon or, if there is none, at the one white
// space between two words.
func keyValue(line string) (key, value string, ok bool) {
	if key, value, ok = strings.Cut(line, ":"); ok {
		key = strings.TrimSpace(key)
		return key, strings.TrimSpace(value), key != ""
	}
	if words := strings.Fields(line); len(words) == 2 {
		return words[0], words[1], true
	}
	return "", "", false
}

// directive returns the name of a record in its one right spelling, "" if it is
// unknown.
func directive(key string) string {
	switch strings.ToLower(key) {
	case "user-agent", "useragent", "user agent":
		return "user-agent"
	case "allow":
		return "allow"
	case "disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw", "desallow":
		return "disallow"
	case "crawl-delay", "crawldelay":
		return "crawl-delay"
	case "sitemap", "site-map":
		return "sitemap"
	}
	return ""
}

// product returns the product token a user-agent value starts with, in lower
// case.
func product(value string) string {
	if value == "*" || strings.HasPrefix(value, "* ") || strings.HasPrefix(value, "*\t") {
		return "*"
	}
	end := 0
	for end < len(value) && isProduct(value[end]) {
		end++
	}
	return strings.ToLower(value[:end])
}

func isProduct(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}

func indexDirectory(pattern string) (string, bool) {
	slash := strings.LastIndexByte(pattern, '/')
	if slash < 0 || !strings.HasPrefix(pattern[slash:], "/index.htm") {
		return "", false
	}
	return pattern[:slash+1] + "$", true
}

// escape brings a path or pattern into the one form that is compared: bytes
// outside ASCII percent-encoded, hexadecimal digits in upper case. What is
// percent-encoded stays so.
func escape(s string) string {
	plain := true
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf || s[i] == '%' {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			b.WriteString(strings.ToUpper(s[i : i+3]))
			i += 2
		case c >= utf8.RuneSelf:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
