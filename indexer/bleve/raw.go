package bleve

import (
	"bytes"
	"encoding/binary"

	zapx "github.com/blevesearch/zapx/v17"
)

// rawValues says where in a segment's file the doc values of fieldLive stand.
// Scorch's own visitor reads each to its end to find it, which takes longer than
// to look for a phrase in it. The layout is that of zap's version 17, which the
// zapx module's zap.md describes.
type rawValues struct {
	start uint64
	ends  []uint64 // by document, counted from start
}

// readRaw reads where the values stand, nil if it cannot: then there is the visitor.
func readRaw(file *zapx.Segment) *rawValues {
	if file.Version() != zapVersion {
		return nil
	}
	r := reader{data: file.Data(), at: file.SectionsIndexOffset()}
	for range r.uvarint() {
		section := r.section(r.uint64())
		if section == 0 {
			continue
		}
		of := reader{data: r.data, at: section}
		start, end := of.uvarint(), of.uvarint()
		if of.fault || end > uint64(len(r.data)) || start+16 > end {
			return nil
		}
		tail := r.data[end-16 : end] // how long the list of ends is, and of how many
		length, count := binary.BigEndian.Uint64(tail), binary.BigEndian.Uint64(tail[8:])
		if length > end-16-start || count != file.NumDocs() {
			return nil
		}
		of.at = end - 16 - length
		most := of.at - start
		v := &rawValues{start: start, ends: make([]uint64, count)}
		last := uint64(0)
		for doc := range v.ends {
			v.ends[doc] = of.uvarint()
			if v.ends[doc] < last || v.ends[doc] > most {
				return nil
			}
			last = v.ends[doc]
		}
		if of.fault {
			return nil
		}
		return v
	}
	return nil
}

// zapVersion is the version of segments whose layout is known here.
const zapVersion = 17

// raw returns where the values of fieldLive stand in the segment's file, and the
// file; nil if it is not known.
func (g *segment) raw() (*rawValues, *zapx.Segment) {
	file, ok := g.Segment.(*zapx.Segment)
	if !ok {
		return nil, nil
	}
	k := g.kept
	k.filling.Lock()
	defer k.filling.Unlock()
	if k.raw == nil {
		k.raw = readRaw(file)
	}
	return k.raw, file
}

// of returns the value of a document in the segment's file, nil if it has none.
func (v *rawValues) of(file *zapx.Segment, doc uint32) []byte {
	start := v.start
	if doc > 0 {
		start += v.ends[doc-1]
	}
	// The value and the term "1", either of which may come first.
	b := file.Data()[start : v.start+v.ends[doc]]
	b = bytes.TrimSuffix(b, []byte{valueEnd})
	b = bytes.TrimSuffix(b, []byte{valueEnd, '1'})
	b = bytes.TrimPrefix(b, []byte{'1', valueEnd})
	if len(b) == 0 || !isValue(b) {
		return nil
	}
	return b
}

const valueEnd = 0xff

// reader reads numbers of a segment's file one after the other.
type reader struct {
	data  []byte
	at    uint64
	fault bool
}

func (r *reader) uvarint() uint64 {
	if r.at < uint64(len(r.data)) {
		if v, n := binary.Uvarint(r.data[r.at:]); n > 0 {
			r.at += uint64(n)
			return v
		}
	}
	r.fault = true
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.data)) || r.at > uint64(len(r.data))-n {
		r.fault = true
		return nil
	}
	r.at += n
	return r.data[r.at-n : r.at]
}

// section returns where the inverted index of the field at a place begins; 0
// if it is not fieldLive.
func (r *reader) section(at uint64) uint64 {
	of := reader{data: r.data, at: at}
	name := of.bytes(of.uvarint())
	if string(name) != fieldLive {
		return 0
	}
	of.uvarint() // options
	for range min(of.uvarint(), 64) {
		kind := of.bytes(2)
		begin := of.uint64()
		if kind != nil && binary.BigEndian.Uint16(kind) == zapx.SectionInvertedTextIndex {
			return begin
		}
	}
	return 0
}
