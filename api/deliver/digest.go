package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/news"
	"xinwen/news/bus"
)

// States of a digest.
const (
	digestOpen    = "open"    // takes letters until it is due
	digestSending = "sending" // somebody has taken it
	digestDone    = "done"
)

// digest is one telling of several alerts to one channel. It lies in KV, so
// that it is sent at its time whatever happens meanwhile.
type digest struct {
	// ID is that of the delivery: the same on every attempt.
	ID       string    `json:"id"`
	Rule     string    `json:"rule"`
	Receiver string    `json:"receiver"`
	State    string    `json:"state"`
	Due      time.Time `json:"due"`
	// Next is when it is looked at again: at Due, at the next try, or when who
	// has taken it must be done.
	Next     time.Time `json:"next"`
	Attempts int       `json:"attempts"`
	Error    string    `json:"error,omitempty"`
}

func digestKey(rule, id string) string { return "digest." + bus.Key(rule) + "." + id }

// aside moves the time of digests off the full and half hours, when Feishu's
// bots are too busy to answer (error 11232).
func aside(kind string, due time.Time, receiver string) time.Time {
	if kind != news.ChannelFeishu && kind != news.ChannelLark || due.Minute()%30 != 0 || due.Second() != 0 {
		return due
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(receiver)) // never fails
	return due.Add(time.Minute + time.Duration(h.Sum32()%90)*time.Second)
}

// errDigest says that a letter came while its digest was being sent.
var errDigest = errors.New("the digest is being sent; whether this is part of it is seen when that is done")

// join puts a letter into the digest that is due at a time. It returns how long
// to wait until it must be looked at again, zero if it is safely in.
//
// Who sends a digest first takes it and then reads the letters; a letter that
// was written while the digest was still open is among them.
func (s *Service) join(ctx context.Context, l *letter, due time.Time) (wait time.Duration, err error) {
	for {
		due = due.Truncate(time.Second)
		l.Status, l.Digest, l.NextTry = Waiting, ID("digest", l.Rule+"\x00"+l.Receiver, due.Format(time.RFC3339)), due
		state, err := s.openDigest(ctx, l, due)
		if err != nil {
			return 0, err
		}
		if state != digestOpen { // that one is over: into the next
			due = later(due, s.now().UTC()).Add(time.Second)
			continue
		}
		if err := s.journal.put(ctx, l); err != nil {
			return 0, err
		}
		if state, err = s.openDigest(ctx, l, due); err != nil || state == digestOpen {
			return 0, err
		}
		return 2 * time.Second, errDigest
	}
}

// rejoin looks after a letter that waits for a digest and whose message came
// again: after a crash, or because of errDigest.
func (s *Service) rejoin(ctx context.Context, l *letter) (wait time.Duration, err error) {
	state, err := s.openDigest(ctx, l, l.NextTry)
	switch {
	case err != nil || state == digestOpen:
		return 0, err
	case state == digestSending: // or to be tried again
		return 5 * time.Second, errDigest
	}
	// All letters of a digest are settled before it is done.
	if l, err = s.journal.get(ctx, l.Rule, l.ID); err != nil || l.Status != Waiting {
		return 0, err
	}
	return s.join(ctx, l, s.now().UTC())
}

// openDigest makes the digest of a letter, unless it is there, and returns its
// state.
func (s *Service) openDigest(ctx context.Context, l *letter, due time.Time) (state string, err error) {
	err = s.journal.change(ctx, digestKey(l.Rule, l.Digest), func(data []byte) (any, error) {
		if data == nil {
			state = digestOpen
			return digest{ID: l.Digest, Rule: l.Rule, Receiver: l.Receiver, State: digestOpen, Due: due, Next: due}, nil
		}
		var d digest
		if err := json.Unmarshal(data, &d); err != nil {
			return nil, err
		}
		state = d.State
		return nil, nil
	})
	return state, err
}

// digests sends each digest when it is due, until ctx is done.
func (s *Service) digests(ctx context.Context) {
	for ctx.Err() == nil {
		if err := s.watchDigests(ctx); err != nil && ctx.Err() == nil {
			s.o.Logger.Warn("watch of digests interrupted, will go on", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
}

func (s *Service) watchDigests(ctx context.Context) error {
	w, err := s.journal.kv.Watch(ctx, "digest.>")
	if err != nil {
		return err
	}
	defer func() { _ = w.Stop() }() // it ends with ctx anyway
	var sending sync.WaitGroup
	defer sending.Wait()
	slots := make(chan struct{}, 4)
	open := make(map[string]jetstream.KeyValueEntry)
	next := make(map[string]time.Time)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		wake := time.Hour
		for key, at := range next {
			wait := at.Sub(s.now())
			if wait > 0 {
				wake = min(wake, wait)
				continue
			}
			select {
			case slots <- struct{}{}:
			default:
				wake = min(wake, 50*time.Millisecond) // all are busy
				continue
			}
			e := open[key]
			delete(next, key) // its change will tell when it is due again
			sending.Go(func() {
				defer func() { <-slots }()
				if err := s.sendDigest(ctx, e); err != nil && ctx.Err() == nil {
					s.o.Logger.Warn("digest not sent, will try again", "digest", e.Key(), "err", err)
				}
			})
		}
		timer.Reset(wake)
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case e, ok := <-w.Updates():
			if !ok {
				return errors.New("the watch has ended")
			}
			if e == nil {
				continue
			}
			delete(open, e.Key())
			delete(next, e.Key())
			var d digest
			if e.Operation() != jetstream.KeyValuePut || json.Unmarshal(e.Value(), &d) != nil || d.State == digestDone {
				continue
			}
			open[e.Key()], next[e.Key()] = e, d.Next
		}
	}
}

// sendDigest makes one attempt at a digest that is due.
func (s *Service) sendDigest(ctx context.Context, e jetstream.KeyValueEntry) error {
	var d digest
	if err := json.Unmarshal(e.Value(), &d); err != nil {
		return err
	}
	now := s.now().UTC()
	// Whoever changes it first has it; if he dies, it is due again.
	d.State, d.Next = digestSending, now.Add(2*s.o.Timeout+10*time.Second)
	revision, err := s.updateDigest(ctx, &d, e.Revision())
	if errors.Is(err, jetstream.ErrKeyExists) {
		return nil // somebody else has it
	}
	if err != nil {
		return err
	}
	wait, err := s.tellDigest(ctx, &d)
	if ctx.Err() != nil {
		return nil // the stop does not count; it is due again after the claim
	}
	if err != nil {
		return err // likewise
	}
	if d.State = digestDone; wait > 0 {
		d.State, d.Next = digestSending, s.now().UTC().Add(wait)
	}
	_, err = s.updateDigest(ctx, &d, revision)
	return err
}

func (s *Service) updateDigest(ctx context.Context, d *digest, revision uint64) (uint64, error) {
	data, err := json.Marshal(d)
	if err != nil {
		return 0, err
	}
	return s.journal.kv.Update(ctx, digestKey(d.Rule, d.ID), data, revision)
}

// tellDigest tells of the letters of a digest. It returns how long to wait until
// the next attempt, zero if there is none. An error is of the log.
func (s *Service) tellDigest(ctx context.Context, d *digest) (wait time.Duration, err error) {
	var letters []*letter
	err = s.journal.list(ctx, d.Rule, "", func(l *letter) {
		if l.Digest == d.ID && (l.Status == Waiting || l.Status == Dead) && l.Letter != nil {
			letters = append(letters, l)
		}
	})
	if err != nil || len(letters) == 0 {
		return 0, err
	}
	slices.SortFunc(letters, func(a, b *letter) int {
		if c := a.Letter.Matched.Compare(b.Letter.Matched); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	rule, c, why, err := s.channelOf(ctx, d)
	if err != nil {
		return 0, err
	}
	if c == nil {
		return 0, s.settle(ctx, letters, func(l *letter) { l.Status, l.Error = Dead, why })
	}
	n := &notice{id: d.ID, rule: rule}
	for _, l := range letters {
		n.alerts = append(n.alerts, l.Letter)
	}
	if len(letters) == 1 {
		n.id = letters[0].ID
	}
	now := s.now().UTC()
	dead := letters[0].Status == Dead
	if !dead {
		if wait, dead, err = s.tryDigest(ctx, d, c, n, letters, now); err != nil || wait == 0 && !dead {
			return 0, err
		}
	}
	backup := escalation(rule, c)
	if backup == nil {
		return wait, nil
	}
	if left := escalateAfter(c) - now.Sub(d.Due); !dead && left > 0 {
		return min(wait, left), nil
	}
	again, err := s.tellBackup(ctx, rule, c, backup, n)
	return soonest(wait, again), err
}

// tryDigest makes an attempt at a digest's own channel. It returns how long to
// wait until the next (zero: it was told), or that it is dead.
func (s *Service) tryDigest(ctx context.Context, d *digest, c *news.Channel, n *notice, letters []*letter, now time.Time) (wait time.Duration, dead bool, err error) {
	if wait := s.held(c, d.Receiver, now); wait > 0 {
		return wait, false, nil
	}
	if n.rule.Throttle != nil {
		if _, err := s.throttle(ctx, n.rule, d.Receiver, n.id, now, true); err != nil {
			return 0, false, err
		}
	}
	out := s.send(ctx, c, n)
	if out.err != nil && ctx.Err() != nil {
		return 0, false, ctx.Err()
	}
	// The first letter stands for all: its record decides what comes next.
	first := *letters[0]
	first.Status, first.Attempts, first.Since = Pending, d.Attempts, d.Due
	wait = s.judge(&first, out, s.now().UTC())
	s.report(&first, out, wait)
	d.Attempts, d.Error = first.Attempts, first.Error
	return wait, first.Status == Dead, s.settle(ctx, letters, func(l *letter) {
		l.Status, l.Attempts, l.LastTry, l.NextTry, l.Error, l.HTTPStatus = first.Status, first.Attempts, first.LastTry, first.NextTry, first.Error, first.HTTPStatus
		switch first.Status {
		case Pending:
			l.Status = Waiting
		case Delivered:
			l.Letter = nil
		}
	})
}

// tellBackup tells the channel that stands in for c of a notice. It returns how
// long to wait until the next attempt, zero if there is none.
func (s *Service) tellBackup(ctx context.Context, rule *news.Rule, c, backup *news.Channel, n *notice) (wait time.Duration, err error) {
	for _, b := range addresses(backup) {
		last := n.alerts[len(n.alerts)-1]
		l := s.letter(last, b.Kind, identity(&b), s.now().UTC())
		l.ID = ID("backup", n.id, identity(&b))
		l.To, l.Receiver, l.Letter = b.Label(), hash("receiver", identity(&b)), last
		if l, _, err = s.journal.create(ctx, l); err != nil {
			return 0, err
		}
		again, err := s.attempt(ctx, l, &b, &notice{id: l.ID, rule: rule, alerts: n.alerts, instead: c.Label()})
		if err != nil && again == 0 && l.Status == Pending {
			return 0, err
		}
		wait = soonest(wait, again)
	}
	return wait, nil
}

// channelOf returns the rule and channel of a digest; a nil channel is not to be
// told any more, for the reason that why says.
func (s *Service) channelOf(ctx context.Context, d *digest) (rule *news.Rule, c *news.Channel, why string, err error) {
	stored, err := s.o.Rules.Get(ctx, d.Rule)
	if err != nil {
		return nil, nil, "", err
	}
	switch {
	case stored == nil:
		return nil, nil, "the rule was removed before the digest was due", nil
	case stored.Disabled:
		return nil, nil, "the rule was disabled before the digest was due", nil
	case s.now().Before(stored.MutedUntil):
		return nil, nil, "the rule was muted when the digest was due", nil
	}
	for i := range stored.Channels {
		for _, c := range addresses(&stored.Channels[i]) {
			if hash("receiver", identity(&c)) == d.Receiver {
				return &stored.Rule, &c, "", nil
			}
		}
	}
	return nil, nil, "the channel was taken out of the rule before the digest was due", nil
}

// settle changes letters and writes them.
func (s *Service) settle(ctx context.Context, letters []*letter, change func(*letter)) error {
	// A stop must not lose that an attempt was made.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	var errs []error
	for _, l := range letters {
		change(l)
		errs = append(errs, s.journal.put(ctx, l))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("log of a digest: %w", err)
	}
	return nil
}
