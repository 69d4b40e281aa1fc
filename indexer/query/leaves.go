package query

import "encoding/binary"

// Leaves lets the matchers of many rules share what is the same in them: most
// rules ask for the same few thousand words and names. It is meant for rules that
// are compiled together, and can be dropped afterwards; it is not safe for
// concurrent use.
type Leaves struct {
	all map[string]*step
	key []byte
}

// NewLeaves returns an empty set of leaves.
func NewLeaves() *Leaves { return &Leaves{all: make(map[string]*step)} }

// Share puts the leaves in l in the place of equal ones in m, and those of m that
// are not in l into it. It is called before m is used.
func (m *Matcher) Share(l *Leaves) { m.root = l.shared(m.root) }

func (l *Leaves) shared(s *step) *step {
	switch s.op {
	case OpSequence, OpWord, OpKeyword:
	default:
		for i := range s.steps {
			s.steps[i] = l.shared(s.steps[i])
		}
		return s
	}
	l.key = append(l.key[:0], byte(s.op), byte(s.kind), byte(s.in))
	text := func(t string) {
		l.key = binary.AppendUvarint(l.key, uint64(len(t)))
		l.key = append(l.key, t...)
	}
	text(s.source)
	l.key = binary.AppendVarint(l.key, int64(s.number))
	for i := range s.slots {
		p := &s.slots[i]
		other := ""
		if p.other != nil {
			other = p.other.term
		}
		text(p.term)
		text(other)
		l.key = binary.AppendVarint(l.key, int64(p.offset))
		if p.prefix {
			l.key = append(l.key, 1)
		} else {
			l.key = append(l.key, 0)
		}
	}
	if known := l.all[string(l.key)]; known != nil {
		return known
	}
	l.all[string(l.key)] = s
	return s
}
