package run

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"xinwen/news"
)

const (
	secretEnv = "XINWEN_E2E_SECRET"
	secret    = "whsec_c2ltdWxhdGVkIHdlYiBvZiBtYW55IHNpdGVz"
)

// Receiver is a webhook receiver that fails every second try: of each delivery
// the first, the third and so on, so that no delivery is simply lucky.
type Receiver struct {
	server   *httptest.Server
	verifier *standardwebhooks.Webhook

	mu       sync.Mutex
	fails    func(try int) bool
	anyTime  bool
	tries    map[string]int             // by webhook ID
	accepted map[string]int             // by article
	ids      map[string]map[string]bool // webhook IDs by article
	faults   []string
}

// NewReceiver starts a receiver that ends with the test.
func NewReceiver(t *testing.T) *Receiver {
	t.Helper()
	v, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	r := &Receiver{verifier: v, fails: func(try int) bool { return try%2 == 1 }, tries: make(map[string]int), accepted: make(map[string]int), ids: make(map[string]map[string]bool)}
	r.server = httptest.NewServer(r)
	t.Cleanup(r.server.Close)
	return r
}

// Fails decides from now on which tries at a delivery fail.
func (r *Receiver) Fails(fails func(try int) bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fails = fails
}

// AnyTime accepts signatures whose time is not ours from now on.
func (r *Receiver) AnyTime() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.anyTime = true
}

// Rule writes an alert rule that tells r of every article, also of further ones
// of the same story, and returns the directory.
func (r *Receiver) Rule(t *testing.T, id, query string) string {
	t.Helper()
	dir := t.TempDir()
	text := fmt.Sprintf("id: %s\nname: %s\nquery: %q\nrepeats: true\nwebhooks:\n  - url: %s\n    secret_env: %s\n", id, id, query, r.server.URL, secretEnv)
	if err := os.WriteFile(filepath.Join(dir, id+".yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender was killed
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var event struct {
		Type string
		Data news.Alert
	}
	verify := r.verifier.Verify
	if r.anyTime {
		verify = r.verifier.VerifyIgnoringTimestamp
	}
	if verify(body, req.Header) != nil {
		r.faults = append(r.faults, "a signature is wrong")
	} else if err := json.Unmarshal(body, &event); err != nil {
		r.faults = append(r.faults, err.Error())
	}
	id := event.Data.Article.ID
	if r.ids[id] == nil {
		r.ids[id] = make(map[string]bool)
	}
	delivery := req.Header.Get("webhook-id")
	r.ids[id][delivery] = true
	if r.tries[delivery]++; r.fails(r.tries[delivery]) {
		http.Error(w, "try again", http.StatusInternalServerError)
		return
	}
	r.accepted[id]++
	w.WriteHeader(http.StatusNoContent)
}

// Arrived waits until every article was told and checks that each came under
// one webhook ID: a receiver can tell a repeat by that.
func (r *Receiver) Arrived(t *testing.T, limit time.Duration, want []string) {
	t.Helper()
	missing := Poll(t.Context(), limit, func() string {
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
	if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(maps.Keys(r.accepted))); diff != "" {
		t.Errorf("articles told (-want +got):\n%s", diff)
	}
	for id, ids := range r.ids {
		if len(ids) != 1 {
			t.Errorf("%s came with %d webhook IDs, want one", id, len(ids))
		}
	}
	if len(r.faults) > 0 {
		t.Errorf("faults: %v", r.faults)
	}
}

// Faults counts the wanted articles that were not told, and those that came
// under more than one webhook ID.
func (r *Receiver) Faults(want []string) (untold, renamed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range want {
		if r.accepted[id] == 0 {
			untold++
		}
		if len(r.ids[id]) > 1 {
			renamed++
		}
	}
	return untold, renamed
}

// Once checks beyond Arrived that nothing was told twice, and that every
// delivery took the two tries it must.
func (r *Receiver) Once(t *testing.T) {
	t.Helper()
	if n := r.Again(); n > 0 {
		t.Errorf("%d articles were told again", n)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, n := range r.tries {
		if n != 2 {
			t.Errorf("delivery %s took %d tries, want 2", id, n)
		}
	}
}

// Again counts deliveries that were accepted and came again, because the process
// was killed between the answer and its note of it. The receiver knows them by
// their name.
func (r *Receiver) Again() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, times := range r.accepted {
		n += times - 1
	}
	return n
}
