package listpage

import (
	"net/url"
	"slices"
	"strings"
)

// Scores of learn. A group of links is taken as articles from goodScore on.
const (
	goodScore   = 3
	maxSegments = 8
)

// learn returns the links that look like articles: those of the groups, by URL
// shape, whose score is good.
func learn(links []*link, self string) []*link {
	groups := make(map[string][]*link)
	for _, l := range links {
		if l.url != self {
			s := shape(l.url)
			groups[s] = append(groups[s], l)
		}
	}
	good := make(map[*link]bool)
	for s, group := range groups {
		if score(s, group) >= goodScore {
			for _, l := range group {
				if weight(l.title()) >= 8 {
					good[l] = true
				}
			}
		}
	}
	chosen := make([]*link, 0, len(good))
	for _, l := range links {
		if good[l] {
			chosen = append(chosen, l)
		}
	}
	return chosen
}

// shape returns what links to articles of one site have in common: the path with
// digits as 0, words of several parts as w, and the names of parameters.
func shape(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	var b strings.Builder
	b.WriteString(u.Host)
	segments := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(segments) > maxSegments {
		segments = segments[:maxSegments]
	}
	for i, s := range segments {
		b.WriteByte('/')
		name, ext, _ := strings.Cut(s, ".")
		switch {
		case hasDigits(name, 3):
			b.WriteByte('0')
		case strings.Count(name, "-")+strings.Count(name, "_") >= 2, strings.ContainsAny(name, "%") && i == len(segments)-1:
			b.WriteByte('w')
		case hasDigits(name, 1) && strings.Trim(name, "0123456789") == "":
			b.WriteByte('0')
		case i == len(segments)-1:
			b.WriteByte('x') // one word: a section, or a short slug
		default:
			b.WriteString(name)
		}
		if ext != "" {
			b.WriteString("." + ext)
		}
	}
	if u.RawQuery != "" {
		var keys []string
		for k := range u.Query() {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		b.WriteString("?" + strings.Join(keys, "&"))
	}
	return b.String()
}

// hasDigits reports whether s has at least n digits.
func hasDigits(s string, n int) bool {
	for _, c := range []byte(s) {
		if c >= '0' && c <= '9' {
			if n--; n == 0 {
				return true
			}
		}
	}
	return false
}

// score says how much a group of links looks like articles.
func score(shape string, group []*link) int {
	var weights []int
	dated, headings, chrome := 0, 0, 0
	for _, l := range group {
		weights = append(weights, weight(l.title()))
		if dateText(l) {
			dated++
		}
		if l.heading {
			headings++
		}
		if l.chrome {
			chrome++
		}
	}
	slices.Sort(weights)
	n, points := len(group), 0
	switch median := weights[n/2]; { // a headline has some ten characters
	case median >= 20:
		points += 2
	case median >= 12:
		points++
	default:
		points -= 2
	}
	_, path, _ := strings.Cut(shape, "/")
	switch {
	case strings.Contains(path, "0"): // a number or date in the address
		points++
	case strings.Contains(path, "w"):
		points++
	case strings.Contains(shape, "?"):
	default:
		points--
	}
	if n >= 3 {
		points++
	}
	if 2*dated >= n {
		points++
	}
	if 2*headings >= n {
		points++
	}
	if 2*chrome > n {
		points -= 3
	}
	return points
}
