package deliver

import (
	"context"
	"html"
	"strings"
	"time"
	"unicode/utf16"

	"xinwen/news"
)

const (
	// DefaultTelegram is where Telegram's bots are reached.
	DefaultTelegram = "https://api.telegram.org"
	// telegramText is the longest text, in UTF-16 units.
	telegramText = 4096
)

type telegramMessage struct {
	ChatID      string `json:"chat_id"`
	Text        string `json:"text"`
	ParseMode   string `json:"parse_mode"`
	LinkPreview struct {
		IsDisabled bool `json:"is_disabled"`
	} `json:"link_preview_options"`
}

// sendTelegram calls sendMessage of the Bot API.
func sendTelegram(ctx context.Context, s *Service, c *news.Channel, _ *notice, m *message) outcome {
	token, err := reference("token of "+c.Label(), c.SecretEnv, c.SecretFile)
	if err != nil {
		return outcome{err: err}
	}
	body := telegramMessage{ChatID: c.To[0], ParseMode: "HTML"}
	body.LinkPreview.IsDisabled = true
	body.Text = fit(m, telegramForm, func(text string) bool { return len(utf16.Encode([]rune(text))) <= telegramText })
	a := s.client.postJSON(ctx, s.o.TelegramURL+"/bot"+token+"/sendMessage", body)
	var said struct {
		OK          bool   `json:"ok"`
		ErrorCode   int    `json:"error_code"`
		Description string `json:"description"`
		Parameters  struct {
			RetryAfter int `json:"retry_after"`
		} `json:"parameters"`
	}
	if a.json(&said) && !said.OK && said.ErrorCode != 0 {
		a.err = refusal(said.ErrorCode, said.Description)
		a.status = said.ErrorCode
		a.retryAfter = max(a.retryAfter, min(time.Duration(said.Parameters.RetryAfter)*time.Second, MaxAge))
	}
	return a.outcome
}

func telegramForm(m *message) string {
	var b strings.Builder
	b.WriteString("<b>" + html.EscapeString(clip(m.heading, 200)) + "</b>\n")
	for _, n := range m.notes {
		b.WriteString(html.EscapeString(n) + "\n")
	}
	for _, i := range m.items {
		title := html.EscapeString(clip(i.title, 300))
		if i.url != "" {
			title = `<a href="` + html.EscapeString(i.url) + `">` + title + "</a>"
		}
		b.WriteString("\n" + title + "\n" + html.EscapeString(clip(i.about, 300)) + "\n")
	}
	if m.more > 0 {
		b.WriteString("\n" + m.left(m.more) + "\n")
	}
	if m.link != "" {
		b.WriteString("\n<a href=\"" + html.EscapeString(m.link) + "\">" + m.linkText + "</a>\n")
	}
	return strings.TrimSpace(b.String())
}
