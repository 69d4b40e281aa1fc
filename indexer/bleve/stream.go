package bleve

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"unicode/utf8"

	zap "github.com/blevesearch/scorch_segment_api/v2"
	zapx "github.com/blevesearch/zapx/v17"

	"xinwen/indexer/analysis"
	"xinwen/indexer/plan"
	"xinwen/indexer/query"
)

// Where grams stand in an article is not kept in the postings, where each would
// take six bytes, but once per article: as the folded text itself, a character
// for each position. A phrase is looked up by its grams first; the few articles
// that have all of them are then read.
//
// A stream is a sequence of positions. A run of Chinese characters stands as
// their codes between beginRun and endRun; any other word as it is, its parts
// separated by nextPart, with endRun after it.
const (
	nextField = 0x1c
	nextPart  = 0x1d
	endRun    = 0x1e
	beginRun  = 0x1f
)

// appendStream appends the positions of a field's grams to dst.
func appendStream(dst []byte, grams []analysis.Token) []byte {
	inRun := false
	for i := 0; i < len(grams); {
		t := grams[i]
		i++
		if analysis.IsIdeograph(t.Term) {
			if !inRun {
				dst = append(dst, beginRun)
			}
			r, n := utf8.DecodeRuneInString(t.Term)
			dst = appendCode(dst, r)
			if inRun = n < len(t.Term); !inRun { // the last of a run stands alone
				dst = append(dst, endRun)
			}
			continue
		}
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
	at   []place
}

// place is a position: where its word is, or its character's code.
type place struct {
	start, end int32
	kind       placeKind
}

type placeKind uint8

const (
	word      placeKind = iota
	inner               // a character with another one of its run after it
	lastOfRun           // a character
)

// reset makes s the stream in data.
func (s *stream) reset(data []byte) {
	s.data, s.at = data, s.at[:0]
	for i := 0; i < len(data); i++ { // steps over endRun
		if data[i] != beginRun {
			n := bytes.IndexByte(data[i:], endRun)
			if n < 0 {
				n = len(data) - i
			}
			s.at = append(s.at, place{int32(i), int32(i + n), word})
			i += n
			continue
		}
		for i++; i < len(data) && data[i] != endRun; {
			n := codeLength(data[i:])
			s.at = append(s.at, place{int32(i), int32(i + n), inner})
			i += n
		}
		if k := len(s.at) - 1; k >= 0 {
			s.at[k].kind = lastOfRun
		}
	}
}

// pattern is a sequence of slots as it stands in a stream.
type pattern struct {
	slots  [][]gram
	offset []int
	length int
}

// gram is a term in a stream: a word, or one or two characters.
type gram struct {
	word          []byte
	first, second []byte // codes
	prefix        bool
}

func newPattern(c *query.Clause) pattern {
	p := pattern{length: c.Length}
	for _, slot := range c.Slots {
		var grams []gram
		for _, term := range slot.Terms {
			g := gram{prefix: slot.Prefix}
			if analysis.IsIdeograph(term) {
				r, n := utf8.DecodeRuneInString(term)
				g.first = appendCode(nil, r)
				if n < len(term) {
					r, _ = utf8.DecodeRuneInString(term[n:])
					g.second = appendCode(nil, r)
				}
			} else {
				g.word = []byte(term)
			}
			grams = append(grams, g)
		}
		p.slots = append(p.slots, grams)
		p.offset = append(p.offset, slot.Offset)
	}
	return p
}

// has says whether g stands at a position.
func (s *stream) has(position int, g *gram) bool {
	at := s.at[position]
	b := s.data[at.start:at.end]
	switch {
	case at.kind == word:
		return g.word != nil && hasWord(b, g)
	case g.word != nil || !bytes.Equal(b, g.first):
		return false
	case g.second == nil:
		return g.prefix || at.kind == lastOfRun
	}
	return at.kind == inner && bytes.HasPrefix(s.data[at.end:], g.second)
}

func hasWord(parts []byte, g *gram) bool {
	for {
		word, rest, more := bytes.Cut(parts, []byte{nextPart})
		if bytes.Equal(word, g.word) || g.prefix && bytes.HasPrefix(word, g.word) {
			return true
		}
		if !more {
			return false
		}
		parts = rest
	}
}

// find appends to dst where p stands.
func (s *stream) find(dst []span, p *pattern) []span {
	s.each(p, func(at int) bool {
		dst = append(dst, span{at, at + p.length})
		return true
	})
	return dst
}

// each calls visit with the positions where p begins, in order, until it
// returns false.
func (s *stream) each(p *pattern, visit func(at int) bool) {
	ends := len(s.at) - p.offset[len(p.offset)-1]
	if len(p.slots[0]) > 1 {
		for at := range max(ends, 0) {
			if s.matches(at, p) && !visit(at) {
				return
			}
		}
		return
	}
	// The bytes of the first gram lead to the few positions to look at.
	g := &p.slots[0][0]
	needle := g.word
	if needle == nil {
		needle = slices.Concat(g.first, g.second)
	}
	last := -1
	for from := 0; from < len(s.data); {
		i := bytes.Index(s.data[from:], needle)
		if i < 0 {
			return
		}
		from += i + 1
		at := sort.Search(len(s.at), func(k int) bool { return int(s.at[k].end) >= from })
		if at < ends && at != last && s.matches(at, p) && !visit(at) {
			return
		}
		last = at
	}
}

func (s *stream) matches(at int, p *pattern) bool {
	for i, grams := range p.slots {
		found := false
		for k := range grams {
			if found = s.has(at+p.offset[i], &grams[k]); found {
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// span is a stretch of positions, half open.
type span struct{ start, end int }

// appendMentions appends mentions to dst: entity and positions of each, with
// spaces between and a line break after it.
func appendMentions(dst []byte, mentions []query.Mention) []byte {
	for _, m := range mentions {
		dst = append(dst, m.Entity...)
		dst = append(dst, ' ')
		dst = strconv.AppendInt(dst, int64(m.Start), 10)
		dst = append(dst, ' ')
		dst = strconv.AppendInt(dst, int64(m.End), 10)
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
	raw    *rawValues // nil if they are not known: then from is asked
	file   *zapx.Segment
	from   zap.DocValueVisitable
	state  zap.DocVisitState
	doc    uint32
	loaded bool
	// streams are of the title and of the text, the latter with all that is after
	// it: what stands there cannot be taken for a position of the text.
	streams [2][]byte
	parts   [4][]byte // streams of title and text, mentions in title and text; nil if not needed yet
	fields  [2]stream
	read    [2]bool
}

// places returns those of a document, until it is called for another one.
func (g *segment) places(doc uint32) (*places, error) {
	if g.texts == nil {
		from, ok := g.Segment.(zap.DocValueVisitable)
		if !ok {
			return nil, fmt.Errorf("a segment of type %T has no doc values", g.Segment)
		}
		g.texts = &places{from: from}
		g.texts.raw, g.texts.file = g.raw()
	}
	return g.texts, g.texts.load(doc)
}

func (p *places) load(doc uint32) error {
	if p.loaded && p.doc == doc {
		return nil
	}
	p.doc, p.loaded = doc, true
	p.streams, p.parts, p.read = [2][]byte{}, [4][]byte{}, [2]bool{}
	if p.raw != nil {
		p.streams[inTitle], p.streams[inText], _ = bytes.Cut(p.raw.of(p.file, doc), []byte{nextField})
		return nil
	}
	var err error
	p.state, err = p.from.VisitDocValues(uint64(doc), liveField, func(_ string, value []byte) {
		if isValue(value) {
			p.streams[inTitle], p.streams[inText], _ = bytes.Cut(value, []byte{nextField})
		}
	}, p.state)
	return err
}

var liveField = []string{fieldLive}

// mentions returns the mentions in title or text of the document loaded.
func (p *places) mentions(in int) []byte {
	p.split()
	return p.parts[2+in]
}

func (p *places) split() {
	if p.parts[inTitle] == nil {
		p.parts[inTitle] = p.streams[inTitle]
		rest := p.streams[inText]
		for i := range p.parts[inText:] {
			p.parts[inText+i], rest, _ = bytes.Cut(rest, []byte{nextField})
		}
	}
}

const (
	inTitle = plan.InTitle
	inText  = plan.InText
)

// field returns the stream of title or text of the document loaded.
func (p *places) field(in int) *stream {
	if !p.read[in] {
		p.split()
		p.fields[in].reset(p.parts[in])
		p.read[in] = true
	}
	return &p.fields[in]
}
