package main

import (
	"encoding/json"
	"hash/fnv"
	"regexp"
	"strings"
	"time"
	"unicode"

	"xinwen/extractor/boilerplate"
	"xinwen/extractor/cmd/internal/known"
	"xinwen/extractor/dom"
	"xinwen/extractor/language"
	"xinwen/extractor/metadata"
	"xinwen/news/weburl"
)

// page is a page's ballots with what is known of it.
type page struct {
	id, set, lang, site, url string
	weight                   float64
	ballots                  map[string]*metadata.Ballot
	title, date              string
	authors                  []string
	// unsigned says that whoever read the page looked for authors and found none.
	unsigned bool
}

// readForAuthors are the sets whose pages were all looked at for authors.
var readForAuthors = map[string]bool{"wcxb": true, "cwced": true}

// load reads the pages of which some metadata are known.
func load(data string) ([]*page, error) {
	var pages []*page
	err := known.Each(data, func(l *known.Line) bool {
		return l.Title != "" || l.Date != "" || len(l.Author) > 0
	}, func(l *known.Line, html string) error {
		p, err := read(l, html)
		pages = append(pages, p)
		return err
	})
	return pages, err
}

func read(g *known.Line, html string) (*page, error) {
	d := dom.Parse(html)
	head := metadata.ReadHead(d)
	hints := metadata.Hints(head, g.URL)
	body := boilerplate.Find(d, hints)
	var text strings.Builder
	for _, i := range body.Blocks {
		text.WriteString(d.Blocks[i].Text)
		text.WriteByte('\n')
	}
	declared := ""
	for n := d.Root.FirstChild; n != nil; n = n.NextSibling {
		if l := dom.Attr(n, "lang"); l != "" {
			declared = l
		}
	}
	_, script := language.Detect(text.String(), declared)
	m := metadata.Read(metadata.Input{Doc: d, Head: head, Body: body, URL: g.URL, Script: script, Lang: declared})
	p := &page{id: g.ID, set: g.Set, lang: g.Language(), url: g.URL, weight: 1, ballots: make(map[string]*metadata.Ballot), date: g.Date}
	for i := range m.Ballots {
		p.ballots[m.Ballots[i].Field] = &m.Ballots[i]
	}
	p.site = siteOf(g, hints.Host)
	switch p.lang {
	case "zh":
		p.weight = 3
	case "en":
	default:
		p.weight = 0.5
	}
	// A title that is the whole of the title element, site and all, is no gold.
	if key(g.Title) != key(head.Title) || metadata.StripSite(head.Title, "") == head.Title {
		p.title = key(g.Title)
	}
	var one string
	if json.Unmarshal(g.Author, &one) == nil {
		p.authors = names([]string{one})
	} else {
		var many []string
		if len(g.Author) > 0 {
			if err := json.Unmarshal(g.Author, &many); err != nil {
				return nil, err
			}
		}
		p.authors = names(many)
	}
	p.unsigned = len(p.authors) == 0 && readForAuthors[g.Set]
	return p, nil
}

var reSetPrefix = regexp.MustCompile(`^[^/]*/([A-Za-z0-9.]+?)(?:_\d|_[a-z]|$)`)

func siteOf(g *known.Line, host string) string {
	if s := weburl.RegistrableDomain(host); s != "" {
		return s
	}
	if g.Set == "cx163" {
		return "163"
	}
	if x := reSetPrefix.FindStringSubmatch(g.ID); x != nil {
		return x[1]
	}
	return g.ID
}

func (p *page) fold(n int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(p.site)) // never fails
	return int(h.Sum32() % uint32(n))
}

func (p *page) gold(field string) []string {
	switch {
	case field == metadata.Title && p.title != "":
		return []string{p.title}
	case field == metadata.Published && p.date != "":
		return []string{p.date}
	case field == metadata.Authors:
		return p.authors
	}
	return nil
}

func keyOf(field string, c *metadata.Candidate) string {
	if field == metadata.Published {
		return c.Time.Format(time.DateOnly)
	}
	return key(c.Value)
}

func key(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

var reNames = regexp.MustCompile(`\s*(?:[,;，；、&|/]|\band\b|\bund\b)\s*`)

func names(list []string) []string {
	var out []string
	for _, s := range list {
		for _, x := range reNames.Split(s, -1) {
			if k := key(strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(x), "By "), "by ")); k != "" {
				out = append(out, k)
			}
		}
	}
	return out
}
