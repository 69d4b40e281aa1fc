package render

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// site is what a page can ask for, and what it did ask for.
type site struct {
	pages map[string]string
	mu    sync.Mutex
	asked []string
}

func (s *site) get(_ context.Context, url string) (*Resource, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, url)
	body, ok := s.pages[url]
	if !ok {
		return nil, errors.New("not allowed")
	}
	kind := "text/html; charset=utf-8"
	switch {
	case strings.HasSuffix(url, ".js"):
		kind = "text/javascript"
	case strings.HasSuffix(url, ".json"):
		kind = "application/json"
	}
	return &Resource{Status: http.StatusOK, Header: http.Header{"Content-Type": {kind}}, Body: []byte(body)}, nil
}

func renderer(t *testing.T, c Config) *Renderer {
	t.Helper()
	r := New(c)
	if _, err := r.Browser(); err != nil {
		t.Skip("there is no Chromium here")
	}
	t.Cleanup(r.Close)
	return r
}

func html(body string) Page {
	return Page{URL: "https://news.example/a", ContentType: "text/html; charset=utf-8", Body: []byte("<!doctype html><title>芯片</title><body>" + body)}
}

func TestRenderRunsScripts(t *testing.T) {
	r := renderer(t, Config{Timeout: 20 * time.Second})
	s := &site{pages: map[string]string{
		"https://news.example/app.js":       `fetch("/api/1.json").then(r => r.json()).then(a => { document.body.innerHTML = "<article><h1>" + a.title + "</h1></article>"; fetch("http://169.254.169.254/latest/").catch(() => document.body.append("refused")); });`,
		"https://news.example/api/1.json":   `{"title":"HBM 价格上涨"}`,
		"https://news.example/elsewhere":    `<!doctype html><p>moved here`,
		"https://news.example/frame":        `<p>an advertisement`,
		"https://tracker.example/beacon.js": `document.body.append("tracked")`,
	}}
	tests := map[string]struct {
		page     Page
		want     []string
		not      []string
		url      string
		asked    []string
		notAsked []string
	}{
		"data": {
			page: html(`<script src=/app.js></script>`), want: []string{"<h1>HBM 价格上涨</h1>", "refused", "<title>芯片</title>"},
			asked: []string{"https://news.example/app.js", "https://news.example/api/1.json", "http://169.254.169.254/latest/"}, notAsked: []string{"https://news.example/a"},
		},
		"no-scripts": {page: html(`<p>plain`), want: []string{"<p>plain"}},
		"neither-pictures-nor-frames": {
			page:     html(`<img src=/x.png><iframe src=/frame></iframe><link rel=stylesheet href=/s.css><video src=/v.mp4></video><p>text`),
			want:     []string{"<p>text"},
			notAsked: []string{"https://news.example/x.png", "https://news.example/frame", "https://news.example/s.css", "https://news.example/v.mp4"},
		},
		"moves": {page: html(`<script>location.href = "/elsewhere"</script>`), want: []string{"moved here"}, url: "https://news.example/elsewhere"},
		"dialog": {
			page: html(`<script>alert("x"); document.body.append("after the dialog")</script>`), want: []string{"after the dialog"},
		},
		"post": {
			page: html(`<script>fetch("/api/1.json", {method: "POST"}).catch(() => document.body.append("only GET"))</script>`), want: []string{"only GET"},
		},
		"worker": {
			page: html(`<script>try { new Worker("/w.js") } catch (e) {}; navigator.sendBeacon("/b", "x"); new WebSocket("wss://news.example/s")</script><p>text`),
			want: []string{"<p>text"}, notAsked: []string{"https://news.example/b", "wss://news.example/s"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s.mu.Lock()
			s.asked = nil
			s.mu.Unlock()
			got, err := r.Render(t.Context(), tc.page, s.get)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tc.want {
				if !strings.Contains(string(got.Body), want) {
					t.Errorf("got %s, want %q in it", got.Body, want)
				}
			}
			url := tc.url
			if url == "" {
				url = tc.page.URL
			}
			if got.URL != url {
				t.Errorf("got address %s, want %s", got.URL, url)
			}
			for _, u := range tc.asked {
				if !slices.Contains(s.asked, u) {
					t.Errorf("got requests %q, want one for %s", s.asked, u)
				}
			}
			for _, u := range tc.notAsked {
				if slices.Contains(s.asked, u) {
					t.Errorf("%s was asked for", u)
				}
			}
		})
	}
}

func TestRenderEndsInTime(t *testing.T) {
	r := renderer(t, Config{Timeout: 2 * time.Second})
	s := &site{pages: map[string]string{"https://news.example/poll.json": `{}`}}
	began := time.Now()
	got, err := r.Render(t.Context(), html(`<p>built<script>setInterval(() => fetch("/poll.json"), 50)</script>`), s.get)
	if err != nil || !strings.Contains(string(got.Body), "<p>built") {
		t.Errorf("a page that never rests: got %v, want what is there", err)
	}
	if len(s.asked) > maxRequests {
		t.Errorf("got %d requests, want at most %d", len(s.asked), maxRequests)
	}
	if _, err := r.Render(t.Context(), html(`<script>while (true) {}</script>`), s.get); err == nil {
		t.Error("a script that never ends gave a page")
	}
	if took := time.Since(began); took > 40*time.Second {
		t.Errorf("took %s", took)
	}
	// The next page has a browser that works.
	if got, err := r.Render(t.Context(), html(`<script>document.write("well again")</script>`), s.get); err != nil || !strings.Contains(string(got.Body), "well again") {
		t.Errorf("after that: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Render(ctx, html(""), s.get); err == nil {
		t.Error("a page of somebody who has left was rendered")
	}
}

func TestNoBrowser(t *testing.T) {
	r := New(Config{Browser: "/nowhere/chromium"})
	if _, err := r.Render(t.Context(), html(""), nil); !errors.Is(err, ErrNoBrowser) {
		t.Errorf("got %v, want ErrNoBrowser", err)
	}
}
