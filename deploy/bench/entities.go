package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"xinwen/extractor/entity"
	"xinwen/extractor/entity/crf"
	"xinwen/extractor/entity/fit"
	"xinwen/extractor/entity/gold"
	"xinwen/extractor/entity/tagger"
	"xinwen/news/han"
	"xinwen/news/lexicon"
)

// entities measures names, amounts and dates: speed, the lexicon's load, and
// quality on annotated sets where they lie.
func entities(ctx context.Context) error {
	flags := flag.NewFlagSet("entities", flag.ContinueOnError)
	data := flags.String("data", filepath.Join("..", "..", "..", "shared", "data"), "folder of the test data")
	train := flags.Bool("train", false, "train taggers for CLUENER and WNUT17 too, which takes minutes")
	if err := flags.Parse(os.Args[2:]); err != nil {
		return err
	}
	lex, err := loadLexicon()
	if err != nil {
		return err
	}
	g := entity.New(lex)
	if err := entitySpeed(ctx, g, *data); err != nil {
		return err
	}
	if err := annotatedNews(g, filepath.Join(*data, "entities")); err != nil {
		return err
	}
	return publicSets(lex, filepath.Join(*data, "entities", "public"), *train)
}

// loadLexicon loads the lexicon and prints what that takes.
func loadLexicon() (*lexicon.Lexicon, error) {
	han.FoldString("一") // its tables are loaded once for all
	before := heap()
	began := cpu()
	lex, err := lexicon.Builtin()
	if err != nil {
		return nil, err
	}
	took := cpu() - began
	figure("lexicon load", took.Seconds(), "s of CPU", "< 0.3")
	figure("lexicon memory", float64(heap()-before)/(1<<20), "MiB", "< 60")
	figure("lexicon entities", float64(len(lex.Entities())), "", "≥ 3,000")
	runtime.KeepAlive(lex)
	return lex, nil
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// entitySpeed annotates real news, one article at a time.
func entitySpeed(ctx context.Context, g *entity.Gazetteer, data string) error {
	var texts []string
	for _, name := range [...]string{"news-zh-hans.jsonl.gz", "news-en.jsonl.gz", "news-zh-hant.jsonl.gz"} {
		list, err := someTexts(filepath.Join(data, "corpora", name), 100)
		if errors.Is(err, fs.ErrNotExist) {
			fmt.Println("no corpora here: no figures of speed")
			return nil
		}
		if err != nil {
			return err
		}
		texts = append(texts, list...)
	}
	bytes, chars := 0, 0
	for _, t := range texts {
		bytes += len(t)
		chars += len([]rune(t))
	}
	g.Annotate(texts[0], entity.Context{Lang: "zh"}) // loads the taggers
	speed := func(do func(string)) float64 {
		began := cpu()
		n := 0
		for ; cpu()-began < 3*time.Second && ctx.Err() == nil; n++ {
			for _, t := range texts {
				do(t)
			}
		}
		return (cpu() - began).Seconds() / float64(n)
	}
	rules := speed(func(t string) { g.Spans(t, entity.Context{}) })
	all := speed(func(t string) { g.Annotate(t, entity.Context{}) })
	figure("gazetteer, grammar and rules", float64(bytes)/1e6/rules, "MB/s of CPU", "≥ 10, aim 25")
	figure("everything", float64(chars)/2000/all, "articles of 2,000 characters/s of CPU", "≥ 150, aim 400")
	return ctx.Err()
}

// someTexts reads the first n texts of about 2,000 characters.
func someTexts(path string, n int) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	var out []string
	for d := json.NewDecoder(bufio.NewReader(z)); len(out) < n && d.More(); {
		var a struct{ Title, Text string }
		if err := d.Decode(&a); err != nil {
			return nil, err
		}
		if r := []rune(a.Title + "\n" + a.Text); len(r) > 1000 {
			out = append(out, string(r[:min(len(r), 2000)]))
		}
	}
	return out, nil
}

// annotatedNews scores mentions and links on news annotated by hand.
func annotatedNews(g *entity.Gazetteer, dir string) error {
	articles, err := gold.News(dir)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Println("no annotated news here: no figures of quality")
		return nil
	}
	if err != nil {
		return err
	}
	var s gold.Score
	same, all := 0, 0
	for i := range articles {
		a := &articles[i]
		lang, _, _ := strings.Cut(a.Lang, "-")
		c := entity.Context{Lang: lang, Date: a.Published(), Hant: a.Lang == "zh-Hant"}
		found := g.Annotate(a.Content(), c)
		s.Add(a, found)
		converted := make(map[[2]int]string)
		for _, m := range g.Annotate(han.Simplify(a.Content()), c) {
			converted[[2]int{m.Start, m.End}] = m.Entity
		}
		for _, m := range found {
			if m.Entity != "" {
				all++
				if converted[[2]int{m.Start, m.End}] == m.Entity {
					same++
				}
			}
		}
	}
	figure("annotated news, organisations", s.Spans["org"].F1(), "F1", "≥ 0.92, aim 0.95")
	figure("annotated news, all kinds", s.Spans["all"].F1(), "F1", "≥ 0.88, aim 0.92")
	for _, lang := range [...]string{"en", "zh-Hans", "zh-Hant"} {
		figure("annotated news, "+lang, s.Spans[lang].F1(), "F1", "within 0.04, aim 0.02")
	}
	figure("annotated news, right entity", float64(s.Linked)/float64(s.Links), "of the right spans", "≥ 0.95, aim 0.98")
	figure("same entity after conversion", float64(same)/float64(all), "of the mentions", "≥ 0.99, aim 0.999")
	return nil
}

// publicSets measures the taggers alone on public sets.
func publicSets(lex *lexicon.Lexicon, dir string, train bool) error {
	english, err := tagger.Builtin(tagger.English)
	if err != nil {
		return err
	}
	c, err := fit.Wikigold(english, filepath.Join(dir, "wikigold", "wikigold.conll.txt"))
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Println("no public sets here: no figures of the taggers alone")
		return nil
	}
	if err != nil {
		return err
	}
	figure("wikigold, tagger as shipped, never seen", c.F1(), "F1", "")
	if !train {
		return nil
	}
	chinese, err := tagger.Builtin(tagger.Chinese)
	if err != nil {
		return err
	}
	if c, err = fit.WNUT17(filepath.Join(dir, "wnut17"), english.Words(), crf.Defaults()); err != nil {
		return err
	}
	versus("WNUT17 test, own tagger", c.F1(), "F1", "", "best of the shared task=0.419")
	if c, err = fit.CLUENER(filepath.Join(dir, "cluener2020"), chinese.Words(), lex, fit.CLUENEROptions()); err != nil {
		return err
	}
	versus("CLUENER dev, own tagger", c.F1(), "F1", "≥ 0.75, aim 0.78", "BiLSTM-CRF=0.675", "RoBERTa=0.796")
	return nil
}
