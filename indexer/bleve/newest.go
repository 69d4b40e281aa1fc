package bleve

import (
	"context"
	"math"
	"slices"
	"time"

	"xinwen/indexer/plan"
	"xinwen/indexer/query"
)

// few is how many documents are sorted at once: looking for the newest days
// pays only above it.
const few = 2000

// newest shows c the newest of the documents of d: those of the last day, of the
// day before, and so on until it has enough. The rest are counted only.
func (s *snapshot) newest(ctx context.Context, q *plan.Plan, d docs, c *collector, key func(doc uint64) (float64, error)) error {
	var list []uint64
	for doc, err := d.seek(0); doc != done || err != nil; doc, err = d.seek(doc + 1) {
		if err == nil && len(list)%1024 == 0 {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		list = append(list, doc)
	}
	show := func(doc uint64) error {
		k, err := key(doc)
		if err != nil {
			return err
		}
		return c.add(found{doc: doc, key: k})
	}
	left := list
	if len(list) > few {
		days, err := s.days(query.FieldPublished, c.after)
		if err != nil {
			return err
		}
		shown := make(map[uint64]bool)
		for _, day := range slices.Backward(days) {
			of, err := s.term(query.FieldPublished+"_day", day)
			if err != nil {
				return err
			}
			for doc, err := of.seek(0); doc != done || err != nil; doc, err = of.seek(doc + 1) {
				if err != nil {
					return err
				}
				if _, ok := slices.BinarySearch(list, doc); ok {
					shown[doc] = true
					if err := show(doc); err != nil {
						return err
					}
				}
			}
			if len(c.best) == c.size { // the next day is older than all of these
				c.total = uint64(len(list))
				return nil
			}
		}
		// There are too few with a time.
		left = slices.DeleteFunc(slices.Clone(list), func(doc uint64) bool { return shown[doc] })
	}
	for _, doc := range left {
		if err := show(doc); err != nil {
			return err
		}
	}
	c.total = uint64(len(list))
	return nil
}

// days returns the days that a field has up to that of a position, in order.
func (s *snapshot) days(field string, until *plan.Position) ([]string, error) {
	last := "e" // after all days
	if until != nil {
		if math.IsInf(until.Key, -1) {
			return nil, nil
		}
		last = dayTerm(time.UnixMicro(int64(until.Key)).UTC()) + "~"
	}
	dict, err := s.r.FieldDictPrefix(field+"_day", []byte("d"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = dict.Close() }() // it only reads
	var days []string
	for {
		e, err := dict.Next()
		if err != nil || e == nil {
			return days, err
		}
		if e.Term < last {
			days = append(days, e.Term)
		}
	}
}
