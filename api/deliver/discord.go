package deliver

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"xinwen/news"
)

// What Discord takes.
const (
	discordEmbeds      = 10
	discordTotal       = 6000 // characters of all embeds
	discordTitle       = 256
	discordDescription = 1000
	discordContent     = 2000
)

type discordMessage struct {
	Content string         `json:"content"`
	Embeds  []discordEmbed `json:"embeds,omitempty"`
	// AllowedMentions lets nobody be called by a text of ours.
	AllowedMentions struct {
		Parse []string `json:"parse"`
	} `json:"allowed_mentions"`
}

type discordEmbed struct {
	Title       string `json:"title"`
	URL         string `json:"url,omitempty"`
	Description string `json:"description,omitempty"`
}

// discordEscape are the marks of Discord's Markdown, which has a backslash.
var discordEscape = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "`", "\\`", "~", `\~`, "|", `\|`, ">", `\>`, "#", `\#`, "[", `\[`, "]", `\]`, "<", `\<`, "@", "@\u200b")

// sendDiscord executes a webhook.
func sendDiscord(ctx context.Context, s *Service, c *news.Channel, _ *notice, m *message) outcome {
	u, err := channelURL(c)
	if err != nil {
		return outcome{err: err}
	}
	body := fit(m, discordForm, func(b discordMessage) bool {
		total := 0
		for _, e := range b.Embeds {
			total += utf8.RuneCountInString(e.Title) + utf8.RuneCountInString(e.Description)
		}
		return len(b.Embeds) <= discordEmbeds && total <= discordTotal
	})
	a := s.client.postJSON(ctx, u.String(), body)
	var limited struct {
		RetryAfter float64 `json:"retry_after"`
	}
	if a.status == 429 && a.json(&limited) && limited.RetryAfter > 0 {
		a.retryAfter = max(a.retryAfter, time.Duration(min(limited.RetryAfter, MaxAge.Seconds())*float64(time.Second)))
	}
	return a.outcome
}

func discordForm(m *message) discordMessage {
	lines := []string{"**" + discordEscape.Replace(m.heading) + "**"}
	for _, n := range m.notes {
		lines = append(lines, discordEscape.Replace(n))
	}
	if m.more > 0 {
		lines = append(lines, m.left(m.more))
	}
	if m.link != "" {
		lines = append(lines, "["+m.linkText+"](<"+address.Replace(m.link)+">)")
	}
	out := discordMessage{Content: clip(strings.Join(lines, "\n"), discordContent)}
	out.AllowedMentions.Parse = []string{}
	for _, i := range m.items {
		out.Embeds = append(out.Embeds, discordEmbed{clip(i.title, discordTitle), i.url, clip(discordEscape.Replace(i.about), discordDescription)})
	}
	return out
}
