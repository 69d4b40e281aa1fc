package problem

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news/bus"
)

func TestOf(t *testing.T) {
	for name, tc := range map[string]struct {
		err            error
		status, column int
		detail         string
	}{
		"problem":     {fmt.Errorf("x: %w", New(418, "short and stout", "")), 418, 0, "short and stout"},
		"syntax":      {fmt.Errorf("x: %w", &query.SyntaxError{Column: 7, Message: "no end", Hint: "add one"}), 400, 7, "no end"},
		"request":     {&search.RequestError{Field: "tz", Message: "no zone"}, 400, 0, "no zone"},
		"not found":   {fmt.Errorf("article x: %w", search.ErrNotFound), 404, 0, "no such article"},
		"unavailable": {fmt.Errorf("x: %w", search.ErrUnavailable), 503, 0, "cannot answer"},
		"full":        {fmt.Errorf("x: %w", bus.ErrFull), 503, 0, "full"},
		"away":        {fmt.Errorf("list rules: %w", nats.ErrReconnectBufExceeded), 503, 0, "NATS"},
		"late":        {fmt.Errorf("x: %w", context.DeadlineExceeded), 504, 0, "too long"},
		"inside":      {errors.New("open /var/secret: denied"), 500, 0, "Something went wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			p := Of(tc.err)
			if p.Status != tc.status || p.Column != tc.column || !strings.Contains(p.Detail, tc.detail) {
				t.Errorf("got %+v, want %d at %d: %s", p, tc.status, tc.column, tc.detail)
			}
			data, err := json.Marshal(p)
			if err != nil || strings.Contains(string(data), "secret") {
				t.Errorf("got %s, %v, want nothing of the inside", data, err)
			}
		})
	}
}

func TestWrite(t *testing.T) {
	w := httptest.NewRecorder()
	Write(w, New(http.StatusServiceUnavailable, "busy", "wait"))
	if w.Code != 503 || w.Header().Get("Content-Type") != "application/problem+json" || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
	if want := `{"title":"Service Unavailable","status":503,"detail":"busy","hint":"wait"}` + "\n"; w.Body.String() != want {
		t.Errorf("got %s, want %s", w.Body, want)
	}
}
