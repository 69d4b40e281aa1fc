package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"xinwen/api/internal/memory"
	"xinwen/news"
)

// contract is what /openapi.json promises.
type contract struct {
	Paths map[string]map[string]struct {
		OperationID string
		Responses   map[string]struct {
			Content map[string]struct{ Schema json.RawMessage }
		}
	}
	Components struct{ Schemas map[string]json.RawMessage }
}

// schema returns a schema of the description as one that stands by itself.
func (c *contract) schema(t *testing.T, of json.RawMessage) *jsonschema.Resolved {
	t.Helper()
	local := func(s json.RawMessage) json.RawMessage {
		return json.RawMessage(strings.ReplaceAll(string(s), "#/components/schemas/", "#/$defs/"))
	}
	whole := map[string]any{"allOf": []json.RawMessage{local(of)}}
	defs := make(map[string]json.RawMessage)
	for name, s := range c.Components.Schemas {
		defs[name] = local(s)
	}
	whole["$defs"] = defs
	text, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// Every operation is asked rightly and wrongly; what is answered, and as what, is
// what the description says.
func TestAnswersAreThoseOfTheDescription(t *testing.T) {
	f := start(t, func(o *Options) { o.Searcher = teller{&memory.Index{}} })
	crawlerOf(t, f.bus)
	a := article("a1", "台积电 HBM", "正文", "zh", "Hans")
	a.Mentions = []news.Mention{{Start: 0, End: 3, Surface: "台积电", Kind: "org", Entity: "org:tsmc", Name: "TSMC", Score: 1}}
	f.server.o.Searcher.(teller).Add(a)
	var c contract
	f.get("/openapi.json").json(t, &c)
	asked := make(map[string]bool)
	js := []string{"Content-Type", "application/json"}
	for _, r := range []struct {
		id, path, body string
		status         int
		header         []string
	}{
		{"search", "/v1/search?q=HBM&facets=source,entity&explain=true", "", 200, nil},
		{"search", "/v1/search?q=(", "", 400, nil},
		{"search", "/v1/search?size=1000", "", 422, nil},
		{"search", "/v1/search?entity=nobody", "", 200, nil},
		{"search-by-post", "/v1/search", `{"q":"HBM","lang":["zh"]}`, 200, js},
		{"search-by-post", "/v1/search", `{"q":`, 400, js},
		{"search-by-post", "/v1/search", `q=HBM`, 415, []string{"Content-Type", "text/plain"}},
		{"search-by-post", "/v1/search", `{"q":"` + strings.Repeat("x", maxBodyBytes) + `"}`, 413, js},
		{"get-article", "/v1/articles/a1", "", 200, nil},
		{"get-article", "/v1/articles/none", "", 404, nil},
		{"similar-articles", "/v1/articles/a1/similar", "", 200, nil},
		{"similar-articles", "/v1/articles/a1/similar?size=0", "", 422, nil},
		{"get-story", "/v1/stories/s1", "", 200, nil},
		{"get-story", "/v1/stories/none", "", 404, nil},
		{"get-entity", "/v1/entities/輝達", "", 200, nil},
		{"get-entity", "/v1/entities/none", "", 404, nil},
		{"suggest", "/v1/suggest?q=tai", "", 200, nil},
		{"suggest", "/v1/suggest", "", 422, nil},
		{"trends", "/v1/trends?spikes=true", "", 200, nil},
		{"trends", "/v1/trends?kind=colour", "", 422, nil},
		{"trends", "/v1/trends?from=2000-01-01&interval=hour", "", 400, nil},
		{"cooccur", "/v1/cooccur?of=org:tsmc", "", 200, nil},
		{"cooccur", "/v1/cooccur", "", 422, nil},
		{"export", "/v1/export?q=HBM", "", 200, nil},
		{"export", "/v1/export?format=csv", "", 200, nil},
		{"export", "/v1/export?full=maybe", "", 400, nil},
		{"stream", "/v1/stream?q=(", "", 400, nil},
		{"feed", "/feeds/search.rss", "", 200, nil},
		{"feed", "/feeds/search.json", "", 200, nil},
		{"feed", "/feeds/hbm.atom", "", 200, nil},
		{"feed", "/feeds/none.rss", "", 404, nil},
		{"list-alerts", "/v1/alerts", "", 200, nil},
		{"create-alert", "/v1/alerts", `{"id":"euv","query":"光刻 AND EUV"}`, 201, js},
		{"create-alert", "/v1/alerts", `{"id":"euv","query":"光刻 AND"}`, 422, js},
		{"get-alert", "/v1/alerts/euv", "", 200, nil},
		{"get-alert", "/v1/alerts/none", "", 404, nil},
		{"put-alert", "/v1/alerts/euv", `{"id":"euv","query":"光刻机"}`, 200, js},
		{"patch-alert", "/v1/alerts/euv", `{"disabled":true}`, 200, js},
		{"patch-alert", "/v1/alerts/euv", `{"disabled":false}`, 412, append(slices.Clone(js), "If-Match", `"x"`)},
		{"test-alert", "/v1/alerts:test", `{"rule":{"query":"HBM"}}`, 200, js},
		{"explain-alert", "/v1/alerts:explain", `{"rule":{"query":"HBM"},"article":"a1"}`, 200, js},
		{"explain-alert", "/v1/alerts:explain", `{"rule":{"query":"HBM"},"article":"none"}`, 404, js},
		{"delete-alert", "/v1/alerts/euv", "", 204, nil},
		{"delete-alert", "/v1/alerts/euv", "", 404, nil},
		{"list-deliveries", "/v1/deliveries", "", 200, nil},
		{"list-deliveries", "/v1/deliveries?status=lost", "", 422, nil},
		{"replay-delivery", "/v1/deliveries/none/replay", "", 404, nil},
		{"list-sources", "/v1/sources", "", 200, nil},
		{"add-source", "/v1/sources", `{"id":"found","url":"https://example.com/rss"}`, 201, js},
		{"add-source", "/v1/sources", `{"colour":"red"}`, 422, js},
		{"switch-source", "/v1/sources/found", `{"enabled":false}`, 200, js},
		{"verify-source", "/v1/sources/found:verify", "", 200, nil},
		{"discover-source", "/v1/sources:discover", `{"url":"https://example.com/"}`, 200, js},
		{"discover-source", "/v1/sources:discover", `{"url":"http://127.0.0.1/"}`, 400, js},
		{"remove-source", "/v1/sources/found", "", 204, nil},
		{"import-articles", "/v1/articles", `{"id":"1","text":"text","lang":"en"}`, 200, []string{"Content-Type", "application/x-ndjson"}},
		{"import-articles", "/v1/articles", "", 400, nil},
		{"import-pages", "/v1/pages", "", 400, nil},
		{"list-quarantine", "/v1/quarantine", "", 200, nil},
		{"replay-quarantine", "/v1/quarantine:replay", `{}`, 200, js},
		{"rebuild-index", "/v1/index:rebuild", "", 501, nil},
		{"status", "/v1/status", "", 200, nil},
		{"me", "/v1/me", "", 200, nil},
		{"create-key", "/v1/keys", `{"name":"dash","role":"boss"}`, 422, js},
		{"list-keys", "/v1/keys", "", 200, nil},
		{"revoke-key", "/v1/keys/none", "", 404, nil},
	} {
		asked[r.id] = true
		method, answers := "", c.Paths["/"]
		for _, methods := range c.Paths {
			for m, op := range methods {
				if op.OperationID == r.id {
					method, answers = strings.ToUpper(m), methods
				}
			}
		}
		got := f.do(method, r.path, r.body, r.header...)
		name := method + " " + r.path + " " + r.body[:min(40, len(r.body))]
		if got.status != r.status {
			t.Errorf("%s: got %d %s, want %d", name, got.status, got.body[:min(400, len(got.body))], r.status)
			continue
		}
		responses := answers[strings.ToLower(method)].Responses
		described, ok := responses[strconv.Itoa(got.status)]
		if !ok {
			described = responses["default"]
		}
		if got.status == http.StatusNoContent {
			continue
		}
		kind, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
		content, ok := described.Content[kind]
		if !ok {
			t.Errorf("%s: got %d as %s, which the description does not have", name, got.status, kind)
			continue
		}
		if !strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "ndjson") {
			continue
		}
		var v any
		got.json(t, &v)
		if err := c.schema(t, content.Schema).Validate(v); err != nil {
			t.Errorf("%s: %v in %s", name, err, got.body[:min(600, len(got.body))])
		}
		if got.status >= 400 {
			if p := v.(map[string]any); p["detail"] == nil || p["detail"] == "validation failed" || p["hint"] == nil {
				t.Errorf("%s: got %s, want what is wrong and what to do", name, got.body)
			}
		}
	}
	for path, methods := range c.Paths {
		for method, op := range methods {
			if !asked[op.OperationID] {
				t.Errorf("%s %s (%s) is not asked here", strings.ToUpper(method), path, op.OperationID)
			}
		}
	}
}
