package bus_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/news/bus"
)

func TestRevisionsOfOneArticle(t *testing.T) {
	b := open(t, bus.Options{Config: bus.Config{Dir: t.TempDir(), MinFreeBytes: -1}})
	ctx := deadline(t)
	for _, r := range []struct {
		id       string
		revision int64
	}{{"one", 1}, {"other", 2}, {"one", 3}, {"one1", 4}, {"one", 2}, {"one", 3}} {
		a := article()
		a.ID, a.Source, a.Revision, a.Title = r.id, "site", r.revision, fmt.Sprint("title ", r.revision)
		if err := b.PublishArticle(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	list, err := b.Revisions(ctx, "site", "one")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range list {
		got = append(got, a.Title)
	}
	if d := cmp.Diff([]string{"title 3", "title 2", "title 1"}, got); d != "" {
		t.Errorf("revisions (-want +got):\n%s", d)
	}
	if list, err := b.Revisions(ctx, "elsewhere", "one"); err != nil || len(list) != 0 {
		t.Errorf("got %d, %v of a source without it, want none", len(list), err)
	}
}
