package api

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestLongAnswersAreCompressedForWhoTakesGzip(t *testing.T) {
	f := start(t, nil)
	f.index.Add(article("a1", "HBM", strings.Repeat("一段很长的正文。", 300), "zh", "Hans"))
	for path, want := range map[string]string{
		"/v1/articles/a1": "gzip", "/openapi.json": "gzip", "/v1/me": "", "/healthz": "",
	} {
		for _, accept := range []string{"gzip", "identity", ""} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.base+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept-Encoding", accept)
			res, err := http.DefaultTransport.RoundTrip(r)
			if err != nil {
				t.Fatal(err)
			}
			body := io.Reader(res.Body)
			encoding := ""
			if accept == "gzip" {
				encoding = want
			}
			if got := res.Header.Get("Content-Encoding"); got != encoding {
				t.Errorf("%s for %q: got encoding %q, want %q", path, accept, got, encoding)
			} else if got == "gzip" {
				if body, err = gzip.NewReader(res.Body); err != nil {
					t.Fatal(err)
				}
			}
			if want != "" && !strings.Contains(res.Header.Get("Vary"), "Accept-Encoding") {
				t.Errorf("%s: got Vary %q, want Accept-Encoding", path, res.Header.Get("Vary"))
			}
			if data, err := io.ReadAll(body); err != nil || path != "/healthz" && !json.Valid(data) {
				t.Errorf("%s for %q: got %v and %.40q, want JSON", path, accept, err, data)
			}
			_ = res.Body.Close()
		}
	}
}
