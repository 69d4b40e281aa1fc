package fit

import (
	"path/filepath"
	"strings"

	"xinwen/extractor/entity/crf"
	"xinwen/extractor/entity/gold"
	"xinwen/extractor/entity/tagger"
	"xinwen/news/lexicon"
)

// Chinese fits the Chinese tagger that is shipped to the articles.
func Chinese(articles []Article, d *Dictionary, lex *lexicon.Lexicon, o crf.Options) *tagger.Tagger {
	t := newTeacher(lex, d)
	var list []tagger.Sentence
	for i := range articles {
		list = append(list, t.lessons(tagger.Chinese, &articles[i])...)
	}
	out := tagger.Train(tagger.Chinese, tagger.Kinds, d.Words, list, light(o))
	out.Eager = Eager
	return out
}

// light keeps the files of the taggers small.
func light(o crf.Options) crf.Options {
	o.Least, o.Light = o.Least+1, 4
	return o
}

// English fits the English tagger that is shipped to the articles and to the
// sets under dir whose licence allows it.
func English(articles []Article, dir string, d *Dictionary, lex *lexicon.Lexicon, o crf.Options) (*tagger.Tagger, error) {
	list, err := tweets(dir)
	if err != nil {
		return nil, err
	}
	t := newTeacher(lex, d)
	for i := range articles {
		list = append(list, t.lessons(tagger.English, &articles[i])...)
	}
	out := tagger.Train(tagger.English, tagger.Kinds, HabitsOf(articles), list, light(o))
	out.Eager = Eager
	return out, nil
}

// shipped are the kinds of the sets as the shipped tagger has them.
var shipped = map[string]int{
	"PER": tagger.Person, "ORG": tagger.Org, "LOC": tagger.Place,
	"person": tagger.Person, "corporation": tagger.Org, "group": tagger.Org, "location": tagger.Place, "product": tagger.Thing, "creative-work": tagger.Thing,
}

// tweets reads the Broad Twitter Corpus and the training part of WNUT17.
func tweets(dir string) ([]tagger.Sentence, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "btc", "*.conll"))
	if err != nil {
		return nil, err
	}
	var out []tagger.Sentence
	for _, p := range append(paths, filepath.Join(dir, "wnut17", "train.conll")) {
		texts, err := gold.CoNLL(p)
		if err != nil {
			return nil, err
		}
		for i := range texts {
			out = append(out, marked(&texts[i], shipped))
		}
	}
	return out, nil
}

// Wikigold measures an English tagger that is shipped on wikigold, which it has
// never seen: persons, organisations and places.
func Wikigold(t *tagger.Tagger, path string) (*gold.Counts, error) {
	texts, err := gold.CoNLL(path)
	if err != nil {
		return nil, err
	}
	names := []string{tagger.Person: "PER", tagger.Org: "ORG", tagger.Place: "LOC"}
	c := new(gold.Counts)
	for i := range texts {
		s := marked(&texts[i], map[string]int{"PER": tagger.Person, "ORG": tagger.Org, "LOC": tagger.Place})
		c.Add(found(t, &s, names), wanted(&s, names))
	}
	return c, nil
}

// WNUT17 trains a tagger on the training part of WNUT17 in dir and returns how it
// does on the test part, in its six kinds; how eager it is is chosen on the
// development part. habits are those of Habits.
func WNUT17(dir string, habits *tagger.Words, o crf.Options) (*gold.Counts, error) {
	names := strings.Fields("person corporation group location product creative-work")
	kinds := make(map[string]int)
	for i, n := range names {
		kinds[n] = i
	}
	read := func(part string) ([]tagger.Sentence, error) {
		texts, err := gold.CoNLL(filepath.Join(dir, part))
		if err != nil {
			return nil, err
		}
		list := make([]tagger.Sentence, len(texts))
		for i := range texts {
			list[i] = marked(&texts[i], kinds)
		}
		return list, nil
	}
	train, err := read("train.conll")
	if err != nil {
		return nil, err
	}
	test, err := read("test.conll")
	if err != nil {
		return nil, err
	}
	dev, err := read("dev.conll")
	if err != nil {
		return nil, err
	}
	t := tagger.Train(tagger.English, len(names), habits, train, o)
	measure := func(list []tagger.Sentence) *gold.Counts {
		c := new(gold.Counts)
		for i := range list {
			c.Add(found(t, &list[i], names), wanted(&list[i], names))
		}
		return c
	}
	best, eager := -1.0, 0.0
	for _, e := range [...]float64{0, 0.5, 1, 1.5, 2, 2.5, 3} {
		t.Eager = e
		if f := measure(dev).F1(); f > best {
			best, eager = f, e
		}
	}
	t.Eager = eager
	return measure(test), nil
}
