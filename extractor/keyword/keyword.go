// Package keyword chooses the terms and names that set an article apart.
//
// A name counts by how often the article has it, a term also by how rare it is:
// the word list of the taggers knows how common words are. What stands in the
// title or at the beginning counts more. The rule is one line, weight; nothing
// else decides.
package keyword

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"xinwen/extractor/entity/tagger"
	"xinwen/news"
	"xinwen/news/han"
)

// most is how many keywords an article has, terms of them at most half.
const most = 10

// candidate is a name or term of the article.
type candidate struct {
	text   string // as first written
	term   bool
	count  int
	rarity float64 // from 0 to 1
	title  bool
	first  int // bytes before it
}

// weight is what a candidate counts.
func (c *candidate) weight() float64 {
	w := c.rarity * (1 + math.Log(float64(c.count)))
	if c.title {
		w *= 1.6
	}
	return w * (1 + 0.4*math.Exp(-float64(c.first)/600))
}

// rarities of names by kind. Amounts and dates are no keywords.
var rarities = map[news.Kind]float64{news.Org: 0.8, news.Person: 0.8, news.Product: 0.9, news.Tech: 0.9, news.Node: 0.8, news.Place: 0.45}

// everywhere are terms that any article of the field may have: they set none
// apart. Folded.
var everywhere = func() map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(`芯片 晶片 半导体 公司 企业 厂商 技术 产品 市场 产业 行业 全球 客户 制造 生产 业务 领域 方面 国产 国产芯片 工艺 制程 性能 效能 使用者 用户 机器 记者 同行 新机
		chips company companies technology technologies market markets industry products product customers business semiconductor semiconductors year years month months
		quarter percent million billion production demand production sales revenue people devices billion reported according including billion expected president executive chief updates using
		developing volumes traders based first second which would could their about other after there these company's today share shares stock stocks`) {
		m[w] = true
	}
	return m
}()

// Of returns the keywords of an article with its mentions found, the weightiest
// first.
func Of(a *news.Article) []string {
	list := append(names(a), terms(a)...)
	slices.SortStableFunc(list, func(x, y candidate) int { return cmp.Or(cmp.Compare(y.weight(), x.weight()), x.first-y.first) })
	var out []string
	terms := 0
	for i := range list {
		c := &list[i]
		if len(out) == most {
			break
		}
		if utf8.RuneCountInString(c.text) < 2 || c.term && (terms == most/2 || c.count < 2) || inside(c.text, out) {
			continue
		}
		if c.term {
			terms++
		}
		out = append(out, c.text)
	}
	return out
}

// inside reports whether a keyword has the text in it already, or the other way
// round.
func inside(text string, list []string) bool {
	for _, k := range list {
		if strings.Contains(k, text) || strings.Contains(text, k) {
			return true
		}
	}
	return false
}

// names are the entities of the article, by their first surface.
func names(a *news.Article) []candidate {
	title := utf8.RuneCountInString(a.Title)
	at := make(map[string]int)
	var out []candidate
	for i := range a.Mentions {
		m := &a.Mentions[i]
		if m.Entity == "" && m.Kind != news.Node {
			continue
		}
		id := cmp.Or(m.Entity, m.Value)
		k, ok := at[id]
		if !ok {
			k = len(out)
			at[id] = k
			out = append(out, candidate{text: m.Surface, rarity: rarities[m.Kind], first: 2 * m.Start})
		}
		out[k].count++
		out[k].title = out[k].title || m.Start < title
	}
	return out
}

// terms are the words and pairs of words outside of names.
func terms(a *news.Article) []candidate {
	content := a.Content()
	shadow := han.Fold(content)
	named := spans(a, content)
	title := strings.IndexByte(shadow.Text, '\n')
	at := make(map[string]int)
	var out []candidate
	add := func(start, end int, rarity float64) {
		b, e := shadow.Original(start, end)
		for _, s := range named {
			if b < s[1] && s[0] < e {
				return
			}
		}
		key := shadow.Text[start:end]
		if everywhere[key] {
			return
		}
		k, ok := at[key]
		if !ok {
			k = len(out)
			at[key] = k
			out = append(out, candidate{text: content[b:e], term: true, rarity: rarity, first: b})
		}
		out[k].count++
		out[k].title = out[k].title || start < title
	}
	for from := 0; from < len(shadow.Text); {
		to := tagger.SentenceEnd(shadow.Text, from)
		language, least := tagger.English, 5
		if tagger.Reads(tagger.Chinese, shadow.Text[from:to]) {
			language, least = tagger.Chinese, 2
		}
		t, err := tagger.Builtin(language)
		if err != nil {
			return nil // a damaged file of the program; the tagger's test says so
		}
		words := t.Cut(shadow.Text, from, to)
		good := func(w *tagger.Word) bool {
			return (w.Noun || language == tagger.English && w.Frequency < 10) && utf8.RuneCountInString(shadow.Text[w.Start:w.End]) >= least
		}
		for i := range words {
			w := &words[i]
			if !good(w) {
				continue
			}
			rarity := 1 - float64(w.Frequency)/15
			add(w.Start, w.End, 0.8*rarity)
			if i > 0 && good(&words[i-1]) && words[i-1].End >= w.Start-1 {
				add(words[i-1].Start, w.End, 0.5+0.25*rarity+0.25*(1-float64(words[i-1].Frequency)/15))
			}
		}
		from = to
	}
	return out
}

// spans are the bytes of content that mentions cover, in order.
func spans(a *news.Article, content string) [][2]int {
	out := make([][2]int, 0, len(a.Mentions))
	bytes, runes := 0, 0
	point := func(n int) int {
		for runes < n && bytes < len(content) {
			_, w := utf8.DecodeRuneInString(content[bytes:])
			bytes += w
			runes++
		}
		return bytes
	}
	for i := range a.Mentions {
		start := point(a.Mentions[i].Start)
		out = append(out, [2]int{start, point(a.Mentions[i].End)})
	}
	return out
}
