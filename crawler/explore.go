package crawler

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"xinwen/crawler/feed"
	"xinwen/crawler/fetch"
	"xinwen/crawler/head"
	"xinwen/crawler/sitemap"
	"xinwen/crawler/source"
	"xinwen/news"
	"xinwen/news/han"
	"xinwen/news/weburl"
)

// explore looks what there is to follow at an address that somebody gave: a feed,
// a sitemap, a list page or a site's home. Each way that it finds is asked once.
func (c *Crawler) explore(ctx context.Context, address string) (*news.Discovery, error) {
	began := time.Now()
	guessed := !strings.Contains(address, "://")
	address, err := completeAddress(address)
	if err != nil {
		return nil, err
	}
	src := &source.Source{ID: "discovery", Home: address, Enabled: true, Delay: source.DefaultDelay}
	d := &news.Discovery{URL: address, Candidates: []news.Probe{}}
	v := &visit{crawler: c, source: src, urgent: true, robots: true}
	defer v.end()
	const accept = acceptFeed + ", text/html"
	resp, got := v.get(ctx, fetch.Request{URL: address, Accept: accept})
	var fe *fetch.Error
	if guessed && errors.As(got, &fe) && (fe.Kind == fetch.KindConnect || fe.Kind == fetch.KindTLS || fe.Kind == fetch.KindProtocol) {
		plain := "http" + strings.TrimPrefix(address, "https")
		if r, err := v.get(ctx, fetch.Request{URL: plain, Accept: accept}); err == nil {
			address, resp, got = plain, r, nil
			d.URL, src.Home = plain, plain
		}
	}
	v.end()
	at := address
	if got == nil {
		at = resp.URL
	}
	d.Home = originOf(at)
	src.Home = at
	take := func(kind, u string) {
		w := way{kind: kind, url: u}
		if kind == kindListPage {
			w.list = &source.ListPage{URL: u, Pages: 1}
		}
		if !slices.ContainsFunc(d.Candidates, func(p news.Probe) bool { return p.URL == u }) && ctx.Err() == nil {
			d.Candidates = append(d.Candidates, c.probe(ctx, src, w))
		}
	}
	switch kind, home := kindOf(resp, got); kind {
	case kindFeed:
		if home != "" {
			d.Home = originOf(home)
		}
		take(kindFeed, at)
	case kindSitemap:
		take(kindSitemap, at)
	default:
		found, err := c.searchFrom(ctx, v, resp, got)
		if err != nil {
			d.Remarks = append(d.Remarks, remarks(err)...)
		}
		for _, w := range found.ways() {
			take(w.kind, w.url)
		}
		if got == nil {
			take(kindListPage, at)
		}
	}
	if ctx.Err() != nil {
		d.Remarks = append(d.Remarks, "there was no time to look at everything")
	}
	slices.SortStableFunc(d.Candidates, func(a, b news.Probe) int { return cmp.Compare(tierRank(a.Tier), tierRank(b.Tier)) })
	// A page without links to articles is no list page; that needs no telling.
	d.Candidates = slices.DeleteFunc(d.Candidates, func(p news.Probe) bool { return p.Kind == kindListPage && p.Items == 0 })
	c.propose(d, resp)
	d.Took = time.Since(began).Round(time.Millisecond).String()
	return d, nil
}

// completeAddress returns what somebody typed as an address.
func completeAddress(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s != "" && !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return "", &failure{errors.New("that is not the address of a site or feed"), "write it as in a browser, such as https://news.example/"}
	}
	if _, err := weburl.Canonical(s); err != nil {
		return "", &failure{err, "write it as in a browser, such as https://news.example/"}
	}
	u.Fragment = ""
	if u.Path == "" {
		u.Path = "/"
	}
	return u.String(), nil
}

// kindOf returns what an answer is, and of a feed the page that it belongs to.
func kindOf(resp *fetch.Response, err error) (kind, home string) {
	if err != nil {
		return "", ""
	}
	if f, err := feed.Parse(resp.Body, resp.ContentType(), resp.URL); err == nil {
		return kindFeed, f.Home
	}
	if s, err := sitemap.Parse(resp.Body, resp.ContentType(), resp.URL, sitemap.Options{Since: time.Now()}); err == nil && s.Kind != sitemap.Feed {
		return kindSitemap, ""
	}
	return "", ""
}

func originOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.Scheme + "://" + u.Host + "/"
}

// remarks returns the reasons in err, each with what to do.
func remarks(err error) []string {
	var list []string
	var several interface{ Unwrap() []error }
	if errors.As(err, &several) {
		for _, e := range several.Unwrap() {
			list = append(list, remarks(e)...)
		}
		return list
	}
	var fe *fetch.Error
	if errors.As(err, &fe) {
		return []string{fe.URL + ": " + fe.Err.Error() + "; " + fe.Hint}
	}
	return []string{err.Error()}
}

// propose names the source that d could become.
func (c *Crawler) propose(d *news.Discovery, front *fetch.Response) {
	u, err := url.Parse(d.Home)
	if err != nil {
		return
	}
	domain := weburl.RegistrableDomain(u.Hostname())
	set, _ := c.sources.Current()
	for _, src := range set.All() {
		if home, err := url.Parse(src.Home); err == nil && src.Home != "" && weburl.RegistrableDomain(home.Hostname()) == domain {
			d.Followed = src.ID
			break
		}
	}
	d.ID = freeID(set, slug(u))
	d.Name = cmp.Or(titleOf(front), strings.TrimPrefix(u.Hostname(), "www."))
	var text strings.Builder
	for _, p := range d.Candidates {
		text.WriteString(strings.Join(p.Titles, " "))
	}
	d.Script = han.Script(cmp.Or(text.String(), d.Name))
	switch d.Script {
	case news.ScriptHans, news.ScriptHant, news.ScriptMixed:
		d.Lang = "zh"
	case news.ScriptLatn:
		d.Lang = "en"
	}
}

// slug makes an ID of a host: its registrable domain without the suffix.
func slug(u *url.URL) string {
	host := u.Hostname()
	if net.ParseIP(host) == nil {
		host, _, _ = strings.Cut(weburl.RegistrableDomain(host), ".")
	}
	id := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(host))
	id = strings.Join(strings.FieldsFunc(id, func(r rune) bool { return r == '-' }), "-")
	return cmp.Or(id, "source")
}

// titleOf returns what a feed or a front page calls itself.
func titleOf(resp *fetch.Response) string {
	if resp == nil {
		return ""
	}
	if f, err := feed.Parse(resp.Body, resp.ContentType(), resp.URL); err == nil {
		return f.Title
	}
	title := siteName(head.Read(resp.Body, resp.ContentType(), resp.URL).Title)
	if r := []rune(title); len(r) > 60 {
		return string(r[:60])
	}
	return title
}

// between parts the name of a site from what the page is about.
var between = regexp.MustCompile(`\s+[-–—|·:]\s+|[|_｜－]`)

// plain are parts of a title that name no site.
var plain = []string{"news", "home", "homepage", "latest", "latest news", "首页", "首頁", "新闻", "新聞", "资讯", "資訊"}

// siteName returns the part of a front page's title that names the site: the
// first, mostly.
func siteName(title string) string {
	for _, part := range between.Split(title, -1) {
		if part = strings.TrimSpace(part); part != "" && !slices.Contains(plain, strings.ToLower(part)) {
			return part
		}
	}
	return strings.TrimSpace(title)
}
