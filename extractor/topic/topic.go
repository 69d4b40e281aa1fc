package topic

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"xinwen/news"
	"xinwen/news/han"
)

// Weights of one occurrence, and the sum from which a topic is the article's.
const (
	strongWeight = 1.0
	weakWeight   = 0.4
	entityWeight = 0.6
	enough       = 2.0
	maxEvidence  = 6
)

// term is a word that speaks for topics.
type term struct {
	text   string
	weight float64
	topic  int
}

var (
	// terms are under their first character, starts has a bit for each.
	terms  = make(map[rune][]term)
	starts [1 << 16 / 64]uint64
	// exact and begins lead from entity IDs, and beginnings of them, to topics.
	exact  = make(map[string][]int)
	begins = make(map[string][]int)
)

func init() {
	for i := range rules {
		for _, w := range rules[i].strong {
			addTerm(term{w, strongWeight, i})
		}
		for _, w := range rules[i].weak {
			addTerm(term{w, weakWeight, i})
		}
		for _, id := range rules[i].entities {
			if p, ok := strings.CutSuffix(id, "*"); ok {
				begins[p] = append(begins[p], i)
			} else {
				exact[id] = append(exact[id], i)
			}
		}
	}
}

func addTerm(t term) {
	t.text = han.FoldString(t.text)
	r, _ := utf8.DecodeRuneInString(t.text)
	terms[r] = append(terms[r], t)
	starts[r/64] |= 1 << (r % 64)
}

// sum is what has been found for one term or entity of one topic.
type sum struct {
	topic   int
	key     string // the folded term or the entity ID
	surface string // as first written
	weight  float64
	count   int
	title   bool
	at      int
}

func (s *sum) value() float64 {
	v := s.weight * (1 + math.Log(float64(s.count)))
	if s.title {
		v *= 2
	}
	return v
}

// Of returns the topics of an article with its mentions found, the surest first.
func Of(a *news.Article) []news.Topic {
	content := a.Content()
	shadow := han.Fold(content)
	s := shadow.Text
	title := strings.IndexByte(s, '\n')
	sums := make(map[string]*sum)
	add := func(topic int, key, surface string, weight float64, at int, inTitle bool) {
		k := rules[topic].id + " " + key
		x := sums[k]
		if x == nil {
			x = &sum{topic: topic, key: key, surface: surface, weight: weight, at: at}
			sums[k] = x
		}
		x.count++
		x.title = x.title || inTitle
	}
	word := false
	for i, r := range s {
		inside := word
		word = letter(r)
		if r >= 1<<16 || starts[r/64]&(1<<(r%64)) == 0 || inside && word {
			continue
		}
		for _, t := range terms[r] {
			if !strings.HasPrefix(s[i:], t.text) {
				continue
			}
			end := i + len(t.text)
			last, _ := utf8.DecodeLastRuneInString(t.text)
			if next, n := utf8.DecodeRuneInString(s[end:]); n > 0 && letter(last) && letter(next) {
				continue
			}
			b, e := shadow.Original(i, end)
			add(t.topic, t.text, content[b:e], t.weight, i, i < title)
		}
	}
	head := utf8.RuneCountInString(a.Title)
	for i := range a.Mentions {
		m := &a.Mentions[i]
		if m.Entity == "" {
			continue
		}
		for _, t := range topicsOf(m.Entity) {
			add(t, m.Entity, m.Surface, entityWeight, len(s)+i, m.Start < head)
		}
	}
	return judge(sums)
}

func letter(r rune) bool { return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' }

// topicsOf returns the topics that an entity speaks for.
func topicsOf(id string) []int {
	list := exact[id]
	for n := len(id); n > 0; n-- {
		if t, ok := begins[id[:n]]; ok {
			list = append(slices.Clip(list), t...)
		}
	}
	return list
}

// judge adds up what was found for each topic.
func judge(sums map[string]*sum) []news.Topic {
	byTopic := make([][]*sum, len(rules))
	for _, x := range sums {
		byTopic[x.topic] = append(byTopic[x.topic], x)
	}
	var out []news.Topic
	for i, list := range byTopic {
		slices.SortFunc(list, func(a, b *sum) int {
			return cmp.Or(cmp.Compare(b.value(), a.value()), cmp.Compare(a.at, b.at), cmp.Compare(a.key, b.key))
		})
		total, strong := 0.0, false
		var evidence []string
		for _, x := range list {
			total += x.value()
			strong = strong || x.weight >= entityWeight
			if len(evidence) < maxEvidence && !slices.Contains(evidence, x.surface) {
				evidence = append(evidence, x.surface)
			}
		}
		if total < enough || !strong {
			continue
		}
		out = append(out, news.Topic{ID: rules[i].id, Score: math.Round(100*total/(total+enough)) / 100, Evidence: evidence})
	}
	slices.SortStableFunc(out, func(a, b news.Topic) int { return cmp.Compare(b.Score, a.Score) })
	return out
}
