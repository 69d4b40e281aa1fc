package bleve

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	bleveindex "github.com/blevesearch/bleve_index_api"

	"xinwen/indexer/change"
	"xinwen/indexer/search"
	"xinwen/indexer/story"
	"xinwen/news"
)

// blockBits is how many low bits of a message's number its block leaves out.
const blockBits = 9

func blockTerm(seq uint64) string { return strconv.FormatUint(seq>>blockBits, 36) }

// tell finds the stories of the changes, in their order, and returns the
// documents of other articles whose story changes by that. The index is as it
// was before the batch.
func (x *Index) tell(ctx context.Context, r bleveindex.IndexReader, st *state, list []*change.Change) ([]*analysed, error) {
	if x.stories == nil {
		tracker, err := x.loadStories(ctx, r, st)
		if err != nil {
			return nil, err
		}
		x.stories = tracker
	}
	others := change.Tell(x.stories, list)
	st.StoryFloor = x.stories.Floor()
	moved := make([]*analysed, len(others))
	err := parallel(ctx, indexes(others), func(i int) error {
		a, err := x.move(r, others[i].Article, others[i].Story)
		moved[i] = a
		return err
	})
	return slices.DeleteFunc(moved, func(a *analysed) bool { return a == nil }), err
}

func indexes[T any](list []T) []int {
	n := make([]int, len(list))
	for i := range n {
		n[i] = i
	}
	return n
}

// move makes the document of an indexed article anew, in another story; nil if
// it is there already.
func (x *Index) move(r bleveindex.IndexReader, id, name string) (*analysed, error) {
	a, m, data, err := readArticle(r, id)
	if err != nil || a == nil || m.story == name {
		return nil, err
	}
	made := x.analyse(Op{Article: a, Data: data, Seq: m.seq, Time: time.UnixMilli(m.indexed)}, m.Rank)
	made.meta.tracked, made.meta.story = m.tracked, name
	return made, nil
}

// readArticle reads an article and its message; nil if there is none.
func readArticle(r bleveindex.IndexReader, id string) (*news.Article, meta, []byte, error) {
	stored, known, err := readStored(r, id)
	if err != nil || stored == nil {
		return nil, meta{}, nil, err
	}
	return decodeArticle(stored, known)
}

// decodeArticle reads an article and its message from their stored fields.
func decodeArticle(stored, known []byte) (*news.Article, meta, []byte, error) {
	data, err := unpack(stored)
	if err != nil {
		return nil, meta{}, nil, err
	}
	a, err := news.ParseArticle(data)
	if err != nil {
		return nil, meta{}, nil, err
	}
	m, err := decodeMeta(known)
	return a, m, data, err
}

// loadStories fills a tracker with the recent articles of the index.
func (x *Index) loadStories(ctx context.Context, r bleveindex.IndexReader, st *state) (*story.Tracker, error) {
	s, err := x.snapshotOf(r)
	if err != nil {
		return nil, err
	}
	var blocks []string
	for block := st.StoryFloor >> blockBits; block <= st.AppliedSeq>>blockBits; block++ {
		blocks = append(blocks, blockTerm(block<<blockBits))
	}
	type loaded struct {
		id    string
		seq   uint64
		item  *story.Item
		story string
	}
	var list []*loaded
	if err := s.ids(ctx, terms(fieldBlock, blocks...), func(id string) error {
		list = append(list, &loaded{id: id})
		return nil
	}); err != nil {
		return nil, err
	}
	err = parallel(ctx, list, func(l *loaded) error {
		a, m, _, err := readArticle(r, l.id)
		if err != nil || a == nil || m.seq <= st.StoryFloor {
			return err
		}
		if l.seq, l.story = m.seq, m.story; l.story == "" {
			l.story = l.id
		}
		l.item = story.Read(a, x.analyzer, x.analyzer.Words(a.Title), x.analyzer.Words(a.Text), m.seq, time.UnixMilli(m.indexed))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("recent articles: %w", err)
	}
	list = slices.DeleteFunc(list, func(l *loaded) bool { return l.item == nil })
	slices.SortFunc(list, func(a, b *loaded) int {
		if a.seq < b.seq {
			return -1
		}
		return 1
	})
	tracker := story.NewTracker(st.StoryFloor)
	for _, l := range list {
		tracker.Load(l.item, l.story)
	}
	return tracker, nil
}

var _ search.Storyteller = (*Index)(nil)

// storyDocs returns the articles of a story.
func storyDocs(id string) docs {
	// An article that is alone has no name of a story.
	alone := filtered{all: termDocs{"_id", id}, keep: func(g *segment, doc uint32) (bool, error) {
		names, err := g.column(fieldStory)
		return err == nil && names.name(doc) == "", err
	}}
	return newAnyOf(1, termDocs{fieldStory, id}, alone)
}

// ids calls visit with the IDs of some documents.
func (s *snapshot) ids(ctx context.Context, d docs, visit func(id string) error) error {
	for _, g := range s.segments {
		hits, err := d.in(ctx, g, g.live)
		if err != nil {
			return err
		}
		if err := each(ctx, hits, func(doc uint32) error {
			id, err := g.id(doc)
			if err != nil {
				return err
			}
			return visit(id)
		}); err != nil {
			return err
		}
	}
	return nil
}

// Story implements search.Storyteller.
func (x *Index) Story(ctx context.Context, id string) (*search.Story, error) {
	s, err := x.snapshot()
	if err != nil {
		return nil, err
	}
	defer s.close()
	st, err := s.story(ctx, id)
	if err != nil || len(st.Articles) > 0 {
		return st, err
	}
	// A story that has become part of another one is found by its first article.
	_, m, _, err := readArticle(s.r, id)
	if err != nil {
		return nil, err
	}
	if m.story == "" || m.story == id {
		return nil, search.ErrNotFound
	}
	return s.story(ctx, m.story)
}

func (s *snapshot) story(ctx context.Context, id string) (*search.Story, error) {
	st := &search.Story{ID: id, AppliedSeq: s.state.AppliedSeq}
	var articles []*news.Article
	if err := s.ids(ctx, storyDocs(id), func(name string) error {
		a, _, _, err := readArticle(s.r, name)
		if a != nil {
			articles = append(articles, a)
		}
		return err
	}); err != nil {
		return nil, fmt.Errorf("story: %w", err)
	}
	st.Tell(articles)
	return st, nil
}
