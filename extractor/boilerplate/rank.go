package boilerplate

import (
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"xinwen/extractor/dom"
	"xinwen/extractor/tree"
)

//go:embed blocks.json
var blocksFile []byte

//go:embed again.json
var againFile []byte

//go:embed candidates.json
var candidatesFile []byte

// judges are the fitted models: one on blocks, one on candidates.
type judges struct {
	blocks, again, candidates *tree.Model
}

var loadJudges = sync.OnceValue(func() judges {
	load := func(name string, data []byte, features []string) *tree.Model {
		m, err := tree.Parse(data, features)
		if err != nil {
			panic(fmt.Sprintf("boilerplate: %s does not fit the program, run extractor/cmd/fit: %v", name, err))
		}
		return m
	}
	return judges{
		blocks: load("blocks.json", blocksFile, BlockFeatures()), again: load("again.json", againFile, SecondFeatures()),
		candidates: load("candidates.json", candidatesFile, CandidateFeatures()),
	}
})

// CandidateFeatures returns the names of the columns that Judge returns.
func CandidateFeatures() []string { return slices.Clone(candidateFeatures) }

// candidateFeatures are the columns of a candidate's row.
var candidateFeatures = strings.Fields(`expected expected_precision expected_recall agreement best_agreement run_overlap judged_overlap
	kind_run kind_template kind_itemprop kind_structured kind_flow kind_siblings kind_whole kind_judged
	prose_share link_density units doubt page_good structured_overlap
	title_gap title_prose starts_deck summary aside holes count least_first least_last`)

// Examination is a page with its candidates and the features of its blocks:
// what the models judge, and are fitted on.
type Examination struct {
	// Rows are the features of the blocks; those far from all candidates have
	// none.
	Rows [][]float32
	// Candidates are the answers that the rules give, the run first.
	Candidates []Candidate
	page       *page
	context    *blockContext
}

// Examine finds the candidates of d and the features of its blocks.
func Examine(d *dom.Document, h Hints) *Examination {
	p := &page{doc: d, hints: h}
	p.measure()
	p.value()
	run := p.choose()
	if run.Score == 0 && p.good[len(p.good)-1] > 60 {
		// The names of elements misled: go by the text alone.
		clear(p.cues)
		for i := range p.under {
			p.under[i] &= cueConsent
		}
		p.value()
		run = p.choose()
	}
	if n := len(run.Blocks); n > 0 {
		p.start, p.last = run.Blocks[0], run.Blocks[n-1]+1
	}
	p.confirm()
	x := &Examination{page: p, Candidates: p.candidates(run)}
	x.context = p.context(x.Candidates)
	x.Rows = p.rows(x.context, x.Candidates)
	return x
}

// Judge adds the candidate of the blocks that are probably the article's, and
// returns all candidates with their features.
func (x *Examination) Judge(probability []float64) ([]Candidate, [][]float32) {
	p := x.page
	judged := Candidate{Kinds: []Kind{KindJudged}, Element: -1, flow: -1}
	keep := make([]bool, len(probability))
	for i, q := range probability {
		keep[i] = q > 0.5 && i < p.stop && !p.never(i)
	}
	if first := slices.Index(keep, true); first >= 0 {
		last := len(keep)
		for !keep[last-1] {
			last--
		}
		p.cutSections(first, last, keep)
		p.cutTail(first, last, keep)
	}
	for i, k := range keep {
		if k {
			judged.Blocks = append(judged.Blocks, i)
		}
	}
	cs := slices.Clone(x.Candidates)
	if n := len(judged.Blocks); n > 0 {
		judged.First, judged.End = judged.Blocks[0], judged.Blocks[n-1]+1
		same := slices.IndexFunc(cs, func(c Candidate) bool { return slices.Equal(c.Blocks, judged.Blocks) })
		if same < 0 {
			cs = append(cs, judged)
		} else {
			cs[same].Kinds = append(slices.Clone(cs[same].Kinds), KindJudged)
		}
	}
	var all, doubt float64
	for i, q := range probability {
		u := p.doc.Blocks[i].Units
		all += q * u
		doubt += min(q, 1-q) * u
	}
	rows := make([][]float32, len(cs))
	for k := range cs {
		c := &cs[k]
		var units, hit, linked, prose float64
		for _, i := range c.Blocks {
			b := &p.doc.Blocks[i]
			units += b.Units
			hit += probability[i] * b.Units
			linked += b.LinkUnits
			if p.prose[i] {
				prose += b.Units
			}
		}
		expected, precision, recall := 0.0, 0.0, 0.0
		if units > 0 {
			precision = hit / units
		}
		if all > 0 {
			recall = hit / all
		}
		if precision+recall > 0 {
			expected = 2 * precision * recall / (precision + recall)
		}
		agreement, most, structured := 0.0, 0.0, -1.0
		for j := range cs {
			if j == k {
				continue
			}
			o := p.overlap(c.Blocks, cs[j].Blocks)
			agreement += o
			most = max(most, o)
			if cs[j].is(KindStructured) {
				structured = o
			}
		}
		if c.is(KindStructured) {
			structured = 1
		}
		row := []float32{
			float32(expected), float32(precision), float32(recall), float32(agreement / max(1, float64(len(cs)-1))), float32(most),
			float32(p.overlap(c.Blocks, cs[0].Blocks)), float32(p.overlap(c.Blocks, judged.Blocks)),
		}
		for _, kind := range [...]Kind{KindRun, KindTemplate, KindItemprop, KindStructured, KindFlow, KindSiblings, KindWhole, KindJudged} {
			row = append(row, flag(c.is(kind)))
		}
		rows[k] = append(row, float32(prose/max(1, p.good[len(p.good)-1])), float32(linked/max(1, units)), logp(units),
			float32(doubt/max(1, all+doubt)), logp(p.good[len(p.good)-1]), float32(structured))
		rows[k] = append(rows[k], p.shape(c, probability)...)
	}
	return cs, rows
}

// better reports whether a candidate is to be taken rather than one before it:
// what is about as good does not count as better.
func better(c, than *Candidate) bool {
	return len(c.Blocks) > 0 && (c.Score > than.Score+0.002 || len(than.Blocks) == 0)
}

// score returns the F1 that is expected of a candidate: what the judgement on
// its blocks leads to expect, and the model's correction.
func score(m *tree.Model, row []float32) float64 { return float64(row[0]) + m.Sum(row) }

// shape returns the features of where a candidate begins and ends.
func (p *page) shape(c *Candidate, probability []float64) []float32 {
	if len(c.Blocks) == 0 {
		return make([]float32, 9)
	}
	first, last := c.Blocks[0], c.Blocks[len(c.Blocks)-1]
	gap, prose := -1.0, -1.0
	if p.title >= 0 && first > p.title {
		gap, prose = float64(first-p.title), p.good[first]-p.good[p.title]
	}
	summary := 0.0
	if s := fold(p.hints.Summary); len(s) > 30 {
		s = s[:min(len(s), 60)]
		for n, i := range c.Blocks {
			if n < 8 && strings.Contains(fold(p.doc.Blocks[i].Text), s) {
				summary = 1
			}
		}
	}
	aside, holes := 0.0, 0
	for n, i := range c.Blocks {
		if p.under[i]&(cueAside|cueChrome) != 0 {
			aside += p.doc.Blocks[i].Units
		}
		if n > 0 && i > c.Blocks[n-1]+3 {
			holes++
		}
	}
	return []float32{
		logp(gap), logp(prose), flag(p.under[first]&cueDeck != 0), float32(summary), float32(aside / max(1, p.units[last+1]-p.units[first])), float32(min(holes, 9)),
		logp(float64(len(c.Blocks))), float32(probability[first]), float32(probability[last]),
	}
}

// Choose scores the candidates by a model and returns the index of the best.
func Choose(m *tree.Model, cs []Candidate, rows [][]float32) int {
	best := 0
	for k := range cs {
		cs[k].Score = math.Round(1000*score(m, rows[k])) / 1000
		if better(&cs[k], &cs[best]) {
			best = k
		}
	}
	return best
}

// pick returns the body that the models prefer.
func (x *Examination) pick() *Body {
	j := loadJudges()
	judge := func(m *tree.Model, rows [][]float32) []float64 {
		out := make([]float64, len(rows))
		for i, row := range rows {
			if row != nil {
				out[i] = m.Probability(row)
			}
		}
		return out
	}
	probability := judge(j.again, x.Again(judge(j.blocks, x.Rows)))
	cs, rows := x.Judge(probability)
	best := Choose(j.candidates, cs, rows)
	c := &cs[best]
	return &Body{Blocks: x.page.withLinked(c.Blocks, probability), Element: c.Element, Score: c.Score, Candidates: cs, Chosen: best, Probability: probability, Found: x.page.found}
}
