package e2e

import (
	"bufio"
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
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"xinwen/news"
)

const webhookSecret = "whsec_c2ltdWxhdGVkIHdlYiBvZiBtYW55IHNpdGVz"

// receiver is a webhook receiver that fails every second try: of each delivery
// the first, the third and so on, so that no delivery is simply lucky.
type receiver struct {
	server   *httptest.Server
	verifier *standardwebhooks.Webhook

	mu       sync.Mutex
	tries    map[string]int             // by webhook ID
	accepted map[string]int             // by article
	ids      map[string]map[string]bool // webhook IDs by article
	faults   []string
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	v, err := standardwebhooks.NewWebhook(webhookSecret)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("XINWEN_E2E_SECRET", webhookSecret)
	r := &receiver{verifier: v, tries: make(map[string]int), accepted: make(map[string]int), ids: make(map[string]map[string]bool)}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

// rule writes an alert rule that tells r, and returns the directory.
func (r *receiver) rule(t *testing.T, id, query string) string {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf("id: %s\nname: %s\nquery: %q\nwebhooks:\n  - url: %s\n    secret_env: XINWEN_E2E_SECRET\n", id, id, query, r.server.URL)
	if err := os.WriteFile(filepath.Join(dir, id+".yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// ServeHTTP implements http.Handler.
func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	var event struct {
		Type string
		Data news.Alert
	}
	switch {
	case err != nil:
		r.faults = append(r.faults, err.Error())
	case r.verifier.Verify(body, req.Header) != nil:
		r.faults = append(r.faults, "a signature is wrong")
	default:
		if err := json.Unmarshal(body, &event); err != nil {
			r.faults = append(r.faults, err.Error())
		}
	}
	id := event.Data.Article.ID
	if r.ids[id] == nil {
		r.ids[id] = make(map[string]bool)
	}
	delivery := req.Header.Get("webhook-id")
	r.ids[id][delivery] = true
	if r.tries[delivery]++; r.tries[delivery]%2 == 1 {
		http.Error(w, "try again", http.StatusInternalServerError)
		return
	}
	r.accepted[id]++
	w.WriteHeader(http.StatusNoContent)
}

// arrived waits until every article was told and checks that each came under
// one webhook ID: a receiver can tell a repeat by that.
func (r *receiver) arrived(t *testing.T, nameOf map[string]string, want []string) {
	t.Helper()
	missing := poll(t.Context(), 60*time.Second, func() string {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.accepted) < len(want) {
			return fmt.Sprintf("%d of %d alerts arrived", len(r.accepted), len(want))
		}
		return ""
	})
	if missing != "" {
		t.Error(missing)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	sameArticles(t, "alerts", nameOf, slices.Sorted(maps.Keys(r.accepted)), want)
	for id, ids := range r.ids {
		if len(ids) != 1 {
			t.Errorf("%s came with %d webhook IDs, want one", nameOf[id], len(ids))
		}
	}
	if len(r.faults) > 0 {
		t.Errorf("faults: %v", r.faults)
	}
}

// once checks beyond arrived that nothing was told twice, and that every
// delivery took the two tries it must.
func (r *receiver) once(t *testing.T, nameOf map[string]string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, n := range r.accepted {
		if n != 1 {
			t.Errorf("%s was told %d times", nameOf[id], n)
		}
	}
	for id, n := range r.tries {
		if n != 2 {
			t.Errorf("delivery %s took %d tries, want 2", id, n)
		}
	}
}

// follower reads a live stream and hangs up after every few events.
type follower struct {
	connections atomic.Int64
	events      chan string // article IDs in order of arrival
}

// hangUp is the number of events after which a follower hangs up.
const hangUp = 3

func follow(t *testing.T, c *client, query string) *follower {
	t.Helper()
	f := &follower{events: make(chan string, 10_000)}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		// The system may have begun to crawl before we come: from the beginning.
		last := "0"
		for ctx.Err() == nil {
			f.connections.Add(1)
			last = f.read(ctx, c.base+"/v1/stream?"+url.Values{"q": {query}}.Encode(), last)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return f
}

// read reads until it hangs up, and returns the last event's ID.
func (f *follower) read(ctx context.Context, address, last string) string {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		panic(err) // the address is the test's own
	}
	req.Header.Set("Last-Event-ID", last)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return last // the next connection tries again
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 4<<20)
	id, data, n := last, "", 0
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch field {
		case "id":
			id = value
		case "data":
			data = value
		case "": // the end of an event, or a comment
			last = id
			if data == "" {
				continue
			}
			var a news.Article
			if json.Unmarshal([]byte(data), &a) == nil {
				f.events <- a.ID
			}
			if data, n = "", n+1; n == hangUp {
				return last
			}
		}
	}
	return last
}

// wait returns the IDs of n articles, sorted; each must have come once.
func (f *follower) wait(t *testing.T, n int) []string {
	t.Helper()
	seen := make(map[string]bool)
	timeout := time.After(30 * time.Second)
	var ids []string
	for len(ids) < n {
		select {
		case id := <-f.events:
			if seen[id] {
				t.Errorf("%s came twice", id)
				continue
			}
			seen[id] = true
			ids = append(ids, id)
		case <-timeout:
			t.Errorf("%d of %d events came", len(ids), n)
			n = 0
		}
	}
	slices.Sort(ids)
	return ids
}
