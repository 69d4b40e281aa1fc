package rules

import (
	"cmp"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"xinwen/indexer/query"
	"xinwen/news"
)

// Bounds on rules.
const (
	maxList     = 200 // values of one list
	maxText     = 200 // characters of a name, owner or label
	maxChannels = 20
	maxBuckets  = 5000 // windows in the history of a spike
)

// KeyFault is one thing wrong with a rule.
type KeyFault struct {
	// Key is the key of the rule that is meant.
	Key string
	// Column is where in the query the fault is, in code points from 1, else 0.
	Column        int
	Message, Hint string
}

// Text returns the message with its column.
func (f *KeyFault) Text() string {
	switch {
	case f.Column > 0:
		return fmt.Sprintf("query, column %d: %s", f.Column, f.Message)
	case f.Key == "query" && !strings.Contains(f.Message, "query"):
		return "query: " + f.Message
	}
	return f.Message
}

var slug = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// checker collects what is wrong with a rule.
type checker struct {
	parse  Parser
	draft  bool // not to be kept
	faults []KeyFault
}

func (c *checker) add(key, message, hint string) {
	c.faults = append(c.faults, KeyFault{Key: key, Message: message, Hint: hint})
}

// Check returns everything wrong with r. It fills in a missing name.
func Check(r *news.Rule, parse Parser) []KeyFault {
	return check(r, &checker{parse: parse})
}

// CheckDraft is Check for a rule that is tried and not kept: it needs no ID,
// which is then "draft", and may match everything, as a test shows what that
// means.
func CheckDraft(r *news.Rule, parse Parser) []KeyFault {
	return check(r, &checker{parse: parse, draft: true})
}

func check(r *news.Rule, c *checker) []KeyFault {
	if c.draft {
		r.ID = cmp.Or(r.ID, "draft")
	}
	c.identity(r)
	c.query(r)
	c.conditions(r)
	c.webhooks(r)
	c.channels(r)
	c.times(r)
	return c.faults
}

func (c *checker) identity(r *news.Rule) {
	switch {
	case r.ID == "":
		c.add("id", "the rule has no id", "add one, such as id: tsmc-prices")
	case len(r.ID) > 64 || !slug.MatchString(r.ID):
		c.add("id", fmt.Sprintf("id %q is not a slug", r.ID), "use up to 64 lower-case letters and digits with single hyphens between")
	case r.ID == "search":
		c.add("id", `id "search" is reserved for /feeds/search`, "choose another")
	}
	if r.Name == "" {
		r.Name = r.ID
	}
	for _, f := range []struct{ key, value string }{{"name", r.Name}, {"owner", r.Owner}} {
		if tooLong(f.value) {
			c.add(f.key, fmt.Sprintf("%s is longer than %d characters or has more than one line", f.key, maxText), "shorten it")
		}
	}
	for key, list := range map[string][]string{"labels": r.Labels, "sources": r.Sources, "languages": r.Languages} {
		if len(list) > maxList || slices.ContainsFunc(list, func(s string) bool { return s == "" || tooLong(s) }) {
			c.add(key, key+" has an empty or overlong value, or too many", fmt.Sprintf("write up to %d values of up to %d characters", maxList, maxText))
		}
	}
}

func tooLong(s string) bool {
	return len([]rune(s)) > maxText || strings.ContainsAny(s, "\r\n")
}

func (c *checker) query(r *news.Rule) {
	if strings.TrimSpace(r.Query) == "" {
		if r.Together == nil {
			c.add("query", "the rule has no query", "say what to look for, such as query: 台积电 AND 涨价")
		}
		return
	}
	n, err := c.parse(r.Query)
	var syntax *query.SyntaxError
	switch {
	case errors.As(err, &syntax):
		c.faults = append(c.faults, KeyFault{"query", syntax.Column, syntax.Message, syntax.Hint})
	case err != nil:
		c.add("query", err.Error(), "")
	case !c.draft && Everything(r, n):
		c.add("query", fmt.Sprintf("query %q matches nearly every article", r.Query), "name at least one word, phrase, entity or field that must be there")
	}
}

// Everything reports whether r, with the query n, asks for nothing that must be
// in an article: an alert of it would go off on nearly every one. Conditions
// that count tell of few matches, whatever they are.
func Everything(r *news.Rule, n query.Node) bool {
	if r.Together != nil || len(r.Sources) > 0 || r.First != nil || r.Threshold != nil || r.Spike != nil {
		return false
	}
	return everything(n)
}

func everything(n query.Node) bool {
	switch n := n.(type) {
	case query.And:
		return !slices.ContainsFunc(n.Nodes, func(part query.Node) bool { return !everything(part) })
	case query.Or:
		return slices.ContainsFunc(n.Nodes, everything)
	case query.All, query.Not, query.Range:
		return true
	}
	return false
}

var kinds = []news.Kind{news.Org, news.Person, news.Place, news.Product, news.Tech, news.Node}

func (c *checker) conditions(r *news.Rule) {
	for _, l := range r.Languages {
		if !slices.Contains([]string{"zh", "en", "zh-Hans", "zh-Hant"}, l) {
			c.add("languages", fmt.Sprintf("language %q is not known", l), "write zh, en, zh-Hans or zh-Hant")
		}
	}
	if t := r.Together; t != nil {
		if len(t.Entities) < 2 || len(t.Entities) > 10 {
			c.add("together", "together needs two to ten entities", "name them by ID, name or alias")
		}
		c.entities("together", t.Entities)
		if t.Within != "" && t.Within != news.WithinArticle && t.Within != news.WithinSentence {
			c.add("together", fmt.Sprintf("within %q is not known", t.Within), "write article or sentence")
		}
	}
	set := 0
	if f := r.First; f != nil {
		set++
		if len(f.Entities)+len(f.Kinds) == 0 || len(f.Entities) > maxList {
			c.add("first", "first names no entities and no kinds", "say which first mentions to tell of, such as kinds: [product]")
		}
		c.entities("first", f.Entities)
		for _, k := range f.Kinds {
			if !slices.Contains(kinds, k) {
				c.add("first", fmt.Sprintf("kind %q is not known", k), "write org, person, place, product, tech or node")
			}
		}
	}
	if t := r.Threshold; t != nil {
		set++
		if t.Count < 2 || t.Count > 1000 {
			c.add("threshold", "count must be from 2 to 1000", "to be told of each match leave threshold out")
		}
		c.window("threshold", t.Window)
	}
	if s := r.Spike; s != nil {
		set++
		c.window("spike", s.Window)
		if s.Factor != 0 && s.Factor < 1.1 || s.Factor > 1000 {
			c.add("spike", "factor must be from 1.1 to 1000", "leave it out for 3")
		}
		if s.Least < 0 || s.Least > 1000 {
			c.add("spike", "least must be from 1 to 1000", "leave it out for 5")
		}
		history := s.History
		if history == 0 {
			history = news.SpikeHistory
		}
		if s.Window >= news.Duration(time.Minute) && (history/s.Window > maxBuckets || history < 10*s.Window || history > news.Duration(366*24*time.Hour)) {
			c.add("spike", fmt.Sprintf("a history of %s does not suit a window of %s", history, s.Window), fmt.Sprintf("it must be 10 to %d windows long, a year at most", maxBuckets))
		}
	}
	if set > 1 {
		c.add("spike", "first, threshold and spike are set together", "make a rule of each")
	}
}

func (c *checker) window(key string, w news.Duration) {
	if w < news.Duration(time.Minute) || w > news.Duration(30*24*time.Hour) || w%news.Duration(time.Second) != 0 {
		c.add(key, "window must be from 1m to 30d", "say within which time matches are counted, such as window: 1h")
	}
}

// entities checks names by the parser, which knows the lexicon.
func (c *checker) entities(key string, names []string) {
	for _, name := range names {
		if strings.TrimSpace(name) == "" {
			c.add(key, "an entity has no name", "write its ID, name or an alias")
			continue
		}
		_, err := c.parse(query.Entity{Value: name}.String())
		var syntax *query.SyntaxError
		if errors.As(err, &syntax) {
			c.add(key, syntax.Message, syntax.Hint)
		} else if err != nil {
			c.add(key, err.Error(), "")
		}
	}
}

func (c *checker) webhooks(r *news.Rule) {
	for i, w := range r.Webhooks {
		if u, err := url.Parse(w.URL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			c.add("webhooks", fmt.Sprintf("webhook %d: url %q is not an http or https address", i+1, w.URL), "write it in full, such as https://example.com/hook")
		} else if u.User != nil {
			c.add("webhooks", fmt.Sprintf("webhook %d: url holds a user name", i+1), "webhooks are signed; leave user and password out")
		}
		if (w.SecretEnv == "") == (w.SecretFile == "") {
			c.add("webhooks", fmt.Sprintf("webhook %d needs either secret_env or secret_file", i+1), "name the environment variable or the file that holds the signing secret")
		}
		if slices.ContainsFunc(r.Webhooks[:i], func(o news.Webhook) bool { return o.URL == w.URL }) {
			c.add("webhooks", fmt.Sprintf("webhook %d repeats an url", i+1), "name each address once")
		}
	}
}

func (c *checker) channels(r *news.Rule) {
	if len(r.Channels) > maxChannels {
		c.add("channels", fmt.Sprintf("the rule has more than %d channels", maxChannels), "make several rules of it")
	}
	for i := range r.Channels {
		ch := &r.Channels[i]
		name := fmt.Sprintf("channel %d (%s)", i+1, ch.Label())
		if slices.ContainsFunc(r.Channels[:i], func(o news.Channel) bool { return o.Label() == ch.Label() }) {
			c.add("channels", name+" has the name of another", "give channels of one kind different names")
		}
		c.channel(name, ch)
		if !slices.Contains([]string{"", "zh-Hans", "zh-Hant", "en"}, ch.Language) {
			c.add("channels", fmt.Sprintf("%s: language %q is not known", name, ch.Language), "write zh-Hans, zh-Hant or en")
		}
		if ch.EscalateAfter != 0 && (ch.Escalate == "" || ch.EscalateAfter > news.Duration(24*time.Hour)) {
			c.add("channels", name+": escalate_after needs escalate, and is 1d at most", "name the channel to tell instead")
		}
		if ch.Escalate != "" && (ch.Escalate == ch.Label() || !slices.ContainsFunc(r.Channels, func(o news.Channel) bool { return o.Label() == ch.Escalate })) {
			c.add("channels", fmt.Sprintf("%s escalates to %q, which is no other channel of the rule", name, ch.Escalate), "add that channel, with backup: true if it is only for that")
		}
	}
}

// channel checks what a kind of channel needs, and that it has nothing else.
func (c *checker) channel(name string, ch *news.Channel) {
	either := func(key, env, file string, required bool) {
		switch {
		case env != "" && file != "":
			c.add("channels", fmt.Sprintf("%s has both %s_env and %s_file", name, key, key), "keep one")
		case required && env == "" && file == "":
			c.add("channels", fmt.Sprintf("%s needs %s_env or %s_file", name, key, key), "name the environment variable or the file that holds it")
		}
	}
	none := func(key string, set bool) {
		if set {
			c.add("channels", fmt.Sprintf("%s has no use for %s", name, key), "leave it out")
		}
	}
	url, secret := ch.URLEnv+ch.URLFile != "", ch.SecretEnv+ch.SecretFile != ""
	switch ch.Kind {
	case news.ChannelEmail:
		none("url_env", url)
		none("secret_env", secret)
		if len(ch.To) == 0 || len(ch.To) > 50 {
			c.add("channels", name+" needs one to 50 addresses in to", "write for example to: [desk@example.com]")
		}
		for _, to := range ch.To {
			if a, err := mail.ParseAddress(to); err != nil || strings.ContainsAny(to, "\r\n") || a.Address == "" {
				c.add("channels", fmt.Sprintf("%s: %q is not an e-mail address", name, to), "write for example desk@example.com")
			}
		}
	case news.ChannelTelegram:
		none("url_env", url)
		either("secret", ch.SecretEnv, ch.SecretFile, true)
		if len(ch.To) != 1 || !chat.MatchString(ch.To[0]) {
			c.add("channels", name+" needs one chat in to", "write the chat's number, such as -1001234567890, or @name of a public channel")
		}
	case news.ChannelSlack, news.ChannelTeams, news.ChannelDiscord, news.ChannelWeCom:
		either("url", ch.URLEnv, ch.URLFile, true)
		none("secret_env", secret)
		none("to", len(ch.To) > 0)
	case news.ChannelFeishu, news.ChannelLark, news.ChannelDingTalk:
		either("url", ch.URLEnv, ch.URLFile, true)
		either("secret", ch.SecretEnv, ch.SecretFile, false)
		none("to", len(ch.To) > 0)
	default:
		c.add("channels", fmt.Sprintf("%s: kind %q is not known", name, ch.Kind), "write email, slack, teams, telegram, discord, feishu, lark, dingtalk or wecom")
	}
}

var chat = regexp.MustCompile(`^(-?[0-9]{1,20}|@[A-Za-z0-9_]{4,64})$`)

func (c *checker) times(r *news.Rule) {
	clock := func(key, name, value string) {
		if _, err := Clock(value); err != nil {
			c.add(key, fmt.Sprintf("%s: %s %v", key, name, err), "write for example \"08:30\"")
		}
	}
	zone := func(key, name string) {
		if _, err := time.LoadLocation(name); err != nil || name == "Local" {
			c.add(key, fmt.Sprintf("%s: zone %q is not an IANA time zone", key, name), "write for example Asia/Taipei")
		}
	}
	if d := r.Digest; d != nil {
		if d.Every != news.EveryHour && d.Every != news.EveryDay {
			c.add("digest", fmt.Sprintf("digest: every %q is not known", d.Every), "write hour or day")
		}
		if d.At != "" {
			clock("digest", "at", d.At)
		}
		zone("digest", d.Zone)
	}
	if q := r.Quiet; q != nil {
		clock("quiet", "from", q.From)
		clock("quiet", "to", q.To)
		if q.From == q.To {
			c.add("quiet", "quiet: from and to are the same", "to tell nobody at all use muted_until or disabled")
		}
		zone("quiet", q.Zone)
	}
	if t := r.Throttle; t != nil {
		if t.Most < 1 || t.Most > 1000 {
			c.add("throttle", "throttle: most must be from 1 to 1000", "say how many notices a channel gets at most")
		}
		if t.Per < news.Duration(time.Minute) || t.Per > news.Duration(7*24*time.Hour) {
			c.add("throttle", "throttle: per must be from 1m to 7d", "say within which time, such as per: 1h")
		}
	}
}

// Clock reads a time of day, such as 08:30, as the time since midnight.
func Clock(s string) (time.Duration, error) {
	t, err := time.Parse("15:04", s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time of day", s)
	}
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute, nil
}
