// Command fit fits the models of package boilerplate on pages whose article is
// known, and says how well they do on sites they were not fitted on.
//
//	go run ./cmd/fit -data ../../shared/data/extraction [-write]
//
// The folder holds <set>/gold.jsonl with lines {id, html, text, url, lang,
// page_type} and dev.txt with the IDs to use. Pages of one site are always in
// one fold, so that the figures printed are for sites the models have not seen.
// With -write the models of all folds together are written to
// boilerplate/blocks.json and boilerplate/candidates.json.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"xinwen/extractor/boilerplate"
	"xinwen/extractor/tree"
)

func main() {
	data := flag.String("data", "../../shared/data/extraction", "folder with <set>/gold.jsonl and dev.txt")
	write := flag.Bool("write", false, "write the models")
	dir := flag.String("dir", "boilerplate", "where to write them")
	folds := flag.Int("folds", 5, "how many parts the sites are split into")
	flag.Parse()
	if err := run(*data, *dir, *write, *folds); err != nil {
		fmt.Fprintln(os.Stderr, "fit:", err)
		os.Exit(1)
	}
}

var (
	blockOptions     = tree.FitOptions{Trees: 120, Depth: 4, Rate: 0.12, Smooth: 2, MinWeight: 1, Classes: true}
	candidateOptions = tree.FitOptions{Trees: 60, Depth: 3, Rate: 0.1, Smooth: 5, MinWeight: 4}
)

func run(data, dir string, write bool, folds int) error {
	pages, err := load(data)
	if err != nil {
		return err
	}
	fmt.Printf("%d pages of %d sites\n", len(pages), sites(pages))
	// Each page's blocks are judged by a model that has not seen its site.
	probability := make([][]float64, len(pages))
	for k := range folds {
		m := fitBlocks(pages, func(p *page) bool { return p.fold(folds) != k })
		for i, p := range pages {
			if p.fold(folds) == k {
				probability[i] = judge(m, p)
			}
		}
	}
	for i, p := range pages {
		p.judge(probability[i])
	}
	chosen := make([]int, len(pages))
	for k := range folds {
		m := fitCandidates(pages, func(p *page) bool { return p.fold(folds) != k })
		for i, p := range pages {
			if p.fold(folds) == k {
				chosen[i] = p.best(m)
			}
		}
	}
	report(pages, chosen)
	if !write {
		return nil
	}
	all := func(*page) bool { return true }
	note := fmt.Sprintf("fitted by cmd/fit on %d pages of %d sites", len(pages), sites(pages))
	blocks, candidates := fitBlocks(pages, all), fitCandidates(pages, all)
	blocks.Note, candidates.Note = note, note
	if err := save(filepath.Join(dir, "blocks.json"), blocks); err != nil {
		return err
	}
	return save(filepath.Join(dir, "candidates.json"), candidates)
}

// save writes a model, one tree a line.
func save(path string, m *tree.Model) error {
	trees := m.Trees
	head := *m
	head.Trees = nil
	data, err := json.Marshal(&head)
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(string(data), `"trees":null}`))
	b.WriteString("\"trees\":[\n")
	for i := range trees {
		t, err := json.Marshal(&trees[i])
		if err != nil {
			return fmt.Errorf("model: %w", err)
		}
		b.Write(t)
		if i < len(trees)-1 {
			b.WriteByte(',')
		}
		b.WriteByte('\n')
	}
	b.WriteString("]}\n")
	return os.WriteFile(path, []byte(b.String()), 0o644)
}

func (p *page) fold(n int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(p.site)) // never fails
	return int(h.Sum32() % uint32(n))
}

func sites(pages []*page) int {
	seen := make(map[string]bool)
	for _, p := range pages {
		seen[p.site] = true
	}
	return len(seen)
}

func fitBlocks(pages []*page, use func(*page) bool) *tree.Model {
	var samples []tree.Sample
	for _, p := range pages {
		if !use(p) {
			continue
		}
		for i, row := range p.exam.Rows {
			if w := p.weights[i] * p.weight; w > 0 {
				samples = append(samples, tree.Sample{Row: row, Target: p.labels[i], Weight: w})
			}
		}
	}
	return tree.Fit(boilerplate.BlockFeatures(), samples, blockOptions)
}

func fitCandidates(pages []*page, use func(*page) bool) *tree.Model {
	var samples []tree.Sample
	for _, p := range pages {
		if !use(p) {
			continue
		}
		for k, row := range p.rows {
			samples = append(samples, tree.Sample{Row: row, Target: p.f1[k], Weight: p.weight})
		}
	}
	return tree.Fit(boilerplate.CandidateFeatures(), samples, candidateOptions)
}

func judge(m *tree.Model, p *page) []float64 {
	out := make([]float64, len(p.exam.Rows))
	for i, row := range p.exam.Rows {
		if p.doc.Blocks[i].Units > 0 {
			out[i] = m.Probability(row)
		}
	}
	return out
}

// report prints, by set, the F1 of the rules' run, of the judged blocks, of the
// candidate that the ranker chose and of the best one. F1 is that of the mean
// precision and recall over 4-shingles, Han characters being words.
func report(pages []*page, chosen []int) {
	type sums struct {
		n   int
		pr  [4][2]float64
		bad [4]int
	}
	groups := make(map[string]*sums)
	add := func(name string, p *page, chosen int) {
		g := groups[name]
		if g == nil {
			g = &sums{}
			groups[name] = g
		}
		g.n++
		best := 0
		for k := range p.f1 {
			if p.f1[k] > p.f1[best] {
				best = k
			}
		}
		judged := 0
		for k := range p.candidates {
			if p.candidates[k].Kind == boilerplate.KindJudged {
				judged = k
			}
		}
		for j, k := range [...]int{0, judged, chosen, best} {
			g.pr[j][0] += p.precision[k]
			g.pr[j][1] += p.recall[k]
			if p.f1[k] < 0.5 {
				g.bad[j]++
			}
		}
	}
	for i, p := range pages {
		add(p.set, p, chosen[i])
		if p.lang == "zh" && p.kind == "article" {
			add("zh articles", p, chosen[i])
		}
		add("all", p, chosen[i])
	}
	names := make([]string, 0, len(groups))
	for n := range groups {
		names = append(names, n)
	}
	slices.Sort(names)
	fmt.Printf("%-14s %5s  %-22s %-22s %-22s %-22s\n", "set", "pages", "run (P R F1 <.5)", "judged", "chosen", "best")
	for _, n := range names {
		g := groups[n]
		fmt.Printf("%-14s %5d ", n, g.n)
		for j := range g.pr {
			a, b := g.pr[j][0]/float64(g.n), g.pr[j][1]/float64(g.n)
			fmt.Printf(" %.3f %.3f %.4f %2d  ", a, b, 2*a*b/math.Max(a+b, 1e-9), g.bad[j])
		}
		fmt.Println()
	}
}
