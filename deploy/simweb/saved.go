package simweb

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// SavedPage is one page of a folder of saved pages.
type SavedPage struct {
	ID       string
	URL      string // where the Web serves it
	Site     string // ID of the source in Sources
	Title    string
	Lang     string
	Encoding string // what its bytes are
	Declared string // what its markup says, "" for nothing
	File     string
}

// savedEntry is one element of index.json; fields it does not have are ignored.
type savedEntry struct {
	ID       string `json:"id"`
	File     string `json:"file"`
	Encoding string `json:"encoding"`
	Declared string `json:"declared_charset"`
	URL      string `json:"url"`
	Site     string `json:"site"`
	Title    string `json:"title"`
	Lang     string `json:"lang"`
}

const (
	savedListPath = "/simweb/list.html"
	savedFeedPath = "/simweb/feed.xml"
)

// savedSites makes one site per host of the pages that dir/index.json lists.
func savedSites(dir string, mode CharsetMode) ([]*site, error) {
	index := filepath.Join(dir, "index.json")
	data, err := os.ReadFile(index)
	if err != nil {
		return nil, fmt.Errorf("saved pages: %w", err)
	}
	var entries []savedEntry
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, fmt.Errorf("saved pages: %s: %w", index, err)
	}
	hosts := make(map[string]*site)
	var sites []*site
	for i, e := range entries {
		u, err := savedURL(e)
		if err != nil {
			return nil, fmt.Errorf("saved pages: %s: entry %d: %w", index, i, err)
		}
		if !filepath.IsLocal(e.File) {
			return nil, fmt.Errorf("saved pages: %s: entry %d: file %q is not inside the folder", index, i, e.File)
		}
		file := filepath.Join(dir, e.File)
		info, err := os.Stat(file)
		if err != nil {
			return nil, fmt.Errorf("saved pages: %s: entry %d: %w", index, i, err)
		}
		s := hosts[u.Host]
		if s == nil {
			s = &site{
				siteConfig: siteConfig{ID: "saved-" + strings.ReplaceAll(u.Host, ".", "-"), Host: u.Host, Name: u.Host, Lang: e.Lang, Follow: "feed"},
				zone:       time.UTC,
				resources:  make(map[string]*resource),
			}
			hosts[u.Host] = s
			sites = append(sites, s)
		}
		charset := ""
		switch mode {
		case CharsetDeclared:
			charset = e.Declared
		case CharsetTrue:
			charset = e.Encoding
		}
		s.saved = append(s.saved, SavedPage{
			ID: e.ID, URL: u.String(), Site: s.ID, Title: e.Title, Lang: e.Lang,
			Encoding: e.Encoding, Declared: e.Declared, File: file,
		})
		s.resources[u.RequestURI()] = &resource{
			kind: "saved", contentType: contentType("text/html", charset), file: file,
			modified: info.ModTime(), validators: validateBoth,
		}
	}
	for _, s := range sites {
		if err := s.coverSaved(); err != nil {
			return nil, err
		}
	}
	return sites, nil
}

// savedURL returns where a page is served: its own URL over http, or one made
// from site and ID.
func savedURL(e savedEntry) (*url.URL, error) {
	if e.ID == "" || e.File == "" {
		return nil, fmt.Errorf("id and file are required")
	}
	if e.URL == "" {
		host := e.Site
		if !strings.Contains(host, ".") {
			host += ".example"
		}
		return url.Parse("http://" + strings.ToLower(host) + "/" + url.PathEscape(e.ID) + ".html")
	}
	u, err := url.Parse(e.URL)
	if err != nil {
		return nil, err
	}
	u.Scheme, u.Fragment, u.User = "http", "", nil
	u.Host = strings.ToLower(u.Hostname())
	if u.Host == "" {
		return nil, fmt.Errorf("url %q has no host", e.URL)
	}
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

var savedList = template.Must(template.New("").Parse(`<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{{.Name}}</title></head>
<body><h1>{{.Name}}</h1><ul>
{{range .Saved}}<li><a href="{{.URL}}">{{.Title}}</a></li>
{{end}}</ul></body></html>
`))

// coverSaved puts a list page, a feed and a robots.txt over the saved pages.
func (s *site) coverSaved() error {
	pages := slices.Clone(s.saved)
	var list bytes.Buffer
	if err := savedList.Execute(&list, struct {
		Name  string
		Saved []SavedPage
	}{s.Name, pages}); err != nil {
		return err
	}
	s.resources[savedListPath] = &resource{kind: "list", contentType: "text/html; charset=utf-8", body: list.Bytes(), validators: validateETag}
	var feed strings.Builder
	feed.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<rss version="2.0"><channel>` + "\n")
	element(&feed, "title", s.Name)
	element(&feed, "link", "http://"+s.Host+"/")
	element(&feed, "description", "saved pages")
	for _, p := range pages {
		feed.WriteString("<item>\n")
		element(&feed, "title", p.Title)
		element(&feed, "link", p.URL)
		feed.WriteString(`<guid isPermaLink="false">` + escape(p.ID) + "</guid>\n")
		feed.WriteString("</item>\n")
	}
	feed.WriteString("</channel></rss>\n")
	s.Feeds = []feedConfig{{Path: savedFeedPath}}
	s.List.Path = savedListPath
	s.resources[savedFeedPath] = &resource{kind: "feed", contentType: "application/rss+xml", body: []byte(feed.String()), validators: validateETag}
	s.resources[robotsPath] = s.robots()
	return nil
}

// SavedPages returns the pages of the folder in order of URL.
func (w *Web) SavedPages() []SavedPage {
	w.mu.RLock()
	defer w.mu.RUnlock()
	var all []SavedPage
	for _, s := range w.sites {
		all = append(all, s.saved...)
	}
	slices.SortFunc(all, func(a, b SavedPage) int { return strings.Compare(a.URL, b.URL) })
	return all
}
