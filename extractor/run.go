package extractor

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"xinwen/extractor/duplicate"
	"xinwen/extractor/language"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/charset"
	"xinwen/news/weburl"
)

// Consumer is the durable consumer that all extractors share.
const Consumer = "extractor"

const (
	// poisonTries is how often a page is extracted in full; if it fails by panic
	// or timeout each time, only its plain text is taken.
	poisonTries = 2
	// deadlyTries is the number of deliveries after which a page is taken to
	// kill its process.
	deadlyTries = 5
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
	last, err := x.bus.LastSeq(ctx, bus.Articles)
	if err != nil {
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
	x.running.mu.Lock()
	defer x.running.mu.Unlock()
	if x.running.cancel == nil {
		return nil
	}
	x.running.cancel()
	x.running.cancel = nil
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
	if err := x.bus.PublishArticle(ctx, a); err != nil {
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

// careful extracts a page, and falls back to its plain text when that has
// failed by panic or timeout before. It returns no article for a page that is a
// part of one whose rest is not there yet.
func (x *Extractor) careful(ctx context.Context, m *bus.Message, p *news.Page) (a *news.Article, outcome string, err error) {
	tries := x.begin(m.Seq)
	if tries > poisonTries || m.Attempt >= deadlyTries {
		if p.Parent != "" {
			x.end(m.Seq)
			return nil, "", bus.Permanent(&Error{Reason: "a further part of an article cannot be read", hint: "the article is there without it; report this page"})
		}
		a, err = guard(func() (*news.Article, error) { return x.plain(p) })
		x.end(m.Seq)
		if err != nil {
			return nil, "", bus.Permanent(err)
		}
		return a, "fallback", nil
	}
	r := reading{remember: true}
	host := weburl.Host(p.URL)
	if r.memory, err = x.store.View(ctx, host); err != nil {
		x.log.Warn("page is read without the memory of its host", "url", p.URL, "err", err)
	}
	a, err = guard(func() (*news.Article, error) { return x.extract(p, &r) })
	if err == nil {
		x.store.Learn(host, r.learned)
		if a, err = x.join(ctx, p, a, r.series); err != nil || a == nil {
			x.end(m.Seq)
			return nil, "part", err // an error is the bus's, no fault of the page
		}
		if !p.Fast {
			_, err = guard(func() (*news.Article, error) { x.enrich(a); return a, nil })
		}
	}
	var crash *panicError
	if errors.As(err, &crash) {
		return nil, "", err // another try, then the plain text
	}
	x.end(m.Seq)
	if err != nil {
		return nil, "", bus.Permanent(err)
	}
	outcome = "article"
	if a.Deleted {
		outcome = "deleted"
	}
	return a, outcome, nil
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

// plain makes an article of a page's bare text: no body is chosen and no
// metadata read beside the title.
func (x *Extractor) plain(p *news.Page) (*news.Article, error) {
	if err := refuse(p); err != nil {
		return nil, err
	}
	text, enc := charset.Decode(p.Body[:min(len(p.Body), maxPlain)], p.ContentType)
	a := &news.Article{
		Version: news.Version, ID: p.ID, URL: p.URL, Source: p.Source, Fetched: p.Fetched, Revision: revision(p), Charset: enc.Name,
	}
	if a.ID == "" && a.URL != "" {
		a.ID = weburl.ID(a.URL)
	}
	var body, title strings.Builder
	z := html.NewTokenizer(strings.NewReader(text))
	skip, inTitle := atom.Atom(0), false
loop:
	for {
		switch z.Next() {
		case html.ErrorToken:
			break loop
		case html.StartTagToken:
			name, _ := z.TagName()
			switch t := atom.Lookup(name); t {
			case atom.Script, atom.Style, atom.Textarea, atom.Noscript, atom.Iframe:
				skip = t
			case atom.Title:
				inTitle = title.Len() == 0
			case atom.P, atom.Div, atom.Br, atom.Li, atom.Tr, atom.H1, atom.H2, atom.H3:
				body.WriteByte('\n')
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			t := atom.Lookup(name)
			if t == skip {
				skip = 0
			}
			inTitle = inTitle && t != atom.Title
		case html.TextToken:
			switch {
			case skip != 0:
			case inTitle:
				title.Write(z.Text())
			default:
				body.Write(z.Text())
			}
		}
	}
	a.Title, a.Text = oneLine(title.String()), tidy(body.String())
	if a.Text == "" {
		return nil, &Error{Reason: "no text", Detail: "also without any structure", hint: "the extractor failed on this page twice and its plain text is empty; report it with the page"}
	}
	if a.Title == "" {
		a.Title = clip(firstLine(a.Text), 80)
	}
	a.Lang, a.Script = language.Detect(a.Title+"\n"+a.Text, "")
	a.Warnings = []string{"plain-text: the page could not be extracted, this is all of its text"}
	return a, nil
}

// maxPlain is how much of a page the fallback reads.
const maxPlain = 1 << 20

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
