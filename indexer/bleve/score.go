package bleve

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
	zap "github.com/blevesearch/scorch_segment_api/v2"
)

// Hits are cheap to score because terms are read one after the other, each in one
// go over a stretch of documents short enough for its sums to stay in the
// processor's cache, and because how often a common term occurs is kept in memory,
// a byte a posting (see frequencies). Of an OR most are not scored at all (see
// best).

const (
	// stretch is how many documents are scored together at most.
	stretch = 1 << 14
	// common is in how many documents of a segment a term must be to be kept.
	common = 2048
	// A list is not read as a whole for few hits: rather each hit is looked up,
	// which takes as long as so many postings, kept or not.
	lookupKept = 64
	lookupList = 32
)

// sums are of the documents of a stretch.
type sums struct {
	hits    [stretch]uint32
	isHit   [stretch / 64]uint64
	score   [stretch]float64 // of all groups
	part    [stretch]float64 // of a group, before its coordination
	matched [stretch]float64 // the idf of the terms that there are
	counts  [stretch]float64 // of a term that has several lists
	codes   [stretch]uint8
}

var sumsPool = sync.Pool{New: func() any { return new(sums) }}

// score calls visit with the score of each hit of a segment, in order.
func (k *ranker) score(ctx context.Context, in *segment, hits *roaring.Bitmap, visit func(doc uint32, score float64) error) error {
	type open struct {
		term  *rankTerm
		lists []*cursor
	}
	groups := make([][]open, len(k.groups))
	count := hits.GetCardinality()
	for i, g := range k.groups {
		for _, t := range g.terms {
			o := open{term: t}
			for _, l := range t.lists {
				if err := ctx.Err(); err != nil {
					return err
				}
				c, err := l.open(in, t.counted, hits, count)
				if err != nil {
					return err
				}
				if c != nil {
					o.lists = append(o.lists, c)
				}
			}
			if len(o.lists) > 0 {
				groups[i] = append(groups[i], o)
			}
		}
	}

	s := sumsPool.Get().(*sums) // goes back only when it is as it was
	var list, left []uint32
	for all := hits.ManyIterator(); ; left = left[len(list):] {
		if len(left) == 0 {
			if left = s.hits[:all.NextMany(s.hits[:])]; len(left) == 0 {
				sumsPool.Put(s)
				return nil
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		first := left[0]
		end := first + stretch
		if list = left; list[len(list)-1] >= end {
			n, _ := slices.BinarySearch(list, end)
			list = list[:n]
		}
		for _, doc := range list {
			at := doc - first
			s.isHit[at/64] |= 1 << (at % 64)
			s.score[at] = 0
		}
		for i, terms := range groups {
			if len(terms) == 0 {
				continue
			}
			for _, o := range terms {
				if len(o.lists) == 1 {
					s.add(o.term, o.lists[0], first, end)
				} else {
					s.addSeveral(o.term, o.lists, list, first, end)
				}
			}
			weight := k.groups[i].weight
			for _, doc := range list {
				at := doc - first
				if m := s.matched[at]; m != 0 {
					s.score[at] += s.part[at] * m / weight
					s.part[at], s.matched[at] = 0, 0
				}
			}
		}
		var err error
		for _, doc := range list {
			at := doc - first
			s.isHit[at/64] = 0
			if err == nil {
				err = visit(doc, s.score[at])
			}
		}
		if err != nil {
			return err
		}
	}
}

// add adds what a term makes of the documents from first to before end.
func (s *sums) add(t *rankTerm, c *cursor, first, end uint32) {
	for c.load(end) {
		for i, doc := range c.docs {
			at := doc - first
			if at >= stretch || s.isHit[at/64]>>(at%64)&1 == 0 {
				continue
			}
			switch n := c.counts[i]; n {
			case often:
				s.part[at] += t.score(float64(c.more[doc]), c.codes[i])
			default:
				r := t.rows[n]
				if r == nil {
					r = t.scores(n)
				}
				s.part[at] += r[c.codes[i]&127]
			}
			s.matched[at] += t.idf
		}
	}
}

// addSeveral is add for a term of several lists: what they count is summed up
// first.
func (s *sums) addSeveral(t *rankTerm, lists []*cursor, hits []uint32, first, end uint32) {
	for _, c := range lists {
		for c.load(end) {
			for i, doc := range c.docs {
				at := doc - first
				if at >= stretch || s.isHit[at/64]>>(at%64)&1 == 0 {
					continue
				}
				n := float64(c.counts[i])
				if c.counts[i] == often {
					n = float64(c.more[doc])
				}
				s.counts[at] += n
				s.codes[at] = c.codes[i]
			}
		}
	}
	for _, doc := range hits {
		at := doc - first
		if n := s.counts[at]; n > 0 {
			s.part[at] += t.score(n, s.codes[at])
			s.matched[at] += t.idf
			s.counts[at] = 0
		}
	}
}

// cursor goes through the postings of a term in a segment.
type cursor struct {
	// The postings loaded.
	docs   []uint32
	counts []uint8
	codes  []uint8
	more   map[uint32]uint32

	// What is left, if the term's frequencies are kept or do not matter.
	all     roaring.ManyIntIterable
	kept    *frequencies
	ahead   []uint32 // documents read but not loaded
	at      int      // of ahead in the list
	buf     []uint32
	codeBuf []uint8

	// What is left else.
	rest struct {
		docs          []uint32
		counts, codes []uint8
	}
}

// ones and zeros are counts and codes of terms that are there or not.
var (
	ones  = [loadSize]uint8(bytes.Repeat([]byte{1}, loadSize))
	zeros [loadSize]uint8
)

// loadSize is how many postings are loaded at once.
const loadSize = 512

// newCursor returns a cursor over a list whose frequencies are kept, or do not
// matter.
func newCursor(all *roaring.Bitmap, kept *frequencies) *cursor {
	size := min(all.GetCardinality(), loadSize)
	c := &cursor{all: all.ManyIterator(), kept: kept, buf: make([]uint32, size)}
	if kept != nil {
		c.more, c.codeBuf = kept.more, make([]uint8, size)
	}
	return c
}

// load loads some of the next postings before end and reports whether there are
// any.
func (c *cursor) load(end uint32) bool {
	if c.all == nil {
		n := 0
		for n < len(c.rest.docs) && c.rest.docs[n] < end {
			n++
		}
		c.docs, c.counts, c.codes = c.rest.docs[:n], c.rest.counts[:n], c.rest.codes[:n]
		c.rest.docs, c.rest.counts, c.rest.codes = c.rest.docs[n:], c.rest.counts[n:], c.rest.codes[n:]
		return n > 0
	}
	if len(c.ahead) == 0 {
		if c.ahead = c.buf[:c.all.NextMany(c.buf)]; len(c.ahead) == 0 {
			return false
		}
	}
	n := len(c.ahead)
	if c.ahead[n-1] >= end {
		for n = 0; c.ahead[n] < end; n++ {
		}
	}
	if n == 0 {
		return false
	}
	c.docs, c.ahead = c.ahead[:n], c.ahead[n:]
	if c.kept == nil {
		c.counts, c.codes = ones[:n], zeros[:n]
		return true
	}
	c.counts, c.codes = c.kept.counts[c.at:c.at+n], c.codeBuf[:n]
	for i, doc := range c.docs {
		c.codes[i] = c.kept.lengths[doc]
	}
	c.at += n
	return true
}

// open returns a cursor over at least the postings of the hits, of which there
// are count; nil if there are none.
func (l *rankList) open(in *segment, counted bool, hits *roaring.Bitmap, count uint64) (*cursor, error) {
	postings := l.postings[in]
	if postings == nil {
		return nil, nil
	}
	all := bitmapOf(postings)
	if !counted {
		return newCursor(all, nil), nil
	}
	n := all.GetCardinality()
	kept := in.kept.known(l.key)
	switch {
	case kept != nil && count*lookupKept < n:
		return kept.among(all, roaring.And(all, hits)), nil
	case kept == nil && count*lookupList < n:
		return among(postings, roaring.And(all, hits))
	case kept == nil && n < common:
		return among(postings, nil)
	case kept == nil:
		var err error
		if kept, err = in.frequencies(l.key, postings); err != nil {
			return nil, err
		}
	}
	return newCursor(all, kept), nil
}

// among returns a cursor over the postings of some of all documents that have the
// term.
func (f *frequencies) among(all, some *roaring.Bitmap) *cursor {
	c := &cursor{more: f.more}
	c.rest.docs = some.ToArray()
	for _, doc := range c.rest.docs {
		c.rest.counts = append(c.rest.counts, f.counts[all.Rank(doc)-1])
		c.rest.codes = append(c.rest.codes, f.lengths[doc])
	}
	return c
}

// among returns a cursor over some postings of a list, or all if some is nil.
func among(postings zap.PostingsList, some *roaring.Bitmap) (*cursor, error) {
	c := new(cursor)
	it := postings.Iterator(true, true, false, nil)
	add := func(p zap.Posting) {
		n := p.Frequency()
		if n >= often {
			if c.more == nil {
				c.more = make(map[uint32]uint32)
			}
			c.more[uint32(p.Number())] = uint32(n)
		}
		c.rest.docs = append(c.rest.docs, uint32(p.Number()))
		c.rest.counts = append(c.rest.counts, uint8(min(n, often)))
		c.rest.codes = append(c.rest.codes, codeOf(p))
	}
	if some == nil {
		for {
			p, err := it.Next()
			if err != nil || p == nil {
				return c, err
			}
			add(p)
		}
	}
	for docs := some.Iterator(); docs.HasNext(); {
		p, err := it.Advance(uint64(docs.Next()))
		if err != nil || p == nil {
			return c, err
		}
		add(p)
	}
	return c, nil
}
