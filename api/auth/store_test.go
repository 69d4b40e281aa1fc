package auth

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"xinwen/news/bus"
)

func openBus(t *testing.T) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: t.TempDir()}, Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// running returns a store that follows its bucket.
func running(t *testing.T, b *bus.Bus, fixed ...string) *Store {
	t.Helper()
	s := NewStore(b, slog.New(slog.DiscardHandler), fixed...)
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return s
}

// eventually waits until f is true.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range 10_000 {
		if f() {
			return
		}
		<-tick.C
	}
	t.Fatalf("not in 10 s: %s", what)
}

func (s *Store) make(t *testing.T, name string, role Role, lifetime time.Duration) (*Key, string) {
	t.Helper()
	k, text, err := s.Create(t.Context(), New{Name: name, Role: role, Lifetime: lifetime})
	if err != nil {
		t.Fatal(err)
	}
	return k, text
}

func TestKeysAreFollowedByEveryReplica(t *testing.T) {
	b := openBus(t)
	one, two := running(t, b), running(t, b)
	if one.Any() {
		t.Error("got keys in an empty bucket")
	}
	_, admin := one.make(t, "ada", Admin, 0)
	k, text := one.make(t, "bob", Read, 0)
	if !strings.HasPrefix(text, keyPrefix) || len(text) != len(keyPrefix)+52+7 {
		t.Errorf("got key %q", text)
	}
	eventually(t, "the other replica knows the key", func() bool { v, err := two.Authenticate(text); return err == nil && v.Name == "bob" && v.Role == Read })
	eventually(t, "the use is written down", func() bool {
		e, err := b.KV(bus.KVKeys).Get(t.Context(), usedEntry+k.ID)
		return err == nil && len(e.Value()) > 0
	})
	secret, _, err := two.OpenSession(t.Context(), Viewer{Name: "bob", Role: Read, Key: k.ID}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the session is known elsewhere", func() bool { v, ok := one.Resume(secret); return ok && v.Session && v.Role == Read })
	if err := two.Revoke(t.Context(), k.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := two.Authenticate(text); !errors.Is(err, ErrRevoked) {
		t.Errorf("got %v right after the revocation", err)
	}
	eventually(t, "the other replica sees the revocation", func() bool { _, err := one.Authenticate(text); return errors.Is(err, ErrRevoked) })
	if _, ok := one.Resume(secret); ok {
		t.Error("got a session of a revoked key")
	}
	// All is there after a start.
	three := running(t, b)
	if v, err := three.Authenticate(admin); err != nil || v.Role != Admin || !three.Any() {
		t.Errorf("got %+v, %v", v, err)
	}
	if list := three.List(); len(list) != 2 || list[0].Name != "ada" || list[1].Revoked.IsZero() || list[1].Hash != nil || list[1].Used.IsZero() {
		t.Errorf("got %+v", list)
	}
}

func TestBucketHoldsNoSecret(t *testing.T) {
	b := openBus(t)
	s := running(t, b)
	_, text := s.make(t, "ada", Admin, 0)
	secret, _, err := s.OpenSession(t.Context(), Viewer{Name: "eve", Role: Read}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := b.KV(bus.KVKeys).Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		e, err := b.KV(bus.KVKeys).Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		for _, hidden := range []string{text, strings.TrimPrefix(text, keyPrefix)[:20], secret} {
			if strings.Contains(key+string(e.Value()), hidden) {
				t.Errorf("%s holds a secret: %s", key, e.Value())
			}
		}
	}
}

func TestWhatOpensNothing(t *testing.T) {
	s := running(t, openBus(t), "a key that somebody has chosen, long enough")
	_, short := s.make(t, "short", Read, time.Nanosecond)
	_, good := s.make(t, "good", Read, time.Hour)
	swapped := []byte(good)
	swapped[10], swapped[11] = swapped[11], swapped[10]
	if swapped[10] == swapped[11] {
		swapped[10] = "ab"[boolToInt(swapped[10] == 'a')]
	}
	for _, tc := range []struct {
		name, text string
		want       error
	}{
		{"good", good, nil},
		{"fixed", "a key that somebody has chosen, long enough", nil},
		{"expired", short, ErrExpired},
		{"cut", good[:len(good)-1], ErrGarbled},
		{"swapped", string(swapped), ErrGarbled},
		{"prefix", keyPrefix, ErrGarbled},
		{"other", newSecret(), ErrUnknown},
		{"empty", "", ErrUnknown},
		{"word", "password", ErrUnknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := s.Authenticate(tc.text); !errors.Is(err, tc.want) {
				t.Errorf("got %v, want %v", err, tc.want)
			}
		})
	}
}

func boolToInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestAnAdministratorStays(t *testing.T) {
	s := running(t, openBus(t))
	if _, _, err := s.Create(t.Context(), New{Name: "bob", Role: Read}); !errors.Is(err, ErrFirstAdmin) {
		t.Errorf("got %v, want an administrator's first", err)
	}
	ada, _ := s.make(t, "ada", Admin, 0)
	bob, _ := s.make(t, "bob", Read, 0)
	if err := s.Revoke(t.Context(), ada.ID); !errors.Is(err, ErrLastAdmin) {
		t.Errorf("got %v, want the last one kept while others are there", err)
	}
	for _, id := range []string{bob.ID, ada.ID, ada.ID} { // twice is once
		if err := s.Revoke(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	if s.Any() {
		t.Error("got keys asked for when all are revoked")
	}
	expired, _ := s.make(t, "eve", Admin, time.Nanosecond)
	if !s.Any() {
		t.Error("an expired key opens the api")
	}
	if err := s.Revoke(t.Context(), expired.ID); err != nil {
		t.Error(err)
	}
	for id, want := range map[string]error{"none": ErrNoKey, "": ErrNoKey, "a.b*>": ErrNoKey} {
		if err := s.Revoke(t.Context(), id); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", id, err, want)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	b := openBus(t)
	s := running(t, b)
	over, _, err := s.OpenSession(t.Context(), Viewer{Name: "eve", Role: Read}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Resume(over); ok {
		t.Error("got a session that is over")
	}
	open, _, err := s.OpenSession(t.Context(), Viewer{Name: "eve", Role: Alerts}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.KV(bus.KVKeys).Get(t.Context(), sessionEntry+sessionID(over)); err == nil {
		t.Error("got a session in the bucket that is over")
	}
	if v, ok := s.Resume(open); !ok || v != (Viewer{Name: "eve", Role: Alerts, Session: true}) {
		t.Errorf("got %+v, %v", v, ok)
	}
	if err := s.CloseSession(t.Context(), open); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Resume(open); ok {
		t.Error("got a session that was closed")
	}
	if _, ok := s.Resume(""); ok {
		t.Error("got a session of nobody")
	}
}

func TestEntriesThatCannotBeReadOpenNothing(t *testing.T) {
	b := openBus(t)
	s := NewStore(b, slog.New(slog.DiscardHandler))
	text := newSecret()
	for key, value := range map[string]string{
		keyEntry + idOf(text):        `{"id":"other","role":"admin"}`,
		keyEntry + "x":               "no JSON",
		keyEntry + "y":               `{"id":"y","role":"king"}`,
		sessionEntry + "z":           `{"role":"king","expires":"2099-01-01T00:00:00Z"}`,
		usedEntry + "x":              "never",
		sessionEntry + sessionID(""): `[]`,
	} {
		if _, err := b.KV(bus.KVKeys).Put(t.Context(), key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Authenticate(text); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v, want unknown", err)
	}
	if len(s.List()) != 0 || len(s.sessions) != 0 {
		t.Errorf("got %v and %v", s.List(), s.sessions)
	}
}
