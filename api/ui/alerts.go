package ui

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"xinwen/api/deliver"
	"xinwen/api/rules"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
)

type alertsPage struct {
	Rules []Rule
	// Said is what came of saving or changing a rule.
	Said string
}

// Rule is a row of the table of alerts.
type Rule struct {
	ID, Name, Query, Owner string
	Labels                 []string
	Origin                 string
	// State is the key of what the rule does now, Until when that ends.
	State string
	Until When
	// Day is the number of matches of the last 24 hours, "" if not known.
	Day string
	// Told are the kinds of places where somebody is told.
	Told                     []string
	Search, Test, Deliveries string
	RSS, Atom, JSONFeed      string
	// Acts are the keys of what can be done with the rule.
	Acts []string
}

// What can be done with a rule or a source; the keys of the buttons.
const (
	actOn, actOff      = "act-on", "act-off"
	actMute, actUnmute = "act-mute", "act-unmute"
	actRemove          = "act-remove"
)

// changes are what the address says of a change, by the key of the message.
var changes = []string{"rule-saved", "rule-changed", "rule-removed", "rule-of-file", "rule-moved"}

func (u *UI) alerts(w http.ResponseWriter, r *http.Request) {
	ctx, lang := r.Context(), languageOf(r)
	list, err := u.o.Desk.Rules(ctx)
	if err != nil {
		u.failure(w, r, err)
		return
	}
	matches := u.matches(ctx)
	var p alertsPage
	if said := r.URL.Query().Get("said"); slices.Contains(changes, said) {
		p.Said = say(lang, said)
	}
	for i := range list {
		stored := &list[i]
		row := Rule{
			ID: stored.ID, Name: cmp.Or(stored.Name, stored.ID), Query: query.RuleText(&stored.Rule), Owner: stored.Owner, Labels: stored.Labels, Origin: stored.Origin,
			State: "rule-on", Deliveries: "/deliveries?rule=" + url.QueryEscape(stored.ID),
		}
		row.Acts = []string{actOff, actMute, actRemove}
		switch {
		case stored.Disabled:
			row.State, row.Acts[0] = "rule-off", actOn
		case time.Now().Before(stored.MutedUntil):
			row.State, row.Until, row.Acts[1] = "rule-muted", u.when(stored.MutedUntil, lang), actUnmute
		}
		if stored.Origin != "" {
			row.Acts = nil // it is changed there
		}
		if matches != nil {
			row.Day = strconv.Itoa(matches[stored.ID])
		}
		if len(stored.Webhooks) > 0 {
			row.Told = append(row.Told, "webhook")
		}
		for j := range stored.Channels {
			row.Told = append(row.Told, stored.Channels[j].Label())
		}
		s := state{Q: row.Query, Lang: stored.Languages, Source: stored.Sources}
		row.Test = "/alerts/test?id=" + url.QueryEscape(stored.ID)
		s.Sort = search.SortNewest
		row.Search = s.URL()
		feed := "/feeds/" + url.PathEscape(stored.ID)
		row.RSS, row.Atom, row.JSONFeed = feed+".rss", feed+".atom", feed+".json"
		p.Rules = append(p.Rules, row)
	}
	u.render(w, r, http.StatusOK, "alerts.html", page{Title: say(lang, "nav-alerts"), Section: "alerts", Data: p})
}

// maxMatches bounds how many deliveries are looked at for the matches of a day.
const maxMatches = 20_000

// matches counts the articles that each rule matched in the last 24 hours, by
// what the log of deliveries has; nil if it cannot be read.
func (u *UI) matches(ctx context.Context) map[string]int {
	list, err := u.o.Desk.Deliveries(ctx, deliver.Filter{Limit: maxMatches})
	if err != nil {
		u.o.Logger.Error("page lacks a part", "page", "alerts", "part", "matches", "err", err)
		return nil
	}
	since := time.Now().Add(-24 * time.Hour)
	type match struct{ rule, article string }
	seen := make(map[match]bool)
	counts := make(map[string]int)
	for i := range list {
		m := match{list[i].Rule, list[i].Article}
		if list[i].Created.After(since) && !seen[m] {
			seen[m] = true
			counts[m.rule]++
		}
	}
	return counts
}

// change does with a rule what one of its buttons says.
func (u *UI) change(w http.ResponseWriter, r *http.Request) {
	if !u.form(w, r) {
		return
	}
	said := "rule-changed"
	var change func(*news.Rule)
	switch r.PostForm.Get("act") {
	case actOn:
		change = func(r *news.Rule) { r.Disabled = false }
	case actOff:
		change = func(r *news.Rule) { r.Disabled = true }
	case actMute:
		change = func(r *news.Rule) { r.MutedUntil = time.Now().Add(24 * time.Hour).UTC().Truncate(time.Second) }
	case actUnmute:
		change = func(r *news.Rule) { r.MutedUntil = time.Time{} }
	case actRemove:
		said = "rule-removed"
	default:
		u.message(w, r, http.StatusBadRequest, "bad-form", "")
		return
	}
	err := u.o.Desk.ChangeRule(r.Context(), r.PostForm.Get("id"), change)
	u.changed(w, r, said, err)
}

// changed leads back to the list, which says what came of changing a rule.
func (u *UI) changed(w http.ResponseWriter, r *http.Request, said string, err error) {
	switch {
	case errors.Is(err, rules.ErrFile):
		said = "rule-of-file"
	case errors.Is(err, rules.ErrChanged):
		said = "rule-moved"
	case err != nil:
		u.failure(w, r, err)
		return
	}
	http.Redirect(w, r, "/alerts?said="+said, http.StatusSeeOther)
}

// ruleOf returns the rule that tells of what a search finds.
func (u *UI) ruleOf(s state) *news.Rule {
	q := s.Q
	var all []query.Node
	if of := anyOf(s.Entity, func(id string) query.Node { return query.Entity{Value: id} }); of != nil {
		all = append(all, of)
	}
	if of := anyOf(s.Topic, func(id string) query.Node { return query.Keyword{Field: query.FieldTopic, Value: id} }); of != nil {
		all = append(all, of)
	}
	if parsed, err := query.Parse(q); len(all) > 0 && err == nil && strings.TrimSpace(q) != "" {
		all = append([]query.Node{parsed}, all...)
	}
	switch len(all) {
	case 0:
	case 1:
		q = all[0].String()
	default:
		q = query.And{Nodes: all}.String()
	}
	name := or(strings.TrimSpace(s.Q), strings.Join(s.Entity, ", "), strings.Join(s.Topic, ", "), strings.Join(s.Source, ", "), strings.Join(s.Lang, ", "))
	return &news.Rule{ID: u.slug(name), Name: short(name, 60), Query: q, Languages: s.Lang, Sources: s.Source}
}

// anyOf returns what matches any of some values, nil if there are none.
func anyOf(values []string, of func(string) query.Node) query.Node {
	var each query.Or
	for _, v := range values {
		each.Nodes = append(each.Nodes, of(v))
	}
	switch len(each.Nodes) {
	case 0:
		return nil
	case 1:
		return each.Nodes[0]
	}
	return each
}

// unnamed is the ID of a rule whose name gives none.
const unnamed = "my-alert"

// slug makes an ID of a rule from the letters and digits that it may have, or
// else from the entities that its words name.
func (u *UI) slug(name string) string {
	id := dashed(name)
	if id == "" {
		var ids []string
		for _, word := range strings.Fields(name) {
			if found := u.o.Lexicon.Current().Lookup(strings.Trim(word, "()\"")); len(found) > 0 {
				ids = append(ids, found[0])
			}
		}
		id = dashed(strings.Join(ids, " "))
	}
	return or(id, unnamed)
}

func dashed(s string) string {
	var words []string
	for _, w := range strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		if !slices.Contains([]string{"and", "or", "not", "entity", "org", "person", "place", "product", "tech", "node"}, w) {
			words = append(words, w)
		}
	}
	return strings.Trim(short(strings.Join(words, "-"), 40), "-")
}

// short cuts s to n code points.
func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}
