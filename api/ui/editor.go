package ui

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"xinwen/api/backtest"
	"xinwen/api/problem"
	"xinwen/api/rules"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
)

// When a rule tells of its matches; the values of the form's choice.
const (
	whenEach      = "each"
	whenThreshold = "threshold"
	whenSpike     = "spike"
)

// editorLanguages are the languages that a rule can be narrowed to.
var editorLanguages = []string{"zh-Hans", "zh-Hant", "en"}

// editorPage is the page on which a rule is written and tested.
type editorPage struct {
	Draft   draft
	Chosen  []Choice // languages
	Outcome *Outcome
	Search  string
	Fault   *QueryFault
	Wrong   string
	YAML    string
	File    string // where the YAML could be written
	Locked  bool   // the rule comes from a file
	NoMail  bool   // no mail server is configured
	// Why asks about a stored rule and an article.
	Why *whyPage
}

// test shows the form of a rule and what it would have told of.
func (u *UI) test(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	d := u.draftOf(q, languageOf(r))
	if id := q.Get("id"); id != "" && !q.Has("q") {
		stored := u.ruleWanted(w, r)
		if stored == nil {
			return
		}
		var err error
		if d, err = u.draftOfRule(&stored.Rule, languageOf(r)); err != nil {
			u.failure(w, r, err)
			return
		}
	}
	u.edit(w, r, d, nil)
}

// ruleWanted returns the rule that the address names; if there is none it answers
// that and returns nil.
func (u *UI) ruleWanted(w http.ResponseWriter, r *http.Request) *rules.Stored {
	stored, err := u.storedRule(r.Context(), r.URL.Query().Get("id"))
	if err != nil {
		u.failure(w, r, err)
		return nil
	}
	if stored == nil {
		u.message(w, r, http.StatusNotFound, "rule-gone", "")
	}
	return stored
}

// storedRule returns a rule by its ID, nil if there is none.
func (u *UI) storedRule(ctx context.Context, id string) (*rules.Stored, error) {
	list, err := u.o.Desk.Rules(ctx)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(list, func(s rules.Stored) bool { return s.ID == id }); i >= 0 {
		return &list[i], nil
	}
	return nil, nil
}

// edit shows the form with a draft, what came of testing it and, if it was
// refused, why.
func (u *UI) edit(w http.ResponseWriter, r *http.Request, d draft, refused *problem.Problem) {
	lang, status := languageOf(r), http.StatusOK
	p := editorPage{Draft: d, NoMail: !u.o.Mail, Search: state{Q: d.Q, Lang: d.Lang, Source: d.Source, Sort: search.SortNewest}.URL()}
	for _, tag := range editorLanguages {
		p.Chosen = append(p.Chosen, Choice{Link: Link{Label: u.langLabel(tag, lang), Active: slices.Contains(d.Lang, tag)}, Key: tag})
	}
	var old *news.Rule
	if d.ID != "" {
		stored, err := u.storedRule(r.Context(), d.ID)
		if err != nil {
			u.failure(w, r, err)
			return
		}
		if stored != nil {
			old, p.Locked, p.Why = &stored.Rule, stored.Origin != "", &whyPage{Rule: stored.ID}
		}
	}
	if refused == nil && (d.Q != "" || d.Rest != "" || len(d.Lang)+len(d.Source) > 0) {
		err := u.try(r, &p, old, lang)
		var (
			syntax  *query.SyntaxError
			request *search.RequestError
		)
		switch {
		case errors.As(err, &syntax):
			p.Fault, status = fault(d.Q, syntax, lang), http.StatusBadRequest
		case errors.As(err, &request):
			p.Wrong, status = wrong(request, lang), http.StatusBadRequest
		case errors.As(err, &refused) && refused.Status < 500:
		case err != nil:
			u.failure(w, r, err)
			return
		}
	}
	if refused != nil {
		p.Wrong, status = strings.TrimSpace(refused.Error()+" "+refused.Hint), refused.Status
	}
	if r.Header.Get("HX-Request") == "true" {
		// Of an answer that is no success htmx shows nothing.
		u.render(w, r, http.StatusOK, "outcome", page{Data: p})
		return
	}
	title := say(lang, "test-title")
	if d.ID != "" {
		title = d.Name
	}
	u.render(w, r, status, "test.html", page{Title: title, Section: "alerts", Data: p})
}

// try tests the draft of p.
func (u *UI) try(r *http.Request, p *editorPage, old *news.Rule, lang int) error {
	if _, err := query.Parse(p.Draft.Q); err != nil {
		return err
	}
	rule, err := p.Draft.rule(old)
	if err != nil {
		return err
	}
	if rule.ID == "" {
		rule.ID = u.slug(rule.Name)
	}
	report, err := u.o.Desk.TestRule(r.Context(), rule)
	if err != nil {
		return err
	}
	p.Outcome = u.outcome(report, state{Q: p.Draft.Q, Lang: p.Draft.Lang, Source: p.Draft.Source}, displayOf(r), lang, u.o.SourceNames(r.Context()))
	var text bytes.Buffer
	if err := yaml.NewEncoder(&text).Encode(rule); err != nil {
		return err
	}
	p.YAML, p.File = text.String(), rule.ID+".yaml"
	return nil
}

// maxTaken is how many IDs are tried for a new rule.
const maxTaken = 20

// save makes or changes the rule of a form.
func (u *UI) save(w http.ResponseWriter, r *http.Request) {
	if !u.form(w, r) {
		return
	}
	d := u.draftOf(r.PostForm, languageOf(r))
	said, err := "rule-saved", error(nil)
	if d.ID == "" {
		err = u.create(r.Context(), d)
	} else {
		said = "rule-changed"
		err = u.replace(r.Context(), d)
	}
	var refused *problem.Problem
	if errors.As(err, &refused) && refused.Status < 500 {
		u.edit(w, r, d, refused)
		return
	}
	u.changed(w, r, said, err)
}

func (u *UI) create(ctx context.Context, d draft) error {
	rule, err := d.rule(nil)
	if err != nil {
		return err
	}
	id := u.slug(rule.Name)
	if id == unnamed { // the name has nothing for an ID, perhaps the query has
		id = u.slug(rule.Query)
	}
	rule.ID = id
	err = u.o.Desk.CreateRule(ctx, rule)
	for n := 2; errors.Is(err, rules.ErrExists) && n <= maxTaken; n++ {
		rule.ID = id + "-" + strconv.Itoa(n)
		err = u.o.Desk.CreateRule(ctx, rule)
	}
	return err
}

// replace changes a stored rule into the draft's.
func (u *UI) replace(ctx context.Context, d draft) error {
	stored, err := u.storedRule(ctx, d.ID)
	if err != nil {
		return err
	}
	if stored == nil {
		return rules.ErrChanged
	}
	rule, err := d.rule(&stored.Rule)
	if err != nil {
		return err
	}
	return u.o.Desk.ReplaceRule(ctx, rule)
}

// Outcome is what a rule would have told of.
type Outcome struct {
	Hits, Notices, Stories int
	PerDay, Repeats        string
	Noise                  string // key of how much it would disturb
	Chart                  *Chart
	Samples                []Sample
	Since                  string // notices are counted from here, "" from the beginning
}

// Sample is an article that would have been told.
type Sample struct {
	URL, Title, Lang, Source, Time string
	Repeats                        int
}

// noises are the keys of how much a rule disturbs.
var noises = []string{backtest.Silent, backtest.Low, backtest.Medium, backtest.High}

func (u *UI) outcome(r *backtest.Report, s state, d display, lang int, names map[string]string) *Outcome {
	o := &Outcome{
		Hits: r.Hits, Notices: r.Notices, Stories: r.Stories,
		PerDay:  strconv.FormatFloat(r.Noise.NoticesPerDay, 'f', 1, 64),
		Repeats: strconv.Itoa(int(100*r.Noise.RepeatShare+.5)) + " %",
		Noise:   "noise-" + r.Noise.Level,
		Chart:   twofold(r.Days, s, lang),
	}
	o.Since, _ = u.stamp(r.Since)
	for i := range r.Samples {
		a := &r.Samples[i]
		shown, _ := u.stamp(a.Published)
		o.Samples = append(o.Samples, Sample{
			URL: "/article/" + url.PathEscape(a.ID), Title: or(d.text(a.Title, a.Lang, ""), say(lang, "untitled")), Lang: d.tag(a.Lang, ""), Source: or(names[a.Source], a.Source), Time: shown, Repeats: a.Repeats,
		})
	}
	return o
}
