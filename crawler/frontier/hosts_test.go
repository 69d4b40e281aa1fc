package frontier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// server is the referee: it logs when requests begin and end.
type server struct {
	mu      sync.Mutex
	log     map[string][]span
	running int
	most    int
}

type span struct {
	who        string
	start, end time.Duration
}

func (s *server) serve(t0 time.Time, host, who string, took time.Duration) {
	start := time.Since(t0)
	s.mu.Lock()
	s.running++
	s.most = max(s.most, s.running)
	s.mu.Unlock()
	<-time.After(took)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running--
	if s.log == nil {
		s.log = make(map[string][]span)
	}
	s.log[host] = append(s.log[host], span{who, start, time.Since(t0)})
}

func TestHostsKeepDelayPerHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := NewHosts(nil, 100, slog.New(slog.DiscardHandler))
		var ref server
		t0 := time.Now()
		var wg sync.WaitGroup
		for h := range 3 {
			host, delay := fmt.Sprintf("h%d.example", h), time.Duration(h+1)*time.Second
			for range 20 {
				wg.Go(func() {
					turn, err := hosts.Acquire(t.Context(), host, "", delay, false)
					if err != nil {
						t.Error(err)
						return
					}
					defer turn.Done()
					ref.serve(t0, host, "", 300*time.Millisecond)
					turn.Leave()
				})
			}
		}
		wg.Wait()
		for h := range 3 {
			host, delay := fmt.Sprintf("h%d.example", h), time.Duration(h+1)*time.Second
			spans := ref.log[host]
			if len(spans) != 20 {
				t.Fatalf("%s: got %d requests, want 20", host, len(spans))
			}
			for i := range spans[1:] {
				if gap := spans[i+1].start - spans[i].end; gap != delay {
					t.Errorf("%s: got a gap of %v, want %v", host, gap, delay)
				}
			}
		}
		// 20 requests of 300 ms with 3 s between them: the hosts did not wait for
		// each other.
		if got, want := time.Since(t0), 20*300*time.Millisecond+19*3*time.Second; got != want {
			t.Errorf("all took %v, want %v", got, want)
		}
	})
}

func TestHostsSlotIsNotHeldWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := NewHosts(nil, 2, slog.New(slog.DiscardHandler))
		var ref server
		t0 := time.Now()
		var wg sync.WaitGroup
		// Ten requests wait for a slow host; others must not wait behind them.
		for i := range 20 {
			host, delay := "slow.example", time.Minute
			if i >= 10 {
				host, delay = fmt.Sprintf("h%d.example", i), time.Second
			}
			wg.Go(func() {
				turn, err := hosts.Acquire(t.Context(), host, "", delay, false)
				if err != nil {
					t.Error(err)
					return
				}
				ref.serve(t0, host, "", time.Second)
				turn.Leave()
				turn.Done()
			})
		}
		wg.Wait()
		if ref.most > 2 {
			t.Errorf("got %d requests at once, want at most 2", ref.most)
		}
		for i := 10; i < 20; i++ {
			if end := ref.log[fmt.Sprintf("h%d.example", i)][0].end; end > 11*time.Second {
				t.Errorf("h%d ended after %v, want at most 11s", i, end)
			}
		}
	})
}

func TestHostsUrgentGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := NewHosts(nil, 1, slog.New(slog.DiscardHandler))
		var order []string
		var mu sync.Mutex
		var wg sync.WaitGroup
		ask := func(who string, urgent bool) {
			wg.Go(func() {
				turn, err := hosts.Acquire(t.Context(), "h", "", time.Second, urgent)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, who)
				mu.Unlock()
				turn.Leave()
				turn.Done()
			})
			synctest.Wait() // the order of arrival is part of the test
		}
		ask("a", false)
		ask("b", false)
		ask("c", false)
		ask("feed", true)
		wg.Wait()
		if diff := cmp.Diff([]string{"a", "feed", "b", "c"}, order); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
	})
}

func TestHostsHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := NewHosts(nil, 1, slog.New(slog.DiscardHandler))
		t0 := time.Now()
		hosts.Hold(t.Context(), "h", t0.Add(time.Minute))
		hosts.Hold(t.Context(), "h", t0.Add(time.Second)) // a shorter one changes nothing
		turn, err := hosts.Acquire(t.Context(), "h", "", time.Second, false)
		if err != nil {
			t.Fatal(err)
		}
		turn.Leave()
		turn.Done()
		if got := time.Since(t0); got != time.Minute {
			t.Errorf("waited %v, want 1m", got)
		}
		// Those who wait are sent away if it gets too long, and nobody comes in.
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := hosts.Acquire(t.Context(), "h", "", time.Hour, false)
			var held *HeldError
			if !errors.As(err, &held) {
				t.Errorf("got %v, want a HeldError", err)
			}
		})
		synctest.Wait()
		hosts.Hold(t.Context(), "h", time.Now().Add(time.Hour))
		wg.Wait()
		if _, err := hosts.Acquire(t.Context(), "h", "", 0, false); err == nil {
			t.Error("a held host was given a turn")
		}
	})
}

func TestHostsThatGoOnAskingAreLeftAloneLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := NewHosts(nil, 1, slog.New(slog.DiscardHandler))
		request := func(limited bool) time.Duration {
			began := time.Now()
			turn, err := hosts.Acquire(t.Context(), "h", "", time.Second, false)
			var held *HeldError
			if errors.As(err, &held) {
				<-time.After(time.Until(held.Until))
				turn, err = hosts.Acquire(t.Context(), "h", "", time.Second, false)
			}
			if err != nil {
				t.Fatal(err)
			}
			waited := time.Since(began)
			if limited {
				hosts.Hold(t.Context(), "h", time.Now().Add(20*time.Second))
			}
			turn.Leave()
			turn.Done()
			return waited
		}
		var got []time.Duration
		for range 12 {
			got = append(got, request(true))
		}
		got = append(got, request(false), request(true), request(false))
		const s, m = time.Second, time.Minute
		want := []time.Duration{0, 20 * s, 40 * s, 80 * s, 160 * s, 320 * s, 640 * s, 1280 * s, 2560 * s, 60 * m, 60 * m, 60 * m, 60 * m, s, 20 * s}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("waits (-want +got):\n%s", diff)
		}
		const week = 7 * 24 * time.Hour // what it asks for itself stands
		for range 20 {
			turn, err := hosts.Acquire(t.Context(), "patient", "", time.Second, false)
			if err != nil {
				t.Fatal(err)
			}
			hosts.Hold(t.Context(), "patient", time.Now().Add(week))
			turn.Leave()
			turn.Done()
			_, err = hosts.Acquire(t.Context(), "patient", "", time.Second, false)
			var held *HeldError
			if !errors.As(err, &held) || time.Until(held.Until) != week {
				t.Fatalf("got %v, want the host held for a week", err)
			}
			<-time.After(week)
		}
	})
}

func TestHostsDelayOfADayIsNotWaitedForInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := NewHosts(nil, 1, slog.New(slog.DiscardHandler))
		const day = 24 * time.Hour
		acquire := func() error {
			turn, err := hosts.Acquire(t.Context(), "h", "", day, false)
			if err == nil {
				turn.Leave()
				turn.Done()
			}
			return err
		}
		if err := acquire(); err != nil {
			t.Fatal(err)
		}
		left := time.Now()
		var held *HeldError
		if err := acquire(); !errors.As(err, &held) || !held.Until.Equal(left.Add(day)) {
			t.Fatalf("got %v, want a HeldError until the next day", err)
		}
		<-time.After(time.Until(held.Until))
		if err := acquire(); err != nil {
			t.Errorf("a day later: %v", err)
		}
	})
}

func TestHostsAcquireGivesUpWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := NewHosts(nil, 1, slog.New(slog.DiscardHandler))
		first, err := hosts.Acquire(t.Context(), "h", "", time.Second, false)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for range 3 {
			if _, err := hosts.Acquire(ctx, "h", "", time.Second, false); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want that the deadline is exceeded", err)
			}
		}
		// Whoever waited for a slot must not keep the host either.
		if _, err := hosts.Acquire(ctx, "other", "", 0, false); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want that the deadline is exceeded", err)
		}
		first.Leave()
		first.Leave()
		first.Done()
		first.Done()
		for _, name := range []string{"h", "other"} {
			turn, err := hosts.Acquire(t.Context(), name, "", time.Second, false)
			if err != nil {
				t.Fatal(err)
			}
			turn.Leave()
			turn.Done()
		}
	})
}

func TestHostsEnterSendsAwayWhoWouldWaitTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := NewHosts(nil, 1, slog.New(slog.DiscardHandler))
		t0 := time.Now()
		var exits []func()
		var backs []time.Duration
		for range 6 {
			exit, back, err := hosts.Enter(t.Context(), "h", 2*time.Second, 3, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			if exit != nil {
				exits = append(exits, exit)
			} else {
				backs = append(backs, back.Sub(t0))
			}
		}
		if len(exits) != 3 {
			t.Errorf("got %d in hand, want 3", len(exits))
		}
		if diff := cmp.Diff([]time.Duration{6 * time.Second, 8 * time.Second, 10 * time.Second}, backs); diff != "" {
			t.Errorf("come back (-want +got):\n%s", diff)
		}
		for _, exit := range exits {
			exit()
		}
		hosts.Hold(t.Context(), "h", t0.Add(time.Hour))
		if exit, back, _ := hosts.Enter(t.Context(), "h", 2*time.Second, 3, time.Minute); exit != nil || back.Sub(t0) != time.Hour {
			t.Errorf("held host: got %v, want to come back in an hour", back.Sub(t0))
		}
	})
}

func TestHostsAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hosts := NewHosts(nil, 1, slog.New(slog.DiscardHandler))
		for i := range maxHosts + 100 {
			if i == maxHosts-1 {
				<-time.After(2 * time.Hour)
			}
			turn, err := hosts.Acquire(t.Context(), fmt.Sprint(i), "", time.Second, false)
			if err != nil {
				t.Fatal(err)
			}
			turn.Leave()
			turn.Done()
		}
		if n := len(hosts.hosts); n > 200 {
			t.Errorf("got %d hosts in memory, want those of the last hour", n)
		}
		var names []string
		for name := range hosts.hosts {
			names = append(names, name)
		}
		if !slices.Contains(names, fmt.Sprint(maxHosts+50)) {
			t.Error("a host just used was forgotten")
		}
	})
}

func TestHeldUntil(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name          string
		next, written time.Duration // from now
		want          time.Duration
	}{
		{"ten minutes ago, for an hour", 50 * time.Minute, -10 * time.Minute, 50 * time.Minute},
		{"long over", -time.Hour, -2 * time.Hour, -time.Hour},
		{"clocks of two machines", time.Minute, 2 * time.Second, time.Minute},
		{"clock set back by a year", 365*24*time.Hour + time.Hour, 365 * 24 * time.Hour, time.Hour},
	} {
		if got := heldUntil(now.Add(c.next), now.Add(c.written), now).Sub(now); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
