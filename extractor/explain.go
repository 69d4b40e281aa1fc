package extractor

import (
	"context"
	"time"

	"xinwen/extractor/boilerplate"
	"xinwen/extractor/dom"
	"xinwen/extractor/metadata"
	"xinwen/extractor/part"
	"xinwen/news"
)

// Explanation tells how the extractor came to an article: for people who ask
// why a page was read as it was. Its form may change.
type Explanation struct {
	// Article is the result, nil if there is none; Error says why.
	Article *news.Article `json:"article,omitempty"`
	Error   string        `json:"error,omitempty"`
	// Candidates are the answers to where the article is, in the order they were
	// found.
	Candidates []ExplainedCandidate `json:"candidates"`
	// Blocks are the blocks of text that are the article's or nearly were.
	Blocks []ExplainedBlock `json:"blocks"`
	// Fields tell how the metadata was voted on.
	Fields []ExplainedField `json:"fields"`
	// Series tells of further pages of the article.
	Series part.Series `json:"series,omitzero"`
}

// ExplainedCandidate is one answer to where the article is.
type ExplainedCandidate struct {
	Chosen bool     `json:"chosen"`
	Kinds  []string `json:"kinds"`
	// Score is the F1 that the ranker expects.
	Score  float64 `json:"score"`
	Blocks int     `json:"blocks"`
	Begins string  `json:"begins"`
	Ends   string  `json:"ends"`
}

// ExplainedBlock is a block of text with the judgement on it.
type ExplainedBlock struct {
	Kept bool `json:"kept"`
	// Repeated says that it was left out since the host's pages have it in common.
	Repeated    bool    `json:"repeated,omitempty"`
	Probability float64 `json:"probability"`
	Tag         string  `json:"tag"`
	Text        string  `json:"text"`
}

// ExplainedField is how one metadata field was decided: its values, the
// likeliest first.
type ExplainedField struct {
	Field  string           `json:"field"`
	Values []ExplainedValue `json:"values"`
}

// ExplainedValue is one value a field might have had.
type ExplainedValue struct {
	Value      string  `json:"value"`
	Elected    bool    `json:"elected"`
	Confidence float64 `json:"confidence"`
	// Votes are the places that give the value, and what is known of it, with
	// what each adds to the logarithm of the odds.
	Votes map[string]float64 `json:"votes"`
}

// Explain extracts a page and tells how. It fails only where the page is no
// HTML or text; other faults are in Explanation.Error.
func (x *Extractor) Explain(p *news.Page) (*Explanation, error) {
	e := &Explanation{}
	r := x.reading(p)
	r.explain = e
	a, err := x.extract(context.Background(), p, r)
	if err != nil {
		if len(e.Candidates) == 0 {
			return nil, err
		}
		e.Error = err.Error()
		return e, nil
	}
	a.Mentions = x.mentions(a)
	e.Article = a
	return e, nil
}

func (e *Explanation) fill(d *dom.Document, body *boilerplate.Body, m *metadata.Metadata) {
	kept := make(map[int]bool)
	for _, i := range body.Blocks {
		kept[i] = true
	}
	for k, c := range body.Candidates {
		x := ExplainedCandidate{Chosen: k == body.Chosen, Score: c.Score, Blocks: len(c.Blocks)}
		for _, kind := range c.Kinds {
			x.Kinds = append(x.Kinds, string(kind))
		}
		if n := len(c.Blocks); n > 0 {
			x.Begins, x.Ends = clip(d.Blocks[c.Blocks[0]].Text, 40), clip(d.Blocks[c.Blocks[n-1]].Text, 40)
		}
		e.Candidates = append(e.Candidates, x)
	}
	repeated := make(map[int]bool)
	for _, i := range body.Repeated {
		repeated[i] = true
	}
	for i, q := range body.Probability {
		if kept[i] || repeated[i] || q >= 0.2 {
			b := &d.Blocks[i]
			e.Blocks = append(e.Blocks, ExplainedBlock{Kept: kept[i], Repeated: repeated[i], Probability: float64(int(q*100+0.5)) / 100, Tag: b.Tag.String(), Text: clip(b.Text, 60)})
		}
	}
	for _, b := range m.Ballots {
		f := ExplainedField{Field: b.Field, Values: []ExplainedValue{}}
		for _, c := range b.Candidates {
			v := ExplainedValue{Value: c.Value, Elected: c.Elected, Confidence: c.Confidence, Votes: make(map[string]float64)}
			if !c.Time.IsZero() {
				v.Value = c.Time.Format(time.RFC3339)
			}
			for _, x := range c.Votes {
				v.Votes[x.Where] = x.Weight
			}
			f.Values = append(f.Values, v)
		}
		e.Fields = append(e.Fields, f)
	}
}
