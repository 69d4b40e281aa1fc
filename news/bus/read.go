package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ReadConfig says what to read and how to cut batches.
type ReadConfig struct {
	Stream string
	// From is the first sequence to read; 0 and 1 are the beginning.
	From uint64
	// A batch ends at MaxMessages (default 500), MaxBytes (default 8 MiB) or
	// MaxWait (default 200 ms) after its first message; a tenth of that after
	// the last one of the stream, but not sooner than MaxWait after the batch
	// before: a lone message is applied at once, a steady flow in batches.
	MaxMessages int
	MaxBytes    int
	MaxWait     time.Duration
}

const (
	// auditEvery is how long a reader may hear nothing before it asks the stream
	// whether it missed something.
	auditEvery = 15 * time.Second
	// readerIdle is how long the server keeps a reader's consumer that asks for
	// nothing, as during a long apply.
	readerIdle = 10 * time.Minute
)

// Read calls apply with the messages of a stream from c.From on, in order, each
// once, until ctx is done (the result is nil then) or apply returns an error.
// It leaves nothing on the server: where to go on is the caller's to remember.
// Messages that were deleted from the stream are left out. It waits through
// outages; if c.From lies more than one behind the end of the stream it returns
// ErrAhead. Slices and messages belong to apply.
func (b *Bus) Read(ctx context.Context, c ReadConfig, apply func(context.Context, []*Message) error) error {
	r := &reader{
		bus: b, apply: apply, stream: c.Stream, last: max(c.From, 1) - 1,
		maxMessages: or(c.MaxMessages, 500), maxBytes: or(c.MaxBytes, 8<<20), maxWait: or(c.MaxWait, 200*time.Millisecond),
		log: b.log.With("stream", c.Stream),
	}
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		before := r.last
		err := r.read(ctx)
		var ae *applyError
		switch {
		case errors.As(err, &ae):
			return ae.err
		case ctx.Err() != nil:
			return nil
		case b.nc.IsClosed():
			return fmt.Errorf("read %s: %w", c.Stream, errClosed)
		case errors.Is(err, ErrAhead), IsPermanent(err):
			return fmt.Errorf("read %s: %w", c.Stream, err)
		}
		if r.last > before {
			wait = firstWait
		}
		r.log.Info("reader interrupted, will go on", "seq", r.last+1, "err", err)
		if sleep(ctx, jitter(wait)) != nil {
			return nil
		}
	}
}

type applyError struct{ err error }

func (e *applyError) Error() string { return e.err.Error() }

type reader struct {
	bus         *Bus
	apply       func(context.Context, []*Message) error
	stream      string
	last        uint64 // sequence of the last message that was applied or is in batch
	maxMessages int
	maxBytes    int
	maxWait     time.Duration
	log         *slog.Logger

	batch []*Message
	size  int
	cut   time.Time // when the last batch was
}

// read reads through one server-side consumer until that breaks off.
func (r *reader) read(ctx context.Context) error {
	js := r.bus.js
	s, err := r.bus.stream(ctx, r.stream)
	if err != nil {
		return classify(r.stream, err)
	}
	if end := s.CachedInfo().State.LastSeq; r.last > end {
		return hint("read from "+fmt.Sprint(r.last+1), fmt.Errorf("%w: it ends at %d", ErrAhead, end),
			"the stream was replaced or restored from a backup; rebuild the index")
	}
	cctx, ccancel := r.bus.ask(ctx)
	defer ccancel()
	cons, err := js.CreateConsumer(cctx, r.stream, jetstream.ConsumerConfig{
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       r.last + 1,
		AckPolicy:         jetstream.AckNonePolicy,
		MaxDeliver:        1,
		InactiveThreshold: readerIdle,
		MemoryStorage:     true,
		Replicas:          1,
	})
	if err != nil {
		return classify(r.stream, err)
	}
	defer func() {
		dctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if r.bus.nc.IsConnected() {
			_ = js.DeleteConsumer(dctx, r.stream, cons.CachedInfo().Name) // else it goes by its own idle limit
		}
	}()
	it, err := cons.Messages(jetstream.PullMaxMessagesWithBytesLimit(r.maxMessages, max(r.maxBytes, 2<<20)),
		jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat), jetstream.WithMessagesErrOnMissingHeartbeat(true))
	if err != nil {
		return err
	}
	defer it.Stop()
	// A consumer in memory does not outlive its server: begin anew after any
	// reconnect instead of waiting for missing heartbeats.
	status := r.bus.nc.StatusChanged(nats.RECONNECTING, nats.CLOSED)
	defer r.bus.nc.RemoveStatusListener(status)
	rctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		select {
		case _, ok := <-status:
			if ok {
				cancel(errConnectionLost)
			}
		case <-rctx.Done():
		}
	}()
	defer func() { cancel(nil); <-watching }()
	err = r.pump(rctx, ctx, s, it)
	if cause := context.Cause(rctx); errors.Is(cause, errConnectionLost) && ctx.Err() == nil && errors.Is(err, context.Canceled) {
		err = cause
	}
	// What has arrived is in order and complete: it need not come again.
	if ferr := r.flush(ctx); ferr != nil {
		return ferr
	}
	return err
}

// pump moves messages from it into batches. ctx ends with the connection too,
// apply gets applyCtx.
func (r *reader) pump(ctx, applyCtx context.Context, s jetstream.Stream, it jetstream.MessagesContext) error {
	var delivered uint64 // by this consumer
	var deadline time.Time
	for {
		wait := auditEvery
		if len(r.batch) > 0 {
			wait = time.Until(deadline)
		}
		var msg jetstream.Msg
		err := error(nats.ErrTimeout)
		if wait > 0 {
			nctx, cancel := context.WithTimeout(ctx, wait)
			msg, err = it.Next(jetstream.NextContext(nctx))
			cancel()
			if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
				err = nats.ErrTimeout
			}
		}
		switch {
		case errors.Is(err, nats.ErrTimeout):
			if len(r.batch) > 0 {
				if err := r.flush(applyCtx); err != nil {
					return err
				}
			} else if err := r.audit(ctx, s, 0); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		m, md, err := received(msg)
		if err != nil {
			return err
		}
		if md.Sequence.Consumer != delivered+1 {
			return fmt.Errorf("message %d of the consumer is missing", delivered+1)
		}
		delivered++
		if m.Seq <= r.last {
			return fmt.Errorf("sequence %d came after %d", m.Seq, r.last)
		}
		if m.Seq > r.last+1 {
			if err := r.audit(ctx, s, m.Seq); err != nil {
				return err
			}
		}
		now := time.Now()
		if len(r.batch) == 0 {
			deadline = now.Add(r.maxWait)
		}
		if md.NumPending == 0 {
			deadline = earlier(deadline, later(now.Add(r.maxWait/10), r.cut.Add(r.maxWait)))
		}
		r.last = m.Seq
		r.batch = append(r.batch, m)
		r.size += len(m.Data)
		if len(r.batch) >= r.maxMessages || r.size >= r.maxBytes {
			if err := r.flush(applyCtx); err != nil {
				return err
			}
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// flush applies the batch.
func (r *reader) flush(ctx context.Context) error {
	if len(r.batch) == 0 || ctx.Err() != nil {
		return ctx.Err()
	}
	batch := r.batch
	r.batch, r.size, r.cut = nil, 0, time.Now()
	if err := r.apply(ctx, batch); err != nil {
		return &applyError{err}
	}
	return nil
}

// audit asks the stream for the first message behind the last one read, and
// returns an error if the consumer should have delivered it: next is what it
// delivered instead, 0 if nothing.
func (r *reader) audit(ctx context.Context, s jetstream.Stream, next uint64) error {
	ctx, cancel := r.bus.ask(ctx)
	defer cancel()
	if next == 0 {
		info, err := s.Info(ctx)
		if err != nil {
			return err
		}
		if info.State.LastSeq <= r.last {
			return nil
		}
	}
	raw, err := s.GetMsg(ctx, r.last+1, jetstream.WithGetMsgSubject(">"))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if next == 0 && time.Since(raw.Time) < auditEvery {
		return nil // just arrived, on its way
	}
	if next == 0 || raw.Sequence < next {
		return fmt.Errorf("sequence %d was not delivered", raw.Sequence)
	}
	return nil
}

// LastSeq returns the sequence of the last message ever stored in a stream.
func (b *Bus) LastSeq(ctx context.Context, name string) (uint64, error) {
	s, err := b.stream(ctx, name)
	if err != nil {
		return 0, err
	}
	return s.CachedInfo().State.LastSeq, nil
}
