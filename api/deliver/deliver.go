// Package deliver tells of alerts: it reads ALERTS through a durable consumer
// of its own and delivers each alert to the log, and to the webhooks and channels
// of its rule, once per rule and article. Of one story only the first article is
// told; the log has the others as repeats.
//
//	alert ─► log ─► repeat? ─┬─► webhooks, at once
//	                         └─► channels: at once, or ─► digest (also after quiet
//	                             hours and a throttle) ─► channel ─► its backup
//
// The log of deliveries lies in KV. Its keys follow from rule, article and
// receiver, so a redelivered message, a rebuilt index or a new revision of an
// article finds what was told already and tells nothing twice. A webhook that
// fails is tried again with growing delays for up to MaxAge; both the message
// (which stays unacknowledged) and the record survive a restart. Every attempt
// of one delivery carries the same webhook-id, by which a receiver can tell a
// repeat whose first answer was lost.
package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"xinwen/api/rules"
	"xinwen/news"
	"xinwen/news/bus"
)

const (
	// Consumer is the name of the durable consumer.
	Consumer = "deliver"
	// MaxAge is how long a webhook is tried.
	MaxAge = 24 * time.Hour

	maxDelay = 4 * time.Hour
	// refusals is the number of 4xx answers after which a delivery is dead.
	refusals = 3
	// waiting bounds the alerts that wait for a retry; beyond it the consumer
	// takes no new ones.
	waiting = 20_000
)

// Options are what a Service is made from.
type Options struct {
	Bus    *bus.Bus
	Rules  *rules.Store
	Logger *slog.Logger
	// Metrics may be nil.
	Metrics prometheus.Registerer
	// AllowPrivate lets webhooks reach loopback and private addresses.
	AllowPrivate bool
	// Timeout bounds one attempt (default 10 s).
	Timeout time.Duration
	// FirstDelay is the delay before the second attempt (default 2 s); each
	// further one is four times as long, with jitter, up to 4 h.
	FirstDelay time.Duration
	// SMTP is the mail server of e-mail channels.
	SMTP SMTP
	// TelegramURL is where Telegram's bots are reached (default DefaultTelegram).
	TelegramURL string
	// PublicURL is where people reach the pages; links begin with it. Empty means
	// no links.
	PublicURL string
	// Zone is that of times in notices whose rule names none (default UTC).
	Zone *time.Location
}

// Service delivers alerts.
type Service struct {
	o       Options
	journal journal
	client  *client
	pauses  pauses
	budgets budgets
	now     func() time.Time
	total   *prometheus.CounterVec
	seconds prometheus.Histogram
}

// New returns a service; Run starts it.
func New(o Options) *Service {
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.FirstDelay <= 0 {
		o.FirstDelay = 2 * time.Second
	}
	if o.TelegramURL == "" {
		o.TelegramURL = DefaultTelegram
	}
	o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	s := &Service{
		o:       o,
		journal: journal{o.Bus.KV(bus.KVDeliveries)},
		client:  newClient(o.Timeout, o.AllowPrivate),
		now:     time.Now,
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "xinwen_api_delivery_attempts_total", Help: "Attempts at delivering alerts, by channel and result.",
		}, []string{"channel", "result"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "xinwen_api_delivery_delay_seconds", Help: "Time from the match to the first accepted delivery.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2, 5, 15, 60, 300, 3600, 6 * 3600, 24 * 3600},
		}),
	}
	for _, channel := range slices.Concat([]string{ChannelLog, ChannelWebhook}, slices.Collect(maps.Keys(channelKinds))) {
		for _, result := range []string{"delivered", "failed", "dead"} {
			s.total.WithLabelValues(channel, result)
		}
	}
	if o.Metrics != nil {
		o.Metrics.MustRegister(s.total, s.seconds)
	}
	return s
}

// Run delivers until ctx is done.
func (s *Service) Run(ctx context.Context) error {
	defer s.client.close()
	var beside sync.WaitGroup
	defer beside.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	beside.Go(func() { s.pruneLoop(ctx) })
	beside.Go(func() { s.digests(ctx) })
	return s.o.Bus.Consume(ctx, bus.ConsumerConfig{
		Stream: bus.Alerts, Name: Consumer, Workers: 8,
		MaxAckPending: waiting,
		// Records count the attempts and end them; the message must outlive them.
		MaxDeliver: -1,
		Timeout:    s.o.Timeout*2 + 10*time.Second,
	}, s.handle)
}

// handle delivers one alert as far as it can be now.
func (s *Service) handle(ctx context.Context, m *bus.Message) error {
	a, err := news.ParseAlert(m.Data)
	if err != nil {
		return bus.Permanent(err)
	}
	if a.ID == "" || a.Rule == "" || a.Article.ID == "" {
		return bus.Permanent(errors.New("alert without id, rule or article"))
	}
	mine, err := s.log(ctx, a)
	if err != nil || !mine {
		return err
	}
	stored, err := s.o.Rules.Get(ctx, a.Rule)
	if err != nil || stored == nil || stored.Disabled || s.now().Before(stored.MutedUntil) {
		return err
	}
	rule := &stored.Rule
	if !rule.Repeats {
		article, err := s.repeats(ctx, a)
		if err != nil {
			return err
		}
		if article != "" {
			return s.logRepeat(ctx, a, article)
		}
	}
	var channels []news.Channel
	for i := range rule.Channels {
		if !rule.Channels[i].Backup {
			channels = append(channels, addresses(&rule.Channels[i])...)
		}
	}
	var (
		wg    sync.WaitGroup
		waits = make([]time.Duration, len(rule.Webhooks)+len(channels))
		errs  = make([]error, len(waits))
	)
	for i := range rule.Webhooks {
		wg.Go(func() { waits[i], errs[i] = s.tell(ctx, &rule.Webhooks[i], a) })
	}
	for i := range channels {
		k := len(rule.Webhooks) + i
		wg.Go(func() { waits[k], errs[k] = s.tellChannel(ctx, rule, &channels[i], a) })
	}
	wg.Wait()
	var (
		wait   time.Duration
		reason error
	)
	for i, w := range waits {
		if w == 0 && errs[i] != nil {
			return errs[i] // the log could not be written: the bus decides when
		}
		if w > 0 && soonest(wait, w) == w {
			wait, reason = w, errs[i]
		}
	}
	if wait > 0 {
		if reason == nil {
			reason = errors.New("a channel must wait")
		}
		return bus.RetryAfter(wait, reason)
	}
	return nil
}

// soonest returns the shorter of two waits, where zero is none.
func soonest(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}

// logRepeat notes in the log that an alert was not told, since it repeats the
// story of another article.
func (s *Service) logRepeat(ctx context.Context, a *news.Alert, article string) error {
	l, err := s.journal.get(ctx, a.Rule, ID(a.Rule, a.Article.ID, ""))
	if err != nil || l.Status == Repeat {
		return err
	}
	l.Status, l.Repeats = Repeat, article
	return s.journal.put(ctx, l)
}

// log delivers to the log. It reports whether a is the alert that is told of
// its rule and article, rather than one of a later revision.
func (s *Service) log(ctx context.Context, a *news.Alert) (mine bool, err error) {
	now := s.now().UTC()
	l := s.letter(a, ChannelLog, "", now)
	l.Status, l.Attempts, l.LastTry = Delivered, 1, now
	stored, created, err := s.journal.create(ctx, l)
	if err != nil {
		return false, err
	}
	if created {
		s.total.WithLabelValues(ChannelLog, "delivered").Inc()
		if !a.Matched.IsZero() {
			s.seconds.Observe(max(0, now.Sub(a.Matched).Seconds()))
		}
		s.o.Logger.Info("alert", "rule", a.Rule, "rule_name", a.RuleName, "article_id", a.Article.ID,
			"title", a.Article.Title, "url", a.Article.URL, "source", a.Article.Source)
	}
	return stored.Alert == a.ID && stored.Status != Repeat, nil
}

func (s *Service) letter(a *news.Alert, channel, receiver string, now time.Time) *letter {
	return &letter{Record: Record{
		ID: ID(a.Rule, a.Article.ID, receiver), Rule: a.Rule, RuleName: a.RuleName, Alert: a.ID,
		Article: a.Article.ID, Title: a.Article.Title, URL: a.Article.URL,
		Channel: channel, Status: Pending, Created: now, Since: now,
	}}
}

// ErrPending says that a delivery is still being tried and need not be
// replayed.
var ErrPending = errors.New("delivery is still being tried")

// overdue is how long after its due time a pending delivery has lost its
// message (a crash in Replay, a stream made anew) and may be replayed.
const overdue = 10 * time.Minute

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// ErrDelivered says that a delivery arrived and need not be replayed.
var ErrDelivered = errors.New("delivery has arrived already")

// Replay tries a dead or disabled delivery again, for another MaxAge.
func (s *Service) Replay(ctx context.Context, id string) error {
	var l *letter
	if err := s.journal.list(ctx, "", bus.Key(id), func(found *letter) { l = found }); err != nil {
		return err
	}
	now := s.now().UTC()
	switch {
	case l == nil:
		return ErrNoDelivery
	case l.Status == Pending && now.Before(later(l.Since, l.NextTry).Add(overdue)):
		return ErrPending
	case l.Status == Waiting:
		return ErrPending
	case l.Status == Delivered || l.Letter == nil:
		return ErrDelivered
	}
	if err := s.journal.clearGone(ctx, l.Receiver); err != nil {
		return fmt.Errorf("enable receiver: %w", err)
	}
	l.Status, l.Attempts, l.Since, l.NextTry, l.Error, l.Digest = Pending, 0, now, time.Time{}, "", ""
	if err := s.journal.put(ctx, l); err != nil {
		return err
	}
	// The alert goes through the stream again; all but the pending deliveries
	// are in the log and stay as they are.
	data, err := json.Marshal(l.Letter)
	if err != nil {
		return err
	}
	return s.o.Bus.Publish(ctx, &bus.Message{
		Subject: bus.SubjectAlerts + bus.Token(l.Rule),
		ID:      "replay-" + l.ID + "-" + strconv.FormatInt(now.UnixNano(), 36),
		Data:    data,
	})
}
