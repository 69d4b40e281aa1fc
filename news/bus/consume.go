package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Handler handles one message. Nil acks it; Permanent puts it into QUARANTINE;
// ErrFull and RetryAfter are as they say; any other error, a panic and a
// timeout are a failed try, repeated after a delay that grows. The context ends
// with the try's timeout.
type Handler func(ctx context.Context, m *Message) error

// ConsumerConfig says what to consume and how.
type ConsumerConfig struct {
	Stream string
	// Name is the durable consumer; processes with the same name share the work.
	Name string
	// Filter is a subject with wildcards; "" is the whole stream.
	Filter string
	// FromNow makes a consumer that does not exist yet begin with messages
	// published from now on, not with the oldest.
	FromNow bool
	// Workers is how many handlers run at once, default 1.
	Workers int
	// MaxAckPending bounds messages that are handled or wait for their next try,
	// over all processes; default 1,000.
	MaxAckPending int
	// AckWait is how soon the message of a process that died comes again,
	// default 4 s. The bus keeps messages of running handlers alive.
	AckWait time.Duration
	// Alone says that no other process can be at work on this consumer: what an
	// earlier one had in hand comes again at once.
	Alone bool
	// MaxDeliver is the number of tries before QUARANTINE, default 6; -1 means
	// for ever.
	MaxDeliver int
	// Timeout bounds one try, default 60 s. A handler that does not return soon
	// after it is given up.
	Timeout time.Duration
	// RetryDelay is the delay after the first failed try, default 1 s. It
	// doubles with each try up to MaxRetryDelay, default 1 min.
	RetryDelay    time.Duration
	MaxRetryDelay time.Duration
	// Grace is how long handlers may go on after ctx is done, default 7 s: a
	// process that is told to stop has usually 10.
	Grace time.Duration
}

func (c ConsumerConfig) withDefaults() (ConsumerConfig, error) {
	if c.Stream == "" || c.Name == "" {
		return c, errors.New("consume: stream and name are required")
	}
	c.Workers = or(c.Workers, 1)
	c.MaxAckPending = max(or(c.MaxAckPending, 1000), c.Workers)
	c.AckWait = or(c.AckWait, 4*time.Second)
	c.MaxDeliver = or(c.MaxDeliver, 6)
	c.Timeout = or(c.Timeout, time.Minute)
	c.RetryDelay = or(c.RetryDelay, time.Second)
	c.MaxRetryDelay = max(or(c.MaxRetryDelay, time.Minute), c.RetryDelay)
	c.Grace = or(c.Grace, 7*time.Second)
	return c, nil
}

func or[T int | time.Duration](v, other T) T {
	if v == 0 {
		return other
	}
	return v
}

const (
	pullExpiry = 10 * time.Second
	// missingFor is how long a stream may be away that was there.
	missingFor = time.Minute
	// pullHeartbeat: a request that a server lost is noticed after two of them.
	pullHeartbeat = time.Second
	// quarantineTimeout leaves time to copy a large page.
	quarantineTimeout = 20 * time.Second
	// stuckAfter is how long after its timeout a handler is given up.
	stuckAfter = 5 * time.Second
	// stuckAtStop is the same for a process that is told to stop: after Grace, it
	// must still fit into the time that a process usually has.
	stuckAtStop = 2 * time.Second
	// lostFactor × MaxDeliver deliveries without an end mean that the message
	// takes its process down with it.
	lostFactor = 3
)

// Consume handles the messages of a durable consumer until ctx is done and all
// handlers have returned; the result is nil then. Messages that no handler has
// begun are given back at once.
func (b *Bus) Consume(ctx context.Context, c ConsumerConfig, h Handler) error {
	c, err := c.withDefaults()
	if err != nil {
		return err
	}
	w := &worker{bus: b, config: c, handle: h, log: b.log.With("consumer", c.Name), slots: make(chan struct{}, c.Workers)}
	defer w.wg.Wait()
	for wait := firstWait; ; wait = min(2*wait, maxWait) {
		began := time.Now()
		err := w.consume(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case b.nc.IsClosed():
			return fmt.Errorf("consume %s: %w", c.Name, errClosed)
		case errors.Is(err, jetstream.ErrStreamNotFound) && !w.seen.IsZero() && time.Since(w.seen) < missingFor:
			// The server opens its streams again, after a fault of its disk.
		case IsPermanent(err):
			return fmt.Errorf("consume %s: %w", c.Name, err)
		}
		if time.Since(began) > time.Minute {
			wait = firstWait
		}
		w.log.Warn("consumer interrupted, will go on", "stream", c.Stream, "err", err)
		if sleep(ctx, jitter(wait)) != nil {
			return nil
		}
	}
}

type worker struct {
	bus    *Bus
	config ConsumerConfig
	handle Handler
	log    *slog.Logger
	slots  chan struct{} // one for each running handler
	seen   time.Time     // when the stream was there last
	wg     sync.WaitGroup
}

// consume handles messages until ctx is done or the consumer breaks off.
func (w *worker) consume(ctx context.Context) error {
	cons, err := w.bus.durable(ctx, w.config)
	if err != nil {
		return err
	}
	w.seen = time.Now()
	defer func() { w.seen = time.Now() }()
	w.config.Alone = false // from now on messages may be in our own hands
	// One message is asked for when a worker is free: none waits here with its
	// ack time running.
	it, err := cons.Messages(jetstream.PullMaxMessages(1), jetstream.PullExpiry(pullExpiry),
		jetstream.PullHeartbeat(pullHeartbeat), jetstream.WithMessagesErrOnMissingHeartbeat(true))
	if err != nil {
		return err
	}
	defer w.giveBack(it)
	for {
		select {
		case w.slots <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
		msg, err := nextMessage(ctx, it)
		if err != nil {
			<-w.slots
			return err
		}
		w.wg.Go(func() {
			defer func() { <-w.slots }()
			w.one(ctx, msg)
		})
	}
}

// nextMessage waits for a message. When the one before came quickly, the
// iterator may not have asked for the next, and does so only in a new call: the
// first calls are short. The last one lasts long enough to miss heartbeats.
func nextMessage(ctx context.Context, it jetstream.MessagesContext) (jetstream.Msg, error) {
	for _, wait := range []time.Duration{20 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond} {
		short, cancel := context.WithTimeout(ctx, wait)
		msg, err := it.Next(jetstream.NextContext(short))
		cancel()
		if err == nil || ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return msg, err
		}
	}
	return it.Next(jetstream.NextContext(ctx))
}

// giveBack ends it and naks what was delivered meanwhile.
func (w *worker) giveBack(it jetstream.MessagesContext) {
	it.Drain()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for {
		msg, err := it.Next(jetstream.NextContext(ctx))
		if err != nil {
			break
		}
		if err := msg.Nak(); err != nil {
			w.log.Warn("nak", "subject", msg.Subject(), "err", err)
		}
	}
	it.Stop()
}

// durable returns what the server must make of c.
func (c ConsumerConfig) durable() jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable:       c.Name,
		FilterSubject: c.Filter,
		AckPolicy:     jetstream.AckExplicitPolicy,
		AckWait:       c.AckWait,
		MaxAckPending: c.MaxAckPending,
		MaxDeliver:    -1, // the bus counts, so that the last failure reaches QUARANTINE with its reason
		DeliverPolicy: jetstream.DeliverAllPolicy,
	}
}

// durable creates or updates the consumer.
func (b *Bus) durable(ctx context.Context, c ConsumerConfig) (jetstream.Consumer, error) {
	cfg := c.durable()
	ctx, cancel := b.ask(ctx)
	defer cancel()
	orphans := b.server.firstUse(c.Stream+" "+c.Name) || c.Alone
	old, err := b.js.Consumer(ctx, c.Stream, c.Name)
	switch {
	case err == nil:
		// Where it began cannot be changed, and need not be.
		have := old.CachedInfo().Config
		cfg.DeliverPolicy, cfg.OptStartSeq, cfg.OptStartTime = have.DeliverPolicy, have.OptStartSeq, have.OptStartTime
		if orphans && old.CachedInfo().NumAckPending > 0 {
			if err := b.releaseOrphans(ctx, c.Stream, cfg); err != nil {
				return nil, classify(c.Stream, err)
			}
		}
	case !errors.Is(err, jetstream.ErrConsumerNotFound):
		return nil, classify(c.Stream, err)
	case c.FromNow:
		// With DeliverNew each server of a cluster has its own idea of now, and a
		// change of leaders before the first delivery would skip messages.
		last, err := b.LastSeq(ctx, c.Stream)
		if err != nil {
			return nil, classify(c.Stream, err)
		}
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, last+1
	}
	cons, err := b.js.CreateOrUpdateConsumer(ctx, c.Stream, cfg)
	return cons, classify(c.Stream, err)
}

// releaseOrphans makes messages that an earlier process was handling come again
// at once. Who calls it knows that nobody else is still at work on them, as the
// embedded server's own process does; others wait for AckWait.
func (b *Bus) releaseOrphans(ctx context.Context, stream string, cfg jetstream.ConsumerConfig) error {
	cfg.AckWait = 50 * time.Millisecond
	if _, err := b.js.UpdateConsumer(ctx, stream, cfg); err != nil {
		return err
	}
	// The server looks at what is overdue 100 ms after the change. The caller
	// sets AckWait back.
	return sleep(ctx, 300*time.Millisecond)
}

// one sees a message through to its ack, its nak or QUARANTINE.
func (w *worker) one(ctx context.Context, msg jetstream.Msg) {
	m, _, err := received(msg)
	if err != nil {
		w.log.Error("message without metadata", "subject", msg.Subject(), "err", err)
		return
	}
	m.msg = msg
	log := w.log.With("subject", m.Subject, "seq", m.Seq, "attempt", m.Attempt)
	if w.config.MaxDeliver > 0 && m.Attempt > lostFactor*w.config.MaxDeliver {
		err = Permanent(fmt.Errorf("delivered %d times and never finished: its process died or was stopped each time", m.Attempt-1))
	} else {
		err = w.traced(ctx, m)
	}
	var retry *retryError
	switch {
	case err == nil:
		w.bus.Reached(w.config.Name, "before ack")
		w.settle(log, "ack", msg.Ack())
	case ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, ErrFull)):
		// Stopped, not failed.
		w.settle(log, "nak", msg.Nak())
	case IsPermanent(err) || (w.config.MaxDeliver > 0 && m.Attempt >= w.config.MaxDeliver):
		qctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), quarantineTimeout)
		qerr := w.bus.quarantine(qctx, w.bus.name, w.config.Name, m, err)
		cancel()
		if qerr != nil {
			log.Error("message cannot be quarantined, will retry", "err", err, "quarantine_err", qerr)
			w.settle(log, "nak", msg.NakWithDelay(jitter(w.config.MaxRetryDelay)))
			return
		}
		log.Error("message quarantined", "err", err)
		w.settle(log, "ack", msg.Ack())
	case errors.As(err, &retry):
		log.Warn("try failed, will retry", "after", retry.after, "err", err)
		w.settle(log, "nak", msg.NakWithDelay(max(retry.after, time.Millisecond)))
	default:
		d := w.delay(m.Attempt)
		log.Warn("try failed, will retry", "after", d, "err", err)
		w.settle(log, "nak", msg.NakWithDelay(d))
	}
}

// settle logs an ack or nak that could not be sent: the message comes again.
func (w *worker) settle(log *slog.Logger, what string, err error) {
	if err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		log.Warn(what+" not sent, the message will come again", "err", err)
	}
}

// delay returns the delay after the attempt-th try.
func (w *worker) delay(attempt int) time.Duration {
	d := w.config.RetryDelay
	for range min(attempt-1, 30) {
		if d >= w.config.MaxRetryDelay {
			break
		}
		d *= 2
	}
	return jitter(min(d, w.config.MaxRetryDelay))
}

// traced is try in a span, if there are spans.
func (w *worker) traced(ctx context.Context, m *Message) error {
	if !w.bus.traces.on {
		return w.try(ctx, m)
	}
	ctx, span := w.bus.traces.handling(ctx, w.config.Name, m)
	err := w.try(ctx, m)
	EndSpan(span, err)
	return err
}

// try calls the handler, again and again while it returns ErrFull, and keeps
// the message alive meanwhile.
func (w *worker) try(ctx context.Context, m *Message) error {
	alive, stop := context.WithCancel(context.Background())
	defer stop()
	w.wg.Go(func() { w.keepAlive(alive, m) })
	for wait := time.Second; ; wait = min(2*wait, 10*time.Second) {
		err := w.call(ctx, m)
		if !errors.Is(err, ErrFull) || IsPermanent(err) {
			return err
		}
		w.log.Warn("handler meets back-pressure, will call it again", "subject", m.Subject, "err", err)
		if sleep(ctx, jitter(wait)) != nil {
			return err
		}
	}
}

func (w *worker) keepAlive(ctx context.Context, m *Message) {
	tick := time.NewTicker(w.config.AckWait / 3)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := m.InProgress(); err != nil {
				w.log.Debug("in progress", "subject", m.Subject, "err", err)
			}
		case <-ctx.Done():
			return
		}
	}
}

// call calls the handler once. It does not wait for ever for a handler that
// ignores its context: that one is given up, for the message's sake.
func (w *worker) call(ctx context.Context, m *Message) error {
	hctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), w.config.Timeout)
	defer cancel()
	result := make(chan error, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				result <- fmt.Errorf("panic: %v\n%s", r, debug.Stack())
			}
		}()
		result <- w.handle(hctx, m)
	}()
	stopping := ctx.Done()
	var grace <-chan time.Time
	patience := stuckAfter
	for {
		select {
		case err := <-result:
			return err
		case <-stopping:
			stopping = nil
			t := time.NewTimer(w.config.Grace)
			defer t.Stop()
			grace = t.C
		case <-grace:
			cancel()
			grace, patience = nil, stuckAtStop
		case <-hctx.Done():
			cause := hctx.Err()
			t := time.NewTimer(patience)
			defer t.Stop()
			select {
			case err := <-result:
				return err
			case <-t.C:
			}
			w.log.Error("handler ignores its context and is given up; it may still use CPU and memory",
				"subject", m.Subject, "seq", m.Seq)
			return fmt.Errorf("handler gave no result in %s: %w", w.config.Timeout, cause)
		}
	}
}
