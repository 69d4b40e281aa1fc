package ui

import (
	"errors"
	"net/http"
	"net/url"

	"xinwen/indexer/search"
	"xinwen/news"
)

type revisionsPage struct {
	Article  string // address
	Title    string
	Lang     string
	Versions []Version
}

// Version is one revision of an article and what changed to it from the one
// before.
type Version struct {
	When    When
	Gone    bool // a tombstone
	First   bool
	Current bool
	Title   []Change // nil where it stayed
	Lines   []Line
}

// revisions shows what changed between the revisions of an article.
func (u *UI) revisions(w http.ResponseWriter, r *http.Request) {
	lang, d, id := languageOf(r), displayOf(r), r.PathValue("id")
	a, err := u.o.Searcher.Article(r.Context(), id)
	if errors.Is(err, search.ErrNotFound) {
		u.message(w, r, http.StatusNotFound, "gone-title", "gone-hint")
		return
	}
	if err != nil {
		u.failure(w, r, err)
		return
	}
	list, err := u.o.Revisions(r.Context(), a.Source, a.ID)
	if err != nil {
		u.failure(w, r, err)
		return
	}
	p := revisionsPage{
		Article: "/article/" + url.PathEscape(id), Title: or(d.text(a.Title, a.Lang, a.Script), say(lang, "untitled")), Lang: d.tag(a.Lang, a.Script),
	}
	for i, v := range list {
		shown := Version{When: u.when(v.Fetched, lang), Gone: v.Deleted, Current: v.Revision == a.Revision}
		if i+1 == len(list) {
			shown.First = true
		} else if !v.Deleted {
			shown.changed(list[i+1], v, d)
		}
		p.Versions = append(p.Versions, shown)
	}
	u.render(w, r, http.StatusOK, "revisions.html", page{Title: say(lang, "revisions"), Data: p})
}

// changed sets what changed from one revision to the next.
func (v *Version) changed(older, newer *news.Article, d display) {
	was, is := d.text(older.Title, older.Lang, older.Script), d.text(newer.Title, newer.Lang, newer.Script)
	if was != is {
		v.Title = merged(differences(words(was), words(is)))
	}
	v.Lines = compareTexts(d.text(older.Text, older.Lang, older.Script), d.text(newer.Text, newer.Lang, newer.Script))
}
