// Package app runs Xinwen's services: all of them in one process on an embedded
// NATS server and index, or one alone against a NATS cluster.
//
//	         ┌──────────────────── one process ─────────────────────┐
//	         │                    bus (NATS)                        │
//	the web ─┤► crawler ─PAGES─► extractor ─ARTICLES─► indexer ◄─┐  │
//	         │                                   percolator      │  │
//	         │                                       └ALERTS─► api ─┼─► people, webhooks
//	         └──────────────────────────────────────────────────────┘
//
// The bus starts first and stops last, the api starts before the indexer, so
// that alert rules are in force before the first article is seen.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"xinwen/api"
	"xinwen/crawler"
	"xinwen/extractor"
	"xinwen/indexer"
	"xinwen/indexer/analysis"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news/bus"
	"xinwen/news/lexicon"
	"xinwen/news/service"
)

// Names of the services.
const (
	Crawler   = "crawler"
	Extractor = "extractor"
	Indexer   = "indexer"
	API       = "api"
)

// All names every service.
var All = []string{Crawler, Extractor, Indexer, API}

// Options are what an App is made from.
type Options struct {
	Config Config
	// Services are those to run, All if empty. Fewer need Config.NATS.URL.
	Services []string
	Logger   *slog.Logger
	// Version is shown by the api.
	Version string
	// Reached is bus.Options.Reached: tests kill the process by it.
	Reached func(boundary string)
}

// App is a running Xinwen.
type App struct {
	o       Options
	log     *slog.Logger
	metrics *prometheus.Registry

	bus     *bus.Bus
	flush   func(context.Context) // sends the last traces
	lexicon *lexicon.Store
	api     *api.Server
	indexer *indexer.Indexer
	health  *service.Server // nil where the api answers for it

	cancel context.CancelFunc
	group  *errgroup.Group
	done   chan struct{} // closed when a service has failed or Stop was called

	crawled chan struct{} // closed when the crawler has ended
}

// New checks o and returns an App to start.
func New(o Options) (*App, error) {
	var err error
	if o.Config, err = o.Config.WithDefaults(); err != nil {
		return nil, err
	}
	if len(o.Services) == 0 {
		o.Services = All
	}
	for _, name := range o.Services {
		if !slices.Contains(All, name) {
			return nil, fmt.Errorf("there is no service %q", name)
		}
	}
	if len(o.Services) < len(All) && o.Config.NATS.URL == "" && !slices.Equal(o.Services, []string{Crawler}) {
		return nil, errors.New("a service alone needs the address of a NATS server: --nats URL")
	}
	if slices.Contains(o.Services, Crawler) {
		if _, err := o.Config.Crawler.ReadSources(); err != nil {
			return nil, err // before anything runs
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &App{o: o, log: o.Logger, metrics: prometheus.NewRegistry(), done: make(chan struct{}), crawled: make(chan struct{})}, nil
}

// Run runs an App until ctx is done or a service fails.
func Run(ctx context.Context, o Options) error {
	a, err := New(o)
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-a.done:
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	return a.Stop(stop)
}

// Start opens the bus and starts the services. When it returns, requests are
// answered. A service that fails later ends the others.
func (a *App) Start(ctx context.Context) (err error) {
	started := time.Now()
	c := a.o.Config
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	a.cancel = cancel
	a.group, run = errgroup.WithContext(run)
	defer func() {
		if err != nil {
			stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
			defer cancel()
			err = errors.Join(err, a.Stop(stop))
		}
	}()
	context.AfterFunc(run, func() { close(a.done) })
	a.metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if err := CheckData(c.Data); err != nil {
		return err
	}
	words := make(chan analyzed, 1)
	if err := a.openLexicon(); err != nil {
		return err
	}
	go func() { // while the bus opens
		if !a.runs(Indexer) && !a.runs(API) {
			words <- analyzed{} // a crawler or extractor alone needs none
			return
		}
		an, err := analysis.New(analysis.Options{Lexicon: a.lexicon.Current()})
		words <- analyzed{an, err}
	}()
	a.bus, err = a.openBus(ctx)
	an := <-words
	if err != nil || an.err != nil {
		return errors.Join(err, an.err)
	}
	a.group.Go(func() error {
		return a.lexicon.Watch(run, a.log, a.lexiconDir())
	})
	service.RegisterBus(a.metrics, a.bus)
	if c.Metrics != "" && !a.runs(API) {
		if a.health, err = service.Listen(ctx, c.Metrics, service.Handler(a.metrics, a.bus.Check)); err != nil {
			return err
		}
	}
	if err := a.startServices(ctx, run, an.Analyzer); err != nil {
		return err
	}
	a.log.Info("started", "services", a.o.Services, "data", c.Data, "took", time.Since(started).Round(time.Millisecond))
	return nil
}

func (a *App) openBus(ctx context.Context) (*bus.Bus, error) {
	traces, flush, err := service.Traces(ctx, a.name(), a.o.Version, a.log)
	if err != nil {
		return nil, err
	}
	a.flush = flush
	return bus.Open(ctx, bus.Options{Config: a.o.Config.NATS, Name: a.name(), Logger: a.log, Traces: traces, Reached: a.o.Reached})
}

type analyzed struct {
	*analysis.Analyzer
	err error
}

// startServices starts the services in the order that the package's doc gives.
func (a *App) startServices(ctx, run context.Context, an *analysis.Analyzer) error {
	c, err := a.o.Config, error(nil)
	var searcher search.Searcher = search.NewClient(a.bus.Conn())
	if a.runs(Indexer) {
		c.Indexer.Serve = c.Indexer.Serve || !a.runs(API)
		a.indexer, err = indexer.New(indexer.Options{
			Bus: a.bus, Lexicon: a.lexicon, Analyzer: an, Dir: filepath.Join(c.Data, "index"),
			Config: c.Indexer, Logger: a.log, Metrics: a.metrics,
		})
		if err != nil {
			return err
		}
		searcher = a.indexer.Searcher()
	}
	if a.runs(API) {
		a.api, err = api.New(api.Options{
			Bus: a.bus, Searcher: searcher, Evaluator: query.NewEvaluator(an, a.lexicon), Lexicon: a.lexicon,
			Config: c.API, Logger: a.log, Metrics: a.metrics, Version: a.o.Version,
		})
		if err != nil {
			return err
		}
		if err := a.api.Start(ctx); err != nil {
			return err
		}
		a.group.Go(func() error {
			select {
			case <-run.Done():
				return nil
			case err := <-a.api.Failed():
				return err
			}
		})
	}
	if a.runs(Indexer) {
		if err := a.indexer.Start(run); err != nil {
			return err
		}
		a.group.Go(func() error {
			select {
			case <-run.Done():
				return nil
			case err := <-a.indexer.Failed():
				return err
			}
		})
	}
	if a.runs(Extractor) {
		a.group.Go(func() error {
			return extractor.Run(run, extractor.Options{
				Bus: a.bus, Lexicon: a.lexicon, Config: c.Extractor, Logger: a.log, Metrics: a.metrics,
			})
		})
	}
	if a.runs(Crawler) {
		a.group.Go(func() error {
			defer close(a.crawled)
			return crawler.Run(run, crawler.Options{Bus: a.bus, Config: c.Crawler, Logger: a.log, Metrics: a.metrics})
		})
	}
	return nil
}

// Stop ends the services and closes the bus, in that order. It returns what
// failed, if anything did.
func (a *App) Stop(ctx context.Context) error {
	a.cancel()
	var errs []error
	if a.api != nil {
		errs = append(errs, a.api.Stop(ctx))
	}
	if err := a.group.Wait(); !errors.Is(err, context.Canceled) {
		errs = append(errs, err)
	}
	if a.indexer != nil {
		errs = append(errs, a.indexer.Stop())
	}
	if a.health != nil {
		errs = append(errs, a.health.Close())
	}
	if a.bus != nil {
		errs = append(errs, a.bus.Close())
	}
	if a.flush != nil {
		a.flush(ctx)
	}
	a.log.Info("stopped")
	return errors.Join(errs...)
}

// Addr returns the address the api listens on, "" without an api.
func (a *App) Addr() string {
	if a.api == nil {
		return ""
	}
	return a.api.Addr()
}

// HealthAddr returns where a process without an api answers for its health and
// metrics, "" if nowhere.
func (a *App) HealthAddr() string {
	if a.health == nil {
		return ""
	}
	return a.health.Addr()
}

// Bus returns the bus of a started App.
func (a *App) Bus() *bus.Bus { return a.bus }

// Drained waits until a crawler that runs once has ended and nothing is on its
// way through the pipeline any more.
func (a *App) Drained(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-a.done:
		return errors.New("a service has failed; the log says why")
	case <-a.crawled:
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		idle, err := a.idle(ctx)
		if idle || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-a.done:
			return errors.New("a service has failed; the log says why")
		case <-tick.C:
		}
	}
}

// idle reports whether every consumer has done all there is, and the index has
// applied all articles.
func (a *App) idle(ctx context.Context) (bool, error) {
	streams, err := a.bus.Status(ctx)
	if err != nil {
		return false, err
	}
	for _, s := range streams {
		if s.Name == bus.Alerts {
			continue // what a receiver refuses waits for hours
		}
		for _, c := range s.Consumers {
			if c.Pending > 0 || c.AckPending > 0 {
				return false, nil
			}
		}
	}
	if a.indexer == nil {
		return true, nil
	}
	status, err := a.indexer.Searcher().Status(ctx)
	return err == nil && status.Lag == 0, err
}

// Done is closed when the App ends.
func (a *App) Done() <-chan struct{} { return a.done }

func (a *App) runs(service string) bool { return slices.Contains(a.o.Services, service) }

// name is what the bus calls this process.
func (a *App) name() string {
	if len(a.o.Services) == 1 {
		return a.o.Services[0]
	}
	return "xinwen"
}

func (a *App) lexiconDir() string { return filepath.Join(a.o.Config.Dir, "lexicon") }

func (a *App) openLexicon() error {
	l, err := lexicon.Load(a.lexiconDir())
	if err != nil {
		return fmt.Errorf("lexicon: %w", err)
	}
	a.lexicon = lexicon.NewStore(l)
	return nil
}
