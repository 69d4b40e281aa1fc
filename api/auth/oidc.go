package auth

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// OIDC is an identity provider that people log in at.
type OIDC struct {
	// Issuer is the provider's address, such as https://login.example.com/realms/main.
	Issuer string `yaml:"issuer"`
	// Name is what the login page calls it; the issuer's host if empty.
	Name string `yaml:"name"`
	// ClientID is what the provider knows this api by.
	ClientID string `yaml:"client_id"`
	// ClientSecretEnv and ClientSecretFile name an environment variable or a file
	// with the client's secret; neither for a public client.
	ClientSecretEnv  string `yaml:"client_secret_env"`
	ClientSecretFile string `yaml:"client_secret_file"`
	// Scopes are asked for beside openid (default profile, email).
	Scopes []string `yaml:"scopes"`
	// RoleClaim is the claim that Roles looks at (default groups); dots lead into
	// objects: realm_access.roles.
	RoleClaim string `yaml:"role_claim"`
	// Roles gives roles to values of the claim; the highest counts.
	Roles map[string]Role `yaml:"roles"`
	// DefaultRole is that of people to whom Roles gives none; without it they are
	// turned away.
	DefaultRole string `yaml:"default_role"`
}

func (c *OIDC) validate() error {
	if c.Issuer == "" {
		if c.ClientID != "" || len(c.Roles) > 0 {
			return errors.New("auth: oidc: issuer is missing")
		}
		return nil
	}
	var errs []error
	u, err := url.Parse(c.Issuer)
	if err != nil || u.Host == "" || u.Scheme != "https" && (u.Scheme != "http" || !loopbackName(u.Hostname())) {
		errs = append(errs, fmt.Errorf("auth: oidc: issuer %q is no https address", c.Issuer))
	}
	if c.ClientID == "" {
		errs = append(errs, errors.New("auth: oidc: client_id is missing"))
	}
	if c.ClientSecretEnv != "" && c.ClientSecretFile != "" {
		errs = append(errs, errors.New("auth: oidc: client_secret_env and client_secret_file are both set; remove one"))
	}
	if c.DefaultRole == "" && len(c.Roles) == 0 {
		errs = append(errs, errors.New("auth: oidc: nobody would get a role; set roles or default_role"))
	}
	if c.DefaultRole != "" {
		if _, err := ParseRole(c.DefaultRole); err != nil {
			errs = append(errs, fmt.Errorf("auth: oidc: default_role: %w", err))
		}
	}
	return errors.Join(errs...)
}

func loopbackName(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *OIDC) secret() (string, error) {
	switch {
	case c.ClientSecretEnv != "":
		if v := os.Getenv(c.ClientSecretEnv); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("auth: oidc: the environment variable %s is empty", c.ClientSecretEnv)
	case c.ClientSecretFile != "":
		data, err := os.ReadFile(c.ClientSecretFile)
		if err != nil {
			return "", fmt.Errorf("auth: oidc: client_secret_file: %w", err)
		}
		return strings.TrimSpace(string(data)), nil
	}
	return "", nil
}

const (
	// loginPath is the route that a login begins at; callbackPath where the
	// provider sends people back to.
	loginPath    = "/login/oidc"
	callbackPath = loginPath + "/callback"
	// loginCookie remembers in the browser what a login that is under way must
	// come back with.
	loginCookie = "xinwen_login"
	// loginTime is how long a login may take.
	loginTime = 10 * time.Minute
	// providerTimeout bounds each question to the provider.
	providerTimeout = 15 * time.Second
)

// Faults of a login at a provider.
var (
	// ErrProvider says that the provider cannot be asked, or answers nonsense.
	ErrProvider = errors.New("the identity provider does not answer as it should")
	// ErrStale says that a login was not begun in this browser, or too long ago.
	ErrStale = errors.New("the login was not begun in this browser, or took too long; try again")
	// ErrDeclined says that the provider or the person said no.
	ErrDeclined = errors.New("the identity provider declined the login")
	// ErrNoRole says that a person may not do anything here.
	ErrNoRole = errors.New("the identity provider gives no role here")
)

// provider logs people in at an identity provider.
type provider struct {
	c      OIDC
	oauth  oauth2.Config
	client *http.Client

	mu       sync.Mutex
	verifier *oidc.IDTokenVerifier // nil until the provider has answered
}

func newProvider(c OIDC, publicURL string) (*provider, error) {
	if publicURL == "" {
		return nil, errors.New("auth: oidc needs public_url, the address that the provider sends people back to")
	}
	secret, err := c.secret()
	if err != nil {
		return nil, err
	}
	c.RoleClaim = cmp.Or(c.RoleClaim, "groups")
	if len(c.Scopes) == 0 {
		c.Scopes = []string{"profile", "email"}
	}
	return &provider{
		c: c, client: &http.Client{Timeout: providerTimeout},
		oauth: oauth2.Config{
			ClientID: c.ClientID, ClientSecret: secret, RedirectURL: strings.TrimSuffix(publicURL, "/") + callbackPath,
			Scopes: append([]string{oidc.ScopeOpenID}, c.Scopes...),
		},
	}, nil
}

// discover asks the provider for its addresses, once it is needed: an api starts
// while the provider is away.
func (p *provider) discover(ctx context.Context) (*oauth2.Config, *oidc.IDTokenVerifier, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.verifier == nil {
		// The verifier keeps the context for the provider's keys.
		found, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.c.Issuer)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %w", ErrProvider, err)
		}
		p.oauth.Endpoint = found.Endpoint()
		p.verifier = found.Verifier(&oidc.Config{ClientID: p.c.ClientID})
	}
	config := p.oauth
	return &config, p.verifier, nil
}

// Provider returns the name of the identity provider, "" if there is none.
func (g *Guard) Provider() string {
	if g.provider == nil {
		return ""
	}
	if g.provider.c.Name != "" {
		return g.provider.c.Name
	}
	u, err := url.Parse(g.provider.c.Issuer)
	if err != nil {
		return g.provider.c.Issuer
	}
	return u.Host
}

// BeginLogin sends a browser to the identity provider; back is the page that it
// asked for.
func (g *Guard) BeginLogin(w http.ResponseWriter, r *http.Request, back string) error {
	config, _, err := g.provider.discover(r.Context())
	if err != nil {
		return err
	}
	l := login{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier(), Back: back}
	g.setCookie(w, r, loginCookie, l.encode(), loginPath, http.SameSiteLaxMode, loginTime)
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, config.AuthCodeURL(l.State, oidc.Nonce(l.Nonce), oauth2.S256ChallengeOption(l.Verifier)), http.StatusSeeOther)
	return nil
}

// FinishLogin takes a browser back from the identity provider and opens its
// session. It returns the page that was asked for.
func (g *Guard) FinishLogin(w http.ResponseWriter, r *http.Request) (back string, err error) {
	var l login
	c, err := r.Cookie(loginCookie)
	if err == nil {
		l = decodeLogin(c.Value)
	}
	g.setCookie(w, r, loginCookie, "", loginPath, http.SameSiteLaxMode, -1)
	q := r.URL.Query()
	if l.State == "" || subtle.ConstantTimeCompare([]byte(l.State), []byte(q.Get("state"))) != 1 {
		return "", ErrStale
	}
	if text := q.Get("error"); text != "" {
		return "", fmt.Errorf("%w: %s", ErrDeclined, text)
	}
	v, err := g.provider.viewer(r.Context(), &l, q.Get("code"))
	if err != nil {
		return "", err
	}
	return l.Back, g.open(w, r, v)
}

// viewer exchanges a code for who has logged in.
func (p *provider) viewer(ctx context.Context, l *login, code string) (Viewer, error) {
	config, verifier, err := p.discover(ctx)
	if err != nil {
		return Viewer{}, err
	}
	ctx = oidc.ClientContext(ctx, p.client)
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(l.Verifier))
	if err != nil {
		return Viewer{}, fmt.Errorf("%w: %w", ErrProvider, err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := verifier.Verify(ctx, raw)
	if err != nil {
		return Viewer{}, fmt.Errorf("%w: %w", ErrProvider, err)
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(l.Nonce)) != 1 {
		return Viewer{}, fmt.Errorf("%w: the token is of another login", ErrProvider)
	}
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return Viewer{}, fmt.Errorf("%w: %w", ErrProvider, err)
	}
	role := p.role(claims)
	name := id.Subject
	for _, claim := range []string{"name", "preferred_username", "email"} {
		if text, _ := claims[claim].(string); text != "" {
			name = text
			break
		}
	}
	if role < Read {
		return Viewer{}, fmt.Errorf("%w: %s", ErrNoRole, name)
	}
	return Viewer{Name: name, Role: role}, nil
}

// role returns the highest role that claims give.
func (p *provider) role(claims map[string]any) Role {
	role, _ := ParseRole(p.c.DefaultRole) // Nobody if there is none
	for _, value := range claimValues(claims, p.c.RoleClaim) {
		role = max(role, p.c.Roles[value])
	}
	return role
}

// claimValues returns the texts of a claim, which may be one text or a list.
func claimValues(claims map[string]any, name string) []string {
	value, ok := claims[name]
	if !ok {
		first, rest, dotted := strings.Cut(name, ".")
		if inner, is := claims[first].(map[string]any); dotted && is {
			return claimValues(inner, rest)
		}
		return nil
	}
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, item := range v {
			if text, ok := item.(string); ok {
				out = append(out, text)
			}
		}
		return out
	}
	return nil
}

// login is what a login under way must come back with.
type login struct{ State, Nonce, Verifier, Back string }

func (l *login) encode() string {
	return strings.Join([]string{l.State, l.Nonce, l.Verifier, url.QueryEscape(l.Back)}, ".")
}

func decodeLogin(text string) login {
	parts := strings.SplitN(text, ".", 4)
	if len(parts) != 4 || slices.Contains(parts[:3], "") {
		return login{}
	}
	back, err := url.QueryUnescape(parts[3])
	if err != nil {
		return login{}
	}
	return login{parts[0], parts[1], parts[2], back}
}
