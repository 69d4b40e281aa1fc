package news

import (
	"encoding/json"
	"fmt"
	"time"
)

// Scripts an article can be written in.
const (
	ScriptHans  = "Hans"
	ScriptHant  = "Hant"
	ScriptMixed = "mixed" // both Hans and Hant
	ScriptLatn  = "Latn"
)

// Article is a page reduced to title, text, time, author, language and
// mentions. Title and Text are in the script the page was written in.
type Article struct {
	Version int `json:"v"`
	// ID is derived from URL (see package weburl).
	ID string `json:"id"`
	// Revision orders versions of one article: of two with the same ID the
	// higher one is newer. It is the page's fetch time in Unix milliseconds, or a
	// little more where it is joined from several pages.
	Revision int64 `json:"revision"`
	// Deleted marks a tombstone: the publisher took the page away.
	Deleted bool   `json:"deleted,omitempty"`
	URL     string `json:"url"`
	// Source is the ID of the source, Publisher the name it calls itself.
	Source    string `json:"source"`
	Publisher string `json:"publisher,omitempty"`
	Title     string `json:"title"`
	// Summary is the lead as the page or feed gives it.
	Summary string `json:"summary,omitempty"`
	// Text is plain text; paragraphs are separated by one newline.
	Text string `json:"text"`
	// Lang is "zh" or "en" ("" if unknown), Script how it is written.
	Lang   string `json:"lang"`
	Script string `json:"script"`
	// Charset is the encoding the bytes really had.
	Charset string `json:"charset,omitempty"`
	// Authors, Editor and Reporter are people; Credit is the medium a text was
	// taken from (来源).
	Authors  []string `json:"authors,omitempty"`
	Editor   string   `json:"editor,omitempty"`
	Reporter string   `json:"reporter,omitempty"`
	Credit   string   `json:"credit,omitempty"`
	// Published is zero if unknown; PublishedConfidence is from 0 to 1.
	Published           time.Time `json:"published,omitzero"`
	PublishedConfidence float64   `json:"published_confidence,omitempty"`
	Modified            time.Time `json:"modified,omitzero"`
	Fetched             time.Time `json:"fetched"`
	Extracted           time.Time `json:"extracted"`
	// Mentions are in order of Start and do not overlap.
	Mentions []Mention `json:"mentions,omitempty"`
	// Links are the links inside Text.
	Links []Link `json:"links,omitempty"`
	// DuplicateOf is the ID of the article that had much the same text first, ""
	// if none is known; FirstPublisher is who published that.
	DuplicateOf    string `json:"duplicate_of,omitempty"`
	FirstPublisher string `json:"first_publisher,omitempty"`
	// Warnings tell what is doubtful, as "code: sentence".
	Warnings []string `json:"warnings,omitempty"`
	// Topics are what the article is about, the surest first.
	Topics []Topic `json:"topics,omitempty"`
	// Keywords are the terms and names that set the article apart, the
	// weightiest first, as written.
	Keywords []string `json:"keywords,omitempty"`
	// Provenance tells for a metadata field, by its JSON name, what its value
	// rests on.
	Provenance map[string]Provenance `json:"provenance,omitempty"`
	// Images are the pictures that belong to the text.
	Images []Image `json:"images,omitempty"`
	// Parts are the addresses of the further pages that Text was joined from.
	Parts []string `json:"parts,omitempty"`
	// Stripped are the blocks near the text that were left out, cut short.
	Stripped []Stripped `json:"stripped,omitempty"`
	// Gaps are offsets in code points over Text where the page lost words, such
	// as the text of a link.
	Gaps []int `json:"gaps,omitempty"`
	// SiteMemory is the version of the site memory that boilerplate was
	// recognised by, "" if none was used.
	SiteMemory string `json:"site_memory,omitempty"`
}

// Provenance is what the value of a metadata field rests on.
type Provenance struct {
	// From are the places that agree on the value, the strongest first:
	// "json-ld", "meta", "microdata", "heading", "byline", "template", "title",
	// "url", "feed" or "text".
	From []string `json:"from"`
	// Confidence is from 0 to 1.
	Confidence float64 `json:"confidence"`
}

// Image is a picture of an article.
type Image struct {
	URL     string `json:"url"`
	Caption string `json:"caption,omitempty"`
}

// Stripped is a block of a page that was not taken into the text.
type Stripped struct {
	// Why is "related", "share", "comments", "disclaimer", "spam", "repeated"
	// (site memory) or "boilerplate".
	Why  string `json:"why"`
	Text string `json:"text"`
}

// Kind is what sort of thing a mention names.
type Kind string

// The kinds of mentions.
const (
	Org     Kind = "org"
	Person  Kind = "person"
	Place   Kind = "place"
	Product Kind = "product"
	Tech    Kind = "tech"
	Node    Kind = "node"
	Money   Kind = "money"
	Percent Kind = "percent"
	Date    Kind = "date"
)

// Mention is a span of an article naming an entity.
type Mention struct {
	// Start and End are offsets in code points, half open, over
	// Article.Content.
	Start int `json:"start"`
	End   int `json:"end"`
	// Surface is the text of the span.
	Surface string `json:"surface"`
	Kind    Kind   `json:"kind"`
	// Entity is the ID in the lexicon, such as "org:tsmc". A person or
	// organisation that the lexicon lacks has kind:unknown- and a hash of its
	// name, the same in every article and script; amounts and dates have "".
	Entity string `json:"entity,omitempty"`
	// Name is the entity's English name, "" if the lexicon has none.
	Name string `json:"name,omitempty"`
	// Value is the normalised value of an amount or date.
	Value string  `json:"value,omitempty"`
	Score float64 `json:"score"`
}

// Link is a link inside an article's text.
type Link struct {
	// Start and End are offsets in code points, half open, over Article.Text.
	Start int    `json:"start"`
	End   int    `json:"end"`
	Text  string `json:"text"`
	URL   string `json:"url"`
}

// Topic is what an article is about.
type Topic struct {
	// ID is one of the constants of the extractor's package topic, such as
	// "export-control".
	ID string `json:"id"`
	// Score is from 0.5 to 1.
	Score float64 `json:"score"`
	// Evidence are the words it rests on, as written, the weightiest first.
	Evidence []string `json:"evidence,omitempty"`
}

// Content returns the text that mentions count their offsets in: title,
// newline, text.
func (a *Article) Content() string { return a.Title + "\n" + a.Text }

// Entities returns the IDs of the entities a mentions, each once, in order of
// their first mention.
func (a *Article) Entities() []string {
	var ids []string
	seen := make(map[string]bool)
	for _, m := range a.Mentions {
		if m.Entity != "" && !seen[m.Entity] {
			seen[m.Entity] = true
			ids = append(ids, m.Entity)
		}
	}
	return ids
}

// Time returns the time an article is sorted and filtered by: when it was
// published or, if that is unknown, fetched.
func (a *Article) Time() time.Time {
	if a.Published.IsZero() {
		return a.Fetched
	}
	return a.Published
}

// ParseArticle reads the JSON form of an article.
func ParseArticle(data []byte) (*Article, error) {
	var a Article
	if err := json.Unmarshal(data, &a); err != nil {
		return nil, fmt.Errorf("article: %w", err)
	}
	if a.Version > Version {
		return nil, fmt.Errorf("article %s: version %d: %w", a.ID, a.Version, ErrVersion)
	}
	return &a, nil
}
