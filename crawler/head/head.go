// Package head reads what the head of an HTML page says of the page: its title,
// the other addresses that it is known by, and where it sends browsers.
//
// In goes the body as received. Only the head is looked at, by its tokens: a page
// is parsed once, by the extractor.
package head

import (
	"bytes"
	"net/url"
	"strconv"
	"strings"
	"time"

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
	// Refresh is where the page sends a browser by itself, within seconds.
	Refresh string
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
			case atom.Meta:
				if strings.EqualFold(attribute(t, "http-equiv"), "refresh") && h.Refresh == "" {
					h.Refresh = refresh(base, attribute(t, "content"))
				}
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

// maxWait is how long a page may be shown before it sends the browser on: those
// that do later are meant to be read.
const maxWait = 10 * time.Second

// refresh returns the address in the content of a refresh, such as "0; url=/a.html",
// "" if there is none or it comes too late.
func refresh(base *url.URL, content string) string {
	wait, rest, _ := strings.Cut(strings.ReplaceAll(content, ",", ";"), ";")
	seconds, err := strconv.ParseFloat(strings.TrimSpace(wait), 64)
	if err != nil || seconds < 0 || seconds > maxWait.Seconds() {
		return ""
	}
	rest = content[len(content)-len(rest):] // with its commas
	if key, value, ok := strings.Cut(rest, "="); ok && strings.EqualFold(strings.TrimSpace(key), "url") {
		rest = value
	}
	ref := strings.Trim(strings.TrimSpace(rest), `"'`)
	u, err := base.Parse(ref)
	if ref == "" || err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.String()
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
