package work

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestImportIsFollowedOverItsParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Board
		j := b.Begin(Import, "one", "articles.jsonl", 0, 1000)
		want := []State{{Kind: Import, Name: "articles.jsonl", All: 1000}}
		if d := cmp.Diff(want, b.States()); d != "" {
			t.Errorf("at the beginning (-want +got):\n%s", d)
		}
		<-time.After(10 * time.Second)
		j.Add(50, 2, 0)
		j.End()
		// Between two parts it goes on.
		want = []State{{Kind: Import, Name: "articles.jsonl", Count: 50, Refused: 2, All: 1000, Rate: 5}}
		if d := cmp.Diff(want, b.States()); d != "" {
			t.Errorf("after a part (-want +got):\n%s", d)
		}
		j = b.Begin(Import, "one", "articles.jsonl", 250, 1000)
		want = []State{{Kind: Import, Name: "articles.jsonl", Count: 50, Refused: 2, Done: 250, All: 1000, Rate: 5, Left: 30 * time.Second}}
		if d := cmp.Diff(want, b.States()); d != "" {
			t.Errorf("in the second part (-want +got):\n%s", d)
		}
		j.Add(100, 0, 750)
		j.End()
		if got := b.States(); len(got) > 0 {
			t.Errorf("at the end: got %v, want nothing", got)
		}
	})
}

func TestImportThatFallsSilentIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Board
		b.Begin(Import, "one", "a", 0, 0).End()
		running := b.Begin(Import, "", "b", 0, 0)
		<-time.After(idle + time.Second)
		got := b.States()
		if len(got) != 1 || got[0].Name != "b" {
			t.Errorf("got %v, want the one that still runs", got)
		}
		running.End()
		<-time.After(idle + time.Second)
		if got := b.States(); len(got) > 0 {
			t.Errorf("got %v, want nothing", got)
		}
	})
}

func TestBoardIsBounded(t *testing.T) {
	var b Board
	for i := range 3 * maxImports {
		b.Begin(Import, fmt.Sprint(i), "", 0, 0)
	}
	if got := len(b.States()); got != maxImports {
		t.Errorf("got %d imports, want %d", got, maxImports)
	}
}

func TestBacklogHasRateAndTimeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Board
		b.Watch(Index, 1000, 0)
		if got := b.States(); len(got) > 0 {
			t.Errorf("got %v, want nothing where nothing waits", got)
		}
		b.Watch(Index, 1000, 500)
		want := []State{{Kind: Index, All: 500}}
		if d := cmp.Diff(want, b.States()); d != "" {
			t.Errorf("after one look (-want +got):\n%s", d)
		}
		<-time.After(2 * time.Second)
		b.Watch(Index, 1100, 600) // more has come
		want = []State{{Kind: Index, Count: 100, Done: 100, All: 700, Rate: 50, Left: 12 * time.Second}}
		if d := cmp.Diff(want, b.States()); d != "" {
			t.Errorf("after two (-want +got):\n%s", d)
		}
		// Only the last minute makes the rate.
		for range 100 {
			<-time.After(time.Second)
			b.Watch(Index, 1100, 600)
		}
		if got := b.States(); got[0].Rate != 0 || got[0].Left != 0 || got[0].Done != 100 {
			t.Errorf("got %+v, want work that stands still", got)
		}
		// A counter that begins anew is other work.
		b.Watch(Index, 5, 600)
		if d := cmp.Diff([]State{{Kind: Index, All: 600}}, b.States()); d != "" {
			t.Errorf("begun anew (-want +got):\n%s", d)
		}
		<-time.After(2 * window)
		if got := b.States(); len(got) > 0 {
			t.Errorf("got %v, want nothing that nobody has looked at for long", got)
		}
	})
}

// Looks that many pages take at the same time do not crowd out older ones.
func TestLooksAreApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Board
		for i := range 10_000 {
			b.Watch(Rebuild, uint64(i), 100)
			<-time.After(time.Millisecond)
		}
		if n := len(b.meters[Rebuild].looks); n > 30 {
			t.Errorf("got %d looks in 10 s, want at most one for each half second", n)
		}
		if got := b.States()[0]; got.Rate < 990 || got.Rate > 1010 {
			t.Errorf("got %+v, want 1000 a second", got)
		}
	})
}
