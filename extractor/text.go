package extractor

import (
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/atom"

	"xinwen/extractor/boilerplate"
	"xinwen/extractor/dom"
	"xinwen/news"
	"xinwen/news/weburl"
)

// baseOf is the address that the links of a page are relative to.
func baseOf(page, base string) string {
	if base != "" && page != "" {
		if b, err := weburl.Resolve(page, base); err == nil {
			return b
		}
	}
	return page
}

// textOf joins blocks by newlines, the cells of a row of a table by tabs. Links
// get addresses relative to base; those that lead nowhere on the web are left
// out. Gaps are where links have no text.
func textOf(d *dom.Document, blocks []int, base string) (text string, links []news.Link, gaps []int) {
	var b strings.Builder
	runes := 0
	for n, i := range blocks {
		block := &d.Blocks[i]
		if n > 0 {
			b.WriteByte(separator(d, blocks[n-1], i))
			runes++
		}
		at, from := runes, 0
		for _, l := range block.Links {
			if len(links) >= maxLinks {
				break
			}
			at += utf8.RuneCountInString(block.Text[from:l.Start])
			text := block.Text[l.Start:l.End]
			end := at + utf8.RuneCountInString(text)
			if u, ok := address(base, l.Href); ok {
				links = append(links, news.Link{Start: at, End: end, Text: text, URL: u})
			}
			at, from = end, l.End
		}
		for _, g := range block.Gaps {
			if g < len(block.Text) { // at the end it is a mark of the page's
				gaps = append(gaps, runes+utf8.RuneCountInString(block.Text[:g]))
			}
		}
		b.WriteString(block.Text)
		runes += utf8.RuneCountInString(block.Text)
	}
	return b.String(), links, gaps
}

// maxCell is how long the text of a cell of a table is; longer ones are
// paragraphs that a page lays out by a table.
const maxCell = 40

// separator returns what stands between two blocks.
func separator(d *dom.Document, i, j int) byte {
	a, b := &d.Blocks[i], &d.Blocks[j]
	if a.Units > maxCell || b.Units > maxCell || a.Element == b.Element {
		return '\n'
	}
	row, other := rowOf(d, a.Element)
	if again, cell := rowOf(d, b.Element); row >= 0 && row == again && cell != other {
		return '\t'
	}
	return '\n'
}

// rowOf returns the row of a table and the cell that element e is in, -1 if it is
// in none.
func rowOf(d *dom.Document, e int) (row, cell int) {
	cell = -1
	for range 6 {
		if e < 0 {
			break
		}
		switch d.Elements[e].Node.DataAtom {
		case atom.Td, atom.Th:
			cell = e
		case atom.Tr:
			return e, cell
		case atom.Table:
			return -1, -1
		}
		e = d.Elements[e].Parent
	}
	return -1, -1
}

// lostIn returns the places of a text where words are missing: those that the
// page showed and those that the text itself tells.
func lostIn(text string, shown []int) []int {
	out := append(shown, gaps(text)...)
	slices.Sort(out)
	out = slices.Compact(out)
	return out[:min(len(out), maxGaps)]
}

// maxLinks is how many links of one article are kept.
const maxLinks = 2000

func address(page, href string) (string, bool) {
	href = strings.TrimSpace(href)
	if href == "" || href[0] == '#' || len(href) > 2048 || page == "" && !strings.Contains(href, "://") {
		return "", false
	}
	u, err := weburl.Resolve(page, href)
	return u, err == nil
}

// maxImages is how many pictures of one article are kept.
const maxImages = 50

// images returns the pictures of the article, each address once.
func images(d *dom.Document, body *boilerplate.Body, base string) []news.Image {
	var out []news.Image
	for _, i := range body.Images {
		u, ok := address(base, dom.Source(d.Images[i.Image].Node))
		if !ok || len(out) >= maxImages || slices.ContainsFunc(out, func(x news.Image) bool { return x.URL == u }) {
			continue
		}
		x := news.Image{URL: u}
		if i.Caption >= 0 {
			x.Caption = d.Blocks[i.Caption].Text
		}
		out = append(out, x)
	}
	return out
}

const (
	// maxStripped is how many blocks that were left out are kept, maxStrippedText
	// how much of each.
	maxStripped     = 12
	maxStrippedText = 80
)

// stripped returns what was left out around the text.
func stripped(d *dom.Document, body *boilerplate.Body) []news.Stripped {
	var out []news.Stripped
	for _, s := range body.Stripped[:min(len(body.Stripped), maxStripped)] {
		out = append(out, news.Stripped{Why: string(s.Why), Text: clip(d.Blocks[s.Block].Text, maxStrippedText)})
	}
	return out
}
