package simweb

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// attempt is what one request to a fault looks like from outside.
type attempt struct {
	status  int
	bytes   int64
	header  http.Header
	err     error
	elapsed time.Duration
}

func try(t *testing.T, c *http.Client, url string, limit int64, timeout time.Duration) attempt {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	res, err := c.Do(req)
	if err != nil {
		return attempt{err: err, elapsed: time.Since(begin)}
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, io.LimitReader(res.Body, limit))
	return attempt{res.StatusCode, n, res.Header, err, time.Since(begin)}
}

func TestFaultsDoWhatTheyPromise(t *testing.T) {
	_, client := start(t, Options{NoDemo: true, Faults: true})
	page := func(name string) string { return "http://" + FaultHost(name) + faultPagePath }
	const short = 300 * time.Millisecond

	if a := try(t, client, page("hang"), 1, short); !errors.Is(a.err, context.DeadlineExceeded) {
		t.Errorf("hang: %+v, want no header", a)
	}
	if a := try(t, client, page("drip"), 10, short); !errors.Is(a.err, context.DeadlineExceeded) || a.bytes == 0 {
		t.Errorf("drip: %+v, want a few bytes", a)
	}
	if a := try(t, client, page("infinite"), 20<<20, 20*time.Second); a.bytes != 20<<20 {
		t.Errorf("infinite: %+v, want as many bytes as are read", a)
	}
	if a := try(t, client, page("cut"), 1<<20, time.Second); !errors.Is(a.err, io.ErrUnexpectedEOF) {
		t.Errorf("cut: %+v, want an unexpected end", a)
	}
	if a := try(t, client, page("length"), 1<<20, time.Second); !errors.Is(a.err, io.ErrUnexpectedEOF) {
		t.Errorf("length: %+v, want an unexpected end", a)
	}
	if a := try(t, client, page("big"), 100<<20, 20*time.Second); a.bytes < bigBytes {
		t.Errorf("big: %+v, want 10 MB", a)
	}
	if a := try(t, client, page("empty"), 1, time.Second); a.bytes != 0 || a.status != 200 {
		t.Errorf("empty: %+v, want nothing", a)
	}
	for _, encoding := range []string{"gzip", "br", "zstd"} {
		a := try(t, client, page("bomb-"+encoding), 10<<20, 30*time.Second)
		if a.err != nil || a.header.Get("Content-Encoding") != encoding || a.bytes > 1<<20 {
			t.Errorf("bomb-%s: %d bytes, %v, want less than 1 MB", encoding, a.bytes, a.err)
		}
	}
	if a := try(t, client, page("loop"), 1, time.Second); a.status != http.StatusFound || !strings.Contains(a.header.Get("Location"), "?hop=") {
		t.Errorf("loop: %+v, want a redirect", a)
	}
	if a := try(t, client, page("private"), 1, time.Second); !strings.Contains(a.header.Get("Location"), "169.254.169.254") {
		t.Errorf("private: %+v, want a redirect to a private address", a)
	}
	for _, name := range []string{"status-429", "status-503"} {
		for i, want := range []bool{false, false, true} {
			a := try(t, client, page(name), 1<<20, time.Second)
			if got := a.status == 200; got != want || !want && a.header.Get("Retry-After") != "1" {
				t.Errorf("%s, request %d: %+v, want success %t", name, i, a, want)
			}
		}
	}
	first := try(t, client, page("etag"), 1<<20, time.Second)
	second := try(t, client, page("etag"), 1<<20, time.Second)
	if first.header.Get("ETag") != second.header.Get("ETag") {
		t.Error("etag: the tags differ")
	}
	if a := try(t, client, "http://"+FaultHost("robots-redirect")+robotsPath, 1, time.Second); a.status != http.StatusMovedPermanently {
		t.Errorf("robots-redirect: %+v, want 301", a)
	}
	if a := try(t, client, "http://"+FaultHost("robots-huge")+robotsPath, 1<<20, time.Second); a.bytes < 500<<10 {
		t.Errorf("robots-huge: %d bytes, want over 500 KiB", a.bytes)
	}
}

func TestEveryFaultIsServed(t *testing.T) {
	web, client := start(t, Options{NoDemo: true, Faults: true})
	for _, f := range Faults() {
		if strings.HasSuffix(f.Name, "hang") || f.Name == "drip" || f.Name == "infinite" {
			continue // endless: tested above
		}
		path := map[string]string{AtPage: faultPagePath, AtFeed: faultFeedPath, AtRobots: robotsPath}[f.At]
		try(t, client, "http://"+FaultHost(f.Name)+path, 100<<20, 30*time.Second)
		var last Request
		for changed := web.Log().Changed(); ; changed = web.Log().Changed() {
			log := web.Log().Requests()
			if last = log[len(log)-1]; !last.Open {
				break
			}
			<-changed
		}
		if last.Fault != f.Name {
			t.Errorf("%s: the log says %q", f.Name, last.Fault)
		}
	}
}

func TestBreakMisbehavesForAWhile(t *testing.T) {
	web, client := start(t, Options{DemoSites: []string{"dianhai"}})
	url := web.Articles()[0].URL
	if err := web.Break(url, "status-500", 2); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{500, 500, 200} {
		if a := try(t, client, url, 1<<20, time.Second); a.status != want {
			t.Errorf("request %d: status %d, want %d", i, a.status, want)
		}
	}
	if err := web.Break(url, "none", 1); err == nil {
		t.Error("an unknown fault is no error")
	}
}

func TestCloseEndsHangingRequests(t *testing.T) {
	web, client := start(t, Options{NoDemo: true, Faults: true})
	done := make(chan attempt)
	arrived := web.Log().Changed()
	go func() {
		done <- try(t, client, "http://"+FaultHost("hang")+faultPagePath, 1, 15*time.Second)
	}()
	<-arrived
	if err := web.Close(); err != nil {
		t.Fatal(err)
	}
	if a := <-done; a.err == nil || a.elapsed > 10*time.Second {
		t.Errorf("got %+v, want an early end", a)
	}
}
