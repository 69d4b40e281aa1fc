package indexer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"xinwen/indexer/analysis"
	"xinwen/indexer/bleve"
	"xinwen/indexer/change"
	"xinwen/indexer/opensearch"
	"xinwen/indexer/percolate"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/lexicon"
)

// Config is what the operator writes. The zero value will do.
type Config struct {
	// BatchArticles, BatchBytes and BatchWait end a batch: at so many articles,
	// so many bytes, or so long after its first article. Default 500, 8 MiB and
	// 200 ms.
	BatchArticles int           `json:"batch_articles,omitempty" yaml:"batch_articles,omitempty"`
	BatchBytes    int           `json:"batch_bytes,omitempty" yaml:"batch_bytes,omitempty"`
	BatchWait     time.Duration `json:"batch_wait,omitempty" yaml:"batch_wait,omitempty"`
	// Serve answers searches over NATS too, for an api in another process.
	Serve bool `json:"serve,omitempty" yaml:"serve,omitempty"`
	// NoAlerts leaves rules to another indexer.
	NoAlerts bool `json:"no_alerts,omitempty" yaml:"no_alerts,omitempty"`
	// Engine keeps the index: EngineBleve, the default, or EngineOpenSearch, which
	// OpenSearch says where to find.
	Engine     string            `json:"engine,omitempty" yaml:"engine,omitempty"`
	OpenSearch opensearch.Config `json:"opensearch,omitzero" yaml:"opensearch,omitempty"`
}

// Validate returns every fault of c at once.
func (c Config) Validate() error {
	var errs []error
	if c.BatchArticles < 0 {
		errs = append(errs, fmt.Errorf("indexer: batch_articles %d is negative", c.BatchArticles))
	}
	if c.BatchBytes < 0 {
		errs = append(errs, fmt.Errorf("indexer: batch_bytes %d is negative", c.BatchBytes))
	}
	if c.BatchWait < 0 {
		errs = append(errs, fmt.Errorf("indexer: batch_wait %s is negative", c.BatchWait))
	}
	switch c.Engine {
	case "", EngineBleve:
	case EngineOpenSearch:
		errs = append(errs, c.OpenSearch.Validate())
	default:
		errs = append(errs, fmt.Errorf("indexer: engine %q is neither %s nor %s", c.Engine, EngineBleve, EngineOpenSearch))
	}
	return errors.Join(errs...)
}

// Options is what code passes to New.
type Options struct {
	Bus *bus.Bus
	// Lexicon resolves entity names; it may be nil.
	Lexicon *lexicon.Store
	// Analyzer cuts text into tokens; nil makes one from the lexicon.
	Analyzer *analysis.Analyzer
	// Dir holds the index of Bleve; no other process may use it.
	Dir     string
	Config  Config
	Logger  *slog.Logger
	Metrics prometheus.Registerer
}

// Indexer is the service.
type Indexer struct {
	bus      *bus.Bus
	lexicon  *lexicon.Store
	analyzer *analysis.Analyzer
	config   Config
	log      *slog.Logger
	metrics  *metrics
	engine   engine

	// mu guards index and busy. A rebuild holds it to put its index in the place
	// of the old one.
	mu      sync.RWMutex
	index   index
	busy    bool          // a rebuild is asked for or under way
	rebuilt uint64        // how far it is
	rebuild chan struct{} // asks for one

	ready  chan struct{} // closed when the index has caught up once
	caught sync.Once

	cancel  context.CancelFunc
	running sync.WaitGroup
	failed  chan error
}

// Run runs an indexer until ctx is done.
func Run(ctx context.Context, o Options) error {
	i, err := New(o)
	if err != nil {
		return err
	}
	if err := i.Start(ctx); err != nil {
		return errors.Join(err, i.Stop())
	}
	select {
	case <-ctx.Done():
		return i.Stop()
	case err := <-i.Failed():
		return errors.Join(err, i.Stop())
	}
}

// openWithin bounds the opening of an index that is on other machines.
const openWithin = time.Minute

// New opens the index. Searches are answered at once; Start begins to read.
func New(o Options) (*Indexer, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, err
	}
	if o.Bus == nil || o.Dir == "" {
		return nil, errors.New("indexer: a bus and a directory are required")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	var err error
	if o.Analyzer, err = analyzerOf(o); err != nil {
		return nil, fmt.Errorf("indexer: %w", err)
	}
	i := &Indexer{
		bus: o.Bus, lexicon: o.Lexicon, analyzer: o.Analyzer, config: o.Config, log: o.Logger,
		rebuild: make(chan struct{}, 1),
		ready:   make(chan struct{}),
		failed:  make(chan error, 1),
	}
	if i.engine, err = newEngine(o); err != nil {
		return nil, fmt.Errorf("indexer: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), openWithin)
	defer cancel()
	if i.index, err = i.engine.open(ctx); err != nil {
		return nil, fmt.Errorf("indexer: %w", err)
	}
	i.metrics = newMetrics(o.Metrics, i)
	return i, nil
}

// Start begins to read ARTICLES, to match rules and, if configured, to serve
// searches over NATS. All of it ends with Stop or ctx.
func (i *Indexer) Start(ctx context.Context) error {
	seq, err := i.current().AppliedSeq(ctx)
	if err != nil {
		return fmt.Errorf("indexer: %w", err)
	}
	i.log.Info("indexer starts", "path", i.current().Path(), "applied_seq", seq)
	ctx, i.cancel = context.WithCancel(ctx)
	if i.engine.follows() {
		i.run(func() error { return i.follow(ctx) })
		i.run(func() error { return i.rebuilds(ctx) })
	} else {
		i.run(func() error { return i.watch(ctx) })
	}
	if !i.config.NoAlerts {
		i.run(func() error {
			return percolate.Run(ctx, percolate.Options{
				Bus: i.bus, Evaluator: query.NewEvaluator(i.analyzer, i.lexicon), Searcher: i, Logger: i.log, Metrics: i.metrics.registry,
			})
		})
	}
	if i.config.Serve {
		i.run(func() error {
			return search.Serve(ctx, i.bus.Conn(), i, search.ServeOptions{Logger: i.log})
		})
	}
	return nil
}

// run runs a part of the service; its error is told of by Failed.
func (i *Indexer) run(part func() error) {
	i.running.Go(func() {
		if err := part(); err != nil {
			i.log.Error("indexer failed", "err", err)
			select {
			case i.failed <- err:
			default: // the first tells
			}
		}
	})
}

// Failed tells of a failure that the indexer does not get over by itself. It
// should then be stopped.
func (i *Indexer) Failed() <-chan error { return i.failed }

// Stop ends what Start began, writes the index to disk and closes it.
func (i *Indexer) Stop() error {
	if i.cancel != nil {
		i.cancel()
		i.running.Wait()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if ferr := i.current().Flush(ctx); ferr != nil {
		i.log.Warn("index not flushed: the last articles will be read again", "err", ferr)
	}
	i.metrics.unregister()
	closed := make(chan error, 1)
	go func() { closed <- i.current().Close() }()
	select {
	case err := <-closed:
		return err
	case <-time.After(closeWithin):
		// A fault of the disk can leave a lock inside scorch that nobody gives back.
		i.log.Warn("index not closed: what it had not written will be read again", "after", closeWithin)
		return nil
	}
}

// closeWithin bounds how long the end waits for the index to close, which is done
// in milliseconds otherwise.
const closeWithin = 5 * time.Second

// Ready returns nil once the index has caught up with ARTICLES for the first
// time since New.
func (i *Indexer) Ready(ctx context.Context) error {
	select {
	case <-i.ready:
		return nil
	default:
	}
	st, err := i.Status(ctx)
	if err != nil {
		return err
	}
	return fmt.Errorf("indexer: %d of %d articles read", st.AppliedSeq, st.LastSeq)
}

func (i *Indexer) current() index {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.index
}

// retryAfter is how long follow waits after a fault of the index, such as a
// full disk.
const retryAfter = 5 * time.Second

var errBehind = errors.New("the index lacks messages that were read already")

// follow keeps the index up with ARTICLES.
func (i *Indexer) follow(ctx context.Context) error {
	for ctx.Err() == nil {
		seq, err := i.current().AppliedSeq(ctx)
		if err == nil {
			err = i.checkCaught(ctx, seq)
		}
		if err == nil {
			err = i.read(ctx, seq+1, func(ctx context.Context, last uint64, ops []change.Op) error {
				i.mu.RLock()
				defer i.mu.RUnlock()
				// Another index may have taken the place of the one before. What it
				// lacks must be read first.
				if has, err := i.index.AppliedSeq(ctx); err != nil || has < seq {
					return cmp.Or(err, errBehind)
				}
				seq = last
				return i.index.Write(ctx, last, ops)
			})
		}
		switch {
		case ctx.Err() != nil, errors.Is(err, errBehind):
		case errors.Is(err, bleve.ErrStuck):
			return err // the process starts again, and with it the index
		case errors.Is(err, bus.ErrAhead):
			if err := i.startOver(ctx, err); err != nil {
				return err
			}
		case err != nil:
			i.log.Error("indexing stopped, will try again", "err", err, "after", retryAfter)
			select {
			case <-ctx.Done():
			case <-time.After(retryAfter):
			}
		}
	}
	return nil
}

// read reads ARTICLES from a sequence on and gives write what it can apply.
func (i *Indexer) read(ctx context.Context, from uint64, write func(context.Context, uint64, []change.Op) error) error {
	c := bus.ReadConfig{
		Stream: bus.Articles, From: from,
		MaxMessages: i.config.BatchArticles, MaxBytes: i.config.BatchBytes, MaxWait: i.config.BatchWait,
	}
	return i.bus.Read(ctx, c, func(ctx context.Context, messages []*bus.Message) error {
		start := time.Now()
		ops := make([]change.Op, 0, len(messages))
		for _, m := range messages {
			a, err := news.ParseArticle(m.Data)
			if err == nil && a.ID == "" {
				err = errors.New("article: it has no id")
			}
			if err != nil {
				// It stays in ARTICLES; quarantine tells of it and replays it.
				if err := i.bus.QuarantineMessage(ctx, "indexer", m, err); err != nil {
					return fmt.Errorf("quarantine message %d: %w", m.Seq, err)
				}
				continue
			}
			ops = append(ops, change.Op{Article: a, Data: m.Data, Seq: m.Seq, Time: m.Time})
		}
		last := messages[len(messages)-1].Seq
		ctx, end := i.traced(ctx, messages)
		err := write(ctx, last, ops)
		end(err)
		if err != nil {
			return err
		}
		i.metrics.batch(len(ops), time.Since(start))
		return i.checkCaught(ctx, last)
	})
}

// checkCaught notes when the index has caught up for the first time.
func (i *Indexer) checkCaught(ctx context.Context, seq uint64) error {
	select {
	case <-i.ready:
		return nil
	default:
	}
	last, err := i.bus.LastSeq(ctx, bus.Articles)
	if err != nil {
		return err
	}
	if seq == last {
		i.caught.Do(func() {
			close(i.ready)
			if i.engine.follows() {
				if err := i.engine.removeOthers(ctx, i.current()); err != nil {
					i.log.Warn("old index not removed", "err", err)
				}
			}
			i.log.Info("index has caught up", "applied_seq", seq)
		})
	}
	return nil
}

// startOver sets the index aside and opens an empty one.
func (i *Indexer) startOver(ctx context.Context, reason error) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.log.Error("index is ahead of the stream: set aside, building a new one", "path", i.index.Path(), "err", reason)
	fresh, err := i.engine.startOver(ctx, i.index)
	if err != nil {
		return fmt.Errorf("indexer: %w", err)
	}
	i.index = fresh
	return nil
}

// watchEvery is how often an indexer that does not write looks how far another
// one has come.
const watchEvery = time.Second

// watch waits until the index, which another indexer writes to, has caught up.
func (i *Indexer) watch(ctx context.Context) error {
	for {
		seq, err := i.current().AppliedSeq(ctx)
		if err == nil {
			err = i.checkCaught(ctx, seq)
		}
		if err != nil && ctx.Err() == nil {
			i.log.Warn("the index cannot be looked at, will try again", "err", err)
		}
		select {
		case <-i.ready:
			return nil
		case <-ctx.Done():
			return nil
		case <-time.After(watchEvery):
		}
	}
}
