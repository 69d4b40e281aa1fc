package ui

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"xinwen/indexer/search"
)

type storyPage struct {
	Title, Lang string
	Facts       []Fact
	Articles    []StoryArticle
	Beyond      int // articles that are not listed
	Languages   []Link
	Entities    []Link
	JSON        string
	// RSS and JSONFeed follow the story, CSV takes it along.
	RSS, JSONFeed, CSV string
}

// StoryArticle is a line of the timeline.
type StoryArticle struct {
	URL, Original, Title, Source, Credit string
	Lang, LangKey                        string
	Time, Machine                        string
	Seen                                 bool
}

func storyURL(id string) string { return "/story/" + url.PathEscape(id) }

// more returns where the other articles of a hit's story are, if it stands for
// any.
func (u *UI) more(h *search.Hit, lang int) *Link {
	if h.More == nil || h.More.Articles == 0 || h.Story == "" {
		return nil
	}
	label := say(lang, "more", h.More.Articles)
	if n := len(h.More.Languages); n > 1 {
		label = say(lang, "more-languages", h.More.Articles, n)
	}
	return &Link{Label: label, URL: storyURL(h.Story), Count: h.More.Articles}
}

func (u *UI) story(w http.ResponseWriter, r *http.Request) {
	lang := languageOf(r)
	teller, ok := u.o.Searcher.(search.Storyteller)
	if !ok {
		u.message(w, r, http.StatusNotImplemented, "failed-title", "no-stories")
		return
	}
	st, err := teller.Story(r.Context(), r.PathValue("id"))
	if errors.Is(err, search.ErrNotFound) {
		u.message(w, r, http.StatusNotFound, "story-gone", "gone-hint")
		return
	}
	if err != nil {
		u.failure(w, r, err)
		return
	}
	names := u.o.SourceNames(r.Context())
	p := storyPage{Title: or(st.Title, say(lang, "untitled")), Beyond: st.Total - len(st.Articles), JSON: "/v1/stories/" + url.PathEscape(st.ID)}
	p.RSS, p.JSONFeed = with("/feeds/search.rss", "story", st.ID), with("/feeds/search.json", "story", st.ID)
	p.CSV = "/v1/export?" + url.Values{"format": {"csv"}, "story": {st.ID}}.Encode()
	d := displayOf(r)
	for i := range st.Articles {
		a := &st.Articles[i]
		line := StoryArticle{
			URL: "/article/" + url.PathEscape(a.ID), Original: web(a.URL), Title: or(d.text(a.Title, a.Lang, a.Script), say(lang, "untitled")),
			Source: or(a.Publisher, names[a.Source], a.Source), Credit: a.Credit,
			Lang: d.tag(a.Lang, a.Script), LangKey: languageKey(a.Lang, a.Script),
		}
		if line.Time, line.Machine = u.stamp(a.Published); line.Time == "" {
			line.Seen = true
			line.Time, line.Machine = u.stamp(a.Fetched)
		}
		p.Articles = append(p.Articles, line)
	}
	if len(p.Articles) > 0 {
		p.Title, p.Lang = p.Articles[0].Title, p.Articles[0].Lang
	}
	first, machine := u.stamp(st.First)
	last, lastMachine := u.stamp(st.Last)
	p.Facts = []Fact{
		{Key: "story-articles", Value: say(lang, "number", st.Total)},
		{Key: "story-sources", Value: say(lang, "number", st.Sources)},
		{Key: "story-first", Value: first, Machine: machine},
		{Key: "story-last", Value: last, Machine: lastMachine},
	}
	for _, l := range st.Languages {
		tag, script, _ := strings.Cut(l.Value, "-")
		p.Languages = append(p.Languages, Link{Label: say(lang, languageKey(tag, script)), Count: l.Count})
	}
	for _, e := range st.Entities {
		p.Entities = append(p.Entities, Link{Label: u.entityName(lang, e.Value), URL: entityURL(e.Value), Count: e.Count, Kind: entityKind(e.Value)})
	}
	if r.Header.Get("HX-Request") == "true" {
		u.render(w, r, http.StatusOK, "timeline", page{Data: p})
		return
	}
	u.render(w, r, http.StatusOK, "story.html", page{Title: p.Title, Data: p})
}
