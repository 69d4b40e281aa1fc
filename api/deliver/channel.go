package deliver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"xinwen/news"
	"xinwen/news/guard"
)

// channelKind is how one kind of channel is told.
type channelKind struct {
	// per and burst are the channel's own limit: a notice each per, with burst
	// at once.
	per   time.Duration
	burst int
	// send makes one attempt.
	send func(ctx context.Context, s *Service, c *news.Channel, n *notice, m *message) outcome
}

// channelKinds are the channels by kind, with their limits as their makers
// publish them; where there are two, the stricter.
var channelKinds = map[string]channelKind{
	news.ChannelEmail:    {per: time.Second, burst: 10, send: sendEmail},
	news.ChannelSlack:    {per: time.Second, burst: 1, send: sendSlack},
	news.ChannelTeams:    {per: time.Second, burst: 4, send: sendTeams},
	news.ChannelTelegram: {per: 3 * time.Second, burst: 1, send: sendTelegram}, // 20 a minute in a group
	news.ChannelDiscord:  {per: 2 * time.Second, burst: 5, send: sendDiscord},  // 30 a minute a webhook
	news.ChannelFeishu:   {per: 600 * time.Millisecond, burst: 5, send: sendFeishu},
	news.ChannelLark:     {per: 600 * time.Millisecond, burst: 5, send: sendFeishu},
	news.ChannelDingTalk: {per: 3 * time.Second, burst: 1, send: sendDingTalk}, // 20 a minute, else 10 minutes of silence
	news.ChannelWeCom:    {per: 3 * time.Second, burst: 1, send: sendWeCom},    // 20 a minute
}

// identity tells the address of a channel apart from others without its secret:
// by where the secret is read from.
func identity(c *news.Channel) string {
	return strings.Join(append([]string{"channel", c.Kind, c.URLEnv, c.URLFile, c.SecretEnv, c.SecretFile}, c.To...), "\x00")
}

// reference reads what an environment variable or a file holds, anew each time,
// so that a new value counts at once.
func reference(what, env, file string) (string, error) {
	var value, from string
	switch {
	case env != "":
		from, value = "environment variable "+env, os.Getenv(env)
	case file != "":
		from = "file " + file
		f, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("%s: %w; make the file readable", what, err)
		}
		data, err := io.ReadAll(io.LimitReader(f, maxSecretBytes))
		_ = f.Close() // only read
		if err != nil {
			return "", fmt.Errorf("%s: %w", what, err)
		}
		value = string(data)
	default:
		return "", nil
	}
	if value = strings.TrimSpace(value); value == "" {
		return "", fmt.Errorf("%s: %s is empty; set it", what, from)
	}
	return value, nil
}

// channelURL reads the address of a channel.
func channelURL(c *news.Channel) (*url.URL, error) {
	raw, err := reference("address of "+c.Label(), c.URLEnv, c.URLFile)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, fmt.Errorf("address of %s: what %s%s holds is not an http or https address; copy it again", c.Label(), c.URLEnv, c.URLFile)
	}
	return u, nil
}

// answer is what a channel said.
type answer struct {
	outcome
	header http.Header
	body   []byte
}

// json reads the answer's body, as far as it is JSON.
func (a *answer) json(v any) bool { return json.Unmarshal(a.body, v) == nil }

// postJSON posts v as JSON to an address that may be secret, and reads the
// answer. A status other than 2xx is a failure.
func (c *client) postJSON(ctx context.Context, address string, v any) answer {
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	e.SetEscapeHTML(false) // sizes are limited, and nothing here is HTML
	if err := e.Encode(v); err != nil {
		return answer{outcome: outcome{err: err}}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, &body)
	if err != nil {
		return answer{outcome: outcome{err: errors.New("the channel's address cannot be used")}}
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	return c.do(req)
}

// do makes a request and reads a bounded answer. No error repeats the address.
func (c *client) do(req *http.Request) answer {
	req.Header.Set("User-Agent", "Xinwen")
	res, err := c.http.Do(req)
	if err != nil {
		// url.Error repeats the address, and its path may be a secret.
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		var refused *guard.Error
		if errors.As(err, &refused) {
			err = fmt.Errorf("%w; set allow_private_webhooks to post into your own network", err)
		}
		return answer{outcome: outcome{err: err}}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswerBytes))
	a := answer{outcome: outcome{status: res.StatusCode}, header: res.Header, body: body}
	switch {
	case res.StatusCode < 200 || res.StatusCode > 299:
		a.err = fmt.Errorf("the receiver answered %s", res.Status)
		a.retryAfter = parseRetryAfter(res.Header.Get("Retry-After"), c.now())
	case err != nil:
		a.err = fmt.Errorf("the answer broke off: %w", err)
	}
	return a
}

// refusal is what a channel answered where it says so in its body: a code and
// its words. Words of others are cut, and never hold what we sent in secret.
func refusal(code int, text string) error {
	return fmt.Errorf("the channel refused: code %d, %s", code, clip(line(text), 200))
}

// jsonBytes is the size of v as it is posted.
func jsonBytes(v any) int {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return 0
	}
	return b.Len()
}
