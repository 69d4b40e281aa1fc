package ui

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"xinwen/api/deliver"
	"xinwen/api/internal/memory"
	"xinwen/api/problem"
	"xinwen/api/rules"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/lexicon"
)

// table is a Desk with what a test puts on it.
type table struct {
	sourceTable
	sources    []news.SourceState
	streams    []bus.StreamStatus
	failed     []bus.Quarantined
	rules      []rules.Stored
	deliveries []deliver.Record
	asked      deliver.Filter
	replayed   []uint64
	again      string
	made       []news.Rule
	tested     []news.Rule
	rebuilt    bool
	refuse     error // of CreateRule and ChangeRule
	err        error
}

func (d *table) Sources(context.Context) ([]news.SourceState, error) { return d.sources, d.err }

func (d *table) Streams(context.Context) ([]bus.StreamStatus, error) { return d.streams, d.err }

func (d *table) Quarantine(context.Context, int) ([]bus.Quarantined, error) { return d.failed, d.err }

func (d *table) Rules(context.Context) ([]rules.Stored, error) { return d.rules, d.err }

func (d *table) CreateRule(_ context.Context, r *news.Rule) error {
	if slices.ContainsFunc(d.made, func(m news.Rule) bool { return m.ID == r.ID }) {
		return rules.ErrExists
	}
	if d.refuse == nil {
		d.made = append(d.made, *r)
	}
	return d.refuse
}

func (d *table) ChangeRule(_ context.Context, id string, change func(*news.Rule)) error {
	i := slices.IndexFunc(d.made, func(m news.Rule) bool { return m.ID == id })
	switch {
	case i < 0:
		return rules.ErrChanged
	case d.refuse != nil:
		return d.refuse
	case change == nil:
		d.made = slices.Delete(d.made, i, i+1)
	default:
		change(&d.made[i])
	}
	return nil
}

func (d *table) Rebuild(context.Context) error {
	d.rebuilt = true
	return d.err
}

func (d *table) Replay(_ context.Context, seqs ...uint64) (int, error) {
	d.replayed = append([]uint64{}, seqs...)
	return len(seqs), d.err
}

func (d *table) Deliveries(_ context.Context, f deliver.Filter) ([]deliver.Record, error) {
	d.asked = f
	return d.deliveries, d.err
}

func (d *table) ReplayDelivery(_ context.Context, id string) error {
	d.again = id
	if id == "arrived" {
		return deliver.ErrDelivered
	}
	return d.err
}

// teller is an index that knows one story.
type teller struct {
	*memory.Index
	story *search.Story
}

func (x teller) Story(_ context.Context, id string) (*search.Story, error) {
	if id != x.story.ID {
		return nil, search.ErrNotFound
	}
	return x.story, nil
}

func post(t *testing.T, h http.Handler, path string, form url.Values) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func hostileTable() *table {
	now := time.Now()
	return &table{
		sources: []news.SourceState{{ID: hostile, Name: hostile, URL: "javascript:alert(1)", Status: hostile, LastError: hostile, Hint: hostile, Reason: hostile}, {ID: "d", Name: hostile, Status: news.SourceDisabled, Reason: hostile}},
		streams: []bus.StreamStatus{{Name: hostile, Consumers: []bus.ConsumerStatus{{Name: hostile}}}},
		failed:  []bus.Quarantined{{Seq: 3, Service: hostile, Reason: hostile, Hint: hostile, Subject: hostile, Stream: hostile, URL: "javascript:alert(1)", Time: now}},
		rules: []rules.Stored{{Rule: news.Rule{
			ID: hostile, Name: hostile, Query: hostile, Owner: hostile, Labels: []string{hostile}, Languages: []string{hostile}, Sources: []string{hostile},
			Channels: []news.Channel{{Kind: hostile, Name: hostile}}, MutedUntil: now.Add(time.Hour),
		}, Origin: hostile}},
		deliveries: []deliver.Record{{ID: hostile, Rule: hostile, RuleName: hostile, Article: hostile, Title: hostile, URL: "javascript:alert(1)", Channel: hostile, To: hostile, Status: deliver.Dead, Error: hostile, Created: now}},
	}
}

func TestHostileDeskIsInert(t *testing.T) {
	x := teller{&memory.Index{}, &search.Story{ID: "s", Title: hostile, Total: 3, Languages: []search.FacetValue{{Value: hostile, Count: 1}}, Entities: []search.FacetValue{{Value: hostile, Count: 1}}, Articles: []search.StoryArticle{{
		ID: hostile, URL: "javascript:alert(1)", Title: hostile, Source: hostile, Publisher: hostile, Credit: hostile, Lang: hostile, Script: hostile, Fetched: time.Now(),
	}}}}
	a := hostileArticle()
	a.Fetched = time.Now()
	x.Add(a)
	h := newDesk(t, x, hostileTable())
	bad := url.PathEscape(hostile)
	for _, path := range []string{
		"/sources", "/sources?status=%22%3E%3Cscript%3E", "/pipeline", "/pipeline?replayed=%3Cscript%3E", "/alerts", "/alerts/test?q=%3Cscript%3E", "/alerts/test?q=((%3Cscript%3E",
		"/alerts/test?entity=" + url.QueryEscape(hostile), "/deliveries", "/deliveries?rule=%22%3E%3Cscript%3E&status=%3Cb%3E&said=%3Cb%3E", "/story/s", "/story/" + bad, "/trends", "/trends?q=%3Cscript%3E&kind=%22&days=%3Cb%3E", "/trends?q=((%3Cscript%3E", "/entity/" + bad, "/entity/none" + bad, "/help",
	} {
		for _, lang := range []string{"en", "zh-CN", "zh-TW"} {
			w := get(t, h, path, "Accept-Language", lang)
			inert(t, w.Body.String())
			if csp := w.Header().Get("Content-Security-Policy"); csp != policy {
				t.Errorf("%s: got policy %q, want the policy of all pages", path, csp)
			}
			if t.Failed() {
				t.Fatalf("in %s", path)
			}
		}
	}
}

func TestEntityPage(t *testing.T) {
	x := &memory.Index{}
	a := article("a1", "台积电与英伟达", "两家公司扩大合作。", "zh", "Hans")
	a.Published = time.Now().Add(-time.Minute)
	a.Mentions = []news.Mention{{Start: 0, End: 3, Kind: news.Org, Entity: "org:tsmc"}, {Start: 4, End: 7, Kind: news.Org, Entity: "org:nvidia"}, {Start: 4, End: 7, Kind: news.Org, Entity: "org:forgotten"}}
	x.Add(a)
	h := newDesk(t, x, &table{})
	w := get(t, h, "/entity/org:tsmc")
	body := w.Body.String()
	for _, want := range []string{
		"<h1>TSMC</h1>", `lang="zh-Hans">台积电<`, `lang="zh-Hant">台積電<`, "TWSE:2330", "Also written", "the built-in lexicon", "1 article in the last 30 days",
		`<svg class="bars" role="img"`, `height="100"`, `href="/article/a1"`, `href="/entity/org:nvidia"`, `href="/feeds/search.rss?entity=org%3Atsmc"`,
		`href="/?q=entity%3Aorg%3Atsmc&#43;AND&#43;entity%3Aorg%3Anvidia"`, `aria-label="Articles from `,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
	if to := get(t, h, "/entity/"+url.PathEscape("台積電")).Header().Get("Location"); to != "/entity/org:tsmc" {
		t.Errorf("got %q by a name, want the page of the entity", to)
	}
	if w := get(t, h, "/entity/org:forgotten"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "does not have this name any more") {
		t.Errorf("got %d, want a page of what articles still name", w.Code)
	}
	if w := get(t, h, "/entity/org:nobody-at-all"); w.Code != http.StatusNotFound {
		t.Errorf("got %d, want 404", w.Code)
	}
}

func TestChart(t *testing.T) {
	var edges []time.Time
	for i := range 4 {
		edges = append(edges, time.Date(2025, 11, 15+i, 0, 0, 0, 0, time.UTC))
	}
	c := chart([]uint64{0, 200, 1}, edges, state{Q: "HBM", Cursor: "x"}, en)
	want := []Bar{
		{From: "2025-11-15", To: "2025-11-15", Day: "2025-11-15", URL: "/?from=2025-11-15&q=HBM&to=2025-11-15", X: 1, Y: 100, Width: 7},
		{From: "2025-11-16", To: "2025-11-16", Day: "2025-11-16", URL: "/?from=2025-11-16&q=HBM&to=2025-11-16", Count: 200, X: 11, Width: 7, Height: 100},
		{From: "2025-11-17", To: "2025-11-17", Day: "2025-11-17", URL: "/?from=2025-11-17&q=HBM&to=2025-11-17", Count: 1, X: 21, Y: 97, Width: 7, Height: 3},
	}
	if d := cmp.Diff(want, c.Bars); d != "" {
		t.Errorf("bars (-want +got):\n%s", d)
	}
	if c.Label != "Articles from 2025-11-15 to 2025-11-17: 201 in all, 200 at most at a time" || c.Width != 30 {
		t.Errorf("got %q, %d wide", c.Label, c.Width)
	}
}

func TestTrendsPage(t *testing.T) {
	x := teller{&memory.Index{}, &search.Story{ID: "s", Title: "台积电涨价", Total: 4}}
	for _, id := range []string{"1", "2", "3", "4"} {
		a := article(id, "台积电", "涨价", "zh", "Hans")
		a.Published = time.Now().Add(-time.Second)
		a.Mentions = []news.Mention{{Start: 0, End: 3, Kind: news.Org, Entity: "org:tsmc"}}
		if id == "4" {
			a.Mentions = append(a.Mentions, news.Mention{Start: 4, End: 6, Kind: news.Tech, Entity: "tech:hbm"})
		}
		x.Add(a)
	}
	h := newDesk(t, x, &table{})
	body := get(t, h, "/trends").Body.String()
	for _, want := range []string{"4 articles in 14 days", "100.0 %", "25.0 %", `href="/entity/org:tsmc"`, `class="bars spark"`, "Far more than before", "4 articles, expected 0.0", `href="/trends?days=30"`, `href="/trends?days=14&amp;kind=tech"`} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
	if body := get(t, h, "/trends?kind=tech&days=30").Body.String(); strings.Contains(body, `/entity/org:tsmc`) || !strings.Contains(body, `/entity/tech:hbm`) {
		t.Error("got entities of another kind than asked for")
	}
	if w := get(t, h, "/trends?q=%E5%8F%B0)"); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "<mark>)</mark>") {
		t.Errorf("got %d, want the fault at its column", w.Code)
	}
}

// alike is an index that knows stories and similar articles.
type alike struct{ teller }

func (x alike) Search(ctx context.Context, r search.Request) (*search.Result, error) {
	if id, ok := strings.CutPrefix(r.Query, "id:"); ok {
		return &search.Result{Hits: []search.Hit{{ID: id, Story: x.story.ID}}}, nil
	}
	return x.teller.Search(ctx, r)
}

func (x alike) Similar(context.Context, search.SimilarRequest) (*search.Result, error) {
	return &search.Result{Hits: []search.Hit{{ID: "b", Title: hostile, Source: "example"}}}, nil
}

func TestArticlePageLeadsToItsStoryAndSimilar(t *testing.T) {
	x := alike{teller{&memory.Index{}, &search.Story{ID: "s", Total: 6, Languages: make([]search.FacetValue, 3)}}}
	x.Add(article("a1", "HBM", "text", "en", "Latn"))
	body := get(t, newDesk(t, x, &table{}), "/article/a1").Body.String()
	inert(t, body)
	for _, want := range []string{`<a href="/story/s">The story in 6 articles, in 3 languages</a>`, "Similar articles", `href="/article/b"`} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
}

func TestStoryPage(t *testing.T) {
	at := time.Date(2025, 11, 17, 8, 30, 0, 0, time.UTC)
	x := teller{&memory.Index{}, &search.Story{
		ID: "a1", Title: "台积电涨价", First: at, Last: at.Add(time.Hour), Total: 3, Sources: 2,
		Languages: []search.FacetValue{{Value: "zh-Hans", Count: 2}, {Value: "en", Count: 1}}, Entities: []search.FacetValue{{Value: "org:tsmc", Count: 3}},
		Articles: []search.StoryArticle{
			{ID: "a1", URL: "https://example.com/1", Title: "台积电涨价", Source: "example", Lang: "zh", Script: "Hans", Published: at},
			{ID: "a2", Title: "TSMC raises prices", Source: "wire", Lang: "en", Fetched: at.Add(time.Hour)},
		},
	}}
	body := get(t, newDesk(t, x, &table{}), "/story/a1").Body.String()
	for _, want := range []string{
		`<h1 lang="zh-Hans">台积电涨价</h1>`, `<h2 lang="en"><a href="/article/a2">TSMC raises prices</a></h2>`, "示例 &lt;b&gt;News&lt;/b&gt;", "seen 2025-11-17 09:30",
		"1 more article is not listed", "Chinese, Simplified", `href="/entity/org:tsmc"`, "2025-11-17 08:30",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
	if w := get(t, newDesk(t, x, &table{}), "/story/none"); w.Code != http.StatusNotFound {
		t.Errorf("got %d, want 404", w.Code)
	}
	if w := get(t, newDesk(t, &memory.Index{}, &table{}), "/story/a1"); w.Code != http.StatusNotImplemented {
		t.Errorf("got %d of an index without stories, want 501", w.Code)
	}
}

func TestHitsTellOfTheirStory(t *testing.T) {
	for _, tc := range []struct {
		more *search.More
		want string
	}{
		{nil, ""},
		{&search.More{}, ""},
		{&search.More{Articles: 1, Languages: []string{"en"}}, "1 more article of this story"},
		{&search.More{Articles: 4, Languages: []string{"en"}}, "4 more articles of this story"},
		{&search.More{Articles: 4, Languages: []string{"en", "zh-Hans", "zh-Hant"}}, "4 more articles of this story, in 3 languages"},
	} {
		l := (&UI{}).more(&search.Hit{ID: "a", Story: "s/1", More: tc.more}, en)
		switch {
		case tc.want == "" && l != nil:
			t.Errorf("got %v, want nothing", l)
		case tc.want != "" && (l == nil || l.Label != tc.want || l.URL != "/story/s%2F1"):
			t.Errorf("got %v, want %q", l, tc.want)
		}
	}
}

func TestPipelinePageReplays(t *testing.T) {
	d := &table{
		streams: []bus.StreamStatus{{Name: "ARTICLES", Messages: 12, Bytes: 3 << 20, MaxBytes: 1 << 30, Consumers: []bus.ConsumerStatus{{Name: "percolator", Pending: 7, AckPending: 1}}}},
		failed:  []bus.Quarantined{{Seq: 5, Service: "extractor", Reason: "no article text", Hint: "see the page", URL: "https://example.com/x", Stream: "PAGES", Attempts: 1, Time: time.Now()}},
	}
	h := newDesk(t, &memory.Index{}, d)
	body := get(t, asAdmin(h), "/pipeline?replayed=2").Body.String()
	for _, want := range []string{"ARTICLES", "3.0 MiB", "1.0 GiB", "percolator", "no article text", "see the page", `href="https://example.com/x"`, `name="seq" value="5"`, `action="/pipeline/replay" method="post"`, "2 messages were sent through"} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
	for _, tc := range []struct {
		form url.Values
		want []uint64
		to   string
	}{
		{url.Values{"seq": {"5", "9"}, "which": {"chosen"}}, []uint64{5, 9}, "/pipeline?replayed=2"},
		{url.Values{"which": {"all"}}, []uint64{}, "/pipeline?replayed=0"},
		{url.Values{"which": {"chosen"}}, nil, "/pipeline?replayed=0"},
		{url.Values{"seq": {"x"}}, nil, ""},
	} {
		d.replayed = nil
		w := post(t, h, "/pipeline/replay", tc.form)
		if d := cmp.Diff(tc.want, d.replayed); d != "" || w.Header().Get("Location") != tc.to {
			t.Errorf("%v: led to %q, replayed (-want +got):\n%s", tc.form, w.Header().Get("Location"), d)
		}
	}
	if w := get(t, h, "/pipeline/replay"); w.Code != http.StatusNotFound && w.Code != http.StatusMethodNotAllowed {
		t.Errorf("got %d for GET, want it refused", w.Code)
	}
	if to := post(t, h, "/pipeline/rebuild", nil).Header().Get("Location"); !d.rebuilt || to != "/pipeline?rebuild=1" {
		t.Errorf("led to %q, want the rebuild begun", to)
	}
	if body := get(t, asAdmin(h), "/pipeline?rebuild=1").Body.String(); !strings.Contains(body, "The rebuild has begun") || !strings.Contains(body, `action="/pipeline/rebuild"`) || !strings.Contains(body, "every 2s") {
		t.Error("got a page that does not follow the rebuild")
	}
	d.err = errors.New("gone")
	if w := get(t, h, "/pipeline"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "The streams do not answer") {
		t.Errorf("got %d, want a page that says what is missing", w.Code)
	}
}

func TestAlertsPage(t *testing.T) {
	now := time.Now()
	d := &table{
		rules: []rules.Stored{
			{Rule: news.Rule{ID: "hbm", Name: "高带宽存储", Query: "HBM", Languages: []string{"zh"}, Webhooks: []news.Webhook{{URL: "https://example.com/secret"}}}, Origin: "hbm.yaml"},
			{Rule: news.Rule{ID: "off", Query: "x", Disabled: true}},
			{Rule: news.Rule{ID: "quiet", Query: "y", MutedUntil: now.Add(3 * time.Hour)}},
		},
		deliveries: []deliver.Record{
			{Rule: "hbm", Article: "1", Created: now.Add(-time.Hour)},
			{Rule: "hbm", Article: "1", Created: now.Add(-time.Hour)}, // to another receiver
			{Rule: "hbm", Article: "2", Created: now.Add(-2 * time.Hour)},
			{Rule: "hbm", Article: "3", Created: now.Add(-30 * time.Hour)},
		},
	}
	body := get(t, newDesk(t, &memory.Index{}, d), "/alerts").Body.String()
	for _, want := range []string{
		"高带宽存储", "<code>HBM</code>", `<a href="/deliveries?rule=hbm">2</a>`, "webhook", "from hbm.yaml", "made over HTTP", ">off<", ">muted<", "in 2 h",
		`href="/feeds/hbm.rss"`, `href="/feeds/hbm.json"`, `href="/alerts/test?id=hbm"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
	if strings.Contains(body, "secret") {
		t.Error("got the address of a webhook, want it hidden")
	}
}

func TestSearchIsSavedAsAnAlert(t *testing.T) {
	d := &table{}
	h := newDesk(t, &memory.Index{}, d)
	for range 2 {
		w := post(t, h, "/alerts/save", url.Values{"q": {"HBM"}, "lang": {"zh"}, "name": {"My HBM"}})
		if to := w.Header().Get("Location"); to != "/alerts?said=rule-saved" {
			t.Fatalf("led to %q: %s", to, w.Body)
		}
	}
	want := []news.Rule{
		{ID: "my-hbm", Name: "My HBM", Query: "HBM", Languages: []string{"zh"}},
		{ID: "my-hbm-2", Name: "My HBM", Query: "HBM", Languages: []string{"zh"}},
	}
	if d := cmp.Diff(want, d.made, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("rules (-want +got):\n%s", d)
	}
	if body := get(t, h, "/alerts?said=rule-saved").Body.String(); !strings.Contains(body, "saved and in force") {
		t.Error("got a page that does not say that the alert is saved")
	}
	d.refuse = problem.New(http.StatusUnprocessableEntity, "It matches all news.", "Narrow it.")
	w := post(t, h, "/alerts/save", url.Values{"q": {"chip"}})
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "It matches all news. Narrow it.") || !strings.Contains(w.Body.String(), `value="chip"`) {
		t.Errorf("got %d, want why it is refused, and the form again", w.Code)
	}
}

func TestAlertsAreChanged(t *testing.T) {
	d := &table{made: []news.Rule{{ID: "a"}}}
	h := newDesk(t, &memory.Index{}, d)
	change := func(id, act string) string {
		return post(t, h, "/alerts/change", url.Values{"id": {id}, "act": {act}}).Header().Get("Location")
	}
	if to := change("a", actOff); to != "/alerts?said=rule-changed" || !d.made[0].Disabled {
		t.Errorf("led to %q, want the rule off", to)
	}
	if change("a", actOn); d.made[0].Disabled {
		t.Error("want the rule on")
	}
	if change("a", actMute); d.made[0].MutedUntil.Before(time.Now().Add(23 * time.Hour)) {
		t.Errorf("muted until %v, want a day", d.made[0].MutedUntil)
	}
	if change("a", actUnmute); !d.made[0].MutedUntil.IsZero() {
		t.Error("want the rule no longer muted")
	}
	d.refuse = rules.ErrFile
	if to := change("a", actOff); to != "/alerts?said=rule-of-file" {
		t.Errorf("led to %q, want why it cannot be changed", to)
	}
	d.refuse = nil
	if to := change("a", actRemove); to != "/alerts?said=rule-removed" || len(d.made) != 0 {
		t.Errorf("led to %q, want the rule gone", to)
	}
	if to := change("a", actOff); to != "/alerts?said=rule-moved" {
		t.Errorf("led to %q, want that it is gone", to)
	}
	if w := post(t, h, "/alerts/change", url.Values{"id": {"a"}, "act": {"burn"}}); w.Code != http.StatusBadRequest {
		t.Errorf("got %d, want 400", w.Code)
	}
}

func TestConsumersThatShareWorkAreOneRow(t *testing.T) {
	got := consumers([]bus.ConsumerStatus{{Name: "crawler-00", Pending: 1, AckPending: 2}, {Name: "extractor", Pending: 5}, {Name: "crawler-15", Pending: 3, Redelivered: 1}, {Name: "x86"}})
	want := []Consumer{{"crawler-*", 4, 2, 1}, {"extractor", 5, 0, 0}, {"x86", 0, 0, 0}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestRuleOfASearch(t *testing.T) {
	lex, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	u := &UI{o: Options{Lexicon: lexicon.NewStore(lex)}}
	for _, tc := range []struct {
		s         state
		id, query string
	}{
		{state{Q: "HBM AND Micron"}, "hbm-micron", "HBM AND Micron"},
		{state{Q: "台积电 AND 涨价"}, "tsmc", "台积电 AND 涨价"},
		{state{Q: "涨价潮"}, unnamed, "涨价潮"},
		{state{Entity: []string{"org:tsmc"}}, "tsmc", "entity:org:tsmc"},
		{state{Q: "price OR 涨价", Entity: []string{"org:tsmc", "org:asml"}}, "price", "(price OR 涨价) AND (entity:org:tsmc OR entity:org:asml)"},
		{state{Q: strings.Repeat("long words ", 30)}, "long-words-long-words-long-words-long-wo", strings.Repeat("long words ", 30)},
	} {
		r := u.ruleOf(tc.s)
		if r.ID != tc.id || r.Query != tc.query {
			t.Errorf("%v: got %q %q, want %q %q", tc.s, r.ID, r.Query, tc.id, tc.query)
		}
		text, err := yaml.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		read, faults := rules.ParseDrafts("test.yaml", text, query.Parse)
		if len(faults) > 0 || len(read) != 1 || read[0].ID != tc.id || read[0].Query != tc.query {
			t.Errorf("%s: got %v %v, want the rule back", text, read, faults)
		}
	}
}

func TestDeliveriesPageReplays(t *testing.T) {
	d := &table{deliveries: []deliver.Record{
		{ID: "d1", Rule: "hbm", RuleName: "高带宽存储", Article: "a1", Title: "HBM", Channel: "webhook", To: "https://example.com", Status: deliver.Dead, Attempts: 9, HTTPStatus: 500, Error: "refused", Created: time.Now()},
		{ID: "d2", Rule: "hbm", Article: "a2", Channel: "log", Status: deliver.Delivered, Created: time.Now()},
	}}
	h := newDesk(t, &memory.Index{}, d)
	body := get(t, h, "/deliveries?rule=hbm&status=dead").Body.String()
	for _, want := range []string{"高带宽存储", "given up", "HTTP 500", "refused", `name="id" value="d1"`, `name="rule" value="hbm"`, `href="/article/a1"`, `href="/deliveries?rule=hbm"`, "Without a title"} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
	if strings.Contains(body, `value="d2"`) {
		t.Error("got a replay of what has arrived")
	}
	if want := (deliver.Filter{Rule: "hbm", Status: deliver.Dead, Limit: listSize}); d.asked != want {
		t.Errorf("asked for %v, want %v", d.asked, want)
	}
	w := post(t, h, "/deliveries/replay", url.Values{"id": {"d1"}, "rule": {"hbm"}})
	if to := w.Header().Get("Location"); d.again != "d1" || to != "/deliveries?rule=hbm&said=delivery-again" {
		t.Errorf("replayed %q, led to %q", d.again, to)
	}
	if to := post(t, h, "/deliveries/replay", url.Values{"id": {"arrived"}}).Header().Get("Location"); to != "/deliveries?said=delivery-arrived" {
		t.Errorf("led to %q, want it told", to)
	}
	if body := get(t, h, "/deliveries?said=delivery-arrived").Body.String(); !strings.Contains(body, "has arrived already") {
		t.Error("got a page that does not say what came of it")
	}
}

func TestHelpPageExamplesParse(t *testing.T) {
	h := newDesk(t, &memory.Index{}, &table{})
	for _, lang := range []string{"en", "zh-CN", "zh-TW"} {
		if body := get(t, h, "/help", "Accept-Language", lang).Body.String(); !strings.Contains(body, "NEAR/10") {
			t.Errorf("%s: got a page without examples", lang)
		}
	}
	for _, part := range helpParts {
		for _, l := range part.lines {
			if _, err := query.Parse(l.query); err != nil {
				t.Errorf("%s: %v", l.query, err)
			}
		}
	}
}

func TestEveryPageLeadsToTheOthers(t *testing.T) {
	h := newDesk(t, &memory.Index{}, &table{})
	for _, r := range rooms {
		body := get(t, h, r.URL).Body.String()
		for _, to := range rooms {
			if !strings.Contains(body, `href="`+to.URL+`"`) {
				t.Errorf("%s: got no link to %s", r.URL, to.URL)
			}
		}
		if strings.Count(body, `aria-current="page"`) != 1 {
			t.Errorf("%s: got a navigation that does not say where it is", r.URL)
		}
	}
}
