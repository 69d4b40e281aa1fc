package entity

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"xinwen/news"
	"xinwen/news/han"
)

// Limits by which a text is one whose lines were broken at a width: its longest
// line, in columns (a Chinese character takes two), and how many lines are nearly
// as long.
const (
	minWrapped   = 30
	maxWrapped   = 120
	leastWrapped = 3
)

// unwrapped is a text without the line breaks that were made for its width, so
// that names broken over two lines are whole.
type unwrapped struct {
	original, text string
	// cuts are the code points of text before which a line break was taken out;
	// elsewhere a space stands for one.
	cuts []int
}

// unwrap returns content unwrapped. Its first line, the title, stays a line.
func unwrap(content string) unwrapped {
	u := unwrapped{original: content, text: content}
	breaks := wraps(content)
	if len(breaks) == 0 {
		return u
	}
	var b strings.Builder
	at, points := 0, 0
	for _, i := range breaks {
		b.WriteString(content[at:i])
		points += utf8.RuneCountInString(content[at:i])
		before, _ := utf8.DecodeLastRuneInString(content[:i])
		behind, _ := utf8.DecodeRuneInString(content[i+1:])
		if spaceless(before) && spaceless(behind) {
			u.cuts = append(u.cuts, points)
		} else {
			b.WriteByte(' ')
			points++
		}
		at = i + 1
	}
	b.WriteString(content[at:])
	u.text = b.String()
	return u
}

// spaceless reports whether r is written without spaces around it.
func spaceless(r rune) bool { return han.IsHan(r) || isDot(r) }

// isDot reports whether r joins the parts of a foreign name.
func isDot(r rune) bool { return strings.ContainsRune("·‧・•･⋅", r) }

// wraps returns the line breaks of content that were made for its width and stand
// where a name may be broken.
func wraps(content string) []int {
	first := strings.IndexByte(content, '\n')
	if first < 0 {
		return nil
	}
	type line struct{ end, width int }
	var lines []line
	longest, prose := 0, false
	for at := first + 1; at < len(content); {
		end := strings.IndexByte(content[at:], '\n')
		if end < 0 {
			end = len(content) - at
		}
		text := content[at : at+end]
		w := columns(text)
		if w > maxWrapped {
			return nil
		}
		longest = max(longest, w)
		for _, stop := range [...]string{"。", "，", ". ", ", "} {
			k := strings.Index(text, stop)
			prose = prose || k > 0 && k+len(stop) < len(text)
		}
		at += end
		lines = append(lines, line{at, w})
		at++
	}
	if !prose || longest < minWrapped {
		return nil
	}
	full := 0
	var out []int
	for _, l := range lines {
		if 4*l.width < 3*longest {
			continue
		}
		full++
		before, _ := utf8.DecodeLastRuneInString(content[:l.end])
		if l.end+1 >= len(content) || !nameRune(before) {
			continue
		}
		if behind, _ := utf8.DecodeRuneInString(content[l.end+1:]); nameRune(behind) {
			out = append(out, l.end)
		}
	}
	if full < leastWrapped {
		return nil
	}
	return out
}

// nameRune reports whether a name, a date or an amount may be broken beside r.
func nameRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || isDot(r) }

// columns is how wide a line is, at most a little more than maxWrapped.
func columns(line string) int {
	n := 0
	for _, r := range line {
		if n > maxWrapped {
			break
		}
		n++
		if r >= 0x1100 {
			n++
		}
	}
	return n
}

// rewrap gives the mentions of u.text their places and surfaces in the original.
func (u *unwrapped) rewrap(list []news.Mention) []news.Mention {
	if u.text == u.original {
		return list
	}
	points, bytes := 0, 0
	at := func(point int) int { // byte of a code point; points never go back
		for points < point {
			_, n := utf8.DecodeRuneInString(u.original[bytes:])
			bytes += n
			points++
		}
		return bytes
	}
	for i := range list {
		m := &list[i]
		m.Start += sort.SearchInts(u.cuts, m.Start+1)
		m.End += sort.SearchInts(u.cuts, m.End)
		a := at(m.Start)
		m.Surface = u.original[a:at(m.End)]
	}
	return list
}
