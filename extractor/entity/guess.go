package entity

import (
	"strings"
	"unicode/utf8"

	"xinwen/extractor/entity/tagger"
	"xinwen/news"
)

// Span is what Spans has found: a mention in folded text.
type Span struct {
	Start, End int
	Kind       news.Kind
	Entity     string
}

// Spans returns the folded form of a text and what names of the lexicon, rules
// and grammar find in it: what the statistical taggers learn from.
func (g *Gazetteer) Spans(content string, c Context) (folded string, capital func(int) bool, list []Span) {
	m, found := g.read(content, c, false)
	for i := range found {
		list = append(list, Span{found[i].start, found[i].end, found[i].kind, found[i].entity})
	}
	return m.text, m.upper, list
}

// kindNumbers are those by which the taggers know kinds.
var kindNumbers = map[news.Kind]uint8{
	news.Person: 1, news.Org: 2, news.Place: 3, news.Product: 4, news.Tech: 4, news.Node: 4, news.Money: 5, news.Percent: 6, news.Date: 7,
}

// Known returns a span as the taggers take it.
func (s Span) Known() tagger.Known {
	return tagger.Known{Start: s.Start, End: s.End, Kind: kindNumbers[s.Kind]}
}

// Probabilities from which a guess is believed. One word in capitals is more
// often a technology than an organisation.
const (
	sure         = 0.8
	sureCapitals = 0.93
)

// guess adds the persons and organisations that the statistical taggers find.
func (t *tagging) guess() {
	known := make([]tagger.Known, len(t.list))
	for i := range t.list {
		f := &t.list[i]
		known[i] = Span{f.start, f.end, f.kind, ""}.Known()
	}
	for _, l := range [...]tagger.Language{tagger.Chinese, tagger.English} {
		model, err := tagger.Builtin(l)
		if err != nil {
			continue // a damaged file of the program; its test says so
		}
		for _, n := range model.Names(t.s, t.m.upper, known) {
			f := found{start: t.joined(n.Start), end: n.End}
			switch n.Kind {
			case tagger.Person:
				f.kind = news.Person
			case tagger.Org:
				f.kind = news.Org
			default:
				continue
			}
			if n.P < sure || n.P < sureCapitals && t.acronym(f) {
				continue
			}
			if !t.free(f.start, f.end) || !t.plausible(f) {
				continue
			}
			x := t.unknown(f.kind, f.start, f.end, scoreGuess*n.P)
			if t.add(x) {
				t.learn(t.s[f.start:f.end], x)
			}
		}
	}
}

// joined returns the start of a name that begins behind the & of its first
// letters: S&P Global.
func (t *tagging) joined(i int) int {
	if i < 2 || t.s[i-1] != '&' {
		return i
	}
	j := i - 1
	for j > 0 && t.s[j-1] >= 'a' && t.s[j-1] <= 'z' {
		j--
	}
	if j == i-1 || !t.upper(j) {
		return i
	}
	return j
}

// acronym reports whether f is one word of capitals.
func (t *tagging) acronym(f found) bool {
	return f.end-f.start < 6 && !strings.Contains(t.s[f.start:f.end], " ") && !hasHan(t.s[f.start:f.end]) && t.allCapitals(f.start, f.end)
}

// plausible reports whether f can be a name at all.
func (t *tagging) plausible(f found) bool {
	s := t.s[f.start:f.end]
	n := utf8.RuneCountInString(s)
	if n < 2 || n > 60 || strings.ContainsAny(s, "\n，。、；：!?\"《》") {
		return false
	}
	if hasHan(s) {
		return !commonWord(s) || f.kind == news.Org
	}
	return t.upper(f.start) && (f.kind != news.Person || !groundWords[s[strings.LastIndexByte(s, ' ')+1:]])
}
