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

// feishuBytes is the largest body that Feishu and Lark take (20 KB), less a
// reserve.
const feishuBytes = 19 << 10

type feishuMessage struct {
	Timestamp string     `json:"timestamp,omitempty"`
	Sign      string     `json:"sign,omitempty"`
	MsgType   string     `json:"msg_type"`
	Card      feishuCard `json:"card"`
}

type feishuCard struct {
	Config struct {
		WideScreenMode bool `json:"wide_screen_mode"`
	} `json:"config"`
	Header struct {
		Template string     `json:"template"`
		Title    feishuText `json:"title"`
	} `json:"header"`
	Elements []feishuElement `json:"elements"`
}

type feishuText struct {
	Tag     string `json:"tag"`
	Content string `json:"content"`
}

type feishuElement struct {
	Tag     string `json:"tag"`
	Content string `json:"content,omitempty"`
}

// Codes of Feishu's answers that ask to wait.
const (
	feishuTooOften  = 11232
	feishuTooOften2 = 9499
)

// sendFeishu posts a card to a custom bot of Feishu or Lark.
func sendFeishu(ctx context.Context, s *Service, c *news.Channel, _ *notice, m *message) outcome {
	u, err := channelURL(c)
	if err != nil {
		return outcome{err: err}
	}
	secret, err := reference("signing secret of "+c.Label(), c.SecretEnv, c.SecretFile)
	if err != nil {
		return outcome{err: err}
	}
	now := s.now()
	body := fit(m, func(m *message) feishuMessage {
		b := feishuForm(m)
		if secret != "" {
			b.Timestamp = strconv.FormatInt(now.Unix(), 10)
			b.Sign = feishuSign(b.Timestamp, secret)
		}
		return b
	}, func(b feishuMessage) bool { return jsonBytes(b) <= feishuBytes })
	a := s.client.postJSON(ctx, u.String(), body)
	var said struct {
		Code *int   `json:"code"`
		Msg  string `json:"msg"`
		// Bots made long ago answer with these.
		StatusCode    *int   `json:"StatusCode"`
		StatusMessage string `json:"StatusMessage"`
	}
	if !a.json(&said) {
		if a.err == nil {
			a.err = refusal(a.status, "the answer is no JSON: "+string(a.body))
		}
		return a.outcome
	}
	code, text := said.Code, said.Msg
	if code == nil {
		code, text = said.StatusCode, said.StatusMessage
	}
	if code == nil || *code == 0 {
		return a.outcome
	}
	a.err = refusal(*code, text)
	switch *code {
	case feishuTooOften, feishuTooOften2:
		a.retryAfter = max(a.retryAfter, time.Minute)
	default:
		a.status = refused
	}
	return a.outcome
}

// feishuSign signs as Feishu wants it: the timestamp and secret are the key, and
// the text is empty.
func feishuSign(timestamp, secret string) string {
	h := hmac.New(sha256.New, []byte(timestamp+"\n"+secret))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func feishuForm(m *message) feishuMessage {
	b := feishuMessage{MsgType: "interactive"}
	b.Card.Config.WideScreenMode = true
	b.Card.Header.Template = "blue"
	b.Card.Header.Title = feishuText{"plain_text", clip(m.heading, 200)}
	b.Card.Elements = []feishuElement{{"markdown", m.markdown("\n", false)}}
	return b
}
