package simweb

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	robotsPath  = "/robots.txt"
	sitemapPath = "/sitemap.xml"
)

// siteConfig is how sites.yaml describes a site.
type siteConfig struct {
	ID       string `yaml:"id"`
	Host     string `yaml:"host"`
	Name     string `yaml:"name"`
	Lang     string `yaml:"lang"`     // zh-Hans, zh-Hant or en
	Template string `yaml:"template"` // in templates/
	Zone     string `yaml:"zone"`
	// Encoding is what the bytes of pages are, Declare what their markup says,
	// Header what Content-Type says ("" for nothing).
	Encoding string `yaml:"encoding"`
	Declare  string `yaml:"declare"`
	Header   string `yaml:"header"`
	// Path is the pattern of article paths: {name}, or {n} for a number.
	Path string `yaml:"path"`
	// Shows names what pages tell besides title and text: authors, reporter,
	// editor, credit, day (the date without the time).
	Shows []string `yaml:"shows"`
	// Links says how pages link keywords: "", "first" or "every".
	Links      string       `yaml:"links"`
	Feeds      []feedConfig `yaml:"feeds"`
	List       listConfig   `yaml:"list"`
	Robots     robotsConfig `yaml:"robots"`
	Validators validators   `yaml:"validators"`
	Gzip       bool         `yaml:"gzip"`
	// Follow is what a source for this site names: "feed" or "list".
	Follow string `yaml:"follow"`
}

// listConfig describes a site's list pages.
type listConfig struct {
	Path    string `yaml:"path"`
	PerPage int    `yaml:"per_page"`
}

// robotsConfig describes a site's robots.txt.
type robotsConfig struct {
	Status     int      `yaml:"status"` // 0 means 200
	Disallow   []string `yaml:"disallow"`
	CrawlDelay int      `yaml:"crawl_delay"`
	Sitemap    bool     `yaml:"sitemap"`
}

// site is one host with everything it answers.
type site struct {
	siteConfig
	zone      *time.Location
	articles  []*Article // newest first
	gone      []string   // paths of removed articles
	saved     []SavedPage
	resources map[string]*resource
	// build renders resources from articles; nil where they are fixed.
	build func() error
	// make makes a resource when it is asked for; nil where all are in resources.
	make func(path string) *resource
}

// lookup finds what a URL answers; tracking parameters do not matter.
func (s *site) lookup(u *url.URL) (*resource, bool) {
	r, ok := s.resources[pathOf(stripTracking(u.RequestURI()))]
	if !ok && s.make != nil {
		r = s.make(u.Path)
		ok = r != nil
	}
	return r, ok
}

// disallows reports whether the site's robots.txt forbids a path.
func (s *site) disallows(path string) bool {
	return slices.ContainsFunc(s.Robots.Disallow, func(p string) bool { return strings.HasPrefix(path, p) })
}

// complete fills in what the site decides of an article.
func (s *site) complete(a *Article) {
	a.URL = "http://" + s.Host + strings.NewReplacer("{name}", a.Name, "{n}", number(a.Name)).Replace(s.Path)
	a.Publisher = s.Name
	a.Lang, a.Script = langScript(s.Lang)
	if !s.shows("authors") {
		a.Authors = nil
	}
	if !s.shows("reporter") {
		a.Reporter = ""
	}
	if !s.shows("editor") {
		a.Editor = ""
	}
	if !s.shows("credit") {
		a.Credit = ""
	}
	a.DateOnly = s.shows("day")
}

func (s *site) shows(what string) bool { return slices.Contains(s.Shows, what) }

// publish adds or replaces an article and renders the site again.
func (s *site) publish(a *Article) error {
	s.complete(a)
	s.articles = slices.DeleteFunc(s.articles, func(b *Article) bool { return b.Name == a.Name })
	s.articles = append(s.articles, a)
	s.gone = slices.DeleteFunc(s.gone, func(p string) bool { return p == pathOf(a.URL) })
	return s.build()
}

// number makes a stable six-digit number of a name, as content systems put it
// into URLs.
func number(name string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name)) // a hash takes everything
	return strconv.Itoa(100000 + int(h.Sum32()%900000))
}

// render makes every resource of a demo site.
func (s *site) render() error {
	slices.SortStableFunc(s.articles, func(a, b *Article) int {
		if c := b.Published.Compare(a.Published); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	s.resources = make(map[string]*resource)
	newest := time.Unix(0, 0)
	if len(s.articles) > 0 {
		newest = s.articles[0].Published
	}
	for i, a := range s.articles {
		pages, paths := s.parts(i)
		for k := range pages {
			if err := s.put(paths[k], "article", s.Template, pages[k], a.Published); err != nil {
				return err
			}
		}
	}
	if err := s.renderLists(newest); err != nil {
		return err
	}
	for _, p := range s.Robots.Disallow {
		data := pageData{Site: s, Paragraphs: nil}
		if err := s.put(p+"draft.html", "forbidden", "forbidden", data, newest); err != nil {
			return err
		}
	}
	for _, f := range s.Feeds {
		r, err := s.feed(f, newest)
		if err != nil {
			return fmt.Errorf("site %s: feed %s: %w", s.ID, f.Path, err)
		}
		s.resources[f.Path] = r
	}
	s.resources[robotsPath] = s.robots()
	s.resources[sitemapPath] = s.sitemap(newest)
	return nil
}

func (s *site) renderLists(newest time.Time) error {
	per := s.List.PerPage
	pages := max(1, (len(s.articles)+per-1)/per)
	address := func(n int) string {
		switch {
		case n < 1 || n > pages:
			return ""
		case n == 1:
			return s.List.Path
		default:
			return s.List.Path + "?page=" + strconv.Itoa(n)
		}
	}
	for n := 1; n <= pages; n++ {
		data := pageData{
			Site:  s,
			Items: s.articles[(n-1)*per : min(n*per, len(s.articles))],
			Page:  n, Pages: pages, Prev: address(n - 1), Next: address(n + 1),
		}
		if err := s.put(address(n), "list", s.Template+"-list", data, newest); err != nil {
			return err
		}
	}
	s.resources["/"] = s.resources[s.List.Path]
	return nil
}

// put renders a template into the site's encoding.
func (s *site) put(path, kind, tmpl string, data pageData, modified time.Time) error {
	var buf bytes.Buffer
	if err := templates.ExecuteTemplate(&buf, tmpl, data); err != nil {
		return fmt.Errorf("site %s: %s: %w", s.ID, path, err)
	}
	body, err := encode(buf.String(), s.Encoding)
	if err != nil {
		return fmt.Errorf("site %s: %s: %w", s.ID, path, err)
	}
	s.resources[path] = &resource{
		kind:        kind,
		contentType: contentType("text/html", s.Header),
		body:        body,
		modified:    modified,
		validators:  s.Validators,
		gzip:        s.Gzip,
	}
	return nil
}

func (s *site) robots() *resource {
	r := &resource{kind: "robots", status: s.Robots.Status, contentType: "text/plain; charset=utf-8"}
	if s.Robots.Status != 0 {
		r.body = []byte("no robots.txt here\n")
		return r
	}
	var b strings.Builder
	b.WriteString("# " + s.Name + "\nUser-agent: *\n")
	for _, p := range s.Robots.Disallow {
		b.WriteString("Disallow: " + p + "\n")
	}
	if s.Robots.CrawlDelay > 0 {
		fmt.Fprintf(&b, "Crawl-delay: %d\n", s.Robots.CrawlDelay)
	}
	if len(s.Robots.Disallow) == 0 {
		b.WriteString("Allow: /\n")
	}
	if s.Robots.Sitemap {
		b.WriteString("\nSitemap: http://" + s.Host + sitemapPath + "\n")
	}
	r.body = []byte(b.String())
	return r
}

// contentType joins a media type and a charset, if there is one.
func contentType(media, charset string) string {
	if charset == "" {
		return media
	}
	return media + "; charset=" + charset
}

// pathOf returns the path and query of an absolute URL or of a request URI.
func pathOf(raw string) string {
	if rest, ok := strings.CutPrefix(raw, "http://"); ok {
		if i := strings.IndexByte(rest, '/'); i >= 0 {
			return rest[i:]
		}
		return "/"
	}
	return raw
}

// stripTracking removes utm_ parameters from a URL.
func stripTracking(raw string) string {
	path, query, ok := strings.Cut(raw, "?")
	if !ok || !strings.Contains(query, "utm_") {
		return raw
	}
	kept := slices.DeleteFunc(strings.Split(query, "&"), func(p string) bool { return strings.HasPrefix(p, "utm_") })
	if len(kept) == 0 {
		return path
	}
	return path + "?" + strings.Join(kept, "&")
}
