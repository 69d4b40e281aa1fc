package robots

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestCachePolicy(t *testing.T) {
	const deny = "User-agent: *\nDisallow: /x"
	tests := []struct {
		name    string
		status  int
		body    string
		err     error
		allowed bool
		blocked bool // an UnreachableError
	}{
		{name: "rules", status: 200, body: deny},
		{name: "empty", status: 204, allowed: true},
		{name: "not-found", status: 404, body: deny, allowed: true},
		{name: "forbidden", status: 403, allowed: true},
		{name: "too-many-redirects", err: ErrRedirects, allowed: true},
		{name: "too-many-requests", status: 429, blocked: true},
		{name: "server-error", status: 503, body: deny, blocked: true},
		{name: "no-answer", err: errors.New("connection refused"), blocked: true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			rules, err := NewCache("xinwen", nil).Rules(t.Context(), "http://news.example/x", func(context.Context, string) (int, []byte, error) {
				return tc.status, []byte(tc.body), tc.err
			})
			var unreachable *UnreachableError
			if errors.As(err, &unreachable) != tc.blocked {
				t.Fatalf("got error %v, want unreachable %v", err, tc.blocked)
			}
			if err == nil && rules.Allowed("/x") != tc.allowed {
				t.Errorf("got allowed %v, want %v", !tc.allowed, tc.allowed)
			}
		})
	}
}

func TestCacheKeepsLastGoodCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		status, fetches := 200, 0
		c := NewCache("xinwen", nil)
		fetch := func(context.Context, string) (int, []byte, error) {
			fetches++
			return status, []byte("User-agent: *\nDisallow: /private/"), nil
		}
		check := func(when string, wantFetches int, wantBlocked bool) {
			t.Helper()
			rules, err := c.Rules(t.Context(), "https://news.example/private/1", fetch)
			if (err != nil) != wantBlocked {
				t.Fatalf("%s: got error %v, want blocked %v", when, err, wantBlocked)
			}
			if err == nil && rules.Allowed("/private/1") {
				t.Errorf("%s: got allowed, want denied", when)
			}
			if fetches != wantFetches {
				t.Errorf("%s: got %d fetches, want %d", when, fetches, wantFetches)
			}
		}
		check("first", 1, false)
		<-time.After(MaxAge - time.Second)
		check("within a day", 1, false)
		status = 500
		<-time.After(time.Second)
		check("server in trouble", 2, false)
		<-time.After(minRetry - time.Second)
		check("before the retry", 2, false)
		<-time.After(time.Second)
		check("retry", 3, false)
		<-time.After(MaxGoodAge)
		check("good copy too old", 4, true)
		status = 200
		<-time.After(maxRetry)
		check("well again", 5, false)
	})
}

func TestCacheSharesOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fetches := 0
		c := NewCache("xinwen", nil)
		fetch := func(context.Context, string) (int, []byte, error) {
			fetches++
			<-time.After(time.Second)
			return 404, nil, nil
		}
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := c.Rules(t.Context(), "http://news.example/a", fetch); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if fetches != 1 {
			t.Errorf("got %d fetches, want 1", fetches)
		}
	})
}

func TestCacheForgetsHostUsedLongestAgo(t *testing.T) {
	c := NewCache("xinwen", nil)
	for i := range maxHosts + 10 {
		c.entry("http://" + string(rune('a'+i%26)) + time.Duration(i).String())
	}
	if got := c.recent.Len(); got != maxHosts {
		t.Errorf("got %d hosts, want %d", got, maxHosts)
	}
}
