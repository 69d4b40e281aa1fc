package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

// Advisories of the server that QUARANTINE captures. The bus's own consumers
// cause none: they are for programs that consume without it.
const (
	advisoryMaxDeliveries = "$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES."
	advisoryTerminated    = "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED."
)

// Quarantined describes one message of QUARANTINE.
type Quarantined struct {
	Seq       uint64    `json:"seq"`     // in QUARANTINE
	Service   string    `json:"service"` // who gave up
	Consumer  string    `json:"consumer,omitempty"`
	Reason    string    `json:"reason"`
	Hint      string    `json:"hint,omitempty"`
	Subject   string    `json:"subject"` // where it was
	Stream    string    `json:"stream"`
	StreamSeq uint64    `json:"stream_seq"`
	Attempts  int       `json:"attempts"`
	Time      time.Time `json:"time"`
	Size      int       `json:"size"`
	URL       string    `json:"url,omitempty"`
}

// QuarantineMessage puts m into QUARANTINE in the name of service, for a reason
// that is not a handler's error (Consume does that by itself).
func (b *Bus) QuarantineMessage(ctx context.Context, service string, m *Message, reason error) error {
	return b.quarantine(ctx, service, "", m, reason)
}

// quarantine stores a copy of m with its reason. The copy of a large page keeps
// its data in an object store of its own, without age limit.
func (b *Bus) quarantine(ctx context.Context, service, consumer string, m *Message, reason error) error {
	h := ownHeader(m.Header)
	msg := &nats.Msg{Subject: SubjectQuarantine + Token(service), Header: h, Data: m.Data}
	claim := h.Get(HeaderClaim)
	switch {
	case claim != "" && !strings.HasPrefix(claim, objectsKept+"/"):
		data, err := b.claim(ctx, claim, m.Time)
		if err == nil {
			msg.Data = data
			err = b.putClaim(ctx, msg, objectsKept, nuid.Next())
		}
		if err != nil && !IsPermanent(err) {
			return err
		}
		// A claim to nothing stays as it is: the reason tells of it.
	case len(m.Data) > claimBytes:
		if err := b.putClaim(ctx, msg, objectsKept, nuid.Next()); err != nil {
			return err
		}
	}
	set := func(k, v string) {
		if v = headerText(v); v != "" {
			h.Set(k, v)
		} else {
			h.Del(k)
		}
	}
	set(HeaderService, service)
	set(HeaderConsumer, consumer)
	set(HeaderReason, reason.Error())
	set(HeaderHint, hintOf(reason))
	set(HeaderSubject, m.Subject)
	set(HeaderStream, m.Stream)
	set(HeaderSequence, strconv.FormatUint(m.Seq, 10))
	set(HeaderAttempts, strconv.Itoa(m.Attempt))
	set(HeaderMessageID, m.ID)
	id := "q." + nuid.Next()
	if m.Seq > 0 {
		// A second try to quarantine the same delivery adds nothing.
		id = fmt.Sprintf("q.%s.%d.%d.%s", m.Stream, m.Seq, m.Time.UnixNano(), consumer)
	}
	ctx, cancel := b.ask(ctx)
	defer cancel()
	_, err := b.js.PublishMsg(ctx, msg, jetstream.WithMsgID(id), jetstream.WithExpectStream(Quarantine))
	if err != nil {
		return fmt.Errorf("quarantine %s: %w", m.Subject, classify(Quarantine, err))
	}
	return nil
}

// ListQuarantine returns up to limit messages of QUARANTINE, oldest first; 0
// means all.
func (b *Bus) ListQuarantine(ctx context.Context, limit int) ([]Quarantined, error) {
	var list []Quarantined
	err := b.eachStored(ctx, Quarantine, func(m *Message) (bool, error) {
		list = append(list, describe(m))
		return limit <= 0 || len(list) < limit, nil
	})
	return list, err
}

// eachStored calls f with the messages of a stream that exist now, in order,
// until f returns false.
func (b *Bus) eachStored(ctx context.Context, name string, f func(*Message) (bool, error)) error {
	s, err := b.stream(ctx, name)
	if err != nil {
		return err
	}
	last := s.CachedInfo().State.LastSeq
	for seq := uint64(1); seq <= last; seq++ {
		raw, err := s.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(">"))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("stream %s from %d: %w", name, seq, err)
		}
		if raw.Sequence > last {
			return nil
		}
		seq = raw.Sequence
		if more, err := f(stored(name, raw)); err != nil || !more {
			return err
		}
	}
	return nil
}

// advisory is the part of a server's advisory that names the message.
type advisory struct {
	Stream     string `json:"stream"`
	Consumer   string `json:"consumer"`
	StreamSeq  uint64 `json:"stream_seq"`
	Deliveries int    `json:"deliveries"`
	Reason     string `json:"reason"`
}

// describe reads the headers of a message of QUARANTINE, or an advisory.
func describe(m *Message) Quarantined {
	q := Quarantined{Seq: m.Seq, Time: m.Time, Size: len(m.Data)}
	if strings.HasPrefix(m.Subject, SubjectQuarantine) {
		q.Service = m.Header.Get(HeaderService)
		q.Consumer = m.Header.Get(HeaderConsumer)
		q.Reason = m.Header.Get(HeaderReason)
		q.Hint = m.Header.Get(HeaderHint)
		q.Subject = m.Header.Get(HeaderSubject)
		q.Stream = m.Header.Get(HeaderStream)
		q.URL = m.Header.Get(HeaderURL)
		q.StreamSeq, _ = strconv.ParseUint(m.Header.Get(HeaderSequence), 10, 64) // 0 if absent
		q.Attempts, _ = strconv.Atoi(m.Header.Get(HeaderAttempts))               // 0 if absent
		return q
	}
	var a advisory
	q.Service, q.Subject = "nats", m.Subject
	if err := json.Unmarshal(m.Data, &a); err != nil {
		q.Reason = "advisory that cannot be read: " + err.Error()
		return q
	}
	q.Consumer, q.Stream, q.StreamSeq, q.Attempts = a.Consumer, a.Stream, a.StreamSeq, a.Deliveries
	q.Reason = "terminated"
	if strings.HasPrefix(m.Subject, advisoryMaxDeliveries) {
		q.Reason = "all tries failed"
	}
	if a.Reason != "" {
		q.Reason += ": " + a.Reason
	}
	q.Hint = "the message itself is in its stream as long as that keeps it"
	return q
}

// ReplayQuarantine publishes the named messages of QUARANTINE, or all that are
// there now, to where they came from, removes them from QUARANTINE, and returns
// how many. All consumers of that stream get them again. A crash between the
// two steps can duplicate a message and never loses one. One that cannot be
// replayed stays; the error names it, and the others go on unless their stream
// is full.
func (b *Bus) ReplayQuarantine(ctx context.Context, seqs ...uint64) (int, error) {
	s, err := b.stream(ctx, Quarantine)
	if err != nil {
		return 0, err
	}
	n := 0
	var errs []error
	replay := func(m *Message) error {
		if err := b.replay(ctx, s, m); err != nil {
			errs = append(errs, fmt.Errorf("replay %d: %w", m.Seq, err))
			if errors.Is(err, ErrFull) || ctx.Err() != nil {
				return err
			}
			return nil
		}
		n++
		return nil
	}
	if len(seqs) == 0 {
		err := b.eachStored(ctx, Quarantine, func(m *Message) (bool, error) { return replay(m) == nil, nil })
		return n, errors.Join(append(errs, err)...)
	}
	for _, seq := range slices.Compact(slices.Sorted(slices.Values(seqs))) {
		raw, err := s.GetMsg(ctx, seq)
		if err != nil {
			errs = append(errs, fmt.Errorf("replay %d: %w", seq, err))
			continue
		}
		if replay(stored(Quarantine, raw)) != nil {
			break
		}
	}
	return n, errors.Join(errs...)
}

func (b *Bus) replay(ctx context.Context, s jetstream.Stream, m *Message) error {
	again := &Message{Subject: m.Header.Get(HeaderSubject), Header: ownHeader(m.Header), Data: m.Data}
	if !strings.HasPrefix(m.Subject, SubjectQuarantine) {
		q := describe(m)
		origin, err := b.stream(ctx, q.Stream)
		if err != nil {
			return err
		}
		raw, err := origin.GetMsg(ctx, q.StreamSeq)
		if err != nil {
			return fmt.Errorf("message %d of stream %s: %w", q.StreamSeq, q.Stream, err)
		}
		again = &Message{Subject: raw.Subject, Header: ownHeader(raw.Header), Data: raw.Data}
	}
	for _, k := range []string{
		HeaderService, HeaderConsumer, HeaderReason, HeaderHint, HeaderSubject,
		HeaderStream, HeaderSequence, HeaderAttempts, HeaderMessageID,
	} {
		again.Header.Del(k)
	}
	bucket, object, _ := strings.Cut(again.Header.Get(HeaderClaim), "/")
	if bucket == objectsKept {
		data, err := b.claim(ctx, bucket+"/"+object, m.Time)
		if err != nil {
			return err
		}
		again.Data = data
		again.Header.Del(HeaderClaim)
	}
	if err := b.Publish(ctx, again); err != nil {
		return err
	}
	if err := s.DeleteMsg(ctx, m.Seq); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) {
		return fmt.Errorf("published again, but not removed: %w", err)
	}
	if bucket == objectsKept {
		if err := b.objects[bucket].Delete(ctx, object); err != nil {
			b.log.Warn("object of a replayed message not deleted", "object", object, "err", err)
		}
	}
	return nil
}
