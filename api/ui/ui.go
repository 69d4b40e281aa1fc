// Package ui is the pages for people: the search at /, articles, stories and
// entities to read, and a desk for alerts, deliveries, sources and the pipeline.
//
// The pages are made on the server and work without script; those of static,
// and no others, make them handier. Titles, texts, highlights and the names of sources are foreign: they go
// through html/template as text, highlights are cut out by code points, and only
// http and https addresses become links.
package ui

import (
	"bytes"
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"xinwen/api/auth"
	"xinwen/api/problem"
	"xinwen/api/suggest"
	"xinwen/api/work"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/lexicon"
)

//go:embed templates/*.html static/* static/vendor/*
var files embed.FS

// Options are what a UI is made from.
type Options struct {
	Searcher search.Searcher
	Lexicon  *lexicon.Store
	// Zone is the zone of times on pages, for readers who have not chosen theirs.
	Zone   *time.Location
	Logger *slog.Logger
	// Suggest returns the entities with a name that begins so, at most size.
	Suggest func(beginning string, size int) []suggest.Suggestion
	// Revisions returns what there is of an article, newest first.
	Revisions func(ctx context.Context, source, id string) ([]*news.Article, error)
	// SourceNames returns the names of the sources by ID.
	SourceNames func(context.Context) map[string]string
	// Guard logs people in and keeps the keys.
	Guard *auth.Guard
	// Board has the long work in progress.
	Board *work.Board
	// Mail says that notices can be sent by e-mail.
	Mail bool
	// Desk is what the pages of operation ask.
	Desk Desk
}

// UI serves the pages.
type UI struct {
	o      Options
	pages  [languages]*template.Template
	static map[string]asset
}

// New parses the templates.
func New(o Options) (*UI, error) {
	static, err := assets()
	if err != nil {
		return nil, fmt.Errorf("ui: %w", err)
	}
	u := &UI{o: o, static: static}
	for lang := range u.pages {
		t, err := template.New("").Funcs(template.FuncMap{
			"t":       func(key string, args ...any) (string, error) { return text(lang, key, args...) },
			"asset":   u.address,
			"next":    func(i int) int { return i + 1 },
			"tag":     func() string { return tags[lang].String() },
			"rooms":   func() []room { return rooms },
			"current": func(tag string) bool { return tags[lang].String() == tag },
		}).ParseFS(files, "templates/*.html")
		if err != nil {
			return nil, fmt.Errorf("ui: %w", err)
		}
		u.pages[lang] = t
	}
	return u, nil
}

// Mux is what pages are added to, such as http.ServeMux.
type Mux interface {
	HandleFunc(pattern string, handler func(http.ResponseWriter, *http.Request))
}

// Routes adds the pages to mux.
func (u *UI) Routes(mux Mux) {
	for pattern, page := range map[string]func(*UI, http.ResponseWriter, *http.Request){
		"GET /{$}":                    (*UI).search,
		"GET /article/{id}":           (*UI).article,
		"GET /article/{id}/revisions": (*UI).revisions,
		"GET /entity/{id}":            (*UI).entity,
		"GET /entity/{id}/card":       (*UI).card,
		"GET /story/{id}":             (*UI).story,
		"GET /trends":                 (*UI).trends,
		"GET /sources":                (*UI).sources,
		"POST /sources/discover":      (*UI).discoverSource,
		"POST /sources/add":           (*UI).addSource,
		"POST /sources/verify":        (*UI).verifySource,
		"POST /sources/change":        (*UI).changeSource,
		"GET /pipeline":               (*UI).pipeline,
		"POST /pipeline/replay":       (*UI).replay,
		"POST /pipeline/rebuild":      (*UI).rebuild,
		"GET /alerts":                 (*UI).alerts,
		"GET /alerts/why":             (*UI).why,
		"GET /alerts/test":            (*UI).test,
		"POST /alerts/save":           (*UI).save,
		"POST /alerts/change":         (*UI).change,
		"GET /deliveries":             (*UI).deliveries,
		"POST /deliveries/replay":     (*UI).replayDelivery,
		"GET /help":                   (*UI).help,
		"GET /settings":               (*UI).settings,
		"POST /settings/keys":         (*UI).makeKey,
		"POST /settings/keys/revoke":  (*UI).revokeKey,
		"GET /login":                  (*UI).login,
		"POST /login":                 (*UI).enter,
		"GET /login/oidc":             (*UI).beginLogin,
		"GET /login/oidc/callback":    (*UI).finishLogin,
		"POST /logout":                (*UI).logout,
		"GET /guide":                  (*UI).guide,
		"GET /suggest":                (*UI).suggest,
		"GET /language/{tag}":         (*UI).chooseLanguage,
		"GET /characters/{tag}":       (*UI).chooseDisplay,
		"GET /static/{name...}":       (*UI).asset,
		"GET /zone":                   (*UI).chooseZone,
	} {
		mux.HandleFunc(pattern, u.zoned(page))
	}
}

// Wanted reports whether r is rather a browser's than a program's.
func Wanted(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// NotFound answers with the page for an address where there is nothing.
func (u *UI) NotFound(w http.ResponseWriter, r *http.Request) {
	u.message(w, r, http.StatusNotFound, "page-title", "")
}

func (u *UI) chooseLanguage(w http.ResponseWriter, r *http.Request) {
	for _, t := range tags {
		if t.String() == r.PathValue("tag") {
			remember(w, languageCookie, t.String())
		}
	}
	back(w, r)
}

// local returns path if it leads to a page here, else the home page.
func local(path string) string {
	target, err := url.Parse(path)
	if err != nil || target.IsAbs() || target.Host != "" || !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\r\n\t") {
		return "/"
	}
	return target.String()
}

// page is what every page has.
type page struct {
	Title string
	// Section is the key of the room of the navigation that the page is in.
	Section string
	// Here is the page's own address.
	Here string
	// Viewer is who reads: templates show only what it may do.
	Viewer auth.Viewer
	// Zone names the zone of the page's times.
	Zone string
	// Characters are those that Chinese may be shown in.
	Characters []Link
	Data       any
}

// room is a part of the pages that the navigation leads to.
type room struct{ Key, URL string }

var rooms = []room{
	{"search", "/"}, {"trends", "/trends"}, {"alerts", "/alerts"}, {"deliveries", "/deliveries"}, {"sources", "/sources"}, {"pipeline", "/pipeline"}, {"settings", "/settings"}, {"help", "/help"},
}

// policy lets a page load our scripts, style and icon, ask us, and send its forms
// here; nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (u *UI) render(w http.ResponseWriter, r *http.Request, status int, name string, p page) {
	lang := languageOf(r)
	p.Here, p.Viewer, p.Characters, p.Zone = cmp.Or(p.Here, r.URL.RequestURI()), auth.ViewerOf(r.Context()), displayOf(r).choices(lang), u.o.Zone.String()
	var b bytes.Buffer
	if err := u.pages[lang].ExecuteTemplate(&b, name, p); err != nil {
		u.o.Logger.Error("page not rendered", "page", name, "err", err)
		http.Error(w, "The page cannot be shown; the log of the api says why.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-cache")
	}
	h.Set("Vary", "Accept-Language, Cookie, Accept-Encoding, HX-Request")
	send(w, r, status, b.Bytes())
}

// messagePage says why there is nothing to see. What is to be tried again can be.
type messagePage struct {
	Title, Text string
	Again       bool
}

func (u *UI) message(w http.ResponseWriter, r *http.Request, status int, title, hint string) {
	lang := languageOf(r)
	m := messagePage{Title: catalogue[title][lang], Text: catalogue[hint][lang], Again: status == http.StatusServiceUnavailable && r.Method == http.MethodGet}
	u.render(w, r, status, "message.html", page{Title: m.Title, Data: m})
}

// failure answers a request that the index did not.
func (u *UI) failure(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody waits for the answer
	}
	if status := problem.Of(err).Status; status == http.StatusServiceUnavailable {
		hint := "away"
		if errors.Is(err, search.ErrUnavailable) {
			hint = "down"
		}
		u.message(w, r, status, "failed-title", hint)
		return
	}
	u.o.Logger.Error("page failed", "path", r.URL.Path, "err", err)
	u.message(w, r, http.StatusInternalServerError, "failed-title", "fault")
}

// entityName returns the name of an entity in a language of the pages.
func (u *UI) entityName(lang int, id string) string {
	e, ok := u.o.Lexicon.Current().Entity(id)
	if !ok {
		if _, slug, found := strings.Cut(id, ":"); found {
			return slug
		}
		return id
	}
	order := [languages][3]string{
		en:   {e.En, e.ZhHans, e.ZhHant},
		hans: {e.ZhHans, e.ZhHant, e.En},
		hant: {e.ZhHant, e.ZhHans, e.En},
	}
	for _, n := range order[lang] {
		if n != "" {
			return n
		}
	}
	return id
}

// unnamedEntity reports whether id is that of a person or organisation that the
// lexicon lacks: it has a name in articles only.
func unnamedEntity(id string) bool { return strings.Contains(id, ":unknown-") }

func entityKind(id string) string {
	k, _, _ := strings.Cut(id, ":")
	return kindOf(news.Kind(k))
}

// web returns u if a browser may follow it, else "".
func web(u string) string {
	if strings.HasPrefix(u, "https://") || strings.HasPrefix(u, "http://") {
		return u
	}
	return ""
}

// languageTag returns the tag of text in a language and script.
func languageTag(lang, script string) string {
	if lang == "zh" && (script == news.ScriptHans || script == news.ScriptHant) {
		return "zh-" + script
	}
	return lang
}

// languageKey returns the catalogue's key of the name of a language and script.
func languageKey(lang, script string) string {
	if lang == "zh" && script == news.ScriptMixed {
		return "lang-zh-mixed"
	}
	key := "lang-" + languageTag(lang, script)
	if _, ok := catalogue[key]; !ok {
		return "lang-other"
	}
	return key
}

func (u *UI) stamp(t time.Time) (shown, machine string) {
	if t.IsZero() {
		return "", ""
	}
	return t.In(u.o.Zone).Format("2006-01-02 15:04"), t.UTC().Format(time.RFC3339)
}
