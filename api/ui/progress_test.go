package ui

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/api/internal/memory"
	"xinwen/api/work"
	"xinwen/indexer/search"
	"xinwen/news/bus"
)

// busyIndex is an index in the middle of something.
type busyIndex struct {
	*memory.Index
	status search.Status
}

func (b *busyIndex) Status(context.Context) (search.Status, error) { return b.status, nil }

func TestLongWorkIsShownWithItsFigures(t *testing.T) {
	x := &memory.Index{}
	x.Add(article("a1", "台积电涨价", "…", "zh", "Hans"))
	index := &busyIndex{x, search.Status{Docs: 40, AppliedSeq: 50, LastSeq: 1050, Lag: 1000, Rebuilding: true, RebuiltSeq: 210}}
	d := &table{streams: []bus.StreamStatus{{Name: bus.Pages, LastSeq: 500, Consumers: []bus.ConsumerStatus{{Name: "extractor", Pending: 90, AckPending: 10}}}}}
	u := newPages(t, index, d, open)
	synctest.Test(t, func(t *testing.T) {
		job := u.o.Board.Begin(work.Import, "x", hostile, 100, 400)
		u.progress(&index.status, d.streams, en)
		<-time.After(10 * time.Second)
		job.Add(250, 3, 0)
		index.status.AppliedSeq, index.status.Lag, index.status.RebuiltSeq = 150, 900, 310
		d.streams[0].Consumers[0].Pending = 40
		got := u.progress(&index.status, d.streams, en)
		want := []Progress{
			{"An import is taken: " + hostile, 100, 400, []string{"250 taken", "3 refused", "25 % of the files", "25 a second", "about 30 s left"}},
			{"Pages are read", 50, 100, []string{"50 of 100", "5.0 a second", "about 10 s left"}},
			{"The index is catching up", 100, 1000, []string{"100 of 1,000", "10 a second", "about 2 min left"}},
			{"A new index is being built", 310, 1050, []string{"310 of 1,050", "10 a second", "about 2 min left"}},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
		// A handful of pages that wait are no long work.
		d.streams[0].Consumers[0].Pending = 5
		if got := u.progress(nil, d.streams, en); strings.HasPrefix(got[1].Label, "Pages") {
			t.Errorf("got %v, want nothing of the everyday", got)
		}
		<-time.After(2 * time.Minute) // so that looks by the pages below are the first ones
		job.End()
	})
	job := u.o.Board.Begin(work.Import, "y", hostile, 100, 400)
	defer job.End()
	h := routes(u)
	for _, path := range []string{"/", "/pipeline"} {
		body := get(t, h, path).Body.String()
		if !strings.Contains(body, `<progress id="work0" value="100" max="400">`) || !strings.Contains(body, "0 taken") || !strings.Contains(body, "An import is taken: &lt;/title&gt;") {
			t.Errorf("%s: got a page without the import", path)
		}
		inert(t, body)
	}
	index.status, x = search.Status{}, &memory.Index{}
	index.Index = x
	if body := get(t, h, "/").Body.String(); !strings.Contains(body, "There is nothing here yet") || !strings.Contains(body, `<progress id="work0" value="100" max="400">`) {
		t.Error("got an empty first page without the import")
	}
}

func TestTimeLeftIsSaid(t *testing.T) {
	for d, want := range map[time.Duration]string{
		100 * time.Millisecond: "about 1 s left", 30 * time.Second: "about 30 s left", 61 * time.Second: "about 2 min left",
		119 * time.Minute: "about 119 min left", 5*time.Hour + 40*time.Minute: "about 6 h left",
	} {
		if got := left(d, en); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
}
