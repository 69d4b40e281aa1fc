package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

const (
	connectTimeout = 10 * time.Second
	setupTimeout   = 60 * time.Second
	askTimeout     = 5 * time.Second
)

// Bus is one client of the message system. It is safe for concurrent use.
type Bus struct {
	name    string
	config  Config
	log     *slog.Logger
	traces  tracing
	reached func(string) // may be nil

	server  *embedded // nil on an external server
	nc      *nats.Conn
	js      jetstream.JetStream
	kv      map[string]jetstream.KeyValue
	objects map[string]jetstream.ObjectStore
	out     *outbox // nil without Config.Dir
	codec   *codec
	disk    *diskWatch // nil on an external server

	frontier *softLimit
	trim     trimmer
	halved   int // how often setup halved the default limits
	erased   erasedIDs
	denied   atomic.Pointer[error] // the last thing that the server did not permit

	done      chan struct{} // closed by Close
	stopDrain context.CancelFunc
	wg        sync.WaitGroup // of the drain

	linkMu sync.Mutex
	link   chan struct{} // closed when the connection breaks

	mu      sync.Mutex
	closed  bool
	parent  *Bus // whose server this one uses; nil if it owns it
	clients map[*Bus]struct{}
}

// Open starts the embedded server or connects to an external one, creates or
// updates streams and buckets, and starts to drain the outbox.
func Open(ctx context.Context, o Options) (*Bus, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	b := newBus(o)
	if b.config.URL == "" {
		if b.server, err = startServer(ctx, b.config, b.log); err != nil {
			return nil, err
		}
		b.disk = newDiskWatch(b.config, b.log)
		b.wg.Go(func() { b.disk.watch(b.done) })
		b.wg.Go(func() { b.server.revive(b.config.Dir, b.log, b.done) })
	}
	b.codec = newCodec()
	if err := b.start(ctx, true); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	b.log.Info("bus open", "embedded", b.server != nil, "url", b.URL(), "dir", b.config.Dir,
		"replicas", b.config.Replicas, "took", time.Since(began))
	return b, nil
}

func newBus(o Options) *Bus {
	limit := o.Limits.FrontierBytes
	if limit == 0 {
		limit = defaultFrontierBytes
	}
	return &Bus{
		name: o.Name, config: o.Config, log: o.Logger, traces: newTracing(o.Traces), reached: o.Reached, frontier: &softLimit{max: limit},
		done: make(chan struct{}), link: make(chan struct{}), clients: make(map[*Bus]struct{}),
	}
}

// linkDown ends all waiting for answers on the connection.
func (b *Bus) linkDown() {
	b.linkMu.Lock()
	defer b.linkMu.Unlock()
	select {
	case <-b.link:
	default:
		close(b.link)
	}
}

func (b *Bus) linkUp() {
	b.linkMu.Lock()
	defer b.linkMu.Unlock()
	select {
	case <-b.done: // stays down
	default:
		b.link = make(chan struct{})
	}
}

// onLink returns a context that also ends when the connection breaks: nobody
// answers on it then. Its cause is errConnectionLost in that case.
func (b *Bus) onLink(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	b.linkMu.Lock()
	link := b.link
	b.linkMu.Unlock()
	go func() {
		select {
		case <-link:
			cancel(errConnectionLost)
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// start connects and opens the outbox; with setup it also brings the streams
// into shape.
func (b *Bus) start(ctx context.Context, setup bool) error {
	if b.config.Dir != "" {
		out, err := openOutbox(b.config.Dir, b.name, b.config.OutboxMaxBytes)
		if err != nil {
			return err
		}
		b.out = out
	}
	if err := b.connect(ctx); err != nil {
		return err
	}
	if setup {
		if err := b.checkSync(ctx); err != nil {
			return err
		}
		if err := b.setup(ctx); err != nil {
			return err
		}
	}
	if err := b.Persist(ctx, "buckets not looked up", func() error { return b.bind(ctx) }); err != nil {
		return err
	}
	if err := b.Persist(ctx, "erased articles not looked up", func() error { return b.watchErased(ctx) }); err != nil {
		return err
	}
	if b.out != nil {
		dctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		b.stopDrain = cancel
		b.wg.Go(func() { b.drain(dctx) })
	}
	return nil
}

func (b *Bus) connect(ctx context.Context) error {
	opts := []nats.Option{
		nats.Name("xinwen " + b.name),
		nats.CustomInboxPrefix(inboxPrefix(b.name)),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ReconnectJitter(100*time.Millisecond, time.Second),
		nats.ReconnectBufSize(-1),          // a publish without connection fails at once, so that we retry it
		nats.PingInterval(3 * time.Second), // a server behind a cut link is left for another one soon
		nats.MaxPingsOutstanding(2),
		nats.Timeout(3 * time.Second),
		nats.ErrorHandler(func(_ *nats.Conn, s *nats.Subscription, err error) {
			subject := ""
			if s != nil {
				subject = s.Subject
			}
			if errors.Is(err, nats.ErrPermissionViolation) {
				b.denied.Store(&err)
			}
			b.log.Warn("nats connection error", "subject", subject, "err", err)
		}),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			b.linkDown()
			if err != nil {
				b.log.Warn("nats disconnected, will reconnect", "err", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			b.linkUp()
			b.log.Info("nats reconnected", "url", nc.ConnectedUrlRedacted())
			if b.out != nil {
				b.out.wake()
			}
		}),
	}
	url := b.config.URL
	if b.server != nil {
		url = nats.DefaultURL // not used: the connection is in-process
		opts = append(opts, nats.InProcessServer(b.server.ns))
	}
	if path, ok := strings.CutPrefix(url, "unix://"); ok {
		url = "nats://127.0.0.1:1" // not used: the dialer knows its own way
		opts = append(opts, nats.SetCustomDialer(socketDialer(path)))
	}
	if b.config.Credentials != "" {
		opts = append(opts, nats.UserCredentials(b.config.Credentials))
	}
	if b.config.NKey != "" {
		o, err := nats.NkeyOptionFromSeed(b.config.NKey)
		if err != nil {
			return hint("read the nkey "+b.config.NKey, err, "nkey must be a file with the seed of a user's nkey (SU…)")
		}
		opts = append(opts, o)
	}
	if b.config.CA != "" {
		opts = append(opts, nats.RootCAs(b.config.CA))
	}
	// Services start in any order, so give the server a moment.
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	for {
		nc, err := nats.Connect(url, opts...)
		if err == nil {
			b.nc = nc
			if err := checkVersion(nc.ConnectedServerVersion()); err != nil {
				return err
			}
			b.js, err = jetstream.New(nc, jetstream.WithDefaultTimeout(10*time.Second))
			return err
		}
		op := "connect to NATS at " + b.config.urls()
		switch {
		case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired):
			return hint(op, err, "check user, password, credentials or nkey")
		case !errors.Is(err, nats.ErrNoServers) && !errors.Is(err, nats.ErrTimeout) && !isNetError(err):
			return hint(op, err, "check url, credentials and ca")
		}
		if sleep(ctx, 250*time.Millisecond) != nil {
			return hint(op, err, "start the server, correct url, or leave url out to run the embedded server")
		}
	}
}

// checkVersion refuses servers without message timers.
func checkVersion(v string) error {
	var major, minor int
	if n, _ := fmt.Sscanf(v, "%d.%d", &major, &minor); n == 2 && (major < 2 || major == 2 && minor < 12) {
		return hint("NATS server", fmt.Errorf("version %s is too old", v), "upgrade it to 2.12 or newer")
	}
	return nil // a version of another form is newer than this program
}

// Connect returns a further client of the same server, with its own connection,
// name and outbox. Closing b closes it too.
func (b *Bus) Connect(name string) (*Bus, error) {
	root := b
	if b.parent != nil {
		root = b.parent
	}
	c := newBus(Options{Name: name, Config: root.config, Logger: root.log})
	c.traces, c.reached = root.traces, root.reached
	c.server, c.codec, c.disk, c.parent = root.server, root.codec, root.disk, root
	root.mu.Lock()
	defer root.mu.Unlock()
	if root.closed {
		return nil, errClosed
	}
	for other := range root.clients {
		if other.name == name {
			return nil, fmt.Errorf("connect %s: a client of this name exists", name)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), setupTimeout)
	defer cancel()
	if err := c.start(ctx, false); err != nil {
		return nil, errors.Join(err, c.shut())
	}
	root.clients[c] = struct{}{}
	return c, nil
}

var (
	errClosed         = errors.New("bus is closed")
	errConnectionLost = errors.New("connection lost")
	errNoAnswer       = errors.New("the NATS server does not answer")
)

// Close closes the clients made by Connect, stops draining, and stops the
// server if Open started it. Stop consumers and readers before, by their
// contexts. What the outbox still holds is drained after the next Open.
func (b *Bus) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	clients := b.clients
	b.clients = nil
	b.mu.Unlock()

	var errs []error
	for c := range clients {
		errs = append(errs, c.Close())
	}
	if b.parent != nil {
		b.parent.mu.Lock()
		delete(b.parent.clients, b)
		b.parent.mu.Unlock()
	}
	errs = append(errs, b.shut())
	if b.parent == nil && b.server != nil {
		b.server.stop()
		b.log.Info("bus closed")
	}
	return errors.Join(errs...)
}

// shut ends everything of this client alone.
func (b *Bus) shut() error {
	close(b.done)
	b.linkDown()
	if b.stopDrain != nil {
		b.stopDrain()
	}
	b.wg.Wait()
	var errs []error
	if b.out != nil {
		errs = append(errs, b.out.close())
	}
	if b.nc != nil {
		if b.nc.IsConnected() {
			// Acks are sent without waiting; let them leave.
			if err := b.nc.FlushTimeout(2 * time.Second); err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
				b.log.Warn("flush at close", "err", err)
			}
		}
		b.nc.Close()
	}
	return errors.Join(errs...)
}

// Name returns the service's name.
func (b *Bus) Name() string { return b.name }

// Runs names this run of the process, and the last ones of the same name in the
// same directory, which are known to have ended. Without a directory none is.
func (b *Bus) Runs() (name string, before []string) {
	if b.out == nil {
		return nuid.Next(), nil
	}
	return b.out.run, b.out.before
}

// Conn returns the NATS connection, for request and reply.
func (b *Bus) Conn() *nats.Conn { return b.nc }

// JetStream returns the JetStream context, for what the bus itself has no
// method for.
func (b *Bus) JetStream() jetstream.JetStream { return b.js }

// KV returns one of the buckets named by the KV constants, nil for any other
// name.
func (b *Bus) KV(name string) jetstream.KeyValue { return b.kv[name] }

// URL returns where the embedded server listens, "" if it opened no port, or
// the external server this client is connected to.
func (b *Bus) URL() string {
	if b.server != nil {
		if b.config.Listen == "" {
			return ""
		}
		return b.server.ns.ClientURL()
	}
	return b.nc.ConnectedUrlRedacted()
}

// Check reports whether the bus is ready: connected, its streams have a leader,
// and there is room on the disk and in the outbox.
func (b *Bus) Check(ctx context.Context) error {
	if !b.nc.IsConnected() {
		return hint("bus", fmt.Errorf("connection is %s", b.nc.Status()), "see that the NATS server runs")
	}
	for i := range streams {
		if _, err := b.stream(ctx, streams[i].name); err != nil {
			return err
		}
	}
	if err := b.disk.check(false); err != nil {
		return err
	}
	if b.out != nil {
		if s := b.out.status(); s.Bytes >= b.config.OutboxMaxBytes {
			return fmt.Errorf("outbox is %w: %d messages", ErrFull, s.Messages)
		}
	}
	return nil
}

// ask bounds a question to the server.
func (b *Bus) ask(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancelLink := b.onLink(ctx)
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	return ctx, func() { cancel(); cancelLink() }
}

// stream looks a stream up.
func (b *Bus) stream(ctx context.Context, name string) (jetstream.Stream, error) {
	actx, cancel := b.ask(ctx)
	defer cancel()
	s, err := b.js.Stream(actx, name)
	if err != nil && ctx.Err() == nil && actx.Err() != nil {
		err = errNoAnswer
	}
	if err != nil {
		return nil, fmt.Errorf("stream %s: %w", name, err)
	}
	return s, nil
}

// sleep waits for d or until ctx is done, and returns ctx's error then.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
