package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// identity is an identity provider: discovery, keys, and codes that are good
// once and for whoever can show the verifier of their challenge.
type identity struct {
	*httptest.Server
	t      *testing.T
	key    *rsa.PrivateKey
	claims map[string]any // of who logs in
	change func(claims map[string]any)

	mu    sync.Mutex
	codes map[string]url.Values // what was asked for
}

// signingKey is made once: it takes its time.
var signingKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newIdentity(t *testing.T) *identity {
	t.Helper()
	key, err := signingKey()
	if err != nil {
		t.Fatal(err)
	}
	p := &identity{t: t, key: key, codes: make(map[string]url.Values)}
	mux := http.NewServeMux()
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v) // the client has gone
	}
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"id_token_signing_alg_values_supported": []string{"RS256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &key.PublicKey, KeyID: "k", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("GET /authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || q.Get("client_id") != "xinwen" || !strings.Contains(q.Get("scope"), "openid") {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		code := rand.Text()
		p.mu.Lock()
		p.codes[code] = q
		p.mu.Unlock()
		http.Redirect(w, r, q.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		q := p.codes[r.PostFormValue("code")]
		delete(p.codes, r.PostFormValue("code"))
		p.mu.Unlock()
		_, secret, _ := r.BasicAuth()
		secret, _ = url.QueryUnescape(secret) // as RFC 6749 has it
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		if q == nil || secret != "client secret" || base64.RawURLEncoding.EncodeToString(sum[:]) != q.Get("code_challenge") || r.PostFormValue("redirect_uri") != q.Get("redirect_uri") {
			w.WriteHeader(http.StatusBadRequest)
			answer(w, map[string]string{"error": "invalid_grant"})
			return
		}
		claims := map[string]any{"iss": p.URL, "aud": "xinwen", "sub": "42", "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(), "nonce": q.Get("nonce")}
		for k, v := range p.claims {
			claims[k] = v
		}
		if p.change != nil {
			p.change(claims)
		}
		answer(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": p.sign(claims)})
	})
	return p
}

func (p *identity) sign(claims map[string]any) string {
	p.t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.key, KeyID: "k"}}, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	data, err := json.Marshal(claims)
	if err != nil {
		p.t.Fatal(err)
	}
	signed, err := signer.Sign(data)
	if err != nil {
		p.t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

// guard returns a guard whose people log in at p.
func (p *identity) guard(change func(*OIDC)) *Guard {
	p.t.Helper()
	p.t.Setenv("OIDC_SECRET", "client secret")
	c := OIDC{
		Issuer: p.URL, ClientID: "xinwen", ClientSecretEnv: "OIDC_SECRET", RoleClaim: "realm_access.roles",
		Roles: map[string]Role{"news-admins": Admin, "desk": Alerts},
	}
	if change != nil {
		change(&c)
	}
	g, err := NewGuard(Options{Bus: openBus(p.t), Config: Config{OIDC: c}, PublicURL: "https://news.example.com/", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := g.Load(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	return g
}

// begin begins a login, and returns the browser's cookies and where the provider
// sends it back to.
func (p *identity) begin(g *Guard) ([]*http.Cookie, *url.URL) {
	p.t.Helper()
	w := httptest.NewRecorder()
	if err := g.BeginLogin(w, httptest.NewRequestWithContext(p.t.Context(), "GET", "https://news.example.com/login/oidc", nil), "/alerts?a=1.2"); err != nil {
		p.t.Fatal(err)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Get(w.Header().Get("Location"))
	if err != nil {
		p.t.Fatal(err)
	}
	res.Body.Close()
	back, err := res.Location()
	if err != nil {
		p.t.Fatalf("the provider answered %s: %v", res.Status, err)
	}
	return w.Result().Cookies(), back
}

func (p *identity) finish(g *Guard, cookies []*http.Cookie, back *url.URL) (*httptest.ResponseRecorder, string, error) {
	r := httptest.NewRequestWithContext(p.t.Context(), "GET", back.String(), nil)
	for _, c := range cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	to, err := g.FinishLogin(w, r)
	return w, to, err
}

func TestLoginAtAProvider(t *testing.T) {
	p := newIdentity(t)
	p.claims = map[string]any{"name": "Ada 艾达", "realm_access": map[string]any{"roles": []string{"desk", "other"}}}
	g := p.guard(nil)
	if g.Opened() || g.Provider() == "" {
		t.Error("an api with a provider lets everybody in")
	}
	cookies, back := p.begin(g)
	if len(cookies) != 1 || cookies[0].SameSite != http.SameSiteLaxMode || !cookies[0].HttpOnly || !cookies[0].Secure || cookies[0].Path != loginPath {
		t.Errorf("got cookies %v", cookies)
	}
	if !strings.HasPrefix(back.String(), "https://news.example.com/login/oidc/callback?") {
		t.Errorf("got sent back to %s", back)
	}
	w, to, err := p.finish(g, cookies, back)
	if err != nil || to != "/alerts?a=1.2" {
		t.Fatalf("got %q, %v", to, err)
	}
	var secret string
	for _, c := range w.Result().Cookies() {
		if c.Name == sessionCookie {
			secret = c.Value
			if c.SameSite != http.SameSiteStrictMode || !c.Secure {
				t.Errorf("got cookie %v", c)
			}
		}
	}
	if v, ok := g.Resume(secret); !ok || v != (Viewer{Name: "Ada 艾达", Role: Alerts, Session: true}) {
		t.Errorf("got %+v, %v", v, ok)
	}
	// The code is good once.
	if _, _, err := p.finish(g, cookies, back); !errors.Is(err, ErrProvider) {
		t.Errorf("got %v for a code that was used, want %v", err, ErrProvider)
	}
}

func TestLoginsThatMustFail(t *testing.T) {
	for _, tc := range []struct {
		name   string
		oidc   func(*OIDC)
		claims func(map[string]any)
		back   func(url.Values)
		drop   bool // the cookies
		other  bool // the cookies of another login
		want   error
	}{
		{name: "no-cookie", drop: true, want: ErrStale},
		{name: "state", back: func(q url.Values) { q.Set("state", "x") }, want: ErrStale},
		{name: "no-state", back: func(q url.Values) { q.Del("state") }, want: ErrStale},
		{name: "another-login", other: true, want: ErrStale},
		{name: "declined", back: func(q url.Values) { q.Set("error", "access_denied") }, want: ErrDeclined},
		{name: "code", back: func(q url.Values) { q.Set("code", "x") }, want: ErrProvider},
		{name: "nonce", claims: func(c map[string]any) { c["nonce"] = "x" }, want: ErrProvider},
		{name: "audience", claims: func(c map[string]any) { c["aud"] = "another" }, want: ErrProvider},
		{name: "issuer", claims: func(c map[string]any) { c["iss"] = "https://evil.example" }, want: ErrProvider},
		{name: "expired", claims: func(c map[string]any) { c["exp"] = time.Now().Add(-time.Hour).Unix() }, want: ErrProvider},
		{name: "no-role", claims: func(c map[string]any) { c["realm_access"] = map[string]any{"roles": []string{"visitors"}} }, want: ErrNoRole},
		{name: "no-claim", claims: func(c map[string]any) { c["realm_access"] = 7 }, want: ErrNoRole},
		{name: "feeds-is-no-login", oidc: func(c *OIDC) { c.DefaultRole = "feeds" }, claims: func(c map[string]any) { delete(c, "realm_access") }, want: ErrNoRole},
		{name: "secret", oidc: func(c *OIDC) { c.ClientSecretEnv = "" }, want: ErrProvider},
		{name: "default", oidc: func(c *OIDC) { c.DefaultRole = "read" }, claims: func(c map[string]any) { delete(c, "realm_access") }},
		{name: "text-claim", oidc: func(c *OIDC) { c.RoleClaim = "role" }, claims: func(c map[string]any) { c["role"] = "desk" }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newIdentity(t)
			p.claims = map[string]any{"realm_access": map[string]any{"roles": []string{"desk"}}}
			p.change = tc.claims
			g := p.guard(tc.oidc)
			cookies, back := p.begin(g)
			if tc.other {
				cookies, _ = p.begin(g)
			}
			if tc.drop {
				cookies = nil
			}
			q := back.Query()
			if tc.back != nil {
				tc.back(q)
			}
			back.RawQuery = q.Encode()
			w, _, err := p.finish(g, cookies, back)
			if !errors.Is(err, tc.want) {
				t.Fatalf("got %v, want %v", err, tc.want)
			}
			for _, c := range w.Result().Cookies() {
				if c.Name == sessionCookie && tc.want != nil {
					t.Errorf("got a session: %v", c)
				}
			}
		})
	}
}

func TestProviderMayBeAwayAtTheStart(t *testing.T) {
	p := newIdentity(t)
	g := p.guard(func(c *OIDC) { c.Issuer = p.URL + "/elsewhere" })
	w := httptest.NewRecorder()
	if err := g.BeginLogin(w, httptest.NewRequestWithContext(t.Context(), "GET", "/login/oidc", nil), "/"); !errors.Is(err, ErrProvider) {
		t.Errorf("got %v, want %v", err, ErrProvider)
	}
	if _, err := NewGuard(Options{Bus: openBus(t), Config: Config{OIDC: g.provider.c}}); err == nil || !strings.Contains(fmt.Sprint(err), "public_url") {
		t.Errorf("got %v, want public_url asked for", err)
	}
}
