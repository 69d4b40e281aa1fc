package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"xinwen/news"
)

// Erasure says which articles to erase: those with one of the IDs, or those of
// the source that are older than Before (either may be empty, but not both).
// IDs are for good: such an article does not come back when it is crawled or
// imported again.
type Erasure struct {
	IDs    []string
	Source string
	// Before is compared with the time an article was published, or fetched if
	// that is not known.
	Before time.Time
	// DryRun only counts the articles.
	DryRun bool
}

// Erased counts what Erase removed.
type Erased struct {
	Articles    int `json:"articles"`
	Messages    int `json:"messages"` // of ARTICLES: an article has several if it was revised
	Pages       int `json:"pages"`
	Alerts      int `json:"alerts"`
	Deliveries  int `json:"deliveries"`
	Quarantined int `json:"quarantined"`
}

// Erase removes articles from everywhere. A tombstone in ARTICLES makes every
// index forget an article; then its messages are overwritten in ARTICLES, PAGES,
// ALERTS and QUARANTINE, and its deliveries forgotten. It can be repeated after a
// failure. What an index deleted leaves its files at their next merge, or with a
// rebuild.
func (b *Bus) Erase(ctx context.Context, e Erasure) (Erased, error) {
	var n Erased
	switch {
	case len(e.IDs) == 0 && e.Source == "" && e.Before.IsZero():
		return n, errors.New("erase: say which articles, by IDs, source or time")
	case len(e.IDs) > 0 && (e.Source != "" || !e.Before.IsZero()):
		return n, errors.New("erase: IDs do not go with a source or a time")
	}
	for _, id := range e.IDs {
		if e.DryRun {
			break
		}
		if _, err := b.kv[KVErased].Put(ctx, Key(id), []byte(id)); err != nil {
			return n, fmt.Errorf("erase %s: %w", id, err)
		}
		b.erased.add(id)
	}
	found, err := b.findArticles(ctx, e)
	if err != nil {
		return n, err
	}
	for _, a := range found {
		if a.alive {
			n.Articles++
		}
	}
	if len(found) == 0 || e.DryRun {
		return n, nil
	}
	urls := make(map[string]bool) // what headers tell of pages and quarantined messages
	for _, a := range found {
		if a.URL != "" {
			urls[headerText(a.URL)] = true
		}
		if a.alive {
			if err := b.bury(ctx, a); err != nil {
				return n, err
			}
		}
	}
	gone := func(id string) bool { return found[id] != nil }
	for _, part := range []struct {
		stream string
		n      *int
		match  func(*Message) bool
	}{
		{Articles, &n.Messages, func(m *Message) bool {
			a, err := news.ParseArticle(m.Data)
			return err == nil && !a.Deleted && gone(a.ID)
		}},
		{Pages, &n.Pages, func(m *Message) bool {
			id, _, _ := strings.Cut(strings.TrimPrefix(m.ID, "p."), ".")
			return gone(id) || urls[m.Header.Get(HeaderURL)]
		}},
		{Alerts, &n.Alerts, func(m *Message) bool {
			a, err := news.ParseAlert(m.Data)
			return err == nil && gone(a.Article.ID)
		}},
		{Quarantine, &n.Quarantined, func(m *Message) bool { return urls[m.Header.Get(HeaderURL)] }},
	} {
		if *part.n, err = b.eraseFrom(ctx, part.stream, part.match); err != nil {
			return n, err
		}
	}
	if _, err := b.eraseKeys(ctx, KVParts, gone); err != nil {
		return n, err
	}
	n.Deliveries, err = b.eraseKeys(ctx, KVDeliveries, gone)
	return n, err
}

// doomed is an article that is to be erased.
type doomed struct {
	ID, URL, Source string
	revision        int64
	alive           bool // its newest revision is no tombstone
}

// findArticles returns the articles that e means, by ID.
func (b *Bus) findArticles(ctx context.Context, e Erasure) (map[string]*doomed, error) {
	found := make(map[string]*doomed)
	for _, id := range e.IDs {
		found[id] = &doomed{ID: id}
	}
	filter := ""
	if e.Source != "" {
		filter = SubjectArticles + Token(e.Source)
	}
	err := b.scan(ctx, Articles, filter, func(m *Message) error {
		a, err := news.ParseArticle(m.Data)
		if err != nil {
			return nil // the indexer has quarantined it
		}
		d := found[a.ID]
		switch {
		case len(e.IDs) > 0 && d == nil:
			return nil
		case d != nil && a.Revision < d.revision:
			return nil
		case len(e.IDs) == 0 && !a.Deleted && !e.Before.IsZero() && !timeOf(a).Before(e.Before):
			delete(found, a.ID) // its newest revision is to stay
			return nil
		case a.Deleted && d == nil:
			return nil // nothing older is to go
		case d == nil:
			d = &doomed{ID: a.ID}
			found[a.ID] = d
		}
		d.Source, d.revision, d.alive = a.Source, a.Revision, !a.Deleted
		if a.URL != "" {
			d.URL = a.URL
		}
		return nil
	})
	return found, err
}

// timeOf is the time by which an article is kept.
func timeOf(a *news.Article) time.Time {
	if a.Published.IsZero() {
		return a.Fetched
	}
	return a.Published
}

// bury publishes the tombstone of an article: nothing of it but its ID.
func (b *Bus) bury(ctx context.Context, d *doomed) error {
	now := time.Now().UTC()
	err := b.PublishArticle(ctx, &news.Article{
		ID: d.ID, Source: d.Source, Revision: max(d.revision+1, now.UnixMilli()), Deleted: true, Fetched: now, Extracted: now,
	})
	if err != nil {
		return fmt.Errorf("erase %s: %w", d.ID, err)
	}
	return nil
}

// eraseFrom overwrites the messages of a stream that match, and the objects
// they point to.
func (b *Bus) eraseFrom(ctx context.Context, name string, match func(*Message) bool) (int, error) {
	s, err := b.stream(ctx, name)
	if err != nil {
		return 0, err
	}
	n := 0
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(8)
	err = b.scan(gctx, name, "", func(m *Message) error {
		if !match(m) {
			return nil
		}
		n++
		g.Go(func() error {
			if bucket, object, ok := strings.Cut(m.Header.Get(HeaderClaim), "/"); ok && b.objects[bucket] != nil {
				if err := b.objects[bucket].Delete(gctx, object); err != nil && !errors.Is(err, jetstream.ErrObjectNotFound) {
					return fmt.Errorf("erase object %s: %w", object, err)
				}
			}
			if err := s.SecureDeleteMsg(gctx, m.Seq); err != nil && !errors.Is(err, jetstream.ErrMsgNotFound) && !errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) {
				return fmt.Errorf("erase message %d of %s: %w", m.Seq, name, err)
			}
			return nil
		})
		return nil
	})
	return n, errors.Join(err, g.Wait())
}

// eraseKeys forgets what a bucket holds of articles that are gone: deliveries,
// and further pages.
func (b *Bus) eraseKeys(ctx context.Context, bucket string, gone func(id string) bool) (int, error) {
	kv := b.kv[bucket]
	w, err := kv.WatchAll(ctx, jetstream.IgnoreDeletes())
	if err != nil {
		return 0, fmt.Errorf("bucket %s: %w", bucket, err)
	}
	defer func() { _ = w.Stop() }() // only reading
	n := 0
	for {
		select {
		case <-ctx.Done():
			return n, ctx.Err()
		case entry := <-w.Updates():
			if entry == nil {
				return n, nil
			}
			var record struct {
				Article string `json:"article"`
			}
			if json.Unmarshal(entry.Value(), &record) != nil || record.Article == "" || !gone(record.Article) {
				continue
			}
			if err := kv.Purge(ctx, entry.Key()); err != nil {
				return n, fmt.Errorf("erase %s of bucket %s: %w", entry.Key(), bucket, err)
			}
			n++
		}
	}
}

// scan calls f with the messages of a stream that exist now, in order.
func (b *Bus) scan(ctx context.Context, name, filter string, f func(*Message) error) error {
	return b.scanWith(ctx, name, jetstream.ConsumerConfig{FilterSubject: filter}, f)
}

// scanWith does as scan, with a consumer's filter and what it is to send of the
// messages.
func (b *Bus) scanWith(ctx context.Context, name string, c jetstream.ConsumerConfig, f func(*Message) error) error {
	s, err := b.stream(ctx, name)
	if err != nil {
		return err
	}
	last := s.CachedInfo().State.LastSeq
	c.DeliverPolicy, c.AckPolicy, c.MaxDeliver = jetstream.DeliverAllPolicy, jetstream.AckNonePolicy, 1
	c.InactiveThreshold, c.MemoryStorage, c.Replicas = readerIdle, true, 1
	cons, err := b.js.CreateConsumer(ctx, name, c)
	if err != nil {
		return fmt.Errorf("scan %s: %w", name, classify(name, err))
	}
	defer func() {
		dctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = b.js.DeleteConsumer(dctx, name, cons.CachedInfo().Name) // else it goes by its own idle limit
	}()
	if cons.CachedInfo().NumPending == 0 {
		return nil
	}
	it, err := cons.Messages(jetstream.PullMaxMessagesWithBytesLimit(500, 8<<20), jetstream.PullExpiry(pullExpiry),
		jetstream.PullHeartbeat(pullHeartbeat), jetstream.WithMessagesErrOnMissingHeartbeat(true))
	if err != nil {
		return fmt.Errorf("scan %s: %w", name, err)
	}
	defer it.Stop()
	for n := uint64(1); ; n++ {
		msg, err := it.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("scan %s: %w", name, err)
		}
		m, md, err := received(msg)
		if err != nil {
			return err
		}
		if md.Sequence.Consumer != n {
			return fmt.Errorf("scan %s: message %d is missing; try again", name, n)
		}
		if m.Seq <= last {
			if err := f(m); err != nil {
				return err
			}
		}
		if m.Seq >= last || md.NumPending == 0 {
			return nil
		}
	}
}

// erasedIDs are the articles that must not come back, kept up by a watch.
type erasedIDs struct {
	mu  sync.RWMutex
	ids map[string]struct{}
}

func (e *erasedIDs) has(id string) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	_, ok := e.ids[id]
	return ok
}

// watchErased loads the erased IDs and follows changes until Close.
func (b *Bus) watchErased(ctx context.Context) error {
	watching, cancel := context.WithCancel(context.WithoutCancel(ctx))
	w, err := b.kv[KVErased].WatchAll(watching, jetstream.IgnoreDeletes())
	if err != nil {
		cancel()
		return fmt.Errorf("bucket %s: %w", KVErased, err)
	}
	loaded := make(chan struct{})
	b.wg.Go(func() {
		defer cancel()
		defer func() { _ = w.Stop() }() // the connection may be gone
		for {
			select {
			case <-b.done:
				return
			case entry, ok := <-w.Updates():
				if !ok {
					return
				}
				if entry == nil {
					close(loaded)
					continue
				}
				b.erased.add(string(entry.Value()))
			}
		}
	})
	ctx, stop := context.WithTimeout(ctx, setupTimeout)
	defer stop()
	select {
	case <-loaded:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("bucket %s: %w", KVErased, ctx.Err())
	}
}

func (e *erasedIDs) add(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ids == nil {
		e.ids = make(map[string]struct{})
	}
	e.ids[id] = struct{}{}
}
