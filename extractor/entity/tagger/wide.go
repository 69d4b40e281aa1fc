package tagger

import (
	"math"
	"slices"

	"xinwen/extractor/entity/crf"
)

// wide is what a tagger sees beyond the neighbours of a unit: what the sentence is
// about, and the names that other sentences had.
type wide struct {
	topics *topics
	lists  lists
}

// folds is in how many parts lessons are cut: a sentence is read with what the
// other parts tell, so that it does not tell of itself.
const folds = 5

// widen returns what each part of the sentences is read with, and last what a new
// sentence is read with.
func widen(kinds int, words *Words, list []Sentence) []wide {
	facts := make([]fact, len(list))
	r := reader{words: words}
	for i := range list {
		s := &list[i]
		r.cut(s)
		r.segment()
		facts[i].has = r.bag()
		for _, n := range s.Names {
			facts[i].kinds |= 1 << n.Kind
		}
	}
	out := make([]wide, folds+1)
	for f := range out {
		var others []fact
		out[f].lists = make(lists)
		for i := range list {
			if i%folds != f {
				others = append(others, facts[i])
				out[f].lists.add(&list[i])
			}
		}
		out[f].topics = fitTopics(kinds, others)
	}
	return out
}

// fact is what a sentence has (see bag) and, a bit each, the kinds of its names.
type fact struct {
	has   []uint32
	kinds uint64
}

// bag lists the words and pairs of characters of a sentence, each once.
func (r *reader) bag() []uint32 {
	out := make([]uint32, 0, 2*len(r.units))
	for i := range r.units {
		if int(r.segStart[i]) == i {
			out = append(out, r.segKey[i])
		}
		if i > 0 && r.units[i].class == ideo && r.units[i-1].class == ideo {
			out = append(out, feature(300, join(r.units[i-1].hash, r.units[i].hash)))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// topics tells by the words of a sentence which kinds of names it has: a logistic
// regression for each kind.
type topics struct {
	kinds   int
	weights map[uint32][]float32 // for each kind, of what a bag has
	bias    []float32
}

// Options of topics that have worked.
const (
	topicRounds = 5
	topicRate   = 0.3
	topicDecay  = 0.02
)

func fitTopics(kinds int, list []fact) *topics {
	t := &topics{kinds: kinds, weights: make(map[uint32][]float32), bias: make([]float32, kinds)}
	count := make(map[uint32]int)
	for i := range list {
		for _, h := range list[i].has {
			if count[h]++; count[h] == 2 {
				t.weights[h] = make([]float32, kinds)
			}
		}
	}
	squares := make(map[uint32][]float32, len(t.weights))
	for h := range t.weights {
		squares[h] = make([]float32, kinds)
	}
	biasSquares := make([]float32, kinds)
	step := func(w, g *float32, d float64) {
		*g += float32(d * d)
		*w -= float32(topicRate * d / math.Sqrt(float64(*g)+1e-2))
	}
	for range topicRounds {
		for i := range list {
			x := &list[i]
			share := share(x.has)
			for k, s := range t.scores(x.has) {
				d := 1 / (1 + math.Exp(-s))
				if x.kinds>>k&1 == 1 {
					d--
				}
				step(&t.bias[k], &biasSquares[k], d*topicRate)
				for _, h := range x.has {
					if w := t.weights[h]; w != nil {
						step(&w[k], &squares[h][k], d*share+topicDecay*float64(w[k]))
					}
				}
			}
		}
	}
	return t
}

// share is how much each of a bag counts.
func share(has []uint32) float64 { return 1 / math.Sqrt(float64(len(has)+1)) }

// scores are the log odds that a sentence has names of each kind.
func (t *topics) scores(has []uint32) []float64 {
	out := make([]float64, t.kinds)
	for k := range out {
		out[k] = float64(t.bias[k])
	}
	share := share(has)
	for _, h := range has {
		for k, w := range t.weights[h] {
			out[k] += float64(w) * share
		}
	}
	return out
}

// lists are names, by their keys, and a bit for each kind they have.
type lists map[uint32]uint32

// add takes in the names of a sentence that have more than one character.
func (l lists) add(s *Sentence) {
	for _, n := range s.Names {
		if text := s.Text[n.Start:n.End]; len([]rune(text)) > 1 {
			l[keyOf(text)] |= 1 << n.Kind
		}
	}
}

// maxListed is the longest listed name that is looked for, in units.
const maxListed = 16

// widely looks at all units of a sentence with w.
func (r *reader) widely(w *wide) {
	r.wide = w
	if w == nil {
		return
	}
	r.topic, r.main = r.topic[:0], 0
	for k, s := range w.topics.scores(r.bag()) {
		level := uint32(min(8, max(0, int(math.Round(1.5*s))+5)))
		r.topic = append(r.topic, uint32(k)<<8|level)
		if level > r.topic[r.main]&255 {
			r.main = uint32(k)
		}
	}
	n := len(r.units)
	r.listed = resize(r.listed, n)
	for i := 0; i < n; {
		end, kinds := i+1, uint32(0)
		key := uint32(0)
		for k := i; k < n && k < i+maxListed; k++ {
			key = join(key, r.units[k].hash)
			if x := w.lists[spread(key)|1]; x != 0 && (k > i || r.units[i].class != ideo) {
				end, kinds = k+1, x
			}
		}
		for k := i; k < end && kinds != 0; k++ {
			place := uint32(1)
			if k == i {
				place |= 2
			}
			if k == end-1 {
				place |= 4
			}
			r.listed[k] = kinds<<3 | place
		}
		i = end
	}
}

// wider adds what the whole sentence and the lists tell of unit i.
func (r *reader) wider(i int) {
	c, before, behind := r.hash(i), r.hash(i-1), r.hash(i+1)
	for _, t := range r.topic {
		r.add(200, t)
		r.add(201, join(t, r.seg[i]))
	}
	r.add(210, join(r.main, c))
	r.add(211, join(r.main, r.segKey[i]))
	r.add(212, join(r.main, join(before, c)))
	r.add(213, join(r.main, join(c, behind)))
	l, l1, l2 := r.listed[i], at(r.listed, i-1), at(r.listed, i+1)
	r.add(220, l)
	r.add(221, join(l, l1))
	r.add(222, join(l, l2))
	r.add(223, join(l, c))
	r.add(224, join(l, behind))
	r.add(225, join(l, before))
	r.add(226, join(join(l1, l), l2))
}

// TrainWide is Train for a tagger that also looks at what the whole sentence is
// about and at the names of other sentences. Such a tagger is for measuring: it
// knows the names of the sentences it learnt from, and it cannot be packed.
func TrainWide(language Language, kinds int, words *Words, list []Sentence, o crf.Options) *Tagger {
	parts := widen(kinds, words, list)
	t := train(language, kinds, words, list, parts[:folds], o)
	t.wide = &parts[folds]
	return t
}
