package ui

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"xinwen/api/auth"
)

type loginPage struct {
	Back string
	// Fault is the key of what is wrong with the key that was given.
	Fault string
	// Provider is the name of the identity provider, Begin where a login there begins.
	Provider, Begin string
}

func (u *UI) login(w http.ResponseWriter, r *http.Request) {
	back := local(r.URL.Query().Get("back"))
	if auth.ViewerOf(r.Context()).MayRead() {
		http.Redirect(w, r, back, http.StatusSeeOther)
		return
	}
	u.showLogin(w, r, http.StatusOK, back, "")
}

func (u *UI) showLogin(w http.ResponseWriter, r *http.Request, status int, back, fault string) {
	p := loginPage{Back: back, Fault: fault, Provider: u.o.Guard.Provider()}
	p.Begin = with("/login/oidc", "back", back)
	w.Header().Set("Cache-Control", "no-store")
	u.render(w, r, status, "login.html", page{Title: say(languageOf(r), "login"), Data: p})
}

// loginFaults are the messages for what can be wrong with a login, by error.
var loginFaults = []struct {
	err    error
	status int
	key    string
}{
	{auth.ErrSlow, http.StatusTooManyRequests, "login-slow"},
	{auth.ErrUnknown, http.StatusUnauthorized, "key-unknown"},
	{auth.ErrGarbled, http.StatusUnauthorized, "key-garbled"},
	{auth.ErrExpired, http.StatusUnauthorized, "key-expired"},
	{auth.ErrRevoked, http.StatusUnauthorized, "key-revoked"},
	{auth.ErrStale, http.StatusBadRequest, "login-stale"},
	{auth.ErrDeclined, http.StatusForbidden, "login-declined"},
	{auth.ErrNoRole, http.StatusForbidden, "login-no-role"},
	{auth.ErrProvider, http.StatusBadGateway, "login-provider"},
}

// loginFailed shows the login page again with what went wrong.
func (u *UI) loginFailed(w http.ResponseWriter, r *http.Request, back string, err error) {
	for _, f := range loginFaults {
		if errors.Is(err, f.err) {
			u.o.Logger.Warn("login failed", "err", err)
			u.showLogin(w, r, f.status, back, f.key)
			return
		}
	}
	u.failure(w, r, err)
}

func (u *UI) enter(w http.ResponseWriter, r *http.Request) {
	if !u.form(w, r) {
		return
	}
	back := local(r.PostForm.Get("back"))
	if err := u.o.Guard.Login(w, r, r.PostForm.Get("key")); err != nil {
		u.loginFailed(w, r, back, err)
		return
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
}

func (u *UI) beginLogin(w http.ResponseWriter, r *http.Request) {
	if u.o.Guard.Provider() == "" {
		u.NotFound(w, r)
		return
	}
	back := local(r.URL.Query().Get("back"))
	if err := u.o.Guard.BeginLogin(w, r, back); err != nil {
		u.loginFailed(w, r, back, err)
	}
}

// finishLogin takes a browser back from the identity provider. It does not
// redirect: a browser that comes from another site does not send a strict cookie
// along, but it does with the next page that our own page leads to.
func (u *UI) finishLogin(w http.ResponseWriter, r *http.Request) {
	if u.o.Guard.Provider() == "" {
		u.NotFound(w, r)
		return
	}
	back, err := u.o.Guard.FinishLogin(w, r)
	back = local(back)
	if err != nil {
		u.loginFailed(w, r, back, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	u.render(w, r, http.StatusOK, "continue.html", page{Title: say(languageOf(r), "logged-in"), Data: back})
}

func (u *UI) logout(w http.ResponseWriter, r *http.Request) {
	if err := u.o.Guard.Logout(w, r); err != nil {
		u.failure(w, r, err)
		return
	}
	w.Header().Set("Clear-Site-Data", `"cache"`)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// Denied tells a reader that the page needs another role.
func (u *UI) Denied(w http.ResponseWriter, r *http.Request, needs auth.Role) {
	lang := languageOf(r)
	m := messagePage{Title: say(lang, "denied"), Text: say(lang, "denied-needs", say(lang, "role-"+needs.String()))}
	u.render(w, r, http.StatusForbidden, "message.html", page{Title: m.Title, Data: m})
}

// with returns an address with one parameter.
func with(path, key, value string) string { return path + "?" + url.Values{key: {value}}.Encode() }

type settingsPage struct {
	// Open says that nobody is asked for a key.
	Open bool
	// Zones are the time zones that a reader can choose.
	Zones []Link
	// Roles are those a key can have, Lifetimes how long it can be good.
	Roles     []auth.Role
	Lifetimes []int
	Keys      []KeyRow
	// Made is a key that was just made: the only time that it is shown.
	Made *MadeKey
	// Fault is the key of what is wrong with the form, Said of what came of it.
	Fault, Said string
	Name        string
}

// KeyRow is a row of the table of keys.
type KeyRow struct {
	ID, Name, By, Role, State   string
	Created, Used, Expires, End When
	// Active says that the key can be revoked, Yours that it is the reader's own.
	Active, Yours bool
}

// MadeKey is a key that was just made.
type MadeKey struct {
	Name, Role, Text string
	// Feed is an address with the key in it, for a key for feeds.
	Feed string
}

// lifetimes are the days that a key made on the page can be good for; 0 is for
// ever.
var lifetimes = []int{0, 30, 90, 365}

// keyRevokedSaid is the key of what is said when a key was revoked.
const keyRevokedSaid = "key-was-revoked"

func (u *UI) settings(w http.ResponseWriter, r *http.Request) {
	p := settingsPage{}
	if r.URL.Query().Get("said") == keyRevokedSaid {
		p.Said = keyRevokedSaid
	}
	u.showSettings(w, r, http.StatusOK, &p)
}

func (u *UI) showSettings(w http.ResponseWriter, r *http.Request, status int, p *settingsPage) {
	lang, v, now := languageOf(r), auth.ViewerOf(r.Context()), time.Now()
	p.Open, p.Roles, p.Lifetimes, p.Zones = u.o.Guard.Opened(), auth.Roles, lifetimes, u.zones()
	if v.MayAdmin() {
		for _, k := range u.o.Guard.List() {
			row := KeyRow{
				ID: k.ID, Name: k.Name, By: k.By, Role: "role-" + k.Role.String(), State: "key-active", Active: k.Active(now) && !k.Fixed, Yours: k.ID == v.Key,
				Created: u.when(k.Created, lang), Used: u.when(k.Used, lang), Expires: u.when(k.Expires, lang),
			}
			switch {
			case k.Fixed:
				row.State = "key-fixed"
			case !k.Revoked.IsZero():
				row.State, row.End = "key-is-revoked", u.when(k.Revoked, lang)
			case !k.Active(now):
				row.State, row.End = "key-is-expired", row.Expires
			}
			p.Keys = append(p.Keys, row)
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	u.render(w, r, status, "settings.html", page{Title: say(lang, "nav-settings"), Section: "settings", Here: "/settings", Data: p})
}

func (u *UI) makeKey(w http.ResponseWriter, r *http.Request) {
	if !u.form(w, r) {
		return
	}
	v := auth.ViewerOf(r.Context())
	p := settingsPage{Name: r.PostForm.Get("name")}
	role, err := auth.ParseRole(r.PostForm.Get("role"))
	days, bad := strconv.Atoi(r.PostForm.Get("days"))
	if err != nil || bad != nil || days < 0 || days > 3650 {
		u.message(w, r, http.StatusBadRequest, "bad-form", "")
		return
	}
	opened := u.o.Guard.Opened()
	k, text, err := u.o.Guard.Create(r.Context(), auth.New{Name: p.Name, Role: role, Lifetime: time.Duration(days) * 24 * time.Hour, By: v.Name})
	var wrong *auth.InputError
	switch {
	case errors.Is(err, auth.ErrFirstAdmin):
		p.Fault = "key-first-admin"
	case errors.Is(err, auth.ErrTooMany):
		p.Fault = "key-too-many"
	case errors.As(err, &wrong):
		p.Fault = "key-bad-name"
	case err != nil:
		u.failure(w, r, err)
		return
	}
	if p.Fault != "" {
		u.showSettings(w, r, http.StatusUnprocessableEntity, &p)
		return
	}
	u.o.Logger.Info("key made", "key", k.ID, "name", k.Name, "role", k.Role.String(), "by", v.Name)
	p.Name, p.Made = "", &MadeKey{Name: k.Name, Role: "role-" + k.Role.String(), Text: text}
	if k.Role == auth.Feeds {
		p.Made.Feed = with("/feeds/search.rss", "token", text)
	}
	if opened { // from now on a key is asked for: this browser has one
		if err := u.o.Guard.Login(w, r, text); err != nil {
			u.o.Logger.Warn("login after the first key failed", "err", err)
		} else {
			r = r.WithContext(auth.WithViewer(r.Context(), auth.Viewer{Name: k.Name, Role: k.Role, Key: k.ID, Session: true}))
		}
	}
	u.showSettings(w, r, http.StatusOK, &p)
}

func (u *UI) revokeKey(w http.ResponseWriter, r *http.Request) {
	if !u.form(w, r) {
		return
	}
	id := r.PostForm.Get("id")
	err := u.o.Guard.Revoke(r.Context(), id)
	p := settingsPage{}
	switch {
	case errors.Is(err, auth.ErrLastAdmin):
		p.Fault = "key-last-admin"
	case errors.Is(err, auth.ErrFixed):
		p.Fault = "key-of-configuration"
	case errors.Is(err, auth.ErrNoKey):
		p.Fault = "key-none"
	case err != nil:
		u.failure(w, r, err)
		return
	default:
		u.o.Logger.Info("key revoked", "key", id, "by", auth.ViewerOf(r.Context()).Name)
		http.Redirect(w, r, with("/settings", "said", keyRevokedSaid), http.StatusSeeOther)
		return
	}
	u.showSettings(w, r, http.StatusConflict, &p)
}
