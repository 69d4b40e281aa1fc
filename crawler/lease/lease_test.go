package lease_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"xinwen/crawler/lease"
	"xinwen/news/bus"
)

const parts = 16

// world checks that no part has two owners.
type world struct {
	t  *testing.T
	mu sync.Mutex
	// owner of each part; counts are of Takes.
	owner [parts]string
	takes int
	// changed is told of every change.
	changed chan struct{}
}

func (w *world) tell() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *world) held(name string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, o := range w.owner {
		if o == name {
			n++
		}
	}
	return n
}

// wait waits until the crawlers hold as many parts as want says.
func (w *world) wait(want map[string]int) {
	w.t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for {
		ok := true
		for name, n := range want {
			ok = ok && w.held(name) == n
		}
		if ok {
			return
		}
		select {
		case <-w.changed:
		case <-deadline.C:
			w.t.Fatalf("got owners %v, want %v", w.owner, want)
		}
	}
}

// start starts a crawler; the function ends it.
func (w *world) start(b *bus.Bus, name string, alone bool, ended ...string) func() {
	ctx, cancel := context.WithCancel(context.Background())
	l := lease.New(lease.Options{
		KV: b.KV(bus.KVHosts), Name: name, Ended: ended, Parts: parts, Alone: alone, TTL: time.Second, Log: slog.New(slog.DiscardHandler),
		Take: func(part int, _ time.Time) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.owner[part] != "" {
				w.t.Errorf("part %d goes to %s while %s has it", part, name, w.owner[part])
			}
			w.owner[part] = name
			w.takes++
			w.tell()
		},
		Give: func(part int, _ bool) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.owner[part] != name {
				w.t.Errorf("part %d is given by %s but %q has it", part, name, w.owner[part])
			}
			w.owner[part] = ""
			w.tell()
		},
	})
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	end := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	w.t.Cleanup(end)
	return end
}

func openBus(t *testing.T) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: t.TempDir(), MinFreeBytes: -1}, Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() }) // nothing depends on it any more
	return b
}

func TestCrawlersShareParts(t *testing.T) {
	w := &world{t: t, changed: make(chan struct{}, 1)}
	b := openBus(t)
	endA := w.start(b, "a", false)
	w.wait(map[string]int{"a": 16})
	endB := w.start(b, "b", false)
	w.wait(map[string]int{"a": 8, "b": 8})
	endC := w.start(b, "c", false)
	// 16 parts for three: nobody has more than six.
	w.wait(map[string]int{"a": 6, "b": 6, "c": 4})
	endA()
	w.wait(map[string]int{"b": 8, "c": 8})
	endB()
	w.wait(map[string]int{"c": 16})
	endC()
	w.wait(map[string]int{"": 16})
}

// TestSilentCrawlerIsSucceeded leaves heartbeat and parts of a crawler that was
// killed: another one takes them only when it has been silent for long enough,
// but its next run, which knows that it has ended, at once.
func TestSilentCrawlerIsSucceeded(t *testing.T) {
	for _, c := range []struct {
		name  string
		ended []string
		early bool
	}{
		{"by-another", []string{"long-gone"}, false},
		{"by-its-next-run", []string{"long-gone", "dead"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := &world{t: t, changed: make(chan struct{}, 1)}
			b := openBus(t)
			kv := b.KV(bus.KVHosts)
			began := time.Now()
			if _, err := kv.Put(t.Context(), "crawler.member.dead", []byte("x")); err != nil {
				t.Fatal(err)
			}
			for p := range parts {
				if _, err := kv.Put(t.Context(), fmt.Sprintf("crawler.part.%d", p), []byte(`{"owner":"dead"}`)); err != nil {
					t.Fatal(err)
				}
			}
			w.start(b, "heir", false, c.ended...)
			w.wait(map[string]int{"heir": 16})
			took := time.Since(began)
			if !c.early && took < time.Second {
				t.Errorf("taken over after %v: it may still have been alive", took)
			}
			if _, err := kv.Get(t.Context(), "crawler.member.dead"); c.early == (err == nil) {
				t.Errorf("got %v for the heartbeat of the dead after %v, want it ended: %t", err, took, c.early)
			}
		})
	}
}

func TestAloneTakesEverythingAtOnce(t *testing.T) {
	w := &world{t: t, changed: make(chan struct{}, 1)}
	b := openBus(t)
	end := w.start(b, "a", true)
	w.wait(map[string]int{"a": 16})
	end()
	w.wait(map[string]int{"": 16})
	w.start(b, "b", true)
	w.wait(map[string]int{"b": 16})
}
