package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

func newClient(t testing.TB, cfg Config) *Client {
	t.Helper()
	cfg.AllowPrivate = true
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func serve(t testing.TB, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// fail fetches and returns the error.
func fail(t *testing.T, c *Client, url string) *Error {
	t.Helper()
	resp, err := c.Get(t.Context(), Request{URL: url})
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, %v, want an *Error", resp, err)
	}
	if e.Hint == "" && e.Kind != KindCancelled {
		t.Errorf("%s: no hint", e)
	}
	return e
}

var compressors = map[string]func(io.Writer) io.WriteCloser{
	"gzip": func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	"br":   func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) },
	"zstd": func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w)
		if err != nil {
			panic(err) // only for wrong options
		}
		return z
	},
	"deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
	"raw deflate": func(w io.Writer) io.WriteCloser {
		z, err := flate.NewWriter(w, 6)
		if err != nil {
			panic(err) // only for a wrong level
		}
		return z
	},
}

func compress(t testing.TB, encoding string, body []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := compressors[encoding](&buf)
	if _, err := w.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func encoded(encoding string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", strings.TrimPrefix(encoding, "raw "))
		_, _ = w.Write(body) // a client that is gone is part of the test
	}
}

func TestGetDecodes(t *testing.T) {
	body := []byte(strings.Repeat("先进封装 advanced packaging ", 400))
	for encoding := range compressors {
		t.Run(strings.ReplaceAll(encoding, " ", "-"), func(t *testing.T) {
			resp, err := newClient(t, Config{}).Get(t.Context(), Request{URL: serve(t, encoded(encoding, compress(t, encoding, body)))})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(resp.Body, body) || resp.WireBytes >= int64(len(body)) {
				t.Errorf("got %d bytes from %d on the wire, want %d", len(resp.Body), resp.WireBytes, len(body))
			}
		})
	}
	others := map[string]struct {
		encoding string
		body     []byte
	}{
		"says-gzip-is-not": {"gzip", body},
		"empty-gzip":       {"gzip", nil},
		"twice":            {"br, gzip", compress(t, "gzip", compress(t, "br", body))},
		"identity":         {"identity", body},
	}
	for name, tc := range others {
		t.Run(name, func(t *testing.T) {
			resp, err := newClient(t, Config{}).Get(t.Context(), Request{URL: serve(t, encoded(tc.encoding, tc.body))})
			if err != nil {
				t.Fatal(err)
			}
			if want := len(body) * min(1, len(tc.body)); len(resp.Body) != want {
				t.Errorf("got %d bytes, want %d", len(resp.Body), want)
			}
		})
	}
}

func TestGetUnpacksWhatIsCompressedInSilence(t *testing.T) {
	body := []byte(strings.Repeat("先进封装 advanced packaging ", 400))
	packed := compress(t, "gzip", body)
	for name, tc := range map[string]struct {
		unpack     bool
		sent, want []byte
	}{
		"asked":     {true, packed, body},
		"not-asked": {false, packed, packed},
		"cut":       {true, packed[:len(packed)/2], packed[:len(packed)/2]},
		"bomb":      {true, compress(t, "gzip", make([]byte, 4<<20)), compress(t, "gzip", make([]byte, 4<<20))},
	} {
		t.Run(name, func(t *testing.T) {
			resp, err := newClient(t, Config{}).Get(t.Context(), Request{URL: serve(t, encoded("", tc.sent)), Unpack: tc.unpack})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(resp.Body, tc.want) {
				t.Errorf("got %d bytes, want %d", len(resp.Body), len(tc.want))
			}
		})
	}
}

func TestGetRefusesBodies(t *testing.T) {
	zeros := make([]byte, 8<<20)
	page := bytes.Repeat([]byte("<p>x"), 1000)
	tests := map[string]struct {
		handler   http.HandlerFunc
		kind      Kind
		temporary bool
	}{
		"gzip-bomb":  {encoded("gzip", compress(t, "gzip", zeros)), KindBomb, false},
		"br-bomb":    {encoded("br", compress(t, "br", zeros)), KindBomb, false},
		"zstd-bomb":  {encoded("zstd", compress(t, "zstd", zeros)), KindBomb, false},
		"nested":     {encoded("gzip, gzip, gzip", page), KindEncoding, false},
		"unknown":    {encoded("compress", page), KindEncoding, false},
		"broken":     {encoded("zstd", page), KindEncoding, true},
		"broken-br":  {encoded("br", []byte("\xff\xff\xff\xff")), KindEncoding, true},
		"short-gzip": {encoded("gzip", compress(t, "gzip", page)[:40]), KindCut, true},
		"too-large":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 3<<20)) }, KindTooLarge, false},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(page); err != nil {
					return
				}
			}
		}, KindTooLarge, false},
		"lying-length": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5000")
			_, _ = w.Write([]byte("<p>"))
		}, KindCut, true},
		"huge-header": {func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 1<<20)) }, KindProtocol, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			e := fail(t, newClient(t, Config{MaxBodyBytes: 2 << 20}), serve(t, tc.handler))
			if e.Kind != tc.kind || e.Temporary != tc.temporary {
				t.Errorf("got %s (temporary %v): %v, want %s (%v)", e.Kind, e.Temporary, e, tc.kind, tc.temporary)
			}
		})
	}
}

func TestGetTruncates(t *testing.T) {
	u := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 100_000)) })
	resp, err := newClient(t, Config{}).Get(t.Context(), Request{URL: u, MaxBodyBytes: 60_000, Truncate: true})
	if err != nil || len(resp.Body) != 60_000 {
		t.Errorf("got %v, %v, want 60000 bytes", resp, err)
	}
}

func TestGetStatuses(t *testing.T) {
	u := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var code int
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &code)
		if v := r.URL.Query().Get("after"); v != "" {
			w.Header().Set("Retry-After", v)
		}
		w.WriteHeader(code)
	})
	tests := []struct {
		path      string
		kind      Kind
		temporary bool
		after     time.Duration
	}{
		{"/404", KindStatus, false, 0},
		{"/410", KindStatus, false, 0},
		{"/403", KindStatus, false, 0},
		{"/418", KindStatus, false, 0},
		{"/500", KindStatus, true, 0},
		{"/503", KindStatus, true, 0},
		{"/429", KindLimited, true, 0},
		{"/429?after=120", KindLimited, true, 2 * time.Minute},
		{"/503?after=60", KindLimited, true, time.Minute},
		{"/503?after=-5", KindStatus, true, 0},
		{"/429?after=99999999999", KindLimited, true, maxRetryAfter},
		{"/302", KindRedirects, false, 0},
	}
	for _, tc := range tests {
		e := fail(t, newClient(t, Config{}), u+tc.path)
		if e.Kind != tc.kind || e.Temporary != tc.temporary || e.RetryAfter != tc.after {
			t.Errorf("%s: got %s, %v, %v, want %s, %v, %v", tc.path, e.Kind, e.Temporary, e.RetryAfter, tc.kind, tc.temporary, tc.after)
		}
	}
}

func TestRetryAfterDate(t *testing.T) {
	now := time.Date(2025, 11, 17, 9, 30, 0, 0, time.UTC)
	tests := map[string]time.Duration{
		"Mon, 17 Nov 2025 09:31:30 GMT": 90 * time.Second, "Mon, 17 Nov 2025 09:00:00 GMT": 0,
		"Monday, 17-Nov-25 09:31:00 GMT": time.Minute, "soon": 0, "": 0, " 5 ": 5 * time.Second,
	}
	for value, want := range tests {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	}
}

func TestGetConditional(t *testing.T) {
	u := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"a"`)
		w.Header().Set("Last-Modified", "Mon, 17 Nov 2025 09:30:00 GMT")
		if r.Header.Get("If-None-Match") == `"a"` && r.Header.Get("If-Modified-Since") != "" {
			w.WriteHeader(304)
		}
	})
	c := newClient(t, Config{})
	resp, err := c.Get(t.Context(), Request{URL: u})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Validators{`"a"`, "Mon, 17 Nov 2025 09:30:00 GMT"}, resp.Validators()); diff != "" {
		t.Errorf("validators (-want +got):\n%s", diff)
	}
	resp, err = c.Get(t.Context(), Request{URL: u, Validators: resp.Validators()})
	if err != nil || !resp.NotModified() {
		t.Errorf("got %v, %v, want not modified", resp, err)
	}
}

func TestGetRedirects(t *testing.T) {
	u := serve(t, func(w http.ResponseWriter, r *http.Request) {
		to := func(code int, location string) {
			w.Header().Set("Location", location)
			w.WriteHeader(code)
		}
		var n int
		switch _, _ = fmt.Sscanf(r.URL.Path, "/n%d", &n); {
		case n > 0:
			to(302, fmt.Sprintf("/n%d", n-1))
		case r.URL.Path == "/moved":
			to(301, "/moved2?a=1#frag")
		case r.URL.Path == "/moved2":
			to(308, "final")
		case r.URL.Path == "/half":
			to(301, "/temp")
		case r.URL.Path == "/temp":
			to(307, "/final")
		case r.URL.Path == "/loop":
			to(302, "/loop")
		case r.URL.Path == "/file":
			to(302, "file:///etc/passwd")
		case r.URL.Path == "/user":
			to(302, "http://user:password@"+r.Host+"/")
		case r.URL.Path == "/bad":
			to(302, "http://[::1")
		}
	})
	c := newClient(t, Config{})
	var gated []string
	get := func(path string) (*Response, error) {
		gated = nil
		return c.Get(t.Context(), Request{URL: u + path, Validators: Validators{ETag: `"x"`}, Gate: func(_ context.Context, u *url.URL) (func(error), error) {
			gated = append(gated, u.Path)
			return func(error) {}, nil
		}})
	}
	resp, err := get("/moved")
	if err != nil || resp.URL != u+"/final" || resp.MovedTo != u+"/final" {
		t.Fatalf("got %+v, %v", resp, err)
	}
	if diff := cmp.Diff([]string{"/moved", "/moved2", "/final"}, gated); diff != "" {
		t.Errorf("gate (-want +got):\n%s", diff)
	}
	if resp, err := get("/half"); err != nil || resp.URL != u+"/final" || resp.MovedTo != u+"/temp" {
		t.Errorf("got %+v, %v, want only the permanent part", resp, err)
	}
	if _, err := get("/n10"); err != nil {
		t.Errorf("10 redirects: %v", err)
	}
	for path, want := range map[string]string{
		"/n11": "more than 10", "/loop": "in a circle", "/file": "not http or https", "/user": "user name", "/bad": "redirect to",
	} {
		_, err := get(path)
		var e *Error
		if !errors.As(err, &e) || e.Kind != KindRedirects || !strings.Contains(e.Error(), want) || e.Temporary {
			t.Errorf("%s: got %v, want one about %q", path, err, want)
		}
	}
}

func TestGateRefuses(t *testing.T) {
	asked := 0
	u := serve(t, func(http.ResponseWriter, *http.Request) { asked++ })
	refusal := errors.New("not today")
	_, err := newClient(t, Config{}).Get(t.Context(), Request{URL: u, Gate: func(context.Context, *url.URL) (func(error), error) { return nil, refusal }})
	var e *Error
	if !errors.As(err, &e) || e.Kind != KindGate || !errors.Is(err, refusal) || asked != 0 {
		t.Errorf("got %v after %d requests", err, asked)
	}
}

func TestGateHearsOfError(t *testing.T) {
	u := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) })
	var heard error
	_, err := newClient(t, Config{}).Get(t.Context(), Request{URL: u, Gate: func(context.Context, *url.URL) (func(error), error) {
		return func(err error) { heard = err }, nil
	}})
	if err == nil || !errors.Is(heard, err) {
		t.Errorf("got %v, the gate heard %v", err, heard)
	}
}

func TestGetTimeouts(t *testing.T) {
	c := newClient(t, Config{HeaderTimeout: 50 * time.Millisecond, Timeout: 150 * time.Millisecond})
	hang := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	if e := fail(t, c, hang); e.Kind != KindTimeout || !e.Temporary {
		t.Errorf("hang: got %s, %v", e.Kind, e)
	}
	drip := serve(t, func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			_, _ = w.Write([]byte("x"))
			w.(http.Flusher).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(5 * time.Millisecond):
			}
		}
	})
	if e := fail(t, c, drip); e.Kind != KindTimeout || !e.Temporary {
		t.Errorf("drip: got %s, %v", e.Kind, e)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Get(ctx, Request{URL: hang})
	var cancelled *Error
	if !errors.As(err, &cancelled) || cancelled.Kind != KindCancelled {
		t.Errorf("cancelled: got %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if e := fail(t, c, "http://"+addr+"/"); e.Kind != KindConnect || !e.Temporary {
		t.Errorf("refused: got %s, %v", e.Kind, e)
	}
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	c = newClient(t, Config{})
	if e := fail(t, c, secure.URL); e.Kind != KindTLS || e.Temporary {
		t.Errorf("unknown authority: got %s, %v", e.Kind, e)
	}
	if e := fail(t, c, strings.Replace(hang, "http:", "https:", 1)); e.Kind != KindTLS {
		t.Errorf("https to an http port: got %s, %v", e.Kind, e)
	}
	for _, bad := range []string{"ftp://h/", "http://", "http://u:p@h/", "::", ""} {
		if e := fail(t, c, bad); e.Kind != KindURL || e.Temporary {
			t.Errorf("%q: got %s, %v", bad, e.Kind, e)
		}
	}
}

func TestRateGuard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run := func(chunk int, every, total time.Duration) time.Duration {
			t0 := time.Now()
			slow := make(chan time.Duration, 1)
			g := newRateGuard(1<<10, func() { slow <- time.Since(t0) })
			defer g.stop()
			r := g.reader(bytes.NewReader(make([]byte, 1<<20)))
			for time.Since(t0) < total {
				_, _ = r.Read(make([]byte, chunk))
				select {
				case d := <-slow:
					return d
				case <-time.After(every):
				}
			}
			return 0
		}
		if got := run(2<<10, time.Second, time.Minute); got != 0 {
			t.Errorf("2 KiB/s: given up after %v", got)
		}
		if got := run(1, time.Second, time.Minute); got != rateWindow {
			t.Errorf("1 B/s: given up after %v, want %v", got, rateWindow)
		}
	})
}

func TestGuardRefusesPrivateAddresses(t *testing.T) {
	asked := 0
	u := serve(t, func(http.ResponseWriter, *http.Request) { asked++ })
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(u, "http://"))
	c, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{u, "http://localhost:" + port, "http://[::1]:" + port, "http://0.0.0.0:" + port, "http://169.254.169.254/latest/meta-data/", "http://2130706433:" + port} {
		if e := fail(t, c, target); e.Kind != KindAddress && e.Kind != KindDNS {
			t.Errorf("%s: got %s, %v, want an address error", target, e.Kind, e)
		}
	}
	// A redirect gains nothing.
	public, err := New(Config{Resolve: []string{"public.example=" + strings.TrimPrefix(serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, u, http.StatusFound)
	}), "http://")}})
	if err != nil {
		t.Fatal(err)
	}
	if e := fail(t, public, "http://public.example/"); e.Kind != KindAddress || e.Temporary {
		t.Errorf("redirect: got %s, %v, want an address error", e.Kind, e)
	}
	if asked != 0 {
		t.Errorf("a private address was asked %d times", asked)
	}
}

func TestResolve(t *testing.T) {
	r, err := parseResolve([]string{"A.example:80=10.0.0.1:8080", "b.example=10.0.0.2", "c.example:443:10.0.0.3", "d.example:80:[::1]", "*=127.0.0.1:9000"})
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]string{
		"a.example:80": "10.0.0.1:8080", "a.example:81": "127.0.0.1:9000", "b.example:81": "10.0.0.2:81",
		"c.example:443": "10.0.0.3:443", "d.example:80": "[::1]:80", "other:1": "127.0.0.1:9000",
	}
	for in, want := range tests {
		if got, ok := r.lookup(in); !ok || got != want {
			t.Errorf("%s: got %q, %v, want %q", in, got, ok, want)
		}
	}
	for _, bad := range []string{"", "x", "a.example=b.example", "a.example:80=", "=127.0.0.1"} {
		if _, err := parseResolve([]string{bad}); err == nil {
			t.Errorf("%q: got no error", bad)
		}
	}
}

func TestUserAgent(t *testing.T) {
	var got string
	u := serve(t, func(_ http.ResponseWriter, r *http.Request) { got = r.UserAgent() })
	c := newClient(t, Config{Contact: "https://news.example/bot"})
	if _, err := c.Get(t.Context(), Request{URL: u}); err != nil {
		t.Fatal(err)
	}
	if want := DefaultUserAgent + " (+https://news.example/bot)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if c.Product() != "Xinwen" {
		t.Errorf("got product %q", c.Product())
	}
	if _, err := New(Config{Contact: "a\nb"}); err == nil {
		t.Error("a contact of two lines was accepted")
	}
}

func TestGetHTTP2(t *testing.T) {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write([]byte(r.Proto)) }))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	c := newClient(t, Config{})
	c.transport.TLSClientConfig = s.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	c.transport.TLSClientConfig.NextProtos = nil
	resp, err := c.Get(t.Context(), Request{URL: s.URL})
	if err != nil || string(resp.Body) != "HTTP/2.0" {
		t.Errorf("got %v, %v, want HTTP/2.0", resp, err)
	}
}

func FuzzReadBody(f *testing.F) {
	for encoding := range compressors {
		f.Add(compress(f, encoding, []byte("hello hello hello")), strings.TrimPrefix(encoding, "raw "))
	}
	f.Add([]byte("x"), "gzip, br,identity")
	f.Fuzz(func(t *testing.T, body []byte, encoding string) {
		lim := limits{wire: 1 << 16, decoded: 1 << 20, ratio: 100}
		got, wire, err := readBody(bytes.NewReader(body), encoding, lim)
		if int64(len(got)) > lim.decoded || wire > lim.wire+1 {
			t.Errorf("got %d bytes from %d", len(got), wire)
		}
		var e *Error
		if err != nil && (!errors.As(err, &e) || e.Hint == "") {
			t.Errorf("got %v, want an *Error with a hint", err)
		}
	})
}

func BenchmarkNotModified(b *testing.B) {
	u := serve(b, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(304) })
	c := newClient(b, Config{Settle: -1})
	b.ReportAllocs()
	for b.Loop() {
		if resp, err := c.Get(b.Context(), Request{URL: u, Validators: Validators{ETag: `"a"`}}); err != nil || !resp.NotModified() {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetGzip(b *testing.B) {
	page := []byte(strings.Repeat("<p>先进封装产能持续紧张</p>\n<a href=\"/1.html\">more</a>", 1000))
	for i := range page {
		if i%97 == 0 {
			page[i] = byte(' ' + i%64)
		}
	}
	u := serve(b, encoded("gzip", compress(b, "gzip", page)))
	c := newClient(b, Config{Settle: -1})
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Get(b.Context(), Request{URL: u}); err != nil {
			b.Fatal(err)
		}
	}
}

func TestKindsAreFew(t *testing.T) {
	kinds := []Kind{KindURL, KindGate, KindRobots, KindDNS, KindConnect, KindTLS, KindAddress, KindTimeout, KindSlow, KindCut, KindProtocol, KindStatus, KindLimited, KindRedirects, KindTooLarge, KindBomb, KindEncoding, KindCancelled, KindRender}
	slices.Sort(kinds)
	if len(slices.Compact(kinds)) != 19 {
		t.Error("two kinds have the same name: metrics would mix them")
	}
}
