package bleve

import (
	"context"
	"errors"
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
	s := &snapshot{r: r, state: *st}
	defer s.closeReaders()
	var parts []docs
	for block := st.StoryFloor >> blockBits; block <= st.AppliedSeq>>blockBits; block++ {
		d, err := s.term(fieldBlock, blockTerm(block<<blockBits))
		if err != nil {
			return nil, err
		}
		parts = append(parts, d)
	}
	type loaded struct {
		id    string
		seq   uint64
		item  *story.Item
		story string
	}
	var list []*loaded
	d := newAnyOf(1, parts...)
	for doc, err := d.seek(0); doc != done || err != nil; doc, err = d.seek(doc + 1) {
		if err != nil {
			return nil, err
		}
		id, err := r.ExternalID(bleveindex.NewIndexInternalID(nil, doc))
		if err != nil {
			return nil, err
		}
		list = append(list, &loaded{id: id})
	}
	err := parallel(ctx, list, func(l *loaded) error {
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
func (s *snapshot) storyDocs(id string) (docs, error) {
	named, err := s.term(fieldStory, id)
	if err != nil {
		return nil, err
	}
	// An article that is alone has no name of a story.
	own, err := s.term("_id", id)
	if err != nil {
		return nil, err
	}
	live, err := s.live()
	if err != nil {
		return nil, err
	}
	names, err := s.storyNames()
	if err != nil {
		return nil, err
	}
	first := filtered{in: allOf{own, live}, keep: func(doc uint64) (bool, error) {
		name, err := names.of(doc)
		return name == "", err
	}}
	return newAnyOf(1, named, first), nil
}

// storyNames reads the doc values of fieldStory.
type storyNames struct {
	r    bleveindex.DocValueReader
	id   bleveindex.IndexInternalID
	name string
}

func (s *snapshot) storyNames() (*storyNames, error) {
	r, err := s.r.DocValueReader([]string{fieldStory})
	if err != nil {
		return nil, err
	}
	return &storyNames{r: r}, nil
}

// of returns the story of a document, "" if it is alone.
func (n *storyNames) of(doc uint64) (string, error) {
	n.id, n.name = bleveindex.NewIndexInternalID(n.id, doc), ""
	err := n.r.VisitDocValues(n.id, func(_ string, term []byte) { n.name = string(term) })
	return n.name, err
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
	d, err := s.storyDocs(id)
	if err != nil {
		return nil, fmt.Errorf("story: %w", err)
	}
	st := &search.Story{ID: id, AppliedSeq: s.state.AppliedSeq}
	var articles []*news.Article
	for doc, err := d.seek(0); doc != done || err != nil; doc, err = d.seek(doc + 1) {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, fmt.Errorf("story: %w", err)
		}
		name, err := s.r.ExternalID(bleveindex.NewIndexInternalID(nil, doc))
		if err != nil {
			return nil, fmt.Errorf("story: %w", err)
		}
		a, _, _, err := readArticle(s.r, name)
		if err != nil {
			return nil, fmt.Errorf("story: %w", err)
		}
		if a != nil {
			articles = append(articles, a)
		}
	}
	st.Tell(articles)
	return st, nil
}
