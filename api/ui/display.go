package ui

import (
	"net/http"
	"strings"

	"xinwen/news"
	"xinwen/news/han"
)

// displayCookie remembers in which characters Chinese is shown.
const displayCookie = "xinwen_characters"

// display is in which characters Chinese texts are shown. It changes pages only:
// what is stored, searched, exported and linked stays as it was written. (There
// is no display in Traditional characters: 发 may be 發 or 髮, and only whole
// phrases tell which.)
type display struct{ hans bool }

func displayOf(r *http.Request) display {
	c, err := r.Cookie(displayCookie)
	return display{hans: err == nil && c.Value == "zh-Hans"}
}

// text returns s as it is shown. Code points stay in their places.
func (d display) text(s, lang, script string) string {
	if d.hans && lang == "zh" && script != news.ScriptHans {
		return han.Simplify(s)
	}
	return s
}

// tag returns the tag of a text as it is shown.
func (d display) tag(lang, script string) string {
	if d.hans && lang == "zh" {
		return "zh-Hans"
	}
	return languageTag(lang, script)
}

func (u *UI) chooseDisplay(w http.ResponseWriter, r *http.Request) {
	c := &http.Cookie{Name: displayCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if r.PathValue("tag") == "zh-Hans" {
		c.Value, c.MaxAge = "zh-Hans", 365*24*3600
	}
	http.SetCookie(w, c)
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, local(strings.TrimSpace(r.URL.Query().Get("back"))), http.StatusSeeOther)
}
