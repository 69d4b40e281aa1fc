package crawler

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/net/publicsuffix"

	"xinwen/crawler/fetch"
	"xinwen/crawler/frontier"
	"xinwen/crawler/robots"
	"xinwen/crawler/source"
	"xinwen/crawler/warc"
	"xinwen/news/bus"
	"xinwen/news/weburl"
)

// What we say we take.
const (
	acceptPage    = "text/html, application/xhtml+xml, text/plain;q=0.8, */*;q=0.1"
	acceptFeed    = "application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5"
	acceptSitemap = "application/xml, text/xml, text/plain;q=0.8, */*;q=0.5"
	acceptRobots  = "text/plain, */*;q=0.1"
)

// errDenied says that robots.txt forbids an address.
var errDenied = errors.New("robots.txt forbids this address to us")

// minHold is how long a host is left alone that says "too many requests" without
// saying for how long.
const minHold = 30 * time.Second

// movingFor is how soon a request is tried again whose host was between two
// crawlers.
const movingFor = 5 * time.Second

// putOff returns how long a server wants to be left alone.
func putOff(e *fetch.Error) time.Duration {
	if e.RetryAfter > 0 {
		return e.RetryAfter
	}
	return minHold
}

// visit is one thing being fetched, over several requests.
type visit struct {
	crawler *Crawler
	source  *source.Source
	urgent  bool
	// robots says whether robots.txt is asked; not for itself.
	robots bool
	turn   turn
	// letters are those of the page that was fetched.
	letters letters
}

// end gives back what v still holds. The answer's memory counts as free then.
func (v *visit) end() {
	if v.turn != nil {
		v.turn.Done()
		v.turn = nil
	}
}

// gate is the fetch.Gate of v: it asks robots.txt, then waits for the host's turn.
func (v *visit) gate(ctx context.Context, u *url.URL) (func(error), error) {
	v.end() // no slot is held while we wait for the next host
	delay := v.source.Delay
	if v.robots {
		rules, err := v.crawler.robots.Rules(ctx, u.String(), v.fetchRobots)
		if err != nil {
			return nil, robotsError(u, err)
		}
		if !rules.Allowed(u.String()) {
			return nil, &fetch.Error{Kind: fetch.KindRobots, URL: u.String(), Err: errDenied, Hint: "it is not fetched; ask the publisher, or disable the source"}
		}
		delay = max(delay, rules.Delay)
	}
	ip := ""
	if v.source.Proxy == "" {
		ip = v.crawler.client.Address(ctx, u)
	}
	turn, err := v.crawler.acquire(ctx, hostOf(u), ip, delay, v.urgent)
	var held *frontier.HeldError
	if errors.As(err, &held) {
		return nil, &fetch.Error{
			Kind: fetch.KindLimited, URL: u.String(), Err: held, Temporary: true, RetryAfter: time.Until(held.Until),
			Hint: "the server asked for fewer requests; set a longer delay for this source if it happens often",
		}
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		e := &fetch.Error{Kind: fetch.KindGate, URL: u.String(), Err: err, Temporary: true, Hint: "the bus does not answer"}
		if errors.Is(err, errMoving) || errors.Is(err, frontier.ErrNotOurs) {
			e.RetryAfter, e.Hint = movingFor, "the host goes from one crawler to another"
		}
		return nil, e
	}
	v.turn = turn
	began := time.Now()
	return func(err error) {
		v.crawler.metrics.took.Observe(time.Since(began).Seconds())
		var e *fetch.Error
		if errors.As(err, &e) && e.Kind == fetch.KindLimited {
			v.crawler.hold(ctx, hostOf(u), turn, time.Now().Add(putOff(e)))
		}
		turn.Leave()
	}, nil
}

// robotsError turns an error of the robots cache into one of fetch.
func robotsError(u *url.URL, err error) error {
	var unreachable *robots.UnreachableError
	if !errors.As(err, &unreachable) {
		return err // ctx is done, or nobody was asked
	}
	e := &fetch.Error{
		Kind: fetch.KindRobots, URL: u.String(), Err: unreachable, Temporary: true,
		RetryAfter: max(time.Until(unreachable.Retry), time.Second),
		Hint:       "a robots.txt that cannot be read forbids everything (RFC 9309)",
	}
	// Without any answer it is the server that fails, not its robots.txt.
	var cause *fetch.Error
	if errors.As(unreachable.Err, &cause) {
		e.Kind, e.Err, e.Hint, e.Temporary = cause.Kind, fmt.Errorf("robots.txt: %w", cause.Err), cause.Hint, cause.Temporary
		e.RetryAfter = max(e.RetryAfter, cause.RetryAfter)
	}
	return e
}

// hostOf returns the name politeness knows a server by, as weburl.Host does.
func hostOf(u *url.URL) string {
	port := u.Port()
	if port == "" || u.Scheme == "http" && port == "80" || u.Scheme == "https" && port == "443" {
		return u.Hostname()
	}
	return u.Host
}

// jar returns the cookies of a source, nil if it keeps none. They live as long as
// the crawler.
func (c *Crawler) jar(src *source.Source) http.CookieJar {
	if !src.Cookies {
		return nil
	}
	jar, ok := c.jars.Load(src.ID)
	if !ok {
		fresh, err := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
		if err != nil {
			return nil // it never fails
		}
		jar, _ = c.jars.LoadOrStore(src.ID, fresh)
	}
	return jar.(http.CookieJar)
}

// get fetches for v and counts. The caller must end v after it is done with the
// body.
func (v *visit) get(ctx context.Context, req fetch.Request) (*fetch.Response, error) {
	c := v.crawler
	req.Gate = v.gate
	if req.MaxBodyBytes == 0 {
		req.MaxBodyBytes = v.source.MaxBodyBytes
	}
	req.Timeout = v.source.Timeout
	req.Unpack = req.Accept != acceptSitemap // whose reader takes cut ones too
	req.Proxy, req.Jar = v.source.Proxy, c.jar(v.source)
	ctx, span := c.opts.Bus.Tracer().Start(ctx, http.MethodGet, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		semconv.HTTPRequestMethodGet, semconv.URLFull(req.URL), semconv.ServerAddress(weburl.Host(req.URL)), attribute.String("xinwen.source", v.source.ID)))
	resp, err := c.client.Get(ctx, req)
	var e *fetch.Error
	switch {
	case err == nil:
		span.SetAttributes(semconv.HTTPResponseStatusCode(resp.Status), semconv.HTTPResponseBodySize(int(resp.WireBytes)))
	case errors.As(err, &e) && e.Status != 0:
		span.SetAttributes(semconv.HTTPResponseStatusCode(e.Status))
	}
	bus.EndSpan(span, err)
	switch {
	case errors.As(err, &e) && e.Status != 0 && e.Kind == fetch.KindStatus:
		c.metrics.requests.WithLabelValues(v.source.ID, statusLabel(e.Status)).Inc()
	case errors.As(err, &e):
		c.metrics.requests.WithLabelValues(v.source.ID, string(e.Kind)).Inc()
	case err == nil:
		c.metrics.requests.WithLabelValues(v.source.ID, statusLabel(resp.Status)).Inc()
		c.metrics.bytes.WithLabelValues(v.source.ID).Add(float64(resp.WireBytes))
		c.keep(resp)
	}
	if err == nil && v.source.Render && req.Accept == acceptPage && !resp.NotModified() {
		return v.rendered(ctx, resp)
	}
	return resp, err
}

// keep writes an answer into the archive, if there is one. The crawl goes on
// without it: the page itself is on its way.
func (c *Crawler) keep(resp *fetch.Response) {
	if c.archive == nil || resp.NotModified() {
		return
	}
	err := c.archive.Write(warc.Response{URL: resp.URL, Time: resp.Fetched, Status: resp.Status, Header: resp.Header, Body: resp.Body})
	if err != nil {
		c.log.Error("answer not archived", "url", resp.URL, "err", err)
	}
}

// fetchRobots is the robots.FetchFunc of v: robots.txt waits for its host's turn
// as everything does.
func (v *visit) fetchRobots(ctx context.Context, robotsURL string) (int, []byte, error) {
	own := &visit{crawler: v.crawler, source: v.source, urgent: true}
	defer own.end()
	resp, err := v.crawler.client.Get(ctx, fetch.Request{
		URL: robotsURL, Accept: acceptRobots, Gate: own.gate,
		MaxBodyBytes: robots.MaxBytes + 1, Truncate: true, MaxRedirects: robots.MaxRedirects, Proxy: v.source.Proxy,
	})
	var e *fetch.Error
	switch {
	case err == nil:
		return resp.Status, resp.Body, nil
	case !errors.As(err, &e):
		return 0, nil, err
	case e.Kind == fetch.KindGate:
		return 0, nil, fmt.Errorf("%w: %w", robots.ErrNotAsked, e)
	case e.Kind == fetch.KindRedirects && e.Status == 0:
		return 0, nil, robots.ErrRedirects
	case e.Status != 0 && (e.Kind == fetch.KindStatus || e.Kind == fetch.KindLimited):
		return e.Status, nil, nil
	}
	return 0, nil, e
}
