package deliver

import (
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"xinwen/indexer/query"
	"xinwen/news"
)

// notice is what a channel is told: one alert or several together.
type notice struct {
	// id is the same on every attempt.
	id     string
	rule   *news.Rule
	alerts []*news.Alert // oldest first
	// instead names the channel that did not answer, if this one is told in its
	// place.
	instead string
}

// message is a notice in the words of a language, for a channel to give a form.
// Its texts are plain: titles and names come from elsewhere, so every channel
// escapes them.
type message struct {
	language string
	// heading names the rule and how many articles there are.
	heading string
	// notes are sentences on why the rule went off.
	notes []string
	items []item
	// more is how many articles there was no room for, left the sentence on them.
	more int
	left func(n int) string
	// link leads to all matches of the rule, "" if we have no public address.
	link, linkText string
}

// item is an article.
type item struct {
	title string
	url   string // "" if the article has no address on the web
	// about is source, time and what matched.
	about string
}

// phrases are the words of one language.
type phrases struct {
	heading  func(rule string, n int) string
	matched  string
	list     string // between matches
	first    string
	count    string // number, window
	spike    string // number, window, expected
	instead  string
	left     string
	all      string
	untitled string
	stop     string
}

// The languages of notices.
const (
	hans    = "zh-Hans"
	hant    = "zh-Hant"
	english = "en"
)

func phrasesOf(language string) phrases {
	switch language {
	case hans:
		return phrases{
			heading: headingZh("【%s】%d 篇文章"), matched: "命中：", list: "、", first: "首次提及：",
			count: "%[2]s内已有 %[1]d 篇匹配。", spike: "突增：%[2]s内 %[1]d 篇，平时约 %[3]s 篇。",
			instead: "本通知原应发往“%s”，该渠道目前无法送达。", left: "另有 %d 篇未列出。",
			all: "查看全部", untitled: "（无标题）", stop: "如需停止接收，请联系规则负责人：",
		}
	case hant:
		return phrases{
			heading: headingZh("【%s】%d 篇文章"), matched: "符合：", list: "、", first: "首次提及：",
			count: "%[2]s內已有 %[1]d 篇符合。", spike: "激增：%[2]s內 %[1]d 篇，平時約 %[3]s 篇。",
			instead: "本通知原應發往「%s」，該管道目前無法送達。", left: "另有 %d 篇未列出。",
			all: "檢視全部", untitled: "（無標題）", stop: "如需停止接收，請聯絡規則負責人：",
		}
	}
	return phrases{
		heading: func(rule string, n int) string {
			if n == 1 {
				return "[" + rule + "]"
			}
			return fmt.Sprintf("[%s] %d articles", rule, n)
		}, matched: "matched: ", list: ", ", first: "First mention of ",
		count: "%[1]d matches within %[2]s.", spike: "Spike: %[1]d within %[2]s, usually about %[3]s.",
		instead: "Told here because the channel “%s” cannot be reached.", left: "%d more are not shown.",
		all: "See all", untitled: "(no title)", stop: "To stop these messages, ask the owner of the rule: ",
	}
}

func headingZh(format string) func(string, int) string {
	return func(rule string, n int) string {
		if n == 1 {
			return "【" + rule + "】"
		}
		return fmt.Sprintf(format, rule, n)
	}
}

const (
	// maxMatched is how many different matches of an article are named.
	maxMatched = 6
	// maxNotes is how many reasons are given.
	maxNotes = 5
	// maxLink is the longest address of the rule's matches.
	maxLink = 1000
)

// compose puts a notice into the words of a language. Times are of zone; base
// is where people reach us, or "".
func compose(n *notice, language string, zone *time.Location, base string) *message {
	p := phrasesOf(language)
	m := &message{language: language, heading: p.heading(clip(line(n.rule.Name), 80), len(n.alerts)), left: func(k int) string { return fmt.Sprintf(p.left, k) }}
	if n.instead != "" {
		m.notes = append(m.notes, fmt.Sprintf(p.instead, n.instead))
	}
	if base != "" {
		m.link, m.linkText = base+"/?"+url.Values{"q": {query.RuleText(n.rule)}, "lang": n.rule.Languages, "source": n.rule.Sources, "sort": {"newest"}}.Encode(), p.all
		if len(m.link) > maxLink { // else it alone would fill a message
			m.link = ""
		}
	}
	for _, a := range n.alerts {
		if r := a.Reason; r != nil && len(m.notes) < maxNotes {
			m.notes = append(m.notes, p.reason(r))
		}
		m.items = append(m.items, p.item(a, zone, base))
	}
	return m
}

func (p *phrases) reason(r *news.Reason) string {
	switch r.Kind {
	case news.ReasonFirst:
		names := r.Names
		if len(names) == 0 {
			names = r.Entities
		}
		return clip(p.first+line(strings.Join(names, p.list)), 120)
	case news.ReasonSpike:
		return fmt.Sprintf(p.spike, r.Count, r.Window, strings.TrimSuffix(fmt.Sprintf("%.1f", r.Expected), ".0"))
	}
	return fmt.Sprintf(p.count, r.Count, r.Window)
}

func (p *phrases) item(a *news.Alert, zone *time.Location, base string) item {
	i := item{title: line(a.Article.Title)}
	if i.title == "" {
		i.title = p.untitled
	}
	switch u := a.Article.URL; {
	case strings.HasPrefix(u, "https://") || strings.HasPrefix(u, "http://"):
		i.url = u
	case base != "":
		i.url = base + "/article/" + url.PathEscape(a.Article.ID)
	}
	source := a.Article.Publisher
	if source == "" {
		source = a.Article.Source
	}
	parts := []string{line(source)}
	if t := a.Article.Time(); !t.IsZero() {
		parts = append(parts, t.In(zone).Format("2006-01-02 15:04 MST"))
	}
	var matched []string
	seen := make(map[string]bool)
	for _, s := range a.Matches {
		if text := line(s.Text); text != "" && !seen[text] && len(matched) < maxMatched {
			seen[text] = true
			matched = append(matched, text)
		}
	}
	if len(matched) > 0 {
		parts = append(parts, p.matched+strings.Join(matched, p.list))
	}
	i.about = strings.Join(parts, " · ")
	return i
}

// line makes one line of a text.
func line(s string) string { return strings.Join(strings.Fields(s), " ") }

// fit cuts the items off that do not fit: render gives the form of a message
// with some items, and within says whether it is small enough. It returns the
// first form that is, at the least one without items.
func fit[T any](m *message, render func(*message) T, within func(T) bool) T {
	whole := len(m.items)
	short := *m
	for {
		out := render(&short)
		if within(out) || len(short.items) == 0 {
			return out
		}
		// Fewer each time, but not one by one for a digest of hundreds.
		short.items = m.items[:len(short.items)-max(1, len(short.items)/8)]
		short.more = whole - len(short.items)
	}
}

// clip shortens a text to at most n code points.
func clip(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return string(r[:n-1]) + "…"
}

// inert gives the characters that mean something in the Markdown of chats their
// full-width form, since none of these dialects can escape all of them: a title
// must neither break a link nor call everybody.
var inert = strings.NewReplacer(
	"[", "［", "]", "］", "<", "＜", ">", "＞", "*", "＊", "_", "＿", "`", "｀", "#", "＃", "~", "～", "|", "｜", "@", "＠", "\\", "＼",
)

// address makes an address safe inside the parentheses of a Markdown link.
var address = strings.NewReplacer("(", "%28", ")", "%29", " ", "%20", "<", "%3C", ">", "%3E", "\"", "%22")

// markdown gives a message the form that DingTalk, WeCom and Feishu share.
// newLine ends a line.
func (m *message) markdown(newLine string, heading bool) string {
	var b strings.Builder
	if heading {
		b.WriteString("**" + inert.Replace(m.heading) + "**" + newLine)
	}
	for _, n := range m.notes {
		b.WriteString(inert.Replace(n) + newLine)
	}
	for _, i := range m.items {
		title := inert.Replace(clip(i.title, 200))
		if i.url != "" {
			title = "[" + title + "](" + address.Replace(i.url) + ")"
		}
		b.WriteString(title + newLine + inert.Replace(clip(i.about, 300)) + newLine)
	}
	if m.more > 0 {
		b.WriteString(m.left(m.more) + newLine)
	}
	if m.link != "" {
		b.WriteString("[" + m.linkText + "](" + address.Replace(m.link) + ")" + newLine)
	}
	return strings.TrimSuffix(b.String(), newLine)
}
