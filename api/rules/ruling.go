package rules

import "xinwen/indexer/query"

// Ruling says why a rule matches an article, or why not.
type Ruling struct {
	Article string `json:"article"`
	Title   string `json:"title"`
	URL     string `json:"url"`
	// Matches says whether the query with its filters matches.
	Matches bool          `json:"matches"`
	Query   query.Verdict `json:"query" doc:"Which clauses hold and which do not"`
	// Notes are what else decides whether somebody is told.
	Notes []string `json:"notes"`
}
