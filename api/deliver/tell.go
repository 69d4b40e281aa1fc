package deliver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/trace"

	"xinwen/news"
	"xinwen/news/bus"
)

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
		return d, errAlone
	}
	out := s.traced(ctx, l, func(ctx context.Context) outcome { return s.client.post(ctx, w, l.ID, a) })
	if out.err != nil && ctx.Err() != nil {
		return 0, ctx.Err() // cut off by our own stop: it does not count
	}
	return s.record(ctx, l, out)
}

var errAlone = errors.New("the receiver has failed several times and is left alone for a while")

// addresses parts a channel into those that are told one by one: each address
// of an e-mail channel, so that one that is refused does not hold up the others
// and nobody sees who else is told.
func addresses(c *news.Channel) []news.Channel {
	if c.Kind != news.ChannelEmail {
		return []news.Channel{*c}
	}
	list := make([]news.Channel, len(c.To))
	for i, to := range c.To {
		list[i] = *c
		list[i].To = []string{to}
	}
	return list
}

// tellChannel brings one channel as far as it can be now: it makes the attempt
// that is due, leaves the alert to a digest, or tells the backup of a channel
// that cannot be reached. It returns how long to wait until there is more to do,
// zero if there is nothing.
func (s *Service) tellChannel(ctx context.Context, rule *news.Rule, c *news.Channel, a *news.Alert) (wait time.Duration, err error) {
	now := s.now().UTC()
	l := s.letter(a, c.Kind, identity(c), now)
	l.To, l.Receiver, l.Letter = c.Label(), hash("receiver", identity(c)), a
	l, created, err := s.journal.create(ctx, l)
	if err != nil || l.Alert != a.ID {
		return 0, err
	}
	switch l.Status {
	case Waiting:
		return s.rejoin(ctx, l)
	case Pending:
		if created || l.Attempts == 0 && l.NextTry.IsZero() {
			at, err := s.due(ctx, rule, l, now)
			if err != nil {
				return 0, err
			}
			if !at.IsZero() {
				return s.join(ctx, l, aside(c.Kind, at, l.Receiver))
			}
		}
		n := &notice{id: l.ID, rule: rule, alerts: []*news.Alert{a}}
		wait, err = s.attempt(ctx, l, c, n)
		if l.Status == Pending && wait == 0 {
			return 0, err // of the log
		}
	case Dead:
	default:
		return 0, nil
	}
	backup := escalation(rule, c)
	if backup == nil || l.Status != Pending && l.Status != Dead {
		return wait, err
	}
	if left := escalateAfter(c) - now.Sub(l.Since); l.Status == Pending && left > 0 {
		return min(wait, left), err
	}
	again, err2 := s.tellBackup(ctx, rule, c, backup, &notice{id: l.ID, rule: rule, alerts: []*news.Alert{a}})
	return soonest(wait, again), errors.Join(err, err2)
}

// escalation returns the channel that stands in for c, nil if there is none.
func escalation(rule *news.Rule, c *news.Channel) *news.Channel {
	for i := range rule.Channels {
		if c.Escalate != "" && rule.Channels[i].Label() == c.Escalate {
			return &rule.Channels[i]
		}
	}
	return nil
}

// defaultEscalateAfter is how long a channel may fail before its backup is told.
const defaultEscalateAfter = 10 * time.Minute

func escalateAfter(c *news.Channel) time.Duration {
	return cmp.Or(c.EscalateAfter.Std(), defaultEscalateAfter)
}

// held returns how long a channel is to be left alone: it fails, or its limit is
// reached.
func (s *Service) held(c *news.Channel, receiver string, now time.Time) time.Duration {
	if d := s.pauses.wait(receiver, now, s.o.Timeout); d > 0 {
		return d
	}
	return s.budgets.wait(receiver, channelKinds[c.Kind], now)
}

// send makes one attempt at telling a channel.
func (s *Service) send(ctx context.Context, c *news.Channel, n *notice) outcome {
	k, ok := channelKinds[c.Kind]
	if !ok {
		return outcome{err: fmt.Errorf("channel kind %q is not known to this version", c.Kind), status: refused}
	}
	zone := s.o.Zone
	switch r := n.rule; {
	case r.Digest != nil && r.Digest.Zone != "":
		zone = zoneOf(r.Digest.Zone)
	case r.Quiet != nil && r.Quiet.Zone != "":
		zone = zoneOf(r.Quiet.Zone)
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	return k.send(ctx, s, c, n, compose(n, c.Language, zone, s.o.PublicURL))
}

// attempt makes the attempt at a channel that is due, and writes what came of
// it into l. It returns how long to wait until the next one, zero if there is
// none.
func (s *Service) attempt(ctx context.Context, l *letter, c *news.Channel, n *notice) (wait time.Duration, err error) {
	now := s.now().UTC()
	if l.Status != Pending {
		return 0, nil
	}
	if d := l.NextTry.Sub(now); d > 0 {
		return d, errors.New(l.Error)
	}
	if d := s.held(c, l.Receiver, now); d > 0 {
		return d, errAlone
	}
	out := s.traced(ctx, l, func(ctx context.Context) outcome { return s.send(ctx, c, n) })
	if out.err != nil && ctx.Err() != nil {
		return 0, ctx.Err() // cut off by our own stop: it does not count
	}
	return s.record(ctx, l, out)
}

// traced makes an attempt in a span of its own.
func (s *Service) traced(ctx context.Context, l *letter, try func(context.Context) outcome) outcome {
	ctx, span := s.o.Bus.Tracer().Start(ctx, "deliver "+l.Channel, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("xinwen.channel", l.Channel), attribute.String("xinwen.rule", l.Rule),
		attribute.String("xinwen.article.id", l.Article), attribute.String("xinwen.delivery.id", l.ID), attribute.Int("xinwen.attempt", l.Attempts+1)))
	out := try(ctx)
	if out.status > 0 {
		span.SetAttributes(semconv.HTTPResponseStatusCode(out.status))
	}
	bus.EndSpan(span, out.err)
	s.o.Bus.Reached("delivery", "before log")
	return out
}

// record writes what came of an attempt.
func (s *Service) record(ctx context.Context, l *letter, out outcome) (wait time.Duration, err error) {
	wait = s.judge(l, out, s.now().UTC())
	if l.Channel == ChannelWebhook && out.status == http.StatusGone {
		l.Error += "; the webhook is disabled until one of its deliveries is replayed"
		if err := s.journal.setGone(ctx, l.Receiver); err != nil {
			return 0, err
		}
	}
	s.report(l, out, wait)
	// A stop must not lose the count of an attempt that was made.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := s.journal.put(ctx, l); err != nil {
		return 0, err
	}
	return wait, out.err
}

// judge puts into l what came of an attempt, and returns how long to wait until
// the next, zero if there is none.
func (s *Service) judge(l *letter, out outcome, now time.Time) (wait time.Duration) {
	l.Attempts++
	l.LastTry, l.HTTPStatus, l.NextTry, l.Error = now, out.status, time.Time{}, ""
	switch no := out.status >= 400 && out.status < 500; {
	case out.err == nil:
		l.Status, l.Letter = Delivered, nil
	case out.status == http.StatusGone,
		no && !again(out.status) && l.Attempts >= refusals, now.Sub(l.Since) >= MaxAge:
		l.Status, l.Error = Dead, out.err.Error()
	default:
		l.Error = out.err.Error()
		wait = max(s.delay(l.Attempts), out.retryAfter)
		// The last attempt is at the end of the day, not beyond.
		wait = min(wait, max(l.Since.Add(MaxAge).Sub(now), time.Second))
		l.NextTry = now.Add(wait)
	}
	return wait
}

// report tells the log, the metrics and the pauses what came of an attempt.
func (s *Service) report(l *letter, out outcome, wait time.Duration) {
	s.pauses.report(l.Receiver, s.now(), out.err == nil || wait == 0, wait)
	result := "delivered"
	attrs := []any{"rule", l.Rule, "delivery", l.ID, "channel", l.Channel, "to", l.To, "attempt", l.Attempts}
	switch {
	case l.Status == Dead:
		result = "dead"
		s.o.Logger.Error("delivery given up", append(attrs, "err", l.Error, "hint", "POST /v1/deliveries/"+l.ID+"/replay when the receiver is well")...)
	case out.err != nil:
		result = "failed"
		s.o.Logger.Warn("delivery failed", append(attrs, "err", out.err, "retry_in", wait.Round(time.Millisecond))...)
	}
	s.total.WithLabelValues(l.Channel, result).Inc()
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
