package crawler_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"xinwen/crawler/frontier"
	"xinwen/crawler/source"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/weburl"
)

// TestPagesAreLookedAtAgain follows pages through their visits: one that stays, one
// that changes, one that goes and one that is missing for a moment.
func TestPagesAreLookedAtAgain(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	w.feed("http://a.example/feed", "/same", "/changes", "/goes", "/missing")
	var visits [4]atomic.Int32
	var conditional atomic.Int32
	for i, name := range []string{"same", "changes", "goes", "missing"} {
		w.handle("http://a.example/"+name, func(rw http.ResponseWriter, r *http.Request) {
			n := visits[i].Add(1)
			switch {
			case name == "same":
				rw.Header().Set("ETag", `"v1"`)
				if r.Header.Get("If-None-Match") == `"v1"` {
					conditional.Add(1)
					rw.WriteHeader(http.StatusNotModified)
					return
				}
			case name == "goes" && n > 1:
				rw.WriteHeader(http.StatusGone)
				return
			case name == "missing" && n == 2:
				rw.WriteHeader(http.StatusNotFound)
				return
			}
			text := "<p>The first version of the page " + name
			if name == "changes" && n > 2 {
				text = "<p>The second version of the page " + name
			}
			_, _ = rw.Write([]byte(text)) // a client that is gone fails the test
		})
	}
	c, ctx := run(t, options(w, b, demo("a", func(s *source.Source) {
		s.Feeds, s.Revisit = []string{"http://a.example/feed"}, []time.Duration{100 * time.Millisecond, 1500 * time.Millisecond, 3 * time.Second}
	})))
	eventually(ctx, t, "visits", func() bool {
		return visits[0].Load() == 4 && visits[1].Load() == 4 && visits[2].Load() == 2 && visits[3].Load() == 2
	})
	eventually(ctx, t, "last visit", func() bool {
		info, err := b.Status(ctx)
		if err != nil {
			return false
		}
		for _, s := range info {
			if s.Name == bus.Frontier {
				return s.Messages == 1 // the missing page's next visit
			}
		}
		return false
	})
	if conditional.Load() != 3 {
		t.Errorf("got %d conditional requests, want 3", conditional.Load())
	}
	count := make(map[string][]int)
	for _, p := range pages(t, b) {
		count[p.URL] = append(count[p.URL], p.Status)
	}
	for url, want := range map[string]int{"same": 1, "changes": 2, "goes": 2, "missing": 1} {
		if got := len(count["http://a.example/"+url]); got != want {
			t.Errorf("%s: got %d pages, want %d", url, got, want)
		}
	}
	if got := count["http://a.example/goes"]; got[len(got)-1] != http.StatusGone {
		t.Errorf("got %v for a page that went, want its tombstone last", got)
	}
	if r := c.Report(); r.Quarantined != 0 {
		t.Errorf("got %v", r)
	}
}

// TestUpdatedEntryIsFetchedAgain changes an entry's time of update: its page is
// looked at again, but not when a feed says so of everything.
func TestUpdatedEntryIsFetchedAgain(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	feed := func(updated time.Time, changed int) {
		text := `<feed xmlns="http://www.w3.org/2005/Atom"><title>A</title>`
		for i, name := range []string{"1", "2", "3", "4", "5", "6"} {
			at := "2025-11-17T08:00:00Z"
			if i < changed {
				at = updated.UTC().Format(time.RFC3339)
			}
			text += `<entry><link href="/` + name + `"/><published>2025-11-17T08:00:00Z</published><updated>` + at + `</updated></entry>`
		}
		w.serveText("http://a.example/feed", "application/atom+xml", text+"</feed>")
	}
	for _, name := range []string{"1", "2", "3", "4", "5", "6"} {
		w.article("http://a.example/"+name, "Article "+name)
	}
	src := demo("a", func(s *source.Source) { s.Feeds = []string{"http://a.example/feed"} })
	feed(time.Time{}, 0)
	crawl(t, options(w, b, src))
	// What is known of the pages is made to be of yesterday.
	seen := b.KV(bus.KVSeen)
	keys, err := seen.Keys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		if _, err := seen.Put(t.Context(), k, []byte(`{"o":"fetched","s":"a","p":true,"c":200,"t":"2025-11-18T08:00:00Z"}`)); err != nil {
			t.Fatal(err)
		}
	}
	feed(time.Now().Add(-time.Hour), 1)
	crawl(t, options(w, b, src))
	if n := w.count("http://a.example/1"); n != 2 {
		t.Errorf("an updated page was fetched %d times, want 2", n)
	}
	feed(time.Now().Add(-time.Minute), 6)
	crawl(t, options(w, b, src))
	if n := w.count("http://a.example/2"); n != 1 {
		t.Errorf("a page of a feed that updates everything was fetched %d times, want 1", n)
	}
}

// TestPageIsNewerThanWhatAnEarlierClockSaid fetches a page again that was fetched
// with a clock that was a year ahead.
func TestPageIsNewerThanWhatAnEarlierClockSaid(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	w.article("http://a.example/1", "Article")
	ahead := time.Now().AddDate(1, 0, 0).UnixMilli()
	known := fmt.Sprintf(`{"o":"fetched","s":"a","p":true,"f":%d,"c":200,"t":"2025-11-18T08:00:00Z"}`, ahead)
	if _, err := b.KV(bus.KVSeen).Put(t.Context(), bus.Key(weburl.ID("http://a.example/1")), []byte(known)); err != nil {
		t.Fatal(err)
	}
	front := frontier.New(b)
	if _, err := front.Add(t.Context(), frontier.Entry{URL: "http://a.example/1", Source: "a", Revisit: true}); err != nil {
		t.Fatal(err)
	}
	crawl(t, options(w, b, demo("a", nil)))
	got := pages(t, b)
	if len(got) != 1 || got[0].Fetched.UnixMilli() != ahead+1 {
		t.Errorf("got %v, want a page of the moment after the newest known", got)
	}
	if rec, _, err := front.Known(t.Context(), "http://a.example/1"); err != nil || rec.Newest != ahead+1 {
		t.Errorf("got %+v, %v, want the page known as the newest", rec, err)
	}
}

// TestFurtherPartIsFetchedForItsPage asks for a page as the extractor does.
func TestFurtherPartIsFetchedForItsPage(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	w.article("http://a.example/1_2.html", "Part two")
	c, ctx := run(t, options(w, b))
	m := &bus.Message{
		Subject: bus.SubjectFetch + bus.Token("a.example"), ID: "ask.1",
		Data: []byte(`{"v":1,"url":"http://a.example/1_2.html","source":"a","parent":"page-one"}`),
	}
	if err := b.Publish(ctx, m); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "page", func() bool { return c.Report().Pages == 1 })
	all := pages(t, b)
	want := news.Page{Parent: "page-one", Source: "a", URL: "http://a.example/1_2.html"}
	if len(all) != 1 || all[0].Parent != want.Parent || all[0].Source != want.Source || all[0].URL != want.URL {
		t.Errorf("got %+v, want %+v", all, want)
	}
}
