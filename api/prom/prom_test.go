package prom

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"xinwen/api/internal/memory"
	"xinwen/news"
)

var noon = time.Date(2025, 11, 17, 12, 0, 0, 0, time.UTC)

// server answers over articles: one each ten minutes for the two hours before
// noon, each third in English, TSMC in all and Samsung in each second.
func server(t *testing.T) (*httptest.Server, *memory.Index) {
	t.Helper()
	x := &memory.Index{}
	for i := range 12 {
		at := noon.Add(-time.Duration(12-i) * 10 * time.Minute)
		a := news.Article{ID: fmt.Sprint(i), Source: "wire", Lang: "zh", Published: at, Fetched: noon, Mentions: []news.Mention{{Entity: "org:tsmc"}}}
		if i%3 == 0 {
			a.Lang, a.Source = "en", "desk"
		}
		if i%2 == 0 {
			a.Mentions = append(a.Mentions, news.Mention{Entity: "org:samsung"})
		}
		if i < 3 {
			a.Topics = []news.Topic{{ID: "prices"}}
		}
		x.Add(a)
	}
	h := New(x, "test")
	h.now = func() time.Time { return noon }
	mux := http.NewServeMux()
	h.Routes(mux, "/prom")
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s, x
}

// ask sends a form and returns the status and the answer.
func ask(t *testing.T, s *httptest.Server, method, path string, form url.Values) (int, string) {
	t.Helper()
	address, body := s.URL+"/prom/api/v1/"+path, form.Encode()
	if method == http.MethodGet {
		address, body = address+"?"+body, ""
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var raw json.RawMessage
	if err := json.NewDecoder(res.Body).Decode(&raw); err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(raw)
}

func TestQueriesAnswerAsPrometheusDoes(t *testing.T) {
	s, _ := server(t)
	for _, tc := range []struct{ name, query, want string }{
		{"health", "1+1", `{"resultType":"scalar","result":[1763380800,"2"]}`},
		{"precedence", "2+3*4", `{"resultType":"scalar","result":[1763380800,"14"]}`},
		{"total", "sum(xinwen_articles)", `{"resultType":"vector","result":[{"metric":{},"value":[1763380800,"12"]}]}`},
		{"hour", "sum(increase(xinwen_articles[1h]))", `{"resultType":"vector","result":[{"metric":{},"value":[1763380800,"5"]}]}`}, // (11:00, 12:00]
		{"lang", "sum by (lang) (increase(xinwen_articles[1d]))", `{"resultType":"vector","result":[{"metric":{"lang":"zh"},"value":[1763380800,"8"]},{"metric":{"lang":"en"},"value":[1763380800,"4"]}]}`},
		{"by_after", "sum(increase(xinwen_articles[1d])) by (lang)", `{"resultType":"vector","result":[{"metric":{"lang":"zh"},"value":[1763380800,"8"]},{"metric":{"lang":"en"},"value":[1763380800,"4"]}]}`},
		{"entity", `sum(increase(xinwen_articles{entity="org:samsung"}[1d]))`, `{"resultType":"vector","result":[{"metric":{},"value":[1763380800,"6"]}]}`},
		{"entities", `sum by (entity) (increase(xinwen_articles{entity=~"org:(tsmc|x)|org:samsung"}[1d]))`, `{"resultType":"vector","result":[{"metric":{"entity":"org:tsmc"},"value":[1763380800,"12"]},{"metric":{"entity":"org:samsung"},"value":[1763380800,"6"]}]}`},
		{"topics", "sum by (topic) (increase(xinwen_articles[1d]))", `{"resultType":"vector","result":[{"metric":{"topic":"prices"},"value":[1763380800,"3"]}]}`},
		{"topic", `sum(increase(xinwen_articles{topic="prices"}[1d]))`, `{"resultType":"vector","result":[{"metric":{},"value":[1763380800,"3"]}]}`},
		{"topk", "topk(1, sum by (entity) (increase(xinwen_articles[1d])))", `{"resultType":"vector","result":[{"metric":{"entity":"org:tsmc"},"value":[1763380800,"12"]}]}`},
		{"rate", `rate(xinwen_articles{lang="en"}[100s] offset 20m)*100`, `{"resultType":"vector","result":[{"metric":{"lang":"en","source":"desk"},"value":[1763380800,"0"]}]}`},
		{"selector", `xinwen_articles{lang!="zh"}`, `{"resultType":"vector","result":[{"metric":{"__name__":"xinwen_articles","lang":"en","source":"desk"},"value":[1763380800,"4"]}]}`},
		{"name", `{__name__="xinwen_articles",lang="en"}`, `{"resultType":"vector","result":[{"metric":{"__name__":"xinwen_articles","lang":"en","source":"desk"},"value":[1763380800,"4"]}]}`},
		{"avg", "avg(xinwen_articles)", `{"resultType":"vector","result":[{"metric":{},"value":[1763380800,"6"]}]}`},
		{"max", "max(increase(xinwen_articles[1d])) - 1", `{"resultType":"vector","result":[{"metric":{},"value":[1763380800,"7"]}]}`},
		{"over_time", "sum(max_over_time(xinwen_articles[1h]))", `{"resultType":"vector","result":[{"metric":{},"value":[1763380800,"12"]}]}`},
		{"min_over_time", "sum(min_over_time(xinwen_articles[1h]))", `{"resultType":"vector","result":[{"metric":{},"value":[1763380800,"7"]}]}`},
		{"nothing", `xinwen_articles{source="none"}`, `{"resultType":"vector","result":[]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				status, got := ask(t, s, method, "query", url.Values{"query": {tc.query}, "time": {"1763380800"}})
				if want := `{"status":"success","data":` + tc.want + `}`; status != 200 || got != want {
					t.Errorf("%s: got %d %s, want %s", method, status, got, want)
				}
			}
		})
	}
}

func TestRangesAreByThePublishedTime(t *testing.T) {
	s, x := server(t)
	form := url.Values{"query": {"sum(increase(xinwen_articles[30m]))"}, "start": {"2025-11-17T11:00:00Z"}, "end": {"2025-11-17T12:00:00Z"}, "step": {"30m"}}
	want := `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[1763377200,"3"],[1763379000,"3"],[1763380800,"2"]]}]}}`
	if status, got := ask(t, s, http.MethodPost, "query_range", form); status != 200 || got != want {
		t.Errorf("got %d %s, want %s", status, got, want)
	}
	// What is fetched later is where it was published.
	x.Add(news.Article{ID: "late", Source: "wire", Lang: "zh", Published: noon.Add(-40 * time.Minute), Fetched: noon.Add(time.Hour)})
	want = strings.Replace(want, `[1763379000,"3"]`, `[1763379000,"4"]`, 1)
	if status, got := ask(t, s, http.MethodGet, "query_range", form); status != 200 || got != want {
		t.Errorf("got %d %s, want %s", status, got, want)
	}
	form.Set("query", "topk(1, sum by (lang) (increase(xinwen_articles[30m])))")
	if status, got := ask(t, s, http.MethodGet, "query_range", form); status != 200 || !strings.Contains(got, `"lang":"zh"`) {
		t.Errorf("got %d %s, want the language with the most articles", status, got)
	}
	form.Set("query", "3")
	if _, got := ask(t, s, http.MethodGet, "query_range", form); !strings.Contains(got, `"values":[[1763377200,"3"],[1763379000,"3"],[1763380800,"3"]]`) {
		t.Errorf("got %s, want the number at each step", got)
	}
}

func TestLabelsAndSeries(t *testing.T) {
	s, _ := server(t)
	for path, want := range map[string]string{
		"labels":                `["__name__","entity","lang","source","topic"]`,
		"label/__name__/values": `["xinwen_articles"]`,
		"label/entity/values":   `["org:samsung","org:tsmc"]`,
		"label/lang/values":     `["en","zh"]`,
		"label/topic/values":    `["prices"]`,
		"label/job/values":      `[]`,
		"label/entity/values?match[]=xinwen_articles{lang=%22en%22}&limit=1": `["org:tsmc"]`,
		"label/lang/values?start=1&end=2":                                    `[]`,
		"series?match[]=xinwen_articles{lang=%22en%22}":                      `[{"__name__":"xinwen_articles","lang":"en","source":"desk"}]`,
		"metadata":         `{"xinwen_articles":[{"type":"counter","help":"Articles published up to a time, by entity mentioned, language, source and topic.","unit":""}]}`,
		"status/buildinfo": `{"branch":"xinwen","buildDate":"","buildUser":"","goVersion":"","revision":"test","version":"2.30.0"}`,
	} {
		path, query, _ := strings.Cut(path, "?")
		form, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		status, got := ask(t, s, http.MethodGet, path, form)
		if d := cmp.Diff(`{"status":"success","data":`+want+`}`, got); status != 200 || d != "" {
			t.Errorf("%s: got %d, want -, got +:\n%s", path, status, d)
		}
	}
}

func TestErrorsSayWhatToWrite(t *testing.T) {
	s, _ := server(t)
	for query, want := range map[string]string{
		"":                                    "the query ends where a metric should be",
		"up":                                  `there is no metric \"up\" here, only xinwen_articles`,
		"xinwen_articles{subject=\"x\"}":      `no label \"subject\"; there are entity, lang, source, topic`,
		"sum by (job) (xinwen_articles)":      `no label \"job\"`,
		"sum without (lang)(xinwen_articles)": "without is not supported",
		"xinwen_articles[5m]":                 "a range alone is no answer",
		"rate(xinwen_articles)":               "rate needs a metric with a range",
		"sum_over_time(xinwen_articles[1d])":  "increase(xinwen_articles{…}[1d])",
		"histogram_quantile(0.9, x)":          `the function \"histogram_quantile\" is not supported`,
		"xinwen_articles > 3":                 "comparisons are not supported",
		"xinwen_articles + xinwen_articles":   "a number on one side",
		"increase(xinwen_articles[1h:5m])":    "subqueries are not supported",
		"xinwen_articles{lang=zh}":            "needs quotation marks",
		"xinwen_articles{lang=\"zh}":          "never closed",
		"xinwen_articles{lang=~\"(\"}":        "the pattern",
		"topk(xinwen_articles, 3)":            "needs a number from 1 to 1000",
		"(1":                                  `the query ends where \")\" should be`,
		"1 1":                                 `unexpected \"1\"`,
		strings.Repeat("(", 100) + "1":        "nested too deep",
	} {
		status, got := ask(t, s, http.MethodGet, "query", url.Values{"query": {query}})
		if status < 400 || status >= 500 || !strings.Contains(got, want) || !strings.Contains(got, `"status":"error"`) {
			t.Errorf("%q: got %d %s, want %q", query, status, got, want)
		}
	}
	for _, form := range []url.Values{
		{"query": {"1"}},
		{"query": {"1"}, "start": {"0"}, "end": {"100000"}, "step": {"1"}},
		{"query": {"1"}, "start": {"2"}, "end": {"1"}, "step": {"1"}},
		{"query": {"1"}, "start": {"1"}, "end": {"2"}, "step": {"0"}},
		{"query": {"1"}, "start": {"yore"}, "end": {"2"}, "step": {"1"}},
	} {
		if status, got := ask(t, s, http.MethodGet, "query_range", form); status != 400 {
			t.Errorf("%v: got %d %s, want 400", form, status, got)
		}
	}
	if status, got := ask(t, s, http.MethodGet, "rules", nil); status != 404 || !strings.Contains(got, "not_found") {
		t.Errorf("got %d %s, want 404", status, got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`topk(5, sum by (entity) (increase(xinwen_articles{lang=~"zh|en", source!='a'}[1h30m] offset 5m))) * 2`)
	f.Add(`-1e3 + {__name__="xinwen_articles"}`)
	f.Fuzz(func(t *testing.T, s string) {
		e, err := parse(s)
		if (e == nil) == (err == nil) {
			t.Errorf("got %v and %v of %q", e, err, s)
		}
	})
}

func TestOtherMethodsAreToldFromOtherAddresses(t *testing.T) {
	s, _ := server(t)
	for _, tc := range []struct {
		method, path string
		status       int
	}{
		{http.MethodDelete, "labels", http.StatusMethodNotAllowed},
		{http.MethodPost, "label/lang/values", http.StatusMethodNotAllowed},
		{http.MethodPost, "metadata", http.StatusMethodNotAllowed},
		{http.MethodPost, "rules", http.StatusNotFound},
		{http.MethodGet, "rules", http.StatusNotFound},
	} {
		if status, got := ask(t, s, tc.method, tc.path, nil); status != tc.status || !strings.Contains(got, `"status":"error"`) {
			t.Errorf("%s %s: got %d %s, want %d", tc.method, tc.path, status, got, tc.status)
		}
	}
}
