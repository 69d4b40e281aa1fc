package ui

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/api/backtest"
	"xinwen/api/internal/memory"
	"xinwen/api/problem"
	"xinwen/api/rules"
	"xinwen/indexer/query"
	"xinwen/news"
	"xinwen/news/lexicon"
)

func (d *table) ReplaceRule(ctx context.Context, r *news.Rule) error {
	return d.ChangeRule(ctx, r.ID, func(old *news.Rule) { *old = *r })
}

func (d *table) ExplainRule(_ context.Context, _, article string) (*rules.Ruling, error) {
	if article != "a1" {
		return nil, problem.New(http.StatusNotFound, `There is no article "`+article+`" in the index.`, "")
	}
	return &rules.Ruling{
		Article: article, Title: "HBM <b>", Notes: []string{"The rule tells only of first mentions."},
		Query: query.Verdict{Clause: "HBM AND (DRAM OR 涨价) NOT <i>", Op: "and", Parts: []query.Verdict{
			{Clause: "HBM", Holds: true, Spans: []news.Span{{Text: "HBM"}, {Text: "HBM"}}},
			{Clause: "DRAM OR 涨价", Op: "or", Parts: []query.Verdict{{Clause: "DRAM"}, {Clause: "涨价"}}},
			{Clause: "NOT <i>", Op: "not", Holds: true, Parts: []query.Verdict{{Clause: "<i>"}}},
		}},
	}, d.err
}

func TestWhyShowsWhichClausesHold(t *testing.T) {
	d := &table{rules: []rules.Stored{{Rule: news.Rule{ID: "hbm", Name: "Memory", Query: "HBM"}}}}
	h := newDesk(t, &memory.Index{}, d)
	body := get(t, h, "/alerts/why?id=hbm&article=a1").Body.String()
	for _, want := range []string{
		"does not match</span>", "HBM &lt;b&gt;", `<code>HBM</code> <span class="soft">by <mark>HBM</mark></span>`, "all of", "one of", "<code>涨价</code>", "none of", "<code>&lt;i&gt;</code>", "first mentions", `value="a1"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
	if w := get(t, h, "/alerts/why?id=hbm&article=x", "Accept-Language", "zh-CN"); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "索引中没有文章") {
		t.Errorf("got %d for an article that is not there", w.Code)
	}
	if w := get(t, h, "/alerts/why?id=none&article=a1"); w.Code != http.StatusNotFound {
		t.Errorf("got %d for a rule that is not there, want 404", w.Code)
	}
	if w := get(t, h, "/alerts/why?id=hbm"); w.Code != http.StatusOK {
		t.Errorf("got %d without an article, want the question", w.Code)
	}
}

func (d *table) TestRule(_ context.Context, r *news.Rule) (*backtest.Report, error) {
	d.tested = append(d.tested, *r)
	if faults := rules.Check(r, query.Parse); len(faults) > 0 {
		return nil, problem.New(http.StatusUnprocessableEntity, faults[0].Text(), faults[0].Hint)
	}
	return &backtest.Report{
		Hits: 7, Notices: 3, Stories: 3, Noise: backtest.Noise{Level: backtest.Low, NoticesPerDay: 0.1, RepeatShare: 0.57},
		Days:    []backtest.Day{{Date: "2026-11-01", Hits: 4, Notices: 1}, {Date: "2026-11-02", Hits: 3, Notices: 2}},
		Samples: []backtest.Sample{{ID: "a1", Title: "HBM <b>", Source: "example", Lang: "en", Repeats: 4}},
	}, d.err
}

func TestEditorShowsWhatARuleWouldTell(t *testing.T) {
	d := &table{}
	h := newDesk(t, &memory.Index{}, d)
	body := get(t, h, "/alerts/test?q=HBM&lang=en").Body.String()
	for _, want := range []string{
		`<svg class="bars twofold"`, `<rect class="told"`, "id: hbm\n", "query: HBM\n", "hbm.yaml", `value="HBM"`, `href="/?lang=en&amp;q=HBM&amp;sort=newest"`,
		`value="en" checked`, "HBM &lt;b&gt;", "4 repeats", "57 %", ">quiet<",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
	if w := get(t, h, "/alerts/test?q=%E5%8F%B0%E7%A7%AF%E7%94%B5)"); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "<code>台积电<mark>)</mark></code>") {
		t.Errorf("got %d, want the fault at its column", w.Code)
	}
	if w := get(t, h, "/alerts/test"); w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<svg") {
		t.Errorf("got %d, want only the form", w.Code)
	}
	part := get(t, h, "/alerts/test?q=HBM)", "HX-Request", "true")
	if part.Code != http.StatusOK || strings.Contains(part.Body.String(), "<html") || !strings.Contains(part.Body.String(), "<mark>)</mark>") {
		t.Errorf("got %d %s, want the part of the page with the fault", part.Code, part.Body)
	}
}

func TestEditorReadsItsForm(t *testing.T) {
	d := &table{}
	h := newDesk(t, &memory.Index{}, d)
	form := url.Values{
		"q": {"HBM"}, "name": {"Memory"}, "lang": {"en", "zh-Hans"}, "when": {"spike"}, "window": {"6h"}, "factor": {"2.5"}, "repeats": {"1"},
		"mail": {"ada@example.com，desk@example.com"}, "every": {"day"}, "at": {"07:30"}, "zone": {"Asia/Taipei"},
		"rest": {"labels: [memory]\r\nchannels:\r\n  - kind: feishu\r\n    url_env: XINWEN_SECRET_FEISHU\r\n"},
	}
	if to := post(t, h, "/alerts/save", form).Header().Get("Location"); to != "/alerts?said=rule-saved" {
		t.Fatalf("led to %q", to)
	}
	window, err := news.ParseDuration("6h")
	if err != nil {
		t.Fatal(err)
	}
	want := []news.Rule{{
		ID: "memory", Name: "Memory", Query: "HBM", Languages: []string{"en", "zh-Hans"}, Repeats: true, Labels: []string{"memory"},
		Spike: &news.Spike{Window: window, Factor: 2.5}, Channels: []news.Channel{
			{Kind: "email", To: []string{"ada@example.com", "desk@example.com"}, Language: "en"},
			{Kind: "feishu", URLEnv: "XINWEN_SECRET_FEISHU"},
		},
		Digest: &news.Digest{Every: "day", At: "07:30", Zone: "Asia/Taipei"},
	}}
	if diff := cmp.Diff(want, d.made); diff != "" {
		t.Fatalf("rule (-want +got):\n%s", diff)
	}
	for _, tc := range []struct{ key, value, want string }{
		{"mail", "nobody", "not an e-mail address"},
		{"rest", "chanels: []", "chanels"},
		{"rest", "][", "cannot be read"},
		{"window", "soon", "span of time"},
		{"factor", "many", "is not a number"},
		{"q", "", ""},
	} {
		bad := url.Values{}
		for k, v := range form {
			bad[k] = v
		}
		bad.Set(tc.key, tc.value)
		w := get(t, h, "/alerts/test?"+bad.Encode())
		if body := w.Body.String(); !strings.Contains(body, tc.want) || tc.want != "" && w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s=%s: got %d, want a page that says %q", tc.key, tc.value, w.Code, tc.want)
		}
	}
}

// What the form shows of a rule and what it sends make the same rule.
func TestEditorKeepsWhomARuleTells(t *testing.T) {
	rule := news.Rule{
		ID: "hbm", Name: "HBM", Query: "HBM", Digest: &news.Digest{Every: "day", At: "08:30", Zone: "Asia/Shanghai"},
		Channels: []news.Channel{
			{Kind: "feishu", URLEnv: "XINWEN_SECRET_FEISHU", Escalate: "night"},
			{Kind: "email", Name: "night", To: []string{"night@example.com"}, Backup: true},
			{Kind: "email", To: []string{"desk@example.com"}, Language: "zh-Hant"},
		},
	}
	d := &table{rules: []rules.Stored{{Rule: rule}}, made: []news.Rule{rule}}
	h := newDesk(t, &memory.Index{}, d)
	lex, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	u := &UI{o: Options{Zone: time.UTC, Lexicon: lexicon.NewStore(lex)}}
	form, err := u.draftOfRule(&rule, en)
	if err != nil {
		t.Fatal(err)
	}
	body := get(t, asAdmin(h), "/alerts/test?id=hbm").Body.String()
	for _, want := range []string{`value="desk@example.com"`, `name="language" value="zh-Hant"`, `value="day" selected`, `value="08:30"`, "Asia/Shanghai"} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
	if strings.Contains(form.Rest, "digest") || strings.Contains(form.Rest, "desk@") {
		t.Errorf("got %s as YAML too, want it in the form only", form.Rest)
	}
	made, err := form.rule(&rule)
	if err != nil {
		t.Fatal(err)
	}
	rule.Channels = []news.Channel{rule.Channels[2], rule.Channels[0], rule.Channels[1]} // the form's first
	if diff := cmp.Diff(&rule, made); diff != "" {
		t.Errorf("rule (-want +got):\n%s", diff)
	}
}

func TestEditorKeepsWhenADigestComes(t *testing.T) {
	lex, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	u := &UI{o: Options{Zone: time.UTC, Lexicon: lexicon.NewStore(lex)}}
	for name, tc := range map[string]struct{ stored, want *news.Digest }{
		"none":             {nil, nil},
		"hourly":           {&news.Digest{Every: "hour"}, &news.Digest{Every: "hour"}},
		"hourly, half":     {&news.Digest{Every: "hour", At: "00:30", Zone: "Asia/Kolkata"}, &news.Digest{Every: "hour", At: "00:30", Zone: "Asia/Kolkata"}},
		"daily, midnight":  {&news.Digest{Every: "day"}, &news.Digest{Every: "day", At: "00:00", Zone: "UTC"}},
		"daily, elsewhere": {&news.Digest{Every: "day", At: "07:00", Zone: "Asia/Taipei"}, &news.Digest{Every: "day", At: "07:00", Zone: "Asia/Taipei"}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			form, err := u.draftOfRule(&news.Rule{ID: "hbm", Query: "HBM", Digest: tc.stored}, hans)
			if err != nil {
				t.Fatal(err)
			}
			made, err := form.rule(nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, made.Digest); diff != "" {
				t.Errorf("digest (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEditorChangesAStoredRule(t *testing.T) {
	window, err := news.ParseDuration("1d")
	if err != nil {
		t.Fatal(err)
	}
	rule := news.Rule{
		ID: "hbm", Name: "HBM", Query: "HBM", Sources: []string{"example"}, Threshold: &news.Threshold{Count: 9, Window: window},
		Disabled: true, Webhooks: []news.Webhook{{URL: "https://example.com/hook", SecretEnv: "HOOK"}},
	}
	d := &table{rules: []rules.Stored{{Rule: rule}}, made: []news.Rule{rule}}
	h := newDesk(t, &memory.Index{}, d)
	body := get(t, asAdmin(h), "/alerts/test?id=hbm").Body.String()
	for _, want := range []string{`name="id" value="hbm"`, `value="threshold" checked`, `name="count" min="1" max="100000" value="9"`, "secret_env: HOOK", `name="source" value="example" checked`, "Save the changes"} {
		if !strings.Contains(body, want) {
			t.Errorf("got a page without %q", want)
		}
	}
	if body := get(t, h, "/alerts/test?id=hbm").Body.String(); strings.Contains(body, "Save the changes") {
		t.Error("got a page to save on for somebody who only reads")
	}
	w := post(t, h, "/alerts/save", url.Values{"id": {"hbm"}, "q": {"HBM OR DRAM"}, "name": {"Memory"}, "when": {"each"}})
	if to := w.Header().Get("Location"); to != "/alerts?said=rule-changed" {
		t.Fatalf("led to %q: %s", to, w.Body)
	}
	want := []news.Rule{{ID: "hbm", Name: "Memory", Query: "HBM OR DRAM", Disabled: true}}
	if diff := cmp.Diff(want, d.made); diff != "" {
		t.Errorf("rule (-want +got):\n%s", diff)
	}
	if w := get(t, h, "/alerts/test?id=none"); w.Code != http.StatusNotFound {
		t.Errorf("got %d for a rule that is not there, want 404", w.Code)
	}
	if to := post(t, h, "/alerts/save", url.Values{"id": {"none"}, "q": {"x"}}).Header().Get("Location"); to != "/alerts?said=rule-moved" {
		t.Errorf("led to %q, want that it is gone", to)
	}
}
