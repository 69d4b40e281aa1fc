package ui

import (
	"regexp"
	"strings"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
)

// fault cuts a query at the column of its error.
func fault(q string, e *query.SyntaxError, lang int) *QueryFault {
	f := &QueryFault{Column: e.Column, Message: translated(lang, e.Message), Hint: translated(lang, e.Hint), Mended: mended(q)}
	f.MendedURL = state{Q: f.Mended}.URL()
	r := []rune(q)
	switch at := e.Column - 1; {
	case at < 0:
		f.Before = q
	case at >= len(r):
		f.Before = q
		f.At = "\u2007" // a place to show after the end
	default:
		f.Before, f.At, f.After = string(r[:at]), string(r[at]), string(r[at+1:])
	}
	return f
}

var (
	marks     = regexp.MustCompile(`[()（）"“”:：*<>\\]+`)
	operators = regexp.MustCompile(`\b(AND|OR|NOT|NEAR(/\d*)?)(\s|$)`)
)

// mended returns the words of a query that cannot be understood as one that can,
// "" if there are none.
func mended(q string) string {
	words := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for _, s := range []string{words(marks.ReplaceAllString(q, " ")), words(operators.ReplaceAllString(marks.ReplaceAllString(q, " "), " "))} {
		if _, err := query.Parse(s); err == nil && s != "" {
			return s
		}
	}
	return ""
}

// wrong says what is wrong with a parameter of a search.
func wrong(e *search.RequestError, lang int) string {
	s := e.Field + ": " + translated(lang, e.Message)
	if e.Hint != "" {
		s += "; " + translated(lang, e.Hint)
	}
	return s
}

// translated returns what the packages below say of a query or rule in a language
// of the pages: as they said it, where the catalogue does not have it.
func translated(lang int, said string) string {
	if lang == en {
		return said
	}
	for _, m := range faultTexts {
		if values, ok := filled(m[en], said); ok {
			var b strings.Builder
			for i, part := range strings.Split(m[lang], "%") {
				if i > 0 {
					b.WriteString(values[i-1])
				}
				b.WriteString(part)
			}
			return b.String()
		}
	}
	return said
}

// filled reports whether s is form with something in the place of each %, and what.
func filled(form, s string) (values []string, ok bool) {
	parts := strings.Split(form, "%")
	s, ok = strings.CutPrefix(s, parts[0])
	for i, part := range parts[1:] {
		if !ok {
			return nil, false
		}
		at := strings.Index(s, part)
		if last := i == len(parts)-2; last && part == "" {
			at = len(s)
		} else if last {
			at = strings.LastIndex(s, part)
		}
		if at < 0 {
			return nil, false
		}
		values, s = append(values, s[:at]), s[at+len(part):]
	}
	return values, ok && s == ""
}
