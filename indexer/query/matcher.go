package query

import (
	"slices"
	"strings"
	"time"

	"xinwen/indexer/analysis"
)

// Matcher tests documents against one query. It never changes and is safe for
// concurrent use.
type Matcher struct{ root *step }

// NewMatcher compiles a clause.
func NewMatcher(c *Clause) *Matcher { return &Matcher{newStep(c)} }

// Match reports whether d matches.
func (m *Matcher) Match(d *Document) bool { return m.root.match(d) }

// step is a clause ready to be looked up.
type step struct {
	*Clause
	steps []*step
	slots []place
	// term is the word or keyword.
	term lookup
	// ideograph says that a sequence ends in Chinese writing.
	ideograph bool
}

// lookup is a term with its hash.
type lookup struct {
	hash uint64
	kind kind
	term string
}

func (l lookup) in(d *Document) int32 { return d.find(l.hash, l.kind, l.term) }

// place is a Slot ready to be looked up.
type place struct {
	terms  []lookup
	offset int32
	prefix bool
}

func newStep(c *Clause) *step {
	s := &step{Clause: c}
	for _, part := range c.Clauses {
		s.steps = append(s.steps, newStep(part))
	}
	for _, slot := range c.Slots {
		p := place{offset: int32(slot.Offset), prefix: slot.Prefix}
		for _, t := range slot.Terms {
			p.terms = append(p.terms, lookup{hashOf(gramKind, t), gramKind, t})
		}
		s.slots = append(s.slots, p)
	}
	switch c.Op {
	case OpSequence:
		s.ideograph = analysis.IsIdeograph(c.Slots[len(c.Slots)-1].Terms[0])
	case OpWord:
		s.term = lookup{hashOf(wordKind, c.Term), wordKind, c.Term}
	case OpKeyword:
		k := keywordKindOf(c.Field)
		s.term = lookup{hashOf(k, c.Term), k, c.Term}
	}
	return s
}

func (s *step) match(d *Document) bool {
	switch s.Op {
	case OpEverything:
		return true
	case OpAnd:
		for _, part := range s.steps {
			if !part.match(d) {
				return false
			}
		}
		return true
	case OpOr:
		for _, part := range s.steps {
			if part.match(d) {
				return true
			}
		}
		return false
	case OpNot:
		return !s.steps[0].match(d)
	case OpSequence:
		return s.sequence(d, func(occurrence) bool { return false })
	case OpWord:
		e := s.term.in(d)
		if e < 0 || s.Field == "" {
			return e >= 0
		}
		for i := d.entries[e].first; i >= 0; i = d.postings[i].next {
			if d.in(s.Field, d.postings[i].position) {
				return true
			}
		}
		return false
	case OpKeyword:
		return s.term.in(d) >= 0
	case OpRange:
		return between(d.time(s.Field), s.From, s.To)
	case OpNear:
		return s.near(d, func(_, _ occurrence) bool { return false })
	}
	return false
}

func between(t, from, to time.Time) bool {
	return !t.IsZero() && (from.IsZero() || !t.Before(from)) && (to.IsZero() || t.Before(to))
}

// occurrence is where a sequence or entity stands.
type occurrence struct {
	from, to int32 // positions
	// start and end are bytes of the title or text, or code points of the
	// content if mention is set.
	start, end int32
	mention    bool
}

// sequence calls visit with each place where s stands, until it returns false,
// and reports whether there was one.
func (s *step) sequence(d *Document, visit func(occurrence) bool) bool {
	// The rarest slot leads.
	lead, least := -1, int32(0)
	var entries [2]int32
	for i := range s.slots {
		p := &s.slots[i]
		if p.prefix {
			continue
		}
		n := int32(0)
		for _, t := range p.terms {
			if e := t.in(d); e >= 0 {
				n += d.entries[e].count
			}
		}
		if n == 0 {
			return false
		}
		if lead < 0 || n < least {
			lead, least = i, n
		}
	}
	found := false
	try := func(entry int32) bool {
		for i := d.entries[entry].first; i >= 0; i = d.postings[i].next {
			p := &d.postings[i]
			if !d.in(s.Field, p.position) {
				continue
			}
			base := p.position
			if lead >= 0 {
				base -= s.slots[lead].offset
			}
			if o, ok := s.stands(d, base); ok {
				found = true
				if !visit(o) {
					return false
				}
			}
		}
		return true
	}
	if lead < 0 { // one slot, a prefix
		d.withPrefix(s.slots[0].terms[0].term, try)
		return found
	}
	n := 0
	for _, t := range s.slots[lead].terms {
		if e := t.in(d); e >= 0 {
			entries[n] = e
			n++
		}
	}
	for _, e := range entries[:n] {
		if !try(e) {
			break
		}
	}
	return found
}

// stands says whether all slots are there when the first is at position base.
func (s *step) stands(d *Document, base int32) (occurrence, bool) {
	o := occurrence{from: base}
	for i := range s.slots {
		p := &s.slots[i]
		o.to = base + p.offset
		at := slices.IndexFunc(d.positionsAt(o.to), func(x posting) bool { return p.takes(d.entries[x.entry].term) })
		if at < 0 {
			return o, false
		}
		x := d.positionsAt(o.to)[at]
		if i == 0 {
			o.start = x.start
		}
		o.end = max(o.end, x.end)
		if p.prefix && s.ideograph {
			// The gram reaches over the character after the one asked for.
			if after := d.positionsAt(o.to + 1); len(after) > 0 && after[0].start < x.end {
				o.end = after[0].start
			}
		}
	}
	o.to = base + int32(s.Length) - 1
	return o, true
}

func (p *place) takes(term string) bool {
	if p.prefix {
		return strings.HasPrefix(term, p.terms[0].term)
	}
	for i := range p.terms {
		if p.terms[i].term == term {
			return true
		}
	}
	return false
}

// places collects where the side s of a Near stands.
func (s *step) places(d *Document, field string, to []occurrence) []occurrence {
	switch s.Op {
	case OpOr:
		for _, part := range s.steps {
			to = part.places(d, field, to)
		}
	case OpSequence:
		s.sequence(d, func(o occurrence) bool {
			if d.in(field, o.from) {
				to = append(to, o)
			}
			return true
		})
	case OpKeyword:
		e := s.term.in(d)
		for i := range d.mentions {
			if m := &d.mentions[i]; e >= 0 && m.entry == e && d.in(field, m.from) {
				to = append(to, occurrence{m.from, m.to, int32(m.start), int32(m.end), true})
			}
		}
	}
	return to
}

// near calls visit with each pair of places that are near, until it returns
// false, and reports whether there was one.
func (s *step) near(d *Document, visit func(left, right occurrence) bool) bool {
	left := s.steps[0].places(d, s.Field, nil)
	if len(left) == 0 {
		return false
	}
	right := s.steps[1].places(d, s.Field, nil)
	byFrom := func(a, b occurrence) int { return int(a.from - b.from) }
	slices.SortFunc(left, byFrom)
	slices.SortFunc(right, byFrom)
	longest := int32(0)
	for _, r := range right {
		longest = max(longest, r.to-r.from)
	}
	found := false
	reach, k := int32(s.Distance)+1, 0
	for _, l := range left {
		for k < len(right) && right[k].from+longest+reach < l.from {
			k++
		}
		for _, r := range right[k:] {
			if r.from > l.to+reach {
				break
			}
			if r.from > l.to || r.to < l.from && l.from-r.to <= reach {
				found = true
				if !visit(l, r) {
					return true
				}
			}
		}
	}
	return found
}
