package crawler

import (
	"bytes"
	"context"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"xinwen/crawler/fetch"
	"xinwen/crawler/frontier"
	"xinwen/crawler/head"
	"xinwen/news"
	"xinwen/news/weburl"
)

// Many articles have twins: a light form (AMP), one for telephones, one to print.
// Which is which is told by the twins themselves, with rel=canonical, and by the
// article, with rel=amphtml. Only the article is published.

// twinHost matches the first label of hosts that serve twins.
var twinHost = regexp.MustCompile(`^(?:m|mobile|wap|3g|amp|touch|print)\d?\.`)

// twinPath matches the part of a path that makes it a twin's.
var twinPath = regexp.MustCompile(`(?i)(?:^|/)(?:amp|amphtml|wap|mobile|print)(?:/|$)|[./_-](?:amp|print)(?:\.s?html?)?$`)

// twinKeys are query parameters that ask for a twin.
var twinKeys = []string{"amp", "outputtype", "mobile", "print", "printable"}

// isTwinAddress reports whether an address looks like that of a twin.
func isTwinAddress(u *url.URL) bool {
	if twinHost.MatchString(u.Hostname()) || twinPath.MatchString(u.Path) {
		return true
	}
	for key := range u.Query() {
		if slices.Contains(twinKeys, strings.ToLower(key)) {
			return true
		}
	}
	return false
}

// untwinned returns what twins have in common with the article of their address.
func untwinned(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	host := strings.TrimPrefix(twinHost.ReplaceAllString(u.Host, ""), "www.")
	path := "/" + strings.Trim(twinPath.ReplaceAllString(u.Path, "/"), "/")
	path = strings.TrimSuffix(strings.TrimSuffix(path, ".html"), ".htm")
	q := u.Query()
	for key := range q {
		if slices.Contains(twinKeys, strings.ToLower(key)) {
			q.Del(key)
		}
	}
	return host + path + "?" + q.Encode()
}

// ampCache matches addresses at which AMP pages of all sites are copied.
var ampCache = regexp.MustCompile(`^https?://(?:[a-z0-9-]+\.cdn\.ampproject\.org/[acv]|(?:www\.)?google\.[a-z.]+/amp)/(s/)?([^/?#]+\.[^/?#]+/[^#]*)`)

// original returns the address that a copy in an AMP cache is of, or the address
// itself.
func original(address string) string {
	m := ampCache.FindStringSubmatch(address)
	if m == nil {
		return address
	}
	scheme := "http://"
	if m[1] != "" {
		scheme = "https://"
	}
	canonical, err := weburl.Canonical(scheme + m[2])
	if err != nil {
		return address
	}
	return canonical
}

// articleOf returns the canonical address of the article that a page is a twin
// of, "" if it is none.
func articleOf(pageURL string, resp *fetch.Response) string {
	u, err := url.Parse(pageURL)
	if err != nil {
		return ""
	}
	start := resp.Body[:min(len(resp.Body), 1<<10)]
	light := bytes.Contains(start, []byte("⚡")) || bytes.Contains(bytes.ToLower(start), []byte("<html amp"))
	if !light && !isTwinAddress(u) {
		return ""
	}
	h := head.Read(resp.Body, resp.ContentType(), resp.URL)
	article, ok := weburl.SamePage(pageURL, h.Canonical)
	if !ok || article == pageURL || !h.IsAMP && !isTwinAddress(u) {
		return ""
	}
	return article
}

// headBytes is how far the head of most pages reaches.
const headBytes = 32 << 10

// twinsOf returns the addresses of the twins that an article names.
func twinsOf(pageURL string, resp *fetch.Response) []string {
	start := resp.Body[:min(len(resp.Body), headBytes)]
	if !bytes.Contains(start, []byte("amphtml")) && !bytes.Contains(start, []byte("handheld")) && !bytes.Contains(start, []byte("max-width")) {
		return nil
	}
	h := head.Read(start, resp.ContentType(), resp.URL)
	var twins []string
	for _, ref := range []string{h.AMP, h.Mobile} {
		twin, ok := weburl.SamePage(pageURL, ref)
		// A template that names one twin on all pages must not hide another article.
		if ok && twin != pageURL && untwinned(twin) == untwinned(pageURL) {
			twins = append(twins, twin)
		}
	}
	return twins
}

// elsewhere reports whether e's page need not be published, as its article is or
// will be at another address. Its error is a *failure if there is no such page.
func (c *Crawler) elsewhere(ctx context.Context, v *visit, e frontier.Entry, page *news.Page, resp *fetch.Response) (bool, error) {
	other, err := c.sham(ctx, v, page)
	if err != nil {
		return false, err
	}
	if other != "" {
		rec, _, err := c.frontier.Known(ctx, other)
		if err != nil {
			return false, err
		}
		if rec.Published && rec.Outcome != frontier.Gone {
			c.log.Debug("page is at two addresses", "source", e.Source, "url", e.URL, "other", other)
			return true, c.frontier.Mark(ctx, e.URL, frontier.Record{Outcome: frontier.Same, Source: e.Source})
		}
	}
	if article := articleOf(page.URL, resp); article != "" {
		return c.leadOn(ctx, e, article)
	}
	return c.followStub(ctx, e, page, resp)
}

// hideTwins sees to it that the twins that an article names are not fetched.
func (c *Crawler) hideTwins(ctx context.Context, e frontier.Entry, pageURL string, resp *fetch.Response) error {
	for _, twin := range twinsOf(pageURL, resp) {
		_, known, err := c.frontier.Known(ctx, twin)
		if err == nil && !known {
			err = c.frontier.Mark(ctx, twin, frontier.Record{Outcome: frontier.Same, Source: e.Source})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// leadOn asks for the article that e's page is a twin of, and reports whether the
// twin is done with: it is not if the article could not be had.
func (c *Crawler) leadOn(ctx context.Context, e frontier.Entry, article string) (bool, error) {
	if e.Alone {
		return false, nil
	}
	rec, _, err := c.frontier.Offer(ctx, frontier.Entry{URL: article, Source: e.Source, Feed: e.Feed, Twin: e.URL})
	if err != nil {
		return false, err
	}
	switch rec.Outcome {
	case frontier.Failed, frontier.Denied, frontier.Gone, frontier.Old:
		return false, nil
	}
	c.log.Debug("page is the twin of an article", "source", e.Source, "url", e.URL, "article", article)
	return true, c.frontier.Mark(ctx, e.URL, frontier.Record{Outcome: frontier.Same, Source: e.Source})
}

// twinInstead asks for the twin that led to e, as e's page cannot be had.
func (c *Crawler) twinInstead(ctx context.Context, e frontier.Entry) error {
	if e.Twin == "" {
		return nil
	}
	_, err := c.frontier.Add(ctx, frontier.Entry{URL: e.Twin, Source: e.Source, Feed: e.Feed, Alone: true})
	return err
}
