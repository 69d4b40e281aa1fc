package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// apiFlags reach a running api.
type apiFlags struct {
	API string `name:"api" default:"http://127.0.0.1:8080" env:"XINWEN_API" placeholder:"URL" help:"Address of a running api."`
	Key string `name:"api-key" env:"XINWEN_API_KEY" help:"Key for the api, sent as a bearer token." hidden:""`
}

// client speaks to a running api.
type client struct {
	base string
	key  string
	http http.Client
}

func (f apiFlags) client() *client {
	return &client{base: strings.TrimRight(f.API, "/"), key: f.Key}
}

// do sends a request and returns the answer if its status is a success; the
// caller closes its body.
func (c *client) do(ctx context.Context, method, path string, query url.Values, contentType string, body io.Reader) (*http.Response, error) {
	address := c.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, fmt.Errorf("api address %q: %w", c.base, err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) {
			return nil, hint(fmt.Errorf("no api answers at %s", c.base), "start one with `xinwen`, or name it with --api")
		}
		return nil, fmt.Errorf("ask the api: %w", err)
	}
	if resp.StatusCode >= 400 {
		defer resp.Body.Close()
		return nil, apiError(resp)
	}
	return resp, nil
}

// getJSON reads a JSON answer into v.
func (c *client) getJSON(ctx context.Context, path string, query url.Values, v any) error {
	resp, err := c.do(ctx, http.MethodGet, path, query, "", nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(v); err != nil {
		return fmt.Errorf("answer to %s: %w", path, err)
	}
	return nil
}

// postJSON sends in as JSON and, if out is not nil, reads the answer into it.
func (c *client) postJSON(ctx context.Context, path string, in, out any) error {
	return c.sendJSON(ctx, http.MethodPost, path, in, out)
}

// sendJSON is postJSON with another method.
func (c *client) sendJSON(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	resp, err := c.do(ctx, method, path, nil, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil || resp.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("answer to %s: %w", path, err)
	}
	return nil
}

// apiError turns a problem document (RFC 9457) into an error.
func apiError(resp *http.Response) error {
	var p struct {
		Title, Detail, Hint string
		Column              int
		Error               string
	}
	data, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10)) // what came is enough
	if json.Unmarshal(data, &p) != nil || p.Detail == "" && p.Title == "" && p.Error == "" {
		return fmt.Errorf("the api answered %s: %s", resp.Status, strings.TrimSpace(string(data)))
	}
	text := p.Detail
	for _, other := range []string{p.Error, p.Title} {
		if text == "" {
			text = other
		}
	}
	if p.Column > 0 {
		text = fmt.Sprintf("column %d: %s", p.Column, text)
	}
	if p.Hint != "" {
		return hint(errors.New(text), p.Hint)
	}
	return errors.New(text)
}

// await asks until done is true, ever less often, and returns early with ctx.
func await(ctx context.Context, done func() (bool, error)) error {
	delay := 50 * time.Millisecond
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(delay):
		}
		delay = min(2*delay, time.Second)
	}
}

// hinted is an error that says what to do.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

// Hint says what to do.
func (h hinted) Hint() string { return h.hint }

func hint(err error, text string) error { return hinted{err, text} }
