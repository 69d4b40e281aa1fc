// Package analysis turns text into tokens: the one chain that indexing, queries
// and alerts share, so that what one writes the others find.
//
// All of it works on the folded text of package han, while tokens keep their
// place in the original. There are two streams. Words cuts Chinese into words,
// the most probable way by the dictionary of gse and the names of the lexicon.
// Bigrams gives each Chinese character with its successor, and depends on no
// dictionary. In both, words of other scripts and numbers stand whole and in
// lower case: hbm3e, a16, 92.5, 1000 (from 1,000).
//
// A word that mixes letters and digits has its two parts beside it, at the same
// position: HBM3E gives hbm3e, hbm, 3e. Name and number written with a space or
// hyphen are joined to the same three: RTX 5090, GPT-4, 3 nm. So phrases and
// distances do not depend on how a name is spelt.
package analysis

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"sync"

	"xinwen/news/han"
	"xinwen/news/lexicon"
)

// version must change whenever this package, or the phrases of package han, give
// other tokens for the same text.
const version = 1

// Options is what an Analyzer is made from.
type Options struct {
	// Lexicon, if set, lends its entities' names as words.
	Lexicon *lexicon.Lexicon
}

// Analyzer turns text into tokens. It never changes and is safe for concurrent
// use.
type Analyzer struct {
	dict    *dict
	classes *classes
	hash    string
	scratch sync.Pool // of *segmentation
}

// Token is a word or gram of a text.
type Token struct {
	Term string
	// Start and End are byte offsets in the original text, half open.
	Start, End int
	// Position counts from 1. Tokens at one position are forms of one word.
	Position int
	// Part marks a part of the longer word at the same position.
	Part bool
}

// New makes an Analyzer. It takes about 0.1 s and 11 MB.
func New(o Options) (*Analyzer, error) {
	d, err := loadDict()
	if err != nil {
		return nil, fmt.Errorf("analysis: %w", err)
	}
	a := &Analyzer{dict: d, classes: loadClasses()}
	a.scratch.New = func() any { return new(segmentation) }
	names := names(o.Lexicon)
	a.addNames(names)
	a.hash = fingerprint(names)
	return a, nil
}

// Hash returns a value that changes whenever the tokens of a text may change.
func (a *Analyzer) Hash() string { return a.hash }

func fingerprint(names []string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d\n", version)
	h.Write(wordList)
	all := make([]rune, 0, 1<<16)
	for r := range rune(1 << 16) {
		if r < 0xD800 || r > 0xDFFF {
			all = append(all, r)
		}
	}
	_, _ = io.WriteString(h, han.FoldString(string(all)))
	for _, n := range names {
		fmt.Fprintln(h, n)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// names returns the runs of two or more Chinese characters in the names of l,
// sorted.
func names(l *lexicon.Lexicon) []string {
	if l == nil {
		return nil
	}
	c := loadClasses()
	var names []string
	for _, e := range l.Entities() {
		for _, f := range e.Forms() {
			s := han.FoldString(f.Text)
			for u := c.nextUnit(s, 0); u.end > 0; u = c.nextUnit(s, u.end) {
				if u.ideographs && u.end-u.start > len("中") {
					names = append(names, s[u.start:u.end])
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
