package bleve

import (
	"container/list"
	"errors"
	"math"
	"slices"
	"sync"

	zap "github.com/blevesearch/scorch_segment_api/v2"
)

// frequencyBytes is how much memory the frequencies of common terms may take.
const frequencyBytes = 64 << 20

// memory keeps what searches have read of the segments and will need again:
// columns, each a value or more of every document, as long as there is the
// segment, and the frequencies of common terms, as long as there is room.
type memory struct {
	mu       sync.Mutex
	segments map[uint64]*kept // by scorch's ID
	recent   *list.List       // of *frequencies, the ones used last in front
	bytes    int              // of all of them
	limit    int
}

func newMemory(limit int) *memory {
	return &memory{segments: make(map[uint64]*kept), recent: list.New(), limit: limit}
}

// of returns what is kept of some segments and forgets all others.
func (m *memory) of(ids []uint64) []*kept {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]*kept, len(ids))
	now := make(map[uint64]*kept, len(ids))
	for i, id := range ids {
		k := m.segments[id]
		if k == nil {
			k = &kept{memory: m, columns: make(map[string]*column), times: make(map[string]*times)}
		}
		all[i], now[id] = k, k
		delete(m.segments, id)
	}
	for _, k := range m.segments {
		for _, f := range k.frequencies {
			m.forget(f)
		}
		k.frequencies, k.gone = nil, true
	}
	m.segments = now
	return all
}

func (m *memory) forget(f *frequencies) {
	m.recent.Remove(f.at)
	m.bytes -= f.size()
}

// kept is what is kept of a segment.
type kept struct {
	memory *memory

	// For who holds memory.mu.
	frequencies map[fieldTerm]*frequencies
	gone        bool // the segment is no longer part of the index

	filling sync.Mutex // one column or list at a time
	columns map[string]*column
	times   map[string]*times
	lengths map[string][]uint8 // by field and document, see frequencies
	raw     *rawValues         // nil if the segment was not in a file yet
}

type fieldTerm struct{ field, term string }

// frequencies says how often a common term occurs in the documents that have it,
// in their order.
type frequencies struct {
	counts []uint8           // often for more
	more   map[uint32]uint32 // by document
	// lengths are codes of the field's length by document. They are set for the
	// documents that have the term; those of others may change at any time.
	lengths []uint8

	of  *kept
	key fieldTerm
	at  *list.Element
}

const often = math.MaxUint8

func (f *frequencies) size() int { return len(f.counts) + 16*len(f.more) + 256 }

// known returns the frequencies of a term if they are kept.
func (k *kept) known(key fieldTerm) *frequencies {
	k.memory.mu.Lock()
	defer k.memory.mu.Unlock()
	f := k.frequencies[key]
	if f != nil {
		k.memory.recent.MoveToFront(f.at)
	}
	return f
}

func (k *kept) keep(f *frequencies) {
	m := k.memory
	m.mu.Lock()
	defer m.mu.Unlock()
	if k.gone {
		return
	}
	if k.frequencies == nil {
		k.frequencies = make(map[fieldTerm]*frequencies)
	}
	f.of, f.at = k, m.recent.PushFront(f)
	k.frequencies[f.key] = f
	for m.bytes += f.size(); m.bytes > m.limit; {
		old := m.recent.Back().Value.(*frequencies)
		m.forget(old)
		delete(old.of.frequencies, old.key)
	}
}

// frequencies reads the frequencies of a term, or returns those that are kept.
func (g *segment) frequencies(key fieldTerm, postings zap.PostingsList) (*frequencies, error) {
	k := g.kept
	k.filling.Lock()
	defer k.filling.Unlock()
	if f := k.known(key); f != nil { // someone else was faster
		return f, nil
	}
	lengths := k.lengths[key.field]
	if lengths == nil {
		lengths = make([]uint8, g.Count())
		if k.lengths == nil {
			k.lengths = make(map[string][]uint8)
		}
		k.lengths[key.field] = lengths
	}
	f := &frequencies{key: key, lengths: lengths, counts: make([]uint8, 0, postings.Count())}
	for it := postings.Iterator(true, true, false, nil); ; {
		p, err := it.Next()
		if err != nil {
			return nil, err
		}
		if p == nil {
			break
		}
		doc, n := uint32(p.Number()), p.Frequency()
		if n >= often {
			if f.more == nil {
				f.more = make(map[uint32]uint32)
			}
			f.more[doc] = uint32(n)
		}
		f.counts = append(f.counts, uint8(min(n, often)))
		if lengths[doc] == 0 {
			lengths[doc] = codeOf(p)
		}
	}
	k.keep(f)
	return f, nil
}

// codeOf returns the code of a posting's length.
func codeOf(p zap.Posting) uint8 {
	if n, ok := p.(interface{ NormUint64() uint64 }); ok {
		return uint8(n.NormUint64())
	}
	norm := p.Norm() // 1/√code
	return uint8(math.Round(1 / (norm * norm)))
}

// column is the values of a facet by document.
type column struct {
	names []string
	// one has a name's index plus 1, 0 where there is no value. It is nil if a
	// document has several: then those of document n are values[first[n]:first[n+1]].
	one           []uint32
	first, values []uint32
}

// of returns the indexes of a document's values. Those of one document may be in
// buf.
func (c *column) of(doc uint32, buf *[1]uint32) []uint32 {
	switch {
	case c.names == nil:
		return nil
	case c.one == nil:
		return c.values[c.first[doc]:c.first[doc+1]]
	case c.one[doc] == 0:
		return nil
	}
	buf[0] = c.one[doc] - 1
	return buf[:]
}

// count adds the values of some documents to counts, which has a place for each.
func (c *column) count(docs []uint32, counts []int) {
	if c.one != nil {
		for _, doc := range docs {
			if i := c.one[doc]; i > 0 {
				counts[i-1]++
			}
		}
		return
	}
	for _, doc := range docs {
		for _, i := range c.values[c.first[doc]:c.first[doc+1]] {
			counts[i]++
		}
	}
}

// name returns the value of a document that has one at most.
func (c *column) name(doc uint32) string {
	var buf [1]uint32
	for _, i := range c.of(doc, &buf) {
		return c.names[i]
	}
	return ""
}

// column returns the values of a field that has doc values.
func (g *segment) column(field string) (*column, error) {
	k := g.kept
	k.filling.Lock()
	defer k.filling.Unlock()
	if c := k.columns[field]; c != nil {
		return c, nil
	}
	c := new(column)
	index := make(map[string]uint32)
	most := 0
	first, values := make([]uint32, g.Count()+1), make([]uint32, 0, g.Count())
	err := g.visit(field, func(doc uint32, value []byte) error {
		i, ok := index[string(value)]
		if !ok {
			i = uint32(len(c.names))
			c.names = append(c.names, string(value))
			index[c.names[i]] = i
		}
		values = append(values, i)
		first[doc+1]++
		most = max(most, int(first[doc+1]))
		return nil
	})
	if err != nil {
		return nil, err
	}
	for i := range first[1:] {
		first[i+1] += first[i]
	}
	switch {
	case most > 1:
		c.first, c.values = first, slices.Clip(values)
	case most == 1:
		c.one = make([]uint32, g.Count())
		for doc := range c.one {
			if first[doc] < first[doc+1] {
				c.one[doc] = values[first[doc]] + 1
			}
		}
	}
	k.columns[field] = c
	return c, nil
}

// visit calls f with the doc values of a field, document by document.
func (g *segment) visit(field string, f func(doc uint32, value []byte) error) error {
	from, ok := g.Segment.(zap.DocValueVisitable)
	if !ok {
		return nil
	}
	var state zap.DocVisitState
	var fault error
	for doc := range uint32(g.Count()) {
		var err error
		state, err = from.VisitDocValues(uint64(doc), []string{field}, func(_ string, value []byte) {
			if err := f(doc, value); err != nil {
				fault = err
			}
		}, state)
		if err != nil || fault != nil {
			return errors.Join(err, fault)
		}
	}
	return nil
}
