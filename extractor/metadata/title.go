package metadata

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html/atom"

	"xinwen/extractor/dom"
)

// fold keeps letters and digits, in lower case.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// title returns the article's title: the heading of the page that its title
// element, og:title or structured data begin with; else the best of these
// without the name of the site.
func (r *reader) title() string {
	h := r.Head
	stated := []string{h.Article.Headline, h.first("og:title", "twitter:title", "dc.title", "articletitle", "title"), h.Title}
	if r.Entry != nil {
		stated = append(stated, r.Entry.Title)
	}
	if t := r.heading(stated); t != "" {
		return t
	}
	if t := r.likeHeading(stated); t != "" {
		return t
	}
	site := r.publisher()
	for _, s := range stated {
		if t := StripSite(s, site); usable(t) {
			return t
		}
	}
	if t := r.firstHeading(); t != "" {
		return t
	}
	return strings.TrimSpace(h.Title)
}

func usable(s string) bool { return utf8.RuneCountInString(s) >= 2 }

// heading returns the block that a stated title begins with or consists of.
func (r *reader) heading(stated []string) string {
	best, bestScore := "", 0.0
	end := len(r.Doc.Blocks)
	if r.first >= 0 {
		end = min(end, r.first+3)
	}
	folded := make([]string, len(stated))
	for i, s := range stated {
		folded[i] = fold(s)
	}
	for i := 0; i < end; i++ {
		b := &r.Doc.Blocks[i]
		if b.Hidden || len(b.Text) > 600 || b.LinkDensity() > 0.9 && !isHeading(b) {
			continue
		}
		f := fold(b.Text)
		if len(f) < 4 {
			continue
		}
		for k, s := range folded {
			if s == "" {
				continue
			}
			score := 0.0
			switch {
			case f == s:
				score = 3
			case strings.HasPrefix(s, f):
				score = 2 * float64(len(f)) / float64(len(s))
				// A short prefix is a section or site name unless it is set as
				// a heading.
				if len(f) < 12 || 3*len(f) < len(s) && !isHeading(b) {
					score = 0
				}
			case strings.HasPrefix(f, s) && 2*len(s) > len(f) && isHeading(b):
				score = 1.8 * float64(len(s)) / float64(len(f))
			case isHeading(b) && len(f) >= 12 && strings.Contains(s, f):
				score = 1.2 * float64(len(f)) / float64(len(s))
			}
			if score == 0 {
				continue
			}
			if isHeading(b) {
				score += 1
			}
			if b.Tag == atom.H1 {
				score += 0.5
			}
			if k == 0 {
				score += 0.2
			}
			if score > bestScore {
				best, bestScore = b.Text, score
			}
		}
	}
	return best
}

// likeHeading returns the last h1 before the body if it says much the same as a
// stated title: titles are shortened and dressed up for search engines.
func (r *reader) likeHeading(stated []string) string {
	for i := r.first; i >= 0; i-- {
		b := &r.Doc.Blocks[i]
		if b.Tag != atom.H1 || b.Hidden || b.Units < 6 || len(b.Text) > 400 {
			continue
		}
		for _, s := range stated {
			if s != "" && alike(b.Text, s) >= 0.4 {
				return b.Text
			}
		}
		return ""
	}
	return ""
}

// alike returns the share of a's words, or pairs of Han characters, that b has.
func alike(a, b string) float64 {
	have := make(map[string]bool)
	for _, t := range terms(b) {
		have[t] = true
	}
	n, all := 0, terms(a)
	for _, t := range all {
		if have[t] {
			n++
		}
	}
	if len(all) == 0 {
		return 0
	}
	return float64(n) / float64(len(all))
}

// terms returns the words of s, and the pairs of its Han characters.
func terms(s string) []string {
	var out []string
	for _, w := range strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsNumber(r) }) {
		if !hasHan(w) {
			out = append(out, w)
			continue
		}
		runes := []rune(w)
		for i := 0; i+1 < len(runes); i++ {
			out = append(out, string(runes[i:i+2]))
		}
	}
	return out
}

// firstHeading returns the last h1 before the body that is no section name, else
// the last h2.
func (r *reader) firstHeading() string {
	end := len(r.Doc.Blocks)
	if r.first >= 0 {
		end = min(end, r.first+1)
	}
	for _, tag := range [...]atom.Atom{atom.H1, atom.H2} {
		for i := end - 1; i >= 0; i-- {
			if b := &r.Doc.Blocks[i]; b.Tag == tag && !b.Hidden && b.Units >= 6 {
				return b.Text
			}
		}
	}
	return ""
}

func isHeading(b *dom.Block) bool {
	switch b.Tag {
	case atom.H1, atom.H2, atom.H3:
		return true
	}
	return false
}

// separators stand between a title and the name of its section or site.
var separators = []string{"_", " - ", " | ", "|", "｜", " – ", " — ", "——", " · ", "丨", " » ", " :: ", "-", "－", " / "}

// StripSite removes the names of sections and site from the end of a document
// title. The name of the site may be given.
func StripSite(s, site string) string {
	s = strings.TrimSpace(s)
	fsite := fold(site)
	for range 4 {
		at, width := -1, 0
		for _, sep := range separators {
			i := strings.LastIndex(s, sep)
			if i > 0 && s[i-1] == ' ' && len(sep) == 1 && strings.HasPrefix(s[i+1:], " ") {
				i, sep = i-1, " "+sep+" "
			}
			if i > at && i > 0 {
				at, width = i, len(sep)
			}
		}
		if at < 0 {
			return s
		}
		left, right := strings.TrimSpace(s[:at]), strings.TrimSpace(s[at+width:])
		sep := s[at : at+width]
		fr := fold(right)
		ll, lr := length(left), length(right)
		switch {
		case fsite != "" && (fr == fsite || len(fr) > 3 && strings.Contains(fsite, fr) || len(fsite) > 3 && strings.Contains(fr, fsite)):
		case sep == "_" || sep == "丨" && ll > 2*lr:
			if ll < 5 {
				return s
			}
		case sep == "-" || sep == "－":
			// A hyphen without spaces cuts only before a short Chinese name.
			if !hasHan(right) || lr > 10 || ll < 8 || ll < 2*lr {
				return s
			}
		default:
			if ll < 6 || lr > 16 || ll < lr {
				return s
			}
		}
		s = left
	}
	return s
}

// length counts a Han character as 1 and other characters as 0.5.
func length(s string) float64 {
	n := 0.0
	for _, r := range s {
		if r > 0x2e80 {
			n++
		} else {
			n += 0.5
		}
	}
	return n
}

func hasHan(s string) bool {
	for _, r := range s {
		if unicode.Is(unicode.Han, r) {
			return true
		}
	}
	return false
}
