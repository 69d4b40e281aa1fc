package dom

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Document is a parsed document.
type Document struct {
	Root *html.Node
	// Blocks are the runs of visible text in document order.
	Blocks []Block
	// Elements are the elements that hold at least one block, in document
	// order, parents before children.
	Elements []Element
	// Heads are the title, meta, link and base elements, and the scripts that
	// are structured data, may tell the time of publication or link further pages.
	Heads []*html.Node
	// Images are the pictures in document order.
	Images []Image
	// Rebuilt says that the fallback parser made the tree, Truncated that the
	// document was longer than MaxBytes, MaxText or MaxBlocks allow.
	Rebuilt, Truncated bool

	index map[*html.Node]int // of Elements, made when first asked for
}

// Index returns the index of n in d.Elements, -1 if it is not there. It is not
// safe for concurrent use.
func (d *Document) Index(n *html.Node) int {
	if d.index == nil {
		d.index = make(map[*html.Node]int, len(d.Elements))
		for i := range d.Elements {
			d.index[d.Elements[i].Node] = i
		}
	}
	if i, ok := d.index[n]; ok {
		return i
	}
	return -1
}

// Image is a picture.
type Image struct {
	Node *html.Node
	// At is the index of the block after it, Element that of the innermost
	// block-level element around it, -1 for none.
	At, Element int
	Hidden      bool
}

// Element is an element and what it covers: Blocks[First:End].
type Element struct {
	Node       *html.Node
	Parent     int // index in Elements, -1 for the root
	First, End int
}

// Block is a run of text between two boundaries: the start or end of a
// block-level element or a line break.
type Block struct {
	Text  string
	Links []Link
	// Cuts are the byte offsets in Text where an inline element starts or ends.
	Cuts []int
	// Gaps are the byte offsets in Text where a link has no text: some content
	// systems lose it.
	Gaps []int
	// Element is the index of the innermost block-level element around it.
	Element int
	// Tag is that element's tag, or the heading, list item, paragraph, cell or
	// quotation it stands in.
	Tag atom.Atom
	// Hidden says that the page does not show it.
	Hidden bool
	// Strong says that all of it is bold.
	Strong bool
	// Units measures the length: a Han character counts 1, a letter or digit of
	// another script 0.4. LinkUnits is the part of it inside links.
	Units, LinkUnits float64
	// Punct counts the marks of sentences outside links: commas, stops and the
	// like; Stops only those that end a sentence.
	Punct, Stops int
	// Control says that it stands in a button, label or the like.
	Control bool
}

// Link is a link inside a block, with byte offsets in Block.Text.
type Link struct {
	Start, End int
	Href       string
}

// LinkDensity returns the share of b that is inside links.
func (b *Block) LinkDensity() float64 {
	if b.Units == 0 {
		return 0
	}
	return b.LinkUnits / b.Units
}

func set(as ...atom.Atom) map[atom.Atom]bool {
	m := make(map[atom.Atom]bool, len(as))
	for _, a := range as {
		m[a] = true
	}
	return m
}

var blockLevel = set(atom.Address, atom.Article, atom.Aside, atom.Blockquote, atom.Body, atom.Caption, atom.Center, atom.Col,
	atom.Dd, atom.Details, atom.Dialog, atom.Dir, atom.Div, atom.Dl, atom.Dt, atom.Fieldset, atom.Figcaption, atom.Figure,
	atom.Footer, atom.Form, atom.Frameset, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Header, atom.Hgroup,
	atom.Hr, atom.Html, atom.Legend, atom.Li, atom.Main, atom.Marquee, atom.Menu, atom.Nav, atom.Ol, atom.P, atom.Pre,
	atom.Section, atom.Summary, atom.Table, atom.Tbody, atom.Td, atom.Tfoot, atom.Th, atom.Thead, atom.Tr, atom.Ul)

// silent elements hold nothing that is read as text.
var silent = set(atom.Script, atom.Style, atom.Noscript, atom.Template, atom.Svg, atom.Math, atom.Iframe, atom.Object,
	atom.Select, atom.Textarea, atom.Datalist, atom.Canvas, atom.Video, atom.Audio, atom.Map, atom.Head, atom.Noframes, atom.Rt, atom.Rp)

// build fills Blocks, Elements and Heads.
func (d *Document) build() {
	b := builder{doc: d, parent: -1, room: MaxText}
	b.walk(d.Root)
	b.flush()
	for i := len(d.Elements) - 1; i >= 0; i-- {
		// An element without blocks stays in the table with an empty range.
		if d.Elements[i].End < d.Elements[i].First {
			d.Elements[i].End = d.Elements[i].First
		}
	}
}

type builder struct {
	doc    *Document
	parent int
	tag    atom.Atom
	hidden bool
	strong int
	ctrl   int
	href   string
	linkAt int
	inLink bool
	text   strings.Builder
	cur    Block
	weak   bool // a character that is not bold was seen
	space  bool // white space is due before the next character
	soft   bool // … and it was a line break inside one text node
	pre    int
	room   int // bytes of text that may follow
}

// full reports whether the document has as much text as is read.
func (b *builder) full() bool {
	if b.room <= 0 || len(b.doc.Blocks) >= MaxBlocks || len(b.doc.Elements) >= maxElements {
		b.doc.Truncated = true
		return true
	}
	return false
}

func (b *builder) walk(n *html.Node) {
	for c := n.FirstChild; c != nil && !b.full(); c = c.NextSibling {
		switch c.Type {
		case html.TextNode:
			b.write(c.Data)
		case html.ElementNode:
			b.element(c)
		}
	}
}

func (b *builder) element(n *html.Node) {
	a := n.DataAtom
	switch a {
	case atom.Title, atom.Meta, atom.Link, atom.Base:
		b.doc.Heads = append(b.doc.Heads, n)
		return
	case atom.Script:
		if strings.Contains(Attr(n, "type"), "json") || n.FirstChild != nil && tellingScript(n.FirstChild.Data) {
			b.doc.Heads = append(b.doc.Heads, n)
		}
		return
	case atom.Head:
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			if c.Type == html.ElementNode {
				switch c.DataAtom {
				case atom.Title, atom.Meta, atom.Link, atom.Base, atom.Script:
					b.element(c)
				}
			}
		}
		return
	case atom.Br:
		b.flush()
		return
	case atom.Img:
		at := len(b.doc.Blocks)
		if b.text.Len() > 0 {
			at++
		}
		b.doc.Images = append(b.doc.Images, Image{Node: n, At: at, Element: b.parent, Hidden: b.hidden})
		return
	}
	if silent[a] || n.Data == "svg" || n.Data == "math" {
		return
	}
	if a == atom.Sup && noteMark(n) {
		return
	}
	hidden, tag := b.hidden, b.tag
	block := blockLevel[a]
	if !block && b.text.Len() > 0 && popsUp(n) {
		return
	}
	if isHidden(n) {
		if !block && b.text.Len() > 0 {
			return // a tooltip or the like inside a sentence
		}
		b.hidden = true
	}
	if block {
		b.flush()
	} else if b.text.Len() > 0 {
		b.cur.Cuts = append(b.cur.Cuts, b.text.Len())
		b.soft = false
	}
	index := len(b.doc.Elements)
	parent := b.parent
	b.doc.Elements = append(b.doc.Elements, Element{Node: n, Parent: parent, First: len(b.doc.Blocks)})
	if block {
		b.parent = index
		switch a {
		case atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Li, atom.P, atom.Td, atom.Th, atom.Blockquote, atom.Figcaption,
			atom.Caption, atom.Pre, atom.Dt, atom.Dd:
			b.tag = a
		default:
			if b.tag != atom.Li && b.tag != atom.Figcaption && b.tag != atom.Blockquote {
				b.tag = a
			}
		}
	}
	switch a {
	case atom.Pre:
		b.pre++
	case atom.B, atom.Strong, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		b.strong++
	case atom.Button, atom.Label, atom.Option:
		b.ctrl++
	}
	if a == atom.Q { // browsers show the quotes
		b.write("“")
	}
	if a == atom.A && Attr(n, "href") != "" && !b.inLink {
		b.openLink(Attr(n, "href"))
		b.walk(n)
		b.closeLink()
		if n.FirstChild == nil && lostText(n) {
			b.cur.Gaps = append(b.cur.Gaps, b.text.Len())
		}
	} else {
		b.walk(n)
	}
	if a == atom.Q {
		b.write("”")
	}
	switch a {
	case atom.Pre:
		b.pre--
	case atom.B, atom.Strong, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		b.strong--
	case atom.Button, atom.Label, atom.Option:
		b.ctrl--
	}
	if block {
		b.flush()
	} else if b.text.Len() > 0 {
		b.cur.Cuts = append(b.cur.Cuts, b.text.Len())
		b.soft = false
	}
	b.parent, b.tag, b.hidden = parent, tag, hidden
	end := len(b.doc.Blocks)
	if !block && b.text.Len() > 0 {
		end++ // the block being written belongs to the inline element too
	}
	b.doc.Elements[index].End = end
}

// tellingScript reports whether a script sets the variables in which some content
// systems keep the time of publication, author or medium, or builds the links to further pages.
func tellingScript(s string) bool {
	return len(s) < 1<<20 && (strings.Contains(s, "createPageHTML(") || strings.Contains(s, "var ct") || strings.Contains(s, "ublish_time") || strings.Contains(s, "ublishTime") || strings.Contains(s, "pubtime") ||
		strings.Contains(s, "uthorName") || strings.Contains(s, "uthor_name") || strings.Contains(s, "source: '") || strings.Contains(s, `"source":"`) || strings.Contains(s, "media_name"))
}

// noteMark reports whether a superscript is the bare number of a footnote, a link
// inside the page: it would read as one of the text.
func noteMark(n *html.Node) bool {
	c := n.FirstChild
	if c == nil || c.NextSibling != nil || c.DataAtom != atom.A || !strings.HasPrefix(Attr(c, "href"), "#") {
		return false
	}
	t := c.FirstChild
	return t != nil && t.Type == html.TextNode && t.Data != "" && '0' <= t.Data[0] && t.Data[0] <= '9'
}

// lostText reports whether a link without text is one that should have some: it
// leads to another page, and is no icon.
func lostText(n *html.Node) bool {
	for i := range n.Attr {
		switch a := &n.Attr[i]; a.Key {
		case "href":
			if !strings.HasPrefix(a.Val, "http") && !strings.HasPrefix(a.Val, "/") {
				return false
			}
		case "target", "title", "rel":
		default:
			return false
		}
	}
	return true
}

// popsUp reports whether an inline element names itself something that appears
// over the text. One that begins with a link is what it appears over.
func popsUp(n *html.Node) bool {
	c := Attr(n, "class")
	if c == "" || n.DataAtom == atom.A || !strings.Contains(c, "tooltip") && !strings.Contains(c, "popover") && !strings.Contains(c, "rollover") {
		return false
	}
	for f := n.FirstChild; f != nil; f = f.NextSibling {
		switch {
		case f.Type == html.ElementNode:
			return f.DataAtom != atom.A
		case f.Type == html.TextNode && strings.TrimSpace(f.Data) != "":
			return true
		}
	}
	return true
}

func isHidden(n *html.Node) bool {
	for i := range n.Attr {
		switch a := &n.Attr[i]; a.Key {
		case "hidden":
			return a.Val != "until-found"
		case "style":
			if s := a.Val; len(s) > 6 {
				s = strings.ToLower(s)
				if k := strings.Index(s, "display"); k >= 0 && strings.HasPrefix(strings.TrimLeft(s[k+7:], ": "), "none") {
					return true
				}
			}
		}
	}
	return false
}

func (b *builder) openLink(href string) {
	b.inLink, b.href, b.linkAt = true, href, -1
}

func (b *builder) closeLink() {
	b.endLink()
	b.inLink = false
}

// endLink records the part of the open link that lies in the current block.
func (b *builder) endLink() {
	if b.inLink && b.linkAt >= 0 && b.text.Len() > b.linkAt {
		b.cur.Links = append(b.cur.Links, Link{Start: b.linkAt, End: b.text.Len(), Href: b.href})
	}
	b.linkAt = -1
}

// write adds text to the current block: white space becomes one space, a line
// break between two Han characters of one text node nothing.
func (b *builder) write(s string) {
	if len(s) > b.room {
		s = strings.ToValidUTF8(s[:max(b.room, 0)], "")
		b.doc.Truncated = true
	}
	b.room -= len(s)
	for i := 0; i < len(s); {
		r, size := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(s[i:])
		}
		i += size
		switch {
		case r == '\n' && b.pre > 0:
			b.flush()
			continue
		case r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '\f' || r == '\u00a0' || r == '\u3000' || r == '\u2003' || r == '\u2002':
			if b.text.Len() > 0 {
				if r == '\n' || r == '\r' {
					if !b.space {
						b.soft = true
					}
				} else if !b.soft || r == '\u00a0' {
					b.soft = false
				}
				b.space = true
			}
			continue
		case r == '\u200b' || r == '\ufeff' || r == '\u00ad' || r < ' ' || r == 0x7f:
			continue
		}
		if b.space {
			if !(b.soft && wide(r) && wide(b.lastRune())) {
				b.text.WriteByte(' ')
			}
			b.space, b.soft = false, false
		}
		if b.text.Len() == 0 {
			b.cur.Element, b.cur.Tag, b.cur.Hidden, b.cur.Control = b.parent, b.tag, b.hidden, b.ctrl > 0
			b.weak = false
		}
		if b.inLink && b.linkAt < 0 {
			b.linkAt = b.text.Len()
		}
		b.text.WriteRune(r)
		b.count(r, s[i:])
		if b.strong == 0 {
			b.weak = true
		}
		if b.hidden != b.cur.Hidden {
			b.cur.Hidden = false
		}
	}
	// White space at the end of a text node is no soft line break: what follows
	// is another element.
	b.soft = false
}

func (b *builder) lastRune() rune {
	r, _ := utf8.DecodeLastRuneInString(b.text.String())
	return r
}

// wide reports whether r belongs to a script written without spaces.
func wide(r rune) bool {
	return r >= 0x2e80 && (unicode.Is(unicode.Han, r) || r >= 0x3000 && r <= 0x30ff || r >= 0xff00 && r <= 0xffef)
}

func (b *builder) count(r rune, rest string) {
	u := 0.0
	switch {
	case r < utf8.RuneSelf:
		switch {
		case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9':
			u = 0.4
		case r == ',' || r == ';' || r == '.' || r == '!' || r == '?' || r == ':':
			if b.inLink {
				break
			}
			if rest == "" || rest[0] == ' ' || rest[0] == '\n' || rest[0] == '"' || rest[0] == '\'' || rest[0] >= utf8.RuneSelf {
				if r != ':' {
					b.cur.Punct++
				}
				if r == '.' || r == '!' || r == '?' {
					b.cur.Stops++
				}
			}
		}
	case unicode.IsLetter(r):
		if wide(r) || r >= 0xac00 && r <= 0xd7a3 {
			u = 1
		} else {
			u = 0.4
		}
	default:
		if b.inLink {
			break
		}
		switch r {
		case '。', '！', '？', '…', '．', '｡':
			b.cur.Punct++
			b.cur.Stops++
		case '，', '；', '、', '“', '”', '「', '」':
			b.cur.Punct++
		}
	}
	b.cur.Units += u
	if b.inLink {
		b.cur.LinkUnits += u
	}
}

func (b *builder) flush() {
	b.space, b.soft = false, false
	if b.text.Len() == 0 {
		b.cur.Gaps = nil
		return
	}
	b.endLink()
	b.cur.Text = b.text.String()
	b.cur.Strong = !b.weak
	b.doc.Blocks = append(b.doc.Blocks, b.cur)
	b.cur = Block{}
	b.text.Reset()
}

// Text returns the text inside n with white space collapsed.
func Text(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			switch {
			case c.Type == html.TextNode:
				b.WriteString(c.Data)
			case c.Type == html.ElementNode && !silent[c.DataAtom]:
				walk(c)
			}
		}
	}
	walk(n)
	return strings.Join(strings.Fields(b.String()), " ")
}

// Fold returns the letters and digits of s in lower case, all that matters when
// texts are compared.
func Fold(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			switch {
			case 'a' <= c && c <= 'z' || '0' <= c && c <= '9':
				b.WriteByte(c)
			case 'A' <= c && c <= 'Z':
				b.WriteByte(c + 'a' - 'A')
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if i += n; unicode.IsLetter(r) || unicode.IsNumber(r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}
