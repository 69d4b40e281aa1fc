// Package gold reads texts whose names were marked by hand, for measuring: the
// lines of CLUENER, and CoNLL columns such as WNUT17's and wikigold's.
package gold

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"unicode"
)

// Name is a marked name: byte offsets, half open, and its kind.
type Name struct {
	Start, End int
	Kind       string
}

// Text is one marked sentence, its names in order.
type Text struct {
	Text  string
	Names []Name
}

// CLUENER reads lines {text, label: {kind: {surface: [[first, last]]}}}.
func CLUENER(path string) ([]Text, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []Text
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		var line struct {
			Text  string
			Label map[string]map[string][][2]int
		}
		if err := json.Unmarshal(sc.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w", path, len(out)+1, err)
		}
		offset := make([]int, 0, len(line.Text)+1)
		for i := range line.Text {
			offset = append(offset, i)
		}
		offset = append(offset, len(line.Text))
		t := Text{Text: line.Text}
		for kind, surfaces := range line.Label {
			for _, spans := range surfaces {
				for _, s := range spans {
					if s[0] < 0 || s[1]+1 >= len(offset) || s[0] > s[1] {
						return nil, fmt.Errorf("%s: line %d: span %v lies outside", path, len(out)+1, s)
					}
					t.Names = append(t.Names, Name{offset[s[0]], offset[s[1]+1], kind})
				}
			}
		}
		slices.SortFunc(t.Names, func(a, b Name) int { return cmp.Or(a.Start-b.Start, b.End-a.End, cmp.Compare(a.Kind, b.Kind)) })
		out = append(out, t)
	}
	return out, sc.Err()
}

// CoNLL reads columns, the token first and its label last; an empty line ends a
// sentence. The tokens of a sentence are joined by spaces. B-X and I-X may be
// either of the two common schemes.
func CoNLL(path string) ([]Text, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var (
		out  []Text
		b    strings.Builder
		now  Text
		kind string // of the token before
	)
	flush := func() {
		if now.Text = b.String(); now.Text != "" {
			out = append(out, now)
		}
		now, kind = Text{}, ""
		b.Reset()
	}
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		c := strings.FieldsFunc(sc.Text(), unicode.IsSpace)
		if len(c) < 2 {
			flush()
			continue
		}
		if c[0] == "-DOCSTART-" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		start := b.Len()
		b.WriteString(c[0])
		place, k, _ := strings.Cut(c[len(c)-1], "-")
		switch {
		case k == "":
		case place == "I" && k == kind:
			now.Names[len(now.Names)-1].End = b.Len()
		default:
			now.Names = append(now.Names, Name{start, b.Len(), k})
		}
		kind = k
	}
	flush()
	return out, sc.Err()
}

// Counts are what a score is made of.
type Counts struct{ Right, Found, Gold int }

// Add counts the names found in one text against its marked ones.
func (c *Counts) Add(found, gold []Name) {
	for _, f := range found {
		if slices.Contains(gold, f) {
			c.Right++
		}
	}
	c.Found += len(found)
	c.Gold += len(gold)
}

// Precision, Recall and F1 are from 0 to 1.
func (c *Counts) Precision() float64 { return float64(c.Right) / float64(max(c.Found, 1)) }

// Recall is the share of the marked names that were found.
func (c *Counts) Recall() float64 { return float64(c.Right) / float64(max(c.Gold, 1)) }

// F1 is the harmonic mean of precision and recall.
func (c *Counts) F1() float64 { return 2 * float64(c.Right) / float64(max(c.Found+c.Gold, 1)) }
