package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/api/backtest"
	"xinwen/api/problem"
	"xinwen/news"
)

func (f *fixture) problem(a *answer, status int) problem.Problem {
	f.t.Helper()
	var p problem.Problem
	if a.status != status || a.header.Get("Content-Type") != problem.ContentType {
		f.t.Fatalf("got %d %s %s, want a problem with %d", a.status, a.header.Get("Content-Type"), a.body, status)
	}
	a.json(f.t, &p)
	return p
}

func TestAlertsAreMadeChangedAndRemoved(t *testing.T) {
	f := start(t, nil)
	made := f.do(http.MethodPost, "/v1/alerts", `{"id":"euv","query":"光刻 AND EUV","owner":"litho desk","labels":["litho"],"webhooks":[{"url":"https://example.com/hooks/1?token=abc","secret_env":"XINWEN_SECRET_HOOK"}]}`)
	if made.status != http.StatusCreated || made.header.Get("Location") != "/v1/alerts/euv" || made.header.Get("ETag") == "" {
		t.Fatalf("got %d %v %s, want 201", made.status, made.header, made.body)
	}
	if strings.Contains(made.body, "token") || strings.Contains(made.body, "hooks/1") {
		t.Errorf("got %s, want no address that may be secret", made.body)
	}
	tag := made.header.Get("ETag")
	got := f.get("/v1/alerts/euv")
	if got.header.Get("ETag") != tag || got.body != made.body {
		t.Errorf("got %s %s, want %s %s", got.header.Get("ETag"), got.body, tag, made.body)
	}
	f.problem(f.do(http.MethodPost, "/v1/alerts", `{"id":"euv","query":"x"}`), http.StatusConflict)

	// What was read goes back changed; the hidden address stays what it is.
	put := f.do(http.MethodPut, "/v1/alerts/euv", strings.Replace(got.body, "光刻 AND EUV", "光刻机", 1), "If-Match", tag)
	if put.status != http.StatusOK || put.header.Get("ETag") == tag {
		t.Fatalf("got %d %s, want 200 and another ETag", put.status, put.body)
	}
	stored, err := f.server.rules.Get(t.Context(), "euv")
	if err != nil || stored.Webhooks[0].URL != "https://example.com/hooks/1?token=abc" || stored.Query != "光刻机" {
		t.Errorf("got %+v, %v, want the new query and the old address", stored, err)
	}
	f.problem(f.do(http.MethodPut, "/v1/alerts/euv", got.body, "If-Match", tag), http.StatusPreconditionFailed)

	patched := f.do(http.MethodPatch, "/v1/alerts/euv", `{"muted_until":"2030-01-01T00:00:00Z","owner":null,"spike":{"window":"1h"}}`)
	var r news.Rule
	patched.json(t, &r)
	if patched.status != http.StatusOK || r.Owner != "" || r.MutedUntil.Year() != 2030 || r.Spike == nil || r.Spike.Window != news.Duration(time.Hour) || r.Labels[0] != "litho" {
		t.Errorf("got %d %s, want the patch in force", patched.status, patched.body)
	}
	if got := f.do(http.MethodDelete, "/v1/alerts/euv", "", "If-Match", tag); got.status != http.StatusPreconditionFailed {
		t.Errorf("got %d, want 412", got.status)
	}
	if got := f.do(http.MethodDelete, "/v1/alerts/euv", ""); got.status != http.StatusNoContent {
		t.Errorf("got %d %s, want 204", got.status, got.body)
	}
	f.problem(f.get("/v1/alerts/euv"), http.StatusNotFound)
	f.problem(f.do(http.MethodDelete, "/v1/alerts/euv", ""), http.StatusNotFound)
}

func TestRulesOfFilesAreChangedInTheirFiles(t *testing.T) {
	f := start(t, nil)
	for _, tc := range []struct{ method, body string }{
		{http.MethodPut, `{"query":"x"}`}, {http.MethodPatch, `{"disabled":true}`}, {http.MethodDelete, ""},
	} {
		p := f.problem(f.do(tc.method, "/v1/alerts/hbm", tc.body), http.StatusConflict)
		if !strings.Contains(p.Detail, "hbm.yaml") || p.Hint == "" {
			t.Errorf("%s: got %+v, want the file and what to do", tc.method, p)
		}
	}
}

func TestBadRulesAreRefusedWithTheirFaults(t *testing.T) {
	f := start(t, func(o *Options) { o.Config.SecretsDir = "/run/secrets" })
	for _, tc := range []struct {
		name, body string
		status     int
		column     int
		want       []string // locations
	}{
		{"column", `{"id":"a","query":"台积电 AND (涨价"}`, 422, 9, []string{"body.query"}},
		{"unknown_entity", `{"id":"a","query":"涨价 entity:nosuchfirm"}`, 422, 11, []string{"body.query"}},
		{"everything", `{"id":"a","query":"NOT 苹果"}`, 422, 0, []string{"body.query"}},
		{"no_id", `{"query":"x"}`, 422, 0, []string{"body.id"}},
		{"several", `{"id":"A b","query":"","threshold":{"count":1,"window":"1h"}}`, 422, 0, []string{"body.id", "body.query", "body.threshold"}},
		{"unknown_key", `{"id":"a","query":"x","webhook":[]}`, 400, 0, nil},
		{"duration", `{"id":"a","query":"x","threshold":{"count":3,"window":"soon"}}`, 400, 0, nil},
		{"no_json", `id: a`, 400, 0, nil},
		{"two", `{"id":"a","query":"x"}{}`, 400, 0, nil},
		{"foreign_env", `{"id":"a","query":"x","webhooks":[{"url":"https://example.com/x","secret_env":"AWS_SECRET_ACCESS_KEY"}]}`, 422, 0, []string{"body.webhooks"}},
		{"foreign_file", `{"id":"a","query":"x","channels":[{"kind":"slack","url_file":"/run/secrets/../../etc/passwd"}]}`, 422, 0, []string{"body.channels"}},
		{"relative_file", `{"id":"a","query":"x","channels":[{"kind":"slack","url_file":"slack"}]}`, 422, 0, []string{"body.channels"}},
		{"hidden_address", `{"id":"a","query":"x","webhooks":[{"url":"https://example.com/***","secret_env":"XINWEN_SECRET_A"}]}`, 422, 0, []string{"body.webhooks"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f.t = t
			p := f.problem(f.do(http.MethodPost, "/v1/alerts", tc.body), tc.status)
			var locations []string
			for _, e := range p.Errors {
				locations = append(locations, e.Location)
			}
			if d := cmp.Diff(tc.want, locations); d != "" || p.Column != tc.column || p.Detail == "" || p.Hint == "" {
				t.Errorf("got column %d in %+v, want %d; locations: want -, got +:\n%s", p.Column, p, tc.column, d)
			}
		})
	}
	f.t = t
	if got := f.do(http.MethodPost, "/v1/alerts", `{"id":"ok","query":"x","channels":[{"kind":"slack","url_file":"/run/secrets/slack"}]}`); got.status != http.StatusCreated {
		t.Errorf("got %d %s, want a file of the directory to be taken", got.status, got.body)
	}
}

// fill puts articles of the last days into the index: one an hour, of which
// every third says HBM and every ninth repeats the one before it.
func (f *fixture) fill(n int) {
	f.t.Helper()
	now := time.Now().UTC()
	for i := range n {
		at := now.Add(-time.Duration(n-i) * time.Hour)
		a := news.Article{
			ID: fmt.Sprintf("a%04d", i), URL: fmt.Sprintf("https://demo.example/%d", i), Source: "demo", Lang: "zh", Script: news.ScriptHans,
			Title: fmt.Sprintf("第%d号新闻 HBM 供应", i), Text: fmt.Sprintf("第%[1]d批货在%[1]d月%[1]d日到港，编号%[1]d%[1]d%[1]d，数量%[1]d箱，价格%[1]d元。", i*7919),
			Published: at, Fetched: at, Extracted: at,
		}
		if i%3 > 0 {
			a.Title = fmt.Sprintf("第%d号新闻 晶圆 供应", i)
		}
		if i%9 == 6 {
			a.Text, a.Title = "三星电子与海力士的高带宽内存价格谈判陷入僵局，双方都不让步，市场观望。", "HBM 价格谈判陷入僵局"
		}
		f.index.Add(a)
	}
}

func TestRuleThatMatchesMostNewsIsRefusedWithAnEstimate(t *testing.T) {
	f := start(t, nil)
	f.fill(240)
	p := f.problem(f.do(http.MethodPost, "/v1/alerts", `{"id":"all","query":"供应"}`), 422)
	if !strings.Contains(p.Detail, "89 % of all news") || !strings.Contains(p.Detail, "about 7 hits a day") {
		t.Errorf("got %q, want the share and the hits a day", p.Detail)
	}
	for _, body := range []string{`{"id":"some","query":"HBM"}`, `{"id":"peak","query":"供应","spike":{"window":"1h"}}`} {
		if got := f.do(http.MethodPost, "/v1/alerts", body); got.status != http.StatusCreated {
			t.Errorf("%s: got %d %s, want 201", body, got.status, got.body)
		}
	}
}

func TestBacktestTellsWhatARuleWouldHaveDone(t *testing.T) {
	f := start(t, nil)
	f.fill(240)
	var r backtest.Report
	got := f.do(http.MethodPost, "/v1/alerts:test", `{"rule":{"query":"HBM"},"since":"7d","samples":3}`)
	got.json(t, &r)
	hits, notices := 0, 0
	for _, d := range r.Days {
		hits += d.Hits
		notices += d.Notices
	}
	if got.status != 200 || len(r.Days) != 8 || r.Hits < 56 || r.Hits > 64 || hits != r.Hits || notices != r.Notices || len(r.Samples) != 3 || r.All < 168 {
		t.Fatalf("got %d %s, want a report of a week", got.status, got.body)
	}
	// Of three matches one repeats the story that goes on: told once in 3 days.
	if r.Stories >= r.Hits*3/4 || r.Stories <= r.Hits/2 || r.Notices != r.Stories || r.Noise.Level != backtest.High || r.Noise.RepeatShare < 0.25 {
		t.Errorf("got %d stories and %d notices of %d hits, noise %+v", r.Stories, r.Notices, r.Hits, r.Noise)
	}
	if len(r.Samples[0].Matches) == 0 || r.Samples[0].Matches[0].Text != "HBM" || r.TookMS <= 0 {
		t.Errorf("got sample %+v, want where it matches", r.Samples[0])
	}

	got = f.do(http.MethodPost, "/v1/alerts:test", `{"rule":{"query":"HBM","threshold":{"count":4,"window":"12h"}},"since":"7d"}`)
	got.json(t, &r)
	if r.Notices < 5 || r.Notices > 15 || r.Samples[0].Reason == nil || r.Samples[0].Reason.Kind != news.ReasonThreshold {
		t.Errorf("got %d notices, %s, want about one in twelve hours", r.Notices, got.body)
	}
	if got := f.do(http.MethodPost, "/v1/alerts:test", `{"id":"hbm"}`); got.status != 200 {
		t.Errorf("got %d %s, want the saved rule tested", got.status, got.body)
	}
	for body, status := range map[string]int{
		`{}`:                             400,
		`{"id":"none"}`:                  404,
		`{"rule":{"query":"("}}`:         422,
		`{"id":"hbm","since":"yore"}`:    400,
		`{"id":"hbm","since":"3000d"}`:   400,
		`{"id":"hbm","tz":"Mars"}`:       400,
		`{"id":"hbm","to":"2001-01-01"}`: 200,
		`{"rule":{"query":"*"}}`:         200,
		`{"id":"hbm","rule":{}}`:         400,
	} {
		if got := f.do(http.MethodPost, "/v1/alerts:test", body); got.status != status {
			t.Errorf("%s: got %d %s, want %d", body, got.status, got.body, status)
		}
	}
}

func TestExplainTellsWhyNot(t *testing.T) {
	f := start(t, nil)
	f.index.Add(news.Article{ID: "a", URL: "https://demo.example/a", Title: "HBM 涨价", Text: "三星观望。", Lang: "zh", Script: news.ScriptHans})
	ask := func(body string, status int) map[string]json.RawMessage {
		t.Helper()
		got := f.do(http.MethodPost, "/v1/alerts:explain", body)
		if got.status != status {
			t.Fatalf("%s: got %d %s, want %d", body, got.status, got.body, status)
		}
		out := make(map[string]json.RawMessage)
		got.json(t, &out)
		return out
	}
	if got := ask(`{"id":"hbm","article":"a"}`, 200); string(got["matches"]) != "true" {
		t.Errorf("got %s, want a match", got)
	}
	got := ask(`{"rule":{"query":"HBM AND 降价","languages":["zh"],"muted_until":"2099-01-01T00:00:00Z"},"article":"a"}`, 200)
	want := `{"clause":"HBM AND 降价 AND lang:zh","op":"and","holds":false,"parts":[{"clause":"HBM","holds":true,"spans":[{"start":0,"end":3,"text":"HBM","clause":"HBM"}]},{"clause":"降价","holds":false},{"clause":"lang:zh","holds":true}]}`
	if string(got["matches"]) != "false" || string(got["query"]) != want || !strings.Contains(string(got["notes"]), "muted") {
		t.Errorf("got %s, want %s", got["query"], want)
	}
	ask(`{"id":"hbm","article":"none"}`, 404)
	ask(`{"id":"hbm"}`, 400)
}
