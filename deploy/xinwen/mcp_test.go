package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// TestMain lets the test run the command in a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("XINWEN_TEST_RUN") != "" {
		os.Exit(run(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func TestMCPServesOnStandardInputAndOutput(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer key" {
			t.Errorf("got authorization %q, want the key", r.Header.Get("Authorization"))
		}
		if r.URL.Query().Get("q") == "(" {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"title":"Query syntax error","detail":"this ( is never closed","column":1,"hint":"add a )"}`))
			return
		}
		_, _ = w.Write([]byte(`{"total":1,"hits":[{"id":"a","title":"台积电"}]}`))
	}))
	defer api.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, "mcp", "--api", api.URL)
	cmd.Env = append(os.Environ(), "XINWEN_TEST_RUN=1", "XINWEN_API_KEY=key")
	session, err := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil).
		Connect(t.Context(), &sdk.CommandTransport{Command: cmd, TerminateDuration: 5 * time.Second}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]string{"台积电": `"total":1`, "(": "column 1: this ( is never closed"} {
		res, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "search", Arguments: map[string]any{"query": query}})
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(res)
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.ReplaceAll(string(data), `\"`, `"`); !strings.Contains(text, want) || res.IsError != (query == "(") {
			t.Errorf("%s: got %s, want %s", query, text, want)
		}
	}
	if err := session.Close(); err != nil {
		t.Errorf("got %v, want the command to end by itself", err)
	}
}
