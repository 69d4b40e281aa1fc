package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// scripted answers paths from a table and remembers what was asked.
type scripted struct {
	answers map[string]string
	asked   []string
	posted  string
}

func (s *scripted) Get(_ context.Context, path string, q url.Values, v any) error {
	s.asked = append(s.asked, path+"?"+q.Encode())
	plain, err := url.PathUnescape(path)
	if err != nil {
		return err
	}
	a, ok := s.answers[plain]
	if !ok {
		return errors.New("There is no such thing.")
	}
	return json.Unmarshal([]byte(a), v)
}

func (s *scripted) Post(ctx context.Context, path string, in, v any) error {
	data, err := json.Marshal(in)
	if err != nil {
		return err
	}
	s.posted = string(data)
	return s.Get(ctx, path, nil, v)
}

// connect returns a session of the SDK's client with a server over b.
func connect(t *testing.T, b Backend) *sdk.ClientSession {
	t.Helper()
	here, there := sdk.NewInMemoryTransports()
	server, err := New(b, "test").Connect(t.Context(), there, nil)
	if err != nil {
		t.Fatal(err)
	}
	session, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), here, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(session.Close(), server.Wait()); err != nil {
			t.Error(err)
		}
	})
	return session
}

// call calls a tool and returns what it answered as JSON, or its error.
func call(t *testing.T, s *sdk.ClientSession, name string, in any) (out string, failed bool) {
	t.Helper()
	res, err := s.CallTool(t.Context(), &sdk.CallToolParams{Name: name, Arguments: in})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if res.IsError {
		return res.Content[0].(*sdk.TextContent).Text, true
	}
	data, err := json.Marshal(res.StructuredContent)
	if err != nil {
		t.Fatal(err)
	}
	return string(data), false
}

type m = map[string]any

func TestToolsReadOnlyAndSaySo(t *testing.T) {
	s := connect(t, &scripted{})
	res, err := s.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tool := range res.Tools {
		names = append(names, tool.Name)
		if tool.Annotations == nil || !tool.Annotations.ReadOnlyHint || tool.OutputSchema == nil || tool.Description == "" {
			t.Errorf("%s: got %+v, want a described read-only tool with a typed answer", tool.Name, tool)
		}
	}
	want := []string{"alert_backtest", "alert_explain", "article", "entity", "search", "story", "trends"}
	if d := cmp.Diff(want, names); d != "" {
		t.Errorf("want -, got +:\n%s", d)
	}
}

func TestToolsAnswer(t *testing.T) {
	b := &scripted{answers: map[string]string{
		"/v1/search":         `{"total":2,"hits":[{"id":"a","url":"https://demo.example/a","title":"台积电","snippet":"涨价","source":"demo","lang":"zh","published":"2025-11-17T01:00:00Z","story":"s1","score":1}],"next_cursor":"c"}`,
		"/v1/articles/a":     `{"v":1,"id":"a","url":"https://demo.example/a","title":"台积电","text":"` + strings.Repeat("长", maxText+5) + `","source":"demo","lang":"zh","script":"Hans","mentions":[{"entity":"org:tsmc"}]}`,
		"/v1/entities/輝達":    `{"id":"org:nvidia","kind":"org","names":{"en":"NVIDIA","zh-Hans":"英伟达"},"aliases":[{"text":"輝達","case":false}],"origin":"built-in"}`,
		"/v1/stories/s1":     `{"id":"s1","title":"台积电涨价","first":"2025-11-17T01:00:00Z","last":"2025-11-17T02:00:00Z","total":2,"sources":2,"languages":[{"value":"zh-Hans","count":1},{"value":"en","count":1}],"entities":[{"value":"org:tsmc","count":2}],"articles":[{"id":"a","url":"https://demo.example/a","title":"台积电涨价","source":"demo","lang":"zh","script":"Hans","published":"2025-11-17T01:00:00Z","fetched":"2025-11-17T01:01:00Z"},{"id":"b","url":"https://demo.example/b","title":"TSMC prices","source":"other","lang":"en","script":"Latn","fetched":"2025-11-17T02:00:00Z"}]}`,
		"/v1/trends":         `{"interval":"day","times":["2025-11-17T00:00:00Z","2025-11-18T00:00:00Z"],"totals":[3,4],"total":7,"series":[{"value":"org:tsmc","name":"TSMC","counts":[1,3],"total":4,"share":0.57}],"spikes":[{"value":"org:tsmc","time":"2025-11-18T00:00:00Z","count":3,"expected":0.5,"score":4,"stories":[{"id":"s1","title":"台积电涨价","articles":2}]}]}`,
		"/v1/alerts:test":    `{"hits":3,"hits_per_day":0.1,"share":0.01,"days":[{"date":"2025-11-16","hits":0,"notices":0},{"date":"2025-11-17","hits":3,"notices":2}],"notices":2,"noise":{"level":"low","notices_per_day":0.07,"repeat_share":0.33,"sentence":"About 0.1 notices a day."},"samples":[{"id":"a","url":"u","title":"t","source":"s","reason":{"kind":"spike","window":"1h"}}]}`,
		"/v1/alerts:explain": `{"matches":false,"title":"t","query":{"clause":"a AND b","op":"and","holds":false,"parts":[{"clause":"a","holds":true,"spans":[{"start":0,"end":1,"text":"A","clause":"a"}]},{"clause":"b","holds":false}]},"notes":["n"]}`,
	}}
	s := connect(t, b)
	for _, tc := range []struct {
		tool  string
		in    m
		want  string
		asked string
	}{
		{
			"search",
			m{"query": "台积电", "lang": []string{"zh"}, "size": 500},
			`{"hits":[{"entities":[],"id":"a","lang":"zh","published":"2025-11-17T01:00:00Z","snippet":"涨价","source":"demo","story":"s1","title":"台积电","url":"https://demo.example/a"}],"next_cursor":"c","total":2}`,
			"/v1/search?lang=zh&q=%E5%8F%B0%E7%A7%AF%E7%94%B5&size=50",
		},
		{
			"article",
			m{"id": "a", "from": maxText},
			`{"authors":[],"entities":["org:tsmc"],"id":"a","lang":"zh","script":"Hans","source":"demo","text":"长长长长长","title":"台积电","url":"https://demo.example/a","warnings":[]}`,
			"/v1/articles/a?",
		},
		{
			"story",
			m{"id": "s1"},
			`{"articles":[{"id":"a","lang":"zh-Hans","published":"2025-11-17T01:00:00Z","source":"demo","title":"台积电涨价","url":"https://demo.example/a"},{"id":"b","lang":"en","source":"other","title":"TSMC prices","url":"https://demo.example/b"}],"entities":["org:tsmc"],"first":"2025-11-17T01:00:00Z","id":"s1","languages":{"en":1,"zh-Hans":1},"last":"2025-11-17T02:00:00Z","sources":2,"title":"台积电涨价","total":2}`,
			"/v1/stories/s1?",
		},
		{
			"trends",
			m{"query": "涨价", "by": "entity", "kind": "org", "from": "2025-11-17", "to": "2025-11-18", "top": 500},
			`{"series":[{"counts":[1,3],"name":"TSMC","share":0.57,"total":4,"value":"org:tsmc"}],"spikes":[{"count":3,"expected":0.5,"stories":[{"articles":2,"id":"s1","title":"台积电涨价"}],"time":"2025-11-18T00:00:00Z","value":"org:tsmc"}],"steps":["2025-11-17T00:00:00Z","2025-11-18T00:00:00Z"],"totals":[3,4]}`,
			"/v1/trends?by=entity&from=2025-11-17&kind=org&limit=50&q=%E6%B6%A8%E4%BB%B7&spikes=true&to=2025-11-18",
		},
		{
			"alert_backtest",
			m{"query": "台积电", "spike": true, "together": []string{"TSMC", "Samsung"}, "sentence": true},
			`{"days":[{"date":"2025-11-17","hits":3,"notices":2}],"hits":3,"hits_per_day":0.1,"judgement":"About 0.1 notices a day.","noise":"low","notices":2,"notices_per_day":0.07,"repeat_share":0.33,"samples":[{"id":"a","source":"s","title":"t","url":"u"}],"share":0.01}`,
			"/v1/alerts:test?",
		},
		{
			"alert_explain",
			m{"query": "a b", "article": "a"},
			`{"clauses":[{"clause":"a AND b","depth":0,"found":[],"holds":false},{"clause":"a","depth":1,"found":["A"],"holds":true},{"clause":"b","depth":1,"found":[],"holds":false}],"matches":false,"notes":["n"],"title":"t"}`,
			"/v1/alerts:explain?",
		},
	} {
		t.Run(tc.tool, func(t *testing.T) {
			got, failed := call(t, s, tc.tool, tc.in)
			if d := cmp.Diff(tc.want, got); failed || d != "" {
				t.Errorf("want -, got +:\n%s", d)
			}
			if asked := b.asked[len(b.asked)-1]; asked != tc.asked {
				t.Errorf("got %s asked, want %s", asked, tc.asked)
			}
		})
	}
	if got, failed := call(t, s, "entity", m{"name": "輝達"}); failed || !strings.Contains(got, `"org:nvidia"`) || !strings.Contains(got, `"輝達"`) {
		t.Errorf("got %s, want the entity", got)
	}
	if got, _ := call(t, s, "article", m{"id": "a"}); !strings.Contains(got, `"more":20000`) {
		t.Errorf("got no word of the rest of a long text")
	}
	call(t, s, "alert_backtest", m{"query": "台积电", "spike": true, "together": []string{"TSMC", "Samsung"}, "sentence": true})
	if want := `{"rule":{"query":"台积电","spike":{"window":"1h"},"together":{"entities":["TSMC","Samsung"],"within":"sentence"}},"samples":5,"since":""}`; b.posted != want {
		t.Errorf("got %s posted, want %s", b.posted, want)
	}
}

func TestToolErrorsReachTheAssistant(t *testing.T) {
	s := connect(t, &scripted{})
	for name, in := range map[string]m{
		"search": {"query": "("}, "article": {"id": "none"}, "entity": {"name": "none"},
		"story": {"id": "none"}, "trends": {"from": "yore"}, "alert_backtest": {"query": "x", "window": "soon"}, "alert_explain": {"query": "x", "article": "none"},
	} {
		if got, failed := call(t, s, name, in); !failed || got == "" {
			t.Errorf("%s: got %q, want an error that says why", name, got)
		}
	}
}
