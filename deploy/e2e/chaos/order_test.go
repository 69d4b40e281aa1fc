package chaos

import (
	"fmt"
	"testing"
	"time"

	"xinwen/deploy/app"
	"xinwen/deploy/e2e/internal/run"
	"xinwen/news/bus"
)

// TestServicesStartInAnyOrder starts a new system backwards: articles are
// extracted before anybody knows a rule or delivers an alert.
func TestServicesStartInAnyOrder(t *testing.T) {
	if testing.Short() {
		t.Skip("crawls the demo web")
	}
	t.Parallel()
	w := newWorld(t)
	list := parts(t, w)
	byName := make(map[string]run.Part)
	for _, p := range list {
		byName[p.Name] = p
	}
	sys := newSystem(t, list, nil)
	defer sys.stop()
	<-sys.start(byName["nats"]).Started()
	sys.start(byName[app.Crawler])
	sys.start(byName[app.Extractor])
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{URL: "nats://" + byName["nats"].Serve}, Name: "observer"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	articles := func(n uint64) {
		t.Helper()
		w.until(30*time.Second, func() string {
			last, err := b.LastSeq(t.Context(), bus.Articles)
			if err != nil || last < n {
				return fmt.Sprintf("%d articles, %v", last, err)
			}
			return ""
		})
	}
	articles(3)
	sys.start(byName[app.Indexer])
	articles(6)
	sys.start(byName[app.API])
	w.settle(60 * time.Second)
	w.receiver.Once(t)
}
