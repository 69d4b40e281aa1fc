package opensearch

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"xinwen/indexer/change"
	"xinwen/indexer/query"
	"xinwen/indexer/story"
	"xinwen/news"
)

// ErrOtherWriter says that another indexer has written to the index meanwhile.
var ErrOtherWriter = errors.New("another indexer writes to this index")

// Write applies ops and notes that the index now includes ARTICLES up to seq.
// That is noted last, so what a crash interrupts is applied again, with the same
// outcome but for the names of stories that a revision in it has changed. An op
// takes effect only if it is newer than what the index holds of its article.
// Write returns when the cluster has everything on disk and searches see it.
func (x *Index) Write(ctx context.Context, seq uint64, ops []change.Op) error {
	if x.config.ReadOnly {
		return fmt.Errorf("index %s: this indexer is read_only", x.Path())
	}
	x.writing.Lock()
	defer x.writing.Unlock()
	if err := x.write(ctx, seq, ops); err != nil {
		x.stories = nil // it may be ahead of the index: fill it again
		return fmt.Errorf("index %s: %w", x.Path(), err)
	}
	return x.prune(ctx)
}

func (x *Index) write(ctx context.Context, seq uint64, ops []change.Op) error {
	st, version, err := x.state(ctx)
	if err != nil {
		return err
	}
	if x.stories != nil && version != x.version {
		return fmt.Errorf("%w; set read_only for all but one", ErrOtherWriter)
	}
	if x.stories == nil {
		if x.stories, err = x.loadStories(ctx, st); err != nil {
			return err
		}
	}
	ops = slices.DeleteFunc(slices.Clone(ops), func(op change.Op) bool { return !op.Article.Deleted && x.outlived(op.Article.Time()) })
	ids := make([]string, 0, len(ops))
	for _, op := range ops {
		ids = append(ids, op.Article.ID)
	}
	has, err := x.stored(ctx, ids, false)
	if err != nil {
		return err
	}
	list, err := change.List(seq, ops, func(id string) (*change.Known, error) { return has[docID(id)].known(st), nil })
	if err != nil {
		return err
	}
	docs := make([]*document, len(list))
	if err := parallel(ctx, len(list), func(i int) error {
		docs[i] = x.analyse(list[i].Op, list[i].Rank)
		list[i].Item = docs[i].item
		return nil
	}); err != nil {
		return err
	}
	moves := change.Tell(x.stories, list)
	var b bulk
	for i, c := range list {
		if !c.Last {
			continue
		}
		d := docs[i]
		d.meta.Story, d.meta.Tracked = c.Story, c.Tracked
		d.finish(c.Article.ID)
		index := x.Path() + "-" + d.month
		if old := has[d.id]; old != nil && old.index != index {
			if d.meta.Deleted {
				index = old.index
			} else {
				b.remove(old.index, d)
			}
		}
		if err := b.put(index, d); err != nil {
			return err
		}
	}
	if err := x.move(ctx, &b, moves); err != nil {
		return err
	}
	for _, month := range b.months(x.Path()) {
		if err := x.ensure(ctx, month); err != nil {
			return err
		}
	}
	if err := x.send(ctx, &b); err != nil {
		return err
	}
	if b.count > 0 {
		if err := x.refresh(ctx); err != nil {
			return err
		}
	}
	st.AppliedSeq, st.StoryFloor = max(st.AppliedSeq, seq), x.stories.Floor()
	var done struct {
		Seq  int64 `json:"_seq_no"`
		Term int64 `json:"_primary_term"`
	}
	path := fmt.Sprintf("/%s/_doc/%s?if_seq_no=%d&if_primary_term=%d", x.stateIndex(), escapePath(x.Path()), version.seq, version.term)
	if err := x.client.ask(ctx, http.MethodPut, path, st, &done); err != nil {
		if isStatus(err, http.StatusConflict) {
			return fmt.Errorf("%w; set read_only for all but one", ErrOtherWriter)
		}
		return err
	}
	x.version = stateVersion{done.Seq, done.Term}
	return nil
}

// stored is an article in the index.
type stored struct {
	index   string
	meta    meta
	article string // the message, if asked for
}

// known returns what is told of s to find out which ops take effect. What has
// come after the state was written is of a batch that a crash interrupted: that
// is read again and must take effect again.
func (s *stored) known(st state) *change.Known {
	switch {
	case s == nil:
		return nil
	case s.meta.Seq <= st.AppliedSeq:
		return &change.Known{Rank: s.meta.rank(), Story: s.meta.Story}
	case s.meta.Deleted || s.meta.Tracked || s.meta.Story == "":
		return nil
	}
	// It was a revision of an article of long ago, whose story stays.
	return &change.Known{Rank: change.Rank{Revision: -1 << 63}, Story: s.meta.Story}
}

// parse returns the article.
func (s *stored) parse() (*news.Article, error) {
	a, err := news.ParseArticle([]byte(s.article))
	if err != nil {
		return nil, fmt.Errorf("article in the index: %w; rebuild the index", err)
	}
	return a, nil
}

// source is what is read of a document.
type source struct {
	Meta    meta   `json:"meta"`
	Article string `json:"article"`
}

// readMany is how many documents are read with one request.
const readMany = 500

// stored reads articles by ID, tombstones too. The result is by docID.
func (x *Index) stored(ctx context.Context, ids []string, whole bool) (map[string]*stored, error) {
	found := make(map[string]*stored, len(ids))
	fields := []string{fieldMeta}
	if whole {
		fields = append(fields, fieldArticle)
	}
	for some := range slices.Chunk(ids, readMany) {
		values := make([]string, len(some))
		for i, id := range some {
			values[i] = docID(id)
		}
		res, err := x.search(ctx, object{
			"query": object{"ids": object{"values": values}}, "size": len(values), "_source": fields, "track_total_hits": false,
		})
		if err != nil {
			return nil, err
		}
		for _, h := range res.Hits.Hits {
			// One that changes its month is in two indexes for a moment.
			if old := found[h.ID]; old == nil || h.Source.Meta.rank().Newer(old.meta.rank()) {
				found[h.ID] = &stored{index: h.Index, meta: h.Source.Meta, article: h.Source.Article}
			}
		}
	}
	return found, nil
}

// move adds to b the documents of indexed articles that come into another story.
func (x *Index) move(ctx context.Context, b *bulk, moves []change.Move) error {
	ids := make([]string, len(moves))
	for i, m := range moves {
		ids[i] = m.Article
	}
	has, err := x.stored(ctx, ids, true)
	if err != nil {
		return err
	}
	for _, m := range moves {
		s := has[docID(m.Article)]
		if s == nil || s.meta.Deleted || s.meta.Story == m.Story {
			continue
		}
		a, err := s.parse()
		if err != nil {
			return err
		}
		op := change.Op{Article: a, Data: []byte(s.article), Seq: s.meta.Seq, Time: time.UnixMilli(s.meta.Indexed)}
		d := x.analyse(op, s.meta.rank())
		d.meta.Tracked, d.meta.Story = s.meta.Tracked, m.Story
		d.finish(a.ID)
		if err := b.put(s.index, d); err != nil {
			return err
		}
	}
	return nil
}

// maxBulk is the size in bytes of a bulk request, with one document above it.
const maxBulk = 16 << 20

// bulk collects documents to write.
type bulk struct {
	parts  []*bytes.Buffer
	counts []int
	names  []string
	count  int
}

func (b *bulk) add(index string, action object, doc any) error {
	if !slices.Contains(b.names, index) {
		b.names = append(b.names, index)
	}
	if n := len(b.parts); n == 0 || b.parts[n-1].Len() >= maxBulk {
		b.parts, b.counts = append(b.parts, new(bytes.Buffer)), append(b.counts, 0)
	}
	enc := json.NewEncoder(b.parts[len(b.parts)-1])
	enc.SetEscapeHTML(false)
	b.counts[len(b.counts)-1]++
	b.count++
	err := enc.Encode(action)
	if doc != nil {
		err = errors.Join(err, enc.Encode(doc))
	}
	return err
}

// put writes a document unless the index has a newer one.
func (b *bulk) put(index string, d *document) error {
	return b.add(index, object{"index": versioned(index, d)}, d.fields)
}

// remove removes a document that an article had in another index.
func (b *bulk) remove(index string, d *document) {
	_ = b.add(index, object{"delete": versioned(index, d)}, nil) // of strings and numbers
}

// versioned names a document and its version. One that is as new takes the
// place of the other: it may be of another story.
func versioned(index string, d *document) object {
	return object{"_index": index, "_id": d.id, "version": max(d.meta.Revision, 0), "version_type": "external_gte"}
}

// months returns what follows the name of the generation in the indexes of b.
func (b *bulk) months(name string) []string {
	var list []string
	for _, n := range b.names {
		list = append(list, n[len(name)+1:])
	}
	return list
}

// retryFor is how long documents are sent again that the cluster has no room for
// at the moment.
const retryFor = time.Minute

// send writes b; it returns when all of it is on the disks of all copies.
func (x *Index) send(ctx context.Context, b *bulk) error {
	for i, part := range b.parts {
		lines := part.Bytes()
		for wait, since := 100*time.Millisecond, time.Now(); ; wait = min(2*wait, 5*time.Second) {
			var err error
			lines, err = x.sendPart(ctx, lines)
			if err == nil && len(lines) == 0 {
				break
			}
			if err != nil && !isStatus(err, http.StatusTooManyRequests) || time.Since(since) > retryFor {
				return cmp.Or(err, fmt.Errorf("%d documents were refused for %s: the cluster is overloaded", b.counts[i], retryFor))
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(wait):
			}
		}
	}
	return nil
}

// sendPart sends lines and returns those of documents to be sent again.
func (x *Index) sendPart(ctx context.Context, lines []byte) (again []byte, err error) {
	var res struct {
		Errors bool
		Items  []map[string]struct {
			Status int
			ID     string `json:"_id"`
			Error  struct{ Type, Reason string }
		}
	}
	if err := x.client.ask(ctx, http.MethodPost, "/_bulk", lines, &res); err != nil {
		if isStatus(err, http.StatusTooManyRequests) {
			return lines, err
		}
		return nil, err
	}
	if !res.Errors {
		return nil, nil
	}
	rest := slices.Collect(bytes.Lines(lines))
	var retry bytes.Buffer
	for _, item := range res.Items {
		for action, r := range item {
			n := 2
			if action == "delete" {
				n = 1
			}
			entry := rest[:n]
			rest = rest[n:]
			switch {
			case r.Status < 300:
			case r.Status == http.StatusConflict: // there is a newer one
			case r.Status == http.StatusNotFound && action == "delete":
			case r.Status == http.StatusTooManyRequests, r.Status == http.StatusServiceUnavailable:
				for _, line := range entry {
					retry.Write(line)
				}
			default:
				e := &Error{Status: r.Status, Type: r.Error.Type, Reason: fmt.Sprintf("document %s: %s", r.ID, r.Error.Reason)}
				e.hint = hint(e)
				return nil, e
			}
		}
	}
	return retry.Bytes(), nil
}

// parallel calls f for 0 to n-1, as many at a time as there are CPUs.
func parallel(ctx context.Context, n int, f func(int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		g.Go(func() (err error) {
			defer func() { // a panic here would end the process
				if p := recover(); p != nil {
					err = fmt.Errorf("panic: %v", p)
				}
			}()
			if err := ctx.Err(); err != nil {
				return err
			}
			return f(i)
		})
	}
	return g.Wait()
}

// loadStories fills a tracker with the recent articles of the index.
func (x *Index) loadStories(ctx context.Context, st state) (*story.Tracker, error) {
	_, version, err := x.state(ctx)
	if err != nil {
		return nil, err
	}
	x.version = version
	t := story.NewTracker(st.StoryFloor)
	body := object{
		"query": object{"bool": object{"filter": []object{
			{"term": object{fieldTracked: true}},
			{"range": object{fieldSeq: object{"gt": st.StoryFloor, "lte": st.AppliedSeq}}},
		}}},
		"sort": []object{{fieldSeq: "asc"}, {fieldKey: "asc"}}, "size": readMany,
		"_source": []string{fieldMeta, fieldArticle}, "track_total_hits": false,
	}
	for {
		res, err := x.search(ctx, body)
		if err != nil {
			return nil, fmt.Errorf("recent articles: %w", err)
		}
		hits := res.Hits.Hits
		items := make([]*story.Item, len(hits))
		names := make([]string, len(hits))
		if err := parallel(ctx, len(hits), func(i int) error {
			s := stored{article: hits[i].Source.Article}
			a, err := s.parse()
			if err != nil {
				return err
			}
			m := hits[i].Source.Meta
			items[i] = story.Read(a, x.analyzer, x.analyzer.Words(a.Title), x.analyzer.Words(a.Text), m.Seq, time.UnixMilli(m.Indexed))
			names[i] = cmp.Or(m.Story, a.ID)
			return nil
		}); err != nil {
			return nil, fmt.Errorf("recent articles: %w", err)
		}
		for i, item := range items {
			t.Load(item, names[i])
		}
		if len(hits) < readMany {
			return t, nil
		}
		body["search_after"] = hits[len(hits)-1].Sort
	}
}

// pruneEvery is how often articles that are too old are looked for.
const pruneEvery = time.Hour

// outlived says that an article of a time is too old to be kept.
func (x *Index) outlived(t time.Time) bool {
	return x.config.KeepDays > 0 && !t.IsZero() && t.Before(x.oldest())
}

func (x *Index) oldest() time.Time { return time.Now().AddDate(0, 0, -x.config.KeepDays) }

// prune removes the articles that are too old to be kept; whole months at once
// where each has an index.
func (x *Index) prune(ctx context.Context) error {
	if x.config.KeepDays == 0 || time.Since(x.pruned) < pruneEvery {
		return nil
	}
	x.pruned = time.Now()
	before := x.oldest()
	if x.config.Monthly {
		list, err := x.list(ctx, x.pattern())
		if err != nil {
			return err
		}
		for _, name := range list {
			month, err := time.Parse("2006.01", name[len(x.Path())+1:])
			if err != nil || month.AddDate(0, 1, 0).After(before) {
				continue
			}
			if err := x.client.ask(ctx, http.MethodDelete, "/"+name, nil, nil); err != nil && !isStatus(err, http.StatusNotFound) {
				return err
			}
			delete(x.indexes, name)
			x.log.Info("removed a month that is too old", "index", name)
		}
		return nil
	}
	return x.removeBefore(ctx, before)
}

// removeBefore removes the articles before a time.
func (x *Index) removeBefore(ctx context.Context, before time.Time) error {
	body := object{
		"query": object{"range": object{query.FieldPublished: object{"lt": micros(before)}}},
		"size":  readMany, "_source": false, "track_total_hits": false,
	}
	for removed := 0; ; {
		res, err := x.search(ctx, body)
		if err != nil {
			return err
		}
		var b bulk
		for _, h := range res.Hits.Hits {
			if err := b.add(h.Index, object{"delete": object{"_index": h.Index, "_id": h.ID}}, nil); err != nil {
				return err
			}
		}
		if err := x.send(ctx, &b); err != nil {
			return err
		}
		removed += len(res.Hits.Hits)
		if len(res.Hits.Hits) > 0 {
			err = x.refresh(ctx)
		}
		if err != nil || len(res.Hits.Hits) < readMany {
			if removed > 0 {
				x.log.Info("removed articles that are too old", "index", x.Path(), "articles", removed)
			}
			return err
		}
	}
}
