package bleve

import (
	"context"
	"math"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
)

// times is the values of a time field by document: whole microseconds since 1970
// and, where there are any, what is left in nanoseconds.
type times struct {
	micros []int64 // never where there is no time
	nanos  map[uint32]int64
	// first and last are the lowest and highest keys of timeBlock documents in a row.
	first, last []float64
}

// timeBlock is how many documents are left out together where all of them are too
// old, or too new, to be shown.
const timeBlock = 1024

const never = math.MinInt64

// key returns what documents are sorted by; one without a time is the oldest.
func (t *times) key(doc uint32) float64 {
	if t.micros[doc] == never {
		return math.Inf(-1)
	}
	return float64(t.micros[doc])
}

// before says whether the document's time is before at; one without a time is.
func (t *times) before(doc uint32, at time.Time) bool {
	micros := at.UnixMicro()
	if t.micros[doc] != micros {
		return t.micros[doc] < micros
	}
	return t.nanos[doc] < int64(at.Nanosecond()%1000)
}

// timesOf returns the values of query.FieldPublished or FieldFetched.
func (g *segment) timesOf(field string) (*times, error) {
	k := g.kept
	k.filling.Lock()
	defer k.filling.Unlock()
	if t := k.times[field]; t != nil {
		return t, nil
	}
	t := &times{micros: make([]int64, g.Count())}
	for i := range t.micros {
		t.micros[i] = never
	}
	err := g.visit(field, func(doc uint32, value []byte) error {
		if !isValue(value) {
			return nil
		}
		at, err := decodeTime(string(value))
		if err != nil {
			return err
		}
		t.micros[doc] = at.UnixMicro()
		if left := at.Nanosecond() % 1000; left > 0 {
			if t.nanos == nil {
				t.nanos = make(map[uint32]int64)
			}
			t.nanos[doc] = int64(left)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for doc := range uint32(len(t.micros)) {
		key := t.key(doc)
		if doc%timeBlock == 0 {
			t.first, t.last = append(t.first, key), append(t.last, key)
		}
		n := doc / timeBlock
		t.first[n], t.last[n] = min(t.first[n], key), max(t.last[n], key)
	}
	k.times[field] = t
	return t, nil
}

// timeKeys returns the times of publication as keys for an order of hits.
func timeKeys(sort string) keys {
	return func(ctx context.Context, g *segment, hits *roaring.Bitmap, full full, visit func(doc uint32, key float64) error) error {
		t, err := g.timesOf(query.FieldPublished)
		if err != nil {
			return err
		}
		if full == nil || hits.GetCardinality() < timeBlock {
			return each(ctx, hits, func(doc uint32) error { return visit(doc, t.key(doc)) })
		}
		nearest := t.last
		if sort == search.SortOldest {
			nearest = t.first
		}
		// Documents are mostly in the order of their times.
		for i := range nearest {
			n := i
			if sort != search.SortOldest {
				n = len(nearest) - 1 - i
			}
			if full(nearest[n]) {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			end := uint32(n+1) * timeBlock
			it := hits.Iterator()
			it.AdvanceIfNeeded(uint32(n) * timeBlock)
			for it.HasNext() && it.PeekNext() < end {
				doc := it.Next()
				if err := visit(doc, t.key(doc)); err != nil {
					return err
				}
			}
		}
		return nil
	}
}
