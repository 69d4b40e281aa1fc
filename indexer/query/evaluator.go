package query

import (
	"time"

	"xinwen/indexer/analysis"
	"xinwen/news"
	"xinwen/news/lexicon"
)

// Evaluator tests articles against queries without an index. It is safe for
// concurrent use.
type Evaluator struct {
	analyzer *analysis.Analyzer
	lexicon  *lexicon.Store
}

// NewEvaluator returns an evaluator that analyses with an, which must be the
// analyzer of the index for search and alerts to agree. The lexicon may be nil.
func NewEvaluator(an *analysis.Analyzer, l *lexicon.Store) *Evaluator {
	return &Evaluator{an, l}
}

// LoadEvaluator returns an evaluator with an analyzer of its own.
func LoadEvaluator(l *lexicon.Store) (*Evaluator, error) {
	e := &Evaluator{lexicon: l}
	an, err := analysis.New(analysis.Options{Lexicon: e.current()})
	if err != nil {
		return nil, err
	}
	e.analyzer = an
	return e, nil
}

func (e *Evaluator) current() *lexicon.Lexicon {
	if e.lexicon == nil {
		return nil
	}
	return e.lexicon.Current()
}

// Changed returns a channel that is closed when the lexicon changes and matchers
// should be compiled anew; without a lexicon it is nil.
func (e *Evaluator) Changed() <-chan struct{} {
	if e.lexicon == nil {
		return nil
	}
	return e.lexicon.Changed()
}

// Analyzer returns the analyzer that e uses.
func (e *Evaluator) Analyzer() *analysis.Analyzer { return e.analyzer }

// Parse reads a query as ParseWith does, with days in zone (nil is UTC), and
// refuses entities that the lexicon does not know.
func (e *Evaluator) Parse(s string, zone *time.Location) (Node, error) {
	l := e.current()
	return ParseWith(s, Options{Location: zone, KnowsEntity: func(name string) bool { return len(entityIDs(name, l)) > 0 }})
}

// Document analyses a. The article must not be changed while the document is in
// use.
func (e *Evaluator) Document(a *news.Article) *Document { return NewDocument(a, e.analyzer) }

// Compile makes a matcher of n, expanded by the lexicon as it is now. Its errors
// are of type *SyntaxError.
func (e *Evaluator) Compile(n Node) (*Matcher, error) {
	l := e.current()
	c, err := Lower(Expand(n, l), e.analyzer, l)
	if err != nil {
		return nil, err
	}
	return NewMatcher(c), nil
}
