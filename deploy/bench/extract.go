package main

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
	"unicode"

	readability "codeberg.org/readeck/go-readability/v2"
	"github.com/markusmobius/go-trafilatura"

	"xinwen/extractor"
	"xinwen/news"
	"xinwen/news/charset"
)

// knownPages is where pages whose article is known lie beside the project.
const knownPages = "../../../shared/data/extraction"

// knownPage is a page whose article is known.
type knownPage struct {
	ID, Set, HTML, Lang, Text string
	Kind                      string `json:"page_type"`
	body                      []byte
	utf8                      string
	gold                      map[string]int // shingles
	words                     map[string]int
}

// bodyEngine finds the text of a page. All get the same: bytes as saved, or
// decoded by us for those that expect UTF-8.
type bodyEngine struct {
	name string
	text func(*knownPage) (string, error)
}

// extract compares the text of articles with the known one: F1 over runs of four
// words, a Han character being a word, from the mean precision and recall of a
// set's pages.
func extract(ctx context.Context) error {
	pages, err := readKnownPages()
	if err != nil {
		return err
	}
	x, err := extractor.New(extractor.Options{})
	if err != nil {
		return err
	}
	engines := []bodyEngine{
		{"xinwen", func(p *knownPage) (string, error) {
			a, err := x.Extract(&news.Page{URL: "https://page.example/" + p.ID, Body: p.body, Fast: true})
			if err != nil {
				return "", err
			}
			return a.Text, nil
		}},
		{"readability", func(p *knownPage) (string, error) {
			parser := readability.NewParser()
			a, err := parser.Parse(strings.NewReader(p.utf8), nil)
			if err != nil || a.Node == nil {
				return "", err
			}
			var b strings.Builder
			err = a.RenderText(&b)
			return b.String(), err
		}},
		{"trafilatura", func(p *knownPage) (string, error) {
			r, err := trafilatura.Extract(strings.NewReader(p.utf8), trafilatura.Options{ExcludeComments: true, EnableFallback: true})
			if err != nil || r == nil {
				return "", err
			}
			return r.ContentText, nil
		}},
	}
	scores := make([]map[string]*bodyScore, len(engines))
	seconds := make([]float64, len(engines))
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for i, e := range engines {
		scores[i] = make(map[string]*bodyScore)
		for _, p := range pages {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			before := processTime()
			text, err := guarded(e.text, p)
			seconds[i] += (processTime() - before).Seconds()
			if err != nil {
				text = "" // a page that an engine refuses counts as empty
			}
			p.score(text, scores[i])
		}
	}
	printScores(engines, scores, seconds, len(pages))
	return nil
}

// guarded turns a panic of an engine into an error.
func guarded(f func(*knownPage) (string, error), p *knownPage) (text string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	return f(p)
}

// processTime is the processor time of this process so far, garbage collection
// included.
func processTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// readKnownPages reads the articles among the development pages.
func readKnownPages() ([]*knownPage, error) {
	ids, err := os.ReadFile(filepath.Join(knownPages, "dev.txt"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("this measurement reads %s/dev.txt, which is not there", knownPages)
	}
	if err != nil {
		return nil, err
	}
	use := make(map[string]bool)
	for id := range strings.FieldsSeq(string(ids)) {
		use[id] = true
	}
	files, err := filepath.Glob(filepath.Join(knownPages, "*", "gold.jsonl"))
	if err != nil {
		return nil, err
	}
	var pages []*knownPage
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 64<<20)
		for lines.Scan() {
			p := &knownPage{}
			if err := json.Unmarshal(lines.Bytes(), p); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if !use[p.ID] || p.Kind != "article" || strings.TrimSpace(p.Text) == "" {
				continue
			}
			if err := p.read(); err != nil {
				return nil, fmt.Errorf("%s: %w", p.ID, err)
			}
			pages = append(pages, p)
		}
		if err := errors.Join(lines.Err(), f.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return pages, nil
}

func (p *knownPage) read() error {
	raw, err := os.ReadFile(filepath.Join(knownPages, p.HTML))
	if err != nil {
		return err
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	if p.body, err = io.ReadAll(z); err != nil {
		return err
	}
	p.utf8, _ = charset.Decode(p.body, "")
	t := p.tokens(p.Text)
	p.gold, p.words = runsOf(t, 4), runsOf(t, 1)
	return nil
}

// bodyScore adds up the pages of a set.
type bodyScore struct {
	pages, bad                int
	precision, recall, wordF1 float64
}

func (s *bodyScore) f1() float64 {
	n := max(float64(s.pages), 1)
	return harmonic(s.precision/n, s.recall/n)
}

func harmonic(a, b float64) float64 {
	if a+b == 0 {
		return 0
	}
	return 2 * a * b / (a + b)
}

const zhArticles = "Chinese"

// score adds what a text is worth to the sets of p.
func (p *knownPage) score(text string, all map[string]*bodyScore) {
	t := p.tokens(text)
	precision, recall := common(p.gold, runsOf(t, 4))
	wp, wr := common(p.words, runsOf(t, 1))
	sets := []string{p.Set}
	if strings.HasPrefix(p.Lang, "zh") {
		sets = append(sets, zhArticles)
	}
	for _, name := range sets {
		s := all[name]
		if s == nil {
			s = &bodyScore{}
			all[name] = s
		}
		s.pages++
		s.precision += precision
		s.recall += recall
		s.wordF1 += harmonic(wp, wr)
		if harmonic(precision, recall) < 0.5 {
			s.bad++
		}
	}
}

// tokens are words; in Chinese and Japanese each character is one.
func (p *knownPage) tokens(s string) []string {
	wide := strings.HasPrefix(p.Lang, "zh") || strings.HasPrefix(p.Lang, "ja")
	var out []string
	start := -1
	end := func(i int) {
		if start >= 0 {
			out = append(out, s[start:i])
			start = -1
		}
	}
	for i, r := range s {
		switch {
		case wide && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			end(i)
			out = append(out, string(r))
		case unicode.IsLetter(r) || unicode.IsNumber(r) || r == '_':
			if start < 0 {
				start = i
			}
		default:
			end(i)
		}
	}
	end(len(s))
	return out
}

// runsOf counts the runs of n tokens.
func runsOf(t []string, n int) map[string]int {
	m := make(map[string]int, len(t))
	for i := range max(min(1, len(t)), len(t)-n+1) {
		m[strings.Join(t[i:min(len(t), i+n)], "\x00")]++
	}
	return m
}

// common returns the precision and recall of got.
func common(want, got map[string]int) (precision, recall float64) {
	both, w, g := 0, 0, 0
	for k, n := range want {
		w += n
		both += min(n, got[k])
	}
	for _, n := range got {
		g += n
	}
	if g == 0 || w == 0 {
		return 0, 0
	}
	return float64(both) / float64(g), float64(both) / float64(w)
}

func printScores(engines []bodyEngine, scores []map[string]*bodyScore, seconds []float64, pages int) {
	t := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprint(t, "set\tpages")
	for _, e := range engines {
		fmt.Fprintf(t, "\t%s F1\t< .5", e.name)
	}
	fmt.Fprintln(t)
	for _, set := range slices.Sorted(maps.Keys(scores[0])) {
		fmt.Fprintf(t, "%s\t%d", set, scores[0][set].pages)
		for i := range engines {
			fmt.Fprintf(t, "\t%.3f\t%d", scores[i][set].f1(), scores[i][set].bad)
		}
		fmt.Fprintln(t)
	}
	fmt.Fprint(t, "pages/s/core\t")
	for i := range engines {
		fmt.Fprintf(t, "\t%.0f\t", float64(pages)/seconds[i])
	}
	fmt.Fprintln(t)
	_ = t.Flush() // to standard output
	show := func(name, unit, target string, value func(i int) float64) {
		var rivals []string
		for i := 1; i < len(engines); i++ {
			rivals = append(rivals, engines[i].name+"="+number(value(i)))
		}
		versus(name, value(0), unit, target, rivals...)
	}
	of := func(set string, get func(*bodyScore) float64) func(int) float64 {
		return func(i int) float64 {
			if s := scores[i][set]; s != nil {
				return get(s)
			}
			return 0
		}
	}
	show("body, Chinese articles", "F1", "≥ .965, aim .975", of(zhArticles, (*bodyScore).f1))
	show("Chinese pages below .5", "pages", "≤ 2, aim 0", of(zhArticles, func(s *bodyScore) float64 { return float64(s.bad) }))
	show("body, zyte", "F1", "≥ .972, aim .980", of("zyte", (*bodyScore).f1))
	show("body, WCXB", "word F1", "≥ .950, aim .960", of("wcxb", func(s *bodyScore) float64 { return s.wordF1 / float64(s.pages) }))
	show("extraction, parse included", "pages/s/core", "≥ 100, aim 150", func(i int) float64 { return float64(pages) / cmp.Or(seconds[i], 1) })
}
