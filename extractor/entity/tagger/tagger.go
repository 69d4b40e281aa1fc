package tagger

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"xinwen/extractor/entity/crf"
	"xinwen/news/han"
)

// Language is one that a Tagger reads.
type Language uint8

// The languages.
const (
	Chinese Language = iota
	English
)

// Tagger finds names in one language. It is safe for concurrent use.
type Tagger struct {
	// Eager is that of crf.Decoder.
	Eager float64

	language Language
	model    *crf.Model
	words    *Words
	wide     *wide // nil but for TrainWide's
}

// Words are the words the tagger knows of.
func (t *Tagger) Words() *Words { return t.words }

// Sentence is a sentence of folded text with its names, to learn from.
type Sentence struct {
	Text string
	// Capital reports whether the original has a capital letter at an offset.
	Capital func(int) bool
	// Known are names that are given, Names those to learn: Start and End are
	// byte offsets, Kind counts from 0.
	Known []Known
	Names []crf.Span
}

// Train fits a tagger of kinds kinds to sentences.
func Train(language Language, kinds int, words *Words, list []Sentence, o crf.Options) *Tagger {
	return train(language, kinds, words, list, nil, o)
}

// train reads each sentence with the one of parts whose turn it is.
func train(language Language, kinds int, words *Words, list []Sentence, parts []wide, o crf.Options) *Tagger {
	r := reader{words: words}
	examples := make([]crf.Example, 0, len(list))
	for i := range list {
		var w *wide
		if len(parts) > 0 {
			w = &parts[i%len(parts)]
		}
		if x, ok := r.example(language, &list[i], w); ok {
			examples = append(examples, x)
		}
	}
	return &Tagger{language: language, words: words, model: crf.Train(kinds, examples, o)}
}

// cut takes in the units of a sentence.
func (r *reader) cut(s *Sentence) {
	r.units = cut(r.units[:0], s.Text, 0, len(s.Text), s.Capital)
	r.units = r.units[:min(len(r.units), maxUnits)]
}

// example reads a sentence for training.
func (r *reader) example(l Language, s *Sentence, w *wide) (crf.Example, bool) {
	r.cut(s)
	if len(r.units) == 0 {
		return crf.Example{}, false
	}
	r.prepare(s.Known)
	r.widely(w)
	var spans []crf.Span
	for _, n := range s.Names {
		x := crf.Span{Start: -1, Kind: n.Kind}
		for i := range r.units {
			if u := &r.units[i]; u.start < n.End && n.Start < u.end {
				if x.Start < 0 {
					x.Start = i
				}
				x.End = i + 1
			}
		}
		if x.Start >= 0 && (len(spans) == 0 || spans[len(spans)-1].End <= x.Start) {
			spans = append(spans, x)
		}
	}
	x := crf.Example{Labels: crf.Labels(len(r.units), spans)}
	for i := range r.units {
		x.Features = append(x.Features, append([]uint32(nil), r.features(l, i)...))
	}
	return x, true
}

func (r *reader) features(l Language, i int) []uint32 {
	if l == Chinese {
		r.chinese(i)
	} else {
		r.english(i)
	}
	if r.wide != nil {
		r.wider(i)
	}
	return r.out
}

// Names returns the names in folded text, with byte offsets. Sentences that are
// not in the tagger's language are passed over. known must be in order.
func (t *Tagger) Names(text string, capital func(int) bool, known []Known) []crf.Span {
	r := reader{words: t.words}
	d := t.model.NewDecoder()
	d.Eager = t.Eager
	var out []crf.Span
	for from := 0; from < len(text); {
		to := SentenceEnd(text, from)
		if Reads(t.language, text[from:to]) {
			for len(known) > 0 && known[0].End <= from {
				known = known[1:]
			}
			units := cut(r.units[:0], text, from, to, capital)
			for all := units; len(all) > 0; {
				n := min(len(all), maxUnits)
				r.units, all = all[:n], all[n:]
				out = t.sentence(out, &r, d, known)
			}
			r.units = units
		}
		from = to
	}
	return out
}

func (t *Tagger) sentence(out []crf.Span, r *reader, d *crf.Decoder, known []Known) []crf.Span {
	r.prepare(known)
	r.widely(t.wide)
	d.Reset()
	for i := range r.units {
		d.Add(r.features(t.language, i))
	}
	for _, n := range d.Names() {
		n.Start, n.End = r.units[n.Start].start, r.units[n.End-1].end
		out = append(out, n)
	}
	return out
}

// SentenceEnd returns the end of the sentence that begins at from.
func SentenceEnd(text string, from int) int {
	for i := from; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		i += n
		switch r {
		case '\n', '。', '!', '?', ';':
			return i
		case '.':
			if i < len(text) && text[i] == ' ' && i-from > 2 && !abbreviated(text[from:i-1]) {
				return i
			}
		}
	}
	return len(text)
}

// Reads reports whether a sentence is in a language.
func Reads(l Language, sentence string) bool { return hasHan(sentence) == (l == Chinese) }

// abbreviated reports whether the point behind s ends no sentence.
func abbreviated(s string) bool {
	w := s[strings.LastIndexAny(s, " .(")+1:]
	if len(w) < 2 {
		return true
	}
	switch w {
	case "mr", "mrs", "ms", "dr", "prof", "inc", "corp", "co", "ltd", "st", "gen", "sen", "rep", "jr", "sr", "vs", "no", "u.s":
		return true
	}
	return false
}

func hasHan(s string) bool { return strings.ContainsFunc(s, han.IsHan) }

// Pack writes t as Read reads it.
func (t *Tagger) Pack(w io.Writer) error {
	if t.wide != nil {
		return errors.New("write tagger: one of TrainWide cannot be packed: use Train")
	}
	z, err := flate.NewWriter(w, flate.BestCompression)
	if err != nil {
		return fmt.Errorf("write tagger: %w", err)
	}
	var b bytes.Buffer
	b.WriteByte(byte(t.language))
	b.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(t.Eager))))
	if err := t.model.Pack(&b); err != nil {
		return err
	}
	if _, err := z.Write(t.words.pack(b.Bytes())); err != nil {
		return fmt.Errorf("write tagger: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("write tagger: %w", err)
	}
	return nil
}

// Read reads what Pack wrote.
func Read(r io.Reader) (*Tagger, error) {
	data, err := io.ReadAll(io.LimitReader(flate.NewReader(r), 64<<20))
	if err != nil {
		return nil, fmt.Errorf("read tagger: %w", err)
	}
	if len(data) < 5 || data[0] > byte(English) {
		return nil, errors.New("read tagger: no head: fit it again")
	}
	t := &Tagger{language: Language(data[0]), Eager: float64(math.Float32frombits(binary.LittleEndian.Uint32(data[1:])))}
	if t.model, data, err = crf.Unpack(data[5:]); err != nil {
		return nil, err
	}
	t.words, err = unpackWords(data)
	return t, err
}
