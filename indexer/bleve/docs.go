package bleve

import (
	"context"
	"math"

	bleveindex "github.com/blevesearch/bleve_index_api"
)

// done is the document number after the last one.
const done = math.MaxUint64

// docs are the numbers of the documents that a part of a query matches, in
// ascending order.
type docs interface {
	// seek returns the first number that is not below at, or done. Calls go
	// forward only: at never decreases.
	seek(at uint64) (uint64, error)
}

// termDocs are the documents with a term in a field.
type termDocs struct {
	r       bleveindex.TermFieldReader
	doc     bleveindex.TermFieldDoc
	id      bleveindex.IndexInternalID
	current uint64
	started bool
}

func (t *termDocs) seek(at uint64) (uint64, error) {
	if t.started && t.current >= at {
		return t.current, nil
	}
	var d *bleveindex.TermFieldDoc
	var err error
	if at == 0 || t.started && at == t.current+1 {
		d, err = t.r.Next(t.doc.Reset())
	} else {
		t.id = bleveindex.NewIndexInternalID(t.id, at)
		d, err = t.r.Advance(t.id, t.doc.Reset())
	}
	if err != nil {
		return done, err
	}
	t.started, t.current = true, done
	if d != nil {
		t.current = d.ID.Value()
	}
	return t.current, nil
}

// none matches nothing.
type none struct{}

func (none) seek(uint64) (uint64, error) { return done, nil }

// allOf are the documents that all parts match.
type allOf []docs

func (a allOf) seek(at uint64) (uint64, error) {
	for {
		start := at
		for _, d := range a {
			n, err := d.seek(at)
			if err != nil || n == done {
				return done, err
			}
			at = n
		}
		if at == start {
			return at, nil
		}
	}
}

// anyOf are the documents that at least min of its parts match.
type anyOf struct {
	parts []docs
	min   int // at least 1
	at    []uint64
}

func newAnyOf(min int, parts ...docs) docs {
	switch {
	case len(parts) < min:
		return none{}
	case len(parts) == 1:
		return parts[0]
	case min == len(parts):
		return allOf(parts)
	}
	return &anyOf{parts: parts, min: max(min, 1), at: make([]uint64, len(parts))}
}

func (a *anyOf) seek(at uint64) (uint64, error) {
	for {
		lowest, count := uint64(done), 0
		for i, d := range a.parts {
			if a.at[i] < at || at == 0 {
				var err error
				if a.at[i], err = d.seek(at); err != nil {
					return done, err
				}
			}
			switch n := a.at[i]; {
			case n < lowest:
				lowest, count = n, 1
			case n == lowest:
				count++
			}
		}
		if lowest == done || count >= a.min {
			return lowest, nil
		}
		at = lowest + 1
	}
}

// butNot are the documents of in that out does not match.
type butNot struct {
	in, out docs
}

func (b butNot) seek(at uint64) (uint64, error) {
	for {
		n, err := b.in.seek(at)
		if err != nil || n == done {
			return done, err
		}
		m, err := b.out.seek(n)
		if err != nil {
			return done, err
		}
		if m != n {
			return n, nil
		}
		at = n + 1
	}
}

// filtered are the documents of in that keep accepts.
type filtered struct {
	in   docs
	keep func(doc uint64) (bool, error)
}

func (f filtered) seek(at uint64) (uint64, error) {
	for {
		n, err := f.in.seek(at)
		if err != nil || n == done {
			return done, err
		}
		ok, err := f.keep(n)
		if err != nil {
			return done, err
		}
		if ok {
			return n, nil
		}
		at = n + 1
	}
}

// snapshot opens readers on one state of the index and closes them together.
type snapshot struct {
	r       bleveindex.IndexReader
	state   state
	readers []bleveindex.TermFieldReader
	shared  *places
}

func (s *snapshot) close() {
	s.closeReaders()
	_ = s.r.Close()
}

func (s *snapshot) closeReaders() {
	for _, r := range s.readers {
		_ = r.Close() // only gives memory back
	}
	s.readers = nil
}

// term returns the documents with a term in a field.
func (s *snapshot) term(field, term string) (*termDocs, error) {
	return s.open(field, term, false)
}

// textTerm returns the documents with a term in their text: those where it is
// more often in title and text than in the title.
func (s *snapshot) textTerm(both, title, term string) (docs, error) {
	all, err := s.open(both, term, true)
	if err != nil {
		return nil, err
	}
	in, err := s.open(title, term, true)
	if err != nil {
		return nil, err
	}
	return filtered{in: all, keep: func(doc uint64) (bool, error) {
		n, err := in.seek(doc)
		return n != doc || all.doc.Freq > in.doc.Freq, err
	}}, nil
}

func (s *snapshot) open(field, term string, frequencies bool) (*termDocs, error) {
	r, err := s.r.TermFieldReader(context.Background(), []byte(term), field, frequencies, frequencies, false)
	if err != nil {
		return nil, err
	}
	s.readers = append(s.readers, r)
	return &termDocs{r: r}, nil
}

// terms returns the documents with any of some terms in a field.
func (s *snapshot) terms(field string, terms ...string) (docs, error) {
	parts := make([]docs, 0, len(terms))
	for _, t := range terms {
		d, err := s.term(field, t)
		if err != nil {
			return nil, err
		}
		parts = append(parts, d)
	}
	return newAnyOf(1, parts...), nil
}

// prefix returns the documents with a term in a field that begins so.
func (s *snapshot) prefix(field, prefix string) (docs, error) {
	dict, err := s.r.FieldDictPrefix(field, []byte(prefix))
	if err != nil {
		return nil, err
	}
	defer func() { _ = dict.Close() }() // it only reads
	var terms []string
	for {
		e, err := dict.Next()
		if err != nil {
			return nil, err
		}
		if e == nil {
			return s.terms(field, terms...)
		}
		terms = append(terms, e.Term)
	}
}

// live returns all articles.
func (s *snapshot) live() (docs, error) { return s.term(fieldLive, "1") }
