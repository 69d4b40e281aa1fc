package opensearch

import (
	"reflect"
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
			return intervals(c.Field, match(markWord+c.Term))
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

// gramsOf returns the field with the grams of a field of the language.
func gramsOf(field string) string {
	if field == query.FieldTitle {
		return fieldTitleGrams
	}
	return fieldGrams
}

// maxExpansions is how many words a prefix at the end of a phrase may stand for.
const maxExpansions = 10_000

// sequence returns the query of a clause's slots, one directly after the other.
func sequence(c *query.Clause) object {
	if c.Field == query.FieldText {
		return intervals(c.Field, run(c))
	}
	field := gramsOf(c.Field)
	if len(c.Slots) == 1 {
		switch s := c.Slots[0]; {
		case latinPrefix(s):
			return object{"prefix": object{field: start(s.Terms[0])}}
		default:
			return terms(field, forms(s))
		}
	}
	var text []string
	for _, s := range c.Slots {
		for len(text) < s.Offset {
			text = append(text, hole)
		}
		text = append(text, strings.Join(forms(s), joint))
	}
	phrase := object{"query": strings.Join(text, " "), "analyzer": positions}
	if latinPrefix(c.Slots[len(c.Slots)-1]) {
		phrase["max_expansions"] = maxExpansions
		return object{"match_phrase_prefix": object{field: phrase}}
	}
	return object{"match_phrase": object{field: phrase}}
}

// latinPrefix says that a slot is the beginning of a word.
func latinPrefix(s query.Slot) bool { return s.Prefix && !analysis.IsIdeograph(s.Terms[0]) }

// forms returns the tokens that may stand in a slot.
func forms(s query.Slot) []string {
	if s.Prefix && !latinPrefix(s) {
		return []string{markCharacter + s.Terms[0]} // whatever follows the character
	}
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
		rule = object{"all_of": object{"intervals": []object{rule}, "filter": object{"after": match(titleEnd)}}}
	}
	return object{"intervals": object{gramsOf(field): rule}}
}

// match returns the rule of positions one directly after the other.
func match(places ...string) object {
	return object{"match": object{"query": strings.Join(places, " "), "analyzer": positions, "max_gaps": 0, "ordered": true}}
}

// ordered returns the rule of rules that hold one after the other.
func ordered(gaps int, rules ...object) object {
	return object{"all_of": object{"ordered": true, "max_gaps": gaps, "intervals": rules}}
}

// nearExpansions is how many words a prefix in a rule may stand for; OpenSearch
// allows no more.
const nearExpansions = 1024

// run returns the rule of a sequence, which covers all its positions.
func run(c *query.Clause) object { return runOf(c, "") }

// runAgain returns the same in other words.
func runAgain(c *query.Clause) object { return runOf(c, joint+nowhere) }

// runOf is run with a token, after a bar, that may stand in the last place, too.
func runOf(c *query.Clause, or string) object {
	places := make([]string, 0, c.Length)
	before := "" // the gram in the last slot
	// fill covers positions up to at by the characters there, of which the gram
	// before tells.
	fill := func(at int) {
		for len(places) < at {
			_, n := utf8.DecodeRuneInString(before)
			places = append(places, markCharacter+before[n:])
		}
	}
	for _, s := range c.Slots {
		fill(s.Offset)
		if latinPrefix(s) {
			pattern := wildcard(start(s.Terms[0])) + "*"
			if or != "" {
				pattern += "*"
			}
			prefix := object{"wildcard": object{"pattern": pattern, "max_expansions": nearExpansions}}
			if len(places) == 0 {
				return prefix
			}
			return ordered(0, match(places...), prefix)
		}
		places = append(places, strings.Join(forms(s), joint))
		before = s.Terms[0]
	}
	fill(c.Length)
	places[len(places)-1] += or
	return match(places...)
}

// wildcard takes the meaning from signs of patterns.
func wildcard(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`).Replace(s)
}

// near returns the query of articles where both sides stand close together. Each
// pair of what may stand on either side is a rule of its own: OpenSearch would
// pass over a longer one where a shorter one stands at the same place.
func near(c *query.Clause) object {
	var rules []object
	for _, l := range side(c.Clauses[0]) {
		for _, r := range side(c.Clauses[1]) {
			rules = append(rules, ordered(c.Distance, l.before, r.behind(l)), ordered(c.Distance, r.before, l.behind(r)))
		}
	}
	if len(rules) == 0 {
		return nothing
	}
	return intervals(c.Field, object{"any_of": object{"intervals": rules}})
}

// beside is what may stand on one side of a Near: the rules of it where it comes
// before the other side and where after. Only their ends that face each other
// count, so a mention is told by its last or its first position.
type beside struct {
	before, after object
	// again is after in other words. OpenSearch takes equal rules in a row for one
	// that holds several times, and counts gaps differently then.
	again object
}

// behind returns the rule of b where it comes after a.
func (b *beside) behind(a *beside) object {
	if reflect.DeepEqual(a.before, b.after) {
		return b.again
	}
	return b.after
}

// side returns what may stand on one side of a Near.
func side(c *query.Clause) []*beside {
	switch c.Op {
	case query.OpOr:
		var list []*beside
		for _, alt := range c.Clauses {
			list = append(list, side(alt)...)
		}
		return list
	case query.OpSequence:
		return []*beside{{run(c), run(c), runAgain(c)}}
	case query.OpKeyword:
		name := token(c.Term)
		return []*beside{{before: match(markTo + name), after: match(markFrom + name)}}
	}
	return nil
}
