package bleve

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"time"

	bleveindex "github.com/blevesearch/bleve_index_api"
	"golang.org/x/sync/errgroup"

	"xinwen/indexer/change"
)

// Op is one message of ARTICLES.
type Op = change.Op

// Write applies ops and notes that the index now includes ARTICLES up to seq.
// Both are in the index, or neither is, whatever happens. An op takes effect
// only if it is newer than what the index holds of its article; ops may come
// in any order and more than once, but for stories, which depend on the order
// in which articles first come. Write returns when searches see them, which may
// be before they are on disk.
func (x *Index) Write(ctx context.Context, seq uint64, ops []Op) error {
	if err := x.room(ctx); err != nil {
		return err
	}
	release := func(error) { <-x.unpersisted }

	x.writing.Lock()
	defer x.writing.Unlock()
	batch, err := x.batch(ctx, seq, ops)
	if err != nil {
		x.stories = nil // it may be ahead of the index: fill it again
		release(nil)
		return fmt.Errorf("index %s: %w", x.path, err)
	}
	batch.SetPersistedCallback(func(err error) {
		x.reached("index batch", "persisted")
		x.fault.Store(nil)
		release(err)
	})
	x.reached("index batch", "before write")
	if err := x.applyLocked(batch); err != nil {
		x.stories = nil
		release(nil)
		return err
	}
	x.reached("index batch", "after write")
	return nil
}

func (x *Index) batch(ctx context.Context, seq uint64, ops []Op) (*bleveindex.Batch, error) {
	r, err := x.reader()
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it only reads
	st, err := readState(r)
	if err != nil {
		return nil, err
	}
	old := make(map[string]*meta)
	list, err := change.List(seq, ops, func(id string) (*change.Known, error) {
		m, err := readMeta(r, id)
		if err != nil || m == nil {
			return nil, err
		}
		old[id] = m
		return &change.Known{Rank: m.Rank, Story: m.story}, nil
	})
	if err != nil {
		return nil, err
	}
	made := make([]*analysed, len(list))
	if err := parallel(ctx, indexes(list), func(i int) error {
		made[i] = x.analyse(list[i].Op, list[i].Rank)
		list[i].Item = made[i].item
		return nil
	}); err != nil {
		return nil, err
	}
	moved, err := x.tell(ctx, r, &st, list)
	if err != nil {
		return nil, err
	}

	b := bleveindex.NewBatch()
	st.Tokens = maps.Clone(st.Tokens)
	for i, c := range list {
		if !c.Last {
			continue
		}
		if m := old[c.Article.ID]; m != nil && !m.Deleted {
			st.Docs--
			for i, f := range scored {
				st.Tokens[f] -= m.tokens[i]
			}
		}
		a := made[i]
		if !c.Article.Deleted {
			st.Docs++
			for i, f := range scored {
				st.Tokens[f] += a.meta.tokens[i]
			}
		}
		a.meta.story, a.meta.tracked = c.Story, c.Tracked
		b.Update(a.finish())
	}
	for _, a := range moved {
		b.Update(a.finish())
	}
	st.AppliedSeq = max(st.AppliedSeq, seq)
	data, err := json.Marshal(st)
	if err != nil {
		return nil, err
	}
	b.SetInternal(stateKey, data)
	return b, nil
}

// parallel calls f for each of list, as many at a time as there are workers.
func parallel[T any](ctx context.Context, list []T, f func(T) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers())
	for _, x := range list {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return f(x)
		})
	}
	return g.Wait()
}

// readMeta returns what the index knows of an article, nil if nothing.
func readMeta(r bleveindex.IndexReader, id string) (*meta, error) {
	_, data, err := readStored(r, id)
	if err != nil || data == nil {
		return nil, err
	}
	m, err := decodeMeta(data)
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// readStored returns the stored fields of an article, nil where there is none.
func readStored(r bleveindex.IndexReader, id string) (article, meta []byte, err error) {
	doc, err := r.Document(id)
	if err != nil || doc == nil {
		return nil, nil, err
	}
	doc.VisitFields(func(f bleveindex.Field) {
		switch f.Name() {
		case fieldArticle:
			article = f.Value()
		case fieldMeta:
			meta = f.Value()
		}
	})
	return article, meta, nil
}

// stored is readStored of a document that is known to be there.
func (g *segment) stored(doc uint32) (article, meta []byte, err error) {
	err = g.VisitStoredFields(uint64(doc), func(field string, _ byte, value []byte, _ []uint64) bool {
		switch field {
		case fieldArticle:
			article = bytes.Clone(value)
		case fieldMeta:
			meta = bytes.Clone(value)
		}
		return true
	})
	return article, meta, err
}

// ErrStuck says that the index writes nothing to the disk any more, though it
// may be able to when it is opened anew.
var ErrStuck = errors.New("the index has stopped writing after a fault of the disk")

// stuckAfter is how long after a fault nothing was written, nor failed to be.
const stuckAfter = 20 * time.Second

// room waits until the disk has one of the batches that are in memory only. After
// a fault scorch tries again, but there are faults of which its persister ends
// without a word.
func (x *Index) room(ctx context.Context) error {
	look := time.NewTicker(stuckAfter / 4)
	defer look.Stop()
	for {
		select {
		case x.unpersisted <- struct{}{}:
			return nil
		case <-look.C:
			if at := x.fault.Load(); at != nil && time.Since(*at) > stuckAfter {
				return fmt.Errorf("index %s: %w", x.path, ErrStuck)
			}
		case <-x.closing:
			return x.errClosed()
		case <-ctx.Done():
			return fmt.Errorf("index %s: waiting for the disk: %w", x.path, ctx.Err())
		}
	}
}
