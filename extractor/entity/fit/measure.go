package fit

import (
	"path/filepath"
	"slices"
	"unicode"
	"unicode/utf8"

	"xinwen/extractor/entity"
	"xinwen/extractor/entity/crf"
	"xinwen/extractor/entity/gold"
	"xinwen/extractor/entity/tagger"
	"xinwen/news/han"
	"xinwen/news/lexicon"
)

// marked is a sentence of a gold set for the taggers.
func marked(t *gold.Text, kinds map[string]int) tagger.Sentence {
	shadow := han.Fold(t.Text)
	s := tagger.Sentence{Text: shadow.Text, Capital: func(i int) bool {
		a, _ := shadow.Original(i, i+1)
		r, _ := utf8.DecodeRuneInString(t.Text[a:])
		return unicode.IsUpper(r)
	}}
	for _, n := range t.Names {
		if k, ok := kinds[n.Kind]; ok {
			s.Names = append(s.Names, crf.Span{Start: len(han.FoldString(t.Text[:n.Start])), End: len(han.FoldString(t.Text[:n.End])), Kind: k})
		}
	}
	return s
}

// found are the names of a sentence as a tagger sees them.
func found(t *tagger.Tagger, s *tagger.Sentence, names []string) []gold.Name {
	var out []gold.Name
	for _, n := range t.Names(s.Text, s.Capital, s.Known) {
		if n.Kind < len(names) && names[n.Kind] != "" {
			out = append(out, gold.Name{Start: n.Start, End: n.End, Kind: names[n.Kind]})
		}
	}
	return out
}

func wanted(s *tagger.Sentence, names []string) []gold.Name {
	var out []gold.Name
	for _, n := range s.Names {
		out = append(out, gold.Name{Start: n.Start, End: n.End, Kind: names[n.Kind]})
	}
	return out
}

// CLUENER trains a tagger on the training part of CLUENER in dir and returns how
// it does on the development part. The lexicon's names are features.
func CLUENER(dir string, words *tagger.Words, lex *lexicon.Lexicon, o crf.Options) (*gold.Counts, error) {
	train, err := gold.CLUENER(filepath.Join(dir, "train.json"))
	if err != nil {
		return nil, err
	}
	test, err := gold.CLUENER(filepath.Join(dir, "test.json"))
	if err != nil {
		return nil, err
	}
	var names []string
	for i := range train {
		for _, n := range train[i].Names {
			if !slices.Contains(names, n.Kind) {
				names = append(names, n.Kind)
			}
		}
	}
	slices.Sort(names)
	kinds := make(map[string]int)
	for i, n := range names {
		kinds[n] = i
	}
	g := entity.New(lex)
	read := func(t *gold.Text) tagger.Sentence {
		s := marked(t, kinds)
		_, _, spans := g.Spans(t.Text, entity.Context{Lang: "zh"})
		for _, x := range spans {
			s.Known = append(s.Known, x.Known())
		}
		return s
	}
	list := make([]tagger.Sentence, len(train))
	for i := range train {
		list[i] = read(&train[i])
	}
	t := tagger.Train(tagger.Chinese, len(names), words, list, o)
	t.Eager = Eager
	c := new(gold.Counts)
	for i := range test {
		s := read(&test[i])
		c.Add(found(t, &s, names), wanted(&s, names))
	}
	return c, nil
}

// Eager is how eager the taggers are (see crf.Decoder): about as many names as
// there are.
const Eager = 0.4
