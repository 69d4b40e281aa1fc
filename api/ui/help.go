package ui

import (
	"net/http"
	"net/url"
)

type helpPage struct {
	Parts []HelpPart
}

// HelpPart is a part of the page that explains the language of queries.
type HelpPart struct {
	Key   string // of its title
	Lines []HelpLine
}

// HelpLine is a query and what it finds.
type HelpLine struct{ Query, URL, Key string }

// helpParts are examples that can be followed; tests parse each.
var helpParts = []struct {
	key   string
	lines []struct{ query, key string }
}{
	{"help-words", []struct{ query, key string }{
		{"台积电 涨价", "help-both"},
		{"台积电 AND (涨价 OR price)", "help-operators"},
		{"HBM AND (SK海力士 OR Micron) NOT 三星", "help-not"},
		{`"advanced packaging"`, "help-phrase"},
		{"台积电 NEAR/10 亚利桑那", "help-near"},
		{"光刻*", "help-prefix"},
	}},
	{"help-entities", []struct{ query, key string }{
		{"entity:org:tsmc", "help-entity-id"},
		{"entity:輝達", "help-entity-name"},
		{"entity:tsmc entity:asml", "help-entity-two"},
	}},
	{"help-fields", []struct{ query, key string }{
		{"title:光刻机", "help-title"},
		{"lang:zh-Hant", "help-lang"},
		{"source:digitimes", "help-source"},
		{"author:张", "help-author"},
		{"published:2025-11-01..2025-11-17", "help-published"},
	}},
}

func (u *UI) help(w http.ResponseWriter, r *http.Request) {
	var p helpPage
	for _, part := range helpParts {
		shown := HelpPart{Key: part.key}
		for _, l := range part.lines {
			shown.Lines = append(shown.Lines, HelpLine{l.query, "/?" + url.Values{"q": {l.query}}.Encode(), l.key})
		}
		p.Parts = append(p.Parts, shown)
	}
	u.render(w, r, http.StatusOK, "help.html", page{Title: say(languageOf(r), "help-page"), Section: "help", Data: p})
}
