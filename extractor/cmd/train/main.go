// Command train fits the statistical taggers of package tagger and measures them.
//
//	go run ./cmd/train -words WORDS [-data DIR] [-only NAMES] [-write]
//
// WORDS is gse's Chinese word list, data/dict/zh/s_1.txt of module
// github.com/go-ego/gse; DIR is the folder of the test data. With -write the data
// files beside package tagger are replaced. The same input gives the same files.
//
// NAMES are what to do: zh and en fit what is shipped, cluener and wnut17 measure
// on public sets. What is changed for CLUENER is chosen by cluener-folds, which
// looks at its training part alone; either takes 3 GB of memory.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"xinwen/extractor/entity/crf"
	"xinwen/extractor/entity/fit"
	"xinwen/extractor/entity/gold"
	"xinwen/extractor/entity/tagger"
	"xinwen/news/lexicon"
)

func main() {
	words := flag.String("words", "", "gse's Chinese word list (data/dict/zh/s_1.txt of github.com/go-ego/gse)")
	data := flag.String("data", filepath.Join("..", "..", "shared", "data"), "folder of the test data")
	only := flag.String("only", "zh,en,cluener,wnut17", "what to do: zh, en (fit the taggers), cluener, cluener-folds (by cross-validation on the training part), wnut17 (measure)")
	write := flag.Bool("write", false, "replace the data files of package tagger")
	given := options()
	flag.Parse()
	if err := run(*words, *data, strings.Split(*only, ","), *write, given); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

// options defines the flags of learning; what it returns puts those that are given
// over what has worked.
func options() func(crf.Options) crf.Options {
	var o crf.Options
	flag.IntVar(&o.Rounds, "rounds", 0, "rounds over the sentences")
	flag.Float64Var(&o.Rate, "rate", 0, "rate of learning")
	flag.Float64Var(&o.Decay, "decay", 0, "decay of the weights")
	flag.Float64Var(&o.Dropout, "dropout", 0, "share of features left out")
	flag.IntVar(&o.Least, "least", 0, "least count of a feature")
	return func(to crf.Options) crf.Options {
		flag.Visit(func(f *flag.Flag) {
			switch f.Name {
			case "rounds":
				to.Rounds = o.Rounds
			case "rate":
				to.Rate = o.Rate
			case "decay":
				to.Decay = o.Decay
			case "dropout":
				to.Dropout = o.Dropout
			case "least":
				to.Least = o.Least
			}
		})
		began := time.Now()
		to.Told = func(round int, loss float64) {
			fmt.Fprintf(os.Stderr, "round %d: loss %.4f, %s\n", round, loss, time.Since(began).Round(time.Second))
		}
		return to
	}
}

func run(words, data string, only []string, write bool, given func(crf.Options) crf.Options) error {
	d, err := fit.ReadDictionary(words)
	if err != nil {
		return fmt.Errorf("-words: %w", err)
	}
	lex, err := lexicon.Builtin()
	if err != nil {
		return err
	}
	t := trainer{
		given: given, public: filepath.Join(data, "entities", "public"), words: d, lex: lex, write: write,
		articles: sync.OnceValues(func() ([]fit.Article, error) { return fit.Corpora(filepath.Join(data, "corpora")) }),
	}
	for _, name := range only {
		if err := t.do(name); err != nil {
			return err
		}
	}
	return nil
}

// trainer does what is asked for, one thing after another.
type trainer struct {
	given    func(crf.Options) crf.Options
	public   string // folder of the public sets
	words    *fit.Dictionary
	lex      *lexicon.Lexicon
	write    bool
	articles func() ([]fit.Article, error)
}

func (t *trainer) do(name string) error {
	cluener := filepath.Join(t.public, "cluener2020")
	switch name {
	case "zh":
		return t.chinese()
	case "en":
		return t.english()
	case "cluener":
		return told(name)(fit.CLUENER(cluener, t.words.Words, t.lex, t.given(fit.CLUENEROptions())))
	case "cluener-folds":
		return told(name)(fit.CLUENERFolds(cluener, 5, t.words.Words, t.lex, t.given(fit.CLUENEROptions())))
	case "wnut17":
		articles, err := t.articles()
		if err != nil {
			return err
		}
		return told(name)(fit.WNUT17(filepath.Join(t.public, "wnut17"), fit.HabitsOf(articles), t.given(crf.Defaults())))
	}
	return fmt.Errorf("-only: %q is not zh, en, cluener, cluener-folds or wnut17", name)
}

func (t *trainer) chinese() error {
	articles, err := t.articles()
	if err != nil {
		return err
	}
	return t.save("zh", fit.Chinese(articles, t.words, t.lex, t.given(crf.Defaults())))
}

func (t *trainer) english() error {
	articles, err := t.articles()
	if err != nil {
		return err
	}
	en, err := fit.English(articles, t.public, t.words, t.lex, t.given(crf.Defaults()))
	if err != nil {
		return err
	}
	if err := told("wikigold")(fit.Wikigold(en, filepath.Join(t.public, "wikigold", "wikigold.conll.txt"))); err != nil {
		return err
	}
	return t.save("en", en)
}

// save writes a tagger's file if it is to be written.
func (t *trainer) save(name string, to *tagger.Tagger) error {
	var b bytes.Buffer
	if err := to.Pack(&b); err != nil {
		return err
	}
	fmt.Printf("%s.tagger: %.2f MB\n", name, float64(b.Len())/1e6)
	if !t.write {
		return nil
	}
	return os.WriteFile(filepath.Join("entity", "tagger", "data", name+".tagger"), b.Bytes(), 0o644)
}

// told prints what a measure has given.
func told(name string) func(*gold.Counts, error) error {
	return func(c *gold.Counts, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Printf("%-13s precision %.3f, recall %.3f, F1 %.3f (%d names)\n", name, c.Precision(), c.Recall(), c.F1(), c.Gold)
		return nil
	}
}
