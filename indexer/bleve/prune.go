package bleve

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/RoaringBitmap/roaring/v2"
)

// Of an OR of common words nearly all hits have one or two of them, and the best
// have all. So hits are parted by which of the words they have, with a few
// operations on bitmaps, and parts whose hits cannot be among the best are not
// scored. What is scored is scored as without it.

const (
	// fewHits are scored without being parted any further.
	fewHits = 256
	// maxParts is how many parts of a query hits are parted by at most.
	maxParts = 6
)

// full says that a hit with a key, or one still worse, is not among the best.
type full func(key float64) bool

// part is terms of a query that mostly occur together, such as a word, its grams,
// and both in the title.
type part struct {
	terms []*rankTerm
	// idf and most are, by group, the sum of the terms' idf, and what they add to a
	// score at most before its coordination.
	idf, most []float64
}

// parts returns the terms of the query in parts, those that count most first.
// Each term is in one of them; it does not matter in which.
func (k *ranker) parts() []*part {
	var parts []*part
	byText := make(map[string]*part)
	of := func(text string) *part {
		if p := byText[text]; p != nil {
			return p
		}
		for _, p := range parts {
			for _, t := range p.terms {
				if strings.Contains(t.text, text) {
					return p
				}
			}
		}
		p := &part{idf: make([]float64, len(k.groups)), most: make([]float64, len(k.groups))}
		parts, byText[text] = append(parts, p), p
		return p
	}
	for i, g := range k.groups {
		for _, t := range g.terms {
			of(t.text).add(i, t)
		}
	}
	slices.SortStableFunc(parts, func(a, b *part) int { return cmp.Compare(b.weight(), a.weight()) })
	for _, p := range parts[min(len(parts), maxParts):] {
		parts[maxParts-1].join(p)
	}
	return parts[:min(len(parts), maxParts)]
}

func (p *part) add(group int, t *rankTerm) {
	p.terms = append(p.terms, t)
	p.idf[group] += t.idf
	p.most[group] += t.most()
}

// join adds the terms of another part.
func (p *part) join(other *part) {
	p.terms = append(p.terms, other.terms...)
	for i := range p.idf {
		p.idf[i] += other.idf[i]
		p.most[i] += other.most[i]
	}
}

// weight says how much the part counts.
func (p *part) weight() float64 {
	sum := 0.0
	for _, w := range p.most {
		sum += w
	}
	return sum
}

// most is what score returns at most.
func (t *rankTerm) most() float64 {
	if t.counted {
		return t.boost * t.idf * (bm25K1 + 1)
	}
	return t.boost * t.idf
}

// bound returns what hits score at most that have terms of some parts only, the
// nth bit of which is of the nth part.
func (k *ranker) bound(has uint) float64 {
	sum := 0.0
	for i, g := range k.groups {
		idf, most := 0.0, 0.0
		for n, p := range k.asked {
			if has>>n&1 == 1 {
				idf += p.idf[i]
				most += p.most[i]
			}
		}
		sum += most * idf / g.weight
	}
	return sum * (1 + 1e-9) // the score's sums are rounded otherwise
}

// docs returns the documents of a segment that have a term of p.
func (p *part) docs(in *segment) *roaring.Bitmap {
	var lists []*roaring.Bitmap
	for _, t := range p.terms {
		for _, l := range t.lists {
			if postings := l.postings[in]; postings != nil {
				lists = append(lists, bitmapOf(postings))
			}
		}
	}
	if len(lists) == 1 {
		return lists[0]
	}
	return roaring.FastOr(lists...)
}

// best is score for those hits that may be among the best.
func (k *ranker) best(ctx context.Context, in *segment, hits *roaring.Bitmap, full full, visit func(doc uint32, score float64) error) error {
	if full == nil || hits.GetCardinality() < fewHits {
		return k.score(ctx, in, hits, visit)
	}
	if k.asked == nil {
		k.asked = k.parts()
	}
	s := &parting{ranker: k, in: in, full: full, visit: visit, docs: make([]*roaring.Bitmap, len(k.asked)), left: roaring.New()}
	if err := s.part(ctx, hits, 0, 1<<len(k.asked)-1); err != nil {
		return err
	}
	return s.score(ctx, in, s.left, visit)
}

// parting is the parting of a segment's hits.
type parting struct {
	*ranker
	in    *segment
	full  full
	visit func(doc uint32, score float64) error
	docs  []*roaring.Bitmap // by part, nil if not needed yet
	left  *roaring.Bitmap   // to be scored, which is not worth while for a few
}

// part scores the hits, or leaves them to be scored. They have terms of those parts
// before the nth that are in has, and may have terms of all others in it.
func (s *parting) part(ctx context.Context, hits *roaring.Bitmap, n int, has uint) error {
	count := hits.GetCardinality()
	switch {
	case count == 0, s.full(s.bound(has)):
		return nil
	case count < fewHits, n == len(s.asked):
		s.left.Or(hits)
		if s.left.GetCardinality() < fewHits {
			return nil
		}
		all := s.left
		s.left = roaring.New()
		return s.score(ctx, s.in, all, s.visit)
	}
	if s.docs[n] == nil {
		s.docs[n] = s.asked[n].docs(s.in)
	}
	if err := s.part(ctx, roaring.And(hits, s.docs[n]), n+1, has); err != nil {
		return err
	}
	return s.part(ctx, roaring.AndNot(hits, s.docs[n]), n+1, has&^(1<<n))
}
