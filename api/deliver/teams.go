package deliver

import (
	"context"
	"strings"

	"xinwen/news"
)

// teamsBytes is the largest message that Teams takes (28 KB), less a reserve for
// what the workflow adds.
const teamsBytes = 26 << 10

type teamsMessage struct {
	Type        string            `json:"type"`
	Attachments []teamsAttachment `json:"attachments"`
}

type teamsAttachment struct {
	ContentType string    `json:"contentType"`
	ContentURL  *string   `json:"contentUrl"`
	Content     teamsCard `json:"content"`
}

type teamsCard struct {
	Schema  string        `json:"$schema"`
	Type    string        `json:"type"`
	Version string        `json:"version"`
	Body    []teamsBlock  `json:"body"`
	Actions []teamsAction `json:"actions,omitempty"`
}

type teamsBlock struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Wrap     bool   `json:"wrap"`
	Size     string `json:"size,omitempty"`
	Weight   string `json:"weight,omitempty"`
	Spacing  string `json:"spacing,omitempty"`
	IsSubtle bool   `json:"isSubtle,omitempty"`
}

type teamsAction struct {
	Type  string `json:"type"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

// sendTeams posts an Adaptive Card to the webhook of a Teams workflow.
func sendTeams(ctx context.Context, s *Service, c *news.Channel, _ *notice, m *message) outcome {
	u, err := channelURL(c)
	if err != nil {
		return outcome{err: err}
	}
	body := fit(m, teamsForm, func(b teamsMessage) bool { return jsonBytes(b) <= teamsBytes })
	a := s.client.postJSON(ctx, u.String(), body)
	// The old connectors answered 200 with the failure as text.
	if a.err == nil && strings.Contains(string(a.body), "Microsoft Teams endpoint returned HTTP error") {
		a.err = refusal(a.status, string(a.body))
	}
	return a.outcome
}

func teamsForm(m *message) teamsMessage {
	card := teamsCard{
		Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4",
		Body: []teamsBlock{{Type: "TextBlock", Text: inert.Replace(m.heading), Wrap: true, Size: "Medium", Weight: "Bolder"}},
	}
	for _, n := range m.notes {
		card.Body = append(card.Body, teamsBlock{Type: "TextBlock", Text: inert.Replace(n), Wrap: true})
	}
	for _, i := range m.items {
		title := inert.Replace(clip(i.title, 300))
		if i.url != "" {
			title = "[" + title + "](" + address.Replace(i.url) + ")"
		}
		card.Body = append(card.Body,
			teamsBlock{Type: "TextBlock", Text: title, Wrap: true, Spacing: "Medium"},
			teamsBlock{Type: "TextBlock", Text: inert.Replace(clip(i.about, 300)), Wrap: true, Spacing: "None", IsSubtle: true})
	}
	if m.more > 0 {
		card.Body = append(card.Body, teamsBlock{Type: "TextBlock", Text: m.left(m.more), Wrap: true})
	}
	if m.link != "" {
		card.Actions = []teamsAction{{"Action.OpenUrl", m.linkText, m.link}}
	}
	return teamsMessage{Type: "message", Attachments: []teamsAttachment{{ContentType: "application/vnd.microsoft.card.adaptive", Content: card}}}
}
