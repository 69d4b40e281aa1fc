package deliver

import (
	"context"
	"strings"

	"xinwen/news"
)

// What Slack takes: blocks and characters of a section's text.
const (
	slackBlocks  = 50
	slackSection = 3000
)

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type slackBlock struct {
	Type     string      `json:"type"`
	Text     *slackText  `json:"text,omitempty"`
	Elements []slackText `json:"elements,omitempty"`
}

type slackMessage struct {
	// Text is shown in notifications.
	Text        string       `json:"text"`
	Blocks      []slackBlock `json:"blocks"`
	UnfurlLinks bool         `json:"unfurl_links"`
	UnfurlMedia bool         `json:"unfurl_media"`
}

// slackEscape are the three characters that mean something in mrkdwn texts.
var slackEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// slackAddress keeps an address from ending a link early.
var slackAddress = strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C")

// sendSlack posts to an incoming webhook.
func sendSlack(ctx context.Context, s *Service, c *news.Channel, _ *notice, m *message) outcome {
	u, err := channelURL(c)
	if err != nil {
		return outcome{err: err}
	}
	body := fit(m, slackForm, func(b slackMessage) bool { return len(b.Blocks) <= slackBlocks })
	// Slack answers 429 with Retry-After, 404 and 410 where the webhook is gone,
	// 400 and 403 where it will not take it.
	return s.client.postJSON(ctx, u.String(), body).outcome
}

func slackForm(m *message) slackMessage {
	section := func(text string) slackBlock {
		return slackBlock{Type: "section", Text: &slackText{"mrkdwn", clip(text, slackSection)}}
	}
	fallback := m.heading
	if len(m.items) > 0 {
		fallback += " " + m.items[0].title
	}
	out := slackMessage{Text: slackEscape.Replace(clip(fallback, 300)), Blocks: []slackBlock{
		{Type: "header", Text: &slackText{"plain_text", clip(m.heading, 150)}},
	}}
	if len(m.notes) > 0 {
		out.Blocks = append(out.Blocks, section(slackEscape.Replace(strings.Join(m.notes, "\n"))))
	}
	for _, i := range m.items {
		title := slackEscape.Replace(clip(i.title, 300))
		if i.url != "" {
			title = "<" + slackAddress.Replace(i.url) + "|" + title + ">"
		}
		out.Blocks = append(out.Blocks, section("*"+title+"*\n"+slackEscape.Replace(clip(i.about, 400))))
	}
	var foot []string
	if m.more > 0 {
		foot = append(foot, m.left(m.more))
	}
	if m.link != "" {
		foot = append(foot, "<"+slackAddress.Replace(m.link)+"|"+m.linkText+">")
	}
	if len(foot) > 0 {
		out.Blocks = append(out.Blocks, slackBlock{Type: "context", Elements: []slackText{{"mrkdwn", strings.Join(foot, " ")}}})
	}
	return out
}
