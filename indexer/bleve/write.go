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
	// Data is the message as it came.
	Data []byte
	// Time is when the stream took it.
	Time time.Time
}

// Write applies ops and notes that the index now includes ARTICLES up to seq.
// Both are in the index, or neither is, whatever happens. An op takes effect
// only if it is newer than what the index holds of its article; ops may come
// in any order and more than once. Write returns when searches see them, which
// may be before they are on disk.
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
		release(nil)
		return fmt.Errorf("index %s: %w", x.path, err)
	}
	batch.SetPersistedCallback(release)
	if err := x.applyLocked(batch); err != nil {
		release(nil)
		return err
	}
	return nil
}

// change is what an op does to the index.
type change struct {
	op   Op
	rank rank
	old  *meta // of the article in the index, nil if there is none
	doc  *document
	meta meta
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

	// Of the ops on one article only the newest counts.
	newest := make(map[string]*change)
	for _, op := range ops {
		c := &change{op: op, rank: rankOf(op)}
		if other := newest[op.Article.ID]; other == nil || c.rank.newer(other.rank) {
			newest[op.Article.ID] = c
		}
	}
	for id, c := range newest {
		c.old, err = readMeta(r, id)
		if err != nil {
			return nil, err
		}
		if c.old != nil && !c.rank.newer(c.old.rank) {
			delete(newest, id)
		}
	}

	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(workers())
	for _, c := range newest {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			c.doc, c.meta = x.document(c.op, c.rank)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
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
		if !c.meta.deleted {
			st.Docs++
			for i, f := range scored {
				st.Tokens[f] += c.meta.tokens[i]
			}
		}
		b.Update(c.doc)
	}
	st.AppliedSeq = max(st.AppliedSeq, seq)
	data, err := json.Marshal(st)
	if err != nil {
		return nil, err
	}
	b.SetInternal(stateKey, data)
	return b, nil
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
