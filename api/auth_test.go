package api

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"xinwen/api/auth"
	"xinwen/api/internal/memory"
	"xinwen/news/bus"
)

const adminKey = "0123456789abcdef0123456789abcdef"

// withKeys starts an api that asks for keys, and makes one of each role.
func withKeys(t *testing.T, change func(*Options)) (*fixture, map[auth.Role]string) {
	t.Helper()
	f := start(t, func(o *Options) {
		o.Config.Auth.AdminKey = adminKey
		if change != nil {
			change(o)
		}
	})
	keys := map[auth.Role]string{auth.Nobody: "", auth.Admin: adminKey}
	for _, role := range []auth.Role{auth.Feeds, auth.Read, auth.Alerts} {
		var k keyView
		f.do("POST", "/v1/keys", fmt.Sprintf(`{"name":"a %s","role":%q}`, role, role), "Authorization", "Bearer "+adminKey).json(t, &k)
		if k.Key == "" || k.Role != role.String() {
			t.Fatalf("got %+v, want a key with the role %s", k, role)
		}
		keys[role] = k.Key
	}
	return f, keys
}

// call asks for a route with a key.
func (f *fixture) call(pattern, key string) *answer {
	method, path, ok := strings.Cut(pattern, " ")
	if !ok {
		method, path = "GET", pattern
	}
	path = strings.ReplaceAll(path, "{$}", "")
	path = regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(path, "x")
	var header []string
	if key != "" {
		header = []string{"Authorization", "Bearer " + key}
	}
	return f.do(method, path, "", header...)
}

func TestEveryRouteAsksForItsRole(t *testing.T) {
	f, keys := withKeys(t, func(o *Options) { o.Config.Auth.RequestsPerMinute = 1_000_000 })
	policy := auth.Policy()
	if len(f.server.patterns) < 60 {
		t.Fatalf("got %d routes, want all", len(f.server.patterns))
	}
	for pattern := range policy {
		if !slices.Contains(f.server.patterns, pattern) {
			t.Errorf("the policy has a line for %s, which is no route", pattern)
		}
	}
	for _, pattern := range f.server.patterns {
		needs, ok := policy[pattern]
		if !ok {
			t.Errorf("%s: got no line in the policy", pattern)
			continue
		}
		for role := auth.Nobody; role < needs; role++ {
			want := http.StatusForbidden
			if role == auth.Nobody {
				want = http.StatusUnauthorized
			}
			if got := f.call(pattern, keys[role]); got.status != want || got.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s as %s: got %d %s, want %d", pattern, role, got.status, got.body, want)
			}
		}
		method, _, _ := strings.Cut(pattern, " ")
		if needs != auth.Read || method == "POST" || strings.Contains(pattern, "export") || strings.Contains(pattern, "mcp") {
			continue // what runs long, or changes something
		}
		if got := f.call(pattern, keys[auth.Read]); got.status == 401 || got.status == 403 || got.status == 429 {
			t.Errorf("%s with the role that it needs: got %d %s", pattern, got.status, got.body)
		}
	}
}

func TestKeysByHTTP(t *testing.T) {
	f, keys := withKeys(t, nil)
	admin := []string{"X-Api-Key", adminKey}
	var list struct{ Keys []keyView }
	f.get("/v1/keys", admin...).json(t, &list)
	if len(list.Keys) != 4 || !list.Keys[0].Fixed || list.Keys[0].Used.IsZero() {
		t.Errorf("got %+v, want three keys and the configuration's, in use", list.Keys)
	}
	for _, k := range keys {
		if k != "" && strings.Contains(f.get("/v1/keys", admin...).body, k) {
			t.Error("got a key in the list")
		}
	}
	i := slices.IndexFunc(list.Keys, func(k keyView) bool { return k.Role == "read" })
	if got := f.do("DELETE", "/v1/keys/"+list.Keys[i].ID, "", admin...); got.status != 204 {
		t.Errorf("got %+v", got)
	}
	if got := f.get("/v1/me", "Authorization", "Bearer "+keys[auth.Read]); got.status != 401 || !strings.Contains(got.body, "was revoked") || got.header.Get("WWW-Authenticate") == "" {
		t.Errorf("got %+v, want 401 that says why", got)
	}
	for _, tc := range []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"unknown", "DELETE", "/v1/keys/none", "", 404, "no such key"},
		{"configured", "DELETE", "/v1/keys/" + list.Keys[0].ID, "", 409, "configuration"},
		{"role", "POST", "/v1/keys", `{"name":"a","role":"king"}`, 422, "role"},
		{"expiry", "POST", "/v1/keys", `{"name":"a","role":"read","expires":"soon"}`, 400, "90d"},
		{"name", "POST", "/v1/keys", `{"name":" ","role":"read"}`, 422, "needs a name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := f.do(tc.method, tc.path, tc.body, append(admin, "Content-Type", "application/json")...); got.status != tc.status || !strings.Contains(got.body, tc.want) {
				t.Errorf("got %d %s, want %d and %q", got.status, got.body, tc.status, tc.want)
			}
		})
	}
	if got := f.get("/v1/me", "Authorization", "Bearer "+keys[auth.Alerts]); !strings.Contains(got.body, `"role":"alerts"`) {
		t.Errorf("got %+v", got)
	}
}

func TestFeedsTakeATokenInTheirAddress(t *testing.T) {
	f, keys := withKeys(t, nil)
	f.index.Add(article("a", "HBM prices", "HBM.", "en", "Latn"))
	got := f.get("/feeds/search.rss?q=HBM&token=" + keys[auth.Feeds])
	if got.status != 200 || !strings.Contains(got.body, "HBM prices") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if strings.Contains(got.body, keys[auth.Feeds]) {
		t.Error("got a feed with the token in it")
	}
	if got := f.get("/feeds/search.rss?token=" + keys[auth.Read]); got.status != 403 || !strings.Contains(got.body, "role feeds") {
		t.Errorf("got %+v, want keys of people refused in addresses", got)
	}
	if got := f.get("/v1/search?token=" + keys[auth.Feeds]); got.status != 401 {
		t.Errorf("got %+v, want tokens for feeds only", got)
	}
	if got := f.get("/v1/search", "Authorization", "Bearer "+keys[auth.Feeds]); got.status != 403 {
		t.Errorf("got %+v, want feeds only", got)
	}
	r, _ := http.NewRequestWithContext(t.Context(), "GET", f.base+"/feeds/search.atom", nil)
	r.SetBasicAuth("reader", keys[auth.Feeds])
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("got %s with the key as a password, want 200", res.Status)
	}
}

func TestTooManyRequestsAreToldWhenToComeBack(t *testing.T) {
	f, keys := withKeys(t, func(o *Options) { o.Config.Auth.RequestsPerMinute = 10 })
	header := []string{"Authorization", "Bearer " + keys[auth.Read]}
	got := f.get("/v1/search?q=HBM", header...)
	if got.status != 200 || got.header.Get("RateLimit") != `"requests";r=9;t=6` || got.header.Get("RateLimit-Policy") != `"requests";q=10;w=60` {
		t.Errorf("got %d with %v", got.status, got.header)
	}
	for range 20 {
		got = f.get("/v1/search?q=HBM", header...)
	}
	if got.status != 429 || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "Too many requests") {
		t.Errorf("got %+v, want 429 and Retry-After", got)
	}
	if got := f.get("/v1/search", "Authorization", "Bearer "+keys[auth.Alerts]); got.status != 200 {
		t.Errorf("got %+v, want each key counted by itself", got)
	}
	if got := f.get("/healthz"); got.status != 200 {
		t.Errorf("got %+v, want health free", got)
	}
	for i := range 30 {
		got = f.get("/v1/search", "Authorization", fmt.Sprintf("Bearer wrong%d", i))
	}
	if got.status != 429 || !strings.Contains(got.body, "wrong keys") {
		t.Errorf("got %+v, want guessing slowed down", got)
	}
	if got := f.get("/v1/me", "Authorization", "Bearer "+keys[auth.Alerts]); got.status != 200 {
		t.Errorf("got %+v, want a good key to work beside guesses", got)
	}
}

func TestWithoutKeysOnlyThisMachineIsAnswered(t *testing.T) {
	f := start(t, nil)
	if got := f.get("/v1/me"); !strings.Contains(got.body, `"role":"admin"`) || !strings.Contains(got.body, `"open":true`) {
		t.Errorf("got %+v", got)
	}
	for host, want := range map[string]int{"localhost:8080": 200, "127.0.0.1": 200, "[::1]:8080": 200, "news.localhost": 200, "evil.example": 421, "localhost.evil.example:80": 421} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", f.base+"/v1/me", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = host
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: got %d, want %d", host, res.StatusCode, want)
		}
	}
	if got := f.get("/debug/pprof/cmdline"); got.status != 200 {
		t.Errorf("got %+v", got)
	}
}

// server returns an api that is not started.
func server(t *testing.T, c Config) *Server {
	t.Helper()
	e, err := words()
	if err != nil {
		t.Fatal(err)
	}
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: t.TempDir()}, Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	s, err := New(Options{Bus: b, Searcher: &memory.Index{}, Evaluator: e, Lexicon: lexicons, Config: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestListensElsewhereOnlyWithKeysOrOpen(t *testing.T) {
	s := server(t, Config{Listen: "0.0.0.0:0"})
	if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "xinwen keys create") || !strings.Contains(err.Error(), "--open") {
		t.Errorf("got %v, want an api open to all refused, and what to do", err)
	}
	for name, c := range map[string]auth.Config{"key": {AdminKey: adminKey}, "open": {Open: true}} {
		s := server(t, Config{Listen: "0.0.0.0:0", Auth: c})
		if err := s.Start(t.Context()); err != nil {
			t.Errorf("%s: got %v, want it to start", name, err)
		}
	}
}

// certificateFiles writes a certificate of 127.0.0.1 and its key.
func certificateFiles(t *testing.T) (TLS, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := TLS{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}
	for name, block := range map[string]*pem.Block{files.Cert: {Type: "CERTIFICATE", Bytes: der}, files.Key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	pool := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return files, pool
}

func TestSpeaksTLS(t *testing.T) {
	files, pool := certificateFiles(t)
	s := server(t, Config{Listen: "127.0.0.1:0", TLS: files, Auth: auth.Config{AdminKey: adminKey}})
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	client := &http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "https://"+s.Addr()+"/login", strings.NewReader("key="+adminKey))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	cookies := res.Cookies()
	if res.StatusCode != 303 || len(cookies) != 1 || !cookies[0].Secure || !cookies[0].HttpOnly || res.Header.Get("Strict-Transport-Security") == "" || res.ProtoMajor != 2 {
		t.Errorf("got %s %s with %v and %v, want a secure session over HTTP/2", res.Proto, res.Status, cookies, res.Header)
	}
	if _, err := http.Get("http://" + s.Addr() + "/healthz"); err == nil {
		t.Log("plain HTTP was answered with an error status") // net/http says so itself
	}
	if err := (&Config{TLS: TLS{Cert: files.Cert}}).Validate(); err == nil {
		t.Error("got nil for a certificate without a key")
	}
}
