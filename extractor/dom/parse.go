// Package dom turns the text of an HTML document into a tree and into blocks:
// the runs of visible text between block-level elements that every later step
// works on. In goes decoded HTML, out comes a Document.
//
// No input makes it fail: what the HTML5 parser refuses is rebuilt by a simpler
// one, and depth, size and time are bounded.
package dom

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

const (
	// MaxBytes is how much of a document is read; the rest is cut off.
	MaxBytes = 16 << 20
	// MaxText and MaxBlocks are how many bytes of text and how many blocks are
	// taken from it, in document order: many times what pages of news have, so
	// that what is done with them has a bounded cost.
	MaxText   = 1 << 20
	MaxBlocks = 20_000
	// maxElements is the same for elements that hold text.
	maxElements = 1 << 20
	// maxDepth is how deep the tree of the fallback parser gets; deeper
	// elements become siblings at this depth.
	maxDepth = 256
)

// Parse reads a document. It never fails: a document that the HTML5 parser
// refuses (more than 512 elements open at once), or of which it would make very
// many more elements than there are, is read by a forgiving one.
func Parse(s string) *Document {
	d := &Document{}
	if len(s) > MaxBytes {
		s = strings.ToValidUTF8(s[:MaxBytes], "")
		d.Truncated = true
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	whole := len(s)
	s, copies := cutTags(s)
	d.Truncated = d.Truncated || len(s) < whole
	if copies < maxCopies || !multiplies(s) {
		d.Root, _ = html.Parse(strings.NewReader(s)) // nil if it refuses
	}
	if d.Root == nil {
		d.Root = rebuild(s)
		d.Rebuilt = true
	}
	d.build()
	return d
}

// optionalEnd are the elements whose end tag may be left out, with the elements
// that end them when they start.
var optionalEnd = map[atom.Atom][]atom.Atom{
	atom.P:      nil, // ended by every block-level element
	atom.Li:     {atom.Li},
	atom.Dt:     {atom.Dt, atom.Dd},
	atom.Dd:     {atom.Dt, atom.Dd},
	atom.Tr:     {atom.Tr, atom.Tbody},
	atom.Td:     {atom.Td, atom.Th, atom.Tr, atom.Tbody},
	atom.Th:     {atom.Td, atom.Th, atom.Tr, atom.Tbody},
	atom.Tbody:  {atom.Tbody},
	atom.Thead:  {atom.Tbody},
	atom.Option: {atom.Option},
}

var void = map[atom.Atom]bool{
	atom.Area: true, atom.Base: true, atom.Br: true, atom.Col: true, atom.Embed: true, atom.Hr: true, atom.Img: true,
	atom.Input: true, atom.Link: true, atom.Meta: true, atom.Source: true, atom.Track: true, atom.Wbr: true,
}

// rebuild is the fallback parser. A first pass finds the start tags that are
// never closed and drops them, so that 600 forgotten </b> cost nothing; the
// second builds the tree and keeps it at most maxDepth deep.
func rebuild(s string) *html.Node {
	dropped := unclosed(s)
	root := &html.Node{Type: html.DocumentNode}
	htm := element(root, atom.Html, nil)
	element(htm, atom.Head, nil)
	body := element(htm, atom.Body, nil)
	type open struct {
		node *html.Node
		// folded counts the elements below maxDepth that were open when this
		// one took their place.
		folded map[atom.Atom]int
	}
	stack := []open{{node: body}}
	z := html.NewTokenizer(strings.NewReader(s))
	for i := 0; ; i++ {
		switch z.Next() {
		case html.ErrorToken:
			return root
		case html.TextToken:
			top := stack[len(stack)-1].node
			top.AppendChild(&html.Node{Type: html.TextNode, Data: string(z.Text())})
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			switch t.DataAtom {
			case atom.Html, atom.Head, atom.Body:
				continue
			}
			if dropped[i] {
				continue
			}
			for len(stack) > 1 && ends(t.DataAtom, stack[len(stack)-1].node.DataAtom) {
				stack = stack[:len(stack)-1]
			}
			if len(stack) == maxDepth && !void[t.DataAtom] {
				// Fold: the new element becomes a sibling of the one it is in.
				top := &stack[len(stack)-1]
				if top.folded == nil {
					top.folded = make(map[atom.Atom]int)
				}
				top.folded[top.node.DataAtom]++
				n := &html.Node{Type: html.ElementNode, Data: t.Data, DataAtom: t.DataAtom, Attr: t.Attr}
				stack[len(stack)-2].node.AppendChild(n)
				top.node = n
				continue
			}
			n := &html.Node{Type: html.ElementNode, Data: t.Data, DataAtom: t.DataAtom, Attr: t.Attr}
			stack[len(stack)-1].node.AppendChild(n)
			if !void[t.DataAtom] && t.Type != html.SelfClosingTagToken {
				stack = append(stack, open{node: n})
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			a := atom.Lookup(name)
			if top := &stack[len(stack)-1]; top.folded[a] > 0 {
				top.folded[a]--
				continue
			}
			for j := len(stack) - 1; j > 0; j-- {
				if stack[j].node.DataAtom == a && stack[j].node.Data == string(name) {
					stack = stack[:j]
					break
				}
				if a != atom.Table && stack[j].node.DataAtom == atom.Table {
					break // a stray end tag in a cell does not close the table
				}
			}
		}
	}
}

func element(parent *html.Node, a atom.Atom, attr []html.Attribute) *html.Node {
	n := &html.Node{Type: html.ElementNode, Data: a.String(), DataAtom: a, Attr: attr}
	parent.AppendChild(n)
	return n
}

func ends(start, open atom.Atom) bool {
	if open == atom.P {
		return blockLevel[start]
	}
	for _, a := range optionalEnd[open] {
		if a == start {
			return true
		}
	}
	return false
}

// unclosed returns the indices of the start tags that need an end tag and have
// none.
func unclosed(s string) map[int]bool {
	type tag struct {
		name  string
		index int
	}
	var stack []tag
	open := make(map[string]int)
	dropped := make(map[int]bool)
	z := html.NewTokenizer(strings.NewReader(s))
	for i := 0; ; i++ {
		switch z.Next() {
		case html.ErrorToken:
			for _, t := range stack {
				dropped[t.index] = true
			}
			return dropped
		case html.StartTagToken:
			name, _ := z.TagName()
			a := atom.Lookup(name)
			if _, ok := optionalEnd[a]; ok || void[a] {
				continue
			}
			stack = append(stack, tag{string(name), i})
			open[string(name)]++
		case html.EndTagToken:
			name, _ := z.TagName()
			if open[string(name)] == 0 {
				continue
			}
			for {
				t := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				open[t.name]--
				if t.name == string(name) {
					break
				}
				dropped[t.index] = true
			}
		}
	}
}

// Attr returns the value of an attribute, "" if n has none of that name.
func Attr(n *html.Node, key string) string {
	for i := range n.Attr {
		if n.Attr[i].Key == key {
			return n.Attr[i].Val
		}
	}
	return ""
}

// Source returns the address of a picture, which pages that load pictures late
// have in another attribute than src.
func Source(n *html.Node) string {
	for _, key := range [...]string{"data-original", "data-src", "data-lazy-src", "data-actualsrc", "data-original-src", "data-url", "src"} {
		if s := strings.TrimSpace(Attr(n, key)); s != "" && !strings.HasPrefix(s, "data:") {
			return s
		}
	}
	first, _, _ := strings.Cut(strings.TrimSpace(Attr(n, "srcset")), " ")
	return strings.TrimSuffix(first, ",")
}

// Plain makes a document of plain text: one block a line.
func Plain(s string) *Document {
	d := &Document{}
	if len(s) > MaxBytes {
		s = strings.ToValidUTF8(s[:MaxBytes], "")
		d.Truncated = true
	}
	d.Root = &html.Node{Type: html.DocumentNode}
	body := element(element(d.Root, atom.Html, nil), atom.Body, nil)
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			element(body, atom.P, nil).AppendChild(&html.Node{Type: html.TextNode, Data: line})
		}
	}
	d.build()
	return d
}
