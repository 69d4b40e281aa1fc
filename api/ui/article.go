package ui

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
)

type articlePage struct {
	ID         string
	Title      []Segment
	Paragraphs [][]Segment
	Lang       string
	Source     string
	Original   string
	Host       string
	Facts      []Fact
	Groups     []Group
	Warnings   []string
	Published  string
	Machine    string
	JSON       string
	SourceURL  string
	Story      *Link
	Similar    []Hit
	Topics     []Topic
	Keywords   []Link
	Pictures   []Picture
	Parts      []Link
	Stripped   []Block
	Gaps       int
	Repaired   string // one line on what was
	Revisions  string // where earlier ones are compared
}

// Topic is what an article is about, and the words that this rests on.
type Topic struct{ Label, Evidence string }

// Picture is a picture of an article. It is not shown: it would be asked of
// another host.
type Picture struct{ URL, Caption string }

// Block is a part of the page that is not part of the article.
type Block struct{ Why, Text string }

// Fact is one line of an article's metadata.
type Fact struct {
	Key     string // of its name in the catalogue
	Value   string
	Machine string // of a time
	Note    string
	Basis   string // where it was found on the page
}

// Group is the mentions of one kind.
type Group struct {
	Kind  string
	Links []Link
}

func (u *UI) article(w http.ResponseWriter, r *http.Request) {
	lang := languageOf(r)
	a, err := u.o.Searcher.Article(r.Context(), r.PathValue("id"))
	if errors.Is(err, search.ErrNotFound) {
		u.message(w, r, http.StatusNotFound, "gone-title", "gone-hint")
		return
	}
	if err != nil {
		u.failure(w, r, err)
		return
	}
	d := displayOf(r)
	title := or(d.text(a.Title, a.Lang, a.Script), say(lang, "untitled"))
	names := u.o.SourceNames(r.Context())
	p := articlePage{
		ID: a.ID, Lang: d.tag(a.Lang, a.Script), Original: web(a.URL),
		Source: or(a.Publisher, names[a.Source], a.Source), SourceURL: state{}.toggle("source", a.Source).URL(),
		Warnings: a.Warnings, Groups: u.groups(a, d, lang), JSON: "/v1/articles/" + url.PathEscape(a.ID),
	}
	if o, err := url.Parse(p.Original); err == nil {
		p.Host = o.Host
	}
	var spans []span
	for i := range a.Mentions {
		m := &a.Mentions[i]
		kind := kindOf(m.Kind)
		s := span{start: m.Start, end: m.End, Kind: kind}
		if m.Entity != "" {
			s.URL, s.Label = entityURL(m.Entity), u.entityName(lang, m.Entity)
		} else {
			s.Label = m.Value
		}
		if kind != "" {
			spans = append(spans, s)
		}
	}
	titleRunes := utf8.RuneCountInString(a.Title)
	for _, at := range a.Gaps {
		spans = append(spans, span{start: titleRunes + 1 + at, end: titleRunes + 1 + at, Gap: true})
	}
	slices.SortStableFunc(spans, func(a, b span) int { return a.start - b.start })
	inTitle := 0
	for inTitle < len(spans) && spans[inTitle].start < titleRunes {
		inTitle++
	}
	p.Title = segments(title, slices.Clone(spans[:inTitle]))
	p.Paragraphs = paragraphs([]rune(d.text(a.Text, a.Lang, a.Script)), titleRunes+1, spans[inTitle:])
	p.Published, p.Machine = u.stamp(a.Published)
	p.Facts = u.facts(a, lang)
	u.detail(&p, a, d, lang)
	p.Story, p.Similar = u.storyOf(r.Context(), a.ID, lang), u.similar(r, a.ID, names)
	u.render(w, r, http.StatusOK, "article.html", page{Title: title, Data: p})
}

// storyOf returns where the story of an article is told, if others tell it too.
func (u *UI) storyOf(ctx context.Context, id string, lang int) *Link {
	teller, ok := u.o.Searcher.(search.Storyteller)
	if !ok {
		return nil
	}
	res, err := u.o.Searcher.Search(ctx, search.Request{Query: query.Keyword{Field: query.FieldID, Value: id}.String()})
	if err != nil {
		u.o.Logger.Debug("story of an article unknown", "article_id", id, "err", err)
		return nil
	}
	i := slices.IndexFunc(res.Hits, func(h search.Hit) bool { return h.ID == id })
	if i < 0 || res.Hits[i].Story == "" {
		return nil
	}
	st, err := teller.Story(ctx, res.Hits[i].Story)
	if err != nil || st.Total < 2 {
		return nil
	}
	return &Link{Label: say(lang, "story-of", st.Total, len(st.Languages)), URL: storyURL(st.ID)}
}

// similarSize is the number of similar articles shown.
const similarSize = 5

// similar returns the articles most like one; nothing where the index cannot
// say.
func (u *UI) similar(r *http.Request, id string, names map[string]string) []Hit {
	resembler, ok := u.o.Searcher.(search.Resembler)
	if !ok {
		return nil
	}
	res, err := resembler.Similar(r.Context(), search.SimilarRequest{ID: id, Size: similarSize})
	if err != nil {
		u.o.Logger.Debug("similar articles unknown", "article_id", id, "err", err)
		return nil
	}
	return u.hits(r, res.Hits, names)
}

// facts lists what is known of an article.
func (u *UI) facts(a *news.Article, lang int) []Fact {
	var out []Fact
	add := func(key, value string) {
		if value != "" {
			out = append(out, Fact{Key: key, Value: value, Basis: basis(a.Provenance[key], lang)})
		}
	}
	f := Fact{Key: "published", Basis: basis(a.Provenance["published"], lang)}
	if f.Value, f.Machine = u.stamp(a.Published); f.Value == "" {
		f.Value = catalogue["unknown"][lang]
	} else if a.PublishedConfidence > 0 && a.PublishedConfidence < 0.5 {
		f.Note = catalogue["unsure"][lang]
	}
	out = append(out, f)
	if shown, machine := u.stamp(a.Modified); shown != "" && !a.Modified.Equal(a.Published) {
		out = append(out, Fact{Key: "modified", Value: shown, Machine: machine, Basis: basis(a.Provenance["modified"], lang)})
	}
	if shown, machine := u.stamp(a.Fetched); shown != "" {
		out = append(out, Fact{Key: "fetched", Value: shown, Machine: machine})
	}
	add("authors", strings.Join(a.Authors, ", "))
	add("reporter", a.Reporter)
	add("editor", a.Editor)
	add("credit", a.Credit)
	add("publisher", a.Publisher)
	add("written", catalogue[languageKey(a.Lang, a.Script)][lang])
	add("charset", a.Charset)
	add("address", a.URL)
	return out
}

// groups lists what an article mentions, by kind, the most frequent first.
func (u *UI) groups(a *news.Article, d display, lang int) []Group {
	shown := []rune(d.text(a.Title+"\n"+a.Text, a.Lang, a.Script)) // what mentions count in
	type key struct{ kind, entity, label, value string }
	counts := make(map[key]int)
	var order []key
	for i := range a.Mentions {
		m := &a.Mentions[i]
		k := key{kind: kindOf(m.Kind), entity: m.Entity}
		if k.kind == "" {
			continue
		}
		if k.entity == "" {
			k.label = cut(shown, m.Start, m.End)
			if m.Value != m.Surface {
				k.value = m.Value
			}
		}
		if counts[k]++; counts[k] == 1 {
			order = append(order, k)
		}
	}
	slices.SortStableFunc(order, func(a, b key) int { return cmp.Compare(counts[b], counts[a]) })
	var out []Group
	for _, kind := range kinds {
		g := Group{Kind: string(kind)}
		for _, k := range order {
			if k.kind != g.Kind {
				continue
			}
			l := Link{Label: k.label, Count: counts[k], Kind: g.Kind, Note: k.value}
			if k.entity != "" {
				l.Label, l.URL = u.entityName(lang, k.entity), entityURL(k.entity)
			}
			g.Links = append(g.Links, l)
		}
		if len(g.Links) > 0 {
			out = append(out, g)
		}
	}
	return out
}
