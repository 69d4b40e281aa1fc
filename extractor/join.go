package extractor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/extractor/part"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/weburl"
)

// maxJoined is how long the text of an article of several pages gets, in bytes;
// what the record of its pages takes in KV stays below maxRecord.
const (
	maxJoined = 400 << 10
	maxRecord = 850 << 10
)

// record is what is known of an article of several pages. It lives in the bucket
// "parts" under the ID of the first page, so that any extractor can go on with
// it, and changes only by compare and swap.
type record struct {
	Version int `json:"v"`
	// Article is the ID of First, so that it can be erased.
	Article string `json:"article,omitempty"`
	// Address is that of the first page.
	Address string `json:"address"`
	// First is the article as its first page has it, nil until that is there.
	First *news.Article `json:"first,omitempty"`
	// Further are the pages that are known of, Parts those that are there.
	Further []part.Page `json:"further"`
	Parts   []piece     `json:"parts,omitempty"`
	// Asked are the addresses that the crawler has been asked for since First was
	// fetched.
	Asked []string `json:"asked,omitempty"`
	// Changes counts the changes of what the joined text is made of: each gives a
	// newer revision.
	Changes int64 `json:"changes"`
}

// piece is a further page of an article.
type piece struct {
	part.Page
	Fetched int64        `json:"fetched"` // Unix milliseconds
	Text    string       `json:"text"`
	Links   []news.Link  `json:"links,omitempty"`
	Images  []news.Image `json:"images,omitempty"`
	Gaps    []int        `json:"gaps,omitempty"`
}

// join brings the pages of one article together: it keeps what p, which a was
// made of, has of it, asks the crawler for what is missing, and returns the
// article as far as it is there. It returns nil if p is a further page whose
// first is not there yet; an article that has one page only is returned as it is.
func (x *Extractor) join(ctx context.Context, p *news.Page, a *news.Article, s part.Series) (*news.Article, error) {
	id, further := p.ID, false
	switch {
	case p.Parent == p.ID && p.RequestURL == "":
		// The first page, asked for since a further one was there before it.
	case p.Parent != "":
		id, further = p.Parent, true
	case s.First != "":
		id, further = weburl.ID(s.First), true
	case a.Deleted, len(s.Further) > 0 && s.Number <= 1:
	default:
		return a, nil
	}
	kv, key := x.bus.KV(bus.KVParts), bus.Key(id)
	for {
		r, revision, err := readRecord(ctx, kv, key)
		if err != nil {
			return nil, err
		}
		before := r.Changes
		switch {
		case a.Deleted:
			if revision == 0 || further {
				return a, nil
			}
			err = kv.Delete(ctx, key, jetstream.LastRevision(revision))
			if err == nil {
				return a, nil
			}
		case further && !r.addPart(p, a, s):
			x.log.Debug("page is no further part of its article", "url", p.URL, "article_id", id)
			return nil, nil
		case !further && len(s.Further) == 0 && len(r.Further) == 0:
			return a, nil
		case !further && !r.setFirst(p, a, s):
			return a, nil // older than what is there
		default:
			urls := r.missing(p, r.Changes == before)
			if err = writeRecord(ctx, kv, key, r, revision); err == nil {
				return r.joined(), x.ask(ctx, p, urls, id, r.generation())
			}
		}
		if !isConflict(err) {
			return nil, fmt.Errorf("parts of %s: %w", id, err)
		}
		// Another extractor has changed it meanwhile.
	}
}

func readRecord(ctx context.Context, kv jetstream.KeyValue, key string) (*record, uint64, error) {
	e, err := kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return &record{Version: news.Version}, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("parts: %w", err)
	}
	r := &record{}
	if err := json.Unmarshal(e.Value(), r); err != nil || r.Version > news.Version {
		return &record{Version: news.Version}, e.Revision(), nil // as good as none
	}
	return r, e.Revision(), nil
}

func writeRecord(ctx context.Context, kv jetstream.KeyValue, key string, r *record, revision uint64) error {
	data, err := json.Marshal(r)
	if err != nil {
		return bus.Permanent(err)
	}
	if revision == 0 {
		_, err = kv.Create(ctx, key, data)
	} else {
		_, err = kv.Update(ctx, key, data, revision)
	}
	return err
}

// isConflict reports whether a key was changed since it was read.
func isConflict(err error) bool {
	var api *jetstream.APIError
	return errors.Is(err, jetstream.ErrKeyExists) || errors.As(err, &api) && api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence
}

// setFirst takes the first page in. It reports false if a newer one is there.
func (r *record) setFirst(p *news.Page, a *news.Article, s part.Series) bool {
	if r.First != nil {
		if a.Revision < r.First.Revision {
			return false
		}
		if a.Revision == r.First.Revision && a.Text == r.First.Text {
			return true // the same again
		}
	}
	r.Address, r.Article, r.First, r.Asked = p.URL, a.ID, a, nil
	if len(s.Further) < 2 { // it may show only the next one
		s.Further = part.Join(s.Further, r.Further)
	}
	r.Further = s.Further
	r.Changes++
	return true
}

// addPart takes a further page in. It reports false if p is none of the article.
func (r *record) addPart(p *news.Page, a *news.Article, s part.Series) bool {
	if r.Address == "" {
		if r.Address = s.First; r.Address == "" {
			return false // it does not say of what
		}
	}
	own := part.Page{URL: p.URL}
	ok := false
	if own.Number, ok = part.Number(r.Address, p.URL); !ok {
		return false // it led elsewhere, such as back to the first
	}
	r.Further = part.Join(r.Further, append(s.Further, own))
	if !slices.Contains(r.Further, own) {
		i := slices.IndexFunc(r.Further, func(q part.Page) bool { return q.Number == own.Number })
		if i < 0 {
			return false // one too many
		}
		own = r.Further[i]
	}
	c := piece{Page: own, Fetched: a.Revision, Text: a.Text, Links: a.Links, Images: a.Images, Gaps: a.Gaps}
	i := slices.IndexFunc(r.Parts, func(q piece) bool { return q.Number == own.Number })
	switch {
	case i < 0:
		if r.size()+len(c.Text) > maxJoined {
			return true // too long: it is asked for, but left out
		}
		r.Parts = append(r.Parts, c)
		slices.SortFunc(r.Parts, func(a, b piece) int { return a.Number - b.Number })
	case c.Fetched < r.Parts[i].Fetched, c.Fetched == r.Parts[i].Fetched && c.Text == r.Parts[i].Text:
		return true
	default:
		r.Parts[i] = c
	}
	r.Changes++
	if data, err := json.Marshal(r); err != nil || len(data) > maxRecord {
		r.Parts = slices.DeleteFunc(r.Parts, func(q piece) bool { return q.Number == own.Number })
	}
	return true
}

func (r *record) size() int {
	n := 0
	if r.First != nil {
		n = len(r.First.Text)
	}
	for i := range r.Parts {
		n += len(r.Parts[i].Text)
	}
	return n
}

// generation is the revision of the first page that parts belong to.
func (r *record) generation() int64 {
	if r.First == nil {
		return 0
	}
	return r.First.Revision
}

// missing returns the addresses to ask the crawler for, and notes that they are:
// pages that are not there or older than the first page, unless they have been
// asked for. A page that comes again, since it was not acknowledged, may have
// been noted without having been asked for. What was not crawled is not asked
// for.
func (r *record) missing(p *news.Page, again bool) []string {
	if p.Import {
		return nil
	}
	var urls []string
	if r.First == nil {
		urls = []string{r.Address}
	} else {
		for _, f := range r.Further {
			i := slices.IndexFunc(r.Parts, func(q piece) bool { return q.Number == f.Number })
			if i < 0 || r.Parts[i].Fetched < r.First.Revision {
				urls = append(urls, f.URL)
			}
		}
	}
	var out []string
	for _, u := range urls {
		known := slices.Contains(r.Asked, u)
		if !known {
			r.Asked = append(r.Asked, u)
		}
		if !known || again {
			out = append(out, u)
		}
	}
	return out
}

// ask asks the crawler for pages. Within the stream's duplicate window it does
// so once.
func (x *Extractor) ask(ctx context.Context, p *news.Page, urls []string, id string, generation int64) error {
	for _, u := range urls {
		data, err := json.Marshal(asked{Version: news.Version, URL: u, Source: p.Source, Parent: id, Revisit: true})
		if err != nil {
			return bus.Permanent(err)
		}
		m := &bus.Message{
			Subject: bus.SubjectFetch + bus.Token(weburl.Host(u)),
			ID:      fmt.Sprintf("ask.%s.%s.%d", id, weburl.ID(u), generation),
			Data:    data,
		}
		if err := x.bus.Publish(ctx, m); err != nil {
			return err
		}
		x.metrics.asked.Inc()
	}
	return nil
}

// asked is an entry of FRONTIER as the crawler reads it. Revisit makes it fetch
// a page that is known already.
type asked struct {
	Version int    `json:"v"`
	URL     string `json:"url"`
	Source  string `json:"source"`
	Parent  string `json:"parent"`
	Revisit bool   `json:"revisit"`
}

// joined returns the article with the text of all pages that are there, nil if
// the first is not.
func (r *record) joined() *news.Article {
	if r.First == nil {
		return nil
	}
	j := newJoiner(r.First)
	a := j.article
	missing := 0
	for _, f := range r.Further {
		i := slices.IndexFunc(r.Parts, func(q piece) bool { return q.Number == f.Number })
		if i < 0 {
			missing++
			continue
		}
		a.Revision = max(a.Revision, r.Parts[i].Fetched)
		if j.add(&r.Parts[i]) {
			a.Parts = append(a.Parts, f.URL)
		}
	}
	a.Text = j.text.String()
	a.Revision += r.Changes
	if missing > 0 {
		a.Warnings = append(slices.Clone(a.Warnings), fmt.Sprintf("parts-missing: %d of the article's %d pages are not here", missing, len(r.Further)+1))
	}
	return a
}

// joiner appends text, paragraph by paragraph, and moves offsets along.
type joiner struct {
	article *news.Article
	text    strings.Builder
	runes   int
	seen    map[string]bool
}

func newJoiner(first *news.Article) *joiner {
	a := *first
	a.Links, a.Images, a.Gaps = slices.Clone(a.Links), slices.Clone(a.Images), slices.Clone(a.Gaps)
	j := &joiner{article: &a, seen: map[string]bool{a.Title: true}}
	j.text.WriteString(a.Text)
	j.runes = utf8.RuneCountInString(a.Text)
	for line := range strings.SplitSeq(a.Text, "\n") {
		j.seen[line] = true
	}
	return j
}

// add appends the paragraphs of p that are not there yet, as leads and notices
// are that each page repeats, and reports whether there were any.
func (j *joiner) add(p *piece) bool {
	added := false
	at := 0 // of the line in the part, in code points
	for line := range strings.SplitSeq(p.Text, "\n") {
		n := utf8.RuneCountInString(line)
		from := at
		at += n + 1
		if line == "" || j.seen[line] && n > 6 {
			continue
		}
		j.seen[line] = true
		added = true
		if j.runes > 0 {
			j.text.WriteByte('\n')
			j.runes++
		}
		for _, l := range p.Links {
			if l.Start >= from && l.End <= from+n && len(j.article.Links) < maxLinks {
				l.Start, l.End = l.Start-from+j.runes, l.End-from+j.runes
				j.article.Links = append(j.article.Links, l)
			}
		}
		for _, g := range p.Gaps {
			if g >= from && g <= from+n {
				j.article.Gaps = append(j.article.Gaps, g-from+j.runes)
			}
		}
		j.text.WriteString(line)
		j.runes += n
	}
	for _, i := range p.Images {
		if !slices.ContainsFunc(j.article.Images, func(k news.Image) bool { return k.URL == i.URL }) {
			j.article.Images = append(j.article.Images, i)
		}
	}
	return added
}
