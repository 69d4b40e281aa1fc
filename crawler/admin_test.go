package crawler_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/crawler"
	"xinwen/crawler/source"
	"xinwen/news"
	"xinwen/news/bus"
)

// serve runs a crawler of sources until the test ends, and waits until it answers.
func serve(ctx context.Context, t *testing.T, o crawler.Options) *crawler.Crawler {
	t.Helper()
	c := begin(ctx, t, o)
	eventually(ctx, t, "service", func() bool {
		var v news.Verification
		return !errors.Is(o.Bus.Ask(ctx, bus.SubjectVerify, "nobody", &v), bus.ErrUnanswered)
	})
	return c
}

func change(t *testing.T, b *bus.Bus, c news.SourceChange) {
	t.Helper()
	data, err := json.Marshal(c)
	if err == nil {
		_, err = b.KV(bus.KVSourceChanges).Put(t.Context(), bus.Key(c.ID), data)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestChangesOfSourcesAreFollowedAtOnce(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	for _, id := range []string{"a", "off", "added"} {
		w.feed("http://"+id+".example/feed", "/1")
		w.article("http://"+id+".example/1", "Article of "+id)
	}
	no, yes := false, true
	// What was changed before the start counts from the start.
	change(t, b, news.SourceChange{ID: "a", Enabled: &no, By: "desk"})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	feeds := func(id string, enabled bool) *source.Source {
		return demo(id, func(s *source.Source) { s.Feeds, s.Enabled = []string{"http://" + id + ".example/feed"}, enabled })
	}
	c := serve(ctx, t, options(w, b, feeds("a", true), feeds("off", false), demo("bare", func(s *source.Source) { s.Home, s.Enabled = "", false })))

	change(t, b, news.SourceChange{ID: "off", Enabled: &yes})
	eventually(ctx, t, "page of the source that was switched on", func() bool { return c.Report().Pages == 1 })
	change(t, b, news.SourceChange{ID: "added", Definition: "id: added\nhome: http://added.example/\nfeeds: [http://added.example/feed]\ndelay: 0\n", By: "desk"})
	eventually(ctx, t, "page of the source that was added", func() bool { return c.Report().Pages == 2 })
	// What cannot be followed changes nothing else.
	change(t, b, news.SourceChange{ID: "broken", Definition: "id: broken\nfeed: [x]\n"})
	change(t, b, news.SourceChange{ID: "bare", Enabled: &yes})
	if err := b.KV(bus.KVSourceChanges).Delete(ctx, bus.Key("added")); err != nil {
		t.Fatal(err)
	}
	eventually(ctx, t, "end of the source that was removed", func() bool {
		_, err := b.KV(bus.KVSources).Get(ctx, bus.Key("added"))
		return err != nil
	})
	eventually(ctx, t, "state of a", func() bool {
		v, err := b.KV(bus.KVSources).Get(ctx, bus.Key("a"))
		return err == nil && strings.Contains(string(v.Value()), `"switched off by desk"`)
	})
	if n := w.count("http://a.example/feed"); n != 0 {
		t.Errorf("a source that is switched off was polled %d times", n)
	}
	if n := w.count("http://off.example/feed"); n != 1 {
		t.Errorf("the feed of a source that did not change was polled %d times, want once", n)
	}
	if st := state(t, b, "bare"); st.Enabled {
		t.Error("a source without any way in is on")
	}
}

func TestDiscoverOffersWhatThereIs(t *testing.T) {
	w, b := newWeb(t), openBus(t, t.TempDir())
	w.serveText("http://www.chipnews.example/", "text/html; charset=utf-8", `<html><head><title>芯片新闻网 - 半导体资讯</title>
		<link rel="alternate" type="application/rss+xml" href="/rss"></head><body>`+
		strings.Repeat(`<a href="/about">关于</a>`, 2)+listOfArticles("/2025/11/"))
	w.serveText("http://www.chipnews.example/rss", "text/xml", strings.ReplaceAll(rss("/1", "/2"), "Entry", "芯片价格上涨"))
	w.serveText("http://www.chipnews.example/robots.txt", "text/plain", "Sitemap: http://www.chipnews.example/map.xml\n")
	w.serveText("http://www.chipnews.example/map.xml", "text/xml", urlset(map[string]time.Duration{"http://www.chipnews.example/1": time.Hour}))
	w.serveText("http://denied.example/robots.txt", "text/plain", "User-agent: *\nDisallow: /\n")
	w.handle("http://broken.example/", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusInternalServerError) })
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	followed := demo("known", func(s *source.Source) { s.Home, s.Enabled = "http://known.example/", false })
	o := options(w, b, followed)
	// The guard is tested with what is not resolved by us.
	o.Resolve = []string{
		"www.chipnews.example=" + w.Listener.Addr().String(), "denied.example=" + w.Listener.Addr().String(),
		"broken.example=" + w.Listener.Addr().String(), "known.example=" + w.Listener.Addr().String(),
	}
	serve(ctx, t, o)
	var d news.Discovery
	// Typed as people do; the site knows no https.
	if err := b.Ask(ctx, bus.SubjectDiscover, news.Way{URL: "www.chipnews.example"}, &d); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, p := range d.Candidates {
		kinds = append(kinds, p.Kind+" "+p.URL+" "+string(p.Tier))
	}
	want := []string{
		"feed http://www.chipnews.example/rss ok", "sitemap http://www.chipnews.example/map.xml ok", "list_page http://www.chipnews.example/ ok",
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("candidates (-want +got):\n%s", diff)
	}
	if d.ID != "chipnews" || d.Name != "芯片新闻网" || d.Lang != "zh" || d.Script != news.ScriptHans || d.Followed != "" || d.Home != "http://www.chipnews.example/" {
		t.Errorf("got %+v", d)
	}
	if len(d.Candidates) > 0 && (d.Candidates[0].Items != 2 || len(d.Candidates[0].Titles) != 2) {
		t.Errorf("feed: got %+v", d.Candidates[0])
	}
	// A definition that can be followed comes of it.
	var made news.SourceChange
	if err := b.Ask(ctx, bus.SubjectDefine, news.SourceDraft{URL: d.URL, ID: d.ID, Name: d.Name, Lang: d.Lang, Script: d.Script, Ways: []news.Way{d.Candidates[0].Way, d.Candidates[2].Way}}, &made); err != nil {
		t.Fatal(err)
	}
	src, err := source.ParseOne("made", []byte(made.Definition))
	if err != nil {
		t.Fatalf("%v:\n%s", err, made.Definition)
	}
	if src.ID != "chipnews" || src.TimeZone != "Asia/Shanghai" || len(src.Feeds) != 1 || len(src.ListPages) != 1 || !src.Enabled {
		t.Errorf("got %+v of\n%s", src, made.Definition)
	}
	if err := b.Ask(ctx, bus.SubjectDefine, news.SourceDraft{URL: "http://www.chipnews.example/rss"}, &made); err != nil || !strings.Contains(made.Definition, "/rss") {
		t.Errorf("of the feed alone: got %v, %s", err, made.Definition)
	}
	tests := map[string]struct {
		subject string
		request any
		status  int
		want    string
	}{
		"private":   {bus.SubjectDefine, news.SourceDraft{URL: "http://127.0.0.1/feed"}, 400, "not a public address"},
		"denied":    {bus.SubjectDefine, news.SourceDraft{URL: "http://denied.example/"}, 400, "robots.txt forbids"},
		"nothing":   {bus.SubjectDefine, news.SourceDraft{URL: "http://broken.example/"}, 400, "nothing to follow"},
		"scheme":    {bus.SubjectDiscover, news.Way{URL: "file:///etc/passwd"}, 400, "not the address"},
		"user":      {bus.SubjectDiscover, news.Way{URL: "https://a:b@news.example/"}, 400, "not the address"},
		"kind":      {bus.SubjectDefine, news.SourceDraft{URL: "news.example", Ways: []news.Way{{Kind: "gopher", URL: "news.example"}}}, 400, "gopher"},
		"taken":     {bus.SubjectDefine, news.SourceDraft{Definition: "id: known\nurls: [http://known.example/1]\n"}, 409, "already"},
		"proxy":     {bus.SubjectDefine, news.SourceDraft{Definition: "id: p\nurls: [http://p.example/1]\nproxy: http://10.0.0.1:80\n"}, 400, "proxy"},
		"faults":    {bus.SubjectDefine, news.SourceDraft{Definition: "id: p\nfeed: x\n"}, 400, `unknown key "feed"`},
		"no-source": {bus.SubjectVerify, "nobody", 404, "no source nobody"},
		"no-json":   {bus.SubjectVerify, []byte("{"), 400, "cannot be read"},
	}
	for name, tc := range tests {
		var r *bus.Refusal
		err := b.Ask(ctx, tc.subject, tc.request, &made)
		if !errors.As(err, &r) || r.Status != tc.status || !strings.Contains(r.Message, tc.want) {
			t.Errorf("%s: got %v, want %d with %q", name, err, tc.status, tc.want)
		}
	}
	var v news.Verification
	if err := b.Ask(ctx, bus.SubjectVerify, "known", &v); err != nil || v.ID != "known" || v.Tier != news.TierBad {
		t.Errorf("verify: got %+v, %v", v, err)
	}
}

// listOfArticles is what a list page mostly is.
func listOfArticles(path string) string {
	var b strings.Builder
	b.WriteString("<ul>")
	for _, n := range []string{"1001", "1002", "1003", "1004", "1005", "1006"} {
		b.WriteString(`<li><a href="` + path + n + `.html">晶圆厂扩产消息第` + n + `号公告全文</a> ` + time.Now().UTC().Format(time.DateOnly) + `</li>`)
	}
	return b.String() + "</ul>"
}
