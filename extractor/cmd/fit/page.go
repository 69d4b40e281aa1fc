package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"xinwen/extractor/boilerplate"
	"xinwen/extractor/dom"
	"xinwen/extractor/metadata"
	"xinwen/news/charset"
	"xinwen/news/weburl"
)

// page is a page with what is known of it.
type page struct {
	id, set, lang, kind, site string
	weight                    float64
	doc                       *dom.Document
	exam                      *boilerplate.Examination
	labels, weights           []float64 // by block
	again                     [][]float32

	gold                  map[string]int
	tokens                [][]string // by block
	candidates            []boilerplate.Candidate
	rows                  [][]float32
	precision, recall, f1 []float64 // by candidate
}

type goldLine struct {
	ID            string `json:"id"`
	Set           string `json:"set"`
	HTML          string `json:"html"`
	Lang          string `json:"lang"`
	PageType      string `json:"page_type"`
	Text          string `json:"text"`
	URL           string `json:"url"`
	With, Without []string
}

// containerGold are sets whose text is all that one container of the site
// holds, with related links and editors; what is no prose there says nothing.
var containerGold = map[string]bool{"cx163": true, "gne": true}

func load(data string) ([]*page, error) {
	ids, err := os.ReadFile(filepath.Join(data, "dev.txt"))
	if err != nil {
		return nil, err
	}
	use := make(map[string]bool)
	for id := range strings.FieldsSeq(string(ids)) {
		use[id] = true
	}
	files, err := filepath.Glob(filepath.Join(data, "*", "gold.jsonl"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var pages []*page
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		sc := bufio.NewScanner(f)
		sc.Buffer(nil, 64<<20)
		for sc.Scan() {
			var g goldLine
			if err := json.Unmarshal(sc.Bytes(), &g); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if !use[g.ID] || strings.TrimSpace(g.Text) == "" && len(g.With)+len(g.Without) == 0 {
				continue
			}
			p, err := read(data, &g)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", g.ID, err)
			}
			pages = append(pages, p)
		}
		if err := sc.Err(); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		_ = f.Close() // only read
	}
	return pages, nil
}

func read(data string, g *goldLine) (*page, error) {
	raw, err := os.ReadFile(filepath.Join(data, g.HTML))
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	if raw, err = io.ReadAll(z); err != nil {
		return nil, err
	}
	text, _ := charset.Decode(raw, "")
	d := dom.Parse(text)
	head := metadata.ReadHead(d)
	hints := metadata.Hints(head, g.URL)
	p := &page{id: g.ID, set: g.Set, lang: g.Lang[:min(2, len(g.Lang))], kind: g.PageType, doc: d, exam: boilerplate.Examine(d, hints), weight: 1}
	p.site = weburl.RegistrableDomain(hints.Host)
	if p.site == "" {
		p.site = g.ID
	}
	if g.Set == "cx163" {
		p.site = "163.com"
	}
	switch {
	case g.PageType == "forum":
		p.weight = 0.3
	case p.lang == "zh":
		p.weight = 2
	case p.lang != "en":
		p.weight = 0.6
	}
	if g.Text == "" {
		p.pieces(g)
	} else {
		p.label(g)
	}
	return p, nil
}

// pieces marks the blocks that hold what is known to belong to the article, or
// not to.
func (p *page) pieces(g *goldLine) {
	n := len(p.doc.Blocks)
	p.labels, p.weights, p.tokens = make([]float64, n), make([]float64, n), make([][]string, n)
	p.weight *= 0.6
	for i := range p.doc.Blocks {
		for label, list := range [...][]string{g.Without, g.With} {
			for _, s := range list {
				if len(s) > 8 && strings.Contains(p.doc.Blocks[i].Text, strings.Join(strings.Fields(s), " ")) {
					p.labels[i], p.weights[i] = float64(label), 0.5
				}
			}
		}
	}
}

// label marks the blocks that the known text has.
func (p *page) label(g *goldLine) {
	cjk := p.lang == "zh" || p.lang == "ja"
	gold := tokens(g.Text, cjk)
	p.gold = shingles(gold)
	joined := "\x00" + strings.Join(gold, "\x00") + "\x00"
	lines := make(map[string]bool)
	for l := range strings.Lines(g.Text) {
		lines[strings.Join(tokens(l, cjk), "\x00")] = true
	}
	p.labels, p.weights = make([]float64, len(p.doc.Blocks)), make([]float64, len(p.doc.Blocks))
	p.tokens = make([][]string, len(p.doc.Blocks))
	prose := slices.Index(boilerplate.BlockFeatures(), "prose")
	for i := range p.doc.Blocks {
		t := tokens(p.doc.Blocks[i].Text, cjk)
		p.tokens[i] = t
		if len(t) == 0 || p.exam.Rows[i] == nil {
			continue
		}
		p.weights[i] = 0.02 + 10*float64(len(t))/float64(len(gold)+200)
		if p.weights[i] > 3 {
			p.weights[i] = 3
		}
		if containerGold[p.set] && p.exam.Rows[i][prose] == 0 {
			p.weights[i] = 0
		}
		if len(t) < 4 {
			s := strings.Join(t, "\x00")
			switch {
			case lines[s]:
				p.labels[i] = 1
			case strings.Contains(joined, "\x00"+s+"\x00"):
				p.labels[i] = 0.5
				p.weights[i] *= 0.3
			}
			continue
		}
		hit, all := 0, 0
		for s := range shingles(t) {
			all++
			if p.gold[s] > 0 {
				hit++
			}
		}
		p.labels[i] = float64(hit) / float64(all)
	}
}

// judge adds the judged candidate and rates all.
func (p *page) judge(probability []float64) {
	p.candidates, p.rows = p.exam.Judge(probability)
	n := len(p.candidates)
	p.precision, p.recall, p.f1 = make([]float64, n), make([]float64, n), make([]float64, n)
	for k := range p.candidates {
		var all []string
		for _, i := range p.candidates[k].Blocks {
			all = append(all, p.tokens[i]...)
		}
		p.precision[k], p.recall[k] = compare(p.gold, shingles(all))
		if s := p.precision[k] + p.recall[k]; s > 0 {
			p.f1[k] = 2 * p.precision[k] * p.recall[k] / s
		}
	}
}

func compare(gold, got map[string]int) (precision, recall float64) {
	both, g, a := 0, 0, 0
	for s, n := range got {
		both += min(n, gold[s])
		a += n
	}
	for _, n := range gold {
		g += n
	}
	if a == 0 || g == 0 {
		return 0, 0
	}
	return float64(both) / float64(a), float64(both) / float64(g)
}

// tokens are words; in text without spaces each character is one.
func tokens(s string, cjk bool) []string {
	var out []string
	var cur []rune
	flush := func() {
		if len(cur) > 0 {
			out = append(out, string(cur))
			cur = cur[:0]
		}
	}
	for _, r := range s {
		switch {
		case cjk && (unicode.Is(unicode.Han, r) || unicode.Is(unicode.Hiragana, r) || unicode.Is(unicode.Katakana, r)):
			flush()
			out = append(out, string(r))
		case unicode.IsLetter(r) || unicode.IsNumber(r) || r == '_':
			cur = append(cur, r)
		default:
			flush()
		}
	}
	flush()
	return out
}

func shingles(t []string) map[string]int {
	m := make(map[string]int, len(t))
	for i := range max(min(1, len(t)), len(t)-3) {
		m[strings.Join(t[i:min(len(t), i+4)], "\x00")]++
	}
	return m
}
