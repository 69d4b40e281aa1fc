package fetch

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// PostForm sends a form and returns the status of the answer, whose body is not
// read; redirects are not followed. req.Gate is passed as for Get. Its error is an
// *Error.
func (c *Client) PostForm(parent context.Context, req Request, form url.Values) (status int, err error) {
	u, err := parseURL(req.URL)
	if err != nil {
		return 0, &Error{Kind: KindURL, URL: req.URL, Err: err, Hint: "check the address"}
	}
	if req.Gate != nil {
		done, err := c.pass(parent, u, req.Gate)
		if err != nil {
			return 0, err
		}
		defer func() { done(err) }()
	}
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	timer := time.AfterFunc(c.cfg.HeaderTimeout, func() { cancel(errHeaderTimeout) })
	defer timer.Stop()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return 0, &Error{Kind: KindURL, URL: req.URL, Err: err, Hint: "check the address"}
	}
	r.Header.Set("User-Agent", c.cfg.UserAgent)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.transport.RoundTrip(r)
	if err != nil {
		return 0, classify(ctx, u.String(), err)
	}
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection can be used again
	_ = resp.Body.Close()                         // nothing more is wanted of it
	return resp.StatusCode, nil
}
