package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/deploy/simweb"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/weburl"
)

// query is the alert rule's.
const query = "台积电 OR 三星"

// world is what is around the system and outlives it: the web that it reads,
// the receiver of its alerts, and the judge.
type world struct {
	t       *testing.T
	web     *simweb.Web
	sources string // file
	alerts  string // directory
	api     string
	want    []string // IDs of the articles of the web
	// supervise, if set, is called while waiting.
	supervise func()

	mu       sync.Mutex
	told     map[string]int             // accepted deliveries by article
	names    map[string]map[string]bool // webhook IDs by article
	attempts map[string]int             // by webhook ID
}

func newWorld(t *testing.T) *world {
	t.Helper()
	o := simweb.Options{DemoSites: []string{"dianhai", "kuaixin", "xidao"}}
	if long() {
		o.DemoSites = nil // all
	}
	web, err := simweb.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := web.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, web: web, told: make(map[string]int), names: make(map[string]map[string]bool), attempts: make(map[string]int)}
	receiver := httptest.NewServer(http.HandlerFunc(w.receive))
	t.Cleanup(func() {
		receiver.Close()
		if err := web.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, a := range web.Articles() {
		w.want = append(w.want, weburl.ID(a.URL))
	}
	slices.Sort(w.want)
	dir := t.TempDir()
	w.sources, w.alerts = filepath.Join(dir, "sources.yaml"), filepath.Join(dir, "alerts")
	if err := os.Mkdir(w.alerts, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		w.sources: web.SourcesFor(simweb.SourceOptions{Delay: 150 * time.Millisecond, Interval: 2 * time.Second}),
		filepath.Join(w.alerts, "rule.yaml"): fmt.Sprintf("id: rule\nname: rule\nquery: %q\nwebhooks:\n  - url: %s\n    secret_env: XINWEN_CHAOS_SECRET\n",
			query, receiver.URL),
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// receive takes deliveries, and refuses every second try.
func (w *world) receive(rw http.ResponseWriter, r *http.Request) {
	var event struct{ Data news.Alert }
	if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
		w.t.Errorf("a delivery cannot be read: %v", err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	article, name := event.Data.Article.ID, r.Header.Get("webhook-id")
	if w.names[article] == nil {
		w.names[article] = make(map[string]bool)
	}
	w.names[article][name] = true
	if w.attempts[name]++; w.attempts[name]%2 == 1 {
		http.Error(rw, "try again", http.StatusInternalServerError)
		return
	}
	w.told[article]++
}

// ask reads a JSON answer of the api.
func (w *world) ask(path string, query url.Values, v any) error {
	ctx, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.api+path+"?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, res.Status, body)
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(body, v)
}

// search returns the IDs of all hits, as often as they come.
func (w *world) search(q string) ([]string, error) {
	var ids []string
	values := url.Values{"q": {q}, "size": {"100"}, "match": {"all"}}
	for {
		var r search.Result
		if err := w.ask("/v1/search", values, &r); err != nil {
			return nil, err
		}
		for _, h := range r.Hits {
			ids = append(ids, h.ID)
		}
		if r.NextCursor == "" {
			slices.Sort(ids)
			return ids, nil
		}
		values.Set("cursor", r.NextCursor)
	}
}

// count returns how many articles can be found, -1 if nothing answers.
func (w *world) count() int {
	var r search.Result
	if err := w.ask("/v1/search", url.Values{"size": {"0"}}, &r); err != nil {
		return -1
	}
	return int(r.Total)
}

// busy says what is still to be done, "" if nothing.
func (w *world) busy() string {
	if n := w.count(); n < len(w.want) {
		return fmt.Sprintf("%d of %d articles can be found", n, len(w.want))
	}
	var s struct {
		Index   *search.Status
		Streams []bus.StreamStatus
	}
	if err := w.ask("/v1/status", nil, &s); err != nil {
		return err.Error()
	}
	if s.Index == nil || s.Index.Lag > 0 {
		return "the index is behind"
	}
	for _, stream := range s.Streams {
		for _, c := range stream.Consumers {
			if n := int(c.Pending) + c.AckPending; n > 0 {
				return fmt.Sprintf("%s has %d messages for %s", stream.Name, n, c.Name)
			}
		}
	}
	return ""
}

// until waits for missing to return "".
func (w *world) until(limit time.Duration, missing func() string) {
	w.t.Helper()
	timeout := time.After(limit)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		last := missing()
		if last == "" {
			return
		}
		select {
		case <-tick.C:
			if w.supervise != nil {
				w.supervise()
			}
		case <-timeout:
			w.t.Fatalf("after %s: %s", limit, last)
		}
	}
}

// settle waits until all is done, and judges: every article of the web is in
// the index once, every match was told under one name, nothing failed.
func (w *world) settle(limit time.Duration) {
	w.t.Helper()
	w.until(limit, w.busy)
	got, err := w.search("")
	if err != nil {
		w.t.Fatal(err)
	}
	if diff := cmp.Diff(w.want, got); diff != "" {
		w.t.Errorf("articles in the index (-published +found):\n%s", diff)
	}
	if missing := w.web.Log().Missing(w.web.Articles()); len(missing) > 0 {
		w.t.Errorf("in the index but never fetched: %v", missing)
	}
	matches, err := w.search(query)
	if err != nil {
		w.t.Fatal(err)
	}
	w.until(30*time.Second, func() string {
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.told) < len(matches) {
			return fmt.Sprintf("%d of %d alerts arrived", len(w.told), len(matches))
		}
		return ""
	})
	var q struct{ Messages []bus.Quarantined }
	if err := w.ask("/v1/quarantine", nil, &q); err != nil || len(q.Messages) > 0 {
		w.t.Errorf("in quarantine: %+v, %v", q.Messages, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if diff := cmp.Diff(matches, slices.Sorted(maps.Keys(w.told))); diff != "" {
		w.t.Errorf("alerts (-matching +told):\n%s", diff)
	}
	for id, names := range w.names {
		if len(names) != 1 {
			w.t.Errorf("%s was told under %d names, want one", id, len(names))
		}
	}
}

// toldTwice counts deliveries that were accepted and came again, because the
// process was killed between the answer and its note of it. The receiver knows
// them by their name.
func (w *world) toldTwice() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, times := range w.told {
		n += times - 1
	}
	return n
}

// listen calls f for every message that passes a NATS server, until ctx is done.
func listen(ctx context.Context, address string, f func(subject string)) {
	b := observer(ctx, address)
	if b == nil {
		return
	}
	defer b.Close()
	sub, err := b.Subscribe(">", func(m *natsMsg) { f(m.Subject) })
	if err != nil {
		return
	}
	defer func() { _ = sub.Unsubscribe() }() // the connection may be gone
	<-ctx.Done()
}

// stageOf names the boundary that a message marks, "" if none, and the service
// that is just there.
func stageOf(subject string) (stage, service string) {
	for _, b := range []struct{ prefix, stage, service string }{
		{"xinwen.frontier.fetch.", "entry published", "crawler"},
		{"xinwen.pages.", "page published, entry not acked", "crawler"},
		{"$JS.ACK.FRONTIER.", "entry acked", "crawler"},
		{"xinwen.articles.", "article published, page not acked", "extractor"},
		{"$JS.ACK.PAGES.", "page acked", "extractor"},
		{"xinwen.alerts.", "alert published, article not acked", "indexer"},
		{"$JS.ACK.ARTICLES.", "article acked by the percolator", "indexer"},
		{"$KV.deliveries.", "delivery noted", "api"},
		{"$JS.ACK.ALERTS.", "alert acked", "api"},
	} {
		if strings.HasPrefix(subject, b.prefix) {
			return b.stage, b.service
		}
	}
	return "", ""
}
