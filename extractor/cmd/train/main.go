// Command train fits the statistical taggers of package tagger and measures them.
//
//	go run ./cmd/train -words WORDS [-data DIR] [-only NAMES] [-write]
//
// WORDS is gse's Chinese word list, data/dict/zh/s_1.txt of module
// github.com/go-ego/gse; DIR is the folder of the test data. With -write the data
// files beside package tagger are replaced. The same input gives the same files.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
	only := flag.String("only", "zh,en,cluener,wnut17", "what to do: zh, en (fit the taggers), cluener, wnut17 (measure)")
	write := flag.Bool("write", false, "replace the data files of package tagger")
	o := crf.Defaults()
	flag.IntVar(&o.Rounds, "rounds", o.Rounds, "rounds over the sentences")
	flag.Float64Var(&o.Rate, "rate", o.Rate, "rate of learning")
	flag.Float64Var(&o.Decay, "decay", o.Decay, "decay of the weights")
	flag.Float64Var(&o.Dropout, "dropout", o.Dropout, "share of features left out")
	flag.IntVar(&o.Least, "least", o.Least, "least count of a feature")
	flag.Parse()
	if err := run(*words, *data, strings.Split(*only, ","), *write, o); err != nil {
		fmt.Fprintln(os.Stderr, "train:", err)
		os.Exit(1)
	}
}

func run(words, data string, only []string, write bool, o crf.Options) error {
	d, err := fit.ReadDictionary(words)
	if err != nil {
		return fmt.Errorf("-words: %w", err)
	}
	lex, err := lexicon.Builtin()
	if err != nil {
		return err
	}
	began := time.Now()
	o.Told = func(round int, loss float64) {
		fmt.Fprintf(os.Stderr, "round %d: loss %.4f, %s\n", round, loss, time.Since(began).Round(time.Second))
	}
	public := filepath.Join(data, "entities", "public")
	articles, err := fit.Corpora(filepath.Join(data, "corpora"))
	if err != nil {
		return err
	}
	for _, name := range only {
		var (
			c   *gold.Counts
			err error
		)
		switch name {
		case "zh":
			err = save(write, "zh", fit.Chinese(articles, d, lex, o))
		case "en":
			t, err := fit.English(articles, public, d, lex, o)
			if err != nil {
				return err
			}
			if c, err = fit.Wikigold(t, filepath.Join(public, "wikigold", "wikigold.conll.txt")); err != nil {
				return err
			}
			told("wikigold", c)
			c = nil
			if err := save(write, "en", t); err != nil {
				return err
			}
		case "cluener":
			c, err = fit.CLUENER(filepath.Join(public, "cluener2020"), d.Words, lex, o)
		case "wnut17":
			c, err = fit.WNUT17(filepath.Join(public, "wnut17"), fit.HabitsOf(articles), o)
		default:
			err = fmt.Errorf("-only: %q is not zh, en, cluener or wnut17", name)
		}
		if err != nil {
			return err
		}
		if c != nil {
			told(name, c)
		}
	}
	return nil
}

// save writes a tagger's file.
func save(write bool, name string, t *tagger.Tagger) error {
	var b bytes.Buffer
	if err := t.Pack(&b); err != nil {
		return err
	}
	fmt.Printf("%s.tagger: %.2f MB\n", name, float64(b.Len())/1e6)
	if !write {
		return nil
	}
	return os.WriteFile(filepath.Join("entity", "tagger", "data", name+".tagger"), b.Bytes(), 0o644)
}

func told(name string, c *gold.Counts) {
	fmt.Printf("%-12s precision %.3f, recall %.3f, F1 %.3f (%d names)\n", name, c.Precision(), c.Recall(), c.F1(), c.Gold)
}
