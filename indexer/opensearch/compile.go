package opensearch

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"xinwen/indexer/analysis"
	"xinwen/indexer/plan"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
)

// Queries that match everything and nothing.
var (
	everything = object{"match_all": object{}}
	nothing    = object{"match_none": object{}}
)

func allOf(parts ...object) object {
	if len(parts) == 1 {
		return parts[0]
	}
	return object{"bool": object{"filter": parts}}
}

func anyOf(parts ...object) object {
	switch len(parts) {
	case 0:
		return nothing
	case 1:
		return parts[0]
	}
	return object{"bool": object{"should": parts, "minimum_should_match": 1}}
}

func term(field string, value any) object { return object{"term": object{field: value}} }

func terms(field string, values []string) object {
	if len(values) == 1 {
		return term(field, values[0])
	}
	return object{"terms": object{field: values}}
}

// wanted returns the query of the articles that a plan matches in one way of
// matching.
func wanted(q *plan.Plan, match string) object {
	parts := []object{term(fieldLive, true), meant(q.Meaning, match)}
	if q.Request.Story != "" {
		parts = append(parts, term(fieldGroup, q.Request.Story))
	}
	return allOf(parts...)
}

// meant returns the query of a meaning.
func meant(m plan.Meaning, match string) object {
	required := compile(m.Required)
	if len(m.Words) == 0 {
		return required
	}
	var words object
	if match == search.MatchAny {
		words = loose(m.Loose)
	} else {
		words = allOf(each(m.Words)...)
	}
	if m.Required.Op == query.OpEverything {
		return words
	}
	return allOf(words, required)
}

// loose returns the query of articles with any of some terms.
func loose(t plan.Terms) object {
	var parts []object
	for field, values := range byField(t) {
		parts = append(parts, terms(field, values))
	}
	return anyOf(parts...)
}

// byField returns terms by the field that has them.
func byField(t plan.Terms) map[string][]string {
	in := make(map[string][]string)
	put := func(field string, list []string) {
		for _, v := range list {
			f := field
			if field == fieldWords || field == fieldTitleWords {
				f = wordField(field, v)
			}
			if v = token(v); !slices.Contains(in[f], v) {
				in[f] = append(in[f], v)
			}
		}
	}
	put(fieldWords, t.Words[plan.InText])
	put(fieldGrams, t.Grams[plan.InText])
	put(fieldTitleWords, t.Words[plan.InTitle])
	put(fieldTitleGrams, t.Grams[plan.InTitle])
	for _, id := range t.Entities {
		in[query.FieldEntity] = append(in[query.FieldEntity], keyword(id))
	}
	return in
}

// wordField returns the field that has a word: field, which is one of the fields
// of words, or that of the grams beside it.
func wordField(field, word string) string {
	switch {
	case analysis.IsIdeograph(word):
		return field
	case field == fieldTitleWords:
		return fieldTitleGrams
	}
	return fieldGrams
}

func each(clauses []*query.Clause) []object {
	parts := make([]object, len(clauses))
	for i, c := range clauses {
		parts[i] = compile(c)
	}
	return parts
}

// compile returns the query of a clause. All of it only filters.
func compile(c *query.Clause) object {
	switch c.Op {
	case query.OpEverything:
		return everything
	case query.OpAnd:
		return allOf(each(c.Clauses)...)
	case query.OpOr:
		return anyOf(each(c.Clauses)...)
	case query.OpNot:
		return object{"bool": object{"must_not": each(c.Clauses)}}
	case query.OpSequence:
		return sequence(c)
	case query.OpWord:
		switch c.Field {
		case query.FieldTitle:
			return term(fieldTitleWords, token(c.Term))
		case query.FieldText:
			return intervals(c.Field, mark(markWord+c.Term).rule(c.Field))
		}
		return term(fieldWords, token(c.Term))
	case query.OpKeyword:
		return term(c.Field, keyword(c.Term))
	case query.OpRange:
		return timeRange(c.Field, c.From, c.To)
	case query.OpNear:
		return near(c)
	}
	return nothing
}

func timeRange(field string, from, to time.Time) object {
	limits := object{}
	// Times in the index have no nanoseconds: one is before to if its microsecond
	// begins before that.
	if !from.IsZero() {
		limits["gte"] = ceil(from)
	}
	if !to.IsZero() {
		limits["lt"] = ceil(to)
	}
	return object{"range": object{field: limits}}
}

func ceil(t time.Time) int64 {
	us := micros(t)
	if t.Nanosecond()%1000 > 0 {
		us++
	}
	return us
}

// gramsOf returns the field with the grams of a field of the language, marksOf
// that with its marks.
func gramsOf(field string) string {
	if field == query.FieldTitle {
		return fieldTitleGrams
	}
	return fieldGrams
}

func marksOf(field string) string {
	if field == query.FieldTitle {
		return fieldTitleMarks
	}
	return fieldMarks
}

// maxExpansions is how many words a prefix at the end of a phrase may stand for.
const maxExpansions = 10_000

// sequence returns the query of a clause's slots, one directly after the other.
func sequence(c *query.Clause) object {
	last := c.Slots[len(c.Slots)-1]
	switch field := gramsOf(c.Field); {
	case c.Field == query.FieldText:
		return intervals(c.Field, runOf(c).rule(c.Field))
	case len(c.Slots) > 1 && last.Prefix && !latinPrefix(last):
		return intervals(c.Field, runOf(c).rule(c.Field)) // grams and marks
	case len(c.Slots) > 1:
		return phrase(field, c.Slots)
	case latinPrefix(last):
		return object{"prefix": object{field: start(last.Terms[0])}}
	case last.Prefix:
		return term(marksOf(c.Field), markCharacter+last.Terms[0]) // whatever follows the character
	default:
		return terms(field, forms(last))
	}
}

// phrase returns the query of slots that are grams.
func phrase(field string, slots []query.Slot) object {
	var text []string
	for _, s := range slots {
		for len(text) < s.Offset {
			text = append(text, hole)
		}
		text = append(text, strings.Join(forms(s), joint))
	}
	p := object{"query": strings.Join(text, " "), "analyzer": positions}
	if latinPrefix(slots[len(slots)-1]) {
		p["max_expansions"] = maxExpansions
		return object{"match_phrase_prefix": object{field: p}}
	}
	return object{"match_phrase": object{field: p}}
}

// latinPrefix says that a slot is the beginning of a word.
func latinPrefix(s query.Slot) bool { return s.Prefix && !analysis.IsIdeograph(s.Terms[0]) }

// forms returns the grams that may stand in a slot.
func forms(s query.Slot) []string {
	list := make([]string, len(s.Terms))
	for i, t := range s.Terms {
		if list[i] = token(t); s.Prefix {
			list[i] = start(t)
		}
	}
	return list
}

// intervals returns the query of articles where a rule holds in a field of the
// language.
func intervals(field string, rule object) object {
	if field == query.FieldText {
		rule = object{"all_of": object{"intervals": []object{rule}, "filter": object{"after": mark(titleEnd).rule(field)}}}
	}
	return object{"intervals": object{gramsOf(field): rule}}
}

// ordered returns the rule of rules that hold one after the other.
func ordered(gaps int, rules ...object) object {
	return object{"all_of": object{"ordered": true, "max_gaps": gaps, "intervals": rules}}
}

// nearExpansions is how many words a prefix in a rule may stand for; OpenSearch
// allows no more.
const nearExpansions = 1024

// run is what stands at positions one directly after the other.
type run []place

// place is what may stand at a position: grams or marks with bars between, or the
// beginning of a gram.
type place struct {
	text         string
	mark, prefix bool
	again        bool // written in other words
}

// mark returns the run of one mark.
func mark(text string) run { return run{{text: text, mark: true}} }

// runOf returns the run of a sequence, which covers all its positions.
func runOf(c *query.Clause) run {
	r := make(run, 0, c.Length)
	before := "" // the gram in the last slot
	// fill covers positions up to at by the characters there, of which the gram
	// before tells.
	fill := func(at int) {
		for len(r) < at {
			_, n := utf8.DecodeRuneInString(before)
			r = append(r, place{text: markCharacter + before[n:], mark: true})
		}
	}
	for _, s := range c.Slots {
		fill(s.Offset)
		switch {
		case latinPrefix(s):
			r = append(r, place{text: start(s.Terms[0]), prefix: true})
		case s.Prefix:
			r = append(r, place{text: markCharacter + s.Terms[0], mark: true})
		default:
			r = append(r, place{text: strings.Join(forms(s), joint)})
		}
		before = s.Terms[0]
	}
	fill(c.Length)
	return r
}

// rule returns the rule that r holds in a field of the language.
func (r run) rule(field string) object {
	var rules []object
	for len(r) > 0 {
		n := 1
		if r[0].prefix {
			pattern := strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`).Replace(r[0].text) + "*"
			if r[0].again {
				pattern += "*"
			}
			rules = append(rules, object{"wildcard": object{"pattern": pattern, "max_expansions": nearExpansions}})
		} else {
			text := r[0].text
			for ; n < len(r) && r[n].mark == r[0].mark && !r[n].prefix; n++ {
				text += " " + r[n].text
			}
			if r[n-1].again {
				text += joint + nowhere // another choice
			}
			m := object{"query": text, "analyzer": positions, "max_gaps": 0, "ordered": true}
			if r[0].mark {
				m["use_field"] = marksOf(field)
			}
			rules = append(rules, object{"match": m})
		}
		r = r[n:]
	}
	if len(rules) == 1 {
		return rules[0]
	}
	return ordered(0, rules...)
}

// again returns r in other words.
func (r run) again() run {
	r = slices.Clone(r)
	r[len(r)-1].again = true
	return r
}

// near returns the query of articles where both sides stand close together. Each
// pair of what may stand on either side is a rule of its own: OpenSearch would
// pass over a longer one where a shorter one stands at the same place.
func near(c *query.Clause) object {
	var rules []object
	// OpenSearch takes equal rules in a row for one that holds several times, and
	// counts gaps differently then.
	pair := func(a, b run) {
		if slices.Equal(a, b) {
			b = b.again()
		}
		rules = append(rules, ordered(c.Distance, a.rule(c.Field), b.rule(c.Field)))
	}
	for _, l := range side(c.Clauses[0]) {
		for _, r := range side(c.Clauses[1]) {
			pair(l.before, r.after)
			pair(r.before, l.after)
		}
	}
	if len(rules) == 0 {
		return nothing
	}
	return intervals(c.Field, object{"any_of": object{"intervals": rules}})
}

// beside is what may stand on one side of a Near, where it comes before the other
// side and where after. Only the ends that face each other count, so a mention is
// told by its last or its first position.
type beside struct{ before, after run }

// side returns what may stand on one side of a Near.
func side(c *query.Clause) []beside {
	switch c.Op {
	case query.OpOr:
		var list []beside
		for _, alt := range c.Clauses {
			list = append(list, side(alt)...)
		}
		return list
	case query.OpSequence:
		r := runOf(c)
		return []beside{{r, r}}
	case query.OpKeyword:
		name := token(c.Term)
		return []beside{{mark(markTo + name), mark(markFrom + name)}}
	}
	return nil
}
