package news

import "time"

// Rule is a stored query with conditions, and where to tell of its matches.
// Only ID and Query are needed.
type Rule struct {
	// ID is a slug: lower-case letters, digits and hyphens.
	ID   string `json:"id" yaml:"id"`
	Name string `json:"name" yaml:"name"`
	// Query is in the query language of search. It may be empty if Together
	// says what to look for.
	Query    string `json:"query" yaml:"query"`
	Disabled bool   `json:"disabled,omitempty" yaml:"disabled,omitempty"`
	// MutedUntil: matches before it are logged and in feeds, but nobody is told.
	MutedUntil time.Time `json:"muted_until,omitzero" yaml:"muted_until,omitempty"`
	Owner      string    `json:"owner,omitempty" yaml:"owner,omitempty"`
	Labels     []string  `json:"labels,omitempty" yaml:"labels,omitempty"`

	// Languages (zh, en, zh-Hans, zh-Hant) and Sources (IDs) narrow the query;
	// values of one list are alternatives.
	Languages []string `json:"languages,omitempty" yaml:"languages,omitempty"`
	Sources   []string `json:"sources,omitempty" yaml:"sources,omitempty"`
	// Together asks for entities that are named together.
	Together *Together `json:"together,omitempty" yaml:"together,omitempty"`
	// First, Threshold and Spike tell of a few of the matches; at most one of
	// them may be set.
	First     *First     `json:"first,omitempty" yaml:"first,omitempty"`
	Threshold *Threshold `json:"threshold,omitempty" yaml:"threshold,omitempty"`
	Spike     *Spike     `json:"spike,omitempty" yaml:"spike,omitempty"`
	// Repeats tells of every article of a story, not only of the first.
	Repeats bool `json:"repeats,omitempty" yaml:"repeats,omitempty"`

	// Webhooks are for programs: each match is told at once, except a repeat of
	// a story. The log always is.
	Webhooks []Webhook `json:"webhooks,omitempty" yaml:"webhooks,omitempty"`
	// Channels are for people; Digest, Quiet and Throttle say when they are told.
	Channels []Channel `json:"channels,omitempty" yaml:"channels,omitempty"`
	Digest   *Digest   `json:"digest,omitempty" yaml:"digest,omitempty"`
	Quiet    *Quiet    `json:"quiet,omitempty" yaml:"quiet,omitempty"`
	Throttle *Throttle `json:"throttle,omitempty" yaml:"throttle,omitempty"`
}

// Where entities must be together.
const (
	WithinArticle  = "article"
	WithinSentence = "sentence"
)

// Together asks that all Entities are named, by ID, name or alias.
type Together struct {
	Entities []string `json:"entities" yaml:"entities"`
	// Within is "article" (the default) or "sentence".
	Within string `json:"within,omitempty" yaml:"within,omitempty"`
}

// First asks that a match is the first mention of an entity.
type First struct {
	// Entities are those that are watched, by ID, name or alias; Kinds watches
	// all of some kinds. One of them is needed.
	Entities []string `json:"entities,omitempty" yaml:"entities,omitempty"`
	Kinds    []Kind   `json:"kinds,omitempty" yaml:"kinds,omitempty"`
	// Window is how long an entity must not have been mentioned before; zero
	// is ever.
	Window Duration `json:"window,omitempty" yaml:"window,omitempty"`
}

// Threshold asks for a number of matches within a time.
type Threshold struct {
	Count int `json:"count" yaml:"count"`
	// Window is the time, by when articles were published.
	Window Duration `json:"window" yaml:"window"`
}

// Spike asks for more matches within Window than the rule's own rhythm gives:
// than expected from the days before, by Factor at the least, and by more than
// chance explains.
type Spike struct {
	Window Duration `json:"window" yaml:"window"`
	// Factor over what is expected (default 3).
	Factor float64 `json:"factor,omitempty" yaml:"factor,omitempty"`
	// Least is the smallest number of matches that is a spike (default 5).
	Least int `json:"least,omitempty" yaml:"least,omitempty"`
	// History is how far the rhythm is looked back (default 14d).
	History Duration `json:"history,omitempty" yaml:"history,omitempty"`
}

// Defaults of Spike.
const (
	SpikeFactor  = 3
	SpikeLeast   = 5
	SpikeHistory = Duration(14 * 24 * time.Hour)
)

// Webhook is an address that deliveries are posted to, signed as Standard
// Webhooks has it.
type Webhook struct {
	URL string `json:"url" yaml:"url"`
	// SecretEnv and SecretFile name where the signing secret ("whsec_…" or raw
	// text) is read from; one of them is required.
	SecretEnv  string `json:"secret_env,omitempty" yaml:"secret_env,omitempty"`
	SecretFile string `json:"secret_file,omitempty" yaml:"secret_file,omitempty"`
}

// Kinds of channels.
const (
	ChannelEmail    = "email"
	ChannelSlack    = "slack"
	ChannelTeams    = "teams"
	ChannelTelegram = "telegram"
	ChannelDiscord  = "discord"
	ChannelFeishu   = "feishu"
	ChannelLark     = "lark"
	ChannelDingTalk = "dingtalk"
	ChannelWeCom    = "wecom"
)

// Channel is where people are told. What is secret is named, never written: the
// name of an environment variable, or a file.
type Channel struct {
	Kind string `json:"kind" yaml:"kind"`
	// Name tells channels of one rule apart; the kind if empty.
	Name string `json:"name,omitempty" yaml:"name,omitempty"`
	// URLEnv or URLFile hold the address that Slack, Teams, Discord, Feishu,
	// Lark, DingTalk and WeCom gave for a group.
	URLEnv  string `json:"url_env,omitempty" yaml:"url_env,omitempty"`
	URLFile string `json:"url_file,omitempty" yaml:"url_file,omitempty"`
	// SecretEnv or SecretFile hold the signing secret of Feishu, Lark and
	// DingTalk (where signing is on), or the token of a Telegram bot.
	SecretEnv  string `json:"secret_env,omitempty" yaml:"secret_env,omitempty"`
	SecretFile string `json:"secret_file,omitempty" yaml:"secret_file,omitempty"`
	// To are the addresses of e-mail, or the one chat of Telegram.
	To []string `json:"to,omitempty" yaml:"to,omitempty"`
	// Language of what we write around the articles: zh-Hans, zh-Hant or en
	// (the default).
	Language string `json:"language,omitempty" yaml:"language,omitempty"`
	// Escalate names the channel of the rule that is told instead when this one
	// has failed for EscalateAfter (default 10m), or for good.
	Escalate      string   `json:"escalate,omitempty" yaml:"escalate,omitempty"`
	EscalateAfter Duration `json:"escalate_after,omitempty" yaml:"escalate_after,omitempty"`
	// Backup says that the channel is told only when another escalates to it.
	Backup bool `json:"backup,omitempty" yaml:"backup,omitempty"`
}

// Label returns the channel's name, or its kind.
func (c *Channel) Label() string {
	if c.Name != "" {
		return c.Name
	}
	return c.Kind
}

// Digest gathers matches and tells of them at once.
type Digest struct {
	// Every is "hour" or "day".
	Every string `json:"every" yaml:"every"`
	// At is the time of day, as 08:30, of a daily digest; of an hourly one only
	// the minutes count.
	At string `json:"at,omitempty" yaml:"at,omitempty"`
	// Zone is the IANA time zone of At (default UTC).
	Zone string `json:"zone,omitempty" yaml:"zone,omitempty"`
}

// How often a digest comes.
const (
	EveryHour = "hour"
	EveryDay  = "day"
)

// Quiet are hours in which nobody is told; the matches come together at their
// end.
type Quiet struct {
	// From and To are times of day, as 22:00 and 07:30; To may be the next day.
	From string `json:"from" yaml:"from"`
	To   string `json:"to" yaml:"to"`
	// Zone is the IANA time zone of both (default UTC).
	Zone string `json:"zone,omitempty" yaml:"zone,omitempty"`
}

// Throttle bounds how often a channel is told; what is beyond comes together
// when the time is over.
type Throttle struct {
	Most int      `json:"most" yaml:"most"`
	Per  Duration `json:"per" yaml:"per"`
}
