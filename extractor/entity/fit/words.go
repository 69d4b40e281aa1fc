package fit

import (
	"bufio"
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"xinwen/extractor/entity/tagger"
	"xinwen/news/han"
)

// parts are the classes of words by their part of speech in the word list; all
// others are 12.
var parts = map[string]uint8{
	"n": 1, "nr": 2, "ns": 3, "nt": 4, "nz": 5, "v": 6, "vn": 6, "vd": 6, "vg": 6, "a": 7, "b": 7, "z": 7, "ad": 7, "an": 7,
	"d": 8, "p": 8, "c": 8, "r": 8, "f": 8, "u": 8, "m": 9, "q": 9, "t": 9, "i": 10, "l": 10, "g": 10, "zg": 10, "nrt": 11, "nrfg": 11,
}

const otherPart = 12

// Dictionary is a list of Chinese words.
type Dictionary struct {
	*tagger.Words
	people []string // names of two and three characters
}

// ReadDictionary reads lines "word frequency part".
func ReadDictionary(path string) (*Dictionary, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	words := make(map[string]uint8)
	d := new(Dictionary)
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		c := strings.Fields(sc.Text())
		if len(c) < 2 {
			continue
		}
		w := han.FoldString(c[0])
		n := utf8.RuneCountInString(w)
		if n < 2 || n > 7 {
			continue
		}
		class := uint8(otherPart)
		if len(c) > 2 {
			if p, ok := parts[c[2]]; ok {
				class = p
			}
			if c[2] == "nr" && n == 3 {
				d.people = append(d.people, w)
			}
		}
		freq, err := strconv.Atoi(c[1])
		if err != nil {
			return nil, fmt.Errorf("%s: %q: the frequency is no number", path, sc.Text())
		}
		if words[w] == 0 {
			words[w] = class | uint8(min(15, max(0, bits.Len(uint(freq))-2)))<<4
		}
	}
	d.Words = tagger.NewWords(words)
	return d, sc.Err()
}

// HabitsOf is Habits of the English articles.
func HabitsOf(articles []Article) *tagger.Words {
	var texts []string
	for i := range articles {
		if articles[i].Lang == "en" {
			texts = append(texts, articles[i].Text)
		}
	}
	return Habits(texts)
}

// Habits tells of the words of English texts how often they stand there and how
// often with a capital letter within a sentence.
func Habits(texts []string) *tagger.Words {
	type count struct{ small, capital int }
	counts := make(map[string]*count)
	for _, t := range texts {
		first := true
		for w := range strings.FieldsSeq(t) {
			word := strings.TrimFunc(w, func(r rune) bool { return !unicode.IsLetter(r) })
			r, _ := utf8.DecodeRuneInString(word)
			if key := strings.ToLower(word); !first && word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }) {
				if counts[key] == nil {
					counts[key] = new(count)
				}
				if unicode.IsUpper(r) {
					counts[key].capital++
				} else {
					counts[key].small++
				}
			}
			first = strings.ContainsAny(w[len(w)-1:], ".!?:\"")
		}
	}
	words := make(map[string]uint8)
	for w, c := range counts {
		n := c.small + c.capital
		if n < 3 {
			continue
		}
		words[han.FoldString(w)] = 1 + uint8(5*c.capital/n) | uint8(min(bits.Len(uint(n))/2, 7))<<4
	}
	return tagger.NewWords(words)
}
