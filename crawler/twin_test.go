package crawler_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"xinwen/crawler/source"
)

const amp = `<!doctype html><html ⚡><head><title>%s</title><link rel="canonical" href="%s"></head><body><p>%s`

func twin(title, canonical string) string {
	return fmt.Sprintf(amp, title, canonical, strings.Repeat(title+" in short. ", 5))
}

func article(title, links string) string {
	return "<!doctype html><html><head><title>" + title + "</title>" + links + "</head><body><p>" + strings.Repeat(title+" at length. ", 20)
}

func TestTwinsLeadToOneArticle(t *testing.T) {
	const html = "text/html; charset=utf-8"
	tests := map[string]struct {
		feed  []string
		serve map[string]string
		want  []string
		not   []string // must not be fetched
	}{
		"amp": {
			feed: []string{"/a/amp/"},
			serve: map[string]string{
				"www.a.example/a/amp/": twin("HBM", "http://www.a.example/a"), "www.a.example/a": article("HBM", `<link rel=amphtml href=/a/amp/>`),
			},
			want: []string{"http://www.a.example/a"},
		},
		"amp-not-fetched": {
			feed: []string{"/a", "/a?amp=1"},
			serve: map[string]string{
				"www.a.example/a": article("HBM", `<link rel=canonical href=/a><link rel=amphtml href="/a?amp=1">`),
			},
			want: []string{"http://www.a.example/a"},
		},
		"mobile-host": {
			feed: []string{"http://m.a.example/n/7.html"},
			serve: map[string]string{
				"m.a.example/n/7.html": `<html><head><link rel=canonical href="http://www.a.example/news/7.html"></head><p>` + strings.Repeat("short ", 9), "www.a.example/news/7.html": article("HBM", ""),
			},
			want: []string{"http://www.a.example/news/7.html"},
		},
		"article-cannot-be-had": {
			feed:  []string{"/a/amp/"},
			serve: map[string]string{"www.a.example/a/amp/": twin("HBM", "http://www.a.example/a")},
			want:  []string{"http://www.a.example/a/amp/"},
		},
		"article-denied": {
			feed: []string{"/a/amp/"},
			serve: map[string]string{
				"www.a.example/a/amp/": twin("HBM", "http://www.a.example/full/a"), "www.a.example/full/a": article("HBM", ""),
				"www.a.example/robots.txt": "User-agent: *\nDisallow: /full/\n",
			},
			want: []string{"http://www.a.example/a/amp/"},
			not:  []string{"http://www.a.example/full/a"},
		},
		"canonical-is-front": {
			feed:  []string{"/a/amp/"},
			serve: map[string]string{"www.a.example/a/amp/": twin("HBM", "http://www.a.example/")},
			want:  []string{"http://www.a.example/a/amp/"},
		},
		"canonical-of-a-stranger": {
			feed:  []string{"/a/amp/"},
			serve: map[string]string{"www.a.example/a/amp/": twin("HBM", "http://www.b.example/a")},
			want:  []string{"http://www.a.example/a/amp/"},
		},
		"template-names-one-twin-for-all": {
			feed: []string{"/a", "/b/amp"},
			serve: map[string]string{
				"www.a.example/a": article("HBM", `<link rel=amphtml href="/b/amp">`), "www.a.example/b/amp": article("DRAM", ""),
			},
			want: []string{"http://www.a.example/a", "http://www.a.example/b/amp"},
		},
		"amp-cache": {
			feed:  []string{"https://www-a-example.cdn.ampproject.org/c/www.a.example/a"},
			serve: map[string]string{"www.a.example/a": article("HBM", "")},
			want:  []string{"http://www.a.example/a"},
		},
		"two-addresses": {
			feed: []string{"/a", "/again/a", "/b"},
			serve: map[string]string{
				"www.a.example/a": article("HBM", ""), "www.a.example/again/a": article("HBM", ""), "www.a.example/b": article("DRAM", ""),
			},
			want: []string{"http://www.a.example/a", "http://www.a.example/b"},
		},
		"page-only-leads-on": {
			feed: []string{"/go/a", "/read/b", "/gone"},
			serve: map[string]string{
				"www.a.example/go/a": `<title>One moment</title><meta http-equiv="refresh" content="0; url=/a"><p>You are led on`, "www.a.example/a": article("HBM", ""),
				"www.a.example/read/b": article("DRAM", `<meta http-equiv="refresh" content="5; url=/login">`) + strings.Repeat("<p>A text of its own.", 80),
				"www.a.example/gone":   `<meta http-equiv="refresh" content="3; url=/"><p>There is no such page`,
			},
			want: []string{"http://www.a.example/a", "http://www.a.example/read/b"},
			not:  []string{"http://www.a.example/login", "http://www.a.example/"},
		},
		"prices-differ-in-digits": {
			feed: []string{"/a", "/b"},
			serve: map[string]string{
				"www.a.example/a": article("DRAM at 4.52 on 17 November", ""), "www.a.example/b": article("DRAM at 4.57 on 18 November", ""),
			},
			want: []string{"http://www.a.example/a", "http://www.a.example/b"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, b := newWeb(t), openBus(t, t.TempDir())
			w.feed("http://www.a.example/feed", tc.feed...)
			for at, body := range tc.serve {
				w.serveText("http://"+at, html, body)
			}
			o := options(w, b, demo("a", func(s *source.Source) {
				s.Home, s.Feeds = "http://www.a.example/", []string{"http://www.a.example/feed"}
			}))
			o.Concurrency = 1
			crawl(t, o)
			got := urls(pages(t, b))
			if name == "two-addresses" && len(got) == 2 {
				got[0] = strings.Replace(got[0], "/again", "", 1) // whichever came first
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("pages (-want +got):\n%s", diff)
			}
			for _, u := range tc.not {
				if w.count(u) > 0 {
					t.Errorf("%s was fetched", u)
				}
			}
		})
	}
}

func TestPageThatComesFromAnyAddressIsNone(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	n := 0
	sorry := func(rw http.ResponseWriter, r *http.Request) {
		n++
		fmt.Fprintf(rw, `<html><head><title>Chip News</title><script>var t="%s"</script></head><body><p>%s<p>Request %d at %s.`,
			r.URL.Path, strings.Repeat("We are sorry, this story has moved on. ", 3), n, "12:00")
	}
	w.feed("http://a.example/feed", "/1.html", "/2.html", "/3.html", "/real.html", "/home.html", "/gone.html")
	w.any = sorry
	w.article("http://a.example/real.html", "A real article")
	for from, to := range map[string]string{"/home.html": "/", "/gone.html": "/error/404.html"} {
		w.handle("http://a.example"+from, func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, to, http.StatusFound) })
	}
	report := crawl(t, options(w, b, demo("a", func(s *source.Source) { s.Feeds = []string{"http://a.example/feed"} })))
	var got []string
	for _, p := range pages(t, b) {
		got = append(got, fmt.Sprint(p.URL, " ", p.Status))
	}
	// The first could not be known for what it is; it is taken back.
	if len(got) != 3 || report.Quarantined != 4 {
		t.Fatalf("got %q and %v, want one page, one that is published and taken back, and 4 in quarantine", got, report)
	}
	gone := 0
	for _, p := range got {
		if strings.HasSuffix(p, " 404") {
			gone++
		}
	}
	if gone != 1 || !strings.Contains(strings.Join(got, " "), "/real.html 200") {
		t.Errorf("got %q", got)
	}
}
