package robots

import (
	"strings"
	"time"
)

// Rules are what a robots.txt says to one user agent. They are immutable; the
// zero value allows everything.
type Rules struct {
	rules []rule
	// Delay is the crawl-delay asked for, 0 if none is.
	Delay time.Duration
	// Sitemaps are the addresses of sitemaps as written, possibly relative.
	Sitemaps []string
}

// AllowAll returns rules that allow everything.
func AllowAll() *Rules { return new(Rules) }

// DenyAll returns rules that allow nothing but robots.txt itself.
func DenyAll() *Rules { return &Rules{rules: []rule{{pattern: "/"}}} }

// For returns the rules for agents, product tokens such as "xinwen"; case does
// not matter. Groups that name any of them are taken together; the group "*"
// holds only if there are none.
func (r *Robots) For(agents ...string) *Rules {
	rules := &Rules{Sitemaps: r.sitemaps}
	named := false
	for _, agent := range agents {
		agent = strings.ToLower(agent)
		for i := range r.groups {
			if g := &r.groups[i]; g.agent == agent && agent != "" && agent != "*" {
				named = true
				rules.add(g)
			}
		}
	}
	if !named {
		for i := range r.groups {
			if g := &r.groups[i]; g.agent == "*" {
				rules.add(g)
			}
		}
	}
	return rules
}

func (r *Rules) add(g *group) {
	if r.rules == nil {
		r.rules = g.rules[:len(g.rules):len(g.rules)]
	} else {
		r.rules = append(r.rules, g.rules...)
	}
	r.Delay = max(r.Delay, g.delay)
}

// Allowed reports whether rawURL, absolute or a path, may be fetched: the
// longest pattern that matches decides, and of two as long the one that allows.
func (r *Rules) Allowed(rawURL string) bool {
	if len(r.rules) == 0 {
		return true
	}
	path := escape(Path(rawURL))
	if path == "/robots.txt" {
		return true
	}
	longest, allowed := -1, true
	for _, rule := range r.rules {
		n := len(rule.pattern)
		if n < longest || n == longest && (allowed || !rule.allow) {
			continue
		}
		if matches(path, rule.pattern) {
			longest, allowed = n, rule.allow
		}
	}
	return allowed
}

// matches reports whether path starts with pattern, in which "*" stands for any
// characters and a final "$" for the end. It takes time linear in the product of
// the lengths at worst, with no recursion.
func matches(path, pattern string) bool {
	anchored := strings.HasSuffix(pattern, "$")
	if anchored {
		pattern = pattern[:len(pattern)-1]
	}
	first, rest, starred := strings.Cut(pattern, "*")
	if !strings.HasPrefix(path, first) {
		return false
	}
	path = path[len(first):]
	if !starred {
		return !anchored || path == ""
	}
	// Between stars the leftmost occurrence is always good enough.
	for {
		piece, more, again := strings.Cut(rest, "*")
		if !again {
			if anchored {
				return strings.HasSuffix(path, piece)
			}
			return strings.Contains(path, piece)
		}
		i := strings.Index(path, piece)
		if i < 0 {
			return false
		}
		path, rest = path[i+len(piece):], more
	}
}

// Path returns the part of a URL that rules are about: path, parameters and
// query, without fragment, starting with a slash.
func Path(rawURL string) string {
	s := rawURL
	if !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") {
		start := 0
		if strings.HasPrefix(s, "//") {
			start = 2
		}
		early := indexAny(s, "/?;", start)
		if p := strings.Index(s[start:], "://"); p >= 0 && (early < 0 || early >= start+p) {
			start += p + 3
		}
		begin := indexAny(s, "/?;", start)
		if hash := indexAny(s, "#", start); begin < 0 || hash >= 0 && hash < begin {
			return "/"
		}
		s = s[begin:]
	}
	if i := strings.IndexByte(s, '#'); i >= 0 {
		s = s[:i]
	}
	if !strings.HasPrefix(s, "/") {
		s = "/" + s
	}
	return s
}

func indexAny(s, chars string, from int) int {
	if i := strings.IndexAny(s[from:], chars); i >= 0 {
		return from + i
	}
	return -1
}
