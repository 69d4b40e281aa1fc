package api

import (
	"encoding/json"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"xinwen/news"
)

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
		{"news_volume", `"steps":["2025-11-17"]`, map[string]any{"from": "2025-11-17", "to": "2025-11-17"}, false},
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
