package indexer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"xinwen/indexer/change"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/bus"
)

// Rebuild implements search.Rebuilder. While a rebuild is under way it does
// nothing, nor where another indexer writes to the index.
func (i *Indexer) Rebuild(context.Context) error {
	if !i.engine.follows() {
		return nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.busy {
		return nil
	}
	i.busy, i.rebuilt = true, 0
	i.rebuild <- struct{}{}
	return nil
}

// rebuilds does the rebuilds that are asked for.
func (i *Indexer) rebuilds(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-i.rebuild:
		}
		err := i.rebuildOnce(ctx)
		i.mu.Lock()
		i.busy = false
		i.mu.Unlock()
		if err != nil && ctx.Err() == nil {
			i.log.Error("rebuild failed: the old index stays in use", "err", err)
		}
	}
}

// rebuildOnce builds an index beside the one in use and takes its place when
// it has come as far.
func (i *Indexer) rebuildOnce(ctx context.Context) error {
	fresh, err := i.engine.next(ctx)
	if err != nil {
		return err
	}
	i.log.Info("rebuild begins", "path", fresh.Path())
	reading, cancel := context.WithCancel(ctx)
	defer cancel()
	// swapped is set by the reading goroutine's own calls only.
	swapped, err := i.swap(ctx, fresh)
	if err == nil && !swapped {
		err = i.read(reading, 1, func(ctx context.Context, seq uint64, ops []change.Op) error {
			if err := fresh.Write(ctx, seq, ops); err != nil {
				return err
			}
			var err error
			if swapped, err = i.swap(ctx, fresh); swapped {
				cancel()
			}
			return err
		})
	}
	if !swapped {
		dropping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		return errors.Join(err, ctx.Err(), i.engine.drop(dropping, fresh))
	}
	if err != nil {
		return err
	}
	i.log.Info("rebuild is done", "path", i.current().Path())
	return nil
}

// swap puts fresh in the place of the index in use if it is not behind that.
// Searches wait for the moment.
func (i *Indexer) swap(ctx context.Context, fresh index) (bool, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	seq, err := fresh.AppliedSeq(ctx)
	if err != nil {
		return false, err
	}
	i.rebuilt = seq
	live, err := i.index.AppliedSeq(ctx)
	if err != nil || seq < live {
		return false, err
	}
	if err := fresh.Flush(ctx); err != nil {
		return false, err
	}
	opened, err := i.engine.replace(ctx, i.index, fresh)
	if opened != nil {
		i.index = opened
	}
	return err == nil, err
}

// Searcher returns what answers searches. It is also a search.Counter, a
// search.Storyteller, a search.Resembler and a search.Rebuilder.
func (i *Indexer) Searcher() search.Searcher { return i }

var (
	_ search.Searcher    = (*Indexer)(nil)
	_ search.Counter     = (*Indexer)(nil)
	_ search.Storyteller = (*Indexer)(nil)
	_ search.Resembler   = (*Indexer)(nil)
	_ search.Rebuilder   = (*Indexer)(nil)
)

// Search implements search.Searcher.
func (i *Indexer) Search(ctx context.Context, r search.Request) (*search.Result, error) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	res, err := i.index.Search(ctx, r)
	if err == nil {
		i.metrics.searched(res.TookMS)
	}
	return res, err
}

// Count implements search.Counter.
func (i *Indexer) Count(ctx context.Context, r search.CountRequest) (*search.Counts, error) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.index.Count(ctx, r)
}

// Story implements search.Storyteller.
func (i *Indexer) Story(ctx context.Context, id string) (*search.Story, error) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.index.Story(ctx, id)
}

// Similar implements search.Resembler.
func (i *Indexer) Similar(ctx context.Context, r search.SimilarRequest) (*search.Result, error) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.index.Similar(ctx, r)
}

// Article implements search.Searcher.
func (i *Indexer) Article(ctx context.Context, id string) (*news.Article, error) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.index.Article(ctx, id)
}

// Status implements search.Searcher.
func (i *Indexer) Status(ctx context.Context) (search.Status, error) {
	last, err := i.bus.LastSeq(ctx, bus.Articles)
	if err != nil {
		return search.Status{}, fmt.Errorf("%w: %w", search.ErrUnavailable, err)
	}
	i.mu.RLock()
	defer i.mu.RUnlock()
	st, err := i.index.Status(ctx)
	if err != nil {
		return search.Status{}, err
	}
	st.LastSeq, st.Rebuilding = last, i.busy
	if i.busy {
		st.RebuiltSeq = i.rebuilt
	}
	if last > st.AppliedSeq {
		st.Lag = last - st.AppliedSeq
	}
	return st, nil
}
