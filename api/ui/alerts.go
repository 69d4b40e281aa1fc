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

	"github.com/goccy/go-yaml"

	"xinwen/api/deliver"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
)

type alertsPage struct {
	Rules []Rule
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
}

func (u *UI) alerts(w http.ResponseWriter, r *http.Request) {
	ctx, lang := r.Context(), languageOf(r)
	list, err := u.o.Desk.Rules(ctx)
	if err != nil {
		u.failure(w, r, err)
		return
	}
	matches := u.matches(ctx)
	var p alertsPage
	for i := range list {
		stored := &list[i]
		row := Rule{
			ID: stored.ID, Name: cmp.Or(stored.Name, stored.ID), Query: query.RuleText(&stored.Rule), Owner: stored.Owner, Labels: stored.Labels, Origin: stored.Origin,
			State: "rule-on", Deliveries: "/deliveries?rule=" + url.QueryEscape(stored.ID),
		}
		switch {
		case stored.Disabled:
			row.State = "rule-off"
		case time.Now().Before(stored.MutedUntil):
			row.State, row.Until = "rule-muted", u.when(stored.MutedUntil, lang)
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
		row.Test = s.at("/alerts/test")
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

type testPage struct {
	State  state
	Form   []field
	Chart  *Chart
	PerDay string
	YAML   string
	File   string
	Search string
	Fault  *QueryFault
	Wrong  string
}

// test shows how often a search found something, and the rule that would tell of
// it.
func (u *UI) test(w http.ResponseWriter, r *http.Request) {
	lang := languageOf(r)
	s := stateOf(r.URL.Query())
	s.Cursor, s.Sort, s.From, s.To, s.All = "", "", "", "", false
	p := testPage{State: s, Form: s.fields("q"), Search: s.URL()}
	status := http.StatusOK
	answer := func() {
		u.render(w, r, status, "test.html", page{Title: say(lang, "test-title"), Section: "alerts", Data: p})
	}
	if len(s.values()) == 0 {
		answer()
		return
	}
	c, err := u.volume(r.Context(), s, lang)
	var (
		syntax  *query.SyntaxError
		request *search.RequestError
	)
	switch {
	case errors.As(err, &syntax):
		p.Fault, status = fault(s.Q, syntax), http.StatusBadRequest
	case errors.As(err, &request):
		p.Wrong, status = request.Error(), http.StatusBadRequest
	case err != nil:
		u.failure(w, r, err)
		return
	default:
		if p.Chart = c; c != nil {
			p.PerDay = strconv.FormatFloat(float64(c.Total)/chartDays, 'f', 1, 64)
		}
		rule := ruleOf(s)
		text, err := yaml.Marshal(rule)
		if err != nil {
			u.failure(w, r, err)
			return
		}
		p.YAML, p.File = string(text), rule.ID+".yaml"
	}
	answer()
}

// ruleOf returns the rule that tells of what a search finds.
func ruleOf(s state) *news.Rule {
	q := s.Q
	if len(s.Entity) > 0 {
		var of query.Node
		if len(s.Entity) == 1 {
			of = query.Entity{Value: s.Entity[0]}
		} else {
			var each query.Or
			for _, id := range s.Entity {
				each.Nodes = append(each.Nodes, query.Entity{Value: id})
			}
			of = each
		}
		if parsed, err := query.Parse(q); err == nil && strings.TrimSpace(q) != "" {
			of = query.And{Nodes: []query.Node{parsed, of}}
		}
		q = of.String()
	}
	name := or(strings.TrimSpace(s.Q), strings.Join(s.Entity, ", "), strings.Join(s.Source, ", "), strings.Join(s.Lang, ", "))
	return &news.Rule{ID: slug(name), Name: short(name, 60), Query: q, Languages: s.Lang, Sources: s.Source}
}

// slug makes an ID of a rule from the letters and digits that it may have.
func slug(name string) string {
	var words []string
	for _, w := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		if !slices.Contains([]string{"and", "or", "not", "org", "entity"}, w) {
			words = append(words, w)
		}
	}
	return strings.Trim(short(or(strings.Join(words, "-"), "my-alert"), 40), "-")
}

// short cuts s to n code points.
func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

type deliveriesPage struct {
	Rule    string
	All     string // address of those of every rule
	Choices []Choice
	Rows    []Delivery
	Form    []field
	// Said is what came of a replay.
	Said string
}

// Delivery is a row of the log.
type Delivery struct {
	ID, Rule, RuleURL, Title, Article string
	Channel, To                       string
	Status                            string // key
	Bad, Replayable                   bool
	Attempts, HTTPStatus              int
	Error                             string
	When, Next                        When
}

var deliveryStatuses = []deliver.Status{deliver.Dead, deliver.Disabled, deliver.Pending, deliver.Waiting, deliver.Delivered, deliver.Repeat}

func deliveryKey(st deliver.Status) string {
	if slices.Contains(deliveryStatuses, st) {
		return "delivery-" + string(st)
	}
	return "status-unknown" // of a newer api
}

// replays are what the address says of a replay, by the key of the message.
var replays = []string{"delivery-again", "delivery-none", "delivery-tried", "delivery-arrived"}

func (u *UI) deliveries(w http.ResponseWriter, r *http.Request) {
	lang, q := languageOf(r), r.URL.Query()
	f := deliver.Filter{Rule: q.Get("rule"), Status: deliver.Status(q.Get("status")), Limit: listSize}
	list, err := u.o.Desk.Deliveries(r.Context(), f)
	if err != nil {
		u.failure(w, r, err)
		return
	}
	p := deliveriesPage{Rule: f.Rule, Form: []field{{"rule", f.Rule}, {"status", string(f.Status)}}}
	address := func(rule string, st deliver.Status) string {
		v := url.Values{}
		if rule != "" {
			v.Set("rule", rule)
		}
		if st != "" {
			v.Set("status", string(st))
		}
		if len(v) == 0 {
			return "/deliveries"
		}
		return "/deliveries?" + v.Encode()
	}
	p.All = address("", f.Status)
	p.Choices = []Choice{{Link{URL: address(f.Rule, ""), Active: f.Status == ""}, "all"}}
	for _, st := range deliveryStatuses {
		p.Choices = append(p.Choices, Choice{Link{URL: address(f.Rule, st), Active: f.Status == st}, deliveryKey(st)})
	}
	if said := q.Get("said"); slices.Contains(replays, said) {
		p.Said = say(lang, said)
	}
	for i := range list {
		d := &list[i]
		p.Rows = append(p.Rows, Delivery{
			ID: d.ID, Rule: cmp.Or(d.RuleName, d.Rule), RuleURL: address(d.Rule, f.Status), Title: or(d.Title, say(lang, "untitled")),
			Article: "/article/" + url.PathEscape(d.Article), Channel: d.Channel, To: d.To, Status: deliveryKey(d.Status),
			Bad: d.Status == deliver.Dead || d.Status == deliver.Disabled, Replayable: d.Status == deliver.Dead || d.Status == deliver.Disabled,
			Attempts: d.Attempts, HTTPStatus: d.HTTPStatus, Error: d.Error, When: u.when(d.Created, lang), Next: u.when(d.NextTry, lang),
		})
	}
	u.render(w, r, http.StatusOK, "deliveries.html", page{Title: say(lang, "nav-deliveries"), Section: "deliveries", Data: p})
}

func (u *UI) replayDelivery(w http.ResponseWriter, r *http.Request) {
	if !u.form(w, r) {
		return
	}
	said := "delivery-again"
	err := u.o.Desk.ReplayDelivery(r.Context(), r.PostForm.Get("id"))
	switch {
	case errors.Is(err, deliver.ErrNoDelivery):
		said = "delivery-none"
	case errors.Is(err, deliver.ErrPending):
		said = "delivery-tried"
	case errors.Is(err, deliver.ErrDelivered):
		said = "delivery-arrived"
	case err != nil:
		u.failure(w, r, err)
		return
	}
	back := url.Values{"said": {said}}
	for _, key := range []string{"rule", "status"} {
		if v := r.PostForm.Get(key); v != "" {
			back.Set(key, v)
		}
	}
	http.Redirect(w, r, "/deliveries?"+back.Encode(), http.StatusSeeOther)
}
