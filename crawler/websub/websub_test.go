package websub

import (
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/url"
	"testing"
	"time"
)

func TestSubscriptionIsDue(t *testing.T) {
	now := time.Date(2025, 11, 17, 8, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for name, c := range map[string]struct {
		s    subscription
		want bool
	}{
		"new":            {subscription{}, true},
		"just-asked":     {subscription{asked: ago(time.Minute)}, false},
		"never-verified": {subscription{asked: ago(2 * time.Hour)}, true},
		"denied":         {subscription{asked: ago(2 * time.Hour), denied: true}, false},
		"denied-long":    {subscription{asked: ago(7 * time.Hour), denied: true}, true},
		"standing":       {subscription{asked: ago(24 * time.Hour), until: now.Add(6 * 24 * time.Hour)}, false},
		"near-its-end":   {subscription{asked: ago(5 * 24 * time.Hour), until: now.Add(2 * 24 * time.Hour)}, true},
		"renewal-asked":  {subscription{asked: ago(time.Minute), until: ago(2 * time.Minute)}, false},
	} {
		if got := c.s.due(now); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestSignatures(t *testing.T) {
	mac := hmac.New(sha512.New, []byte("secret"))
	mac.Write([]byte("body"))
	right := hex.EncodeToString(mac.Sum(nil))
	for header, want := range map[string]bool{
		"sha512=" + right: true, " SHA512=" + right: true, "sha256=" + right: false, "sha512=" + right[2:]: false, "": false, "sha512": false, "sha512=zz": false,
	} {
		if got := signed(header, "secret", []byte("body")); got != want {
			t.Errorf("%q: got %v, want %v", header, got, want)
		}
	}
}

func TestHubThatRefusesIsLeftAlone(t *testing.T) {
	asked := 0
	s, err := Listen(Config{Listen: "127.0.0.1:0", PublicURL: "http://a.example"}, func(context.Context, string, url.Values) (int, error) {
		asked++
		return 503, nil
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	for i := range 3 {
		err := s.Subscribe(ctx, "key", "https://hub.example/", "https://a.example/feed", func() {})
		if (err != nil) != (i == 0) {
			t.Errorf("try %d: got %v", i, err)
		}
	}
	if asked != 1 || s.Standing("key") {
		t.Errorf("the hub was asked %d times, want once", asked)
	}
	cancel()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for _, c := range []Config{{Listen: ":80"}, {PublicURL: "http://a.example"}, {Listen: "80", PublicURL: "http://a.example"}, {Listen: ":80", PublicURL: "a.example"}} {
		if c.Validate() == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
	if err := (Config{}).Validate(); err != nil {
		t.Error(err)
	}
}
