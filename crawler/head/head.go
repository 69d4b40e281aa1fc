// Package head reads what the head of an HTML page says of the page: its title,
// and the other addresses that it is known by.
//
// In goes the body as received. Only the head is looked at, by its tokens: a page
// is parsed once, by the extractor.
package head

import (
	"bytes"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"xinwen/news/charset"
)

// maxBytes bounds the part of a page that is looked at.
const maxBytes = 256 << 10

// Head is what a page says of itself. Addresses are absolute.
type Head struct {
	Title string
	// Canonical is the address of rel=canonical, AMP that of the page's light form
	// (rel=amphtml), Mobile that of its form for telephones.
	Canonical string
	AMP       string
	Mobile    string
	// IsAMP says that the page itself is such a light form.
	IsAMP bool
}

// Read reads the head of the page that came from pageURL, after redirects.
func Read(body []byte, contentType, pageURL string) Head {
	var h Head
	base, err := url.Parse(pageURL)
	if err != nil {
		return h
	}
	text, _ := charset.Decode(body[:min(len(body), maxBytes)], contentType)
	z := html.NewTokenizer(strings.NewReader(text))
	var title bytes.Buffer
	inTitle := false
	for {
		switch z.Next() {
		case html.ErrorToken:
			h.Title = strings.Join(strings.Fields(title.String()), " ")
			return h
		case html.TextToken:
			if inTitle {
				title.Write(z.Text())
			}
		case html.EndTagToken:
			if name, _ := z.TagName(); atom.Lookup(name) == atom.Title {
				inTitle = false
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t := z.Token()
			switch t.DataAtom {
			case atom.Html:
				h.IsAMP = h.IsAMP || has(t, "amp") || has(t, "⚡")
			case atom.Title:
				inTitle = title.Len() == 0
			case atom.Base:
				if u, err := base.Parse(attribute(t, "href")); err == nil {
					base = u
				}
			case atom.Link:
				h.link(base, t)
			case atom.Body:
				h.Title = strings.Join(strings.Fields(title.String()), " ")
				return h
			}
		}
	}
}

func (h *Head) link(base *url.URL, t html.Token) {
	to := func(dst *string) {
		if u, err := base.Parse(strings.TrimSpace(attribute(t, "href"))); err == nil && *dst == "" && (u.Scheme == "http" || u.Scheme == "https") {
			*dst = u.String()
		}
	}
	for rel := range strings.FieldsSeq(strings.ToLower(attribute(t, "rel"))) {
		switch rel {
		case "canonical":
			to(&h.Canonical)
		case "amphtml":
			to(&h.AMP)
		case "alternate":
			if media := strings.ToLower(attribute(t, "media")); strings.Contains(media, "handheld") || strings.Contains(media, "max-width") {
				to(&h.Mobile)
			}
		}
	}
}

func attribute(t html.Token, key string) string {
	for _, a := range t.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func has(t html.Token, key string) bool {
	for _, a := range t.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}
