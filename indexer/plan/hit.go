package plan

import (
	"cmp"
	"time"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
)

// View makes what is shown of the articles that a plan finds. It is safe for
// concurrent use.
type View struct {
	planner *Planner
	mark    *query.Matcher
	why     func(clause string) string
}

// View returns the view of what q finds.
func (p *Planner) View(q *Plan) *View {
	return &View{planner: p, mark: q.Meaning.marks(), why: p.reasons(q)}
}

// Hit returns what is shown of an article: all but its score, what it stands for
// and how the score came about. Story is "" where the article is alone; indexed
// is when ARTICLES took it.
func (v *View) Hit(a *news.Article, story string, indexed time.Time) search.Hit {
	entities := a.Entities()
	if entities == nil {
		entities = []string{}
	}
	h := search.Hit{
		ID: a.ID, URL: a.URL, Title: a.Title,
		Source: a.Source, Publisher: a.Publisher, Credit: a.Credit,
		Lang: a.Lang, Script: a.Script,
		Published: a.Published, Fetched: a.Fetched, Indexed: indexed.UTC(),
		Revision: a.Revision, Entities: entities, Story: cmp.Or(story, a.ID),
	}
	h.Snippet, h.Highlights = snippet(a, v.mark.Explain(v.mark.Document(a, v.planner.Analyzer)))
	for i := range h.Highlights {
		h.Highlights[i].Reason = v.why(h.Highlights[i].Reason)
	}
	return h
}
