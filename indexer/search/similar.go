package search

import "context"

// SimilarRequest asks for articles that are like one.
type SimilarRequest struct {
	// ID is the article's.
	ID string `json:"id"`
	// Lang is as in Request.
	Lang []string `json:"lang,omitempty"`
	// SameStory includes further articles of its own story. Of other stories
	// there is one each.
	SameStory bool `json:"same_story,omitempty"`
	// Size is the number of hits, 0 for DefaultSize.
	Size int `json:"size,omitempty"`
}

// Resembler finds articles that are like one. Its errors are those of Searcher.
type Resembler interface {
	// Similar returns the articles most like one, by the entities it mentions
	// and the words that are rare elsewhere; ErrNotFound if there is no such
	// article. Its result has no total.
	Similar(ctx context.Context, r SimilarRequest) (*Result, error)
}
