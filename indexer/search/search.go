package search

import (
	"context"
	"time"

	"xinwen/news"
)

// Values of Request.Syntax.
const (
	SyntaxQuery = "query" // the query language (the default)
	SyntaxPlain = "plain" // only words: no operators, no syntax errors
)

// Values of Request.Match: how many of the words a hit must contain.
const (
	MatchAuto = "auto" // all and, where nothing has all, any (the default)
	MatchAll  = "all"
	MatchAny  = "any" // a word or, in Chinese, two characters of one
)

// Values of Request.Sort. Ties are broken by ID.
const (
	SortRelevance = "relevance"
	SortNewest    = "newest" // by news.Article.Time
	SortOldest    = "oldest"
)

// Names of facets.
const (
	FacetSource = "source"
	FacetLang   = "lang"
	FacetScript = "script"
	FacetEntity = "entity"
	FacetTopic  = "topic"
	FacetStory  = "story" // of stories that have several articles
)

// Limits on requests.
const (
	DefaultSize   = 10
	MaxSize       = 100
	MaxQueryBytes = 8 << 10
)

// Request asks for one page of hits. The zero value asks for the newest
// articles of all.
type Request struct {
	// Query is in the query language or plain words, as Syntax says. Empty
	// means every article.
	Query  string `json:"q,omitempty"`
	Syntax string `json:"syntax,omitempty"`
	Match  string `json:"match,omitempty"`
	// Sort is relevance when there is a query to be relevant to, else newest.
	Sort string `json:"sort,omitempty"`
	// From and To limit news.Article.Time, From included, To excluded; zero is
	// no limit.
	From time.Time `json:"from,omitzero"`
	To   time.Time `json:"to,omitzero"`
	// TZ is the IANA zone of days named in Query; empty is UTC.
	TZ string `json:"tz,omitempty"`
	// Lang, Source, Entity and Topic narrow the search. Values in one list are
	// alternatives. Lang takes zh, en, zh-Hans, zh-Hant; Entity takes an ID or
	// any name or alias; Topic takes IDs as in news.Topic.
	Lang   []string `json:"lang,omitempty"`
	Source []string `json:"source,omitempty"`
	Entity []string `json:"entity,omitempty"`
	Topic  []string `json:"topic,omitempty"`
	// Story narrows the search to the articles of one story.
	Story string `json:"story,omitempty"`
	// Collapse shows of each story only the best hit; Total and facets still
	// count all.
	Collapse bool `json:"collapse,omitempty"`
	// Size is the number of hits on a page, 0 for DefaultSize, -1 for none.
	Size int `json:"size,omitempty"`
	// Cursor is Result.NextCursor of the page before. It belongs to one query:
	// everything but Size, Facets and Explain must stay the same.
	Cursor string `json:"cursor,omitempty"`
	// Facets names the facets to count over all hits.
	Facets []string `json:"facets,omitempty"`
	// NoNames takes names of entities as text alone, NoSynonyms looks for words
	// only as they are called on this side of the strait.
	NoNames    bool `json:"no_names,omitempty"`
	NoSynonyms bool `json:"no_synonyms,omitempty"`
	// HalfLife, if set, prefers what is new where hits are sorted by relevance: a
	// hit counts half for every HalfLife that its article is old.
	HalfLife news.Duration `json:"half_life,omitzero"`
	// Explain asks how each hit came to its score.
	Explain bool `json:"explain,omitempty"`
}

// Result is one page of hits and what is known of all of them.
type Result struct {
	// Total is the exact number of articles that match.
	Total uint64 `json:"total"`
	// Stories is the number of hits after collapsing, if that was asked for.
	Stories uint64  `json:"stories,omitempty"`
	TookMS  float64 `json:"took_ms"`
	// Relaxed says that no article had all the words and fewer were asked for;
	// Match is what the hits were found by.
	Relaxed bool   `json:"relaxed"`
	Match   string `json:"match"`
	Hits    []Hit  `json:"hits"`
	// Facets holds, for each facet asked for, its values from frequent to rare.
	Facets map[string][]FacetValue `json:"facets,omitempty"`
	// NextCursor leads to the next page; it is empty on the last one.
	NextCursor string `json:"next_cursor,omitempty"`
	// AppliedSeq is the last message of ARTICLES that the answer includes.
	AppliedSeq uint64 `json:"applied_seq"`
}

// Hit is one article found.
type Hit struct {
	ID    string `json:"id"`
	URL   string `json:"url"`
	Title string `json:"title"`
	// Snippet is a part of the text in whole sentences where possible.
	Snippet string `json:"snippet"`
	// Highlights are in order of field (title, snippet) and Start and do not
	// overlap.
	Highlights []Highlight `json:"highlights"`
	Source     string      `json:"source"`
	Publisher  string      `json:"publisher,omitempty"`
	Credit     string      `json:"credit,omitempty"`
	Lang       string      `json:"lang"`
	Script     string      `json:"script"`
	// Published is zero if unknown.
	Published time.Time `json:"published,omitzero"`
	Fetched   time.Time `json:"fetched"`
	// Indexed is when the article came into ARTICLES, from where the index takes
	// it within a second.
	Indexed time.Time `json:"indexed"`
	// Score is 0 where hits are sorted by time.
	Score    float64 `json:"score"`
	Revision int64   `json:"revision"`
	// Entities are the IDs of the entities that the article mentions.
	Entities []string `json:"entities"`
	// Story is the ID of the story that the article is part of: the article's
	// own where it is alone or the first.
	Story string `json:"story"`
	// More are the other hits of the story, where hits are collapsed.
	More *More `json:"more,omitempty"`
	// Explanation says how the score came about, if asked for.
	Explanation *Explanation `json:"explanation,omitempty"`
}

// More is what a collapsed hit stands for besides itself.
type More struct {
	// Articles is the number of further hits, Languages are theirs.
	Articles  int      `json:"articles"`
	Languages []string `json:"languages"`
}

// Fields that highlights are in.
const (
	FieldTitle   = "title"
	FieldSnippet = "snippet"
)

// Highlight is a piece of a hit's title or snippet that the query matched.
type Highlight struct {
	Field string `json:"field"`
	Text  string `json:"text"`
	// Start and End are offsets in code points, half open.
	Start int `json:"start"`
	End   int `json:"end"`
	// Reason says why it matched: "term" as it was asked for, "entity TSMC",
	// "synonym 晶片", or "alias NVIDIA" of an entity in title: or text:.
	Reason string `json:"reason,omitempty"`
}

// What Highlight.Reason begins with.
const (
	ReasonTerm    = "term"
	ReasonEntity  = "entity"
	ReasonSynonym = "synonym"
	ReasonAlias   = "alias"
)

// Explanation is a sum with its parts.
type Explanation struct {
	Value   float64        `json:"value"`
	Message string         `json:"message"`
	Parts   []*Explanation `json:"parts,omitempty"`
}

// FacetValue is one value of a facet and the number of hits that have it.
type FacetValue struct {
	Value string `json:"value"`
	// Name is what people call the value, where that differs.
	Name  string `json:"name,omitempty"`
	Count int    `json:"count"`
}

// Status is the state of an index.
type Status struct {
	// Docs is the number of articles that can be found.
	Docs uint64 `json:"docs"`
	// AppliedSeq is the last message of ARTICLES that the index includes,
	// LastSeq the last one there is, Lag their distance.
	AppliedSeq uint64 `json:"applied_seq"`
	LastSeq    uint64 `json:"last_seq"`
	Lag        uint64 `json:"lag"`
	// Rebuilding says that a fresh index is being filled beside this one.
	Rebuilding bool `json:"rebuilding,omitempty"`
	// RebuiltSeq is the last message of ARTICLES that the fresh one includes.
	RebuiltSeq uint64 `json:"rebuilt_seq,omitempty"`
	// Bytes is the size of the index on disk.
	Bytes uint64 `json:"bytes"`
}

// Searcher answers searches. Its errors are ErrNotFound, ErrUnavailable,
// *RequestError, *query.SyntaxError or wrap one of them; anything else is a
// fault of the index.
type Searcher interface {
	// Search returns a page of hits.
	Search(ctx context.Context, r Request) (*Result, error)
	// Article returns an indexed article, or ErrNotFound.
	Article(ctx context.Context, id string) (*news.Article, error)
	// Status returns the state of the index.
	Status(ctx context.Context) (Status, error)
}

// Rebuilder starts to build the index anew from ARTICLES. The old index keeps
// answering until the new one has caught up.
type Rebuilder interface {
	Rebuild(ctx context.Context) error
}
