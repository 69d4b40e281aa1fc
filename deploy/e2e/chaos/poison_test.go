package chaos

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"xinwen/deploy/e2e/internal/run"
	"xinwen/news/bus"
)

// TestPoisonStopsNothing puts what nobody can read into every stream while a
// crawl goes on: it ends in quarantine, and the rest is as ever.
func TestPoisonStopsNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("crawls the demo web")
	}
	t.Parallel()
	w := newWorld(t)
	p := whole(t, w)
	x := run.Launch(t, p)
	defer x.Stop(t)
	<-x.Started()
	tool, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{URL: "unix://" + bus.SocketPath(filepath.Join(p.Data, "nats"))}, Name: "tool"})
	if err != nil {
		t.Fatal(err)
	}
	defer tool.Close()
	want := []string{"FRONTIER", "PAGES", "PAGES", "PAGES", "ARTICLES", "ARTICLES", "ALERTS"}
	for _, m := range []*bus.Message{
		{Subject: bus.SubjectFetch + "00.poison", Data: []byte("{\"v\":1,\"url\":7}")},
		{Subject: bus.SubjectPages + "poison", Data: []byte("no page\nat all")},
		{Subject: bus.SubjectPages + "poison", Header: nats.Header{"Content-Encoding": {"zstd"}}, Data: []byte{0x28, 0xb5, 0x2f, 0xfd, 1, 2, 3}},
		{Subject: bus.SubjectPages + "poison", Header: nats.Header{bus.HeaderClaim: {"nowhere/nothing"}}},
		{Subject: bus.SubjectArticles + "poison", Data: []byte("{\"v\":1,")},
		{Subject: bus.SubjectAlerts + "poison", Data: []byte("[]")},
	} {
		if err := tool.Publish(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	w.until(90*time.Second, func() string {
		if n := len(w.Quarantine()); n < len(want) { // the article is unreadable to indexer and percolator
			return fmt.Sprintf("%d of %d messages in quarantine", n, len(want))
		}
		return w.busy()
	})
	var got []string
	for _, q := range w.Quarantine() {
		got = append(got, q.Stream)
		if q.Reason == "" {
			t.Errorf("quarantined without a reason: %+v", q)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got %v in quarantine, want %v", got, want)
	}
	if n := w.Count(); n != len(w.want) {
		t.Errorf("got %d articles, want %d", n, len(w.want))
	}
}
