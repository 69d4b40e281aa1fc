package story

import (
	"cmp"
	"hash/fnv"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"xinwen/indexer/analysis"
	"xinwen/news"
	"xinwen/news/han"
	"xinwen/news/sketch"
)

// leadRunes is how much of a text counts: what an event is stands at its
// beginning.
const leadRunes = 600

// kind is what a feature is. Words are compared within a language only.
type kind uint8

const (
	entityKind kind = iota
	placeKind
	numberKind
	dateKind
	conceptKind
	nameKind // a Latin name or model number
	wordKind
	kinds
)

// boost is what a feature of a kind weighs beside its rarity.
var boost = [kinds]float64{entityKind: 1.3, placeKind: 0.6, numberKind: 1.2, dateKind: 0.5, conceptKind: 0.9, nameKind: 1, wordKind: 0.8}

// prior is the share of articles that have a feature of a kind before any article
// is known.
var prior = [kinds]float64{entityKind: 0.02, placeKind: 0.05, numberKind: 0.004, dateKind: 0.03, conceptKind: 0.05, nameKind: 0.004, wordKind: 0.01}

// feature is something that an article has.
type feature struct {
	id    uint64
	kind  kind
	count float32 // how much the article has of it
	prior float32
	title bool
	// known is what the tracker knows of it, nil until it has been looked up.
	known *known
}

// Item is an article as a Tracker sees it.
type Item struct {
	id      string
	seq     uint64
	arrived time.Time
	time    time.Time
	lang    string
	sketch  string
	// features are in order of id.
	features []feature
	numbers  int
	// subject says that the title names organisations, products and the like,
	// place that it names places.
	subject, place bool
}

// ID returns the ID of the article.
func (x *Item) ID() string { return x.id }

// Read returns the item of an article, which is number seq in the stream since
// arrived. The words are those of its title and text.
func Read(a *news.Article, an *analysis.Analyzer, title, text []analysis.Token, seq uint64, arrived time.Time) *Item {
	x := &Item{id: a.ID, seq: seq, arrived: arrived, time: a.Time(), lang: a.Lang, sketch: sketch.Of(a.Title, a.Text)}
	r := reader{article: a, analyzer: an, found: make(map[uint64]int, 128)}
	lead := prefix(a.Text, leadRunes)
	r.mentions(utf8.RuneCountInString(a.Title), utf8.RuneCountInString(lead))
	r.words(a.Title, title, true)
	r.words(lead, text, false)
	for i := range r.features {
		f := &r.features[i]
		f.count = float32(1 + math.Log(float64(f.count)))
		switch {
		case f.kind == numberKind:
			x.numbers++
		case f.kind == entityKind && f.title:
			x.subject = true
		case f.kind == placeKind && f.title:
			x.place = true
		}
	}
	slices.SortFunc(r.features, func(a, b feature) int { return cmp.Compare(a.id, b.id) })
	x.features = r.features
	return x
}

func prefix(s string, runes int) string {
	n := 0
	for i := range s {
		if n++; n > runes {
			return s[:i]
		}
	}
	return s
}

type reader struct {
	article  *news.Article
	analyzer *analysis.Analyzer
	features []feature
	found    map[uint64]int // index by id
	// covered are the code points of the content that mentions cover, in order.
	covered []cover
}

type cover struct{ start, end int }

// add adds a feature once more.
func (r *reader) add(k kind, name string, p float64, title bool) {
	h := fnv.New64a()
	_, _ = h.Write([]byte{'0' + byte(min(k, nameKind))}) // never fails; names and words of one spelling are one
	_, _ = h.Write([]byte(name))
	id := h.Sum64()
	i, ok := r.found[id]
	if !ok {
		i = len(r.features)
		r.found[id] = i
		r.features = append(r.features, feature{id: id, kind: k, prior: float32(p)})
	}
	f := &r.features[i]
	f.kind = min(f.kind, k)
	f.count++
	if title {
		f.count++
		f.title = true
	}
}

// mentions adds the entities, amounts and dates of title and lead.
func (r *reader) mentions(title, lead int) {
	for _, m := range r.article.Mentions {
		if m.Start >= title+1+lead {
			break
		}
		inTitle := m.End <= title
		switch {
		case m.Kind == news.Money || m.Kind == news.Percent:
			if v := amount(m.Value); v != "" {
				r.add(numberKind, v, prior[numberKind], inTitle)
			}
		case m.Kind == news.Date:
			if len(m.Value) >= len("2026-01") {
				r.add(dateKind, m.Value, prior[dateKind], inTitle)
			}
		case m.Entity == "":
			continue
		case m.Kind == news.Place:
			r.add(placeKind, m.Entity, prior[placeKind], inTitle)
		default:
			r.add(entityKind, m.Entity, prior[entityKind], inTitle)
		}
		r.covered = append(r.covered, cover{m.Start, m.End})
	}
}

// amount returns a value such as "TWD 293290000000" rounded to three digits, so
// that a headline's number is that of the text. Currency does not count: the
// headline often leaves it out.
func amount(value string) string {
	if i := strings.LastIndexByte(value, ' '); i >= 0 {
		value = value[i+1:]
	}
	percent := strings.HasSuffix(value, "%")
	n, err := strconv.ParseFloat(strings.TrimSuffix(value, "%"), 64)
	if err != nil {
		return ""
	}
	return number(n, percent)
}

func number(n float64, percent bool) string {
	s := strconv.FormatFloat(n, 'g', 3, 64)
	if percent {
		s += "%"
	}
	return s
}

// scales are the words that multiply the number before them, in folded form.
var scales = map[string]float64{
	"百": 1e2, "千": 1e3, "万": 1e4, "十万": 1e5, "百万": 1e6, "千万": 1e7, "亿": 1e8, "百亿": 1e10, "千亿": 1e11, "兆": 1e12, "万亿": 1e12,
	"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "m": 1e6, "bn": 1e9,
	"亿元": 1e8, "万元": 1e4, "万颗": 1e4, "万股": 1e4, "亿股": 1e8, "万片": 1e4,
}

// words adds words, names, numbers and concepts of the title or lead.
func (r *reader) words(text string, tokens []analysis.Token, title bool) {
	var latin []string
	at, runes := 0, 0 // byte and code point reached
	if !title {
		runes = utf8.RuneCountInString(r.article.Title) + 1
	}
	next := 0 // of covered
	pending := math.NaN()
	flush := func(scale float64) {
		if !math.IsNaN(pending) && (scale > 1 || pending >= 10 || pending != math.Trunc(pending)) {
			r.add(numberKind, number(pending*scale, false), prior[numberKind], title)
		}
		pending = math.NaN()
	}
	for _, t := range tokens {
		if t.Start >= len(text) {
			break
		}
		if t.Part || t.Start < at {
			continue
		}
		runes += utf8.RuneCountInString(text[at:t.Start])
		at = t.Start
		for next < len(r.covered) && r.covered[next].end <= runes {
			next++
		}
		inside := next < len(r.covered) && r.covered[next].start <= runes
		ideograph := analysis.IsIdeograph(t.Term)
		if !ideograph {
			latin = append(latin, t.Term)
		}
		if scale, ok := scales[t.Term]; ok && !math.IsNaN(pending) {
			flush(scale)
			continue
		}
		flush(1)
		if inside {
			continue
		}
		if n, err := strconv.ParseFloat(t.Term, 64); err == nil && !math.IsInf(n, 0) {
			pending = n
			continue
		}
		size := utf8.RuneCountInString(t.Term)
		switch {
		case size < 2, common()[t.Term]:
		case ideograph:
			r.add(wordKind, t.Term, r.share(t.Term), title)
		case r.isName(text, t, title):
			r.add(nameKind, t.Term, prior[nameKind], title)
		default:
			r.add(wordKind, t.Term, 0.03/float64(max(size-3, 1)), title)
		}
	}
	flush(1)
	seen := make(map[string]bool)
	loadConcepts().find(han.FoldString(text), latin, func(concept string) {
		if !seen[concept] {
			seen[concept] = true
			r.add(conceptKind, concept, prior[conceptKind], title)
		}
	})
}

// share guesses what share of articles has a Chinese word.
func (r *reader) share(word string) float64 {
	return min(max(1-math.Exp(-200*math.Exp(r.analyzer.Frequency(word))), 1e-4), 0.5)
}

// isName says that a Latin word is a name: in Chinese text any is, in English one
// with digits, in capitals, or with a capital inside a sentence.
func (r *reader) isName(text string, t analysis.Token, title bool) bool {
	if r.article.Lang != "en" {
		return true
	}
	word := text[t.Start:min(t.End, len(text))]
	upper := 0
	for _, c := range word {
		switch {
		case unicode.IsDigit(c):
			return true
		case unicode.IsUpper(c):
			upper++
		}
	}
	first, _ := utf8.DecodeRuneInString(word)
	if upper > 1 || upper > 0 && !unicode.IsUpper(first) {
		return true
	}
	if upper == 0 || title || t.Start == 0 {
		return false
	}
	before := strings.TrimRight(text[:t.Start], " \n\"“‘'(")
	return before != "" && !strings.ContainsRune(".!?:\n", rune(before[len(before)-1]))
}
