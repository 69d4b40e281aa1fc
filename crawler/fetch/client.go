package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Defaults of Config.
const (
	DefaultHeaderTimeout = 10 * time.Second
	DefaultTimeout       = 30 * time.Second
	DefaultMinRate       = 1 << 10
	DefaultMaxBodyBytes  = 10 << 20
	DefaultMaxRatio      = 100
	DefaultMaxRedirects  = 10
	DefaultSettle        = 10 * time.Millisecond
	// DefaultUserAgent is what we call ourselves; Config.Contact joins it.
	DefaultUserAgent = "Xinwen/0.1 (self-hosted news monitor)"
)

var (
	errSlow          = errors.New("the body comes too slowly")
	errHeaderTimeout = errors.New("no answer in time")
	errTimeout       = errors.New("the answer takes too long")
)

// Config is how a Client fetches. The zero value uses the defaults.
type Config struct {
	// UserAgent names us. It starts with the product token that robots.txt knows
	// us by.
	UserAgent string
	// Contact is a URL or mail address for publishers who want to complain; it is
	// added to UserAgent.
	Contact string
	// HeaderTimeout bounds the time to the header of an answer, Timeout that to
	// its end; both count for each redirect anew.
	HeaderTimeout time.Duration
	Timeout       time.Duration
	// MinRate is the least number of bytes a second a body must come with.
	MinRate int64
	// MaxBodyBytes bounds a body before and after decompression.
	MaxBodyBytes int64
	// MaxRatio bounds how many times larger decompression may make a body.
	MaxRatio int64
	// Settle is how long a connection must have been free before it is used again,
	// -1 for not at all: net/http needs the time to find an answer that nobody asked
	// for, which it would take for that of the next request.
	Settle time.Duration
	// Resolve overrides name resolution: "HOST:PORT=ADDRESS", "*=ADDRESS".
	Resolve []string
	// AllowPrivate lets addresses be fetched that are not public.
	AllowPrivate bool
}

// Validators are what a server gave us to ask "has it changed?" with.
type Validators struct {
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
}

// Gate is passed before each request, redirects included. It may wait, and
// refuses with an error. The function it returns is called when the request is
// over, with the error it ended in, if any.
type Gate func(ctx context.Context, u *url.URL) (done func(err error), err error)

// Request is one URL to fetch.
type Request struct {
	URL string
	// Validators make the request conditional.
	Validators Validators
	// Accept is the Accept header.
	Accept string
	// Gate may be nil.
	Gate Gate
	// MaxBodyBytes, Timeout and MaxRedirects override the client's if not 0.
	MaxBodyBytes int64
	Timeout      time.Duration
	MaxRedirects int
	// Proxy is the proxy the request goes through, "" for none. What it connects
	// to cannot be checked from here.
	Proxy string
	// Jar keeps cookies; nil keeps none.
	Jar http.CookieJar
	// Truncate takes the beginning of a body that is too large.
	Truncate bool
	// Unpack unpacks a body that is a gzip file, as some servers compress without
	// saying so. One that does not unpack stays as it is.
	Unpack bool
}

// Response is an answer: 2xx with a body, or 304 without.
type Response struct {
	// URL is the address that answered.
	URL    string
	Status int
	Header http.Header
	Body   []byte
	// MovedTo is the address that permanent redirects lead to, "" if the first
	// redirect is not permanent.
	MovedTo string
	// Redirects are the addresses that were left, in order.
	Redirects []string
	// WireBytes counts the body's bytes as sent.
	WireBytes int64
	// Fetched is when the body was complete.
	Fetched time.Time
}

// ContentType returns the Content-Type header.
func (r *Response) ContentType() string { return r.Header.Get("Content-Type") }

// NotModified reports whether the server says that nothing has changed.
func (r *Response) NotModified() bool { return r.Status == http.StatusNotModified }

// Validators returns what to ask with the next time.
func (r *Response) Validators() Validators {
	return Validators{ETag: r.Header.Get("ETag"), LastModified: r.Header.Get("Last-Modified")}
}

// Client fetches. It may be used concurrently.
type Client struct {
	cfg       Config
	transport *http.Transport
	trace     httptrace.ClientTrace
	resolve   resolver
	addresses addresses

	mu      sync.Mutex
	proxies map[string]*http.Transport
}

// New returns a client, or an error that says what is wrong with cfg.
func New(cfg Config) (*Client, error) {
	resolve, err := parseResolve(cfg.Resolve)
	if err != nil {
		return nil, err
	}
	if strings.ContainsAny(cfg.UserAgent+cfg.Contact, "\r\n") {
		return nil, errors.New("user_agent and contact must be one line each")
	}
	cfg.UserAgent = or(cfg.UserAgent, DefaultUserAgent)
	if cfg.Contact != "" {
		cfg.UserAgent += " (+" + cfg.Contact + ")"
	}
	cfg.HeaderTimeout = or(cfg.HeaderTimeout, DefaultHeaderTimeout)
	cfg.Timeout = or(cfg.Timeout, DefaultTimeout)
	cfg.MinRate = or(cfg.MinRate, DefaultMinRate)
	cfg.MaxBodyBytes = or(cfg.MaxBodyBytes, DefaultMaxBodyBytes)
	cfg.MaxRatio = or(cfg.MaxRatio, DefaultMaxRatio)
	cfg.Settle = or(cfg.Settle, DefaultSettle)
	trace := httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if i.Reused && i.IdleTime < cfg.Settle {
			<-time.After(cfg.Settle - i.IdleTime) // the hook knows no context; it is milliseconds
		}
	}}
	dial := newDialer(resolve, cfg.AllowPrivate, cfg.HeaderTimeout)
	return &Client{cfg: cfg, trace: trace, resolve: resolve, addresses: addresses{all: make(map[string]knownIP)}, transport: &http.Transport{
		DialContext:            dial.DialContext,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    cfg.HeaderTimeout,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    2,
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	}}, nil
}

func or[T comparable](v, fallback T) T {
	var zero T
	if v == zero {
		return fallback
	}
	return v
}

// Close closes the connections that are idle.
func (c *Client) Close() {
	c.transport.CloseIdleConnections()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.proxies {
		t.CloseIdleConnections()
	}
}

// through returns the transport of a proxy.
func (c *Client) through(proxy string) (*http.Transport, error) {
	if proxy == "" {
		return c.transport, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if t := c.proxies[proxy]; t != nil {
		return t, nil
	}
	u, err := url.Parse(proxy)
	if err != nil {
		return nil, errors.New("the proxy's address cannot be read")
	}
	t := c.transport.Clone()
	t.Proxy = http.ProxyURL(u)
	// The operator chose the proxy: it may well be at a private address.
	t.DialContext = (&net.Dialer{Timeout: c.cfg.HeaderTimeout, KeepAlive: 30 * time.Second}).DialContext
	if c.proxies == nil {
		c.proxies = make(map[string]*http.Transport)
	}
	c.proxies[proxy] = t
	return t, nil
}

// UserAgent returns what the client calls itself.
func (c *Client) UserAgent() string { return c.cfg.UserAgent }

// Product returns the product token of the User-Agent, which robots.txt knows us
// by.
func (c *Client) Product() string {
	if i := strings.IndexAny(c.cfg.UserAgent, "/ ("); i >= 0 {
		return c.cfg.UserAgent[:i]
	}
	return c.cfg.UserAgent
}

// Get fetches req.URL. Its error is always an *Error.
func (c *Client) Get(ctx context.Context, req Request) (*Response, error) {
	u, err := parseURL(req.URL)
	if err != nil {
		return nil, &Error{Kind: KindURL, URL: req.URL, Err: err, Hint: "check the address"}
	}
	maxRedirects := or(req.MaxRedirects, DefaultMaxRedirects)
	var (
		left      []string
		movedTo   string
		permanent = true
		seen      = map[string]bool{u.String(): true}
	)
	for {
		resp, next, err := c.hop(ctx, u, req)
		if err != nil {
			return nil, err
		}
		if next == "" {
			resp.Redirects, resp.MovedTo = left, movedTo
			return resp, nil
		}
		left = append(left, u.String())
		target, err := redirectTarget(u, next)
		if err != nil {
			return nil, &Error{
				Kind: KindRedirects, URL: u.String(), Status: resp.Status, Err: err,
				Hint: "check the address in a browser",
			}
		}
		if permanent = permanent && (resp.Status == http.StatusMovedPermanently || resp.Status == http.StatusPermanentRedirect); permanent {
			movedTo = target.String()
		}
		u = target
		switch {
		case len(left) > maxRedirects:
			return nil, &Error{
				Kind: KindRedirects, URL: req.URL, Err: fmt.Errorf("more than %d redirects, the last to %s", maxRedirects, u),
				Hint: "open the address in a browser and use the one it ends at",
			}
		case seen[u.String()] && req.Jar == nil: // with cookies the second answer can be another
			return nil, &Error{
				Kind: KindRedirects, URL: req.URL, Err: fmt.Errorf("the redirects run in a circle at %s", u),
				Hint: "the page may want a cookie; check the address in a browser",
			}
		}
		seen[u.String()] = true
		// What the first address gave us says nothing about another.
		req.Validators = Validators{}
	}
}

func parseURL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, cause(err)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("the scheme is %q, not http or https", u.Scheme)
	}
	if u.Hostname() == "" {
		return nil, errors.New("there is no host name")
	}
	if u.User != nil {
		return nil, errors.New("there is a user name in the address")
	}
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

func redirectTarget(from *url.URL, location string) (*url.URL, error) {
	u, err := from.Parse(strings.TrimSpace(location))
	if err != nil {
		return nil, fmt.Errorf("redirect to %q: %w", location, cause(err))
	}
	if u, err = parseURL(u.String()); err != nil {
		return nil, fmt.Errorf("redirect to %q: %w", location, err)
	}
	return u, nil
}

// hop makes one request. If the answer is a redirect, next is its target.
func (c *Client) hop(ctx context.Context, u *url.URL, req Request) (resp *Response, next string, err error) {
	if req.Gate != nil {
		done, gateErr := c.pass(ctx, u, req.Gate)
		if gateErr != nil {
			return nil, "", gateErr
		}
		defer func() { done(err) }()
	}
	return c.request(ctx, u, req)
}

// pass passes a gate; its error is an *Error.
func (c *Client) pass(ctx context.Context, u *url.URL, gate Gate) (func(error), error) {
	done, err := gate(ctx, u)
	if err == nil {
		return done, nil
	}
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Kind: KindGate, URL: u.String(), Err: err}
		if ctx.Err() != nil {
			e.Kind, e.Temporary = KindCancelled, true
		}
	}
	return nil, e
}

func (c *Client) request(parent context.Context, u *url.URL, req Request) (*Response, string, error) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	total := time.AfterFunc(or(req.Timeout, c.cfg.Timeout), func() { cancel(errTimeout) })
	defer total.Stop()
	header := time.AfterFunc(c.cfg.HeaderTimeout, func() { cancel(errHeaderTimeout) })
	defer header.Stop()

	r, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, &c.trace), http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, "", &Error{Kind: KindURL, URL: u.String(), Err: err, Hint: "check the address"}
	}
	r.Header.Set("User-Agent", c.cfg.UserAgent)
	r.Header.Set("Accept-Encoding", acceptEncoding)
	r.Header.Set("Accept", or(req.Accept, "*/*"))
	if req.Validators.ETag != "" {
		r.Header.Set("If-None-Match", req.Validators.ETag)
	}
	if req.Validators.LastModified != "" {
		r.Header.Set("If-Modified-Since", req.Validators.LastModified)
	}
	if req.Jar != nil {
		for _, cookie := range req.Jar.Cookies(u) {
			r.AddCookie(cookie)
		}
	}
	transport, err := c.through(req.Proxy)
	if err != nil {
		return nil, "", &Error{Kind: KindConnect, URL: u.String(), Err: err, Hint: "check the proxy of this source"}
	}
	// RoundTrip rather than Client.Do: redirects pass the gate.
	raw, err := transport.RoundTrip(r)
	header.Stop()
	if err != nil {
		return nil, "", classify(ctx, u.String(), err)
	}
	if cookies := raw.Cookies(); req.Jar != nil && len(cookies) > 0 {
		req.Jar.SetCookies(u, cookies)
	}
	defer raw.Body.Close() // its error says nothing that reading did not

	if name, ok := spaced(raw.Header); ok {
		// "Transfer-Encoding : chunked" is a coding to some and nothing to others.
		return nil, "", &Error{
			Kind: KindProtocol, URL: u.String(), Status: raw.StatusCode, Temporary: true,
			Err: fmt.Errorf("the name of the header %q is not one", name), Hint: "the server does not speak HTTP as it should",
		}
	}
	resp := &Response{URL: u.String(), Status: raw.StatusCode, Header: raw.Header}
	switch {
	case raw.StatusCode == http.StatusNotModified:
		resp.Fetched = time.Now().UTC()
		return resp, "", nil
	case isRedirect(raw.StatusCode) && raw.Header.Get("Location") != "":
		return resp, raw.Header.Get("Location"), nil
	case raw.StatusCode < 200 || raw.StatusCode > 299:
		return nil, "", statusError(u.String(), raw, time.Now())
	}

	rate := newRateGuard(c.cfg.MinRate, func() { cancel(errSlow) })
	defer rate.stop()
	maxBody := or(req.MaxBodyBytes, c.cfg.MaxBodyBytes)
	lim := limits{wire: maxBody, decoded: maxBody, ratio: c.cfg.MaxRatio, truncate: req.Truncate}
	body, wire, err := readBody(rate.reader(raw.Body), raw.Header.Get("Content-Encoding"), lim)
	if req.Unpack && err == nil && bytes.HasPrefix(body, gzipMagic) {
		if plain, _, broken := readBody(bytes.NewReader(body), "gzip", lim); broken == nil {
			body = plain
		}
	}
	if err != nil {
		e := classify(ctx, u.String(), err)
		e.URL, e.Status = u.String(), raw.StatusCode
		return nil, "", e
	}
	resp.Body, resp.WireBytes, resp.Fetched = body, wire, time.Now().UTC()
	return resp, "", nil
}

// spaced returns a header whose name has a space in it.
func spaced(h http.Header) (string, bool) {
	for name := range h {
		if strings.ContainsAny(name, " \t") {
			return name, true
		}
	}
	return "", false
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}
