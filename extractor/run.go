package extractor

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"xinwen/extractor/duplicate"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/weburl"
)

// Consumer is the durable consumer that all extractors share.
const Consumer = "extractor"

const (
	// poisonTries is how often a page is extracted; if it fails by panic or
	// timeout each time, it goes to QUARANTINE.
	poisonTries = 2
	// deadlyTries is the number of deliveries at which a page is taken to kill
	// its process.
	deadlyTries = 10
)

// running is the state between Start and Stop.
type running struct {
	mu     sync.Mutex
	cancel context.CancelFunc
	done   chan error
	// tries counts, by sequence, the extractions that began and did not return.
	tries map[uint64]int
	// remembering ends when the reader of ARTICLES has.
	remembering sync.WaitGroup
}

// Run extracts until ctx is done.
func Run(ctx context.Context, o Options) error {
	x, err := New(o)
	if err != nil {
		return err
	}
	if err := x.Start(ctx); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case err = <-x.running.done:
		x.running.done <- err
	}
	return x.Stop()
}

// Start begins to consume PAGES in the background. It goes on until Stop or ctx
// is done.
func (x *Extractor) Start(ctx context.Context) error {
	x.running.mu.Lock()
	defer x.running.mu.Unlock()
	switch {
	case x.bus == nil:
		return errors.New("extractor: no bus to read pages from")
	case x.running.cancel != nil:
		return errors.New("extractor: already started")
	}
	x.names() // the first page should not wait for it
	ctx, x.running.cancel = context.WithCancel(ctx)
	x.running.done = make(chan error, 1)
	x.running.tries = make(map[uint64]int)
	done := x.running.done
	x.log.Info("extractor started", "workers", x.config.Workers)
	var last uint64
	if err := x.bus.Persist(ctx, "last article not looked up", func() (err error) {
		last, err = x.bus.LastSeq(ctx, bus.Articles)
		return err
	}); err != nil {
		x.running.cancel()
		x.running.cancel = nil
		return fmt.Errorf("extractor: %w", err)
	}
	x.running.remembering.Go(func() { x.remember(ctx, last) })
	x.running.remembering.Go(func() { x.store.Run(ctx) })
	go func() {
		done <- x.bus.Consume(ctx, bus.ConsumerConfig{
			Stream: bus.Pages, Name: Consumer, Workers: x.config.Workers, Timeout: x.config.Timeout,
			MaxAckPending: 1000, RetryDelay: 250 * time.Millisecond,
		}, x.handle)
	}()
	return nil
}

// Stop ends consumption and returns when the pages that are being worked on are
// done.
func (x *Extractor) Stop() error {
	x.running.mu.Lock() // not for long: the pages that are worked on need it too
	cancel := x.running.cancel
	x.running.cancel = nil
	x.running.mu.Unlock()
	if cancel == nil {
		return nil
	}
	cancel()
	err := <-x.running.done
	x.running.remembering.Wait()
	x.log.Info("extractor stopped")
	return err
}

// handle turns one message of PAGES into one of ARTICLES. It returns nil, and
// with it acks the page, once the article is durable.
func (x *Extractor) handle(ctx context.Context, m *bus.Message) error {
	p, err := x.bus.Page(ctx, m)
	if err != nil {
		x.metrics.pages.WithLabelValues("failed").Inc()
		return err
	}
	began := time.Now()
	a, outcome, err := x.careful(ctx, m, p)
	x.metrics.took(time.Since(began), len(p.Body))
	if err != nil {
		x.metrics.pages.WithLabelValues("failed").Inc()
		return fmt.Errorf("extract %s: %w", p.URL, err)
	}
	if a == nil {
		x.metrics.pages.WithLabelValues(outcome).Inc()
		return nil
	}
	if !p.Fast {
		x.compare(a)
	}
	a.Published, a.Modified, a.Fetched = inUTC(a.Published), inUTC(a.Modified), inUTC(a.Fetched)
	a.Extracted = time.Now().UTC().Truncate(time.Millisecond)
	err = x.bus.PublishArticle(ctx, a)
	if errors.Is(err, bus.ErrTooLarge) {
		shorten(a)
		err = x.bus.PublishArticle(ctx, a)
	}
	if err != nil {
		return err
	}
	x.count(a, outcome)
	x.log.Debug("article extracted", "url", a.URL, "article_id", a.ID, "source", a.Source, "took", time.Since(began))
	return nil
}

// maxCopies is how many of the last articles are remembered to find duplicates
// among.
const maxCopies = 5000

// remember reads the last articles, and then all that come, also from other
// extractors, so that each knows what the others have found.
func (x *Extractor) remember(ctx context.Context, last uint64) {
	from := uint64(1)
	if last > maxCopies {
		from = last - maxCopies + 1
	}
	err := x.bus.Read(ctx, bus.ReadConfig{Stream: bus.Articles, From: from}, func(_ context.Context, batch []*bus.Message) error {
		for _, m := range batch {
			if a, err := news.ParseArticle(m.Data); err == nil && !a.Deleted {
				x.copies.Add(a.ID, firstOf(a.FirstPublisher, a.Publisher, a.Source), duplicate.Words(a.Title, a.Text))
			}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		x.log.Warn("articles of other extractors are not compared any more", "err", err)
	}
}

// compare marks an article that says much the same as an earlier one.
func (x *Extractor) compare(a *news.Article) {
	if a.Deleted {
		return
	}
	if m, ok := x.copies.Add(a.ID, firstOf(a.Publisher, a.Source), duplicate.Words(a.Title, a.Text)); ok {
		a.DuplicateOf, a.FirstPublisher = m.ID, m.Publisher
	}
}

// inUTC returns t as articles on the bus have their times.
func inUTC(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

// careful extracts a page. One that fails by panic or takes too long is tried
// once more, then its error is permanent; so is that of a page whose process has
// ended each time. It returns no article for a page that is a part of one whose
// rest is not there yet.
func (x *Extractor) careful(ctx context.Context, m *bus.Message, p *news.Page) (a *news.Article, outcome string, err error) {
	tries := x.begin(m.Seq)
	switch {
	case tries > poisonTries: // none came back
		x.end(m.Seq)
		return nil, "", bus.Permanent(&Error{Reason: "page takes too long", Detail: fmt.Sprintf("no answer in %d tries of %s", poisonTries, x.config.Timeout), hint: slowHint})
	case m.Attempt >= deadlyTries && tries == 1:
		x.end(m.Seq)
		return nil, "", bus.Permanent(&Error{Reason: "page was never finished", Detail: fmt.Sprintf("delivered %d times", m.Attempt), hint: "the extractor ended each time it worked on this page: see its log for why, such as too little memory; then replay the page"})
	}
	a, outcome, err = x.attempt(ctx, m, p)
	var (
		crash *panicError
		late  *lateError
	)
	if errors.As(err, &crash) || errors.As(err, &late) {
		switch {
		case tries < poisonTries:
			return nil, "", err // another try
		case late != nil:
			err = &Error{Reason: "page takes too long", Detail: fmt.Sprintf("more than %s in each of %d tries", x.config.Timeout, poisonTries), hint: slowHint}
		}
		err = bus.Permanent(err)
	}
	x.end(m.Seq)
	return a, outcome, err
}

// lateError says that the time of a try has ended while a page was extracted, not
// while the bus was waited for.
type lateError struct{ error }

func (e *lateError) Unwrap() error { return e.error }

const slowHint = "pages of news take milliseconds: if the machine was overloaded, replay the page; if not, report it"

// attempt is one try of careful.
func (x *Extractor) attempt(ctx context.Context, m *bus.Message, p *news.Page) (a *news.Article, outcome string, err error) {
	r := reading{remember: true}
	host := weburl.Host(p.URL)
	if r.memory, err = x.store.View(ctx, host); err != nil {
		x.log.Warn("page is read without the memory of its host", "url", p.URL, "err", err)
	}
	if err = ctx.Err(); err != nil {
		return nil, "", err // the bus took all the time
	}
	if a, err = guard(func() (*news.Article, error) { return x.read(ctx, p, &r) }); err != nil {
		return nil, "", final(err)
	}
	x.store.Learn(host, r.learned)
	if a, err = x.join(ctx, p, a, r.series); err != nil || a == nil {
		return nil, "part", err // an error is the bus's, no fault of the page
	}
	if !p.Fast {
		if a, err = guard(func() (*news.Article, error) { return a, x.enrich(ctx, a) }); err != nil {
			return nil, "", final(err)
		}
	}
	if a.Deleted {
		return a, "deleted", nil
	}
	return a, "article", nil
}

// final makes errors about a page permanent, but not panics and ends of time.
func final(err error) error {
	var crash *panicError
	switch {
	case errors.As(err, &crash), errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return &lateError{err}
	}
	return bus.Permanent(err)
}

// begin counts a try and returns its number.
func (x *Extractor) begin(seq uint64) int {
	x.running.mu.Lock()
	defer x.running.mu.Unlock()
	if len(x.running.tries) > 10_000 {
		clear(x.running.tries) // pages that other processes took over
	}
	x.running.tries[seq]++
	return x.running.tries[seq]
}

func (x *Extractor) end(seq uint64) {
	x.running.mu.Lock()
	defer x.running.mu.Unlock()
	delete(x.running.tries, seq)
}

// panicError is a panic of the extraction, with the place it came from.
type panicError struct {
	value any
	stack string
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// Hint returns what to do about it.
func (e *panicError) Hint() string {
	return "this is a fault of the extractor: report it with the page (quarantine list shows it); replay after an upgrade. At: " + e.stack
}

func guard(f func() (*news.Article, error)) (a *news.Article, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: v, stack: place(debug.Stack())}
		}
	}()
	return f()
}

// place returns the first line of a stack that is of this module.
func place(stack []byte) string {
	lines := strings.Split(string(stack), "\n")
	seen := false
	for _, l := range lines {
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "panic(") {
			seen = true
		}
		if seen && strings.HasPrefix(l, "xinwen/") {
			return l
		}
	}
	return "unknown"
}

func (x *Extractor) count(a *news.Article, outcome string) {
	x.metrics.pages.WithLabelValues(outcome).Inc()
	for _, w := range a.Warnings {
		code, _, _ := strings.Cut(w, ":")
		x.metrics.warnings.WithLabelValues(code).Inc()
	}
	for i := range a.Mentions {
		x.metrics.mentions.WithLabelValues(string(a.Mentions[i].Kind)).Inc()
	}
}
