package ui

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"xinwen/indexer/query"
	"xinwen/news"
	"xinwen/news/han"
)

const (
	// maxToken bounds, in bytes, what is completed.
	maxToken         = 256
	suggestEntities  = 7
	suggestSources   = 3
	suggestFields    = 3
	suggestOfAField  = 10
	leastLatinLetter = 2
)

// Completion is one way to go on with a query.
type Completion struct {
	// Insert replaces the word that is being typed.
	Insert string `json:"insert"`
	Label  string `json:"label"`
	Note   string `json:"note,omitempty"`
	Kind   string `json:"kind,omitempty"`
}

// fieldsOffered are the fields that completions offer, with the keys of what
// they mean.
var fieldsOffered = []struct{ name, key string }{
	{query.FieldEntity, "field-entity"},
	{query.FieldTitle, "field-title"},
	{query.FieldText, "field-text"},
	{query.FieldSource, "field-source"},
	{query.FieldLang, "field-lang"},
	{query.FieldKind, "field-kind"},
	{query.FieldAuthor, "field-author"},
	{query.FieldCredit, "field-credit"},
	{query.FieldPublished, "field-published"},
}

// suggest completes the word of a query that is being typed.
func (u *UI) suggest(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("q")
	list := []Completion{}
	if len(token) <= maxToken {
		list = append(list, u.complete(r, token, languageOf(r))...)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "private, max-age=60")
	w.Header().Set("Vary", "Accept-Language, Cookie")
	_ = json.NewEncoder(w).Encode(list) // the client has gone
}

func (u *UI) complete(r *http.Request, token string, lang int) []Completion {
	sign := ""
	if strings.HasPrefix(token, "-") {
		sign, token = "-", token[1:]
	}
	field, value, found := strings.Cut(token, ":")
	var list []Completion
	if found {
		list = u.completeField(r, strings.ToLower(field), strings.TrimPrefix(value, `"`), lang)
	} else if short := han.FoldString(token); token != "" && (len(short) >= leastLatinLetter) {
		list = u.completeEntity(token, lang, suggestEntities)
		list = append(list, u.completeSource(r, token, suggestSources)...)
		n := 0
		for _, f := range fieldsOffered {
			if strings.HasPrefix(f.name, short) && n < suggestFields {
				list = append(list, Completion{Insert: f.name + ":", Label: f.name + ":", Note: say(lang, f.key)})
				n++
			}
		}
	}
	for i := range list {
		list[i].Insert = sign + list[i].Insert
	}
	return list
}

// completeField completes the value of a field.
func (u *UI) completeField(r *http.Request, field, value string, lang int) []Completion {
	var list []Completion
	offer := func(v, note string) {
		if strings.HasPrefix(strings.ToLower(v), strings.ToLower(value)) {
			list = append(list, Completion{Insert: field + ":" + v, Label: v, Note: note})
		}
	}
	switch field {
	case query.FieldEntity:
		return u.completeEntity(value, lang, suggestOfAField)
	case query.FieldSource:
		return u.completeSource(r, value, suggestOfAField)
	case query.FieldLang:
		for _, tag := range []string{"zh", "zh-Hans", "zh-Hant", "en"} {
			offer(tag, u.langLabel(tag, lang))
		}
	case query.FieldKind:
		for _, k := range entityKinds {
			offer(string(k), say(lang, "kind-"+string(k)))
		}
	case query.FieldPublished:
		today := time.Now().In(u.o.Zone)
		for _, s := range spans {
			offer(today.AddDate(0, 0, -s.days).Format(time.DateOnly)+".."+today.Format(time.DateOnly), say(lang, s.key))
		}
	}
	return list
}

func (u *UI) completeEntity(beginning string, lang, most int) []Completion {
	var list []Completion
	for _, s := range u.o.Suggest(beginning, most) {
		c := Completion{Insert: "entity:" + s.Entity.ID, Label: u.entityName(lang, s.Entity.ID), Note: say(lang, "one-"+entityKind(s.Entity.ID)), Kind: entityKind(s.Entity.ID)}
		if s.Text != c.Label {
			c.Note = s.Text + " · " + c.Note
		}
		list = append(list, c)
	}
	return list
}

// completeSource returns the sources with an ID that begins, or a name that has
// a word that begins, as asked.
func (u *UI) completeSource(r *http.Request, beginning string, most int) []Completion {
	wanted := han.FoldString(beginning)
	var list []Completion
	for id, name := range u.o.SourceNames(r.Context()) {
		folded := han.FoldString(name)
		if strings.HasPrefix(id, wanted) || strings.HasPrefix(folded, wanted) || strings.Contains(folded, " "+wanted) {
			list = append(list, Completion{Insert: query.Keyword{Field: query.FieldSource, Value: id}.String(), Label: name, Note: "source:" + id})
		}
	}
	slices.SortFunc(list, func(a, b Completion) int { return strings.Compare(a.Label, b.Label) })
	return list[:min(most, len(list))]
}

// entityKinds are the kinds that have entities.
var entityKinds = []news.Kind{news.Org, news.Person, news.Product, news.Tech, news.Node, news.Place}
