package ui

import (
	"net/http"
	"slices"
	"time"
)

// zoneCookie remembers a reader's time zone, where it is not that of the pages.
const zoneCookie = "xinwen_zone"

// zones are those that are offered; any other can be in the cookie.
var zones = []string{
	"UTC", "Asia/Shanghai", "Asia/Taipei", "Asia/Hong_Kong", "Asia/Singapore", "Asia/Tokyo", "Asia/Seoul", "Asia/Kolkata",
	"Europe/London", "Europe/Amsterdam", "Europe/Berlin", "America/New_York", "America/Chicago", "America/Los_Angeles",
}

// zoneNamed returns a time zone by its IANA name, nil if there is none.
func zoneNamed(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return nil
	}
	return z
}

// zoned lets times and days on a page be those of its reader's zone.
func (u *UI) zoned(page func(*UI, http.ResponseWriter, *http.Request)) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		reader := *u
		if c, err := r.Cookie(zoneCookie); err == nil {
			if z := zoneNamed(c.Value); z != nil {
				reader.o.Zone = z
			}
		}
		page(&reader, w, r)
	}
}

// zones returns the choices, with the reader's own among them.
func (u *UI) zones() []Link {
	names, own := zones, u.o.Zone.String()
	if !slices.Contains(names, own) {
		names = append([]string{own}, names...)
	}
	var out []Link
	for _, name := range names {
		out = append(out, Link{Label: name, Active: name == own})
	}
	return out
}

func (u *UI) chooseZone(w http.ResponseWriter, r *http.Request) {
	if name := r.URL.Query().Get("zone"); zoneNamed(name) != nil {
		remember(w, zoneCookie, name)
	}
	back(w, r)
}

// remember sets a cookie for a year that says how somebody wants to read.
func remember(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// back leads to the page that a choice was made on.
func back(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, local(r.URL.Query().Get("back")), http.StatusSeeOther)
}
