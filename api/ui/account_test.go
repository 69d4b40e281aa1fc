package ui

import (
	"context"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"xinwen/api/auth"
	"xinwen/api/internal/memory"
	"xinwen/news/bus"
)

// open is a guard of a system without keys, for pages that are not about them.
var open *auth.Guard

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "ui")
	if err != nil {
		log.Fatal(err)
	}
	b, err := bus.Open(context.Background(), bus.Options{Config: bus.Config{Dir: dir}, Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		log.Fatal(err)
	}
	if open, err = newGuard(context.Background(), b, nil); err != nil {
		log.Fatal(err)
	}
	code := m.Run()
	_ = b.Close()         // the tests have said what counts
	_ = os.RemoveAll(dir) // as above
	os.Exit(code)
}

// newGuard returns a guard as of an api on loopback.
func newGuard(ctx context.Context, b *bus.Bus, p auth.Pages) (*auth.Guard, error) {
	g, err := auth.NewGuard(auth.Options{Bus: b, Logger: slog.New(slog.DiscardHandler), Pages: p})
	if err != nil {
		return nil, err
	}
	if err := g.Load(ctx); err != nil {
		return nil, err
	}
	return g, g.Listening(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080})
}

// denied are pages that only deny.
type denied func(http.ResponseWriter, *http.Request, auth.Role)

func (d denied) Denied(w http.ResponseWriter, r *http.Request, needs auth.Role) { d(w, r, needs) }

// guarded returns the pages behind a guard of their own, which has no keys yet.
func guarded(t *testing.T) http.Handler {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: t.TempDir()}, Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	var u *UI
	g, err := newGuard(t.Context(), b, denied(func(w http.ResponseWriter, r *http.Request, needs auth.Role) { u.Denied(w, r, needs) }))
	if err != nil {
		t.Fatal(err)
	}
	u = newPages(t, &memory.Index{}, &table{}, g)
	mux := g.NewMux()
	u.Routes(mux)
	if err := mux.Err(); err != nil {
		t.Fatal(err)
	}
	return g.Handler(mux)
}

// browser asks as a browser does, and keeps its cookies.
type browser struct {
	t       *testing.T
	h       http.Handler
	cookies map[string]*http.Cookie
}

func (b *browser) do(method, path string, form url.Values) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(form.Encode()))
	r.Host = "localhost:8080"
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, c := range b.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if b.cookies == nil {
			b.cookies = make(map[string]*http.Cookie)
		}
		b.cookies[c.Name] = c
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return w
}

// want checks the status of an answer and parts of its body.
func (b *browser) want(w *httptest.ResponseRecorder, status int, parts ...string) {
	b.t.Helper()
	if w.Code != status {
		b.t.Errorf("got status %d, want %d: %s", w.Code, status, w.Body)
	}
	for _, part := range parts {
		if !strings.Contains(w.Body.String(), part) {
			b.t.Errorf("got no %q in %s", part, w.Body)
		}
	}
}

var keyText = regexp.MustCompile(`xinwen_[a-z2-7]+`)

func TestSettingsMakeAndRevokeKeys(t *testing.T) {
	h := guarded(t)
	admin := &browser{t: t, h: h}
	admin.want(admin.do("GET", "/settings", nil), 200, "Nobody is asked for a key")
	w := admin.do("POST", "/settings/keys", url.Values{"name": {"reader"}, "role": {"read"}, "days": {"0"}})
	admin.want(w, 422, "The first key must be an administrator&#39;s")
	w = admin.do("POST", "/settings/keys", url.Values{"name": {"<b>Ada</b>"}, "role": {"admin"}, "days": {"30"}})
	admin.want(w, 200, "&lt;b&gt;Ada&lt;/b&gt;", "shown this once", "yours")
	key := keyText.FindString(w.Body.String())
	if key == "" || w.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("got key %q and Cache-Control %q, want a key that is not kept", key, w.Header().Get("Cache-Control"))
	}
	if c := admin.cookies["xinwen_session"]; c == nil || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		t.Fatalf("got cookie %v, want a strict session for who made the first key", c)
	}
	if body := admin.do("GET", "/settings", nil).Body.String(); strings.Contains(body, key) {
		t.Error("got the key a second time")
	}

	other := &browser{t: t, h: h}
	w = other.do("GET", "/article/x?a=1", nil)
	if w.Code != 303 || w.Header().Get("Location") != "/login?back=%2Farticle%2Fx%3Fa%3D1" {
		t.Errorf("got %d to %q, want the login", w.Code, w.Header().Get("Location"))
	}
	other.want(other.do("POST", "/login", url.Values{"key": {"xinwen_abc"}}), 401, "The key is not whole")
	other.want(other.do("POST", "/login", url.Values{"key": {"nonsense"}}), 401, "This key is not known here")

	w = admin.do("POST", "/settings/keys", url.Values{"name": {"desk"}, "role": {"read"}, "days": {"0"}})
	admin.want(w, 200, "desk")
	reading := keyText.FindString(w.Body.String())
	w = other.do("POST", "/login", url.Values{"key": {" " + reading + "\n"}, "back": {"//evil.example/"}})
	if w.Code != 303 || w.Header().Get("Location") != "/" {
		t.Fatalf("got %d to %q, want the home page", w.Code, w.Header().Get("Location"))
	}
	other.want(other.do("GET", "/settings", nil), 200, "desk, with the role “read”", "An administrator makes")
	other.want(other.do("POST", "/settings/keys", url.Values{"name": {"x"}, "role": {"admin"}, "days": {"0"}}), 403, "You may not do that", "administrator")
	other.want(other.do("GET", "/alerts", nil), 200)

	// A key for feeds shows the address to copy, and is no login.
	w = admin.do("POST", "/settings/keys", url.Values{"name": {"reader"}, "role": {"feeds"}, "days": {"0"}})
	token := keyText.FindString(w.Body.String())
	admin.want(w, 200, "/feeds/search.rss?token="+token)
	third := &browser{t: t, h: h}
	third.want(third.do("POST", "/login", url.Values{"key": {token}}), 401)

	// Revoking ends the session opened with the key.
	id := regexp.MustCompile(`desk<p class="hint"><code>([a-z2-7]+)`).FindStringSubmatch(admin.do("GET", "/settings", nil).Body.String())
	if id == nil {
		t.Fatal("got no ID of the key")
	}
	w = admin.do("POST", "/settings/keys/revoke", url.Values{"id": {id[1]}})
	if w.Code != 303 {
		t.Errorf("got %d: %s", w.Code, w.Body)
	}
	admin.want(admin.do("GET", w.Header().Get("Location"), nil), 200, "opens nothing any more", "revoked")
	if w = other.do("GET", "/alerts", nil); w.Code != 303 {
		t.Errorf("got %d with a session of a revoked key, want the login", w.Code)
	}

	// The last administrator stays while others are there.
	id = regexp.MustCompile(`yours</span><p class="hint"><code>([a-z2-7]+)`).FindStringSubmatch(admin.do("GET", "/settings", nil).Body.String())
	admin.want(admin.do("POST", "/settings/keys/revoke", url.Values{"id": {id[1]}}), 409, "last administrator")

	if w = admin.do("POST", "/logout", nil); w.Code != 303 || len(admin.cookies) != 0 {
		t.Errorf("got %d and cookies %v after logging out", w.Code, admin.cookies)
	}
	if w = admin.do("GET", "/settings", nil); w.Code != 303 {
		t.Errorf("got %d after logging out, want the login", w.Code)
	}
}

func TestAccountPagesSpeakThreeLanguages(t *testing.T) {
	h := guarded(t)
	b := &browser{t: t, h: h}
	for lang, want := range map[string][2]string{"en": {"Log in", "Who you are"}, "zh-Hans": {"登录", "当前身份"}, "zh-Hant": {"登入", "目前身分"}} {
		b.do("GET", "/language/"+lang, nil)
		b.want(b.do("GET", "/settings", nil), 200, want[1])
		if w := b.do("GET", "/login", nil); w.Code != 303 {
			t.Errorf("got %d, want nobody to log in where no key is asked for", w.Code)
		}
	}
	b.do("POST", "/settings/keys", url.Values{"name": {"a"}, "role": {"admin"}, "days": {"0"}})
	delete(b.cookies, "xinwen_session")
	for lang, want := range map[string]string{"en": "Log in", "zh-Hans": "登录", "zh-Hant": "登入"} {
		b.do("GET", "/language/"+lang, nil)
		b.want(b.do("GET", "/login?back=/alerts", nil), 200, want, `value="/alerts"`)
	}
	if w := b.do("GET", "/login/oidc", nil); w.Code != 404 {
		t.Errorf("got %d from a login without a provider, want 404", w.Code)
	}
}
