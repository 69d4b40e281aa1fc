package entity

import (
	"crypto/sha256"
	"encoding/hex"
	"sort"
	"strings"
	"unicode/utf8"

	"xinwen/extractor/entity/pinyin"
	"xinwen/news"
	"xinwen/news/han"
	"xinwen/news/lexicon"
)

// Scores of names that the lexicon does not have, by what they rest on.
const (
	scoreLegal = 0.8 // a legal form: 有限公司, Inc.
	scoreCue   = 0.7 // a title or a verb of saying
	scoreWord  = 0.6 // the last word alone: X证券, X Securities
	scoreGuess = 0.6 // the statistical taggers, times the probability they give
)

// tagging finds what the lexicon does not name, and what it names in other words,
// in one article whose known names and quantities are in list.
type tagging struct {
	m    *matcher
	s    string // the shadow text
	list []found
	// lex leads from tickers to entities.
	lex *lexicon.Lexicon
	// hant says that the text is in Traditional Chinese.
	hant bool
	// cues are the places of the cue words.
	cues map[string][]int
	// forms are the names learnt in this article, at most maxForms; byText holds
	// their texts.
	forms  []learnt
	byText map[string]bool
}

// maxForms is how many names are learnt in one article. Each is looked for in
// all of it.
const maxForms = 500

// learnt is a name that means an entity in this article.
type learnt struct {
	text  string // folded
	of    found  // kind, entity, name and score
	latin bool   // a word of letters: boundaries and a capital are needed
	alone bool   // no capitalised word may stand beside it
}

// tag adds to the known names and quantities of a text what stands for more.
func (t *tagging) tag(guess bool) []found {
	t.legalForms()
	t.places()
	t.companies()
	t.tickers()
	t.englishNames()
	t.people()
	if guess {
		t.repeat() // what is learnt already is no guess
		t.guess()
	}
	t.pairs()
	t.spellings()
	t.repeat()
	return t.list
}

// at returns the index of the first of list that ends after i.
func (t *tagging) at(i int) int {
	return sort.Search(len(t.list), func(k int) bool { return t.list[k].end > i })
}

// free reports whether nothing of list overlaps start:end.
func (t *tagging) free(start, end int) bool {
	k := t.at(start)
	return k == len(t.list) || t.list[k].start >= end
}

// add puts f into list and takes out what lies inside. It reports false if f
// overlaps what does not lie inside, or is there already.
func (t *tagging) add(f found) bool {
	i := t.at(f.start)
	j := i
	for j < len(t.list) && t.list[j].start < f.end {
		x := &t.list[j]
		if x.start < f.start || x.end > f.end || x.start == f.start && x.end == f.end {
			return false
		}
		j++
	}
	t.list = append(t.list[:i], append([]found{f}, t.list[j:]...)...)
	return true
}

// unknown makes a mention of a name that the lexicon does not have. Its ID is
// the same in every article and script.
func (t *tagging) unknown(kind news.Kind, start, end int, score float64) found {
	f := found{start: start, end: end, kind: kind, score: score}
	a, b := t.m.shadow.Original(start, end)
	f.entity = Provisional(kind, t.m.original[a:b])
	switch name := t.s[start:end]; {
	case kind == news.Person && hasHan(name):
		if surname, _ := utf8.DecodeRuneInString(name); strings.ContainsRune(surnames, surname) {
			f.name = pinyin.Name(name, t.hant)
		}
	case !hasHan(name):
		f.name = t.m.original[a:b]
		if kind == news.Org {
			f.name = withoutLegalLatin(f.name)
		}
	}
	return f
}

// Provisional returns the ID of a name that the lexicon does not have:
// kind:unknown- and a hash of the name's lexicon.Key, so that all scripts and
// spellings of it have the same.
func Provisional(kind news.Kind, name string) string {
	key := lexicon.Key(name)
	for _, e := range legalEndings {
		if s := strings.TrimSuffix(key, e); s != key && utf8.RuneCountInString(s) > 1 {
			key = s
			break
		}
	}
	h := sha256.Sum256([]byte(key))
	return string(kind) + ":unknown-" + hex.EncodeToString(h[:6])
}

// learn lets text stand for f's entity in this article.
func (t *tagging) learn(text string, f found) {
	text = strings.TrimSpace(text)
	if utf8.RuneCountInString(text) < 2 || t.byText[text] || len(t.forms) >= maxForms {
		return
	}
	if t.byText == nil {
		t.byText = make(map[string]bool)
	}
	t.byText[text] = true
	t.forms = append(t.forms, learnt{text: text, of: f, latin: !hasHan(text)})
}

// repeat finds every further place of the names learnt.
func (t *tagging) repeat() {
	sort.SliceStable(t.forms, func(i, j int) bool { return len(t.forms[i].text) > len(t.forms[j].text) })
	for i := range t.forms {
		f := &t.forms[i]
		for at := 0; ; {
			k := strings.Index(t.s[at:], f.text)
			if k < 0 {
				break
			}
			start := at + k
			end := start + len(f.text)
			at = end
			if !t.free(start, end) && f.of.kind != news.Org || f.latin && (!t.wordBegin(start) || !t.wordEnd(end) || !t.upper(start) || f.of.kind == news.Person && f.alone && t.upper(start+1)) {
				continue
			}
			if f.alone && f.latin && (t.capitalBefore(start) || t.capitalAfter(end)) {
				continue
			}
			x := f.of
			x.start, x.end = start, end
			x.score = min(x.score, 0.9)
			t.add(x)
		}
	}
}

// upper reports whether the original has a capital letter at i.
func (t *tagging) upper(i int) bool { return i < len(t.s) && t.m.capital(i) }

func (t *tagging) wordBegin(i int) bool {
	r, n := utf8.DecodeLastRuneInString(t.s[:i])
	return n == 0 || !wordRune(r)
}

func (t *tagging) wordEnd(i int) bool {
	r, n := utf8.DecodeRuneInString(t.s[i:])
	return n == 0 || !wordRune(r)
}

// capitalBefore reports whether a capitalised word stands before i, as in a
// longer name.
func (t *tagging) capitalBefore(i int) bool {
	if i < 2 || t.s[i-1] != ' ' {
		return false
	}
	j := i - 1
	for j > 0 && t.s[j-1] >= 'a' && t.s[j-1] <= 'z' {
		j--
	}
	return j < i-1 && t.upper(j) && !sentenceWords[t.s[j:i-1]] && !titleWords[t.s[j:i-1]]
}

func (t *tagging) capitalAfter(i int) bool {
	return i+1 < len(t.s) && t.s[i] == ' ' && t.upper(i+1)
}

func hasHan(s string) bool { return strings.ContainsFunc(s, han.IsHan) }
