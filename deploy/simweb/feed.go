package simweb

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"strings"
	"time"
)

// feedConfig describes one feed of a site.
type feedConfig struct {
	Path string `yaml:"path"`
	// Kind is rss, rdf, atom or json.
	Kind string `yaml:"kind"`
	// Full feeds carry the whole text, others a lead.
	Full bool `yaml:"full"`
	// Encoding is what the bytes are, Prolog what the XML says, Header what
	// Content-Type says.
	Encoding string `yaml:"encoding"`
	Prolog   string `yaml:"prolog"`
	Header   string `yaml:"header"`
	// Dates is gmt, offset, chinese, naive or iso.
	Dates string `yaml:"dates"`
	// Tracking adds utm_ parameters to the links.
	Tracking bool `yaml:"tracking"`
}

// feed renders a feed of the site's newest articles.
func (s *site) feed(f feedConfig, newest time.Time) (*resource, error) {
	var text, media string
	switch f.Kind {
	case "rss":
		text, media = s.rss(f, newest), "application/rss+xml"
	case "rdf":
		text, media = s.rdf(f), "application/rdf+xml"
	case "atom":
		text, media = s.atom(f, newest), "application/atom+xml"
	case "json":
		b, err := s.jsonFeed(f)
		if err != nil {
			return nil, err
		}
		text, media = string(b), "application/feed+json"
	default:
		return nil, fmt.Errorf("unknown kind %q", f.Kind)
	}
	body, err := encode(text, f.Encoding)
	if err != nil {
		return nil, err
	}
	return &resource{
		kind:        "feed",
		contentType: contentType(media, f.Header),
		body:        body,
		modified:    newest,
		validators:  s.Validators,
		gzip:        s.Gzip,
	}, nil
}

func (f *feedConfig) prolog() string {
	if f.Prolog == "" {
		return `<?xml version="1.0"?>` + "\n"
	}
	return `<?xml version="1.0" encoding="` + f.Prolog + `"?>` + "\n"
}

func (f *feedConfig) date(t time.Time) string {
	switch f.Dates {
	case "gmt":
		return t.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
	case "offset":
		return t.Format(time.RFC1123Z)
	case "chinese":
		return t.Format("2006年01月02日 15:04")
	case "naive":
		return t.Format("2006-01-02 15:04:05")
	default:
		return t.Format(time.RFC3339)
	}
}

func (f *feedConfig) link(a *Article) string {
	if !f.Tracking {
		return a.URL
	}
	joint := "?"
	if strings.Contains(a.URL, "?") {
		joint = "&"
	}
	return a.URL + joint + "utm_source=rss&utm_medium=feed"
}

// content is what the feed carries of an article, as HTML.
func (s *site) content(f feedConfig, a *Article) string {
	if !f.Full {
		return html.EscapeString(lead(a))
	}
	var b strings.Builder
	for _, p := range s.paragraphs(a) {
		b.WriteString("<p>" + string(p) + "</p>\n")
	}
	return b.String()
}

func (s *site) rss(f feedConfig, newest time.Time) string {
	var b strings.Builder
	b.WriteString(f.prolog())
	b.WriteString(`<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>` + "\n")
	element(&b, "title", s.Name)
	element(&b, "link", "http://"+s.Host+"/")
	element(&b, "description", demoNote(s.Lang))
	element(&b, "lastBuildDate", f.date(newest.In(s.zone)))
	for _, a := range s.articles {
		b.WriteString("<item>\n")
		element(&b, "title", a.Title)
		element(&b, "link", f.link(a))
		b.WriteString(`<guid isPermaLink="false">` + escape(s.ID+"-"+a.Name) + "</guid>\n")
		element(&b, "pubDate", f.date(a.Published.In(s.zone)))
		for _, author := range a.Authors {
			element(&b, "dc:creator", author)
		}
		if f.Full {
			element(&b, "description", lead(a))
			b.WriteString("<content:encoded><![CDATA[" + s.content(f, a) + "]]></content:encoded>\n")
		} else {
			element(&b, "description", lead(a))
		}
		b.WriteString("</item>\n")
	}
	b.WriteString("</channel></rss>\n")
	return b.String()
}

func (s *site) rdf(f feedConfig) string {
	var b strings.Builder
	b.WriteString(f.prolog())
	b.WriteString(`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">` + "\n")
	b.WriteString(`<channel rdf:about="http://` + s.Host + f.Path + `">` + "\n")
	element(&b, "title", s.Name)
	element(&b, "link", "http://"+s.Host+"/")
	element(&b, "description", demoNote(s.Lang))
	b.WriteString("<items><rdf:Seq>\n")
	for _, a := range s.articles {
		b.WriteString(`<rdf:li rdf:resource="` + escape(f.link(a)) + `"/>` + "\n")
	}
	b.WriteString("</rdf:Seq></items>\n</channel>\n")
	for _, a := range s.articles {
		b.WriteString(`<item rdf:about="` + escape(f.link(a)) + `">` + "\n")
		element(&b, "title", a.Title)
		element(&b, "link", f.link(a))
		element(&b, "dc:date", f.date(a.Published.In(s.zone)))
		element(&b, "description", lead(a))
		b.WriteString("</item>\n")
	}
	b.WriteString("</rdf:RDF>\n")
	return b.String()
}

func (s *site) atom(f feedConfig, newest time.Time) string {
	var b strings.Builder
	b.WriteString(f.prolog())
	b.WriteString(`<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="` + s.Lang + `">` + "\n")
	element(&b, "title", s.Name)
	element(&b, "subtitle", demoNote(s.Lang))
	element(&b, "id", "http://"+s.Host+f.Path)
	b.WriteString(`<link rel="self" href="http://` + s.Host + f.Path + `"/>` + "\n")
	element(&b, "updated", f.date(newest.In(s.zone)))
	for _, a := range s.articles {
		b.WriteString("<entry>\n")
		element(&b, "title", a.Title)
		b.WriteString(`<link rel="alternate" type="text/html" href="` + escape(f.link(a)) + `"/>` + "\n")
		element(&b, "id", "tag:"+s.Host+",2026:"+a.Name)
		element(&b, "published", f.date(a.Published.In(s.zone)))
		element(&b, "updated", f.date(a.Published.In(s.zone)))
		for _, author := range a.Authors {
			b.WriteString("<author><name>" + escape(author) + "</name></author>\n")
		}
		if f.Full {
			b.WriteString(`<content type="html">` + escape(s.content(f, a)) + "</content>\n")
		} else {
			element(&b, "summary", lead(a))
		}
		b.WriteString("</entry>\n")
	}
	b.WriteString("</feed>\n")
	return b.String()
}

func (s *site) jsonFeed(f feedConfig) ([]byte, error) {
	type author struct {
		Name string `json:"name"`
	}
	type item struct {
		ID            string   `json:"id"`
		URL           string   `json:"url"`
		Title         string   `json:"title"`
		Summary       string   `json:"summary,omitempty"`
		ContentHTML   string   `json:"content_html,omitempty"`
		DatePublished string   `json:"date_published"`
		Authors       []author `json:"authors,omitempty"`
		Language      string   `json:"language"`
	}
	feed := struct {
		Version     string `json:"version"`
		Title       string `json:"title"`
		HomePageURL string `json:"home_page_url"`
		Description string `json:"description"`
		Items       []item `json:"items"`
	}{"https://jsonfeed.org/version/1.1", s.Name, "http://" + s.Host + "/", demoNote(s.Lang), []item{}}
	for _, a := range s.articles {
		it := item{
			ID: s.ID + "-" + a.Name, URL: f.link(a), Title: a.Title, Summary: lead(a),
			DatePublished: f.date(a.Published.In(s.zone)), Language: s.Lang,
		}
		if f.Full {
			it.ContentHTML = s.content(f, a)
		}
		for _, name := range a.Authors {
			it.Authors = append(it.Authors, author{name})
		}
		feed.Items = append(feed.Items, it)
	}
	return json.MarshalIndent(feed, "", " ")
}

func (s *site) sitemap(newest time.Time) *resource {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">` + "\n")
	for _, a := range s.articles {
		b.WriteString("<url><loc>" + escape(a.URL) + "</loc><lastmod>" + a.Published.In(s.zone).Format(time.RFC3339) + "</lastmod></url>\n")
	}
	b.WriteString("</urlset>\n")
	return &resource{kind: "sitemap", contentType: "application/xml", body: []byte(b.String()), modified: newest, validators: s.Validators}
}

func element(b *strings.Builder, name, text string) {
	b.WriteString("<" + name + ">" + escape(text) + "</" + name + ">\n")
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}
