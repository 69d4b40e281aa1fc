package ui

import (
	"strings"
	"unicode"
)

// maxDiffCells bounds the work on one comparison; what is larger counts as
// replaced whole.
const maxDiffCells = 1 << 21

// Change is a run of text that two versions share, or that only one has.
type Change struct {
	Text    string
	In, Out bool // only in the newer, only in the older
}

// Line is a paragraph with its changes. Skipped counts paragraphs left out
// because nothing changed in them.
type Line struct {
	Changes []Change
	Skipped int
}

// compareTexts returns what changed from one text to another, paragraph by paragraph.
func compareTexts(older, newer string) []Line {
	a, b := strings.Split(older, "\n"), strings.Split(newer, "\n")
	var lines []Line
	var out, in []string
	same := 0
	flush := func() {
		n := max(len(out), len(in))
		for i := range n {
			var x, y string
			if i < len(out) {
				x = out[i]
			}
			if i < len(in) {
				y = in[i]
			}
			lines = append(lines, Line{Changes: merged(differences(words(x), words(y)))})
		}
		out, in = nil, nil
	}
	for _, c := range differences(a, b) {
		switch {
		case c.Out:
			out = append(out, c.Text)
		case c.In:
			in = append(in, c.Text)
		default:
			flush()
			same++
			if n := len(lines); n > 0 && lines[n-1].Skipped > 0 {
				lines[n-1].Skipped++
			} else {
				lines = append(lines, Line{Skipped: 1})
			}
		}
	}
	flush()
	if same == len(a) && same == len(b) {
		return nil
	}
	return lines
}

// words cuts a text into what changes as one: Latin words, single characters of
// Chinese, spaces.
func words(s string) []string {
	var list []string
	class := func(r rune) int {
		switch {
		case r < 0x2e80 && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			return 1
		case unicode.IsSpace(r):
			return 2
		}
		return 0
	}
	last := 0
	for i, r := range s {
		c := class(r)
		if c == 0 || c != last || i == 0 {
			list = append(list, "")
		}
		list[len(list)-1] += string(r)
		last = c
	}
	return list
}

// differences returns the parts of two lists in order: those that both have, by the
// longest common subsequence, and those of one alone.
func differences(a, b []string) []Change {
	var list []Change
	add := func(text string, in, out bool) { list = append(list, Change{text, in, out}) }
	first := 0
	for first < len(a) && first < len(b) && a[first] == b[first] {
		add(a[first], false, false)
		first++
	}
	last := 0
	for last < len(a)-first && last < len(b)-first && a[len(a)-1-last] == b[len(b)-1-last] {
		last++
	}
	x, y := a[first:len(a)-last], b[first:len(b)-last]
	if len(x)*len(y) > maxDiffCells {
		for _, s := range x {
			add(s, false, true)
		}
		for _, s := range y {
			add(s, true, false)
		}
	} else {
		common := lcs(x, y)
		i, j := 0, 0
		for i < len(x) || j < len(y) {
			switch {
			case i < len(x) && j < len(y) && x[i] == y[j]:
				add(x[i], false, false)
				i, j = i+1, j+1
			case j == len(y) || i < len(x) && common[(i+1)*(len(y)+1)+j] >= common[i*(len(y)+1)+j+1]:
				add(x[i], false, true)
				i++
			default:
				add(y[j], true, false)
				j++
			}
		}
	}
	for _, s := range a[len(a)-last:] {
		add(s, false, false)
	}
	return list
}

// lcs returns the lengths of the longest common subsequences of x[i:] and y[j:],
// at i*(len(y)+1)+j.
func lcs(x, y []string) []uint16 {
	w := len(y) + 1
	t := make([]uint16, (len(x)+1)*w)
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				t[i*w+j] = t[(i+1)*w+j+1] + 1
			} else {
				t[i*w+j] = max(t[(i+1)*w+j], t[i*w+j+1])
			}
		}
	}
	return t
}

// merged puts neighbours that are alike together.
func merged(list []Change) []Change {
	var out []Change
	for _, c := range list {
		if n := len(out); n > 0 && out[n-1].In == c.In && out[n-1].Out == c.Out {
			out[n-1].Text += c.Text
			continue
		}
		out = append(out, c)
	}
	return out
}
