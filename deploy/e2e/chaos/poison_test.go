package chaos

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"xinwen/deploy/e2e/internal/run"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/weburl"
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

// TestPageThatKillsItsProcess hands in a page at which the process dies each time:
// it ends in quarantine without being tried for ever, the rest goes on, and a
// replay brings the page when what was wrong is mended.
func TestPageThatKillsItsProcess(t *testing.T) {
	if !long() {
		t.Skip("starts a system ten times; only with " + killsEnv)
	}
	t.Parallel()
	w := newWorld(t)
	p := whole(t, w)
	p.Sources = "none"
	p.Death = run.Death{Boundary: bus.Articles + " before publish", After: 1} // the page's own: there is no other
	x := run.Launch(t, p)
	const name = "poison"
	w.handIn(news.ImportedArticle{ID: name, URL: "https://poison.example/page", Title: "毒页", Lang: "zh", Source: name, Text: "这一页会让处理它的进程每次都退出，直到问题被修好为止。"})
	deaths := 0
	w.supervise = func() {
		select {
		case <-x.Ended():
			deaths++
			x = run.Launch(t, p)
		default:
		}
	}
	var list struct{ Messages []bus.Quarantined }
	w.until(settleWithin, func() string {
		if err := w.Ask("/v1/quarantine", nil, &list); err != nil {
			return err.Error()
		}
		if len(list.Messages) == 0 {
			return fmt.Sprintf("the process has died %d times, nothing is in quarantine", deaths)
		}
		return ""
	})
	q := list.Messages[0]
	if q.Service == "" || !strings.Contains(q.Reason, "never finished") || q.Hint == "" {
		t.Errorf("got %+v, want a page that was never finished, and what to do", q)
	}
	w.supervise = nil
	x.Kill()
	p.Death, p.Sources = run.Death{}, w.sources // mended
	x = run.Launch(t, p)
	defer x.Stop(t)
	w.until(settleWithin, w.busy) // the rest
	res, err := http.Post(w.Base+"/v1/quarantine:replay", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatal(res.Status)
	}
	id := weburl.ID("https://poison.example/page")
	w.until(30*time.Second, func() string {
		if _, err := w.Article(id); err != nil {
			return err.Error()
		}
		return ""
	})
	if q := w.Quarantine(); len(q) > 0 {
		t.Errorf("still in quarantine: %+v", q)
	}
	t.Logf("quarantined after the process had died %d times", deaths)
}
