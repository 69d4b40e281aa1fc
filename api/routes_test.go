package api

import (
	"net/http"
	"testing"
)

func TestNoRoute(t *testing.T) {
	f := start(t, nil)
	for _, c := range []struct {
		method, path, accept string
		status               int
		allow                string
	}{
		{http.MethodGet, "/v2/search", "", http.StatusNotFound, ""},
		{http.MethodGet, "/nowhere", "text/html", http.StatusNotFound, ""},
		{http.MethodDelete, "/v1/search", "", http.StatusMethodNotAllowed, "GET, HEAD, POST"},
		{http.MethodOptions, "/v1/search", "", http.StatusNoContent, "GET, HEAD, POST"},
		{http.MethodOptions, "/nowhere", "", http.StatusNotFound, ""},
		{http.MethodPut, "/healthz", "", http.StatusMethodNotAllowed, "GET, HEAD"},
		{http.MethodGet, "/v1/articles", "", http.StatusMethodNotAllowed, "POST"},
	} {
		a := f.do(c.method, c.path, "", "Accept", c.accept)
		if a.status != c.status || a.header.Get("Allow") != c.allow {
			t.Errorf("%s %s: got %d, Allow %q, want %d, %q", c.method, c.path, a.status, a.header.Get("Allow"), c.status, c.allow)
		}
	}
}
