package auth

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"xinwen/api/problem"
)

func TestAddressComesFromTrustedProxiesOnly(t *testing.T) {
	g, err := NewGuard(Options{Bus: openBus(t), Config: Config{TrustedProxies: []string{"10.0.0.0/8", "192.0.2.7", "2001:db8::/32"}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, remote, forwarded, want string
	}{
		{"direct", "203.0.113.9:1", "", "203.0.113.9"},
		{"liar", "203.0.113.9:1", "198.51.100.1", "203.0.113.9"},
		{"proxy", "10.1.2.3:1", "198.51.100.1", "198.51.100.1"},
		{"liar-behind-proxy", "10.1.2.3:1", "1.1.1.1, 198.51.100.1", "198.51.100.1"},
		{"two-proxies", "10.1.2.3:1", "1.1.1.1, 198.51.100.1, 192.0.2.7", "198.51.100.1"},
		{"nonsense", "10.1.2.3:1", "1.1.1.1, unknown", "10.1.2.3"},
		{"empty", "10.1.2.3:1", "", "10.1.2.3"},
		{"mapped", "[::ffff:10.1.2.3]:1", "198.51.100.1", "198.51.100.1"},
		{"six", "[2001:db8::1]:1", "2a00:1:2:3:4:5:6:7", "2a00:1:2:3::/64"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = tc.remote
			if tc.forwarded != "" {
				r.Header.Set("X-Forwarded-For", tc.forwarded)
			}
			if got := g.ip(r); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
			r.Header.Set("X-Forwarded-Proto", "https")
			if got, want := g.Secure(r), !strings.HasPrefix(tc.remote, "203"); got != want {
				t.Errorf("got secure %v, want %v", got, want)
			}
		})
	}
}

func TestLimitersAreBounded(t *testing.T) {
	l := newLimits(60, 60)
	now := time.Now()
	for i := range 3 * maxLimiters {
		l.take(string(rune(i)), 1, now)
	}
	if len(l.all) > maxLimiters {
		t.Errorf("got %d limiters, want at most %d", len(l.all), maxLimiters)
	}
	if left, wait := l.take("greedy", 1000, now); left != 0 || wait != 0 {
		t.Errorf("got %d left and %v to wait, want the whole budget taken", left, wait)
	}
	if _, wait := l.take("greedy", 2, now); wait.Seconds() < 1.9 || wait.Seconds() > 2.1 {
		t.Errorf("got %v to wait, want 2 s", wait)
	}
}

func TestConfigTellsAllFaultsAtOnce(t *testing.T) {
	c := Config{
		Session: -1, RequestsPerMinute: -1, TrustedProxies: []string{"proxy.example"}, AdminKey: "a", AdminKeyFile: "b",
		OIDC: OIDC{Issuer: "http://login.example", ClientSecretEnv: "A", ClientSecretFile: "b"},
	}
	err := c.Validate()
	for _, want := range []string{"session", "requests_per_minute", "proxy.example", "admin_key_file", "https", "client_id", "client_secret_env", "default_role"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to name %s", err, want)
		}
	}
	if err := (&Config{}).Validate(); err != nil {
		t.Errorf("got %v, want the zero value to be good", err)
	}
	for key, want := range map[string]string{"short": "shorter than 32", keyPrefix + strings.Repeat("a", 59): "not whole"} {
		if _, err := (&Config{AdminKey: key}).adminKeys(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", key, err, want)
		}
	}
}

func TestRequestsHaveATime(t *testing.T) {
	for pattern, r := range policy {
		if r.timeout == 0 && !slices.Contains([]string{
			"GET /v1/stream", "GET /v1/export", "POST /v1/articles", "POST /v1/pages", "/mcp",
			"GET /debug/pprof/", "GET /debug/pprof/profile", "GET /debug/pprof/trace",
		}, pattern) {
			t.Errorf("%s may take as long as it likes", pattern)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		g := &Guard{loopback: true, Store: &Store{}}
		w := httptest.NewRecorder()
		slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			problem.Write(w, problem.Of(r.Context().Err()))
		})
		begun := time.Now()
		g.check(rule{Nobody, 0, usual}, slow).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if took := time.Since(begun); took != usual || w.Code != http.StatusGatewayTimeout || !strings.Contains(w.Body.String(), "took too long") {
			t.Errorf("got %d after %v: %s", w.Code, took, w.Body)
		}
	})
}
