package change

import (
	"fmt"
	"testing"

	"xinwen/news"
)

func TestRankOrdersMessages(t *testing.T) {
	ranks := []Rank{ // ascending
		{Revision: 1, Hash: 9}, {Revision: 2, Hash: 1}, {Revision: 2, Hash: 5}, {Revision: 2, Deleted: true, Hash: 0}, {Revision: 3, Hash: 0},
	}
	for i, a := range ranks {
		for k, b := range ranks {
			if got := a.Newer(b); got != (i > k) {
				t.Errorf("%+v newer than %+v: got %t, want %t", a, b, got, i > k)
			}
		}
	}
}

// TestListTakesWhatIsNewer gives messages about articles of which the index has
// none, an older and a newer revision.
func TestListTakesWhatIsNewer(t *testing.T) {
	op := func(id string, revision int64, deleted bool) Op {
		a := &news.Article{ID: id, Revision: revision, Deleted: deleted}
		return Op{Article: a, Data: fmt.Appendf(nil, "%s %d %t", id, revision, deleted)}
	}
	has := map[string]*Known{"old": {Rank: Rank{Revision: 1}}, "new": {Rank: Rank{Revision: 9}}}
	ops := []Op{op("none", 1, false), op("old", 2, false), op("new", 2, false), op("old", 2, true), op("old", 2, false), op("none", 1, false)}
	list, err := List(7, ops, func(id string) (*Known, error) { return has[id], nil })
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, c := range list {
		got += fmt.Sprintf("%s %t last=%t seq=%d; ", c.Article.ID, c.Article.Deleted, c.Last, c.Seq)
	}
	if want := "none false last=true seq=7; old false last=false seq=7; old true last=true seq=7; "; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
