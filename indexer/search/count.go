package search

import (
	"context"
	"time"
)

// Limits on counts.
const (
	DefaultGroups = 1000
	MaxEdges      = 25_000
	// MaxCounts is the number of intervals times that of groups.
	MaxCounts = 2_000_000
)

// CountRequest asks how many articles match, by time and by group. Of the
// Request only query, match and filters count; without match, all words must
// match.
type CountRequest struct {
	Request
	// Edges part time into intervals, by news.Article.Time: from one edge, which
	// belongs to the interval, to the next. They ascend; a zero first edge means
	// from the beginning. Articles without a time are not counted.
	Edges []time.Time `json:"edges"`
	// By names facets. Each combination of their values is a group; an article
	// with several entities is in a group of each. Without it there is one group.
	By []string `json:"by,omitempty"`
	// Limit is how many groups are returned, the largest first; 0 means
	// DefaultGroups.
	Limit int `json:"limit,omitempty"`
}

// Counts are numbers of articles.
type Counts struct {
	Groups []CountGroup `json:"groups"`
	// Truncated says that there are more groups.
	Truncated  bool   `json:"truncated,omitempty"`
	AppliedSeq uint64 `json:"applied_seq"`
}

// CountGroup is the counts of one group.
type CountGroup struct {
	// Labels are the values of the facets in By.
	Labels map[string]string `json:"labels,omitempty"`
	// Counts has one number for each interval, Total is their sum.
	Counts []uint64 `json:"counts"`
	Total  uint64   `json:"total"`
}

// Counter counts articles. Its errors are those of Searcher.
type Counter interface {
	Count(ctx context.Context, r CountRequest) (*Counts, error)
}
