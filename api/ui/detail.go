package ui

import (
	"net/url"
	"strconv"
	"strings"

	"xinwen/indexer/query"
	"xinwen/news"
)

// detail adds what an article is about, and how its text came about.
func (u *UI) detail(p *articlePage, a *news.Article, d display, lang int) {
	for _, t := range a.Topics {
		p.Topics = append(p.Topics, Topic{topicName(t.ID, lang), d.text(strings.Join(t.Evidence, say(lang, "comma")), a.Lang, a.Script)})
	}
	for _, k := range a.Keywords {
		p.Keywords = append(p.Keywords, Link{Label: d.text(k, a.Lang, a.Script), URL: state{Q: query.Phrase{Value: k}.String()}.URL()})
	}
	for _, i := range a.Images {
		if address := web(i.URL); address != "" {
			p.Pictures = append(p.Pictures, Picture{address, or(d.text(i.Caption, a.Lang, a.Script), address)})
		}
	}
	for i, part := range a.Parts {
		if address := web(part); address != "" {
			p.Parts = append(p.Parts, Link{Label: say(lang, "part-n", i+2), URL: address})
		}
	}
	for _, s := range a.Stripped {
		p.Stripped = append(p.Stripped, Block{say(lang, strippedKey(s.Why)), d.text(s.Text, a.Lang, a.Script)})
	}
	p.Gaps = len(a.Gaps)
	if len(p.Stripped) > 0 || p.Gaps > 0 {
		p.Repaired = say(lang, "repaired", len(p.Stripped), p.Gaps)
	}
	if u.o.Revisions != nil {
		p.Revisions = "/article/" + url.PathEscape(a.ID) + "/revisions"
	}
}

// topics are the IDs of topics that have names.
var topics = []string{
	"export-control", "capacity", "prices", "earnings", "mergers-acquisitions", "funding", "product-launch", "process-technology", "packaging", "memory",
	"equipment", "materials", "ai-chips", "automotive", "policy", "litigation", "people",
}

func topicName(id string, lang int) string {
	if m, ok := catalogue["topic-"+id]; ok {
		return m[lang]
	}
	return id // of a newer extractor
}

// reasonsStripped are why blocks are left out.
var reasonsStripped = []string{"related", "share", "comments", "disclaimer", "spam", "repeated", "boilerplate"}

func strippedKey(why string) string {
	if _, ok := catalogue["stripped-"+why]; ok {
		return "stripped-" + why
	}
	return "stripped-boilerplate"
}

// places are where metadata is found.
var places = []string{"json-ld", "meta", "microdata", "heading", "byline", "template", "title", "url", "feed", "text"}

// basis says what a value rests on.
func basis(p news.Provenance, lang int) string {
	if len(p.From) == 0 {
		return ""
	}
	var from []string
	for _, place := range p.From {
		name := place // of a newer extractor
		if m, ok := catalogue["place-"+place]; ok {
			name = m[lang]
		}
		from = append(from, name)
	}
	return say(lang, "basis", strings.Join(from, say(lang, "comma")), strconv.Itoa(int(100*p.Confidence+.5)))
}
