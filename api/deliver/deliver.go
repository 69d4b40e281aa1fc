// Package deliver tells of alerts: it reads ALERTS through a durable consumer
// of its own and delivers each alert to the log and to the webhooks of its
// rule, once per rule and article.
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
	"math/rand/v2"
	"net/http"
	"strconv"
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
}

// Service delivers alerts.
type Service struct {
	o       Options
	journal journal
	client  *client
	pauses  pauses
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
	for _, channel := range []string{ChannelLog, ChannelWebhook} {
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
	var prune sync.WaitGroup
	defer prune.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	prune.Go(func() { s.pruneLoop(ctx) })
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
	rule, err := s.o.Rules.Get(ctx, a.Rule)
	if err != nil {
		return err
	}
	var hooks []news.Webhook
	if rule != nil && !rule.Disabled {
		hooks = rule.Webhooks
	}
	var (
		wg    sync.WaitGroup
		waits = make([]time.Duration, len(hooks))
		errs  = make([]error, len(hooks))
	)
	for i := range hooks {
		wg.Go(func() { waits[i], errs[i] = s.tell(ctx, &hooks[i], a) })
	}
	wg.Wait()
	var (
		wait   time.Duration
		reason error
	)
	for i, w := range waits {
		if w > 0 && (wait == 0 || w < wait) {
			wait, reason = w, errs[i]
		} else if w == 0 && errs[i] != nil {
			return errs[i] // the log could not be written: the bus decides when
		}
	}
	if wait > 0 {
		return bus.RetryAfter(wait, reason)
	}
	return nil
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
	return stored.Alert == a.ID, nil
}

func (s *Service) letter(a *news.Alert, channel, receiver string, now time.Time) *letter {
	return &letter{Record: Record{
		ID: ID(a.Rule, a.Article.ID, receiver), Rule: a.Rule, RuleName: a.RuleName, Alert: a.ID,
		Article: a.Article.ID, Title: a.Article.Title, URL: a.Article.URL,
		Channel: channel, Status: Pending, Created: now, Since: now,
	}}
}

// tell makes the attempt at one webhook that is due. It returns how long to
// wait until the next one, zero if there is none.
func (s *Service) tell(ctx context.Context, w *news.Webhook, a *news.Alert) (wait time.Duration, err error) {
	now := s.now().UTC()
	l := s.letter(a, ChannelWebhook, w.URL, now)
	l.To, l.Receiver, l.Letter = Place(w.URL), hash("receiver", w.URL), a
	l, _, err = s.journal.create(ctx, l)
	if err != nil {
		return 0, err
	}
	if l.Alert != a.ID || l.Status != Pending {
		return 0, nil
	}
	if d := l.NextTry.Sub(now); d > 0 {
		return d, errors.New(l.Error)
	}
	gone, err := s.journal.gone(ctx, l.Receiver)
	if err != nil {
		return 0, err
	}
	if gone {
		l.Status, l.Error, l.NextTry = Disabled, "the receiver answered 410 Gone before; replay this delivery to try it again", time.Time{}
		return 0, s.journal.put(ctx, l)
	}
	if d := s.pauses.wait(l.Receiver, now, s.o.Timeout); d > 0 {
		return d, errors.New("the receiver has failed several times and is left alone for a while")
	}
	out := s.client.post(ctx, w, l.ID, a)
	if out.err != nil && ctx.Err() != nil {
		return 0, ctx.Err() // cut off by our own stop: it does not count
	}
	return s.record(ctx, l, out)
}

// record writes what came of an attempt.
func (s *Service) record(ctx context.Context, l *letter, out outcome) (wait time.Duration, err error) {
	now := s.now().UTC()
	l.Attempts++
	l.LastTry, l.HTTPStatus, l.NextTry, l.Error = now, out.status, time.Time{}, ""
	result := "delivered"
	switch refused := out.status >= 400 && out.status < 500; {
	case out.err == nil:
		l.Status, l.Letter = Delivered, nil
	case out.status == http.StatusGone:
		l.Status = Dead
		l.Error = out.err.Error() + "; the webhook is disabled until one of its deliveries is replayed"
		if err := s.journal.setGone(ctx, l.Receiver); err != nil {
			return 0, err
		}
	case refused && !again(out.status) && l.Attempts >= refusals, now.Sub(l.Since) >= MaxAge:
		l.Status, l.Error = Dead, out.err.Error()
	default:
		result, l.Error = "failed", out.err.Error()
		wait = max(s.delay(l.Attempts), out.retryAfter)
		// The last attempt is at the end of the day, not beyond.
		wait = min(wait, max(l.Since.Add(MaxAge).Sub(now), time.Second))
		l.NextTry = now.Add(wait)
	}
	s.pauses.report(l.Receiver, now, out.err == nil || wait == 0, wait)
	attrs := []any{"rule", l.Rule, "delivery", l.ID, "to", l.To, "attempt", l.Attempts}
	if l.Status == Dead {
		result = "dead"
		s.o.Logger.Error("webhook given up", append(attrs, "err", l.Error, "hint", "POST /v1/deliveries/"+l.ID+"/replay when the receiver is well")...)
	} else if out.err != nil {
		s.o.Logger.Warn("webhook failed", append(attrs, "err", out.err, "retry_in", wait.Round(time.Millisecond))...)
	}
	s.total.WithLabelValues(ChannelWebhook, result).Inc()
	// A stop must not lose the count of an attempt that was made.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := s.journal.put(ctx, l); err != nil {
		return 0, err
	}
	return wait, out.err
}

// again reports whether a 4xx status asks to try again.
func again(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusTooEarly || status == http.StatusTooManyRequests
}

// delay returns the time to wait after n attempts: growing fourfold, with a
// quarter of jitter either way.
func (s *Service) delay(n int) time.Duration {
	d := s.o.FirstDelay
	for range n - 1 {
		if d *= 4; d >= maxDelay {
			d = maxDelay
			break
		}
	}
	return time.Duration(float64(d) * (0.75 + 0.5*rand.Float64()))
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
	case l.Status == Delivered || l.Letter == nil:
		return ErrDelivered
	}
	if err := s.journal.clearGone(ctx, l.Receiver); err != nil {
		return fmt.Errorf("enable receiver: %w", err)
	}
	l.Status, l.Attempts, l.Since, l.NextTry, l.Error = Pending, 0, now, time.Time{}, ""
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
