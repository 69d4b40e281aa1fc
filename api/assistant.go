package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"xinwen/api/mcp"
	"xinwen/api/problem"
)

// assistant serves the tools for assistants as streamable HTTP. They ask mux,
// the routes of this server, without going over the network.
func (s *Server) assistant(mux http.Handler) http.Handler {
	server := mcp.New(inside{mux}, s.o.Version)
	return sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, &sdk.StreamableHTTPOptions{
		Stateless: true, JSONResponse: true, Logger: s.log,
	})
}

// inside asks a handler of this process.
type inside struct{ handler http.Handler }

// Get implements mcp.Backend.
func (b inside) Get(ctx context.Context, path string, query url.Values, v any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return b.ask(ctx, http.MethodGet, path, nil, v)
}

// Post implements mcp.Backend.
func (b inside) Post(ctx context.Context, path string, in, v any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return b.ask(ctx, http.MethodPost, path, body, v)
}

func (b inside) ask(ctx context.Context, method, path string, body []byte, v any) error {
	r, err := http.NewRequestWithContext(ctx, method, path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	w := &kept{header: make(http.Header), status: http.StatusOK}
	b.handler.ServeHTTP(w, r)
	if w.status < 300 {
		return json.Unmarshal(w.body.Bytes(), v)
	}
	var p problem.Problem
	if json.Unmarshal(w.body.Bytes(), &p) != nil || p.Detail == "" {
		return fmt.Errorf("answered %d", w.status)
	}
	text := p.Detail
	if p.Column > 0 {
		text = fmt.Sprintf("column %d: %s", p.Column, text)
	}
	if p.Hint != "" {
		text += " " + p.Hint
	}
	return errors.New(text)
}

// kept is a response that stays in memory.
type kept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (k *kept) Header() http.Header { return k.header }

// WriteHeader implements http.ResponseWriter.
func (k *kept) WriteHeader(status int) { k.status = status }

// Write implements http.ResponseWriter.
func (k *kept) Write(p []byte) (int, error) { return k.body.Write(p) }
