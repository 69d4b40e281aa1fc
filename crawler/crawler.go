package crawler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/crawler/fetch"
	"xinwen/crawler/frontier"
	"xinwen/crawler/lease"
	"xinwen/crawler/render"
	"xinwen/crawler/robots"
	"xinwen/crawler/source"
	"xinwen/crawler/warc"
	"xinwen/crawler/websub"
	"xinwen/news"
	"xinwen/news/bus"
)

// Crawler follows sources. Make one with New.
type Crawler struct {
	opts     Options
	log      *slog.Logger
	metrics  *metrics
	sources  *source.Store
	client   *fetch.Client
	robots   *robots.Cache
	hosts    *frontier.Hosts
	frontier *frontier.Frontier
	leases   *lease.Leases
	websub   *websub.Subscriber // nil: no subscriptions
	archive  *warc.Writer       // nil: no archives
	renderer *render.Renderer
	scripts  scripts // of pages that are rendered
	states   *states
	memories *memories
	bodies   *bodies
	feeds    jetstream.KeyValue
	report   report
	zones    sync.Map // name -> *time.Location
	jars     sync.Map // ID of a source -> http.CookieJar
	// rescan tells that ways into a source were discovered.
	rescan chan struct{}
	began  time.Time

	mu        sync.Mutex
	following map[string]*followed // by key of the way
	searching map[string]bool      // sources that are searched for ways in
	parts     [frontier.Partitions]*ownedPart

	cancel context.CancelFunc // of a crawler that was started
	done   chan struct{}
	err    error
}

// New returns a crawler, or every fault of its options.
func New(o Options) (*Crawler, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Crawler{opts: o, log: o.Logger, done: make(chan struct{})}
	list, err := o.sources(o.List)
	if err != nil {
		return nil, err
	}
	c.sources = source.NewStore(c.log, list)
	if c.client, err = o.client(); err != nil {
		return nil, err
	}
	if c.metrics, err = newMetrics(o.Metrics); err != nil {
		return nil, err
	}
	c.robots = robots.NewCache(c.client.Product(), robotsStore{c})
	c.hosts = frontier.NewHosts(o.Bus.KV(bus.KVHosts), o.Concurrency, o.Logger)
	for p := range frontier.Partitions {
		c.hosts.Close(context.Background(), p) // nothing is under way yet
	}
	c.frontier = frontier.New(o.Bus)
	c.states = newStates(o.Bus.KV(bus.KVSources))
	c.feeds = o.Bus.KV(bus.KVFeeds)
	c.memories = newMemories(c.feeds)
	c.bodies = newBodies()
	c.renderer = render.New(o.Render)
	c.following = make(map[string]*followed)
	c.searching = make(map[string]bool)
	c.rescan = make(chan struct{}, 1)
	return c, nil
}

// Run makes a crawler and runs it until ctx is done or, with Once, until it is
// through.
func Run(ctx context.Context, o Options) error {
	c, err := New(o)
	if err != nil {
		return err
	}
	return c.Run(ctx)
}

// Start runs the crawler in the background until Stop.
func (c *Crawler) Start(ctx context.Context) error {
	if c.cancel != nil {
		return errors.New("crawler: started already")
	}
	ctx, c.cancel = context.WithCancel(ctx)
	go func() {
		defer close(c.done)
		defer c.cancel()
		c.err = c.run(ctx)
	}()
	return nil
}

// Stop ends the crawler and returns when all it started has ended.
func (c *Crawler) Stop() error {
	if c.cancel == nil {
		return nil
	}
	c.cancel()
	<-c.done
	return c.err
}

// Run runs the crawler until ctx is done or, with Once, until it is through.
func (c *Crawler) Run(ctx context.Context) error {
	if err := c.Start(ctx); err != nil {
		return err
	}
	<-c.done
	return c.err
}

// Report returns what the crawler has done so far.
func (c *Crawler) Report() Report { return c.report.get() }

func (c *Crawler) run(ctx context.Context) error {
	began := time.Now()
	c.began = began
	set, _ := c.sources.Current()
	c.log.Info("crawler started", "sources", set.Len(), "once", c.opts.Once)
	if c.opts.Contact == "" && !c.opts.AllowPrivate && len(c.opts.Resolve) == 0 {
		c.log.Warn("publishers cannot reach you", "hint", "set contact to a URL or mail address of yours; it joins the User-Agent")
	}
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer c.client.Close()
	defer c.renderer.Close()
	defer wg.Wait()
	defer cancel()

	failed := make(chan error, frontier.Partitions+3)
	if err := c.opts.Bus.Persist(ctx, "consumer of an earlier version not removed", func() error { return c.retire(ctx) }); err != nil {
		if ctx.Err() != nil {
			return nil // told to stop before it began
		}
		return err
	}
	if c.opts.WebSub.Listen != "" && !c.opts.Once {
		var err error
		if c.websub, err = websub.Listen(c.opts.WebSub, c.postToHub, c.log); err != nil {
			return err
		}
		wg.Go(func() {
			if err := c.websub.Run(ctx); err != nil {
				failed <- err
			}
		})
	}
	wg.Go(func() { failed <- c.consumeAsked(ctx) })
	wg.Go(func() {
		if err := c.own(ctx, failed); err != nil {
			failed <- err
		}
	})
	if c.opts.Sources != "" && c.opts.Sources != NoSources && c.opts.List == nil && !c.opts.Once {
		wg.Go(func() {
			if err := c.sources.Watch(ctx, c.opts.Sources); err != nil {
				c.log.Warn("sources are not watched", "file", c.opts.Sources, "err", err)
			}
		})
	}
	laid := make(chan struct{}) // closed when the changes of sources are known
	if c.opts.Once {
		close(laid) // of the sources that it is given, as they are
	} else {
		wg.Go(func() { c.watchChanges(ctx, sync.OnceFunc(func() { close(laid) })) })
		wg.Go(func() {
			if err := c.administer(ctx); err != nil {
				c.log.Error("requests about sources are not answered", "err", err, "hint", "restart the crawler; the crawl itself goes on")
			}
		})
	}
	if c.opts.WARC.Dir != "" {
		var err error
		if c.archive, err = warc.New(c.opts.WARC, c.client.UserAgent()); err != nil {
			return err
		}
		defer func() {
			if err := c.archive.Close(); err != nil {
				c.log.Error("last archive not closed", "err", err)
			}
		}()
	}
	defer func() {
		fctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		c.flush(fctx, true)
	}()
	wg.Go(func() { c.flushStates(ctx) })
	finished := make(chan error, 1)
	wg.Go(func() {
		select {
		case <-laid:
		case <-ctx.Done():
			finished <- nil
			return
		}
		if c.opts.Once {
			finished <- c.once(ctx)
		} else {
			finished <- c.manage(ctx)
		}
	})
	var err error
	select {
	case err = <-failed:
	case err = <-finished:
	}
	cancel()
	wg.Wait()
	c.report.took(time.Since(began))
	c.log.Info("crawler stopped", "report", c.Report())
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = nil
	}
	return err
}

// consume handles the entries of one part of the frontier.
func (c *Crawler) consume(ctx context.Context, partition int) error {
	return c.opts.Bus.Consume(ctx, bus.ConsumerConfig{
		Stream: bus.Frontier, Name: fmt.Sprintf("crawler-%02d", partition), Filter: frontier.Filter(partition),
		Workers: inHand, MaxAckPending: 4 * inHand,
		// Who owns the part is alone, and it has many entries to keep alive.
		Alone: true, AckWait: 10 * time.Second,
		// An entry that waits for its host's turn has not failed; what fails is
		// counted in the entry itself.
		MaxDeliver: -1, Timeout: 6 * time.Hour, Grace: time.Second,
	}, func(hctx context.Context, m *bus.Message) error {
		// The bus lets a handler go on for a while when ctx is done; a fetch that
		// is broken off costs nothing.
		hctx, cancel := context.WithCancel(hctx)
		defer cancel()
		stop := context.AfterFunc(ctx, cancel)
		defer stop()
		return c.handle(hctx, m)
	})
}

// consumeAsked moves entries that others ask for into their part of the frontier.
func (c *Crawler) consumeAsked(ctx context.Context) error {
	return c.opts.Bus.Consume(ctx, bus.ConsumerConfig{
		Stream: bus.Frontier, Name: "crawler-asked", Filter: frontier.FilterAsked, Workers: 4, MaxDeliver: -1,
	}, func(ctx context.Context, m *bus.Message) error {
		e, err := frontier.ParseEntry(m.Data)
		if errors.Is(err, news.ErrVersion) {
			return bus.RetryAfter(time.Minute, err)
		}
		if err != nil {
			return bus.Permanent(&failure{err, "something else writes to the frontier; see what does"})
		}
		_, err = c.frontier.Add(ctx, e)
		return err
	})
}

// openStates reads the states of those sources in set that are ours.
func (c *Crawler) openStates(ctx context.Context, set *source.Set) error {
	for _, src := range set.All() {
		if !c.owns(partOf(src)) {
			continue
		}
		open := func() error { return c.states.open(ctx, src, c.knownWays(ctx, src)) }
		if err := c.opts.Bus.Persist(ctx, "state of a source not read", open, "source", src.ID); err != nil {
			return err
		}
	}
	return nil
}

// once polls every source once and waits until the frontier is empty.
func (c *Crawler) once(ctx context.Context) error {
	set, _ := c.sources.Current()
	if err := c.allOurs(ctx); err != nil {
		return err
	}
	if err := c.openStates(ctx, set); err != nil {
		return err
	}
	var wg sync.WaitGroup
	enabled := 0
	for _, src := range set.All() {
		if src.Enabled {
			enabled++
			wg.Go(func() { c.pollOnce(ctx, src) })
		}
	}
	c.report.sources(enabled)
	wg.Wait()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		now, later, err := c.frontier.Left(ctx, frontier.Patience)
		if err != nil && ctx.Err() == nil {
			c.log.Warn("frontier not counted, will retry", "err", err)
		}
		if err == nil && now == 0 {
			c.report.later(later)
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// retire removes the consumer of all parts that earlier versions had.
func (c *Crawler) retire(ctx context.Context) error {
	err := c.opts.Bus.JetStream().DeleteConsumer(ctx, bus.Frontier, "crawler")
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return fmt.Errorf("remove the consumer of an earlier version: %w", err)
	}
	return nil
}

// allOurs waits until this crawler owns all parts: to crawl once is the work of
// one process.
func (c *Crawler) allOurs(ctx context.Context) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for told := false; ; {
		missing := 0
		for p := range frontier.Partitions {
			if !c.owns(p) {
				missing++
			}
		}
		if missing == 0 {
			return nil
		}
		if began := time.Now(); !told && began.After(c.began.Add(5*time.Second)) {
			told = true
			c.log.Info("waiting for other crawlers to end, or to be known dead", "parts", missing)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// flushStates writes the states of sources and ways now and then, and at the end.
func (c *Crawler) flushStates(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		fctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		c.flush(fctx, false)
		cancel()
	}
}

func (c *Crawler) flush(ctx context.Context, all bool) {
	if err := errors.Join(c.states.flush(ctx, all), c.memories.flush(ctx, all)); err != nil {
		c.log.Warn("state of sources not written, will retry", "err", err)
	}
}
