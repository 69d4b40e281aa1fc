package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"xinwen/api/problem"
	"xinwen/news/bus"
)

// TokenParam is the parameter of an address that may carry a key with the role
// Feeds.
const TokenParam = "token"

const (
	// sessionCookie holds the secret of a session.
	sessionCookie = "xinwen_session"
	// failures are the wrong keys that an address may show a minute.
	failures = 10
)

// Pages answer people in the place of problems.
type Pages interface {
	// Denied says that the viewer of r may not do that; needs is the role that may.
	Denied(w http.ResponseWriter, r *http.Request, needs Role)
}

// Options are what a Guard is made from.
type Options struct {
	Config Config
	Bus    *bus.Bus
	Logger *slog.Logger
	// Metrics counts who was turned away.
	Metrics prometheus.Registerer
	// PublicURL is where others reach the api; a login comes back there.
	PublicURL string
	// Pages answers browsers; without it they get problems too.
	Pages Pages
}

// Guard turns a request into a Viewer, and turns away who may not.
type Guard struct {
	*Store
	o        Options
	proxies  []netip.Prefix
	requests *limits
	failed   *limits
	refused  *prometheus.CounterVec
	provider *provider // nil without OIDC
	// loopback says that only this machine reaches the api.
	loopback bool
}

// NewGuard checks o and returns a guard; Load it before the first request.
func NewGuard(o Options) (*Guard, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	fixed, err := o.Config.adminKeys()
	if err != nil {
		return nil, err
	}
	perMinute := cmp.Or(o.Config.RequestsPerMinute, defaultRequests)
	g := &Guard{
		Store: NewStore(o.Bus, o.Logger, fixed...), o: o,
		requests: newLimits(perMinute, perMinute), failed: newLimits(failures, failures),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "xinwen_api_refused_total", Help: "Requests that were turned away, by reason: key, role, rate, host.",
		}, []string{"reason"}),
	}
	g.o.Config.Session = cmp.Or(o.Config.Session, defaultSession)
	if g.proxies, err = o.Config.proxies(); err != nil {
		return nil, err
	}
	if o.Config.OIDC.Issuer != "" {
		if g.provider, err = newProvider(o.Config.OIDC, o.PublicURL); err != nil {
			return nil, err
		}
	}
	if o.Metrics != nil {
		if err := o.Metrics.Register(g.refused); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// Listening tells g where the api listens. It returns an error if others could
// reach it and everybody would be let in without the operator having said so.
func (g *Guard) Listening(addr net.Addr) error {
	ap, err := netip.ParseAddrPort(addr.String())
	g.loopback = err == nil && ap.Addr().Unmap().IsLoopback()
	if g.loopback || g.o.Config.Open || g.closed() {
		return nil
	}
	return fmt.Errorf("other machines can reach %s, and no key is asked for; make a key first with `xinwen keys create NAME --role admin` or set XINWEN_ADMIN_KEY, or listen on 127.0.0.1, or let everybody in with --open", addr)
}

// closed reports whether a key or a login is asked for.
func (g *Guard) closed() bool { return g.provider != nil || g.Any() }

// Opened reports whether everybody may do everything.
func (g *Guard) Opened() bool { return !g.closed() && (g.loopback || g.o.Config.Open) }

// Handler finds out who asks, and passes that on to next, a Mux.
func (g *Guard) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.Opened() && !g.o.Config.Open && !hostHere(r.Host) {
			// A name that an attacker's page made lead here (DNS rebinding).
			g.refuse(w, "host", problem.New(http.StatusMisdirectedRequest, fmt.Sprintf("Nobody here is called %q.", hostOf(r.Host)),
				"Without keys the api answers to localhost and to addresses only. Make a key (xinwen keys create NAME --role admin), and it answers to any name."))
			return
		}
		v, err := g.identify(r)
		if err != nil {
			g.wrongKey(w, r, err)
			return
		}
		inner := r.WithContext(WithViewer(r.Context(), v))
		next.ServeHTTP(w, inner)
		r.Pattern = inner.Pattern // for who counts requests by it
	})
}

// errToken says that an address carries a key that must not be there.
var errToken = errors.New("the token in the address is not a key with the role feeds")

func (g *Guard) identify(r *http.Request) (Viewer, error) {
	if g.Opened() {
		return Viewer{Role: Admin}, nil
	}
	if text := presented(r); text != "" {
		return g.Authenticate(text)
	}
	if token := r.URL.Query().Get(TokenParam); token != "" && (strings.HasPrefix(r.URL.Path, "/feeds/") || r.URL.Path == "/v1/stream") {
		v, err := g.Authenticate(token)
		if err == nil && v.Role != Feeds {
			err = errToken
		}
		return v, err
	}
	if c, err := r.Cookie(sessionCookie); err == nil {
		if v, ok := g.Resume(c.Value); ok {
			return v, nil
		}
	}
	return Viewer{}, nil
}

// presented returns the key in the headers of r: as bearer token, in X-Api-Key,
// or as the password of basic authentication, which is all that many feed
// readers know.
func presented(r *http.Request) string {
	if key := r.Header.Get("X-Api-Key"); key != "" {
		return key
	}
	if _, password, ok := r.BasicAuth(); ok {
		return password
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	return ""
}

// wrongKey answers who has shown a key that opens nothing.
func (g *Guard) wrongKey(w http.ResponseWriter, r *http.Request, err error) {
	if _, wait := g.failed.take(g.ip(r), 1, time.Now()); wait > 0 {
		retryAfter(w.Header(), wait)
		g.refuse(w, "rate", problem.New(http.StatusTooManyRequests, "Too many wrong keys came from this address.", "Wait, and check the key."))
		return
	}
	if errors.Is(err, errToken) {
		g.refuse(w, "role", problem.New(http.StatusForbidden, problem.Sentence(err), "Addresses end up in many logs: make a key with the role feeds for them."))
		return
	}
	challenge(w)
	g.refuse(w, "key", problem.New(http.StatusUnauthorized, problem.Sentence(err), "Ask an administrator for another key."))
}

func challenge(w http.ResponseWriter) {
	w.Header().Add("WWW-Authenticate", `Bearer realm="xinwen"`)
}

func (g *Guard) refuse(w http.ResponseWriter, reason string, p *problem.Problem) {
	g.refused.WithLabelValues(reason).Inc()
	problem.Write(w, p)
}

// deny answers who may not.
func (g *Guard) deny(w http.ResponseWriter, r *http.Request, v Viewer, needs Role) {
	if g.o.Pages != nil && strings.Contains(r.Header.Get("Accept"), "text/html") {
		if v.Role == Nobody && r.Method == http.MethodGet {
			w.Header().Set("Cache-Control", "no-store")
			http.Redirect(w, r, "/login?"+url.Values{"back": {r.URL.RequestURI()}}.Encode(), http.StatusSeeOther)
			return
		}
		g.refused.WithLabelValues("role").Inc()
		g.o.Pages.Denied(w, r, needs)
		return
	}
	if v.Role == Nobody {
		challenge(w)
		g.refuse(w, "key", problem.New(http.StatusUnauthorized, "This needs a key.", "Send it as Authorization: Bearer KEY; an administrator makes one with xinwen keys create."))
		return
	}
	g.refuse(w, "role", problem.New(http.StatusForbidden, fmt.Sprintf("This needs the role %s, and the key has the role %s.", needs, v.Role), "Ask an administrator for another key."))
}

// admit counts a request, and reports whether it may go on; else it is answered.
func (g *Guard) admit(w http.ResponseWriter, r *http.Request, v Viewer, cost int) bool {
	if cost == 0 || g.loopback && g.Opened() {
		return true
	}
	left, wait := g.requests.take(g.caller(r, v), cost, time.Now())
	g.requests.tell(w.Header(), left)
	if wait == 0 {
		return true
	}
	retryAfter(w.Header(), wait)
	g.refuse(w, "rate", problem.New(http.StatusTooManyRequests, "Too many requests.", "Wait as long as Retry-After says."))
	return false
}

// caller names whom requests are counted against.
func (g *Guard) caller(r *http.Request, v Viewer) string {
	switch {
	case v.Key != "":
		return "key " + v.Key
	case v.Name != "":
		return "name " + v.Name
	}
	return "ip " + g.ip(r)
}

// ip returns the address that r comes from: what the nearest proxy that is not
// ours has said.
func (g *Guard) ip(r *http.Request) string {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr // a request from inside
	}
	ip := ap.Addr().Unmap()
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !g.trusted(ip) {
			break
		}
		next, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		ip = next.Unmap()
	}
	if ip.Is6() { // a household has as many as it likes
		p, _ := ip.WithZone("").Prefix(64) // 64 fits
		return p.String()
	}
	return ip.String()
}

func (g *Guard) trusted(ip netip.Addr) bool {
	return slices.ContainsFunc(g.proxies, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// Secure reports whether the client reached the api by TLS.
func (g *Guard) Secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && g.trusted(ap.Addr().Unmap()) && r.Header.Get("X-Forwarded-Proto") == "https"
}

// Login opens a session for who has shown a key, and sets its cookie. Its errors
// are those of Authenticate, or ErrSlow.
func (g *Guard) Login(w http.ResponseWriter, r *http.Request, text string) error {
	v, err := g.Authenticate(strings.TrimSpace(text))
	if err == nil && v.Role < Read {
		err = ErrUnknown // a key for feeds is no login
	}
	if err != nil {
		g.refused.WithLabelValues("key").Inc()
		if _, wait := g.failed.take(g.ip(r), 1, time.Now()); wait > 0 {
			retryAfter(w.Header(), wait)
			return ErrSlow
		}
		return err
	}
	return g.open(w, r, v)
}

// ErrSlow says that too many wrong keys came from an address.
var ErrSlow = errors.New("too many wrong keys came from this address; wait")

func (g *Guard) open(w http.ResponseWriter, r *http.Request, v Viewer) error {
	if old, err := r.Cookie(sessionCookie); err == nil {
		_ = g.CloseSession(r.Context(), old.Value) // it ends by itself at the latest
	}
	secret, expires, err := g.OpenSession(r.Context(), v, g.o.Config.Session)
	if err != nil {
		return err
	}
	g.setCookie(w, r, sessionCookie, secret, "/", http.SameSiteStrictMode, time.Until(expires))
	g.o.Logger.Info("logged in", "name", v.Name, "role", v.Role.String())
	return nil
}

// Logout ends the session of r.
func (g *Guard) Logout(w http.ResponseWriter, r *http.Request) error {
	g.setCookie(w, r, sessionCookie, "", "/", http.SameSiteStrictMode, -1)
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil // there is none
	}
	return g.CloseSession(r.Context(), c.Value)
}

// setCookie sets a cookie that scripts cannot read; a negative age takes it away.
func (g *Guard) setCookie(w http.ResponseWriter, r *http.Request, name, value, path string, site http.SameSite, age time.Duration) {
	seconds := int(age / time.Second)
	if age < 0 {
		seconds = -1
	}
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: path, MaxAge: seconds, HttpOnly: true, SameSite: site, Secure: g.Secure(r),
	})
}

// hostHere reports whether a Host header can only come from somebody who meant
// this machine: no name of a foreign domain leads to it.
func hostHere(host string) bool {
	name := hostOf(host)
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	return name == "" || name == "localhost" || strings.HasSuffix(name, ".localhost")
}

func hostOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// Mux is a ServeMux whose routes ask for what the policy says.
type Mux struct {
	g        *Guard
	mux      *http.ServeMux
	patterns []string
	missing  []string
}

// NewMux returns a mux without routes.
func (g *Guard) NewMux() *Mux { return &Mux{g: g, mux: http.NewServeMux()} }

// Handle registers a route as http.ServeMux does. It is left out if the policy
// has no line for it: Err says so.
func (m *Mux) Handle(pattern string, h http.Handler) {
	m.patterns = append(m.patterns, pattern)
	rule, ok := policy[pattern]
	if !ok {
		m.missing = append(m.missing, pattern)
		return
	}
	m.mux.Handle(pattern, m.g.check(rule, h))
}

// HandleFunc is Handle for a function.
func (m *Mux) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	m.Handle(pattern, http.HandlerFunc(h))
}

// ServeHTTP answers a request whose context names a Viewer.
func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.mux.ServeHTTP(w, r) }

// Methods returns the methods that the address of a request takes, none if there
// is nothing but the route of all addresses.
func (m *Mux) Methods(r *http.Request) []string {
	var list []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		_, pattern := m.mux.Handler(&http.Request{Method: method, URL: r.URL, Host: r.Host})
		if pattern != "" && pattern != "/" {
			list = append(list, method)
		}
	}
	return list
}

// Patterns returns the routes that were registered.
func (m *Mux) Patterns() []string { return slices.Clone(m.patterns) }

// Err names the routes that the policy has no line for.
func (m *Mux) Err() error {
	if len(m.missing) == 0 {
		return nil
	}
	return fmt.Errorf("routes without a line in api/auth/policy.go: %s", strings.Join(m.missing, ", "))
}

// check lets those through to h who satisfy rule.
func (g *Guard) check(rule rule, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := ViewerOf(r.Context())
		if !g.admit(w, r, v, rule.cost) {
			return
		}
		if v.Role < rule.role {
			g.deny(w, r, v, rule.role)
			return
		}
		if rule.timeout > 0 {
			ctx, cancel := context.WithTimeout(r.Context(), rule.timeout)
			defer cancel()
			inner := r.WithContext(ctx)
			h.ServeHTTP(w, inner)
			return
		}
		h.ServeHTTP(w, r)
	})
}
