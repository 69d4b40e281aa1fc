package percolate

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"sync"

	"xinwen/indexer/query"
	"xinwen/news"
)

// Rule is a rule ready to be matched. It holds what matching needs and no more:
// there may be a hundred thousand.
type Rule struct {
	ID, Name, Query string

	matcher *query.RuleMatcher
	needs   []query.Need
	rest    *rest // nil for most rules
	// condition is what must hold beside the query, nil for most rules.
	condition *condition
}

// rest is what leads to a rule beside the terms that it needs.
type rest struct {
	prefixes []string
	always   bool
}

// condition is what a match must be beside a match.
type condition struct {
	rule    news.Rule
	watched []string // IDs of rule.First.Entities
	// of tells the rule's definition apart from others': counts of another
	// definition are worth nothing.
	of string
}

// Compile makes a rule ready. Rules that are compiled with the same leaves share
// them, which may be nil. Its errors are of type *query.SyntaxError.
func Compile(r news.Rule, e *query.Evaluator, leaves *query.Leaves) (*Rule, error) {
	m, err := e.CompileRule(&r)
	if err != nil {
		return nil, err
	}
	need := m.Requirement(e.Analyzer())
	if leaves != nil {
		m.Share(leaves)
	}
	out := &Rule{ID: r.ID, Name: r.Name, Query: r.Query, matcher: m, needs: slices.Clip(need.Needs)}
	if need.Always || len(need.Prefixes) > 0 {
		out.rest = &rest{need.Prefixes, need.Always}
	}
	if r.First != nil || r.Threshold != nil || r.Spike != nil {
		out.condition = &condition{rule: r, of: definition(&r)}
		if r.First != nil {
			for _, name := range r.First.Entities {
				out.condition.watched = append(out.condition.watched, e.EntityIDs(name)...)
			}
		}
	}
	return out, nil
}

// definition names what a rule counts: it changes with what it matches and with
// its conditions, not with its name or whom it tells.
func definition(r *news.Rule) string {
	data, err := json.Marshal(news.Rule{
		Query: r.Query, Languages: r.Languages, Sources: r.Sources, Together: r.Together,
		First: r.First, Threshold: r.Threshold, Spike: r.Spike,
	})
	if err != nil {
		panic(err) // a Rule can always be marshalled
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// Rules is a set of rules with the terms that an article needs to match each.
// It never changes and is safe for concurrent use.
type Rules struct {
	rules []*Rule
	// table finds a key's span of byKey; it is open-addressed, an empty slot has
	// an empty span.
	table []span
	mask  uint64
	byKey []posting
	// byPrefix holds the rules that need a gram with a prefix, sizes the lengths
	// of these prefixes.
	byPrefix map[string][]int32
	sizes    []int
	// always are the rules that any article may match.
	always  []int32
	scratch *sync.Pool // of *marks
	// recent are rules added since the set was made, gone those of rules that are
	// no longer in force; both are few.
	recent *Rules
	gone   map[*Rule]bool
}

// posting is a rule that needs a key.
type posting struct {
	rule int32
	also [3]uint16
	sure bool
}

type span struct {
	key      query.Key
	from, to uint32
}

// marks remembers which rules an article has been tested against, and which
// terms it has.
type marks struct {
	bits  query.Bits
	seen  []uint32
	epoch uint32
}

// NewRules returns the set of rules.
func NewRules(rules []*Rule) *Rules {
	s := &Rules{rules: rules, byPrefix: make(map[string][]int32)}
	s.scratch = &sync.Pool{New: func() any { return &marks{seen: make([]uint32, len(rules))} }}
	type need struct {
		key query.Key
		posting
	}
	count := 0
	for _, r := range rules {
		count += len(r.needs)
	}
	needs := make([]need, 0, count)
	for i, r := range rules {
		for _, n := range r.needs {
			needs = append(needs, need{n.Key, posting{int32(i), n.Also, n.Sure}})
		}
		if r.rest == nil {
			continue
		}
		if r.rest.always {
			s.always = append(s.always, int32(i))
		}
		for _, p := range r.rest.prefixes {
			s.byPrefix[p] = append(s.byPrefix[p], int32(i))
			if !slices.Contains(s.sizes, len(p)) {
				s.sizes = append(s.sizes, len(p))
			}
		}
	}
	slices.Sort(s.sizes)
	slices.SortFunc(needs, func(a, b need) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.rule, b.rule))
	})
	needs = slices.Compact(needs)
	size := 64
	for size < 2*len(needs) {
		size *= 2
	}
	s.table, s.mask = make([]span, size), uint64(size-1)
	s.byKey = make([]posting, len(needs))
	for i := 0; i < len(needs); {
		from, key := i, needs[i].key
		for ; i < len(needs) && needs[i].key == key; i++ {
			s.byKey[i] = needs[i].posting
		}
		at := uint64(key) & s.mask
		for s.table[at].to > 0 {
			at = (at + 1) & s.mask
		}
		s.table[at] = span{key, uint32(from), uint32(i)}
	}
	return s
}

// with returns the set s as it is when the rules in recent have been added and
// those in gone taken out. It shares everything with s, so it is made quickly
// however large s is.
func (s *Rules) with(recent []*Rule, gone map[*Rule]bool) *Rules {
	changed := *s
	changed.gone = gone
	if changed.recent = nil; len(recent) > 0 {
		changed.recent = NewRules(recent)
	}
	return &changed
}

// Len returns the number of rules.
func (s *Rules) Len() int {
	n := len(s.rules) - len(s.gone)
	if s.recent != nil {
		n += s.recent.Len()
	}
	return n
}

// Match calls visit with each rule that d matches, in no order, and returns how
// many rules had to be evaluated.
func (s *Rules) Match(d *query.Document, visit func(*Rule)) (tested int) {
	if s.recent != nil {
		tested = s.recent.Match(d, visit)
	}
	if len(s.gone) > 0 {
		all := visit
		visit = func(r *Rule) {
			if !s.gone[r] {
				all(r)
			}
		}
	}
	m := s.scratch.Get().(*marks)
	defer s.scratch.Put(m)
	if m.epoch++; m.epoch == 0 {
		clear(m.seen)
		m.epoch = 1
	}
	test := func(i int32) {
		if m.seen[i] == m.epoch {
			return
		}
		m.seen[i] = m.epoch
		tested++
		if r := s.rules[i]; r.matcher.Match(d) {
			visit(r)
		}
	}
	for _, i := range s.always {
		test(i)
	}
	clear(m.bits[:])
	for key := range d.Keys() {
		m.bits.Add(key)
	}
	for key := range d.Keys() {
		for at := uint64(key) & s.mask; s.table[at].to > 0; at = (at + 1) & s.mask {
			if x := s.table[at]; x.key == key {
				for _, p := range s.byKey[x.from:x.to] {
					switch {
					case p.sure:
						if m.seen[p.rule] != m.epoch {
							m.seen[p.rule] = m.epoch
							visit(s.rules[p.rule])
						}
					case m.bits.Allow(p.also):
						test(p.rule)
					}
				}
				break
			}
		}
	}
	if len(s.sizes) == 0 {
		return tested
	}
	for gram := range d.Grams() {
		for _, n := range s.sizes {
			if n > len(gram) {
				break
			}
			for _, i := range s.byPrefix[gram[:n]] {
				test(i)
			}
		}
	}
	return tested
}
