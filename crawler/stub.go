package crawler

import (
	"bytes"
	"context"
	"fmt"

	"xinwen/crawler/fetch"
	"xinwen/crawler/frontier"
	"xinwen/crawler/head"
	"xinwen/news"
	"xinwen/news/weburl"
)

// Some pages only lead on: they show a line and send the browser elsewhere, with
// <meta http-equiv=refresh>. They are redirects, not articles.

// maxStub bounds the text of a page that only leads on, in bytes; an article that
// loads itself anew has more.
const maxStub = 1 << 10

// leadsTo returns the canonical address that a page only leads on to, "" if it is
// a page in itself.
func leadsTo(pageURL string, resp *fetch.Response) string {
	start := resp.Body[:min(len(resp.Body), headBytes)]
	if !bytes.Contains(bytes.ToLower(start), []byte("http-equiv")) || shown(resp.Body, maxStub+1) > maxStub {
		return ""
	}
	refresh := head.Read(start, resp.ContentType(), resp.URL).Refresh
	if refresh == "" {
		return ""
	}
	target, err := weburl.Canonical(refresh)
	if err != nil || target == pageURL {
		return ""
	}
	return target
}

// shown counts the bytes of text that a page shows, up to most.
func shown(body []byte, most int) int {
	n := 0
	for i := 0; i < len(body) && n < most; i++ {
		switch body[i] {
		case '<':
			i = skipTag(body, i) - 1
		case ' ', '\t', '\r', '\n':
		default:
			n++
		}
	}
	return n
}

// followStub asks for the page that e's page only leads on to, and reports whether
// it does.
func (c *Crawler) followStub(ctx context.Context, e frontier.Entry, page *news.Page, resp *fetch.Response) (bool, error) {
	target := leadsTo(page.URL, resp)
	switch {
	case target == "":
		return false, nil
	case isFront(target):
		return false, &failure{fmt.Errorf("fetch %s: it leads to the %w %s", e.URL, errFront, target), "the page is gone; check the address in a browser"}
	}
	if _, err := c.frontier.Add(ctx, frontier.Entry{URL: target, Source: e.Source, Feed: e.Feed}); err != nil {
		return false, err
	}
	c.log.Debug("page only leads on", "source", e.Source, "url", e.URL, "to", target)
	return true, c.frontier.Mark(ctx, e.URL, frontier.Record{Outcome: frontier.Same, Source: e.Source})
}
