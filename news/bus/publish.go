package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

const (
	// tryTimeout bounds one try to publish. A server that is there answers in
	// milliseconds; one more try with the same ID does no harm.
	tryTimeout = 3 * time.Second
	firstWait  = 50 * time.Millisecond
	maxWait    = time.Second
)

// Publish returns when m is durable. It tries with the same ID for the retry
// window, and then leaves m to the outbox, from where it reaches its stream in
// order, as do all that follow it; one whose answer got lost can be there twice
// if that takes longer than the duplicate window. A full stream returns ErrFull at once. When
// ctx is done it returns ctx's error, and m may or may not be in the stream:
// publish it again with the same ID.
func (b *Bus) Publish(ctx context.Context, m *Message) error {
	name, err := streamOf(m.Subject)
	if err != nil {
		return err
	}
	if m.ID == "" {
		m.ID = nuid.Next()
	}
	b.Reached(name, "before publish")
	if !b.traces.on {
		err = b.publish(ctx, name, m)
	} else {
		ctx, span := b.traces.sending(ctx, name, m)
		err = b.publish(ctx, name, m)
		EndSpan(span, err)
	}
	if err == nil {
		b.Reached(name, "after publish")
	}
	return err
}

// publish publishes m, which has an ID, to the stream that it belongs to.
func (b *Bus) publish(ctx context.Context, name string, m *Message) error {
	if err := b.disk.check(name == Pages || name == Frontier); err != nil {
		return fmt.Errorf("publish %s: %w", m.Subject, err)
	}
	deadline := time.Now().Add(b.config.RetryWindow)
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		if b.out != nil {
			// While earlier messages wait for the server, so does this one.
			if waiting, err := b.out.follow(name, m); waiting {
				return wrapPublish(m, err)
			}
		}
		err := b.send(ctx, name, m)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return wrapPublish(m, ctx.Err())
		}
		select {
		case <-b.done:
			return wrapPublish(m, errClosed)
		default:
		}
		if errors.Is(err, ErrFull) || IsPermanent(err) {
			return wrapPublish(m, err)
		}
		if wait = jitter(wait); time.Now().Add(wait).After(deadline) {
			if b.out == nil {
				return wrapPublish(m, fmt.Errorf("no success in %s: %w", b.config.RetryWindow, err))
			}
			b.log.Warn("publish failed, message goes to the outbox", "subject", m.Subject, "err", err)
			return wrapPublish(m, b.out.put(name, m))
		}
		b.log.Debug("publish failed, will retry", "subject", m.Subject, "err", err)
		if sleep(ctx, wait) != nil {
			return wrapPublish(m, ctx.Err())
		}
	}
}

func wrapPublish(m *Message, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("publish %s: %w", m.Subject, err)
}

// PublishAt publishes m to FRONTIER when at has come; the stream holds it until
// then, also over restarts. A later call with the same ID replaces an earlier
// one that is not due yet. m's subject must be one of FRONTIER.
func (b *Bus) PublishAt(ctx context.Context, m *Message, at time.Time) error {
	if name, err := streamOf(m.Subject); err != nil || name != Frontier {
		return Permanent(fmt.Errorf("publish %s at %s: only %s has timers", m.Subject, at, Frontier))
	}
	if !at.After(time.Now()) {
		return b.Publish(ctx, m)
	}
	if m.ID == "" {
		m.ID = nuid.Next()
	}
	h := maps.Clone(m.Header)
	if h == nil {
		h = make(nats.Header)
	}
	h.Set(jetstream.ScheduleHeader, "@at "+at.UTC().Format(time.RFC3339Nano))
	h.Set(jetstream.ScheduleTargetHeader, m.Subject)
	return b.Publish(ctx, &Message{
		Subject: SubjectSchedule + Token(m.ID),
		ID:      m.ID + "@" + at.UTC().Format(time.RFC3339Nano),
		Header:  h,
		Data:    m.Data,
	})
}

// send tries once to store m, which belongs to stream name. The data of a large
// page goes to the object store first.
func (b *Bus) send(ctx context.Context, name string, m *Message) error {
	ctx, cancel := b.onLink(ctx)
	defer cancel()
	err := b.trySend(ctx, name, m)
	if name == Pages && errors.Is(classify(name, err), ErrFull) {
		if made, terr := b.trimPages(ctx); terr != nil {
			b.log.Warn("full stream cannot be trimmed", "stream", name, "err", terr)
		} else if made {
			err = b.trySend(ctx, name, m)
		}
	}
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errConnectionLost) {
		return cause
	}
	return classify(name, err)
}

func (b *Bus) trySend(ctx context.Context, name string, m *Message) error {
	if name == Frontier {
		if err := b.frontier.check(ctx, b.js); err != nil {
			return err
		}
	}
	msg := &nats.Msg{Subject: m.Subject, Header: maps.Clone(m.Header), Data: m.Data}
	if name == Pages && len(m.Data) > claimBytes {
		if err := b.putClaim(ctx, msg, objectsPages, m.ID); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	_, err := b.js.PublishMsg(ctx, msg,
		jetstream.WithMsgID(m.ID), jetstream.WithExpectStream(name), jetstream.WithRetryAttempts(0))
	return err
}

// softLimit bounds FRONTIER, whose timers do not go with the server's own
// DiscardNew. It looks once a second, so a burst can exceed it a little.
type softLimit struct {
	max int64

	mu      sync.Mutex
	checked time.Time
	bytes   uint64
}

func (l *softLimit) check(ctx context.Context, js jetstream.JetStream) error {
	l.mu.Lock()
	now := time.Now()
	look := now.Sub(l.checked) > time.Second
	if look {
		l.checked = now // others go on with the old value meanwhile
	}
	bytes := l.bytes
	l.mu.Unlock()
	if look {
		s, err := js.Stream(ctx, Frontier)
		if err != nil {
			return err
		}
		bytes = s.CachedInfo().State.Bytes
		l.mu.Lock()
		l.bytes = bytes
		l.mu.Unlock()
	}
	if bytes > uint64(l.max) {
		return fmt.Errorf("stream %s is %w: %d bytes of %d", Frontier, ErrFull, bytes, l.max)
	}
	return nil
}

// jitter returns a duration between d/2 and 3d/2.
func jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return d
	}
	return d/2 + rand.N(d)
}

func isNetError(err error) bool {
	var ne net.Error
	return errors.As(err, &ne)
}
