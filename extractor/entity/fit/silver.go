package fit

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"xinwen/extractor/entity"
	"xinwen/extractor/entity/crf"
	"xinwen/extractor/entity/tagger"
	"xinwen/news"
	"xinwen/news/han"
	"xinwen/news/lexicon"
)

// Usable reports whether weights that were learnt from a text under a licence
// may be given to others.
func Usable(licence string) bool {
	for _, l := range [...]string{"Apache-2.0", "MIT", "CC BY-SA 3.0", "CC BY-SA 4.0", "CC BY 4.0"} {
		if licence == l {
			return true
		}
	}
	return false
}

// Article is a line of a corpus.
type Article struct {
	ID, Lang, Title, Text, Date, Licence string
	Synthetic                            any
}

// Corpora reads news-*.jsonl.gz in a folder and returns what may be used. It is an
// error if there is none.
func Corpora(dir string) ([]Article, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "news-*.jsonl.gz"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no news-*.jsonl.gz in %s: give the folder that has them", dir)
	}
	var out []Article
	for _, p := range paths {
		if err := readLines(p, func(a Article) {
			if Usable(a.Licence) && a.Synthetic == nil {
				out = append(out, a)
			}
		}); err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
	}
	return out, nil
}

func readLines(path string, do func(Article)) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for d := json.NewDecoder(z); ; {
		var a Article
		if err := d.Decode(&a); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		do(a)
	}
}

// teacher makes sentences to learn from.
type teacher struct {
	names *entity.Gazetteer
	words *tagger.Words
	rand  *rand.Rand
	// others are names to put in the place of hidden ones, by kind and by
	// whether they are Chinese.
	others map[bool]map[news.Kind][]string
}

func newTeacher(lex *lexicon.Lexicon, d *Dictionary) *teacher {
	t := &teacher{names: entity.New(lex), words: d.Words, rand: rand.New(rand.NewPCG(3, 4)), others: map[bool]map[news.Kind][]string{true: {}, false: {}}}
	for _, e := range lex.Entities() {
		for _, f := range e.Forms() {
			if n := utf8.RuneCountInString(f.Text); !f.Conditional() && n > 1 && n < 30 {
				h := strings.ContainsFunc(f.Text, han.IsHan)
				t.others[h][e.Kind] = append(t.others[h][e.Kind], f.Text)
			}
		}
	}
	t.others[true][news.Person] = append(t.others[true][news.Person], d.people...)
	return t
}

// hidden reports whether an entity is hidden from the tagger in an article.
func hidden(article, id string) bool {
	h := fnv.New32a()
	h.Write([]byte(article + " " + id))
	return h.Sum32()%2 == 0
}

// lessons are the sentences of an article in one language.
func (t *teacher) lessons(l tagger.Language, a *Article) []tagger.Sentence {
	date, _ := time.Parse(time.DateOnly, a.Date) // "" leaves it zero
	lang, _, _ := strings.Cut(a.Lang, "-")
	text, capital, spans := t.names.Spans(a.Title+"\n"+a.Text, entity.Context{Lang: lang, Date: date, Hant: a.Lang == "zh-Hant"})
	var out []tagger.Sentence
	for from := 0; from < len(text); {
		to := tagger.SentenceEnd(text, from)
		k := 0
		for k < len(spans) && spans[k].End <= to {
			k++
		}
		here := spans[:k]
		spans = spans[k:]
		if tagger.Reads(l, text[from:to]) {
			if s := t.lesson(a.ID, text, from, to, capital, here); len(s.Text) > 20 && !s.Doubtful(l, t.words, isName) {
				out = append(out, s)
			}
		}
		from = to
	}
	return out
}

// kinds are those that are learnt.
var kinds = map[news.Kind]int{news.Person: tagger.Person, news.Org: tagger.Org, news.Place: tagger.Place, news.Product: tagger.Thing, news.Tech: tagger.Thing}

func (t *teacher) lesson(article, text string, from, to int, capital func(int) bool, spans []entity.Span) tagger.Sentence {
	var (
		b    strings.Builder
		caps []bool
		s    tagger.Sentence
		at   = from
	)
	copyTo := func(end int) {
		for ; at < end; at++ {
			b.WriteByte(text[at])
			caps = append(caps, capital(at))
		}
	}
	for _, x := range spans {
		if x.Start < at {
			continue
		}
		copyTo(x.Start)
		start := b.Len()
		kind, learnt := kinds[x.Kind]
		hide := learnt && x.Entity != "" && (strings.Contains(x.Entity, ":unknown-") || hidden(article, x.Entity))
		surface := text[x.Start:x.End]
		if others := t.others[strings.ContainsFunc(surface, han.IsHan)][x.Kind]; hide && (x.Kind == news.Person || x.Kind == news.Org) && len(others) > 0 && t.rand.IntN(3) > 0 {
			name := others[t.rand.IntN(len(others))]
			folded := han.Fold(name)
			for i := range folded.Text {
				b.WriteByte(folded.Text[i])
				o, _ := folded.Original(i, i+1)
				r, _ := utf8.DecodeRuneInString(name[o:])
				caps = append(caps, unicode.IsUpper(r))
			}
			at = x.End
		} else {
			copyTo(x.End)
		}
		if hide {
			s.Names = append(s.Names, crf.Span{Start: start, End: b.Len(), Kind: kind})
		} else {
			k := x.Known()
			k.Start, k.End = start, b.Len()
			s.Known = append(s.Known, k)
		}
	}
	copyTo(to)
	s.Text = b.String()
	s.Capital = func(i int) bool { return i < len(caps) && caps[i] }
	return s
}

// isName reports whether a class of the word list is of names.
func isName(class uint8) bool {
	switch class & 15 {
	case parts["nr"], parts["ns"], parts["nt"], parts["nrt"]:
		return true
	}
	return false
}
