package ui

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"xinwen/api/deliver"
)

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
	Why                               string // address of why the rule matched
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
		if d.To == d.Channel {
			d.To = "" // said once
		}
		p.Rows = append(p.Rows, Delivery{
			ID: d.ID, Rule: cmp.Or(d.RuleName, d.Rule), Why: "/alerts/why?" + url.Values{"id": {d.Rule}, "article": {d.Article}}.Encode(), RuleURL: address(d.Rule, f.Status), Title: or(d.Title, say(lang, "untitled")),
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
