package plan

import (
	"slices"
	"strings"
	"unicode/utf8"

	"xinwen/indexer/analysis"
	"xinwen/indexer/query"
	"xinwen/news/lexicon"
)

// Places of a text. Terms are kept for each.
const (
	InTitle = iota
	InText
)

// Terms are what a query's text is ranked by, in title and text.
type Terms struct {
	Words, Grams [2][]string
	Entities     []string
}

// FieldsOf returns where a clause of a field of the language may stand.
func FieldsOf(field string) []int {
	switch field {
	case query.FieldTitle:
		return []int{InTitle}
	case query.FieldText:
		return []int{InText}
	}
	return []int{InTitle, InText}
}

// FunctionWord says that a word, in folded form, holds a sentence together or
// makes it a question.
func FunctionWord(word string) bool { return functionWords[word] }

// functionWords hold a sentence together or make it a question; they say nothing
// of what it is about. They take part in matching all words but not in ranking
// or in matching any, unless the query has no other words. In folded form.
var functionWords = func() map[string]bool {
	set := make(map[string]bool)
	for w := range strings.FieldsSeq(`
		的 了 着 过 地 得 之 是 在 有 和 与 及 或 而 也 又 都 就 还 很 把 被 让 给 对 从 向 到 由 于 以 为 因 所 其 此 该 这 那 这个 那个 这些 那些 个 一个
		什么 甚么 啥 谁 哪 哪个 哪些 哪里 哪儿 哪位 哪家 怎么 怎样 怎么样 如何 为何 为什么 几 几个 多少 多久 何 何时 何地 何人 是否 吗 呢 吧 啊 么
		他 她 它 我 你 您 他们 她们 它们 我们 你们 自己
		a an the of in on at to for by with from as and or is are was were be been do does did has have had
		it its this that these those what which who whom whose when where why how many much`) {
		set[w] = true
	}
	return set
}()

// Terms returns what n, expanded by e, is ranked by.
func (p *Planner) Terms(n query.Node, e query.Expansion) (Terms, error) {
	synonyms := !e.NoSynonyms
	e.NoSynonyms = true
	parts := Positive(e.Expand(n))
	t, err := p.termsOf(parts, e.Lexicon, functionWords, synonyms)
	if err == nil && len(t.Words[InText])+len(t.Words[InTitle]) == 0 {
		t, err = p.termsOf(parts, e.Lexicon, nil, synonyms)
	}
	if err != nil || !synonyms {
		return t, err
	}
	// Synonyms rank as words alone: they are no more than one word with that
	// which they stand for.
	for in, list := range t.Words {
		for _, w := range list {
			_, others := query.Synonyms(w)
			for _, o := range others {
				if !slices.Contains(t.Words[in], o) {
					t.Words[in] = append(t.Words[in], o)
				}
			}
		}
	}
	for in := range t.Words {
		t.Words[in], t.Grams[in] = inflected(t.Words[in]), inflected(t.Grams[in])
	}
	return t, nil
}

// inflected returns list with the other forms of its English words.
func inflected(list []string) []string {
	for _, w := range slices.Clip(list) {
		for _, f := range query.Inflections(w) {
			if !slices.Contains(list, f) {
				list = append(list, f)
			}
		}
	}
	return list
}

func (p *Planner) termsOf(parts []query.Node, l *lexicon.Lexicon, skip map[string]bool, synonyms bool) (Terms, error) {
	var t Terms
	for _, n := range parts {
		switch n := n.(type) {
		case query.Text:
			t.add(p.Analyzer, n.Field, n.Value, skip, synonyms)
		case query.Phrase:
			t.add(p.Analyzer, n.Field, n.Value, skip, synonyms)
		case query.Entity:
			c, err := query.Lower(n, p.Analyzer, l)
			if err != nil {
				return t, err
			}
			for _, c := range append(slices.Clone(c.Clauses), c) {
				if c.Op == query.OpKeyword && !slices.Contains(t.Entities, c.Term) {
					t.Entities = append(t.Entities, c.Term)
				}
			}
		}
	}
	return t, nil
}

// add adds the words and grams of value but for those to skip, and the grams of
// words that have synonyms.
func (t *Terms) add(a *analysis.Analyzer, field, value string, skip map[string]bool, synonyms bool) {
	words := a.Words(value)
	fields := FieldsOf(field)
	put := func(list *[2][]string, term string) {
		for _, in := range fields {
			if !slices.Contains(list[in], term) {
				list[in] = append(list[in], term)
			}
		}
	}
	// A gram counts if both its characters are of words that count. The one
	// alone at the end of a run is part of the gram before.
	skipped := make([]bool, len(value))
	for _, w := range words {
		set := -1
		if synonyms {
			set, _ = query.Synonyms(w.Term)
		}
		for i := w.Start; i < w.End && (set >= 0 || skip[w.Term]); i++ {
			skipped[i] = true
		}
	}
	covered := func(start, end int) bool { return slices.Contains(skipped[start:end], true) }
	for _, w := range words {
		if !w.Part && !skip[w.Term] {
			put(&t.Words, w.Term)
		}
	}
	end := -1
	for _, g := range a.Bigrams(value) {
		alone := g.Start < end && utf8.RuneCountInString(g.Term) == 1
		if !g.Part && !alone && !covered(g.Start, g.End) {
			put(&t.Grams, g.Term)
		}
		end = g.End
	}
}

// Positive returns the parts of a query that stand for text that a hit has.
func Positive(n query.Node) []query.Node {
	switch n := n.(type) {
	case query.And:
		return positives(n.Nodes)
	case query.Or:
		return positives(n.Nodes)
	case query.Near:
		return positives([]query.Node{n.Left, n.Right})
	case query.Text, query.Phrase, query.Prefix, query.Entity:
		return []query.Node{n}
	}
	return nil
}

func positives(nodes []query.Node) []query.Node {
	var list []query.Node
	for _, n := range nodes {
		list = append(list, Positive(n)...)
	}
	return list
}
