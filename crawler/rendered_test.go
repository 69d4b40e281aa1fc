package crawler_test

import (
	"strings"
	"testing"

	"xinwen/crawler/render"
	"xinwen/crawler/source"
)

// app serves a site whose pages are built by scripts.
func app(w *web) {
	w.feed("http://app.example/feed", "/1", "/2")
	for _, n := range []string{"1", "2"} {
		w.serveText("http://app.example/"+n, "text/html; charset=utf-8", `<!doctype html><title>App</title><div id=root></div><script src="/app.js"></script>`)
		w.serveText("http://app.example/api/"+n, "application/json", `{"text":"Article number `+strings.Repeat("one ", len(n))+n+` about wafers"}`)
	}
	w.serveText("http://app.example/app.js", "text/javascript", `
		fetch("/api" + location.pathname).then(r => r.json()).then(a => { document.title = a.text; root.textContent = a.text });
		fetch("/secret/x").catch(() => document.body.append("kept out by robots.txt"));
		fetch("http://10.0.0.1/admin").catch(() => document.body.append("kept out by the guard"));`)
	w.serveText("http://app.example/robots.txt", "text/plain", "User-agent: *\nDisallow: /secret/\n")
}

func TestPagesAreRenderedWhereTheSourceAsks(t *testing.T) {
	if _, err := render.New(render.Config{}).Browser(); err != nil {
		t.Skip("there is no Chromium here")
	}
	w, b := newWeb(t), openBus(t, t.TempDir())
	app(w)
	o := options(w, b, demo("app", func(s *source.Source) { s.Feeds, s.Render = []string{"http://app.example/feed"}, true }))
	o.Resolve = []string{"app.example=" + w.Listener.Addr().String()}
	if report := crawl(t, o); report.Pages != 2 {
		t.Fatalf("got %v, want 2 pages", report)
	}
	for _, p := range pages(t, b) {
		body := string(p.Body)
		for _, want := range []string{"about wafers</div>", "kept out by robots.txt", "kept out by the guard", "<title>Article number"} {
			if !strings.Contains(body, want) {
				t.Errorf("%s: got %s, want %q in it", p.URL, body, want)
			}
		}
	}
	if n := w.count("http://app.example/secret/x"); n != 0 {
		t.Error("robots.txt does not hold for the scripts of a page")
	}
	if n := w.count("http://app.example/app.js"); n != 1 {
		t.Errorf("a script of two pages was fetched %d times, want once", n)
	}
}

func TestWithoutBrowserPagesSaySo(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	app(w)
	o := options(w, b, demo("app", func(s *source.Source) { s.Feeds, s.Render = []string{"http://app.example/feed"}, true }))
	o.Render.Browser = "/nowhere/chromium"
	if report := crawl(t, o); report.Pages != 0 || report.Quarantined != 2 {
		t.Errorf("got %v, want both pages in quarantine", report)
	}
	failed, err := b.ListQuarantine(t.Context(), 10)
	if err != nil || len(failed) != 2 || !strings.Contains(failed[0].Reason, "no Chromium") || !strings.Contains(failed[0].Hint, "install chromium") {
		t.Errorf("got %+v, %v", failed, err)
	}
}
