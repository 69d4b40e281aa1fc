package crf

import (
	"math"
	"math/rand/v2"
)

// Example is one labelled sequence.
type Example struct {
	// Features are those of each place, Labels what Labels gives.
	Features [][]uint32
	Labels   []uint8
}

// Options are what Train can be told. The zero value is no good: see Defaults.
type Options struct {
	// Least is how often a feature must be there to be learnt.
	Least int
	// Rounds over all examples, Rate of learning and Decay of the weights.
	Rounds      int
	Rate, Decay float64
	// Dropout is the share of features that each look at an example leaves out,
	// so that none is relied on alone.
	Dropout float64
	// Light is the weight, of 127, below which a feature is forgotten.
	Light int8
	// Told is called after each round with the loss of a place.
	Told func(round int, loss float64)
}

// Defaults returns what has worked.
func Defaults() Options {
	return Options{Least: 2, Rounds: 8, Rate: 0.08, Decay: 5e-6, Dropout: 0.2, Light: 1}
}

// trainer is gradient descent on the likelihood, each weight with a rate of its
// own (AdaGrad).
type trainer struct {
	o         Options
	labels    int
	moves     [][]int
	index     map[uint32]int32
	w, g      []float32 // weights and the sums of their squared gradients
	trans, gt []float32
	places    [][]int32
	lattice   lattice
	emit      []float64
	rand      *rand.Rand
}

// Train fits a model of kinds kinds. The same examples give the same model.
func Train(kinds int, list []Example, o Options) *Model {
	t := &trainer{o: o, labels: 1 + 4*kinds}
	t.moves = moves(t.labels)
	t.trans, t.gt = make([]float32, t.labels*t.labels), make([]float32, t.labels*t.labels)
	t.number(list)
	t.w, t.g = make([]float32, len(t.index)*t.labels), make([]float32, len(t.index)*t.labels)
	t.rand = rand.New(rand.NewPCG(1, 2))
	turn := make([]int, len(list))
	for i := range turn {
		turn[i] = i
	}
	var mean, meanTrans []float32
	for r := range o.Rounds {
		t.rand.Shuffle(len(turn), func(i, j int) { turn[i], turn[j] = turn[j], turn[i] })
		loss, places := 0.0, 0
		for _, i := range turn {
			loss += t.learn(&list[i])
			places += len(list[i].Labels)
		}
		if r >= o.Rounds/2 {
			mean, meanTrans = sum(mean, t.w), sum(meanTrans, t.trans)
		}
		if o.Told != nil {
			o.Told(r+1, loss/float64(max(places, 1)))
		}
	}
	if mean != nil {
		for i := range mean {
			t.w[i] = mean[i] / float32(o.Rounds-o.Rounds/2)
		}
		for i := range meanTrans {
			t.trans[i] = meanTrans[i] / float32(o.Rounds-o.Rounds/2)
		}
	}
	return t.model(kinds)
}

func sum(to, from []float32) []float32 {
	if to == nil {
		to = make([]float32, len(from))
	}
	for i, v := range from {
		to[i] += v
	}
	return to
}

// number gives each feature that is there often enough a number.
func (t *trainer) number(list []Example) {
	count := make(map[uint32]int32)
	for i := range list {
		for _, place := range list[i].Features {
			for _, f := range place {
				count[f]++
			}
		}
	}
	t.index = make(map[uint32]int32)
	for i := range list { // in order of the examples, so that numbers are the same each time
		for _, place := range list[i].Features {
			for _, f := range place {
				if _, ok := t.index[f]; !ok && f != 0 && int(count[f]) >= t.o.Least {
					t.index[f] = int32(len(t.index))
				}
			}
		}
	}
}

// learn takes one step for one example and returns its loss.
func (t *trainer) learn(x *Example) float64 {
	n, l := len(x.Labels), t.labels
	if n == 0 {
		return 0
	}
	keep := 1 / (1 - t.o.Dropout)
	t.places = t.places[:0]
	t.emit = t.emit[:0]
	for _, place := range x.Features {
		var known []int32
		if k := len(t.places); k < cap(t.places) {
			known = t.places[:k+1][k][:0]
		}
		at := len(t.emit)
		for range l {
			t.emit = append(t.emit, 0)
		}
		e := t.emit[at:]
		for _, f := range place {
			if k, ok := t.index[f]; ok && (t.o.Dropout == 0 || t.rand.Float64() >= t.o.Dropout) {
				known = append(known, k)
				for y, w := range t.w[int(k)*l : int(k+1)*l] {
					e[y] += float64(w) * keep
				}
			}
		}
		t.places = append(t.places, known)
	}
	c := &t.lattice
	c.stepped = nil // the weights of moves have changed
	c.run(l, t.moves, t.trans, t.emit)
	loss := c.top
	for i, y := range x.Labels {
		loss -= t.emit[i*l+int(y)]
		if i > 0 {
			loss -= float64(t.trans[int(x.Labels[i-1])*l+int(y)])
		}
	}
	for i := 1; i < n; i++ {
		t.moved(i, int(x.Labels[i-1]), int(x.Labels[i]))
	}
	for i := range n {
		for y := range l {
			d := c.alpha[i*l+y] * c.beta[i*l+y]
			if y == int(x.Labels[i]) {
				d--
			}
			if math.Abs(d) < 5e-4 {
				continue
			}
			for _, k := range t.places[i] {
				t.step(&t.w[int(k)*l+y], &t.g[int(k)*l+y], d*keep)
			}
		}
	}
	return loss
}

// moved learns the weights of the moves to place i, whose true one is from a to
// b.
func (t *trainer) moved(i, a, b int) {
	l, c := t.labels, &t.lattice
	for y := range l {
		v := c.weight[i*l+y] * c.beta[i*l+y] / c.norm[i]
		for _, x := range t.moves[y] {
			d := c.alpha[(i-1)*l+x] * c.step[x*l+y] * v
			if x == a && y == b {
				d--
			}
			if math.Abs(d) > 5e-4 {
				t.step(&t.trans[x*l+y], &t.gt[x*l+y], d)
			}
		}
	}
}

func (t *trainer) step(w, g *float32, d float64) {
	d += t.o.Decay * float64(*w) * 1e3
	*g += float32(d * d)
	*w -= float32(t.o.Rate * d / math.Sqrt(float64(*g)+1e-2))
}

// model rounds the weights to bytes.
func (t *trainer) model(kinds int) *Model {
	m := &Model{kinds: kinds, labels: t.labels, moves: t.moves, trans: t.trans}
	most := float32(1e-6)
	for _, w := range t.w {
		most = max(most, w, -w)
	}
	m.scale = most / 127
	features := make(map[uint32][]int8, len(t.index))
	for f, k := range t.index {
		row, weight := make([]int8, t.labels), int8(0)
		for y, w := range t.w[int(k)*t.labels : int(k+1)*t.labels] {
			row[y] = int8(math.Round(float64(w / m.scale)))
			weight = max(weight, row[y], -row[y])
		}
		if weight >= t.o.Light {
			features[f] = row
		}
	}
	m.fill(features)
	return m
}
