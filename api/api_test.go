package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"xinwen/api/internal/memory"
	"xinwen/indexer/query"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/lexicon"
)

// words is loaded once: the dictionary takes its time.
var words = sync.OnceValues(func() (*query.Evaluator, error) {
	l, err := lexicon.Builtin()
	if err != nil {
		return nil, err
	}
	lexicons = lexicon.NewStore(l)
	return query.LoadEvaluator(lexicons)
})

var lexicons *lexicon.Store // set by words

type fixture struct {
	t      *testing.T
	bus    *bus.Bus
	index  *memory.Index
	server *Server
	dir    string // of alert rules
	base   string
}

func start(t *testing.T, change func(*Options)) *fixture {
	t.Helper()
	e, err := words()
	if err != nil {
		t.Fatal(err)
	}
	b, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: t.TempDir()}, Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	f := &fixture{t: t, bus: b, index: &memory.Index{}, dir: t.TempDir()}
	o := Options{
		Bus: b, Searcher: f.index, Evaluator: e, Lexicon: lexicons, Logger: slog.New(slog.DiscardHandler),
		Config: Config{Listen: "127.0.0.1:0", AlertsDir: f.dir, MaxLineBytes: 1000},
	}
	if change != nil {
		change(&o)
	}
	if f.server, err = New(o); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.dir, "hbm.yaml"), []byte("id: hbm\nname: 高带宽存储\nquery: HBM\nwebhooks:\n- url: https://example.com/secret-path?token=1\n  secret_env: HOOK\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := f.server.Stop(ctx); err != nil {
			t.Errorf("got %v from Stop, want nil", err)
		}
	})
	f.base = "http://" + f.server.Addr()
	return f
}

type answer struct {
	status int
	header http.Header
	body   string
}

// json reads the body into v.
func (a *answer) json(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
}

func (f *fixture) do(method, path, body string, header ...string) *answer {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), method, f.base+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return &answer{res.StatusCode, res.Header, string(data)}
}

func (f *fixture) get(path string, header ...string) *answer {
	f.t.Helper()
	return f.do(http.MethodGet, path, "", header...)
}

// consumer waits until a stream has a consumer.
func (f *fixture) consumer(stream, name string) {
	f.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 2000 {
		if _, err := f.bus.JetStream().Consumer(f.t.Context(), stream, name); err == nil {
			return
		}
		<-tick.C
	}
	f.t.Fatalf("got no consumer %s of %s in 20 s", name, stream)
}

func article(id, title, text, lang, script string) news.Article {
	return news.Article{
		ID: id, URL: "https://example.com/" + id, Source: "example", Title: title, Text: text, Lang: lang, Script: script,
		Published: time.Date(2025, 11, 17, 0, 30, 0, 0, time.UTC), Fetched: time.Date(2025, 11, 17, 1, 0, 0, 0, time.UTC), Extracted: time.Date(2025, 11, 17, 1, 1, 0, 0, time.UTC),
	}
}

func TestStartAnswersReadyAndBringsRulesIntoForce(t *testing.T) {
	f := start(t, nil)
	if got := f.get("/healthz"); got.status != 200 || got.body != "ok\n" {
		t.Errorf("got %+v", got)
	}
	if got := f.get("/readyz"); got.status != 200 || !strings.Contains(got.body, `"ready":true`) {
		t.Errorf("got %+v", got)
	}
	if _, err := f.bus.KV(bus.KVRules).Get(t.Context(), bus.Key("hbm")); err != nil {
		t.Errorf("got %v, want the rule in KV when Start returns", err)
	}
	var list struct{ Alerts []ruleView }
	f.get("/v1/alerts").json(t, &list)
	want := []ruleView{{
		Rule:   news.Rule{ID: "hbm", Name: "高带宽存储", Query: "HBM", Webhooks: []news.Webhook{{URL: "https://example.com/***", SecretEnv: "HOOK"}}},
		Origin: "hbm.yaml",
	}}
	if d := cmp.Diff(list.Alerts, want); d != "" {
		t.Errorf("got %v, want %v:\n%s", list.Alerts, want, d)
	}
	if got := f.get("/v1/alerts/none"); got.status != 404 || got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %+v, want a 404 problem", got)
	}
}

func TestReadyzSaysWhatIsMissing(t *testing.T) {
	f := start(t, nil)
	f.index.Err = context.DeadlineExceeded
	if got := f.get("/readyz"); got.status != 503 || !strings.Contains(got.body, "Is an indexer running?") {
		t.Errorf("got %+v, want 503 and the index named", got)
	}
}

func TestTakenPortSaysWhatToDo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f := start(t, nil)
	o := f.server.o
	o.Metrics, o.Config.Listen = nil, l.Addr().String()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err == nil || !strings.Contains(err.Error(), l.Addr().String()+" is taken") || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("got %v, want a hint at --listen", err)
	}
}

func TestConfigTellsAllFaultsAtOnce(t *testing.T) {
	err := (&Config{Listen: "8080", PublicURL: "news.example", TimeZone: "Moon", MaxStreams: -1}).Validate()
	for _, want := range []string{"listen", "public_url", "time_zone", "max_streams"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to name %s", err, want)
		}
	}
	if err := (&Config{}).Validate(); err != nil {
		t.Errorf("got %v, want the zero value to be good", err)
	}
}

func TestEntitiesAndSuggestions(t *testing.T) {
	f := start(t, nil)
	var e entity
	f.get("/v1/entities/org:nvidia").json(t, &e)
	if e.ID != "org:nvidia" || e.Names.ZhHans != "英伟达" || e.Names.ZhHant == "" || e.Origin != "built-in" {
		t.Errorf("got %+v", e)
	}
	var by entity
	f.get("/v1/entities/%E8%BC%9D%E9%81%94").json(t, &by)
	if d := cmp.Diff(by, e); d != "" {
		t.Errorf("got another entity by name:\n%s", d)
	}
	if got := f.get("/v1/entities/nobody-knows"); got.status != 404 {
		t.Errorf("got %+v, want 404", got)
	}
	var s struct{ Suggestions []suggestion }
	f.get("/v1/suggest?q=%E8%8B%B1%E5%81%89").json(t, &s) // 英偉
	if len(s.Suggestions) == 0 || s.Suggestions[0].Value != "entity:org:nvidia" {
		t.Errorf("got %+v, want NVIDIA for the beginning of its name in another script", s)
	}
}

func TestSourcesAndStatus(t *testing.T) {
	f := start(t, nil)
	put := func(st news.SourceState) {
		data, err := json.Marshal(st)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.bus.KV(bus.KVSources).Put(t.Context(), bus.Key(st.ID), data); err != nil {
			t.Fatal(err)
		}
	}
	put(news.SourceState{Version: 1, ID: "b", Name: "B", Status: news.SourceFailing, LastError: "no answer"})
	put(news.SourceState{Version: 1, ID: "a", Name: "A", Status: news.SourceOK})
	var list struct{ Sources []news.SourceState }
	f.get("/v1/sources").json(t, &list)
	if len(list.Sources) != 2 || list.Sources[0].ID != "a" || list.Sources[1].LastError != "no answer" {
		t.Errorf("got %+v", list)
	}
	f.index.Add(article("a1", "HBM", "text", "en", "Latn"))
	var st pipelineStatus
	f.get("/v1/status").json(t, &st)
	if st.Index == nil || st.Index.Docs != 1 || len(st.Streams) < 5 || len(st.Problems) != 0 {
		t.Errorf("got %+v", st)
	}
}

func TestQuarantineIsListedAndReplayed(t *testing.T) {
	f := start(t, nil)
	m := &bus.Message{Subject: bus.SubjectArticles + "example", ID: "x", Data: []byte(`{"v":1,"id":"x"}`)}
	if err := f.bus.QuarantineMessage(t.Context(), "extractor", m, io.ErrUnexpectedEOF); err != nil {
		t.Fatal(err)
	}
	var list struct{ Messages []bus.Quarantined }
	f.get("/v1/quarantine").json(t, &list)
	if len(list.Messages) != 1 || list.Messages[0].Reason != "unexpected EOF" {
		t.Fatalf("got %+v, want one with its reason", list)
	}
	if got := f.do(http.MethodPost, "/v1/quarantine:replay", ""); got.status != 200 || !strings.Contains(got.body, `"replayed":1`) {
		t.Errorf("got %+v, want one replayed", got)
	}
	list.Messages = nil
	f.get("/v1/quarantine").json(t, &list)
	if len(list.Messages) != 0 {
		t.Errorf("got %+v, want none left", list)
	}
}

type rebuilder struct{ n int }

func (r *rebuilder) Rebuild(context.Context) error { r.n++; return nil }

func TestRebuild(t *testing.T) {
	f := start(t, nil)
	if got := f.do(http.MethodPost, "/v1/index:rebuild", ""); got.status != http.StatusNotImplemented {
		t.Errorf("got %+v, want 501 without a rebuilder", got)
	}
	r := &rebuilder{}
	f = start(t, func(o *Options) { o.Rebuilder = r })
	if got := f.do(http.MethodPost, "/v1/index:rebuild", ""); got.status != http.StatusAccepted || r.n != 1 {
		t.Errorf("got %+v after %d rebuilds, want 202 after one", got, r.n)
	}
}

func TestAlertIsDeliveredToTheLog(t *testing.T) {
	var logged bytes.Buffer
	var mu sync.Mutex
	f := start(t, func(o *Options) { o.Logger = slog.New(slog.NewTextHandler(&locked{w: &logged, mu: &mu}, nil)) })
	data, err := f.bus.KV(bus.KVDeliveries).WatchAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = data.Stop() }()
	a := article("a1", "台积电涨价", "正文", "zh", "Hans")
	if err := f.bus.PublishAlert(t.Context(), &news.Alert{ID: news.AlertID("logged", "a1", 1), Rule: "logged", RuleName: "Logged", Revision: 1, Article: a, Matched: time.Now()}); err != nil {
		t.Fatal(err)
	}
	for e := range data.Updates() {
		if e != nil {
			break
		}
	}
	var list struct {
		Deliveries []struct{ Rule, Article, Channel, Status string }
	}
	f.get("/v1/deliveries?rule=logged").json(t, &list)
	if len(list.Deliveries) != 1 || list.Deliveries[0].Channel != "log" || list.Deliveries[0].Status != "delivered" {
		t.Errorf("got %+v, want one delivery to the log", list)
	}
	if got := f.do(http.MethodPost, "/v1/deliveries/none/replay", ""); got.status != 404 {
		t.Errorf("got %+v, want 404", got)
	}
}

// locked is a writer that several goroutines share.
type locked struct {
	mu *sync.Mutex
	w  io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

func TestOpenAPIDescribesTheInterface(t *testing.T) {
	f := start(t, nil)
	var spec struct {
		OpenAPI    string
		Paths      map[string]map[string]struct{ Parameters []struct{ Name string } }
		Components struct{ Schemas map[string]any }
	}
	f.get("/openapi.json").json(t, &spec)
	if spec.OpenAPI != "3.1.0" {
		t.Errorf("got version %s, want 3.1.0", spec.OpenAPI)
	}
	for _, path := range []string{
		"/v1/search", "/v1/articles", "/v1/articles/{id}", "/v1/entities/{id}", "/v1/suggest", "/v1/sources", "/v1/alerts", "/v1/deliveries",
		"/v1/quarantine", "/v1/quarantine:replay", "/v1/status", "/v1/index:rebuild", "/v1/export", "/v1/stream", "/feeds/{name}",
	} {
		if _, ok := spec.Paths[path]; !ok {
			t.Errorf("got no path %s", path)
		}
	}
	var names []string
	for _, p := range spec.Paths["/v1/search"]["get"].Parameters {
		names = append(names, p.Name)
	}
	for _, want := range strings.Fields("q from to tz lang source entity topic story sort size cursor facets match syntax explain") {
		if !strings.Contains(" "+strings.Join(names, " ")+" ", " "+want+" ") {
			t.Errorf("got parameters %v, want %s among them", names, want)
		}
	}
	if _, ok := spec.Components.Schemas["Problem"]; !ok {
		t.Error("got no schema of problems")
	}
}

func TestForeignPagesCannotWrite(t *testing.T) {
	f := start(t, nil)
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://elsewhere.example"}} {
		got := f.do(http.MethodPost, "/v1/quarantine:replay", "", header...)
		if got.status != http.StatusForbidden || got.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%v: got %+v, want a 403 problem", header, got)
		}
	}
}

func TestUnknownAddresses(t *testing.T) {
	f := start(t, nil)
	if got := f.get("/v1/nothing"); got.status != 404 || got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("got %+v, want a problem", got)
	}
	if got := f.get("/nothing", "Accept", "text/html"); got.status != 404 || !strings.HasPrefix(got.header.Get("Content-Type"), "text/html") {
		t.Errorf("got %+v, want a page", got)
	}
	if got := f.do(http.MethodDelete, "/v1/search", ""); got.status != 405 && got.status != 404 {
		t.Errorf("got %+v, want 405", got)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	f := start(t, nil)
	got := f.do(http.MethodPost, "/v1/search", `{"q":"`+strings.Repeat("x", 2<<20)+`"}`, "Content-Type", "application/json")
	if got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d, want 413", got.status)
	}
	// The rest of the body must not be taken for another request.
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", f.server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := strings.Repeat("x", 2<<20)
	_, _ = fmt.Fprintf(conn, "POST /v1/search HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	answers, _ := io.ReadAll(conn) // until the server closes
	if n := bytes.Count(answers, []byte("HTTP/1.1 ")); n != 1 {
		t.Errorf("got %d answers to one request: %s", n, answers)
	}
}

func TestMetrics(t *testing.T) {
	f := start(t, nil)
	f.index.Add(article("a1", "HBM", "text", "en", "Latn"), article("a2", "HBM", "正文", "zh", "Hans"))
	f.get("/v1/search?q=HBM")
	f.consumer(bus.Alerts, "deliver")
	body := f.get("/metrics").body
	for _, want := range []string{
		`xinwen_articles_indexed 2`, `xinwen_articles_indexed_by_lang{lang="zh"} 1`, `xinwen_articles_indexed_by_source{source="example"} 2`,
		`xinwen_bus_stream_messages{stream="ARTICLES"} 0`, `xinwen_bus_consumer_pending{consumer="deliver",stream="ALERTS"} 0`,
		`xinwen_api_requests_total{route="/v1/search",status="2xx"} 1`, `xinwen_api_delivery_attempts_total{channel="webhook",result="delivered"} 0`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("got no %s", want)
		}
	}
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func TestRunStopsWhenItsContextDoes(t *testing.T) {
	f := start(t, nil)
	o := f.server.o
	o.Metrics = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Run(ctx, o); err != nil && !strings.Contains(err.Error(), "canceled") {
		t.Errorf("got %v", err)
	}
}

func TestStopEndsOpenStreamsSoon(t *testing.T) {
	f := start(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, f.base+"/v1/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := f.server.Stop(ctx); err != nil {
		t.Errorf("got %v from Stop, want nil", err)
	}
	if _, err := io.ReadAll(res.Body); ctx.Err() != nil {
		t.Errorf("got %v, want the end of the stream", err)
	}
}
