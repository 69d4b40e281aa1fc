package tree

import (
	"math"
	"sort"
)

// Sample is one row to fit on.
type Sample struct {
	Row    []float32
	Target float64
	Weight float64
}

// FitOptions are the sizes of a model.
type FitOptions struct {
	// Trees is how many, Depth how deep they are.
	Trees, Depth int
	// Rate is the share of each tree that is added.
	Rate float64
	// Smooth holds leaves of little weight near zero, MinWeight is the least
	// weight of a leaf.
	Smooth, MinWeight float64
	// Classes says that targets are probabilities; else they are numbers and the
	// squared error counts.
	Classes bool
}

// bins is into how many ranges a feature is cut.
const bins = 64

// Fit makes a model. The same samples give the same model.
func Fit(features []string, samples []Sample, o FitOptions) *Model {
	m := &Model{Features: features}
	if len(samples) == 0 {
		return m
	}
	f := newFitter(len(features), samples, o)
	sum, weight := 0.0, 0.0
	for i := range samples {
		sum += samples[i].Target * samples[i].Weight
		weight += samples[i].Weight
	}
	m.Base = sum / weight
	if o.Classes {
		p := min(max(m.Base, 1e-4), 1-1e-4)
		m.Base = math.Log(p / (1 - p))
	}
	out := make([]float64, len(samples))
	for i := range out {
		out[i] = m.Base
	}
	for range o.Trees {
		for i := range samples {
			s := &samples[i]
			if o.Classes {
				p := 1 / (1 + math.Exp(-out[i]))
				f.grad[i], f.hess[i] = (s.Target-p)*s.Weight, max(p*(1-p), 1e-6)*s.Weight
			} else {
				f.grad[i], f.hess[i] = (s.Target-out[i])*s.Weight, s.Weight
			}
		}
		all := make([]int32, len(samples))
		for i := range all {
			all[i] = int32(i)
		}
		var t Tree
		f.grow(&t, all, 0, out)
		m.Trees = append(m.Trees, t)
	}
	return m
}

type fitter struct {
	o          FitOptions
	n          int // features
	edges      [][]float64
	binned     []uint8 // sample-major
	grad, hess []float64
}

func newFitter(n int, samples []Sample, o FitOptions) *fitter {
	f := &fitter{o: o, n: n, edges: make([][]float64, n), binned: make([]uint8, n*len(samples)), grad: make([]float64, len(samples)), hess: make([]float64, len(samples))}
	values := make([]float64, len(samples))
	for j := range n {
		for i := range samples {
			values[i] = float64(samples[i].Row[j])
		}
		sort.Float64s(values)
		f.edges[j] = cuts(values)
		for i := range samples {
			f.binned[i*n+j] = uint8(sort.SearchFloat64s(f.edges[j], float64(samples[i].Row[j])))
		}
	}
	return f
}

// cuts returns at most bins-1 thresholds between sorted values: by rank, or
// between each two where there are few.
func cuts(sorted []float64) []float64 {
	var distinct []float64
	for i, v := range sorted {
		if i == 0 || v != sorted[i-1] {
			if distinct = append(distinct, v); len(distinct) > 4*bins {
				break
			}
		}
	}
	var edges []float64
	add := func(a, b float64) {
		e := float64(float32((a + b) / 2))
		if e < a || e >= b {
			e = a
		}
		if len(edges) == 0 || e > edges[len(edges)-1] {
			edges = append(edges, e)
		}
	}
	if len(distinct) <= bins {
		for i := 1; i < len(distinct); i++ {
			add(distinct[i-1], distinct[i])
		}
		return edges
	}
	for k := 1; k < bins; k++ {
		i := k * len(sorted) / bins
		j := i
		for j < len(sorted) && sorted[j] == sorted[i] {
			j++
		}
		if j < len(sorted) {
			add(sorted[i], sorted[j])
		}
	}
	return edges
}

// grow adds the node for rows, and those below it, in order: left, then right.
func (f *fitter) grow(t *Tree, rows []int32, depth int, out []float64) {
	var g, h float64
	for _, i := range rows {
		g += f.grad[i]
		h += f.hess[i]
	}
	at := len(t.Feature)
	t.Feature, t.Value, t.Right = append(t.Feature, -1), append(t.Value, 0), append(t.Right, 0)
	if depth < f.o.Depth {
		if j, k, ok := f.split(rows, g, h); ok {
			left := make([]int32, 0, len(rows))
			right := make([]int32, 0, len(rows)/2)
			for _, i := range rows {
				if int(f.binned[int(i)*f.n+j]) <= k {
					left = append(left, i)
				} else {
					right = append(right, i)
				}
			}
			t.Feature[at], t.Value[at] = j, f.edges[j][k]
			f.grow(t, left, depth+1, out)
			t.Right[at] = len(t.Feature)
			f.grow(t, right, depth+1, out)
			return
		}
	}
	v := f.o.Rate * g / (h + f.o.Smooth)
	v = math.Round(v*1e5) / 1e5 // the file stays readable
	t.Value[at] = v
	for _, i := range rows {
		out[i] += v
	}
}

// split finds the feature and bin that part rows best.
func (f *fitter) split(rows []int32, g, h float64) (feature, bin int, ok bool) {
	type cell struct{ g, h float64 }
	hist := make([]cell, f.n*bins)
	for _, i := range rows {
		row := f.binned[int(i)*f.n : int(i)*f.n+f.n]
		gi, hi := f.grad[i], f.hess[i]
		for j, b := range row {
			c := &hist[j*bins+int(b)]
			c.g += gi
			c.h += hi
		}
	}
	score := func(g, h float64) float64 { return g * g / (h + f.o.Smooth) }
	whole, best := score(g, h), 1e-9
	for j := range f.n {
		var gl, hl float64
		for k := range f.edges[j] {
			c := hist[j*bins+k]
			gl += c.g
			hl += c.h
			if hl < f.o.MinWeight || h-hl < f.o.MinWeight {
				continue
			}
			if s := score(gl, hl) + score(g-gl, h-hl) - whole; s > best {
				feature, bin, best, ok = j, k, s, true
			}
		}
	}
	return feature, bin, ok
}
