package ui

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"xinwen/indexer/search"
)

const (
	// maxEntities is the number of entities shown with a hit, maxReasons that of
	// reasons why it was found.
	maxEntities = 5
	maxReasons  = 4
	// longestLag is up to when the time from publishing to searching is shown:
	// what took longer was imported, or found late.
	longestLag = 48 * time.Hour
)

// Hit is an article in the list.
type Hit struct {
	URL, Original  string
	Title, Snippet []Segment
	Source, Credit string
	Lang           string // tag
	LangKey        string
	Time, Machine  string
	Seen           bool // Time is when it was fetched
	// Lag is how long after it was published it could be found, Clocks the
	// three times that it is made of; "" where that says nothing.
	Lag, Clocks  string
	Entities     []Link
	MoreEntities int
	Story        *Link // the further articles of its story
	// Reasons say why it was found, where the words are not simply in it.
	Reasons []Reason
}

// Reason is a word of a hit and how the search leads to it.
type Reason struct{ Text, Why string }

// hits returns the list of what was found, as the reader of r wants it shown.
func (u *UI) hits(r *http.Request, found []search.Hit, names map[string]string) []Hit {
	lang, d := languageOf(r), displayOf(r)
	out := make([]Hit, len(found))
	for i := range found {
		out[i] = u.hit(&found[i], d, lang, names)
	}
	return out
}

func (u *UI) hit(h *search.Hit, d display, lang int, names map[string]string) Hit {
	var inTitle, inSnippet []span
	title, snippet := d.text(h.Title, h.Lang, h.Script), d.text(h.Snippet, h.Lang, h.Script)
	out := Hit{
		URL: "/article/" + url.PathEscape(h.ID), Original: web(h.URL), Source: or(h.Publisher, names[h.Source], h.Source), Credit: h.Credit,
		Lang: d.tag(h.Lang, h.Script), LangKey: languageKey(h.Lang, h.Script), Story: u.more(h, lang),
	}
	for _, l := range h.Highlights {
		s := span{start: l.Start, end: l.End, Mark: true, Label: reason(l.Reason, lang)}
		text := l.Text
		switch l.Field {
		case search.FieldTitle:
			inTitle, text = append(inTitle, s), cut([]rune(title), l.Start, l.End)
		case search.FieldSnippet:
			inSnippet, text = append(inSnippet, s), cut([]rune(snippet), l.Start, l.End)
		}
		_, of, _ := strings.Cut(l.Reason, " ")
		if why := (Reason{text, s.Label}); s.Label != "" && !strings.EqualFold(of, l.Text) && len(out.Reasons) < maxReasons && !slices.Contains(out.Reasons, why) {
			out.Reasons = append(out.Reasons, why)
		}
	}
	out.Title = segments(title, inTitle)
	out.Snippet = segments(snippet, inSnippet)
	if out.Credit == out.Source {
		out.Credit = ""
	}
	out.Time, out.Machine = u.stamp(h.Published)
	if out.Time == "" {
		out.Seen = true
		out.Time, out.Machine = u.stamp(h.Fetched)
	} else if took := h.Indexed.Sub(h.Published); took > 0 && took < longestLag {
		fetched, _ := u.stamp(h.Fetched)
		indexed, _ := u.stamp(h.Indexed)
		out.Lag, out.Clocks = duration(took, lang), say(lang, "clocks", out.Time, fetched, indexed)
	}
	named := slices.DeleteFunc(slices.Clone(h.Entities), unnamedEntity)
	for i, id := range named {
		if i == maxEntities {
			out.MoreEntities = len(named) - i
			break
		}
		out.Entities = append(out.Entities, Link{Label: u.entityName(lang, id), URL: entityURL(id), Kind: entityKind(id)})
	}
	return out
}

// reason says in words why a piece of text was marked; "" where it is what was
// asked for.
func reason(code string, lang int) string {
	kind, of, _ := strings.Cut(code, " ")
	switch kind {
	case search.ReasonEntity, search.ReasonAlias:
		return say(lang, "reason-entity", of)
	case search.ReasonSynonym:
		return say(lang, "reason-synonym", of)
	}
	return ""
}

// duration says how long something took.
func duration(d time.Duration, lang int) string {
	switch {
	case d < time.Minute:
		return say(lang, "under-a-minute")
	case d < 2*time.Hour:
		return say(lang, "minutes", int(d/time.Minute))
	}
	return say(lang, "hours", int(d/time.Hour))
}
