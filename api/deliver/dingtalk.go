package deliver

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"time"

	"xinwen/news"
)

// dingTalkBytes is the largest body that DingTalk takes (20,000 bytes), less a
// reserve.
const dingTalkBytes = 18_000

// Codes of DingTalk's answers.
const (
	dingTalkTooOften  = 130101 // silence for ten minutes
	dingTalkTooOften2 = 90030
	dingTalkBusy      = -1
)

type dingTalkMessage struct {
	MsgType  string `json:"msgtype"`
	Markdown struct {
		Title string `json:"title"`
		Text  string `json:"text"`
	} `json:"markdown"`
}

// said is how DingTalk and WeCom answer.
type said struct {
	ErrCode *int   `json:"errcode"`
	ErrMsg  string `json:"errmsg"`
}

// sendDingTalk posts Markdown to a custom robot.
func sendDingTalk(ctx context.Context, s *Service, c *news.Channel, _ *notice, m *message) outcome {
	u, err := channelURL(c)
	if err != nil {
		return outcome{err: err}
	}
	secret, err := reference("signing secret of "+c.Label(), c.SecretEnv, c.SecretFile)
	if err != nil {
		return outcome{err: err}
	}
	if secret != "" {
		q := u.Query()
		timestamp := strconv.FormatInt(s.now().UnixMilli(), 10)
		q.Set("timestamp", timestamp)
		q.Set("sign", dingTalkSign(timestamp, secret))
		u.RawQuery = q.Encode()
	}
	body := fit(m, func(m *message) dingTalkMessage {
		b := dingTalkMessage{MsgType: "markdown"}
		b.Markdown.Title = clip(m.heading, 100)
		b.Markdown.Text = m.markdown("\n\n", true) // one line end is none there
		return b
	}, func(b dingTalkMessage) bool { return jsonBytes(b) <= dingTalkBytes })
	a := s.client.postJSON(ctx, u.String(), body)
	return a.errcode(func(code int) time.Duration {
		switch code {
		case dingTalkTooOften, dingTalkTooOften2:
			return 10 * time.Minute
		case dingTalkBusy:
			return time.Second
		}
		return 0
	})
}

// dingTalkSign signs timestamp and secret with the secret.
func dingTalkSign(timestamp, secret string) string {
	h := hmac.New(sha256.New, []byte(secret))
	_, _ = h.Write([]byte(timestamp + "\n" + secret)) // never fails
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// errcode judges an answer whose failure is in its body: again says how long to
// wait where a code asks to come again; every other code is a refusal.
func (a *answer) errcode(again func(code int) time.Duration) outcome {
	var s said
	if !a.json(&s) || s.ErrCode == nil {
		if a.err == nil {
			a.err = refusal(a.status, "the answer has no errcode: "+string(a.body))
		}
		return a.outcome
	}
	if *s.ErrCode == 0 {
		return a.outcome
	}
	a.err = refusal(*s.ErrCode, s.ErrMsg)
	if wait := again(*s.ErrCode); wait > 0 {
		a.retryAfter = max(a.retryAfter, wait)
	} else {
		a.status = refused
	}
	return a.outcome
}
