package dom

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

const (
	// maxTags is how many tags are read, a hundred times what pages have; the rest
	// of the document is cut off. A tree needs some 200 bytes for each.
	maxTags = 1 << 18
	// maxCopies is how many elements the HTML5 parser may make that the document
	// does not have: what is emphasized goes on in each block that follows, so that
	// a few hundred elements that are never closed become as many in every block,
	// and a page of 50 KB half a gigabyte.
	maxCopies = 1 << 19
	// mostOpen is how many elements may be open in the HTML5 parser.
	mostOpen = 512
)

// formatting are the elements that the HTML5 parser opens again in the block after
// the one that they were left open in.
var formatting = map[atom.Atom]bool{
	atom.A: true, atom.B: true, atom.Big: true, atom.Code: true, atom.Em: true, atom.Font: true, atom.I: true, atom.Nobr: true,
	atom.S: true, atom.Small: true, atom.Strike: true, atom.Strong: true, atom.Tt: true, atom.U: true,
}

// cutTags cuts a document after maxTags tags. It also returns how many elements
// could be made of it beyond those it has, by a count that is quick and never too
// low.
func cutTags(s string) (cut string, copies int) {
	open, tags := 1, 0 // links end each other: one of them is open at most
	for at := 0; ; tags++ {
		i := strings.IndexByte(s[at:], '<')
		if i < 0 || tags == maxTags {
			if i >= 0 {
				s = s[:at+i]
			}
			return s, min(open, mostOpen) * tags
		}
		at += i + 1
		if opensFormatting(s[at:]) {
			open++
		}
	}
}

// opensFormatting reports whether the name of a formatting element, but for links,
// is what a start tag begins with.
func opensFormatting(s string) bool {
	const longest = len("strong")
	var name [longest]byte
	n := 0
	for ; n < len(s) && n <= longest; n++ {
		c := s[n] | 0x20 // a lower-case letter of a letter
		if c < 'a' || c > 'z' {
			break
		}
		if n < longest {
			name[n] = c
		}
	}
	if n == 0 || n > longest {
		return false
	}
	tag := atom.Lookup(name[:n])
	return tag != atom.A && formatting[tag]
}

// multiplies reports whether the HTML5 parser may make too many elements of s. Any
// tag may end the block that formatting elements were left open in: many start
// tags do by themselves.
func multiplies(s string) bool {
	copies, n := 0, 0 // n formatting elements are open, of each name as many as open says
	open, closed := make(map[atom.Atom]int), false
	z := html.NewTokenizer(strings.NewReader(s))
	for {
		kind, tag := z.Next(), atom.Atom(0)
		switch kind {
		case html.ErrorToken:
			return false
		case html.StartTagToken, html.EndTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			tag = atom.Lookup(name)
		case html.TextToken:
		default:
			continue
		}
		if closed && kind != html.EndTagToken {
			closed = false
			if copies += min(n, mostOpen); copies > maxCopies {
				return true
			}
		}
		switch {
		case kind == html.TextToken:
		case !formatting[tag]:
			closed = closed || !void[tag]
		case kind == html.EndTagToken:
			if open[tag] > 0 {
				open[tag]--
				n--
			}
		case tag != atom.A || open[tag] == 0: // a link ends the one before
			open[tag]++
			n++
		}
	}
}
