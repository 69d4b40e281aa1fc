package indexer

import (
	"context"
	"errors"
	"fmt"
	"os"

	"xinwen/indexer/bleve"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/bus"
)

// Suffixes of directories while a rebuild is under way.
const (
	newSuffix = ".new"
	oldSuffix = ".old"
)

// Rebuild implements search.Rebuilder. While a rebuild is under way it does
// nothing.
func (i *Indexer) Rebuild(context.Context) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.busy {
		return nil
	}
	i.busy = true
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
	path := i.current().Path()
	if err := os.RemoveAll(path + newSuffix); err != nil {
		return err
	}
	fresh, err := bleve.OpenAt(path+newSuffix, i.options)
	if err != nil {
		return err
	}
	i.log.Info("rebuild begins", "path", path)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// swapped is set by the reading goroutine's own calls only.
	swapped, err := i.swap(ctx, fresh, path)
	if err == nil && !swapped {
		err = i.read(ctx, 1, func(ctx context.Context, seq uint64, ops []bleve.Op) error {
			if err := fresh.Write(ctx, seq, ops); err != nil {
				return err
			}
			var err error
			if swapped, err = i.swap(ctx, fresh, path); swapped {
				cancel()
			}
			return err
		})
	}
	if !swapped {
		return errors.Join(err, ctx.Err(), fresh.Close(), os.RemoveAll(path+newSuffix))
	}
	if err != nil {
		return err
	}
	i.log.Info("rebuild is done", "path", path)
	return nil
}

// swap puts fresh in the place of the index in use if it is not behind that.
func (i *Indexer) swap(ctx context.Context, fresh *bleve.Index, path string) (bool, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	seq, err := fresh.AppliedSeq()
	if err != nil {
		return false, err
	}
	live, err := i.index.AppliedSeq()
	if err != nil || seq < live {
		return false, err
	}
	if err := fresh.Flush(ctx); err != nil {
		return false, err
	}
	// An open index cannot be moved. Searches wait for the moment.
	err = errors.Join(fresh.Close(), i.index.Close())
	if err == nil {
		err = exchange(path)
	}
	opened, oerr := bleve.Open(i.options)
	if oerr != nil {
		return false, errors.Join(err, fmt.Errorf("%w; start the indexer again", oerr))
	}
	i.index = opened
	return err == nil, err
}

// exchange puts the index built beside the one at path in its place.
func exchange(path string) error {
	if err := os.RemoveAll(path + oldSuffix); err != nil {
		return err
	}
	if err := os.Rename(path, path+oldSuffix); err != nil {
		return err
	}
	if err := os.Rename(path+newSuffix, path); err != nil {
		return errors.Join(err, os.Rename(path+oldSuffix, path))
	}
	return os.RemoveAll(path + oldSuffix)
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
	if last > st.AppliedSeq {
		st.Lag = last - st.AppliedSeq
	}
	return st, nil
}
