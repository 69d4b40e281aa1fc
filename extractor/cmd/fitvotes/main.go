// Command fitvotes fits the weights of the votes on title, date and authors in
// package metadata on pages where these are known, and says how well they do on
// sites they were not fitted on.
//
//	go run ./cmd/fitvotes -data ../../shared/data/extraction [-write]
//
// The folder holds <set>/gold.jsonl with lines {id, html, url, lang, title,
// date, author} and dev.txt with the IDs to use. Pages of one site are always in
// one fold. With -write the weights of all folds together are written to
// metadata/weights.json; those of other fields are left as they are there.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"xinwen/extractor/metadata"
)

func main() {
	data := flag.String("data", "../../shared/data/extraction", "folder with <set>/gold.jsonl and dev.txt")
	write := flag.Bool("write", false, "write the weights")
	file := flag.String("weights", "metadata/weights.json", "the weights to start from, and to write")
	folds := flag.Int("folds", 10, "how many parts the sites are split into")
	curve := flag.Bool("curve", false, "show how often fields are right and wrong at each least confidence")
	wrong := flag.Bool("wrong", false, "list the pages that a field is wrong on")
	flag.Parse()
	if err := run(*data, *file, *write, *folds, *wrong, *curve); err != nil {
		fmt.Fprintln(os.Stderr, "fitvotes:", err)
		os.Exit(1)
	}
}

// fields are the fields that are fitted. Cost is what a wrong value costs, in
// right ones, when the least confidence is chosen, unless it is set.
var fields = []struct {
	name        string
	cost, least float64
	// hold is how strongly weights are held near those of prior.
	hold float64
}{
	{metadata.Title, 0.2, 0, 3},
	// The choice by cost swings between .3 and .55 with a page or two; below .4
	// the wrong days grow, above it the right ones go.
	{metadata.Published, 0, 0.4, 3},
	{metadata.Authors, 1, 0, 3},
}

func run(data, file string, write bool, folds int, wrong, curve bool) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	model, err := metadata.ParseModel(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	pages, err := load(data)
	if err != nil {
		return err
	}
	for _, f := range fields {
		cases := casesOf(pages, f.name)
		several := f.name == metadata.Authors
		left := make([][]float64, len(cases)) // confidences on sites left out
		for k := range folds {
			w := fit(cases, func(c *example) bool { return c.page.fold(folds) != k }, several, prior[f.name], f.hold)
			for i := range cases {
				if cases[i].page.fold(folds) == k {
					left[i] = cases[i].confidence(w, several)
				}
			}
		}
		w := fit(cases, func(*example) bool { return true }, several, prior[f.name], f.hold)
		if w.Least = f.least; f.least == 0 {
			w.Least = least(cases, left, several, f.cost)
		}
		fitted := make([][]float64, len(cases))
		for i := range cases {
			fitted[i] = cases[i].confidence(w, several)
		}
		fmt.Printf("%s: %d pages, least confidence %.2f\n", f.name, len(cases), w.Least)
		report("  sites left out", cases, left, w.Least, several)
		report("  fitted", cases, fitted, w.Least, several)
		if curve {
			for k := 10; k <= 60; k += 5 {
				for _, set := range []string{"wcxb", "zh"} {
					n, right, wrong := 0, 0, 0
					for i, e := range cases {
						if e.gold != "" && (e.page.set == set || e.page.lang == set) {
							n++
							switch e.outcome(left[i], float64(k)/100, several) {
							case 1:
								right++
							case -1:
								wrong++
							}
						}
					}
					fmt.Printf("    at %.2f %-5s right %.3f wrong %.3f\n", float64(k)/100, set, float64(right)/float64(n), float64(wrong)/float64(n))
				}
			}
		}
		if wrong {
			misses(cases, left, w.Least, several)
		}
		model[f.name] = w
	}
	if !write {
		return nil
	}
	out, err := json.MarshalIndent(model, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(out, '\n'), 0o644)
}

// example is the ballot of one page with what is right.
type example struct {
	page    *page
	ballot  *metadata.Ballot
	right   []bool
	gold    string
	weight  float64
	decided int // the candidate that is right, -1 if none is
}

func casesOf(pages []*page, field string) []*example {
	var out []*example
	for _, p := range pages {
		gold := p.gold(field)
		if len(gold) == 0 && !(field == metadata.Authors && p.unsigned) {
			continue
		}
		e := &example{page: p, ballot: p.ballots[field], gold: strings.Join(gold, ", "), weight: p.weight, decided: -1}
		if len(gold) == 0 {
			e.weight *= 0.5
		}
		if e.ballot == nil {
			e.ballot = &metadata.Ballot{}
		}
		for i := range e.ballot.Candidates {
			right := slices.Contains(gold, keyOf(field, &e.ballot.Candidates[i]))
			e.right = append(e.right, right)
			if right && e.decided < 0 {
				e.decided = i
			}
		}
		out = append(out, e)
	}
	return out
}

// confidence returns what the weights make of the candidates of a page.
func (e *example) confidence(w *metadata.Weights, several bool) []float64 {
	out := make([]float64, len(e.ballot.Candidates))
	sum := 1.0
	for i := range out {
		x := math.Exp(w.Score(&e.ballot.Candidates[i]))
		if several {
			out[i] = x / (1 + x)
			continue
		}
		out[i] = x
		sum += x
	}
	if !several {
		for i := range out {
			out[i] /= sum
		}
	}
	return out
}

// fit finds the weights under which what is right is likeliest, by gradient
// descent.
func fit(cases []*example, use func(*example) bool, several bool, before *metadata.Weights, hold float64) *metadata.Weights {
	names := make(map[string]int)
	var list []string
	var used []*example
	seen := make(map[string]float64)
	for _, e := range cases {
		if !use(e) {
			continue
		}
		used = append(used, e)
		for _, c := range e.ballot.Candidates {
			for _, v := range c.Votes {
				seen[v.Where]++
			}
		}
	}
	for n, k := range seen {
		if _, known := before.Votes[n]; k >= 3 || known {
			list = append(list, n)
		}
	}
	for n := range before.Votes {
		if seen[n] == 0 {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	for i, n := range list {
		names[n] = i
	}
	start := make([]float64, len(list)+1) // the last is the base
	for i, n := range list {
		start[i] = before.Votes[n]
	}
	start[len(list)] = before.Base
	w := slices.Clone(start)
	mean, square := make([]float64, len(w)), make([]float64, len(w))
	grad := make([]float64, len(w))
	score := func(c *metadata.Candidate) float64 {
		s := w[len(list)]
		for _, v := range c.Votes {
			if i, ok := names[v.Where]; ok {
				s += w[i]
			}
		}
		return s
	}
	push := func(c *metadata.Candidate, d float64) {
		grad[len(list)] += d
		for _, v := range c.Votes {
			if i, ok := names[v.Where]; ok {
				grad[i] += d
			}
		}
	}
	for step := 1; step <= 600; step++ {
		for i := range grad {
			grad[i] = hold * (w[i] - start[i])
		}
		for _, e := range used {
			cs := e.ballot.Candidates
			if several {
				for i := range cs {
					y := 0.0
					if e.right[i] {
						y = 1
					}
					push(&cs[i], e.weight*(1/(1+math.Exp(-score(&cs[i])))-y))
				}
				continue
			}
			sum := 1.0
			p := make([]float64, len(cs))
			for i := range cs {
				p[i] = math.Exp(score(&cs[i]))
				sum += p[i]
			}
			for i := range cs {
				d := p[i] / sum
				if i == e.decided {
					d--
				}
				push(&cs[i], e.weight*d)
			}
		}
		rate := 0.05
		if step > 400 {
			rate = 0.01
		}
		for i := range w { // Adam
			mean[i] = 0.9*mean[i] + 0.1*grad[i]
			square[i] = 0.999*square[i] + 0.001*grad[i]*grad[i]
			m, s := mean[i]/(1-math.Pow(0.9, float64(step))), square[i]/(1-math.Pow(0.999, float64(step)))
			w[i] -= rate * m / (math.Sqrt(s) + 1e-8)
		}
	}
	out := &metadata.Weights{Base: math.Round(w[len(list)]*100) / 100, Votes: make(map[string]float64)}
	for i, n := range list {
		if x := math.Round(w[i]*100) / 100; x != 0 {
			out.Votes[n] = x
		}
	}
	return out
}

// taken returns the candidates that are taken at a least confidence.
func taken(p []float64, least float64, several bool) []int {
	best := -1
	for i := range p {
		if best < 0 || p[i] > p[best] {
			best = i
		}
	}
	if best < 0 || p[best] < least {
		return nil
	}
	if !several {
		return []int{best}
	}
	var out []int
	for i := range p {
		if p[i] >= least && (p[i] >= 0.5 || logit(p[i]) >= logit(p[best])-0.3) {
			out = append(out, i)
		}
	}
	return out
}

func logit(p float64) float64 { return math.Log(p / (1 - p)) }

// outcome is 1 if one of what is taken is right, -1 if none is, 0 if nothing is
// taken.
func (e *example) outcome(p []float64, least float64, several bool) int {
	t := taken(p, least, several)
	if len(e.gold) == 0 { // nobody signs the page
		if len(t) == 0 {
			return 1
		}
		return -1
	}
	if len(t) == 0 {
		return 0
	}
	for _, i := range t {
		if e.right[i] {
			return 1
		}
	}
	return -1
}

// least returns the least confidence that does best on sites left out.
func least(cases []*example, p [][]float64, several bool, cost float64) float64 {
	best, at := math.Inf(-1), 0.5
	for k := 20; k <= 70; k += 2 { // less would be a guess
		t := float64(k) / 100
		sum := 0.0
		for i, e := range cases {
			switch e.outcome(p[i], t, several) {
			case 1:
				sum += e.weight
			case -1:
				sum -= cost * e.weight
			}
		}
		if sum > best {
			best, at = sum, t
		}
	}
	return at
}

func report(title string, cases []*example, p [][]float64, least float64, several bool) {
	type tally struct{ n, right, wrong, there int }
	groups := make(map[string]*tally)
	for i, e := range cases {
		in := []string{e.page.set, "lang " + e.page.lang, "~ all"}
		if len(e.gold) == 0 {
			in = []string{"unsigned"}
		}
		for _, g := range in {
			t := groups[g]
			if t == nil {
				t = &tally{}
				groups[g] = t
			}
			t.n++
			if e.decided >= 0 {
				t.there++
			}
			switch e.outcome(p[i], least, several) {
			case 1:
				t.right++
			case -1:
				t.wrong++
			}
		}
	}
	var names []string
	for g := range groups {
		names = append(names, g)
	}
	slices.Sort(names)
	fmt.Println(title)
	for _, g := range names {
		t := groups[g]
		n := float64(t.n)
		fmt.Printf("    %-12s %4d  right %.3f  wrong %.3f  (right one among the candidates %.3f)\n", g, t.n, float64(t.right)/n, float64(t.wrong)/n, float64(t.there)/n)
	}
}

func misses(cases []*example, p [][]float64, least float64, several bool) {
	for i, e := range cases {
		if e.outcome(p[i], least, several) == 1 {
			continue
		}
		fmt.Printf("- %s %s\n    want %s\n", e.page.id, e.page.url, e.gold)
		order := make([]int, len(p[i]))
		for k := range order {
			order[k] = k
		}
		slices.SortStableFunc(order, func(a, b int) int {
			if p[i][a] > p[i][b] {
				return -1
			}
			return 1
		})
		for n, k := range order {
			if n > 3 && !e.right[k] {
				continue
			}
			c := &e.ballot.Candidates[k]
			mark := " "
			if e.right[k] {
				mark = "*"
			}
			var where []string
			for _, v := range c.Votes {
				where = append(where, v.Where)
			}
			value := c.Value
			if value == "" {
				value = c.Time.Format("2006-01-02 15:04")
			}
			fmt.Printf("   %s %.2f %s  [%s]\n", mark, p[i][k], value, strings.Join(where, "; "))
		}
	}
}
