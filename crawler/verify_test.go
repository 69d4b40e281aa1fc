package crawler_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/crawler"
	"xinwen/crawler/source"
	"xinwen/news"
)

func TestVerifyGivesTiers(t *testing.T) {
	w := newWeb(t)
	secure := httptest.NewTLSServer(http.NotFoundHandler()) // with a certificate that nobody knows
	t.Cleanup(secure.Close)
	w.feed("http://good.example/feed", "/1", "/2")
	w.serveText("http://stale.example/feed", "text/xml", strings.ReplaceAll(rss("/1"), time.Now().Format("2006"), "2019"))
	w.serveText("http://empty.example/feed", "text/xml", rss())
	w.handle("http://limited.example/feed", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusTooManyRequests) })
	w.serveText("http://denied.example/robots.txt", "text/plain", "User-agent: *\nDisallow: /feed\n")
	w.feed("http://denied.example/feed", "/1")
	w.serveText("http://html.example/feed", "text/html", "<html><title>x</title>")
	w.serveText("http://map.example/sitemap.xml", "text/xml", urlset(map[string]time.Duration{"http://map.example/1": time.Hour}))
	w.serveText("http://home.example/", "text/html", `<html><head><link rel=alternate type="application/rss+xml" href="/hidden"></head>`)
	w.feed("http://home.example/hidden", "/1")
	feeds := func(id string, urls ...string) *source.Source {
		return demo(id, func(s *source.Source) { s.Feeds = urls })
	}
	list := source.NewSet(
		feeds("good", "http://good.example/feed"), feeds("stale", "http://stale.example/feed"), feeds("empty", "http://empty.example/feed"),
		feeds("limited", "http://limited.example/feed"), feeds("denied", "http://denied.example/feed"), feeds("html", "http://html.example/feed"),
		feeds("tls", "https://tls.example/feed"), feeds("second", "http://second.example/gone", "http://good.example/feed"),
		demo("map", func(s *source.Source) { s.Sitemaps = []string{"http://map.example/sitemap.xml"} }),
		demo("home", func(s *source.Source) { s.Enabled, s.Reason = false, "unverified" }),
	)
	got := make(map[string]news.Tier)
	config := crawler.Config{Resolve: []string{"*=" + w.Listener.Addr().String(), "tls.example=" + secure.Listener.Addr().String()}}
	err := crawler.Verify(t.Context(), crawler.VerifyOptions{Config: config, List: list, Discover: true}, func(v news.Verification) {
		got[v.ID] = v.Tier
		if v.ID == "home" && (len(v.Found) != 1 || v.Found[0].URL != "http://home.example/hidden") {
			t.Errorf("home: got %+v", v)
		}
		if v.ID == "good" && (v.Items != 2 || v.Newest.IsZero() || v.Ways[0].HTTPStatus != 200) {
			t.Errorf("good: got %+v", v)
		}
		for _, p := range v.Ways {
			if p.Tier != news.TierOK && p.Hint == "" {
				t.Errorf("%s: no hint: %+v", v.ID, p)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]news.Tier{
		"good": news.TierOK, "stale": news.TierStale, "empty": news.TierEmpty, "limited": news.TierLimited, "denied": news.TierDenied,
		"html": news.TierBad, "tls": news.TierTLS, "second": news.TierOK, "map": news.TierOK, "home": news.TierOK,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tiers (-want +got):\n%s", diff)
	}
	if err := crawler.Verify(t.Context(), crawler.VerifyOptions{List: list, IDs: []string{"nobody"}}, nil); err == nil {
		t.Error("an unknown source was accepted")
	}
}
