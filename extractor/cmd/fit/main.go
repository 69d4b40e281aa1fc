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
	worst := flag.Float64("worst", 0, "list the pages where a better candidate was missed by this much F1")
	flag.Parse()
	if err := run(*data, *dir, *write, *folds, *worst); err != nil {
		fmt.Fprintln(os.Stderr, "fit:", err)
		os.Exit(1)
	}
}

var (
	blockOptions     = tree.FitOptions{Trees: 120, Depth: 4, Rate: 0.12, Smooth: 5, MinWeight: 5, Classes: true}
	againOptions     = tree.FitOptions{Trees: 80, Depth: 4, Rate: 0.1, Smooth: 5, MinWeight: 5, Classes: true}
	candidateOptions = tree.FitOptions{Trees: 80, Depth: 3, Rate: 0.06, Smooth: 10, MinWeight: 10}
)

func run(data, dir string, write bool, folds int, worst float64) error {
	pages, err := load(data)
	if err != nil {
		return err
	}
	fmt.Printf("%d pages of %d sites\n", len(pages), sites(pages))
	// Each page's blocks are judged by models that have not seen its site; the
	// second learns from what the first says of pages it has not seen.
	first := crossed(pages, folds, func(use func(*page) bool) *tree.Model { return fitBlocks(pages, use) }, func(p *page) [][]float32 { return p.exam.Rows })
	for i, p := range pages {
		p.again = p.exam.Again(first[i])
	}
	second := crossed(pages, folds, func(use func(*page) bool) *tree.Model { return fitAgain(pages, use) }, func(p *page) [][]float32 { return p.again })
	for i, p := range pages {
		p.judge(second[i])
	}
	chosen := make([]int, len(pages))
	for k := range folds {
		m := fitCandidates(pages, func(p *page) bool { return p.fold(folds) != k })
		for i, p := range pages {
			if p.fold(folds) == k {
				chosen[i] = boilerplate.Choose(m, p.candidates, p.rows)
			}
		}
	}
	report(pages, chosen)
	if worst > 0 {
		misses(pages, chosen, worst)
	}
	if !write {
		return nil
	}
	all := func(*page) bool { return true }
	note := fmt.Sprintf("fitted by cmd/fit on %d pages of %d sites", len(pages), sites(pages))
	for name, m := range map[string]*tree.Model{"blocks.json": fitBlocks(pages, all), "again.json": fitAgain(pages, all), "candidates.json": fitCandidates(pages, all)} {
		m.Note = note
		if err := save(filepath.Join(dir, name), m); err != nil {
			return err
		}
	}
	return nil
}

// crossed judges the blocks of each page by a model fitted on the other folds.
func crossed(pages []*page, folds int, fit func(func(*page) bool) *tree.Model, rows func(*page) [][]float32) [][]float64 {
	out := make([][]float64, len(pages))
	for k := range folds {
		m := fit(func(p *page) bool { return p.fold(folds) != k })
		for i, p := range pages {
			if p.fold(folds) == k {
				out[i] = judge(m, p, rows(p))
			}
		}
	}
	return out
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
	return fitRows(pages, use, boilerplate.BlockFeatures(), func(p *page) [][]float32 { return p.exam.Rows }, blockOptions)
}

func fitAgain(pages []*page, use func(*page) bool) *tree.Model {
	return fitRows(pages, use, boilerplate.SecondFeatures(), func(p *page) [][]float32 { return p.again }, againOptions)
}

func fitRows(pages []*page, use func(*page) bool, features []string, rows func(*page) [][]float32, o tree.FitOptions) *tree.Model {
	var samples []tree.Sample
	for _, p := range pages {
		if !use(p) {
			continue
		}
		for i, row := range rows(p) {
			if w := p.weights[i] * p.weight; w > 0 && row != nil {
				samples = append(samples, tree.Sample{Row: row, Target: p.labels[i], Weight: w})
			}
		}
	}
	return tree.Fit(features, samples, o)
}

func fitCandidates(pages []*page, use func(*page) bool) *tree.Model {
	var samples []tree.Sample
	for _, p := range pages {
		if !use(p) {
			continue
		}
		for k, row := range p.rows {
			if p.gold == nil {
				break
			}
			samples = append(samples, tree.Sample{Row: row, Target: p.f1[k] - float64(row[0]), Weight: p.weight})
		}
	}
	return tree.Fit(boilerplate.CandidateFeatures(), samples, candidateOptions)
}

func judge(m *tree.Model, p *page, rows [][]float32) []float64 {
	out := make([]float64, len(rows))
	for i, row := range rows {
		if row != nil {
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
			if slices.Contains(p.candidates[k].Kinds, boilerplate.KindJudged) {
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
		if p.gold == nil {
			continue // only pieces are known
		}
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

// misses lists the pages where the choice is worse than the best candidate.
func misses(pages []*page, chosen []int, by float64) {
	for i, p := range pages {
		if p.gold == nil {
			continue
		}
		if slices.Max(p.f1)-p.f1[chosen[i]] < by {
			continue
		}
		fmt.Printf("%s %s %s\n", p.id, p.lang, p.kind)
		for k := range p.candidates {
			mark := " "
			if k == chosen[i] {
				mark = "*"
			}
			fmt.Printf("  %s %-30s F1 %.3f P %.3f R %.3f score %.3f expected %.3f agreement %.3f\n", mark, p.candidates[k].Kinds, p.f1[k], p.precision[k], p.recall[k], p.candidates[k].Score, p.rows[k][0], p.rows[k][3])
		}
	}
}
