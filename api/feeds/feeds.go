// Package feeds writes the newest articles of a query as RSS, Atom or JSON Feed.
//
// The texts in a feed are foreign: titles are given as plain text, and where a
// format takes HTML they are escaped once more, so that markup in an article is
// shown, never followed.
package feeds

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"time"

	"github.com/gorilla/feeds"

	"xinwen/indexer/search"
)

// Formats of feeds.
const (
	RSS  = "rss"
	Atom = "atom"
	JSON = "json"
)

// Feed is what a feed is written from.
type Feed struct {
	Title       string
	Description string
	// Home is the page that shows the same, Self the feed's own address.
	Home, Self string
	// Page returns the address of an article's page here.
	Page func(id string) string
	Hits []search.Hit
}

// ContentType returns the media type of a format, "" if it is unknown.
func ContentType(format string) string {
	switch format {
	case RSS:
		return "application/rss+xml; charset=utf-8"
	case Atom:
		return "application/atom+xml; charset=utf-8"
	case JSON:
		return "application/feed+json; charset=utf-8"
	}
	return ""
}

// Write returns f in a format.
func Write(f Feed, format string) ([]byte, error) {
	switch format {
	case RSS:
		return f.rss()
	case Atom:
		return f.atom()
	case JSON:
		return f.json()
	}
	return nil, fmt.Errorf("feed format %q: use rss, atom or json", format)
}

// Updated returns when the newest of the hits was indexed.
func (f *Feed) Updated() time.Time {
	var t time.Time
	for i := range f.Hits {
		if f.Hits[i].Indexed.After(t) {
			t = f.Hits[i].Indexed
		}
	}
	return t.UTC()
}

// link is where an item leads: to the publisher, or to our page where the
// article has no address on the web.
func (f *Feed) link(h *search.Hit) string {
	if Web(h.URL) {
		return h.URL
	}
	return f.Page(h.ID)
}

// Web reports whether an address can be followed in a browser.
func Web(u string) bool {
	return len(u) > 8 && (u[:7] == "http://" || u[:8] == "https://")
}

func published(h *search.Hit) time.Time {
	if h.Published.IsZero() {
		return h.Fetched.UTC()
	}
	return h.Published.UTC()
}

func title(h *search.Hit) string {
	if h.Title != "" {
		return h.Title
	}
	r := []rune(h.Snippet)
	if len(r) > 60 {
		return string(r[:60]) + "…"
	}
	return h.Snippet
}

func publisher(h *search.Hit) string {
	if h.Publisher != "" {
		return h.Publisher
	}
	return h.Source
}

func (f *Feed) feed() *feeds.Feed {
	out := &feeds.Feed{
		Title: f.Title, Description: f.Description, Id: f.Self, Updated: f.Updated(),
		Link: &feeds.Link{Href: f.Home},
	}
	for i := range f.Hits {
		h := &f.Hits[i]
		out.Items = append(out.Items, &feeds.Item{
			Title: title(h), Link: &feeds.Link{Href: f.link(h)},
			Id: "urn:xinwen:article:" + h.ID, IsPermaLink: "false",
			Description: html.EscapeString(h.Snippet), // both formats take HTML here
			Author:      &feeds.Author{Name: publisher(h)},
			Created:     published(h), Updated: published(h),
		})
	}
	return out
}

type rssDocument struct {
	XMLName xml.Name `xml:"rss"`
	Version string   `xml:"version,attr"`
	Atom    string   `xml:"xmlns:atom,attr"`
	DC      string   `xml:"xmlns:dc,attr"`
	Channel rssChannel
}

type rssChannel struct {
	XMLName xml.Name `xml:"channel"`
	Self    struct {
		Href string `xml:"href,attr"`
		Rel  string `xml:"rel,attr"`
		Type string `xml:"type,attr"`
	} `xml:"atom:link"`
	feeds.RssFeed
	Items []rssItem `xml:"item"`
}

// rssItem names the author as Dublin Core does: RSS itself wants an e-mail
// address there.
type rssItem struct {
	XMLName     xml.Name       `xml:"item"`
	Title       string         `xml:"title"`
	Link        string         `xml:"link"`
	Description string         `xml:"description"`
	Creator     string         `xml:"dc:creator,omitempty"`
	Guid        *feeds.RssGuid `xml:"guid"`
	PubDate     string         `xml:"pubDate"`
}

func (f *Feed) rss() ([]byte, error) {
	feed := (&feeds.Rss{Feed: f.feed()}).RssFeed()
	feed.Generator = "Xinwen"
	doc := rssDocument{Version: "2.0", Atom: "http://www.w3.org/2005/Atom", DC: "http://purl.org/dc/elements/1.1/"}
	doc.Channel.RssFeed = *feed
	doc.Channel.Self.Href, doc.Channel.Self.Rel, doc.Channel.Self.Type = f.Self, "self", "application/rss+xml"
	for _, item := range feed.Items {
		doc.Channel.Items = append(doc.Channel.Items, rssItem{
			Title: item.Title, Link: item.Link, Description: item.Description,
			Creator: item.Author, Guid: item.Guid, PubDate: item.PubDate,
		})
	}
	return marshalXML(doc)
}

func (f *Feed) atom() ([]byte, error) {
	feed := (&feeds.Atom{Feed: f.feed()}).AtomFeed()
	// AtomFeed has room for one link only.
	feed.Id, feed.Link = f.Self, nil
	return marshalXML(struct {
		*feeds.AtomFeed
		Links []feeds.AtomLink
	}{feed, []feeds.AtomLink{
		{Href: f.Self, Rel: "self", Type: "application/atom+xml"},
		{Href: f.Home, Rel: "alternate", Type: "text/html"},
	}})
}

func marshalXML(v any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func (f *Feed) json() ([]byte, error) {
	out := feeds.JSONFeed{
		Version: "https://jsonfeed.org/version/1.1", Title: f.Title, Description: f.Description,
		HomePageUrl: f.Home, FeedUrl: f.Self, Items: []*feeds.JSONItem{},
	}
	for i := range f.Hits {
		h := &f.Hits[i]
		at := published(h)
		out.Items = append(out.Items, &feeds.JSONItem{
			Id: h.ID, Url: f.Page(h.ID), ExternalUrl: external(h.URL), Title: title(h),
			ContentText: h.Snippet, PublishedDate: &at,
			Authors: []*feeds.JSONAuthor{{Name: publisher(h)}}, Tags: h.Entities,
		})
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b) // escapes < > & too
	e.SetIndent("", "  ")
	if err := e.Encode(out); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func external(u string) string {
	if Web(u) {
		return u
	}
	return ""
}
