package fit

import (
	"fmt"
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

// marks are the sentences of a part of CLUENER and the names of its kinds. The
// lexicon's names are given.
func marks(path string, lex *lexicon.Lexicon) (list []tagger.Sentence, names []string, err error) {
	texts, err := gold.CLUENER(path)
	if err != nil {
		return nil, nil, err
	}
	for i := range texts {
		for _, n := range texts[i].Names {
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
	for i := range texts {
		s := marked(&texts[i], kinds)
		_, _, spans := g.Spans(texts[i].Text, entity.Context{Lang: "zh"})
		for _, x := range spans {
			s.Known = append(s.Known, x.Known())
		}
		list = append(list, s)
	}
	return list, names, nil
}

// CLUENEROptions returns what has done best in CLUENERFolds.
func CLUENEROptions() crf.Options {
	o := crf.Defaults()
	o.Least, o.Rounds, o.Dropout = 1, 10, 0.6
	return o
}

// CLUENER trains a tagger on the training part of CLUENER in dir and returns how
// it does on the development part.
func CLUENER(dir string, words *tagger.Words, lex *lexicon.Lexicon, o crf.Options) (*gold.Counts, error) {
	train, names, err := marks(filepath.Join(dir, "train.json"), lex)
	if err != nil {
		return nil, err
	}
	test, others, err := marks(filepath.Join(dir, "test.json"), lex)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(names, others) {
		return nil, fmt.Errorf("%s: the parts have names of other kinds: %v and %v", dir, names, others)
	}
	c := new(gold.Counts)
	count(c, train, test, names, words, o)
	return c, nil
}

// CLUENERFolds trains on all but one of folds parts of CLUENER's training part and
// measures on that one, each in turn: what to choose by. The development part is
// not looked at.
func CLUENERFolds(dir string, folds int, words *tagger.Words, lex *lexicon.Lexicon, o crf.Options) (*gold.Counts, error) {
	list, names, err := marks(filepath.Join(dir, "train.json"), lex)
	if err != nil {
		return nil, err
	}
	c := new(gold.Counts)
	for f := range folds {
		from, to := f*len(list)/folds, (f+1)*len(list)/folds
		count(c, slices.Concat(list[:from], list[to:]), list[from:to], names, words, o)
	}
	return c, nil
}

// count adds to c how a tagger does on test that learnt from train.
func count(c *gold.Counts, train, test []tagger.Sentence, names []string, words *tagger.Words, o crf.Options) {
	t := tagger.TrainWide(tagger.Chinese, len(names), words, train, o)
	t.Eager = Eager
	for i := range test {
		c.Add(found(t, &test[i], names), wanted(&test[i], names))
	}
}

// Eager is how eager the taggers are (see crf.Decoder): about as many names as
// there are.
const Eager = 0.4
