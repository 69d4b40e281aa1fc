package news

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Rule is a stored query with where to tell of its matches.
type Rule struct {
	// ID is a slug: lower-case letters, digits and hyphens.
	ID       string   `json:"id" yaml:"id"`
	Name     string   `json:"name" yaml:"name"`
	Query    string   `json:"query" yaml:"query"`
	Disabled bool     `json:"disabled,omitempty" yaml:"disabled,omitempty"`
	Labels   []string `json:"labels,omitempty" yaml:"labels,omitempty"`
	// Webhooks are told of each match; the log always is.
	Webhooks []Webhook `json:"webhooks,omitempty" yaml:"webhooks,omitempty"`
}

// Webhook is an address that deliveries are posted to, signed as Standard
// Webhooks has it.
type Webhook struct {
	URL string `json:"url" yaml:"url"`
	// SecretEnv and SecretFile name where the signing secret ("whsec_…" or raw
	// text) is read from; one of them is required.
	SecretEnv  string `json:"secret_env,omitempty" yaml:"secret_env,omitempty"`
	SecretFile string `json:"secret_file,omitempty" yaml:"secret_file,omitempty"`
}

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
