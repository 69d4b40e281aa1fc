package deliver

import (
	"context"
	"time"

	"xinwen/news"
)

// weComBytes is the longest Markdown that WeCom takes.
const weComBytes = 4096

// Codes of WeCom's answers that ask to wait.
const (
	weComTooOften = 45009
	weComBusy     = -1
)

type weComMessage struct {
	MsgType  string `json:"msgtype"`
	Markdown struct {
		Content string `json:"content"`
	} `json:"markdown"`
}

// sendWeCom posts Markdown to a group robot.
func sendWeCom(ctx context.Context, s *Service, c *news.Channel, _ *notice, m *message) outcome {
	u, err := channelURL(c)
	if err != nil {
		return outcome{err: err}
	}
	body := fit(m, func(m *message) weComMessage {
		b := weComMessage{MsgType: "markdown"}
		b.Markdown.Content = m.markdown("\n", true)
		return b
	}, func(b weComMessage) bool { return len(b.Markdown.Content) <= weComBytes })
	a := s.client.postJSON(ctx, u.String(), body)
	return a.errcode(func(code int) time.Duration {
		switch code {
		case weComTooOften:
			return time.Minute
		case weComBusy:
			return time.Second
		}
		return 0
	})
}
