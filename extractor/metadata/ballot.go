package metadata

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"xinwen/news"
)

// The fields that are voted on, by their JSON names in news.Article.
const (
	Title     = "title"
	Published = "published"
	Modified  = "modified"
	Authors   = "authors"
	Editor    = "editor"
	Reporter  = "reporter"
	Credit    = "credit"
	Publisher = "publisher"
)

// Ballot is how one field was decided.
type Ballot struct {
	Field string
	// Candidates are the values that were seen, the likeliest first.
	Candidates []Candidate
	byKey      map[string]int
}

// Candidate is one value that a field might have.
type Candidate struct {
	Value string
	// Time is the value of a field that is a time.
	Time time.Time
	// Elected says that the field got this value.
	Elected bool
	// Confidence is from 0 to 1; those of all candidates and of "unknown" add up
	// to 1, except where a field has several values.
	Confidence float64
	// Votes are the places that give the value, the weightiest first.
	Votes []Vote

	score float64
	day   bool // Time has no time of day
	rank  float64
	first int // order of appearance
}

// Vote is what one place says.
type Vote struct {
	// Where is the place: the first word is what news.Provenance calls it, the
	// rest tells more. What is known of a value beside the places that give it,
	// such as its form, begins with "is".
	Where string
	// Weight is what it adds to the logarithm of the odds.
	Weight float64
}

func newBallot(field string) *Ballot { return &Ballot{Field: field, byKey: make(map[string]int)} }

// maxCandidates bounds the values of one field.
const maxCandidates = 60

// vote adds a vote for the value known by key, and returns its candidate, nil if
// there is no room. The first vote's value stands.
func (b *Ballot) vote(key, value, where string) *Candidate {
	i, ok := b.byKey[key]
	if !ok {
		if key == "" || len(b.Candidates) >= maxCandidates {
			return nil
		}
		i = len(b.Candidates)
		b.byKey[key] = i
		b.Candidates = append(b.Candidates, Candidate{Value: value, first: i})
	}
	c := &b.Candidates[i]
	c.mark(where)
	return c
}

// mark adds what is known of a candidate, once.
func (c *Candidate) mark(where string) {
	if !c.has(where) {
		c.Votes = append(c.Votes, Vote{Where: where})
	}
}

// markAs marks c if yes.
func (c *Candidate) markAs(yes bool, where string) {
	if yes {
		c.mark(where)
	}
}

func (c *Candidate) has(where string) bool {
	return slices.ContainsFunc(c.Votes, func(v Vote) bool { return v.Where == where })
}

// Weights is what the votes for one field count.
type Weights struct {
	// Base is the logarithm of the odds of a value that no known place gives,
	// against "unknown".
	Base float64 `json:"base"`
	// Least is the confidence that a value needs to be taken.
	Least float64 `json:"least"`
	// Votes are the weights of votes; those of places that are not there count 0.
	Votes map[string]float64 `json:"votes"`
}

// Model is the weights of all fields.
type Model map[string]*Weights

//go:embed weights.json
var weightsFile []byte

// builtin is the model that comes with the program.
var builtin = sync.OnceValue(func() Model {
	m, err := ParseModel(weightsFile)
	if err != nil {
		panic(fmt.Sprintf("metadata: the weights that come with the program: %v", err))
	}
	return m
})

// ParseModel reads the form of weights.json.
func ParseModel(data []byte) (Model, error) {
	var m Model
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("weights: %w", err)
	}
	for _, f := range [...]string{Title, Published, Modified, Authors, Editor, Reporter, Credit, Publisher} {
		if m[f] == nil {
			return nil, fmt.Errorf("weights: no field %q", f)
		}
	}
	return m, nil
}

// Score returns the logarithm of the odds of c against "unknown".
func (w *Weights) Score(c *Candidate) float64 {
	s := w.Base
	for _, v := range c.Votes {
		s += w.Votes[v.Where]
	}
	return s
}

// weigh scores the candidates and sorts them.
func (b *Ballot) weigh(w *Weights) {
	for i := range b.Candidates {
		c := &b.Candidates[i]
		for k := range c.Votes {
			c.Votes[k].Weight = w.Votes[c.Votes[k].Where]
		}
		c.score = w.Score(c)
		sort.SliceStable(c.Votes, func(i, j int) bool { return c.Votes[i].Weight > c.Votes[j].Weight })
	}
	sort.SliceStable(b.Candidates, func(i, j int) bool { return b.Candidates[i].score > b.Candidates[j].score })
	b.byKey = nil
}

// elect weighs the candidates against each other and against "unknown", and
// returns the one to take, nil for unknown.
func (b *Ballot) elect(w *Weights) *Candidate {
	b.weigh(w)
	if len(b.Candidates) == 0 {
		return nil
	}
	top := max(0, b.Candidates[0].score)
	sum := math.Exp(-top)
	for i := range b.Candidates {
		sum += math.Exp(b.Candidates[i].score - top)
	}
	for i := range b.Candidates {
		c := &b.Candidates[i]
		c.Confidence = round(math.Exp(c.score-top) / sum)
	}
	if c := &b.Candidates[0]; c.Confidence >= w.Least {
		c.Elected = true
		return c
	}
	return nil
}

// several weighs each candidate by itself and returns those to take, in the
// order they were seen.
func (b *Ballot) several(w *Weights) []*Candidate {
	b.weigh(w)
	var out []*Candidate
	for i := range b.Candidates {
		c := &b.Candidates[i]
		c.Confidence = round(1 / (1 + math.Exp(-c.score)))
		// The best, and whoever stands beside it, is taken more readily than
		// further ones.
		if c.Confidence >= w.Least && (c.Confidence >= 0.5 || c.score >= b.Candidates[0].score-0.3) {
			c.Elected = true
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b *Candidate) int { return a.first - b.first })
	return out
}

func round(x float64) float64 { return math.Round(x*100) / 100 }

// provenance tells what the elected candidates rest on.
func provenance(elected ...*Candidate) news.Provenance {
	weight := make(map[string]float64)
	p := news.Provenance{}
	for _, c := range elected {
		for _, v := range c.Votes {
			if place, _, _ := strings.Cut(v.Where, " "); place != "is" {
				weight[place] = max(weight[place], v.Weight, 1e-9)
			}
		}
		if p.Confidence == 0 || c.Confidence < p.Confidence {
			p.Confidence = c.Confidence
		}
	}
	p.From = slices.SortedFunc(maps.Keys(weight), func(a, b string) int {
		if weight[a] != weight[b] {
			if weight[a] > weight[b] {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	return p
}
