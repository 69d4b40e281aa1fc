package api

import (
	"net/http"
	"strings"

	"github.com/klauspost/compress/gzhttp"
)

// compress lets answers be compressed for who takes gzip. Pages and metrics do so
// themselves; streams of events must not wait in a buffer.
func compress(next http.Handler) (http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(1400), // what fits in one packet stays as it is
		gzhttp.ContentTypes([]string{
			"application/json", "application/problem+json", "application/openapi+json", "application/x-ndjson", "text/csv",
			"application/rss+xml", "application/atom+xml", "application/feed+json",
		}))
	if err != nil {
		return nil, err
	}
	compressed := wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v1/stream" || strings.HasPrefix(r.URL.Path, "/mcp") {
			next.ServeHTTP(w, r)
			return
		}
		compressed.ServeHTTP(w, r)
	}), nil
}
