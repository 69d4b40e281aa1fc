// Package change says what messages of ARTICLES change in an index, for any
// engine: which of them take effect, and how the stories of their articles and
// of others change by that.
//
// The outcome hangs on the articles alone, not on the order in which messages
// come or how often; but for stories, which depend on the order in which
// articles first come.
package change

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"strings"
	"time"

	"xinwen/indexer/story"
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

// Rank orders the messages about one article.
type Rank struct {
	Revision int64
	Deleted  bool
	// Hash is of the message. It decides between two of the same revision, so
	// that the outcome does not hang on which came first.
	Hash uint64
}

// RankOf returns the rank of a message.
func RankOf(op Op) Rank {
	sum := sha256.Sum256(op.Data)
	return Rank{Revision: op.Article.Revision, Deleted: op.Article.Deleted, Hash: binary.BigEndian.Uint64(sum[:])}
}

// Newer says whether a message of rank r replaces one of rank o.
func (r Rank) Newer(o Rank) bool {
	if r.Revision != o.Revision {
		return r.Revision > o.Revision
	}
	if r.Deleted != o.Deleted {
		return r.Deleted
	}
	return r.Hash > o.Hash
}

// Known is what an index has of an article.
type Known struct {
	Rank
	Story string // "" if it is alone
}

// Change is what an op that takes effect does to the index.
type Change struct {
	Op
	Rank Rank
	// Last says that no other change of the list is of the same article.
	Last bool
	// Item is what stories know the article by, nil if it is in none. It is set
	// before Tell.
	Item *story.Item
	// Story and Tracked are set by Tell: the article's story, "" if it is alone,
	// and whether articles to come are compared with this one.
	Story   string
	Tracked bool

	old    *Known  // of what the index has, nil if it has nothing
	before *Change // of the same article in the list
}

// List returns the changes of those ops that take effect, in their order. Known
// returns what the index has of an article, nil if nothing.
func List(seq uint64, ops []Op, known func(id string) (*Known, error)) ([]*Change, error) {
	type last struct {
		known  *Known
		change *Change
	}
	articles := make(map[string]*last)
	var list []*Change
	for _, op := range ops {
		if op.Seq == 0 {
			op.Seq = seq
		}
		a := articles[op.Article.ID]
		if a == nil {
			k, err := known(op.Article.ID)
			if err != nil {
				return nil, err
			}
			a = &last{known: k}
			articles[op.Article.ID] = a
		}
		c := &Change{Op: op, Rank: RankOf(op), Last: true, old: a.known, before: a.change}
		if c.before != nil && !c.Rank.Newer(c.before.Rank) || c.before == nil && c.old != nil && !c.Rank.Newer(c.old.Rank) {
			continue
		}
		if c.before != nil {
			c.before.Last = false
		}
		a.change = c
		list = append(list, c)
	}
	return list, nil
}

// replaces says whether there is a version of the article before c, and that
// one's story as the index knows it.
func (c *Change) replaces() (story string, ok bool) {
	switch {
	case c.before != nil:
		return c.before.Story, !c.before.Article.Deleted
	case c.old != nil:
		return c.old.Story, !c.old.Deleted
	}
	return "", false
}

// Tell finds the stories of the changes, in their order, and returns the other
// articles whose story may change by that, with their story. The tracker then
// knows more than the index does, until that has the changes.
func Tell(t *story.Tracker, list []*Change) (others []Move) {
	told := make(map[string]string) // story by article
	kept := make(map[string]bool)   // those that stay where they were
	grown := make(map[string]bool)  // stories that others have joined
	newest := make(map[string]*Change, len(list))
	for _, c := range list {
		id := c.Article.ID
		newest[id] = c
		before, revised := c.replaces()
		var moves []story.Change
		switch {
		case c.Item == nil:
			moves = t.Remove(id)
			told[id] = ""
		case revised && !t.Knows(id):
			told[id], kept[id] = before, true // of a time long ago
			c.Story = before
		default:
			moves = t.Add(c.Item)
			c.Tracked, kept[id] = true, false
		}
		for _, m := range moves {
			told[m.Article] = m.Story
			grown[m.Story] = grown[m.Story] || m.Story != m.Article
		}
	}
	for id, name := range told {
		if name == id && !kept[id] && t.Size(id) < 2 {
			name = "" // alone
		}
		if told[id] = name; newest[id] == nil {
			others = append(others, Move{id, name})
		} else {
			newest[id].Story = name
		}
	}
	// The first article of a story that is no longer alone gets the name, too.
	for name := range grown {
		if _, ok := told[name]; !ok && t.Of(name) == name {
			others = append(others, Move{name, name})
		}
	}
	slices.SortFunc(others, func(a, b Move) int { return strings.Compare(a.Article, b.Article) })
	return others
}

// Move puts an article into a story, "" if it is alone from now on.
type Move struct{ Article, Story string }
