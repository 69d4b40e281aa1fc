package bleve

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	bleveindex "github.com/blevesearch/bleve_index_api"
	"golang.org/x/sync/errgroup"

	"xinwen/news"
)

// Op is one message of ARTICLES: an article or, with Deleted set, its
// tombstone.
type Op struct {
	Article *news.Article
	// Data is the message as it came, Seq its number in the stream; 0 means that
	// of the batch.
	Data []byte
	Seq  uint64
	// Time is when the stream took it.
	Time time.Time
}

// Write applies ops and notes that the index now includes ARTICLES up to seq.
// Both are in the index, or neither is, whatever happens. An op takes effect
// only if it is newer than what the index holds of its article; ops may come
// in any order and more than once, but for stories, which depend on the order
// in which articles first come. Write returns when searches see them, which may
// be before they are on disk.
func (x *Index) Write(ctx context.Context, seq uint64, ops []Op) error {
	select {
	case x.unpersisted <- struct{}{}:
	case <-x.closing:
		return x.errClosed()
	case <-ctx.Done():
		return fmt.Errorf("index %s: waiting for the disk: %w", x.path, ctx.Err())
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
	batch.SetPersistedCallback(release)
	if err := x.applyLocked(batch); err != nil {
		x.stories = nil
		release(nil)
		return err
	}
	return nil
}

// change is what an op does to the index.
type change struct {
	op   Op
	rank rank
	old  *meta   // of what the index has, nil if it has nothing
	last *change // of the same article in this batch
	*analysed
}

// replaces says whether there is a version of the article before c, and that
// one's story as the index knows it.
func (c *change) replaces() (story string, ok bool) {
	switch {
	case c.last != nil:
		return c.last.meta.story, !c.last.op.Article.Deleted
	case c.old != nil:
		return c.old.story, !c.old.deleted
	}
	return "", false
}

// changes returns those ops that take effect, in their order.
func changes(r bleveindex.IndexReader, seq uint64, ops []Op) ([]*change, error) {
	type known struct {
		meta *meta
		last *change
	}
	articles := make(map[string]*known)
	var list []*change
	for _, op := range ops {
		if op.Seq == 0 {
			op.Seq = seq
		}
		a := articles[op.Article.ID]
		if a == nil {
			m, err := readMeta(r, op.Article.ID)
			if err != nil {
				return nil, err
			}
			a = &known{meta: m}
			articles[op.Article.ID] = a
		}
		c := &change{op: op, rank: rankOf(op), old: a.meta, last: a.last}
		if a.last != nil && !c.rank.newer(a.last.rank) || a.last == nil && a.meta != nil && !c.rank.newer(a.meta.rank) {
			continue
		}
		a.last = c
		list = append(list, c)
	}
	return list, nil
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
	list, err := changes(r, seq, ops)
	if err != nil {
		return nil, err
	}
	if err := parallel(ctx, list, func(c *change) error {
		c.analysed = x.analyse(c.op, c.rank)
		return nil
	}); err != nil {
		return nil, err
	}
	newest := make(map[string]*change, len(list))
	for _, c := range list {
		newest[c.op.Article.ID] = c
	}
	moved, err := x.tell(ctx, r, &st, list, newest)
	if err != nil {
		return nil, err
	}

	b := bleveindex.NewBatch()
	st.Tokens = maps.Clone(st.Tokens)
	for _, c := range newest {
		if c.old != nil && !c.old.deleted {
			st.Docs--
			for i, f := range scored {
				st.Tokens[f] -= c.old.tokens[i]
			}
		}
		if !c.op.Article.Deleted {
			st.Docs++
			for i, f := range scored {
				st.Tokens[f] += c.meta.tokens[i]
			}
		}
		b.Update(c.finish())
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

func rankOf(op Op) rank {
	sum := sha256.Sum256(op.Data)
	return rank{
		revision: op.Article.Revision,
		deleted:  op.Article.Deleted,
		hash:     binary.BigEndian.Uint64(sum[:]),
	}
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
