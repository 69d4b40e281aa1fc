package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"xinwen/api/auth"
	"xinwen/news"
)

// bearer sends a key with every request.
type bearer struct{ key string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.key)
	return http.DefaultTransport.RoundTrip(r)
}

func TestAssistantsNeedAKeyThatReads(t *testing.T) {
	f, keys := withKeys(t, nil)
	f.index.Add(news.Article{ID: "a", URL: "https://demo.example/a", Title: "HBM 涨价", Lang: "zh", Script: news.ScriptHans})
	for role, key := range keys {
		session, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).
			Connect(t.Context(), &sdk.StreamableClientTransport{Endpoint: f.base + "/mcp", DisableStandaloneSSE: true, HTTPClient: &http.Client{Transport: bearer{key}}}, nil)
		if (err == nil) != (role >= auth.Read) {
			t.Errorf("%s: got %v", role, err)
		}
		if err != nil {
			continue
		}
		res, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "search", Arguments: map[string]any{"query": "HBM"}})
		if err != nil || res.IsError {
			t.Errorf("%s: got %+v, %v", role, res, err)
		}
		_ = session.Close() // it has answered
	}
}

func TestAssistantsReachTheToolsOverHTTP(t *testing.T) {
	f := start(t, nil)
	f.index.Add(news.Article{ID: "a", URL: "https://demo.example/a", Title: "HBM 涨价", Lang: "zh", Script: news.ScriptHans})
	session, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).
		Connect(t.Context(), &sdk.StreamableClientTransport{Endpoint: f.base + "/mcp", DisableStandaloneSSE: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	for _, tc := range []struct {
		tool, want string
		in         map[string]any
		failed     bool
	}{
		{"search", `"HBM 涨价"`, map[string]any{"query": "HBM"}, false},
		{"search", "column", map[string]any{"query": "(HBM"}, true},
		{"article", `"https://demo.example/a"`, map[string]any{"id": "a"}, false},
		{"entity", `"org:nvidia"`, map[string]any{"name": "輝達"}, false},
		{"alert_backtest", `"noise":"silent"`, map[string]any{"query": "HBM", "since": "1d"}, false},
		{"alert_explain", `"matches":true`, map[string]any{"query": "HBM", "article": "a"}, false},
		{"trends", `"steps":["2025-11-17T00:00:00Z"]`, map[string]any{"from": "2025-11-17", "to": "2025-11-17"}, false},
		{"story", "Run an indexer", map[string]any{"id": "a"}, true}, // the index of tests tells none
	} {
		res, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: tc.tool, Arguments: tc.in})
		if err != nil {
			t.Fatal(err)
		}
		var got string
		if res.IsError {
			got = res.Content[0].(*sdk.TextContent).Text
		} else if data, err := json.Marshal(res.StructuredContent); err == nil {
			got = string(data)
		}
		if res.IsError != tc.failed || !strings.Contains(got, tc.want) {
			t.Errorf("%s: got %s, want %s", tc.tool, got, tc.want)
		}
	}
}
