package ui

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml"

	"xinwen/api/problem"
	"xinwen/news"
)

// draft is a rule as the form has it.
type draft struct {
	ID, Q, Name         string
	Lang, Source        []string
	When, Count, Window string
	Factor              string
	Repeats             bool
	// Mail are addresses to tell by e-mail, in Language; Every, At and Zone say
	// when what matches is told together.
	Mail, Language  string
	Every, At, Zone string
	Rest            string // YAML
}

// digestAt is when a daily digest comes, if the writer of a rule does not say.
const digestAt = "08:00"

// rest is what of a rule is written as YAML.
type rest struct {
	Owner    string         `yaml:"owner,omitempty"`
	Labels   []string       `yaml:"labels,omitempty"`
	Together *news.Together `yaml:"together,omitempty"`
	First    *news.First    `yaml:"first,omitempty"`
	Webhooks []news.Webhook `yaml:"webhooks,omitempty"`
	Channels []news.Channel `yaml:"channels,omitempty"`
	Digest   *news.Digest   `yaml:"digest,omitempty"`
	Quiet    *news.Quiet    `yaml:"quiet,omitempty"`
	Throttle *news.Throttle `yaml:"throttle,omitempty"`
}

// draftOf reads the form. A search with entities or topics becomes a query.
func (u *UI) draftOf(v url.Values, lang int) draft {
	s := stateOf(v)
	made := u.ruleOf(s)
	return draft{
		ID: v.Get("id"), Q: made.Query, Name: cmp.Or(strings.TrimSpace(v.Get("name")), made.Name), Lang: s.Lang, Source: s.Source,
		When: cmp.Or(v.Get("when"), whenEach), Count: cmp.Or(v.Get("count"), "5"), Window: cmp.Or(v.Get("window"), "24h"), Factor: cmp.Or(v.Get("factor"), "3"),
		Repeats: v.Get("repeats") == "1", Mail: strings.TrimSpace(v.Get("mail")), Language: cmp.Or(v.Get("language"), tags[lang].String()),
		Every: v.Get("every"), At: cmp.Or(v.Get("at"), digestAt), Zone: cmp.Or(v.Get("zone"), u.o.Zone.String()), Rest: strings.ReplaceAll(v.Get("rest"), "\r\n", "\n"),
	}
}

// draftOfRule returns the form of a stored rule.
func (u *UI) draftOfRule(r *news.Rule, lang int) (draft, error) {
	d := u.draftOf(url.Values{}, lang)
	d.ID, d.Q, d.Name, d.Lang, d.Source, d.Repeats = r.ID, r.Query, r.Name, r.Languages, r.Sources, r.Repeats
	switch {
	case r.Threshold != nil:
		d.When, d.Count, d.Window = whenThreshold, strconv.Itoa(r.Threshold.Count), r.Threshold.Window.String()
	case r.Spike != nil:
		d.When, d.Window = whenSpike, r.Spike.Window.String()
		if r.Spike.Factor != 0 {
			d.Factor = strconv.FormatFloat(r.Spike.Factor, 'g', -1, 64)
		}
	}
	channels := r.Channels
	if i := slices.IndexFunc(channels, plainMail); i >= 0 {
		d.Mail, d.Language = strings.Join(channels[i].To, ", "), cmp.Or(channels[i].Language, tags[en].String())
		channels = slices.Delete(slices.Clone(channels), i, i+1)
	}
	if r.Digest != nil {
		d.Every, d.At, d.Zone = r.Digest.Every, cmp.Or(r.Digest.At, "00:00"), cmp.Or(r.Digest.Zone, "UTC")
	}
	x := rest{r.Owner, r.Labels, r.Together, r.First, r.Webhooks, channels, nil, r.Quiet, r.Throttle}
	text, err := yaml.Marshal(x)
	if err != nil {
		return d, err
	}
	if t := string(text); t != "{}\n" {
		d.Rest = t
	}
	return d, nil
}

// plainMail reports whether the form has a place for c.
func plainMail(c news.Channel) bool {
	return c.Kind == news.ChannelEmail && reflect.DeepEqual(c, news.Channel{Kind: c.Kind, To: c.To, Language: c.Language})
}

// mail returns the channel that the form's addresses mean, nil if there are none.
func (d *draft) mail() *news.Channel {
	to := strings.FieldsFunc(d.Mail, func(r rune) bool { return r == ',' || r == ';' || r == '，' || r == '；' || unicode.IsSpace(r) })
	if len(to) == 0 {
		return nil
	}
	return &news.Channel{Kind: news.ChannelEmail, To: to, Language: d.Language}
}

// digest returns the digest that the form says, nil if matches are told at once.
func (d *draft) digest() *news.Digest {
	switch d.Every {
	case news.EveryHour:
		if strings.HasSuffix(d.At, ":00") {
			return &news.Digest{Every: d.Every}
		}
		return &news.Digest{Every: d.Every, At: d.At, Zone: d.Zone}
	case news.EveryDay:
		return &news.Digest{Every: d.Every, At: d.At, Zone: d.Zone}
	}
	return nil
}

// rule returns the rule that a draft means; its errors are for the one who
// writes it. Of what a form does not have, old keeps it.
func (d *draft) rule(old *news.Rule) (*news.Rule, error) {
	var x rest
	if err := yaml.NewDecoder(strings.NewReader(d.Rest), yaml.Strict()).Decode(&x); err != nil && !errors.Is(err, io.EOF) {
		message, _, _ := strings.Cut(err.Error(), "\n")
		return nil, problem.New(http.StatusUnprocessableEntity, "The part written as YAML cannot be read: "+message, "")
	}
	r := news.Rule{}
	if old != nil {
		r = *old
	}
	r.ID, r.Name, r.Query, r.Languages, r.Sources, r.Repeats = d.ID, d.Name, d.Q, d.Lang, d.Source, d.Repeats
	r.Owner, r.Labels, r.Together, r.First, r.Webhooks, r.Channels, r.Digest, r.Quiet, r.Throttle = x.Owner, x.Labels, x.Together, x.First, x.Webhooks, x.Channels, x.Digest, x.Quiet, x.Throttle
	if c := d.mail(); c != nil {
		r.Channels = append([]news.Channel{*c}, r.Channels...)
	}
	if r.Digest == nil {
		r.Digest = d.digest()
	}
	spike := r.Spike
	r.Threshold, r.Spike = nil, nil
	if d.When == whenEach {
		return &r, nil
	}
	window, err := news.ParseDuration(d.Window)
	if err != nil {
		return nil, problem.New(http.StatusUnprocessableEntity, strconv.Quote(d.Window)+" is not a span of time.", "Write for example 24h or 7d.")
	}
	if d.When == whenThreshold {
		n, err := strconv.Atoi(d.Count)
		if err != nil {
			return nil, problem.New(http.StatusUnprocessableEntity, strconv.Quote(d.Count)+" is not a number of articles.", "")
		}
		r.Threshold = &news.Threshold{Count: n, Window: window}
		return &r, nil
	}
	factor, err := strconv.ParseFloat(d.Factor, 64)
	if err != nil {
		return nil, problem.New(http.StatusUnprocessableEntity, strconv.Quote(d.Factor)+" is not a number.", "")
	}
	if r.Spike = spike; r.Spike == nil {
		r.Spike = &news.Spike{}
	}
	r.Spike = &news.Spike{Window: window, Factor: factor, Least: r.Spike.Least, History: r.Spike.History}
	return &r, nil
}
