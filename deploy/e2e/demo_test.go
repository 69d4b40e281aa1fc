package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/deploy/e2e/internal/run"
	"xinwen/deploy/simweb"
	"xinwen/news/weburl"
)

const (
	demoTime = 90 * time.Second
	delay    = 30 * time.Millisecond
)

// names are ways to write one entity.
var names = map[string][]string{
	"nvidia":       {"英伟达", "英偉達", "輝達", "NVIDIA", "nvidia", "entity:nvidia"},
	"jensen-huang": {"黄仁勋", "黃仁勳", "\"Jensen Huang\""},
	"tsmc":         {"台积电", "台積電", "臺積電", "TSMC"},
	"sk-hynix":     {"\"SK hynix\"", "SK海力士"},
}

// spelt is how the demo articles write them.
var spelt = map[string][]string{
	"nvidia":       {"英伟达", "英偉達", "輝達", "Nvidia", "NVIDIA"},
	"jensen-huang": {"黄仁勋", "黃仁勳", "Jensen Huang"},
	"tsmc":         {"台积电", "台積電", "TSMC", "Taiwan Semiconductor Manufacturing"},
	"sk-hynix":     {"SK海力士", "SK hynix"},
	"samsung":      {"三星", "Samsung"},
}

// telling returns the IDs of the articles that contain one of the words.
func telling(articles []simweb.Article, words ...string) []string {
	var ids []string
	for _, a := range articles {
		if slices.ContainsFunc(words, func(w string) bool { return strings.Contains(a.Title+"\n"+a.Text, w) }) {
			ids = append(ids, weburl.ID(a.URL))
		}
	}
	slices.Sort(ids)
	return ids
}

func TestDemoWebFromEndToEnd(t *testing.T) {
	if testing.Short() {
		t.Skip("crawls the whole demo web")
	}
	web := startWeb(t, simweb.Options{})
	articles := web.Articles()
	nameOf := make(map[string]string)
	for _, a := range articles {
		nameOf[weburl.ID(a.URL)] = a.Name
	}
	receiver := run.NewReceiver(t)
	s := prepare(t, web, simweb.SourceOptions{Delay: delay, Interval: 30 * time.Minute})
	s.Alerts = receiver.Rule(t, "foundries", "台积电 OR 三星")
	began := time.Now()
	c := start(t, s)
	follower := follow(t, c, "台积电 OR 三星")
	c.Until(demoTime, func() string {
		if n := c.Count(); n < len(articles) {
			return fmt.Sprintf("%d of %d articles can be found", n, len(articles))
		}
		return c.Busy()
	})
	t.Logf("all is found and told after %s", time.Since(began).Round(time.Millisecond))
	hits := c.Search("")

	t.Run("every article once with its metadata", func(t *testing.T) {
		if got, want := slices.Sorted(maps.Keys(hits)), slices.Sorted(maps.Keys(nameOf)); !slices.Equal(got, want) {
			t.Errorf("articles found (-want +got):\n%s", cmp.Diff(want, got))
		}
		for _, want := range articles {
			h, ok := hits[weburl.ID(want.URL)]
			if !ok {
				t.Errorf("%s is not found: %s", want.Name, want.URL)
				continue
			}
			got := fmt.Sprintf("%s|%s|%s|%s|%s|%s", h.URL, h.Title, h.Lang, h.Script, h.Source, day(h.Published, zones[want.Source]))
			if want := fmt.Sprintf("%s|%s|%s|%s|%s|%s", want.URL, want.Title, want.Lang, want.Script, want.Source, day(want.Published, zones[want.Source])); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if !want.DateOnly && !h.Published.Equal(want.Published) {
				t.Errorf("%s: published %s, want %s", want.Name, h.Published, want.Published.UTC())
			}
		}
	})
	t.Run("every article is whole", func(t *testing.T) {
		for _, want := range articles {
			a, err := c.Article(weburl.ID(want.URL))
			if err != nil {
				t.Error(err)
				continue
			}
			for _, fault := range differences(a, want, zones[want.Source]) {
				t.Errorf("%s: %s", want.Name, fault)
			}
		}
	})
	t.Run("all names of an entity find the same", func(t *testing.T) {
		for entity, queries := range names {
			want := telling(articles, spelt[entity]...)
			for _, q := range queries {
				sameArticles(t, "search for "+q, nameOf, slices.Sorted(maps.Keys(c.Search(q))), want)
			}
		}
	})
	want := telling(articles, slices.Concat(spelt["tsmc"], spelt["samsung"])...)
	t.Run("the alert fires once for each match", func(t *testing.T) {
		receiver.Arrived(t, time.Minute, want)
		receiver.Once(t)
	})
	t.Run("a subscriber who comes back misses nothing", func(t *testing.T) {
		sameArticles(t, "stream", nameOf, follower.wait(t, len(want)), want)
		if n := follower.connections.Load(); n < 3 {
			t.Errorf("got %d connections, want several", n)
		}
	})
	t.Run("the crawler is polite", func(t *testing.T) {
		polite(t, web)
		if got := web.Log().Missing(articles); len(got) > 0 {
			t.Errorf("never fetched: %v", got)
		}
		for url, n := range web.Log().Fetched() {
			if n > 1 {
				t.Errorf("fetched %d times: %s", n, url)
			}
		}
	})
}

// polite checks what the log tells of the crawler's manners.
func polite(t *testing.T, web *simweb.Web) {
	t.Helper()
	for _, r := range web.Log().Disallowed() {
		t.Errorf("robots.txt forbids %s", r.URL())
	}
	if hosts := web.Log().WithoutRobots(); len(hosts) > 0 {
		t.Errorf("asked for pages before robots.txt: %v", hosts)
	}
	crawlDelay := map[string]bool{"tech.xidao-demo.example": true, "www.waferwire-demo.example": true}
	for _, g := range web.Log().SmallestGaps() {
		want := delay
		if crawlDelay[g.Host] {
			want = time.Second
		}
		// The gap is measured where requests arrive, which wobbles.
		if g.Gap < want-want/5 {
			t.Errorf("%s: %s between %s and %s, want %s", g.Host, g.Gap, g.First, g.Second, want)
		}
	}
}

// sameArticles compares sorted IDs and reports names.
func sameArticles(t *testing.T, what string, nameOf map[string]string, got, want []string) {
	t.Helper()
	name := func(ids []string) []string {
		all := []string{}
		for _, id := range ids {
			n := nameOf[id]
			if n == "" {
				n = id
			}
			all = append(all, n)
		}
		slices.Sort(all)
		return all
	}
	if diff := cmp.Diff(name(want), name(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestNewsIsFoundAndNothingIsFetchedTwice(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for several polls")
	}
	web := startWeb(t, simweb.Options{DemoSites: []string{"jingyuan", "guiyuan", "kuaixin"}})
	before := web.Articles()
	c := start(t, prepare(t, web, simweb.SourceOptions{Delay: delay, Interval: 300 * time.Millisecond}))
	c.Until(demoTime, func() string { return short(c.Count(), len(before)) })
	a, err := web.Publish(simweb.Article{
		Name: "flash", Source: "jingyuan", Title: "輝達演示快訊：新平台送樣", Reporter: "林若涵", Editor: "吳子軒",
		Text: "輝達在演示活動中表示，新一代平台已開始送樣，供應鏈業者對下半年的出貨看法審慎樂觀。\n業者指出，新平台的機櫃採用液冷設計，電源與散熱零組件的需求將同步增加，國內廠商已通過認證，準備逐步放量出貨。",
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Until(demoTime, func() string {
		if _, err := c.Article(weburl.ID(a.URL)); err != nil {
			return err.Error()
		}
		return ""
	})
	if hits := c.Search("英伟达"); hits[weburl.ID(a.URL)].Title != a.Title {
		t.Errorf("search for 英伟达 does not find the new article %q", a.Title)
	}
	fetched := web.Log().Fetched()
	for _, a := range web.Articles() {
		if n := fetched[a.URL]; n != 1 {
			t.Errorf("fetched %d times, want once: %s", n, a.URL)
		}
	}
	if w := web.Log().Waste(); w.NotModified == 0 || w.Repeated > 0 {
		t.Errorf("got waste %+v, want unchanged feeds to be answered 304", w)
	}
}

func short(got, want int) string {
	if got < want {
		return fmt.Sprintf("%d of %d articles can be found", got, want)
	}
	return ""
}
