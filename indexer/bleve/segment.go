package bleve

import (
	"errors"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/blevesearch/bleve/v2/index/scorch"
	bleveindex "github.com/blevesearch/bleve_index_api"
	zap "github.com/blevesearch/scorch_segment_api/v2"
)

// snapshot is one state of the index, in which a request is answered.
type snapshot struct {
	r        bleveindex.IndexReader
	state    state
	segments []*segment
}

// segment is one of the parts that a snapshot consists of. It never changes but
// for the documents that a newer snapshot has deleted, so what is kept of it in
// memory is right for all snapshots that it is part of. A segment is for one
// goroutine at a time.
type segment struct {
	zap.Segment
	kept  *kept
	live  *roaring.Bitmap // the articles that are not deleted
	whole bool            // all documents are live

	dictionaries map[string]zap.TermDictionary
	lists        map[fieldTerm]zap.PostingsList
	texts        *places
}

func (x *Index) snapshot() (*snapshot, error) {
	r, err := x.reader()
	if err != nil {
		return nil, err
	}
	s, err := x.snapshotOf(r)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return s, nil
}

func (x *Index) snapshotOf(r bleveindex.IndexReader) (*snapshot, error) {
	st, err := readState(r)
	if err != nil {
		return nil, err
	}
	of, ok := r.(*scorch.IndexSnapshot)
	if !ok {
		return nil, fmt.Errorf("index %s: a reader of type %T has no segments", x.path, r)
	}
	s := &snapshot{r: r, state: st}
	parts := of.Segments()
	ids := make([]uint64, len(parts))
	for i, part := range parts {
		ids[i] = part.Id()
	}
	for i, k := range x.memory.of(ids) {
		g := &segment{Segment: parts[i].Segment(), kept: k, dictionaries: make(map[string]zap.TermDictionary), lists: make(map[fieldTerm]zap.PostingsList)}
		if g.live, err = g.bitmap(fieldLive, "1"); err != nil {
			return nil, err
		}
		if deleted := parts[i].Deleted(); deleted != nil && !deleted.IsEmpty() {
			g.live = roaring.AndNot(g.live, deleted)
		}
		g.whole = g.live.GetCardinality() == g.Count()
		if !g.live.IsEmpty() {
			s.segments = append(s.segments, g)
		}
	}
	return s, nil
}

func (s *snapshot) close() { _ = s.r.Close() } // it only reads

// postings returns the list of a term in a field, deleted documents included.
func (g *segment) postings(field, term string) (zap.PostingsList, error) {
	key := fieldTerm{field, term}
	if list := g.lists[key]; list != nil {
		return list, nil
	}
	d := g.dictionaries[field]
	if d == nil {
		var err error
		if d, err = g.Dictionary(field); err != nil {
			return nil, err
		}
		g.dictionaries[field] = d
	}
	list, err := d.PostingsList([]byte(term), nil, nil)
	g.lists[key] = list
	return list, err
}

// bitmap returns the documents with a term in a field, deleted ones included. It
// may be part of the index's files and must not be changed.
func (g *segment) bitmap(field, term string) (*roaring.Bitmap, error) {
	list, err := g.postings(field, term)
	if err != nil {
		return nil, err
	}
	return bitmapOf(list), nil
}

func bitmapOf(list zap.PostingsList) *roaring.Bitmap {
	it, ok := list.Iterator(false, false, false, nil).(zap.OptimizablePostingsIterator)
	if !ok {
		return nothing
	}
	if doc, ok := it.DocNum1Hit(); ok {
		return roaring.BitmapOf(uint32(doc))
	}
	if all := it.ActualBitmap(); all != nil {
		return all
	}
	return nothing
}

// withPrefix calls visit with the terms of a field that begin with prefix.
func (g *segment) withPrefix(field, prefix string, visit func(term string) error) error {
	d, err := g.Dictionary(field)
	if err != nil {
		return err
	}
	var end []byte // the first after all with the prefix
	for i := len(prefix) - 1; i >= 0 && end == nil; i-- {
		if prefix[i] < 0xff {
			end = append([]byte(prefix[:i]), prefix[i]+1)
		}
	}
	it := d.AutomatonIterator(nil, []byte(prefix), end)
	for {
		e, err := it.Next()
		if err != nil || e == nil {
			return err
		}
		if err := visit(e.Term); err != nil {
			return err
		}
	}
}

// docFreq returns how many articles have a term in a field.
func (s *snapshot) docFreq(field, term string) (uint64, error) {
	var n uint64
	for _, g := range s.segments {
		all, err := g.bitmap(field, term)
		if err != nil {
			return 0, err
		}
		n += g.count(all)
	}
	return n, nil
}

// count returns how many of some documents are live.
func (g *segment) count(all *roaring.Bitmap) uint64 {
	if g.whole {
		return all.GetCardinality()
	}
	return all.AndCardinality(g.live)
}

// among returns those of some documents that are among within, which are all live.
func (g *segment) among(all, within *roaring.Bitmap) *roaring.Bitmap {
	if g.whole && within == g.live {
		return all
	}
	return roaring.And(all, within)
}

// id returns the ID of an article.
func (g *segment) id(doc uint32) (string, error) {
	id, err := g.DocID(uint64(doc))
	return string(id), err
}

// frequency returns how often a document has a term in a field.
func (g *segment) frequency(field, term string, doc uint32) (uint64, error) {
	list, err := g.postings(field, term)
	if err != nil {
		return 0, err
	}
	p, err := list.Iterator(true, true, false, nil).Advance(uint64(doc))
	if err != nil || p == nil || p.Number() != uint64(doc) {
		return 0, err
	}
	return p.Frequency(), nil
}
