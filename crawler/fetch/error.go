package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"xinwen/news/guard"
)

// Kind is the kind of a failure. Kinds are few and fixed: they label metrics.
type Kind string

// The kinds of failures.
const (
	KindURL       Kind = "url"       // not an address that can be fetched
	KindGate      Kind = "gate"      // refused by the caller's Gate
	KindRobots    Kind = "robots"    // robots.txt forbids it; only a Gate says so
	KindDNS       Kind = "dns"       // the name does not resolve
	KindConnect   Kind = "connect"   // no connection
	KindTLS       Kind = "tls"       // certificate or handshake
	KindAddress   Kind = "address"   // an address that is not public
	KindTimeout   Kind = "timeout"   // no answer in time
	KindSlow      Kind = "slow"      // below the minimum rate
	KindCut       Kind = "cut"       // the connection broke within the body
	KindProtocol  Kind = "protocol"  // not HTTP as it should be
	KindStatus    Kind = "status"    // an answer other than 2xx and 304
	KindLimited   Kind = "limited"   // 429, or 503 with Retry-After
	KindRedirects Kind = "redirects" // a loop, too many, or to nowhere
	KindTooLarge  Kind = "too-large" // a body above the limit
	KindBomb      Kind = "bomb"      // compressed beyond any honest ratio
	KindEncoding  Kind = "encoding"  // unknown or broken compression
	KindCancelled Kind = "cancelled" // the caller gave up
	KindRender    Kind = "render"    // its scripts could not be run; only callers say so
)

// Error says why a URL could not be fetched.
type Error struct {
	Kind Kind
	// URL is the address that failed, after any redirects.
	URL string
	// Status is the HTTP status, 0 if there was no answer.
	Status int
	Err    error
	// Hint says what to do about it.
	Hint string
	// Temporary says that trying again later may help.
	Temporary bool
	// RetryAfter is how long the server asks to wait; it holds for the host.
	RetryAfter time.Duration
}

func (e *Error) Error() string {
	s := "fetch " + e.URL + ": " + e.Err.Error()
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// classify turns an error of net/http into an *Error.
func classify(ctx context.Context, rawURL string, err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	e := &Error{URL: rawURL, Err: cause(err), Temporary: true}
	var (
		denied   *guard.Error
		dns      *net.DNSError
		verify   *tls.CertificateVerificationError
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		record   tls.RecordHeaderError
		alert    tls.AlertError
		op       *net.OpError
		timeout  interface{ Timeout() bool }
	)
	switch {
	case errors.As(err, &denied):
		e.Kind, e.Err, e.Temporary = KindAddress, denied, false
		e.Hint = "only public addresses are fetched; set allow_private or --resolve if this one is meant"
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), errSlow):
		e.Kind, e.Err = KindSlow, errSlow
		e.Hint = "the server drips"
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), errHeaderTimeout):
		e.Kind, e.Err = KindTimeout, errHeaderTimeout
		e.Hint = "the server hangs"
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), errTimeout):
		e.Kind, e.Err = KindTimeout, errTimeout
		e.Hint = "the server is too slow"
	case ctx.Err() != nil:
		e.Kind = KindCancelled
	case errors.As(err, &dns):
		e.Kind = KindDNS
		e.Hint = "check the host name and this machine's name server"
	case errors.As(err, &verify), errors.As(err, &unknown), errors.As(err, &hostname):
		e.Kind, e.Temporary = KindTLS, false
		e.Hint = "the server's certificate does not verify (expired, wrong name or incomplete chain); the publisher must mend it"
	case errors.As(err, &record), errors.As(err, &alert), strings.Contains(err.Error(), "tls: "):
		e.Kind = KindTLS
		e.Hint = "the TLS handshake fails; check whether the address should start with http:"
	case errors.Is(err, errUnexpectedEOF):
		e.Kind = KindCut
		e.Hint = "the connection broke within the answer"
	case errors.As(err, &timeout) && timeout.Timeout():
		e.Kind = KindTimeout
		e.Hint = "the server does not answer in time"
	case errors.As(err, &op):
		e.Kind = KindConnect
		e.Hint = "the server is not reachable"
	default:
		e.Kind = KindProtocol
		e.Hint = "the server does not speak HTTP as it should"
	}
	return e
}

// cause drops the *url.Error around an error: its text repeats the address.
func cause(err error) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		return outer.Err
	}
	return err
}

// statusError describes an answer that is neither 2xx nor 304.
func statusError(rawURL string, resp *http.Response, now time.Time) *Error {
	e := &Error{
		Kind: KindStatus, URL: rawURL, Status: resp.StatusCode,
		Err: fmt.Errorf("the server answers %d %s", resp.StatusCode, http.StatusText(resp.StatusCode)),
	}
	switch code := resp.StatusCode; {
	case code == http.StatusTooManyRequests, code == http.StatusServiceUnavailable:
		e.Temporary = true
		e.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), now)
		if code == http.StatusTooManyRequests || e.RetryAfter > 0 {
			e.Kind = KindLimited
			e.Hint = "the server asks for fewer requests; set a longer delay for this source if it happens often"
		} else {
			e.Hint = "the server is in trouble"
		}
	case code == http.StatusNotFound, code == http.StatusGone:
		e.Hint = "the page is gone; check the address"
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusUnavailableForLegalReasons, code == http.StatusPaymentRequired:
		e.Hint = "the publisher refuses this page to us; ask for access or disable the source"
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusMisdirectedRequest, code >= 500:
		e.Temporary = true
		e.Hint = "the server is in trouble"
	case code >= 300 && code < 400:
		e.Kind = KindRedirects
		e.Hint = "the redirect names no usable address; check the source's address in a browser"
	default:
		e.Hint = "check the address in a browser"
	}
	return e
}

// maxRetryAfter bounds what a Retry-After header can ask for.
const maxRetryAfter = 7 * 24 * time.Hour

// retryAfter reads a Retry-After header, seconds or a date; 0 if it says nothing.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0
	}
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		if seconds <= 0 {
			return 0
		}
		return time.Duration(min(seconds, int64(maxRetryAfter/time.Second))) * time.Second
	}
	if t, err := http.ParseTime(value); err == nil {
		return min(max(t.Sub(now), 0), maxRetryAfter)
	}
	return 0
}
