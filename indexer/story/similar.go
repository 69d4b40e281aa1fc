package story

import (
	"math"
	"time"

	"xinwen/news/sketch"
)

// Window is how far apart in time two articles of one story may be.
const Window = 72 * time.Hour

// assumed is how many articles the priors of features count as.
const assumed = 200

// weight returns what a feature weighs among the articles that the tracker
// remembers.
func (t *Tracker) weight(f *feature) float64 {
	with := 0
	if f.known != nil {
		with = len(f.known.members)
	}
	share := (float64(with) + assumed*float64(f.prior)) / float64(len(t.items)+assumed)
	return boost[f.kind] * max(-math.Log(share), 0)
}

// similarity says how much two articles look like telling of one event, from 0
// to 1.
func (t *Tracker) similarity(a, b *Item) float64 {
	apart := a.time.Sub(b.time).Abs()
	if apart > Window {
		return 0
	}
	same := a.lang == b.lang
	var dot, normA, normB float64
	shared := 0              // numbers that both have
	subjects, places := 0, 0 // of the headlines that both have
	add := func(f *feature, norm *float64) {
		if same || f.kind != wordKind {
			w := t.weight(f) * float64(f.count)
			*norm += w * w
		}
	}
	i, j := 0, 0
	for i < len(a.features) || j < len(b.features) {
		switch {
		case j == len(b.features) || i < len(a.features) && a.features[i].id < b.features[j].id:
			add(&a.features[i], &normA)
			i++
		case i == len(a.features) || b.features[j].id < a.features[i].id:
			add(&b.features[j], &normB)
			j++
		default:
			f, g := &a.features[i], &b.features[j]
			w := t.weight(f)
			wa, wb := w*float64(f.count), w*float64(g.count)
			dot += wa * wb
			normA += wa * wa
			normB += wb * wb
			if f.kind == numberKind {
				shared++
			}
			if f.title || g.title {
				switch f.kind {
				case entityKind:
					subjects++
				case placeKind:
					places++
				}
			}
			i, j = i+1, j+1
		}
	}
	if dot == 0 {
		return 0
	}
	s := dot / math.Sqrt(normA*normB)
	template := false
	switch {
	case !same:
		s *= crossFactor
	case s >= 0.2:
		common := sketch.Similarity(a.sketch, b.sketch)
		template = common >= 0.3
		if common >= 0.5 { // one is a copy of the other
			s = max(s, 0.8)
		}
	}
	// Other companies in the headlines: another event, told in the same words.
	if a.subject && b.subject && subjects == 0 {
		s *= 0.4
	}
	if a.place && b.place && places == 0 {
		s *= 0.7
	}
	// A series: the same words with other numbers each time.
	if shared == 0 && a.numbers >= 2 && b.numbers >= 2 {
		if template {
			s *= 0.4
		} else {
			s *= 0.7
		}
	}
	return s * (1 - 0.2*float64(apart)/float64(Window))
}

// crossFactor takes back what two texts of different languages look alike only
// because their words are not compared.
const crossFactor = 0.85
