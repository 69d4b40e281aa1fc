package news

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Alert says that a rule matched an article.
type Alert struct {
	Version int `json:"v"`
	// ID is AlertID(Rule, Article.ID, Revision): the same match always has the
	// same one.
	ID       string `json:"id"`
	Rule     string `json:"rule"`
	RuleName string `json:"rule_name"`
	Query    string `json:"query"`
	Revision int64  `json:"revision"`
	// Article is the article without text, links and mentions.
	Article Article `json:"article"`
	// Matches are the places that made the rule match.
	Matches []Span    `json:"matches,omitempty"`
	Matched time.Time `json:"matched"`
	// Reason says what else than the query made the rule go off, if anything.
	Reason *Reason `json:"reason,omitempty"`
	// Story is the ID of the article's story, "" if it has none. Fingerprint is
	// the sketch of title and lead (see package sketch) by which repeats are known
	// as long as it has none.
	Story       string `json:"story,omitempty"`
	Fingerprint string `json:"fingerprint,omitempty"`
}

// Kinds of reasons.
const (
	ReasonFirst     = "first"
	ReasonThreshold = "threshold"
	ReasonSpike     = "spike"
)

// Reason is the condition beside the query that made a rule go off.
type Reason struct {
	// Kind is "first", "threshold" or "spike".
	Kind string `json:"kind"`
	// Entities are the IDs of what was mentioned for the first time, Names what
	// the article calls them.
	Entities []string `json:"entities,omitempty"`
	Names    []string `json:"names,omitempty"`
	// Count is the number of matches within Window, Expected what the rule's
	// own rhythm gives.
	Count    int      `json:"count,omitempty"`
	Expected float64  `json:"expected,omitempty"`
	Window   Duration `json:"window,omitempty"`
}

// Span is a piece of an article's content, with offsets in code points over
// Article.Content, half open.
type Span struct {
	Start int    `json:"start"`
	End   int    `json:"end"`
	Text  string `json:"text"`
	// Clause is the part of the query it satisfies.
	Clause string `json:"clause"`
}

// AlertID returns the ID of the alert of rule on a revision of an article.
func AlertID(rule, article string, revision int64) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", rule, article, revision))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:15]))
}

// ParseAlert reads the JSON form of an alert.
func ParseAlert(data []byte) (*Alert, error) {
	var a Alert
	if err := json.Unmarshal(data, &a); err != nil {
		return nil, fmt.Errorf("alert: %w", err)
	}
	if a.Version > Version {
		return nil, fmt.Errorf("alert %s: version %d: %w", a.ID, a.Version, ErrVersion)
	}
	return &a, nil
}
