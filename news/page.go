package news

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ArticleContentType marks a Page whose body is an ImportedArticle as JSON
// rather than a document to extract.
const ArticleContentType = "application/vnd.xinwen.article+json"

// Page is one fetched document, bytes as received.
type Page struct {
	Version int `json:"v"`
	// ID is derived from URL (see package weburl).
	ID string `json:"id"`
	// URL is the canonical form of the address that answered, after redirects.
	URL string `json:"url"`
	// RequestURL is the address that was asked for, where it differs from URL.
	RequestURL string `json:"request_url,omitempty"`
	// Source is the ID of the source that led here.
	Source string `json:"source"`
	// Status is the HTTP status; 404 and 410 announce that the page is gone.
	Status int `json:"status"`
	// ContentType is the Content-Type header as received.
	ContentType string `json:"content_type,omitempty"`
	// Fetched is when the response was received, in UTC.
	Fetched time.Time `json:"fetched"`
	// TimeZone is the IANA zone of the source, for dates that name none.
	TimeZone string `json:"time_zone,omitempty"`
	// Entry is what the feed or list page that led here said of the page.
	Entry *FeedEntry `json:"entry,omitempty"`
	// Parent is the ID of the page that this one is a further part of, where the
	// extractor asked for it.
	Parent string `json:"parent,omitempty"`
	// Import says that the page was handed in, not crawled: the crawler is not
	// asked for what it belongs to.
	Import bool `json:"import,omitempty"`
	// Fast asks the extractor to leave out entities (bulk imports).
	Fast bool `json:"fast,omitempty"`
	// Body is the document without transfer and content encoding, not decoded
	// to UTF-8.
	Body []byte `json:"-"`
}

// FeedEntry is what a feed says of one page.
type FeedEntry struct {
	Title     string    `json:"title,omitempty"`
	Summary   string    `json:"summary,omitempty"`
	Authors   []string  `json:"authors,omitempty"`
	Published time.Time `json:"published,omitzero"`
	Updated   time.Time `json:"updated,omitzero"`
}

// ImportedArticle is one line of an import: an article extracted elsewhere.
// Only Text is required.
type ImportedArticle struct {
	ID        string    `json:"id,omitempty"`
	URL       string    `json:"url,omitempty"`
	Title     string    `json:"title,omitempty"`
	Text      string    `json:"text"`
	Lang      string    `json:"lang,omitempty"`
	Published time.Time `json:"published,omitzero"`
	Source    string    `json:"source,omitempty"`
}

// AppendPage appends the wire form of p to dst: its JSON, a newline, and the
// body as it is.
func AppendPage(dst []byte, p *Page) ([]byte, error) {
	head, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	dst = append(dst, head...)
	dst = append(dst, '\n')
	return append(dst, p.Body...), nil
}

// ParsePage reads the wire form that AppendPage writes. The page's body shares
// memory with data.
func ParsePage(data []byte) (*Page, error) {
	head, body, ok := bytes.Cut(data, []byte{'\n'})
	if !ok {
		return nil, errors.New("page: no newline after the JSON head")
	}
	var p Page
	if err := json.Unmarshal(head, &p); err != nil {
		return nil, fmt.Errorf("page: %w", err)
	}
	if p.Version > Version {
		return nil, fmt.Errorf("page %s: version %d: %w", p.ID, p.Version, ErrVersion)
	}
	p.Body = body
	return &p, nil
}
