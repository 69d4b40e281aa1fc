package frontier

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"xinwen/news"
	"xinwen/news/bus"
)

func openBus(t *testing.T, dir string) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: dir, MinFreeBytes: -1}, Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() }) // closed twice where the test did
	return b
}

const page = "http://news.example/1.html"

func TestAddOnceAndKeepOverRestart(t *testing.T) {
	dir := t.TempDir()
	b := openBus(t, dir)
	f := New(b)
	entry := Entry{URL: page, Source: "demo", Feed: &news.FeedEntry{Title: "芯片"}}
	add := func(want bool) {
		t.Helper()
		if got, err := f.Add(t.Context(), entry); err != nil || got != want {
			t.Fatalf("got %v, %v, want %v", got, err, want)
		}
	}
	add(true)
	add(false)
	left := func(wantNow, wantLater int) {
		t.Helper()
		now, later, err := f.Left(t.Context(), time.Minute)
		if err != nil || now != wantNow || later != wantLater {
			t.Errorf("left: got %d, %d, %v, want %d, %d", now, later, err, wantNow, wantLater)
		}
	}
	left(1, 0)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = openBus(t, dir)
	f = New(b)
	add(false)
	left(1, 0)

	// A timer that is far counts as later, one of the same URL takes its place.
	for _, d := range []time.Duration{time.Hour, 2 * time.Hour} {
		if err := f.Later(t.Context(), entry, time.Now().Add(d)); err != nil {
			t.Fatal(err)
		}
	}
	left(1, 1)
	if err := f.Later(t.Context(), Entry{URL: page + "?2", Source: "demo"}, time.Now().Add(30*time.Second)); err != nil {
		t.Fatal(err)
	}
	left(2, 1)

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	err := b.Consume(ctx, bus.ConsumerConfig{Stream: bus.Frontier, Name: "test", Filter: Filter(Partition("news.example"))}, func(_ context.Context, m *bus.Message) error {
		defer cancel()
		got, err := ParseEntry(m.Data)
		if err != nil {
			return err
		}
		want := entry
		want.Version = news.Version
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Entry{}, "Found")); diff != "" || got.Found.IsZero() {
			t.Errorf("entry (-want +got):\n%s", diff)
		}
		got.Failed = 4
		fresh, err := f.Fresh(m, got)
		if err != nil {
			return err
		}
		if again, err := ParseEntry(fresh.Data); err != nil || again.Failed != 0 || fresh.Attempt != 5 || fresh.Seq != m.Seq {
			t.Errorf("fresh: got %+v, %v, attempt %d", again, err, fresh.Attempt)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRecords(t *testing.T) {
	f := New(openBus(t, t.TempDir()))
	if _, known, err := f.Known(t.Context(), page); known || err != nil {
		t.Fatalf("got %v, %v, want unknown", known, err)
	}
	want := Record{Outcome: Fetched, Source: "demo", Published: true, Status: 200}
	if err := f.Mark(t.Context(), page, want); err != nil {
		t.Fatal(err)
	}
	got, known, err := f.Known(t.Context(), "https://news.example/1.html") // the same page
	if err != nil || !known {
		t.Fatalf("got %v, %v, want known", known, err)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Record{}, "Time")); diff != "" || got.Time.IsZero() {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	// A revisit comes although it is known.
	if added, err := f.Add(t.Context(), Entry{URL: page, Source: "demo", Revisit: true}); err != nil || !added {
		t.Errorf("revisit: got %v, %v", added, err)
	}
	if err := f.Forget(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	if _, known, err := f.Known(t.Context(), page); known || err != nil {
		t.Errorf("forgotten: got %v, %v", known, err)
	}
}

func TestRecordsThatAreNotFinalExpire(t *testing.T) {
	tests := map[string]struct {
		outcome Outcome
		age     time.Duration
		want    bool
	}{
		"fetched": {Fetched, 1000 * time.Hour, true}, "failed": {Failed, 1000 * time.Hour, true}, "gone": {Gone, 1000 * time.Hour, true},
		"denied-today": {Denied, 23 * time.Hour, true}, "denied-long-ago": {Denied, 25 * time.Hour, false},
		"waiting": {Waiting, 8 * 24 * time.Hour, true}, "lost": {Waiting, 15 * 24 * time.Hour, false},
	}
	for name, tc := range tests {
		if got := (Record{Outcome: tc.outcome, Time: time.Now().Add(-tc.age)}).settled(); got != tc.want {
			t.Errorf("%s: got %v, want %v", name, got, tc.want)
		}
	}
}

func TestParseEntryRefuses(t *testing.T) {
	for _, bad := range []string{"", "{}", `{"v":99,"url":"http://news.example/"}`, `{"url":"ftp://x/"}`} {
		if e, err := ParseEntry([]byte(bad)); err == nil {
			t.Errorf("%q: got %+v", bad, e)
		}
	}
}

func TestHostsKeepNextTurnOverRestart(t *testing.T) {
	dir := t.TempDir()
	b := openBus(t, dir)
	hosts := NewHosts(b.KV(bus.KVHosts), 2, slog.New(slog.DiscardHandler))
	turn, err := hosts.Acquire(t.Context(), "slow.example", "", time.Hour, false)
	if err != nil {
		t.Fatal(err)
	}
	_ = turn // the process dies within its request
	hosts.Hold(t.Context(), "busy.example:8080", time.Now().Add(2*time.Hour))
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = openBus(t, dir)
	hosts = NewHosts(b.KV(bus.KVHosts), 2, slog.New(slog.DiscardHandler))
	for name, want := range map[string]time.Duration{"slow.example": time.Hour, "busy.example:8080": 2 * time.Hour} {
		_, err := hosts.Acquire(t.Context(), name, "", time.Second, true)
		var held *HeldError
		if !errors.As(err, &held) {
			t.Errorf("%s: got %v, want a HeldError", name, err)
			continue
		}
		if wait := time.Until(held.Until); wait < want-time.Minute || wait > want {
			t.Errorf("%s: held for %v, want %v", name, wait, want)
		}
	}
	other, err := hosts.Acquire(t.Context(), "other.example", "", time.Second, false)
	if err != nil {
		t.Fatal(err)
	}
	other.Leave()
	other.Done()
}
