package bleve

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	bleveindex "github.com/blevesearch/bleve_index_api"

	"xinwen/indexer/analysis"
	"xinwen/indexer/query"
)

// Where grams stand in an article is not kept in the postings, where each would
// take six bytes, but once per article: as the folded text itself, a character
// for each position. A phrase is looked up by its grams first; the few articles
// that have all of them are then read.
//
// A stream is a sequence of positions. A Chinese character is written as it is;
// mark endRun follows the last of a run. Any other word stands between
// beginWord and endRun, its parts separated by nextPart.
const (
	nextField = 0x1c
	nextPart  = 0x1d
	endRun    = 0x1e
	beginWord = 0x1f
)

// appendStream appends the positions of a field's grams to dst.
func appendStream(dst []byte, grams []analysis.Token) []byte {
	for i := 0; i < len(grams); {
		t := grams[i]
		i++
		if analysis.IsIdeograph(t.Term) {
			_, n := utf8.DecodeRuneInString(t.Term)
			dst = append(dst, t.Term[:n]...)
			if n == len(t.Term) {
				dst = append(dst, endRun)
			}
			continue
		}
		dst = append(dst, beginWord)
		dst = append(dst, t.Term...)
		for ; i < len(grams) && grams[i].Position == t.Position; i++ {
			dst = append(dst, nextPart)
			dst = append(dst, grams[i].Term...)
		}
		dst = append(dst, endRun)
	}
	return dst
}

// stream is a field's positions, read. Positions count from 0.
type stream struct {
	data []byte
	// at is where each position begins in data, and where the last one ends.
	at []int
}

// reset makes s the stream in data.
func (s *stream) reset(data []byte) {
	s.data, s.at = data, s.at[:0]
	for i := 0; i < len(data); {
		s.at = append(s.at, i)
		switch {
		case data[i] == beginWord:
			n := bytes.IndexByte(data[i:], endRun)
			if n < 0 {
				n = len(data) - i - 1
			}
			i += n + 1
		default:
			_, n := utf8.DecodeRune(data[i:])
			if i += n; i < len(data) && data[i] == endRun {
				i++
			}
		}
	}
	s.at = append(s.at, len(data))
}

// has says whether the position has a term, or one that begins so.
func (s *stream) has(position int, term string, prefix bool) bool {
	b := s.data[s.at[position]:s.at[position+1]]
	if b[0] == beginWord {
		b = b[1 : len(b)-1]
		for {
			word, rest, more := bytes.Cut(b, []byte{nextPart})
			if string(word) == term || prefix && bytes.HasPrefix(word, []byte(term)) {
				return true
			}
			if !more {
				return false
			}
			b = rest
		}
	}
	if n := len(b) - 1; b[n] == endRun { // a character alone
		return string(b[:n]) == term
	}
	// A gram is the character here and the one at the next position.
	if len(term) < len(b) || string(b) != term[:len(b)] {
		return false
	}
	if len(term) == len(b) {
		return prefix
	}
	next := s.data[s.at[position+1]:]
	_, n := utf8.DecodeRune(next)
	return string(next[:n]) == term[len(b):]
}

// find appends to dst where the slots stand; length is how many positions they
// take.
func (s *stream) find(dst []span, slots []query.Slot, length int) []span {
	last := slots[len(slots)-1].Offset
	for p := 0; p+last < len(s.at)-1; p++ {
		if s.matches(p, slots) {
			dst = append(dst, span{p, p + length})
		}
	}
	return dst
}

// contains says whether the slots stand anywhere.
func (s *stream) contains(slots []query.Slot) bool {
	last := slots[len(slots)-1].Offset
	for p := 0; p+last < len(s.at)-1; p++ {
		if s.matches(p, slots) {
			return true
		}
	}
	return false
}

func (s *stream) matches(position int, slots []query.Slot) bool {
	for i := range slots {
		slot := &slots[i]
		if !slices.ContainsFunc(slot.Terms, func(term string) bool {
			return s.has(position+slot.Offset, term, slot.Prefix)
		}) {
			return false
		}
	}
	return true
}

// span is a stretch of positions, half open.
type span struct{ start, end int }

// appendMentions appends mentions to dst: entity and positions of each, with
// spaces between and a line break after it.
func appendMentions(dst []byte, mentions []mention) []byte {
	for _, m := range mentions {
		dst = append(dst, m.entity...)
		dst = append(dst, ' ')
		dst = strconv.AppendInt(dst, int64(m.start), 10)
		dst = append(dst, ' ')
		dst = strconv.AppendInt(dst, int64(m.end), 10)
		dst = append(dst, '\n')
	}
	return dst
}

// findMentions appends to dst the positions of an entity's mentions.
func findMentions(dst []span, data []byte, entity string) ([]span, error) {
	for line := range bytes.Lines(data) {
		rest, ok := bytes.CutPrefix(line, []byte(entity+" "))
		if !ok {
			continue
		}
		var s span
		if _, err := fmt.Sscanf(string(rest), "%d %d\n", &s.start, &s.end); err != nil {
			return nil, fmt.Errorf("mentions in the index: %w", err)
		}
		dst = append(dst, s)
	}
	return dst, nil
}

// places reads where grams and mentions stand in documents.
type places struct {
	r      bleveindex.DocValueReader
	id     bleveindex.IndexInternalID
	doc    uint64
	loaded bool
	parts  [4][]byte // streams of title and text, mentions in title and text
	fields [2]stream
	read   [2]bool
}

func (s *snapshot) places() (*places, error) {
	if s.shared == nil {
		r, err := s.r.DocValueReader([]string{fieldLive})
		if err != nil {
			return nil, err
		}
		s.shared = &places{r: r}
	}
	return s.shared, nil
}

// load makes p the places of a document.
func (p *places) load(doc uint64) error {
	if p.loaded && p.doc == doc {
		return nil
	}
	p.id = bleveindex.NewIndexInternalID(p.id, doc)
	p.doc, p.loaded = doc, true
	p.parts, p.read = [4][]byte{}, [2]bool{}
	return p.r.VisitDocValues(p.id, func(_ string, value []byte) {
		if len(value) == 1 && value[0] == '1' {
			return // the term of fieldLive
		}
		for i := range p.parts {
			p.parts[i], value, _ = bytes.Cut(value, []byte{nextField})
		}
	})
}

const (
	inTitle = iota
	inText
)

// field returns the stream of title or text of the document loaded.
func (p *places) field(in int) *stream {
	if !p.read[in] {
		p.fields[in].reset(p.parts[in])
		p.read[in] = true
	}
	return &p.fields[in]
}
