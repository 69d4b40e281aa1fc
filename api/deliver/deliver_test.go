package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"xinwen/api/rules"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/guard"
)

const testSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// request is one attempt that a receiver saw.
type request struct {
	id    string
	event event
}

// receiver answers with the statuses of its script, then 204.
type receiver struct {
	t      *testing.T
	mu     sync.Mutex
	script []int
	header http.Header
	got    chan request
	*httptest.Server
}

func newReceiver(t *testing.T, script ...int) *receiver {
	r := &receiver{t: t, script: script, header: http.Header{}, got: make(chan request, 100)}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	signer, err := standardwebhooks.NewWebhook(testSecret)
	if err != nil {
		r.t.Error(err)
	}
	if err := signer.Verify(body, q.Header); err != nil {
		r.t.Errorf("got a bad signature: %v", err)
	}
	var e event
	if err := json.Unmarshal(body, &e); err != nil {
		r.t.Error(err)
	}
	r.mu.Lock()
	status := http.StatusNoContent
	if len(r.script) > 0 {
		status, r.script = r.script[0], r.script[1:]
	}
	for k, v := range r.header {
		w.Header()[k] = v
	}
	r.mu.Unlock()
	w.WriteHeader(status)
	r.got <- request{q.Header.Get("webhook-id"), e}
}

func (r *receiver) next() request {
	r.t.Helper()
	select {
	case q := <-r.got:
		return q
	case <-time.After(20 * time.Second):
		r.t.Fatal("got no delivery in 20 s")
		return request{}
	}
}

// quiet fails if anything was received that no test waited for.
func (r *receiver) quiet() {
	r.t.Helper()
	select {
	case q := <-r.got:
		r.t.Errorf("got delivery %s of %s, want none", q.id, q.event.Data.Article.ID)
	default:
	}
}

type fixture struct {
	t       *testing.T
	bus     *bus.Bus
	service *Service
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	t.Setenv("TEST_HOOK_SECRET", testSecret)
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: t.TempDir()}, Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	log := slog.New(slog.DiscardHandler)
	return &fixture{t, b, New(Options{
		Bus: b, Rules: rules.NewStore(rules.Options{Bus: b}), Logger: log, Metrics: prometheus.NewRegistry(),
		AllowPrivate: true, FirstDelay: time.Millisecond, Timeout: 5 * time.Second,
	})}
}

func (f *fixture) run() (stop func()) {
	ctx, cancel := context.WithCancel(f.t.Context())
	done := make(chan error, 1)
	go func() { done <- f.service.Run(ctx) }()
	var once sync.Once
	stop = func() {
		once.Do(func() {
			cancel()
			if err := <-done; err != nil {
				f.t.Errorf("got %v from Run, want nil", err)
			}
		})
	}
	f.t.Cleanup(stop)
	return stop
}

func (f *fixture) rule(id string, urls ...string) {
	f.t.Helper()
	r := news.Rule{ID: id, Name: id, Query: "HBM"}
	for _, u := range urls {
		r.Webhooks = append(r.Webhooks, news.Webhook{URL: u, SecretEnv: "TEST_HOOK_SECRET"})
	}
	data, err := json.Marshal(r)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.bus.KV(bus.KVRules).Put(f.t.Context(), bus.Key(id), data); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) alert(rule, article string, revision int64) *news.Alert {
	f.t.Helper()
	a := &news.Alert{
		Version: news.Version, ID: news.AlertID(rule, article, revision), Rule: rule, RuleName: rule, Query: "HBM", Revision: revision,
		Article: news.Article{Version: news.Version, ID: article, Revision: revision, URL: "https://example.com/" + article, Source: "example", Title: "HBM 涨价"},
		Matched: time.Now().UTC(),
	}
	if err := f.bus.PublishAlert(f.t.Context(), a); err != nil {
		f.t.Fatal(err)
	}
	return a
}

// settled waits until the delivery of rule and article to url has a status
// other than pending.
func (f *fixture) settled(rule, article, url string) *letter {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 20*time.Second)
	defer cancel()
	w, err := f.bus.KV(bus.KVDeliveries).Watch(ctx, recordKey(rule, ID(rule, article, url)))
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = w.Stop() }()
	for e := range w.Updates() {
		if e == nil {
			continue
		}
		var l letter
		if err := json.Unmarshal(e.Value(), &l); err != nil {
			f.t.Fatal(err)
		}
		if l.Status != Pending {
			return &l
		}
	}
	f.t.Fatalf("delivery of %s on %s did not settle", rule, article)
	return nil
}

func TestDeliversOnceAndSigned(t *testing.T) {
	f, hook := newFixture(t), newReceiver(t)
	f.rule("hbm", hook.URL)
	f.run()
	a := f.alert("hbm", "a1", 1)
	got := hook.next()
	if got.id != ID("hbm", "a1", hook.URL) || got.event.Type != "alert.matched" || got.event.Data.ID != a.ID {
		t.Errorf("got %+v, want alert %s", got, a.ID)
	}
	l := f.settled("hbm", "a1", hook.URL)
	if l.Status != Delivered || l.Attempts != 1 || l.HTTPStatus != 204 || l.Letter != nil || l.To != hook.URL {
		t.Errorf("got %+v, want one accepted attempt", l)
	}
	// A new revision makes a new alert, and tells nobody again.
	f.alert("hbm", "a1", 2)
	f.alert("hbm", "a2", 1)
	if got := hook.next(); got.event.Data.Article.ID != "a2" {
		t.Errorf("got article %s, want a2", got.event.Data.Article.ID)
	}
	f.settled("hbm", "a2", hook.URL)
	hook.quiet()
	list, err := f.service.List(t.Context(), Filter{Rule: "hbm"})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 4 {
		t.Errorf("got %d deliveries, want log and webhook of two articles", len(list))
	}
}

func TestFailedWebhookIsTriedAgainWithTheSameID(t *testing.T) {
	f, hook := newFixture(t), newReceiver(t, 500, 503, 429, 302)
	f.rule("hbm", hook.URL)
	f.run()
	f.alert("hbm", "a1", 1)
	seen := map[string]int{}
	for range 5 {
		seen[hook.next().id]++
	}
	if want := map[string]int{ID("hbm", "a1", hook.URL): 5}; !cmp.Equal(seen, want) {
		t.Errorf("got attempts %v, want %v", seen, want)
	}
	if l := f.settled("hbm", "a1", hook.URL); l.Status != Delivered || l.Attempts != 5 {
		t.Errorf("got %+v, want delivered at the fifth", l)
	}
}

func TestOneBadReceiverDoesNotRepeatTheGoodOne(t *testing.T) {
	f, bad, good := newFixture(t), newReceiver(t, 500, 500), newReceiver(t)
	f.rule("hbm", bad.URL, good.URL)
	f.run()
	f.alert("hbm", "a1", 1)
	for range 3 {
		bad.next()
	}
	good.next()
	f.settled("hbm", "a1", bad.URL)
	good.quiet()
}

func TestEveryAlertArrivesAtAReceiverThatFailsEverySecondTry(t *testing.T) {
	f := newFixture(t)
	script := make([]int, 80)
	for i := range script {
		script[i] = []int{500, 200}[i%2]
	}
	hook := newReceiver(t, script...)
	f.rule("hbm", hook.URL)
	stop := f.run()
	const n = 20
	for i := range n {
		f.alert("hbm", fmt.Sprintf("a%d", i), 1)
	}
	for range 5 {
		hook.next()
	}
	// A stop in the middle loses nothing and doubles nothing.
	stop()
	f.service = New(f.service.o.withoutMetrics())
	f.run()
	for i := range n {
		if l := f.settled("hbm", fmt.Sprintf("a%d", i), hook.URL); l.Status != Delivered {
			t.Errorf("got %+v, want delivered", l)
		}
	}
}

func (o Options) withoutMetrics() Options {
	o.Metrics = nil
	return o
}

func TestRefusedDeliveryIsDeadAndCanBeReplayed(t *testing.T) {
	f, hook := newFixture(t), newReceiver(t, 400, 404, 403)
	f.rule("hbm", hook.URL)
	f.run()
	f.alert("hbm", "a1", 1)
	for range 3 {
		hook.next()
	}
	l := f.settled("hbm", "a1", hook.URL)
	if l.Status != Dead || l.Attempts != 3 || l.Error == "" {
		t.Fatalf("got %+v, want dead after three refusals", l)
	}
	dead, err := f.service.List(t.Context(), Filter{Status: Dead})
	if err != nil || len(dead) != 1 {
		t.Fatalf("got %v, %v, want one dead", dead, err)
	}
	if err := f.service.Replay(t.Context(), dead[0].ID); err != nil {
		t.Fatal(err)
	}
	if got := hook.next(); got.id != l.ID {
		t.Errorf("got %s, want the same webhook-id %s", got.id, l.ID)
	}
	f.settled("hbm", "a1", hook.URL)
	if err := f.service.Replay(t.Context(), l.ID); !errors.Is(err, ErrDelivered) {
		t.Errorf("got %v, want ErrDelivered", err)
	}
	if err := f.service.Replay(t.Context(), "none"); !errors.Is(err, ErrNoDelivery) {
		t.Errorf("got %v, want ErrNoDelivery", err)
	}
}

func TestGoneDisablesTheWebhook(t *testing.T) {
	f, hook := newFixture(t), newReceiver(t, 410)
	f.rule("hbm", hook.URL)
	f.run()
	f.alert("hbm", "a1", 1)
	hook.next()
	if l := f.settled("hbm", "a1", hook.URL); l.Status != Dead {
		t.Fatalf("got %+v, want dead", l)
	}
	f.alert("hbm", "a2", 1)
	if l := f.settled("hbm", "a2", hook.URL); l.Status != Disabled || l.Attempts != 0 {
		t.Fatalf("got %+v, want disabled without an attempt", l)
	}
	if err := f.service.Replay(t.Context(), ID("hbm", "a2", hook.URL)); err != nil {
		t.Fatal(err)
	}
	hook.next()
	if l := f.settled("hbm", "a2", hook.URL); l.Status != Delivered {
		t.Errorf("got %+v, want delivered", l)
	}
	f.alert("hbm", "a3", 1)
	hook.next() // enabled again
}

func TestPrivateAddressesAreNotDialled(t *testing.T) {
	f, hook := newFixture(t), newReceiver(t)
	c := newClient(time.Second, false)
	defer c.close()
	out := c.post(t.Context(), &news.Webhook{URL: hook.URL, SecretEnv: "TEST_HOOK_SECRET"}, "x", &news.Alert{})
	var refused *guard.Error
	if !errors.As(out.err, &refused) {
		t.Errorf("got %v, want the address refused", out.err)
	}
	hook.quiet()
	_ = f
}

func TestSecret(t *testing.T) {
	t.Setenv("GOOD", testSecret)
	t.Setenv("RAW", "just text")
	t.Setenv("BROKEN", "whsec_!")
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(testSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		hook news.Webhook
		ok   bool
	}{
		{"env", news.Webhook{SecretEnv: "GOOD"}, true},
		{"raw", news.Webhook{SecretEnv: "RAW"}, true},
		{"file", news.Webhook{SecretFile: file}, true},
		{"broken", news.Webhook{SecretEnv: "BROKEN"}, false},
		{"unset", news.Webhook{SecretEnv: "NOT_SET_ANYWHERE"}, false},
		{"no file", news.Webhook{SecretFile: file + "2"}, false},
		{"none", news.Webhook{}, false},
	} {
		if _, err := secret(&tc.hook); (err == nil) != tc.ok {
			t.Errorf("%s: got %v, want ok %v", tc.name, err, tc.ok)
		}
	}
}

func TestDelayGrowsToALimit(t *testing.T) {
	s := &Service{o: Options{FirstDelay: 2 * time.Second}}
	base := 2 * time.Second
	for n := 1; n < 20; n++ {
		if d := s.delay(n); d < base*3/4 || d > base*5/4 {
			t.Errorf("got %v after %d attempts, want %v ± a quarter", d, n, base)
		}
		base = min(base*4, maxDelay)
	}
}

func TestGivesUpAfterADay(t *testing.T) {
	f, hook := newFixture(t), newReceiver(t, 500, 500)
	f.rule("hbm", hook.URL)
	now := time.Now()
	var mu sync.Mutex
	f.service.now = func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(13 * time.Hour)
		return now
	}
	f.run()
	f.alert("hbm", "a1", 1)
	hook.next()
	if l := f.settled("hbm", "a1", hook.URL); l.Status != Dead {
		t.Errorf("got %+v, want dead after a day", l)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2025, 11, 17, 8, 0, 0, 0, time.UTC)
	for v, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-3": 0, "x": 0, "999999999": MaxAge,
		"Mon, 17 Nov 2025 08:01:00 GMT": time.Minute, "Mon, 17 Nov 2025 07:00:00 GMT": 0,
	} {
		if got := parseRetryAfter(v, now); got != want {
			t.Errorf("%q: got %v, want %v", v, got, want)
		}
	}
}

func TestFailingReceiverIsLeftAloneForAWhile(t *testing.T) {
	var p pauses
	now := time.Date(2025, 11, 17, 8, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return now.Add(d) }
	for range 2 {
		p.report("a", now, false, time.Minute)
	}
	if d := p.wait("a", now, time.Second); d != 0 {
		t.Errorf("got %v after two failures, want no pause", d)
	}
	p.report("a", now, false, time.Hour)
	if d := p.wait("a", at(time.Minute), time.Second); d != maxPause-time.Minute {
		t.Errorf("got %v, want the rest of the longest pause", d)
	}
	if d := p.wait("b", now, time.Second); d != 0 {
		t.Errorf("got %v for another receiver, want none", d)
	}
	// After the pause one attempt finds out; the others wait for it.
	if d := p.wait("a", at(maxPause), time.Second); d != 0 {
		t.Errorf("got %v after the pause, want one attempt", d)
	}
	for late, want := range map[time.Duration]time.Duration{0: leastPause, 300 * time.Millisecond: 300 * time.Millisecond, 900 * time.Millisecond: 100 * time.Millisecond} {
		if d := p.wait("a", at(maxPause+late), time.Second); d != want {
			t.Errorf("got %v %v after the first, want the second to wait %v for it", d, late, want)
		}
	}
	p.report("a", at(maxPause), true, 0)
	if d := p.wait("a", at(maxPause), time.Second); d != 0 {
		t.Errorf("got %v after a success, want no pause", d)
	}
}

func TestHangingReceiverDoesNotHoldUpOthers(t *testing.T) {
	f := newFixture(t)
	f.service.o.Timeout = 300 * time.Millisecond
	f.service.client = newClient(300*time.Millisecond, true)
	release := make(chan struct{})
	hang := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer hang.Close()
	defer close(release)
	good := newReceiver(t)
	f.rule("bad", hang.URL)
	f.rule("hbm", good.URL)
	f.run()
	for i := range 40 {
		f.alert("bad", fmt.Sprintf("b%d", i), 1)
	}
	began := time.Now()
	f.alert("hbm", "a1", 1)
	good.next()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("got the alert of another rule after %v, want it soon", took)
	}
}

func TestPruneKeepsWhatIsYoungOrPending(t *testing.T) {
	f := newFixture(t)
	old, young := time.Now().Add(-Retention-time.Hour).UTC(), time.Now().UTC()
	for id, l := range map[string]letter{
		"old":     {Record: Record{Status: Delivered, Created: old, LastTry: old}},
		"pending": {Record: Record{Status: Pending, Created: old, LastTry: old}},
		"retried": {Record: Record{Status: Dead, Created: old, LastTry: young}},
		"young":   {Record: Record{Status: Delivered, Created: young, LastTry: young}},
	} {
		l.ID, l.Rule = id, "hbm"
		if err := f.service.journal.put(t.Context(), &l); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := f.service.prune(t.Context()); n != 1 || err != nil {
		t.Errorf("got %d, %v, want one pruned", n, err)
	}
	list, err := f.service.List(t.Context(), Filter{})
	if err != nil {
		t.Fatal(err)
	}
	ids := make(map[string]bool)
	for _, r := range list {
		ids[r.ID] = true
	}
	if want := map[string]bool{"pending": true, "retried": true, "young": true}; !cmp.Equal(ids, want) {
		t.Errorf("got %v left, want %v", ids, want)
	}
}
