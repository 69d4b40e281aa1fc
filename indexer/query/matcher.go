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

// step is a clause ready to be looked up, as small as it can be: there may be a
// hundred thousand rules.
type step struct {
	op   Op
	kind kind  // of the terms looked up
	in   where // of OpSequence, OpWord, OpNear
	// ideograph says that a sequence ends in Chinese writing.
	ideograph bool
	// number is the length of a sequence or the distance of a near.
	number int32
	steps  []*step
	// slots hold the one term of a word or keyword, too.
	slots  []place
	period *period // of OpRange
	source string
}

// where is the part of an article that a step looks at.
type where uint8

const (
	anywhere where = iota
	inTitle
	inText
)

// period is From and To of a range on the fetched or else the published time.
type period struct {
	fetched  bool
	from, to time.Time
}

// place is a Slot ready to be looked up.
type place struct {
	lookup
	// other is the second of two terms.
	other  *lookup
	offset int32
	prefix bool
}

// lookup is a term with its hash.
type lookup struct {
	hash uint64
	term string
}

func newLookup(k kind, term string) lookup { return lookup{hashOf(k, term), term} }

func newStep(c *Clause) *step {
	s := &step{op: c.Op, source: c.Source}
	switch c.Field {
	case FieldTitle:
		s.in = inTitle
	case FieldText:
		s.in = inText
	}
	if len(c.Clauses) > 0 {
		s.steps = make([]*step, len(c.Clauses))
		for i, part := range c.Clauses {
			s.steps[i] = newStep(part)
		}
	}
	switch c.Op {
	case OpSequence:
		s.number = int32(c.Length)
		s.slots = make([]place, len(c.Slots))
		for i, slot := range c.Slots {
			p := place{lookup: newLookup(gramKind, slot.Terms[0]), offset: int32(slot.Offset), prefix: slot.Prefix}
			if len(slot.Terms) > 1 {
				other := newLookup(gramKind, slot.Terms[1])
				p.other = &other
			}
			s.slots[i] = p
		}
		s.ideograph = analysis.IsIdeograph(s.slots[len(s.slots)-1].term)
	case OpWord:
		s.kind = wordKind
		s.slots = []place{{lookup: newLookup(s.kind, c.Term)}}
	case OpKeyword:
		s.kind = keywordKindOf(c.Field)
		s.slots = []place{{lookup: newLookup(s.kind, c.Term)}}
	case OpRange:
		s.period = &period{c.Field == FieldFetched, c.From, c.To}
	case OpNear:
		s.number = int32(c.Distance)
	}
	return s
}

// find returns the entry of the only term of s, -1 if d does not have it.
func (s *step) find(d *Document) int32 { return d.find(s.slots[0].hash, s.kind, s.slots[0].term) }

// entries returns the entries of the terms of p, -1 where d does not have one.
func (p *place) entries(d *Document) [2]int32 {
	e := [2]int32{d.find(p.hash, gramKind, p.term), -1}
	if p.other != nil {
		e[1] = d.find(p.other.hash, gramKind, p.other.term)
	}
	return e
}

// asksWords says that s looks for words by themselves.
func (s *step) asksWords() bool {
	for i := range s.steps {
		if s.steps[i].asksWords() {
			return true
		}
	}
	return s.op == OpWord
}

func (s *step) match(d *Document) bool {
	switch s.op {
	case OpEverything:
		return true
	case OpAnd:
		for i := range s.steps {
			if !s.steps[i].match(d) {
				return false
			}
		}
		return true
	case OpOr:
		for i := range s.steps {
			if s.steps[i].match(d) {
				return true
			}
		}
		return false
	case OpNot:
		return !s.steps[0].match(d)
	case OpSequence:
		return s.sequence(d, func(occurrence) bool { return false })
	case OpWord:
		e := s.find(d)
		if e < 0 || s.in == anywhere {
			return e >= 0
		}
		for i := d.entries[e].first; i >= 0; i = d.postings[i].next {
			if d.in(s.in, d.postings[i].position) {
				return true
			}
		}
		return false
	case OpKeyword:
		return s.find(d) >= 0
	case OpRange:
		return s.period.holds(d)
	case OpNear:
		return s.near(d, func(_, _ occurrence) bool { return false })
	}
	return false
}

func (s *period) holds(d *Document) bool {
	t := d.article.Time()
	if s.fetched {
		t = d.article.Fetched
	}
	return !t.IsZero() && (s.from.IsZero() || !t.Before(s.from)) && (s.to.IsZero() || t.Before(s.to))
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
		if s.slots[i].prefix {
			continue
		}
		found, n := s.slots[i].entries(d), int32(0)
		for _, e := range found {
			if e >= 0 {
				n += d.entries[e].count
			}
		}
		if n == 0 {
			return false
		}
		if lead < 0 || n < least {
			lead, least, entries = i, n, found
		}
	}
	found := false
	try := func(entry int32) bool {
		for i := d.entries[entry].first; i >= 0; i = d.postings[i].next {
			p := &d.postings[i]
			if !d.in(s.in, p.position) {
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
		d.withPrefix(s.slots[0].term, try)
		return found
	}
	for _, e := range entries {
		if e >= 0 && !try(e) {
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
	o.to = base + s.number - 1
	return o, true
}

func (p *place) takes(term string) bool {
	if p.prefix {
		return strings.HasPrefix(term, p.term)
	}
	return term == p.term || p.other != nil && term == p.other.term
}

// places collects where the side s of a Near stands.
func (s *step) places(d *Document, in where, to []occurrence) []occurrence {
	switch s.op {
	case OpOr:
		for i := range s.steps {
			to = s.steps[i].places(d, in, to)
		}
	case OpSequence:
		s.sequence(d, func(o occurrence) bool {
			if d.in(in, o.from) {
				to = append(to, o)
			}
			return true
		})
	case OpKeyword:
		e := s.find(d)
		for i := range d.mentions {
			if m := &d.mentions[i]; e >= 0 && m.entry == e && d.in(in, m.from) {
				to = append(to, occurrence{m.from, m.to, int32(m.start), int32(m.end), true})
			}
		}
	}
	return to
}

// near calls visit with each pair of places that are near, until it returns
// false, and reports whether there was one.
func (s *step) near(d *Document, visit func(left, right occurrence) bool) bool {
	left := s.steps[0].places(d, s.in, nil)
	if len(left) == 0 {
		return false
	}
	right := s.steps[1].places(d, s.in, nil)
	byFrom := func(a, b occurrence) int { return int(a.from - b.from) }
	slices.SortFunc(left, byFrom)
	slices.SortFunc(right, byFrom)
	longest := int32(0)
	for _, r := range right {
		longest = max(longest, r.to-r.from)
	}
	found := false
	reach, k := s.number+1, 0
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
