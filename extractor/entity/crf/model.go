package crf

import "math"

// Model is a fitted field.
type Model struct {
	kinds  int
	labels int
	// moves are the labels that may stand before each; trans their weights,
	// from*labels + to.
	moves [][]int
	trans []float32
	// keys is an open-addressed table of features, rows their weights: for each
	// slot width words with a byte for each label, 128 more than the weight,
	// which is that times scale. So eight weights are added at once.
	keys  []uint32
	rows  []uint64
	width int
	shift uint
	scale float32
}

// bias is what bytes are more than weights.
const bias = 128

// weight returns the weight of label y in the row at r.
func (m *Model) weight(r, y int) int8 {
	return int8(int(m.rows[r+y/8]>>(8*(y%8))&0xff) - bias)
}

// setWeight sets a weight that is not set yet.
func (m *Model) setWeight(r, y int, w int8) {
	m.rows[r+y/8] |= uint64(int(w)+bias) << (8 * (y % 8))
}

// Kinds returns the number of kinds of names.
func (m *Model) Kinds() int { return m.kinds }

// row returns where the weights of feature f begin, -1 if it has none.
func (m *Model) row(f uint32) int {
	for i := m.slot(f); m.keys[i] != 0; i = (i + 1) & (len(m.keys) - 1) {
		if m.keys[i] == f {
			return i * m.width
		}
	}
	return -1
}

func (m *Model) slot(f uint32) int { return int(f * 0x9e3779b1 >> m.shift) }

// Decoder finds the names in one sequence after another. It is not safe for
// concurrent use.
type Decoder struct {
	// Eager is taken off the score of "outside" at each place: more names are
	// found and more of them are wrong.
	Eager float64

	m    *Model
	emit []float64 // score of each place and label
	even []uint64  // sums of one place, four labels in each: of even bytes
	odd  []uint64  // and of odd ones
	lattice
	back  []int16
	spans []Span
}

// NewDecoder returns a decoder for m.
func (m *Model) NewDecoder() *Decoder {
	return &Decoder{m: m, even: make([]uint64, m.width), odd: make([]uint64, m.width)}
}

// Reset begins a new sequence.
func (d *Decoder) Reset() { d.emit = d.emit[:0] }

// maxAtOnce is how many bytes a sum of sixteen bits can hold.
const maxAtOnce = 256

// Add adds a place that has the given features, of which 256 count.
func (d *Decoder) Add(features []uint32) {
	m := d.m
	clear(d.even)
	clear(d.odd)
	n := 0
	for _, f := range features[:min(len(features), maxAtOnce)] {
		r := m.row(f)
		if r < 0 {
			continue
		}
		n++
		for k, v := range m.rows[r : r+m.width] {
			d.even[k] += v & 0x00ff00ff00ff00ff
			d.odd[k] += v >> 8 & 0x00ff00ff00ff00ff
		}
	}
	for y := range m.labels {
		sums := d.even
		if y%2 == 1 {
			sums = d.odd
		}
		v := int(sums[y/8]>>(16*(y%8/2))&0xffff) - bias*n
		x := float64(m.scale) * float64(v)
		if y == 0 {
			x -= d.Eager
		}
		d.emit = append(d.emit, x)
	}
}

// Names returns the names of the likeliest labels. The slice is good until the
// next call.
func (d *Decoder) Names() []Span {
	m, n := d.m, len(d.emit)/d.m.labels
	d.spans = d.spans[:0]
	if n == 0 {
		return nil
	}
	path := d.best(n)
	named := false
	for _, y := range path {
		named = named || y > 0
	}
	if !named {
		return nil
	}
	d.run(m.labels, m.moves, m.trans, d.emit)
	for i := 0; i < n; i++ {
		if y := int(path[i]); y > 0 {
			j := i
			for open(int(path[j])) {
				j++
			}
			d.spans = append(d.spans, Span{Start: i, End: j + 1, Kind: (y - 1) / 4, P: d.probability(m, path, i, j)})
			i = j
		}
	}
	return d.spans
}

// best is the Viterbi path; it reuses d.back for it.
func (d *Decoder) best(n int) []int16 {
	m, l := d.m, d.m.labels
	if len(d.back) < (n+1)*l+n {
		d.back = make([]int16, (n+1)*l+n)
	}
	score := make([]float64, 2*l)
	now, next := score[:l], score[l:]
	for y := range l {
		now[y] = math.Inf(-1)
		if !goesOn(y) {
			now[y] = d.emit[y]
		}
	}
	for i := 1; i < n; i++ {
		for y := range l {
			v, from := math.Inf(-1), 0
			for _, x := range m.moves[y] {
				if s := now[x] + float64(m.trans[x*l+y]); s > v {
					v, from = s, x
				}
			}
			next[y] = v + d.emit[i*l+y]
			d.back[i*l+y] = int16(from)
		}
		now, next = next, now
	}
	y, v := 0, math.Inf(-1)
	for x, s := range now {
		if !open(x) && s > v {
			y, v = x, s
		}
	}
	path := d.back[(n+1)*l : (n+1)*l+n]
	for i := n - 1; ; i-- {
		path[i] = int16(y)
		if i == 0 {
			return path
		}
		y = int(d.back[i*l+y])
	}
}

// probability is that of the labels of places i to j, and so of one whole name.
func (d *Decoder) probability(m *Model, path []int16, i, j int) float64 {
	l := m.labels
	v := d.alpha[i*l+int(path[i])]
	for k := i + 1; k <= j; k++ {
		x, y := int(path[k-1]), int(path[k])
		v *= math.Exp(float64(m.trans[x*l+y])) * d.weight[k*l+y] / d.norm[k]
	}
	return v * d.beta[j*l+int(path[j])]
}

// lattice is the forward-backward algorithm over one sequence, scaled so that
// the forward weights of each place sum to 1.
type lattice struct {
	weight, alpha, beta []float64
	norm                []float64
	step                []float64 // exp of the weights of moves
	stepped             *float32  // the weights that step is of
	top                 float64   // sum of what was divided out, in logarithms
}

func (c *lattice) run(l int, moves [][]int, trans []float32, emit []float64) {
	n := len(emit) / l
	if len(c.weight) < len(emit) {
		c.weight, c.alpha, c.beta = make([]float64, len(emit)), make([]float64, len(emit)), make([]float64, len(emit))
	}
	if len(c.norm) < n {
		c.norm = make([]float64, n)
	}
	if c.stepped != &trans[0] {
		c.step = c.step[:0]
		for _, t := range trans {
			c.step = append(c.step, math.Exp(float64(t)))
		}
		c.stepped = &trans[0]
	}
	c.top = 0
	for i := range n {
		e, w, a := emit[i*l:(i+1)*l], c.weight[i*l:(i+1)*l], c.alpha[i*l:(i+1)*l]
		most := e[0]
		for _, v := range e {
			most = max(most, v)
		}
		sum := 0.0
		for y, v := range e {
			if v -= most; v < -40 {
				w[y] = 0
			} else {
				w[y] = math.Exp(v)
			}
			switch {
			case i > 0:
				a[y] = 0
				if w[y] > 0 {
					before := c.alpha[(i-1)*l : i*l]
					for _, x := range moves[y] {
						a[y] += before[x] * c.step[x*l+y]
					}
					a[y] *= w[y]
				}
			case goesOn(y):
				a[y] = 0
			default:
				a[y] = w[y]
			}
			if i == n-1 && open(y) {
				a[y] = 0
			}
			sum += a[y]
		}
		if sum <= 0 {
			sum = math.SmallestNonzeroFloat32
		}
		for y := range a {
			a[y] /= sum
		}
		c.norm[i] = sum
		c.top += most + math.Log(sum)
	}
	for y := range l {
		c.beta[(n-1)*l+y] = 1
		if open(y) {
			c.beta[(n-1)*l+y] = 0
		}
	}
	for i := n - 2; i >= 0; i-- {
		b, after, w := c.beta[i*l:(i+1)*l], c.beta[(i+1)*l:(i+2)*l], c.weight[(i+1)*l:(i+2)*l]
		clear(b)
		for y := range l {
			if v := w[y] * after[y] / c.norm[i+1]; v > 0 {
				for _, x := range moves[y] {
					b[x] += c.step[x*l+y] * v
				}
			}
		}
	}
}
