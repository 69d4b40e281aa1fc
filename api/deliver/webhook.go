package deliver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"xinwen/news"
	"xinwen/news/guard"
)

const (
	maxAnswerBytes = 64 << 10
	maxSecretBytes = 4 << 10
)

// outcome is what came of one attempt.
type outcome struct {
	// status is the HTTP status, 0 if there was no answer. A channel that refuses
	// in its own way gives refused.
	status int
	// retryAfter is how long the receiver asks to wait.
	retryAfter time.Duration
	err        error // nil: delivered
}

// refused stands for an answer that says the same thing next time.
const refused = http.StatusBadRequest

// event is the body of a webhook.
type event struct {
	Type      string      `json:"type"`
	Timestamp time.Time   `json:"timestamp"`
	Data      *news.Alert `json:"data"`
}

// client posts webhooks.
type client struct {
	http *http.Client
	now  func() time.Time
}

func newClient(timeout time.Duration, allowPrivate bool) *client {
	d := &net.Dialer{Timeout: timeout / 2, KeepAlive: 30 * time.Second}
	if !allowPrivate {
		d.Control = guard.Control
	}
	return &client{
		now: time.Now,
		http: &http.Client{
			Timeout: timeout,
			Transport: &http.Transport{
				// A proxy would dial for us, past the guard.
				Proxy:                  nil,
				DialContext:            d.DialContext,
				ForceAttemptHTTP2:      true,
				MaxIdleConns:           32,
				MaxConnsPerHost:        4,
				IdleConnTimeout:        time.Minute,
				TLSHandshakeTimeout:    timeout / 2,
				ResponseHeaderTimeout:  timeout,
				MaxResponseHeaderBytes: 32 << 10,
			},
			// A redirect would carry the signed body to an address nobody named.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// post makes one attempt. id is the same on every attempt of a delivery.
func (c *client) post(ctx context.Context, w *news.Webhook, id string, a *news.Alert) outcome {
	signer, err := secret(w)
	if err != nil {
		return outcome{err: err}
	}
	body, err := json.Marshal(event{Type: "alert.matched", Timestamp: a.Matched.UTC(), Data: a})
	if err != nil {
		return outcome{err: err}
	}
	now := c.now()
	signature, err := signer.Sign(id, now, body)
	if err != nil {
		return outcome{err: err}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return outcome{err: errors.New("the webhook's url cannot be used")}
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set(standardwebhooks.HeaderWebhookID, id)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return c.do(req).outcome
}

func parseRetryAfter(v string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(strings.TrimSpace(v)); err == nil && n > 0 {
		return time.Duration(min(n, int(MaxAge/time.Second))) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return min(max(t.Sub(now), 0), MaxAge)
	}
	return 0
}

// secret reads the signing secret anew each time, so that a new one counts at
// once.
func secret(w *news.Webhook) (*standardwebhooks.Webhook, error) {
	value, err := reference("signing secret", w.SecretEnv, w.SecretFile)
	if err != nil {
		return nil, err
	}
	if value == "" {
		return nil, errors.New("the webhook names no signing secret; set secret_env or secret_file")
	}
	if strings.HasPrefix(value, "whsec_") {
		s, err := standardwebhooks.NewWebhook(value)
		if err != nil {
			return nil, fmt.Errorf("signing secret: what %s%s holds begins with whsec_ but the rest is not base64; mend it", w.SecretEnv, w.SecretFile)
		}
		return s, nil
	}
	return standardwebhooks.NewWebhookRaw([]byte(value))
}

// Place names a webhook's receiver without what may be secret in its address.
func Place(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "webhook"
	}
	return u.Scheme + "://" + u.Host
}
