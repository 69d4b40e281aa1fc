package main

import (
	"slices"
	"strings"
	"unicode"

	"xinwen/extractor/boilerplate"
	"xinwen/extractor/cmd/internal/known"
	"xinwen/extractor/dom"
	"xinwen/extractor/metadata"
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

// containerGold are sets whose text is all that one container of the site
// holds, with related links and editors; what is no prose there says nothing.
var containerGold = map[string]bool{"cx163": true, "gne": true}

// load reads the pages whose text is known, all of it or pieces.
func load(data string) ([]*page, error) {
	var pages []*page
	err := known.Each(data, func(l *known.Line) bool {
		return strings.TrimSpace(l.Text) != "" || len(l.With)+len(l.Without) > 0
	}, func(l *known.Line, html string) error {
		pages = append(pages, read(l, html))
		return nil
	})
	return pages, err
}

func read(g *known.Line, html string) *page {
	d := dom.Parse(html)
	head := metadata.ReadHead(d)
	hints := metadata.Hints(head, g.URL)
	p := &page{id: g.ID, set: g.Set, lang: g.Language(), kind: g.PageType, doc: d, exam: boilerplate.Examine(d, hints), weight: 1}
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
	return p
}

// pieces marks the blocks that hold what is known to belong to the article, or
// not to.
func (p *page) pieces(g *known.Line) {
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
func (p *page) label(g *known.Line) {
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
