package metadata

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html/atom"

	"xinwen/extractor/dom"
	"xinwen/extractor/pattern"
	"xinwen/extractor/template"
)

// fold keeps letters and digits, in lower case.
func fold(s string) string { return dom.Fold(s) }

// title returns the article's title.
func (r *reader) title(m *Metadata) string {
	b := newBallot(Title)
	h := r.Head
	stated := []string{h.Article.Headline, h.first("og:title", "twitter:title", "dc.title", "articletitle", "title"), h.Title}
	if r.Entry != nil {
		stated = append(stated, r.Entry.Title)
	}
	vote := func(s, where string) {
		if s = strings.TrimSpace(s); usable(s) && len(s) < 1200 {
			b.vote(fold(s), s, where)
		}
	}
	vote(r.heading(stated), "heading stated")
	vote(r.likeHeading(stated), "heading alike")
	r.headings(vote)
	for _, s := range r.named(template.Title) {
		vote(s.text, "template"+s.rank)
	}
	site := firstNonEmpty(h.Meta["og:site_name"], h.Article.Publisher, h.Page.Publisher)
	both := func(s, where string) {
		cut := StripSite(s, site)
		if fold(cut) == fold(s) {
			vote(s, where)
			return
		}
		vote(cut, where+" cut")
		vote(s, where+" whole")
	}
	both(h.Article.Headline, "json-ld")
	both(h.Page.Headline, "json-ld page")
	both(h.first("og:title"), "meta og:title")
	both(h.first("twitter:title"), "meta twitter:title")
	both(h.first("dc.title", "articletitle", "title"), "meta title")
	both(h.Title, "title")
	if r.Entry != nil {
		both(r.Entry.Title, "feed")
	}
	r.compareTitles(b, site)
	if c := b.elect(r.model[Title]); c != nil {
		m.Provenance[Title] = provenance(c)
		m.Ballots = append(m.Ballots, *b)
		return c.Value
	}
	m.Ballots = append(m.Ballots, *b)
	return ""
}

// headings votes by the headings before the body.
func (r *reader) headings(vote func(s, where string)) {
	end := len(r.Doc.Blocks)
	if r.first >= 0 {
		end = min(end, r.first+3)
	}
	vote(r.firstHeading(), "heading last")
	h1 := 0
	only := ""
	for i := range r.Doc.Blocks {
		b := &r.Doc.Blocks[i]
		if b.Hidden || len(b.Text) > 600 {
			continue
		}
		if b.Tag == atom.H1 {
			h1++
			only = b.Text
			if i < end {
				vote(b.Text, "heading h1")
				continue
			}
		}
		if i < end && b.LinkDensity() < 0.9 {
			switch {
			case b.Tag == atom.H2 && i > end-14:
				vote(b.Text, "heading h2")
			case b.Element >= 0 && strings.Contains(strings.ToLower(dom.Attr(r.Doc.Elements[b.Element].Node, "class")), "title") && i > end-14:
				vote(b.Text, "heading class")
			}
			if b.Element >= 0 {
				switch strings.ToLower(dom.Attr(r.Doc.Elements[b.Element].Node, "itemprop")) {
				case "headline", "name":
					vote(b.Text, "microdata")
				}
			}
		}
	}
	if h1 == 1 {
		vote(only, "heading only")
	}
	r.firstLines(vote)
}

// firstLines votes by the short lines around the start of the body: old pages
// set their title in bold or in the middle.
func (r *reader) firstLines(vote func(s, where string)) {
	for i := max(0, r.first-4); i >= 0 && i <= r.first && i < len(r.Doc.Blocks); i++ {
		b := &r.Doc.Blocks[i]
		if b.Hidden || b.Units < 4 || b.Units > 50 || b.LinkDensity() > 0.5 || strings.ContainsAny(b.Text, "。；") || strings.HasPrefix(b.Text, "—") {
			continue
		}
		if (b.Strong || r.centred(b)) && !isPerson(b.Text) {
			vote(b.Text, "text bold line")
			return
		}
	}
}

// centred reports whether a block is set in the middle by its markup.
func (r *reader) centred(b *dom.Block) bool {
	for i, n := b.Element, 0; i >= 0 && n < 3; i, n = r.Doc.Elements[i].Parent, n+1 {
		node := r.Doc.Elements[i].Node
		if node.DataAtom == atom.Center || strings.EqualFold(dom.Attr(node, "align"), "center") {
			return true
		}
	}
	return false
}

// compareTitles marks how the candidates stand to each other and to the site.
func (r *reader) compareTitles(b *Ballot, site string) {
	blocks := make(map[string]bool)
	for i := 0; i < len(r.Doc.Blocks) && (r.first < 0 || i <= r.first+3); i++ {
		if x := &r.Doc.Blocks[i]; !x.Hidden && len(x.Text) < 600 {
			blocks[fold(x.Text)] = true
		}
	}
	whole := fold(r.Head.Title)
	og := fold(r.Head.first("og:title"))
	fsite := fold(site)
	for i := range b.Candidates {
		c := &b.Candidates[i]
		k := fold(c.Value)
		c.markAs(!blocks[k], "is not shown")
		c.markAs(whole != k && strings.HasPrefix(whole, k), "is start of title")
		c.markAs(torn(r.Head.Title, c.Value), "is torn")
		c.markAs(whole != k && !strings.HasPrefix(whole, k) && strings.Contains(whole, k), "is in title")
		c.markAs(og != k && strings.Contains(og, k), "is in og:title")
		c.markAs(len(fsite) > 3 && k != fsite && strings.HasSuffix(k, fsite), "is with site")
		c.markAs(k == fsite || r.host != "" && strings.Contains(fold(r.host), k), "is site")
		n := length(c.Value)
		c.markAs(n < 5, "is short")
		c.markAs(n >= 5 && n < 9, "is shortish")
		c.markAs(n > 60, "is long")
		c.markAs(spamLine(c.Value), "is spam")
		longer, shorter := false, false
		for k2 := range b.Candidates {
			o := fold(b.Candidates[k2].Value)
			if len(o) > len(k) && len(k) > 8 && strings.Contains(o, k) {
				longer = true
			}
			if len(o) < len(k) && len(o) > 8 && strings.Contains(k, o) {
				shorter = true
			}
		}
		c.markAs(longer, "is part of another")
		c.markAs(shorter, "is holding another")
	}
}

// torn reports whether whole goes on behind s without a mark or space between.
func torn(whole, s string) bool {
	rest, ok := strings.CutPrefix(whole, s)
	if !ok || rest == "" {
		return false
	}
	next, _ := utf8.DecodeRuneInString(rest)
	return unicode.IsLetter(next) || unicode.IsNumber(next)
}

func usable(s string) bool { return utf8.RuneCountInString(s) >= 2 && fold(s) != "" }

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

// rePageNumber is what some systems add to the title of a page: (页 1), 第2页.
var rePageNumber = pattern.MustCompile(`\s*[（(]\s*(?:第?\s*\d+\s*[页頁]|[页頁]\s*\d+|(?i:page)\s*\d+)\s*[)）]`)

// StripSite removes the names of sections and site from the end of a document
// title. The name of the site may be given.
func StripSite(s, site string) string {
	s = strings.TrimSpace(rePageNumber.ReplaceAllString(s, ""))
	fsite := fold(site)
	// Some blogs put their name first.
	if front, rest, ok := strings.Cut(s, "»"); ok && length(front) <= 12 && length(rest) > length(front) {
		s = strings.TrimSpace(rest)
	}
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
		case spamLine(right):
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
