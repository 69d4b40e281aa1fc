package ui

import (
	"net/http"
	"slices"
	"strings"

	"xinwen/news"
	"xinwen/news/han"
)

// displayCookie remembers in which characters Chinese is shown.
const displayCookie = "xinwen_characters"

// display is in which characters Chinese texts are shown: a script, or "" for
// as they are written. It changes pages only: what is stored, searched, exported
// and linked stays as it was written. Characters change, words do not: 芯片
// stays 芯片, and is not called 晶片.
type display string

// displays are the choices in the order in which they are offered.
var displays = []display{"", news.ScriptHans, news.ScriptHant}

func displayOf(r *http.Request) display {
	if c, err := r.Cookie(displayCookie); err == nil {
		if script, ok := strings.CutPrefix(c.Value, "zh-"); ok && slices.Contains(displays, display(script)) {
			return display(script)
		}
	}
	return ""
}

// text returns s as it is shown. Code points stay in their places. Script is
// that of the whole article, "" where it is not known.
func (d display) text(s, lang, script string) string {
	switch {
	case lang != "zh" || script == string(d):
	case d == news.ScriptHans:
		return han.Simplify(s)
	case d == news.ScriptHant && script == news.ScriptHans:
		return han.Traditional(s)
	case d == news.ScriptHant:
		return traditional(s)
	}
	return s
}

// traditional converts the lines of s that are Simplified: in those that are
// Traditional already, 后 and 里 mean what they say.
func traditional(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		if han.Script(line) == news.ScriptHans {
			line = han.Traditional(line)
		}
		b.WriteString(line)
	}
	return b.String()
}

// tag returns the tag of a text as it is shown.
func (d display) tag(lang, script string) string {
	if d != "" && lang == "zh" {
		return "zh-" + string(d)
	}
	return languageTag(lang, script)
}

// choices lead to the displays there are.
func (d display) choices(lang int) []Link {
	var out []Link
	for _, choice := range displays {
		tag, key := "written", "characters-written"
		if choice != "" {
			tag, key = "zh-"+string(choice), "characters-"+string(choice)
		}
		out = append(out, Link{Label: say(lang, key), URL: "/characters/" + tag, Active: choice == d})
	}
	return out
}

func (u *UI) chooseDisplay(w http.ResponseWriter, r *http.Request) {
	if tag := r.PathValue("tag"); slices.ContainsFunc(displays, func(d display) bool { return d != "" && tag == "zh-"+string(d) }) {
		remember(w, displayCookie, tag)
	} else {
		http.SetCookie(w, &http.Cookie{Name: displayCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	back(w, r)
}
