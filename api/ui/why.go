package ui

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"xinwen/api/problem"
	"xinwen/indexer/query"
	"xinwen/news"
)

// whyPage says why a rule matched an article, or why not.
type whyPage struct {
	Rule, Name, Edit string
	Article          string // as it was asked for
	Title, URL       string
	Matches          bool
	Query            *Verdict
	Notes            []string
	Wrong            string
}

// Verdict is a part of a query that holds for an article or does not.
type Verdict struct {
	Clause string
	// Op is the key of how the parts belong together, "" without parts.
	Op    string
	Holds bool
	// Words are what in the article makes it hold.
	Words []string
	Parts []*Verdict
}

func (u *UI) why(w http.ResponseWriter, r *http.Request) {
	lang, q := languageOf(r), r.URL.Query()
	stored := u.ruleWanted(w, r)
	if stored == nil {
		return
	}
	p := whyPage{Rule: stored.ID, Name: or(stored.Name, stored.ID), Edit: with("/alerts/test", "id", stored.ID), Article: strings.TrimSpace(q.Get("article"))}
	status := http.StatusOK
	if p.Article != "" {
		ruling, err := u.o.Desk.ExplainRule(r.Context(), stored.ID, p.Article)
		var refused *problem.Problem
		switch {
		case errors.As(err, &refused) && refused.Status < 500:
			p.Wrong, status = translated(lang, refused.Detail), refused.Status
		case err != nil:
			u.failure(w, r, err)
			return
		default:
			p.Title, p.URL, p.Matches = or(ruling.Title, say(lang, "untitled")), "/article/"+url.PathEscape(ruling.Article), ruling.Matches
			p.Query = verdictOf(&ruling.Query)
			for _, n := range ruling.Notes {
				p.Notes = append(p.Notes, translated(lang, n))
			}
		}
	}
	u.render(w, r, status, "why.html", page{Title: say(lang, "why-title"), Section: "alerts", Data: p})
}

// operations are the keys of how the parts of a query belong together.
var operations = map[string]string{"and": "why-and", "or": "why-or", "not": "why-not-of", "near": "why-near"}

func verdictOf(v *query.Verdict) *Verdict {
	out := &Verdict{Clause: v.Clause, Holds: v.Holds, Words: textsOf(v.Spans)}
	if len(v.Parts) > 0 {
		out.Op = operations[v.Op]
	}
	for i := range v.Parts {
		out.Parts = append(out.Parts, verdictOf(&v.Parts[i]))
	}
	return out
}

// textsOf returns the different texts of spans.
func textsOf(spans []news.Span) []string {
	var out []string
	seen := make(map[string]bool)
	for _, s := range spans {
		if !seen[s.Text] {
			seen[s.Text] = true
			out = append(out, s.Text)
		}
	}
	return out
}
