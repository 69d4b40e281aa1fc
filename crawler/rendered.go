package crawler

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"xinwen/crawler/fetch"
	"xinwen/crawler/render"
)

// acceptAny is what the scripts of a page say they take.
const acceptAny = "*/*"

// rendered runs the scripts of a page that was fetched and puts what became of it
// in its place. What the scripts ask for is fetched as all is: robots.txt, turn
// and the guard of addresses hold.
func (v *visit) rendered(ctx context.Context, resp *fetch.Response) (*fetch.Response, error) {
	if !bytes.Contains(bytes.ToLower(resp.Body), []byte("<script")) {
		return resp, nil
	}
	v.end() // others go on meanwhile
	c := v.crawler
	page := render.Page{URL: resp.URL, ContentType: or(resp.ContentType(), "text/html"), Body: resp.Body}
	made, err := c.renderer.Render(ctx, page, v.resource)
	switch {
	case errors.Is(err, render.ErrNoBrowser):
		return nil, &fetch.Error{Kind: fetch.KindRender, URL: resp.URL, Status: resp.Status, Err: err, Hint: render.Hint}
	case ctx.Err() != nil:
		return nil, &fetch.Error{Kind: fetch.KindCancelled, URL: resp.URL, Err: ctx.Err(), Temporary: true}
	case err != nil:
		return nil, &fetch.Error{
			Kind: fetch.KindRender, URL: resp.URL, Status: resp.Status, Err: err, Temporary: true,
			Hint: "the page's scripts do not end or the browser failed",
		}
	}
	after := *resp
	after.Body, after.Header = made.Body, resp.Header.Clone()
	after.Header.Set("Content-Type", made.ContentType)
	if u, err := url.Parse(made.URL); err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") {
		u.Fragment = ""
		if made.URL = u.String(); made.URL != resp.URL {
			after.Redirects = append(after.Redirects, resp.URL)
			after.URL = made.URL
		}
	}
	return &after, nil
}

// resource fetches what the scripts of a page ask for. Scripts that many pages of
// a source share are kept for a while.
func (v *visit) resource(ctx context.Context, address string) (*render.Resource, error) {
	c := v.crawler
	if kept := c.scripts.get(address); kept != nil {
		return kept, nil
	}
	own := &visit{crawler: c, source: v.source, urgent: true, robots: true}
	defer own.end()
	resp, err := own.get(ctx, fetch.Request{URL: address, Accept: acceptAny})
	var fe *fetch.Error
	if errors.As(err, &fe) && fe.Kind == fetch.KindStatus {
		return &render.Resource{Status: fe.Status, Header: http.Header{}}, nil
	}
	if err != nil {
		return nil, err
	}
	r := &render.Resource{Status: resp.Status, Header: resp.Header, Body: resp.Body}
	if strings.Contains(resp.ContentType(), "script") {
		c.scripts.put(address, r)
	}
	return r, nil
}

const (
	// scriptsBytes bounds the scripts that are kept, scriptsFor for how long.
	scriptsBytes = 32 << 20
	scriptsFor   = time.Hour
)

// scripts keeps scripts by address.
type scripts struct {
	mu    sync.Mutex
	bytes int
	all   map[string]keptScript
}

type keptScript struct {
	*render.Resource
	until time.Time
}

func (s *scripts) get(address string) *render.Resource {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k, ok := s.all[address]; ok && time.Now().Before(k.until) {
		return k.Resource
	}
	return nil
}

func (s *scripts) put(address string, r *render.Resource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bytes += len(r.Body); s.all == nil || s.bytes > scriptsBytes {
		s.all, s.bytes = make(map[string]keptScript), len(r.Body)
	}
	s.all[address] = keptScript{r, time.Now().Add(scriptsFor)}
}
