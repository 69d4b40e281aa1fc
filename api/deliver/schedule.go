package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/api/rules"
	"xinwen/news"
	"xinwen/news/bus"
)

// zoneOf returns a time zone, UTC where a rule names none.
func zoneOf(name string) *time.Location {
	if z, err := time.LoadLocation(name); err == nil {
		return z
	}
	return time.UTC // rules are checked before they are stored
}

// nextDigest returns the first time after now that a digest is due.
func nextDigest(d *news.Digest, now time.Time) time.Time {
	at, _ := rules.Clock(d.At) // midnight, or the full hour, if it names none
	local := now.In(zoneOf(d.Zone))
	hour, minute := int(at/time.Hour), int(at%time.Hour/time.Minute)
	for i := 0; ; i++ {
		var t time.Time
		if d.Every == news.EveryDay {
			t = time.Date(local.Year(), local.Month(), local.Day()+i, hour, minute, 0, 0, local.Location())
		} else {
			// By adding, so that the hour that a clock is set back is not lost.
			t = local.Truncate(time.Hour).Add(time.Duration(i)*time.Hour + time.Duration(minute)*time.Minute)
		}
		if t.After(now) {
			return t.UTC()
		}
	}
}

// quietEnd returns when the quiet hours that t is in end; ok says that it is in
// some.
func quietEnd(q *news.Quiet, t time.Time) (end time.Time, ok bool) {
	from, err := rules.Clock(q.From)
	to, err2 := rules.Clock(q.To)
	if err != nil || err2 != nil {
		return time.Time{}, false
	}
	local := t.In(zoneOf(q.Zone))
	clock := time.Duration(local.Hour())*time.Hour + time.Duration(local.Minute())*time.Minute
	days := 0
	switch {
	case from < to:
		ok = from <= clock && clock < to
	case clock >= from:
		ok, days = true, 1
	default:
		ok = clock < to
	}
	if !ok {
		return time.Time{}, false
	}
	end = time.Date(local.Year(), local.Month(), local.Day()+days, int(to/time.Hour), int(to%time.Hour/time.Minute), 0, 0, local.Location())
	return end.UTC(), end.After(t)
}

// due returns when a channel may be told of a delivery: now, or later together
// with others.
func (s *Service) due(ctx context.Context, rule *news.Rule, l *letter, now time.Time) (at time.Time, err error) {
	if rule.Digest != nil {
		at = nextDigest(rule.Digest, now)
	}
	if rule.Quiet != nil {
		t := now
		if !at.IsZero() {
			t = at
		}
		if end, quiet := quietEnd(rule.Quiet, t); quiet {
			at = end
		}
	}
	if at.IsZero() && rule.Throttle != nil {
		if at, err = s.throttle(ctx, rule, l.Receiver, l.ID, now, false); err != nil {
			return time.Time{}, err
		}
	}
	return at, nil
}

// sent is when a channel was told of late.
type sent struct {
	Sent []told `json:"sent"`
}

type told struct {
	ID string `json:"id"`
	At int64  `json:"t"` // Unix seconds
}

// throttle notes that a channel is told, unless that would be too often: then
// it returns when it may be. Must notes it in any case.
func (s *Service) throttle(ctx context.Context, rule *news.Rule, receiver, id string, now time.Time, must bool) (at time.Time, err error) {
	per := rule.Throttle.Per.Std()
	err = s.journal.change(ctx, "throttle."+bus.Key(rule.ID)+"."+receiver, func(data []byte) (any, error) {
		var v sent
		if data != nil {
			if err := json.Unmarshal(data, &v); err != nil {
				return nil, err
			}
		}
		at = time.Time{}
		v.Sent = slices.DeleteFunc(v.Sent, func(t told) bool { return t.At <= now.Add(-per).Unix() })
		if slices.ContainsFunc(v.Sent, func(t told) bool { return t.ID == id }) {
			return nil, nil
		}
		if len(v.Sent) >= rule.Throttle.Most && !must {
			at = time.Unix(v.Sent[len(v.Sent)-rule.Throttle.Most].At, 0).Add(per + time.Second).UTC()
			return nil, nil
		}
		v.Sent = append(v.Sent, told{id, now.Unix()})
		return v, nil
	})
	return at, err
}

// change lets edit make the new value of a key from the old one (nil if there
// is none), and writes it unless somebody else changed it meanwhile; then it
// begins anew. Edit returns nil to leave the key as it is.
func (j journal) change(ctx context.Context, key string, edit func(old []byte) (any, error)) error {
	for range 20 {
		var (
			old      []byte
			revision uint64
		)
		e, err := j.kv.Get(ctx, key)
		switch {
		case errors.Is(err, jetstream.ErrKeyNotFound):
		case err != nil:
			return fmt.Errorf("read %s: %w", key, err)
		default:
			old, revision = e.Value(), e.Revision()
		}
		v, err := edit(old)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if v == nil {
			return nil
		}
		data, err := json.Marshal(v)
		if err != nil {
			return err
		}
		if revision == 0 {
			_, err = j.kv.Create(ctx, key, data)
		} else {
			_, err = j.kv.Update(ctx, key, data, revision)
		}
		if err == nil {
			return nil
		}
		if !errors.Is(err, jetstream.ErrKeyExists) {
			return fmt.Errorf("write %s: %w", key, err)
		}
	}
	return fmt.Errorf("%s: changed by others all the time", key)
}
