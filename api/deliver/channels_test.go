package deliver

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/sketch"
)

const (
	chatSecret = "SEC-for-tests"
	chatToken  = "12345:token-for-tests"
	// nasty is a title that breaks out of every markup it is not escaped in.
	nasty = `台积电](https://evil.example) <at id=all></at> @everyone <!channel> *b* & "q" <b>x</b>`
)

// chat behaves like one of the chats: it checks what it is sent as that would,
// and answers from a script, then as when all is well.
type chat struct {
	t      *testing.T
	kind   string
	mu     sync.Mutex
	script []reply
	got    chan string
	*httptest.Server
}

// reply is an answer of a chat.
type reply struct {
	status int
	body   string
	header string // Retry-After
	hang   bool   // answers nothing until the client goes
	cut    bool   // breaks the connection off
}

func newChat(t *testing.T, kind string, script ...reply) *chat {
	c := &chat{t: t, kind: kind, script: script, got: make(chan string, 100)}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	t.Setenv("TEST_CHAT_URL", c.URL+"/hook?key=secret-key")
	t.Setenv("TEST_CHAT_SECRET", chatSecret)
	t.Setenv("TEST_CHAT_TOKEN", chatToken)
	return c
}

// channel is how a rule names the chat.
func (c *chat) channel() news.Channel {
	ch := news.Channel{Kind: c.kind, Language: "zh-Hans"}
	switch c.kind {
	case news.ChannelTelegram:
		ch.SecretEnv, ch.To = "TEST_CHAT_TOKEN", []string{"-100123"}
	case news.ChannelFeishu, news.ChannelLark, news.ChannelDingTalk:
		ch.URLEnv, ch.SecretEnv = "TEST_CHAT_URL", "TEST_CHAT_SECRET"
	default:
		ch.URLEnv = "TEST_CHAT_URL"
	}
	return ch
}

func (c *chat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		c.t.Errorf("%s: got content type %q, want JSON", c.kind, r.Header.Get("Content-Type"))
	}
	if err := c.check(r, body); err != nil {
		c.t.Errorf("%s: %v in %s", c.kind, err, body)
	}
	c.mu.Lock()
	a := well[c.kind]
	if len(c.script) > 0 {
		a, c.script = c.script[0], c.script[1:]
	}
	c.mu.Unlock()
	c.got <- string(body)
	switch {
	case a.hang:
		<-r.Context().Done()
	case a.cut:
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = conn.Close() // that is the point
		}
	default:
		if a.header != "" {
			w.Header().Set("Retry-After", a.header)
		}
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body) // the client has gone
	}
}

// well is how the chats answer when all is well.
var well = map[string]reply{
	news.ChannelSlack:    {status: 200, body: "ok"},
	news.ChannelTeams:    {status: 202},
	news.ChannelTelegram: {status: 200, body: `{"ok":true,"result":{"message_id":1}}`},
	news.ChannelDiscord:  {status: 204},
	news.ChannelFeishu:   {status: 200, body: `{"code":0,"data":{},"msg":"success"}`},
	news.ChannelLark:     {status: 200, body: `{"StatusCode":0,"StatusMessage":"success"}`},
	news.ChannelDingTalk: {status: 200, body: `{"errcode":0,"errmsg":"ok"}`},
	news.ChannelWeCom:    {status: 200, body: `{"errcode":0,"errmsg":"ok"}`},
}

// check is what each chat insists on.
func (c *chat) check(r *http.Request, body []byte) error {
	var m map[string]any
	if err := json.Unmarshal(body, &m); err != nil {
		return err
	}
	want := func(ok bool, format string, args ...any) error {
		if ok {
			return nil
		}
		return fmt.Errorf(format, args...)
	}
	part := func(path ...string) map[string]any {
		at := m
		for _, k := range path {
			at, _ = at[k].(map[string]any)
		}
		return at
	}
	switch c.kind {
	case news.ChannelSlack:
		blocks, _ := m["blocks"].([]any)
		return want(m["text"] != "" && len(blocks) > 0 && len(blocks) <= 50 && !strings.Contains(string(body), "<!channel>") && !strings.Contains(string(body), "evil.example>"), "a bad message")
	case news.ChannelTeams:
		list, _ := m["attachments"].([]any)
		return want(m["type"] == "message" && len(list) == 1 && len(body) <= 28<<10 && strings.Contains(string(body), `"contentType":"application/vnd.microsoft.card.adaptive"`) && !strings.Contains(string(body), "](https://evil"), "a bad card")
	case news.ChannelTelegram:
		text, _ := m["text"].(string)
		return want(r.URL.Path == "/bot"+chatToken+"/sendMessage" && m["chat_id"] == "-100123" && m["parse_mode"] == "HTML" && len([]rune(text)) <= 4096 && !strings.Contains(text, "<at"), "a bad message")
	case news.ChannelDiscord:
		content, _ := m["content"].(string)
		embeds, _ := m["embeds"].([]any)
		parse, ok := part("allowed_mentions")["parse"].([]any)
		return want(ok && len(parse) == 0 && len([]rune(content)) <= 2000 && len(embeds) <= 10, "a bad message")
	case news.ChannelFeishu, news.ChannelLark:
		stamp, _ := m["timestamp"].(string)
		h := hmac.New(sha256.New, []byte(stamp+"\n"+chatSecret))
		if m["sign"] != base64.StdEncoding.EncodeToString(h.Sum(nil)) {
			return errors.New("a bad signature")
		}
		return want(m["msg_type"] == "interactive" && part("card", "header", "title")["tag"] == "plain_text" && len(body) <= 20<<10 && !strings.Contains(string(body), "<at") && !strings.Contains(string(body), "](https://evil"), "a bad card")
	case news.ChannelDingTalk:
		q := r.URL.Query()
		h := hmac.New(sha256.New, []byte(chatSecret))
		_, _ = h.Write([]byte(q.Get("timestamp") + "\n" + chatSecret))
		if q.Get("sign") != base64.StdEncoding.EncodeToString(h.Sum(nil)) || len(q.Get("timestamp")) != 13 || q.Get("key") != "secret-key" {
			return fmt.Errorf("a bad signature in %s", r.URL)
		}
		md := part("markdown")
		return want(m["msgtype"] == "markdown" && md["title"] != "" && md["text"] != "" && len(body) <= 20_000 && !strings.Contains(string(body), "](https://evil"), "a bad message")
	case news.ChannelWeCom:
		content, _ := part("markdown")["content"].(string)
		return want(m["msgtype"] == "markdown" && content != "" && len(content) <= 4096 && !strings.Contains(content, "<at") && !strings.Contains(content, "](https://evil"), "a bad message")
	}
	return fmt.Errorf("no such chat %s", c.kind)
}

func (c *chat) next() string {
	c.t.Helper()
	select {
	case body := <-c.got:
		return body
	case <-time.After(20 * time.Second):
		c.t.Fatalf("%s: got no message in 20 s", c.kind)
		return ""
	}
}

func (c *chat) quiet() {
	c.t.Helper()
	select {
	case body := <-c.got:
		c.t.Errorf("%s: got %s, want no message", c.kind, body)
	default:
	}
}

// store puts a rule into force.
func (f *fixture) store(r news.Rule) {
	f.t.Helper()
	r.Query = "HBM"
	if r.Name == "" {
		r.Name = r.ID
	}
	data, err := json.Marshal(r)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := f.bus.KV(bus.KVRules).Put(f.t.Context(), bus.Key(r.ID), data); err != nil {
		f.t.Fatal(err)
	}
}

// publish sends an alert as it is after change.
func (f *fixture) publish(rule, article string, change func(*news.Alert)) {
	f.t.Helper()
	a := &news.Alert{
		Version: news.Version, ID: news.AlertID(rule, article, 1), Rule: rule, RuleName: rule, Query: "HBM", Revision: 1, Matched: time.Now().UTC(),
		Article: news.Article{Version: news.Version, ID: article, Revision: 1, URL: "https://example.com/" + article + "?a=1&b=(2)", Source: "example", Title: "HBM 涨价 " + article, Published: time.Date(2025, 11, 17, 1, 2, 0, 0, time.UTC)},
		Matches: []news.Span{{Text: "HBM"}, {Text: "HBM"}, {Text: "涨价"}},
	}
	if change != nil {
		change(a)
	}
	if err := f.bus.PublishAlert(f.t.Context(), a); err != nil {
		f.t.Fatal(err)
	}
}

// reached waits until the delivery of a rule and article to a channel is as
// wanted.
func (f *fixture) reached(rule, article string, c news.Channel, wanted func(*letter) bool) *letter {
	f.t.Helper()
	return f.letter(rule, ID(rule, article, identity(&c)), wanted)
}

func (f *fixture) letter(rule, id string, wanted func(*letter) bool) *letter {
	f.t.Helper()
	w, err := f.bus.KV(bus.KVDeliveries).Watch(f.t.Context(), recordKey(rule, id))
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = w.Stop() }()
	late := time.After(20 * time.Second)
	var l letter
	for {
		select {
		case e := <-w.Updates():
			if e == nil {
				continue
			}
			l = letter{}
			if err := json.Unmarshal(e.Value(), &l); err != nil {
				f.t.Fatal(err)
			}
			if wanted(&l) {
				return &l
			}
		case <-late:
			f.t.Fatalf("got %+v in 20 s, want another state", l.Record)
			return nil
		}
	}
}

func is(s Status) func(*letter) bool { return func(l *letter) bool { return l.Status == s } }

var chats = []string{
	news.ChannelSlack, news.ChannelTeams, news.ChannelTelegram, news.ChannelDiscord, news.ChannelFeishu, news.ChannelLark, news.ChannelDingTalk, news.ChannelWeCom,
}

func TestChatsAreToldInTheirOwnForm(t *testing.T) {
	for _, kind := range chats {
		t.Run(kind, func(t *testing.T) {
			// It fails once, is slow once and breaks off once; what comes is the same.
			c := newChat(t, kind, reply{status: 500}, reply{hang: true}, reply{cut: true})
			f := newFixture(t)
			f.service.o.TelegramURL, f.service.o.PublicURL = c.URL, "https://news.example.com"
			f.service.o.Timeout, f.service.client = 300*time.Millisecond, newClient(300*time.Millisecond, true)
			f.service.budgets.buckets = nil
			k := channelKinds[kind]
			if k.per <= 0 || k.burst <= 0 {
				t.Fatalf("got no limit of %s", kind)
			}
			f.unlimited(c.channel())
			f.store(news.Rule{ID: "prices", Name: "价格 & <b>", Channels: []news.Channel{c.channel()}})
			f.run()
			f.publish("prices", "a1", func(a *news.Alert) {
				a.Article.Title = nasty
				a.Reason = &news.Reason{Kind: news.ReasonSpike, Count: 9, Expected: 1.5, Window: news.Duration(time.Hour)}
			})
			first := c.next()
			for range 3 {
				if next := c.next(); unsigned(next) != unsigned(first) {
					t.Errorf("got %s and then %s, want the same each time", first, next)
				}
			}
			for _, want := range []string{"台积电", "1h内 9 篇", "example.com/a1", "命中：HBM、涨价", "news.example.com"} {
				if !strings.Contains(first, want) {
					t.Errorf("got %s, want %q in it", first, want)
				}
			}
			l := f.reached("prices", "a1", c.channel(), is(Delivered))
			if l.Attempts != 4 || l.Channel != kind || l.Letter != nil {
				t.Errorf("got %+v, want the fourth attempt delivered", l)
			}
			data, _ := json.Marshal(l)
			for _, secret := range []string{"secret-key", chatSecret, chatToken, c.URL} {
				if strings.Contains(string(data), secret) {
					t.Errorf("got %s in the log: %s", secret, data)
				}
			}
		})
	}
}

// unlimited takes the limit from a channel, which else makes tests wait.
func (f *fixture) unlimited(c news.Channel) {
	kind := channelKinds[c.Kind]
	kind.per, kind.burst = time.Nanosecond, 1000
	f.service.budgets.wait(hash("receiver", identity(&c)), kind, time.Now().Add(-time.Hour))
}

// unsigned takes out what differs between attempts.
func unsigned(body string) string {
	var m map[string]any
	if json.Unmarshal([]byte(body), &m) != nil {
		return body
	}
	delete(m, "timestamp")
	delete(m, "sign")
	out, _ := json.Marshal(m)
	return string(out)
}

func TestFailuresThatChatsTellInTheirOwnWay(t *testing.T) {
	for _, tc := range []struct {
		name, kind string
		reply      reply
		status     Status
		attempts   int
		wait       time.Duration // at least, until the next try
		text       string
	}{
		{"feishu_sign", news.ChannelFeishu, reply{status: 200, body: `{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time"}`}, Dead, 3, 0, "code 19021"},
		{"feishu_often", news.ChannelFeishu, reply{status: 200, body: `{"code":11232,"msg":"frequency limited psm"}`}, Pending, 1, 59 * time.Second, "code 11232"},
		{"lark_old", news.ChannelLark, reply{status: 200, body: `{"StatusCode":19024,"StatusMessage":"Key Words Not Found"}`}, Dead, 3, 0, "Key Words"},
		{"feishu_html", news.ChannelFeishu, reply{status: 200, body: `<html>gateway</html>`}, Pending, 1, 0, "no JSON"},
		{"dingtalk_sign", news.ChannelDingTalk, reply{status: 200, body: `{"errcode":310000,"errmsg":"sign not match"}`}, Dead, 3, 0, "code 310000"},
		{"dingtalk_often", news.ChannelDingTalk, reply{status: 200, body: `{"errcode":130101,"errmsg":"send too fast, exceed 20 times per minute"}`}, Pending, 1, 599 * time.Second, "code 130101"},
		{"wecom_gone", news.ChannelWeCom, reply{status: 200, body: `{"errcode":93000,"errmsg":"invalid webhook url"}`}, Dead, 3, 0, "code 93000"},
		{"wecom_often", news.ChannelWeCom, reply{status: 200, body: `{"errcode":45009,"errmsg":"api freq out of limit"}`}, Pending, 1, 59 * time.Second, "code 45009"},
		{"telegram_chat", news.ChannelTelegram, reply{status: 400, body: `{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}`}, Dead, 3, 0, "chat not found"},
		{"telegram_often", news.ChannelTelegram, reply{status: 429, body: `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35","parameters":{"retry_after":35}}`}, Pending, 1, 34 * time.Second, "code 429"},
		{"discord_often", news.ChannelDiscord, reply{status: 429, body: `{"message":"You are being rate limited.","retry_after":64.57,"global":false}`}, Pending, 1, 64 * time.Second, "429"},
		{"discord_unknown", news.ChannelDiscord, reply{status: 404, body: `{"message":"Unknown Webhook","code":10015}`}, Dead, 3, 0, "404"},
		{"slack_often", news.ChannelSlack, reply{status: 429, header: "30"}, Pending, 1, 29 * time.Second, "429"},
		{"slack_archived", news.ChannelSlack, reply{status: 410, body: "channel_is_archived"}, Dead, 1, 0, "410"},
		{"teams_often", news.ChannelTeams, reply{status: 429, header: "11"}, Pending, 1, 10 * time.Second, "429"},
		{"teams_old", news.ChannelTeams, reply{status: 200, body: "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429"}, Pending, 1, 0, "HTTP error 429"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			script := make([]reply, 10)
			for i := range script {
				script[i] = tc.reply
			}
			c := newChat(t, tc.kind, script...)
			f := newFixture(t)
			f.service.o.TelegramURL = c.URL
			if tc.status == Pending {
				f.service.o.FirstDelay = 30 * time.Second // the first failure is what is looked at
			}
			f.unlimited(c.channel())
			f.store(news.Rule{ID: "r", Channels: []news.Channel{c.channel()}})
			f.run()
			f.publish("r", "a1", nil)
			l := f.reached("r", "a1", c.channel(), func(l *letter) bool { return l.Status == tc.status && l.Attempts >= tc.attempts })
			if l.Attempts != tc.attempts || !strings.Contains(l.Error, tc.text) {
				t.Errorf("got %+v, want %d attempts and %q", l.Record, tc.attempts, tc.text)
			}
			if wait := l.NextTry.Sub(l.LastTry); tc.wait > 0 && wait < tc.wait {
				t.Errorf("got the next try after %s, want at least %s", wait, tc.wait)
			}
		})
	}
}

func TestChannelWithoutItsSecretSaysWhatToSet(t *testing.T) {
	f := newFixture(t)
	c := news.Channel{Kind: news.ChannelSlack, URLEnv: "TEST_NO_SUCH_URL"}
	f.service.o.FirstDelay = time.Minute
	f.store(news.Rule{ID: "r", Channels: []news.Channel{c}})
	f.run()
	f.publish("r", "a1", nil)
	l := f.reached("r", "a1", c, func(l *letter) bool { return l.Attempts > 0 })
	if !strings.Contains(l.Error, "TEST_NO_SUCH_URL is empty; set it") {
		t.Errorf("got %q, want the variable and what to do", l.Error)
	}
}

func TestLongNoticesFitTheirChannels(t *testing.T) {
	n := &notice{id: "x", rule: &news.Rule{ID: "r", Name: strings.Repeat("很长的名字", 40), Query: "HBM"}}
	for i := range 400 {
		n.alerts = append(n.alerts, &news.Alert{
			Article: news.Article{ID: fmt.Sprint(i), Title: strings.Repeat("长标题<&>", 80), URL: "https://example.com/" + strings.Repeat("p/", 100), Source: "s"},
			Reason:  &news.Reason{Kind: news.ReasonFirst, Entities: []string{strings.Repeat("实体", 300)}},
		})
	}
	for _, language := range []string{hans, hant, english} {
		m := compose(n, language, time.UTC, "https://news.example.com")
		slack := fit(m, slackForm, func(b slackMessage) bool { return len(b.Blocks) <= slackBlocks })
		if len(slack.Blocks) > slackBlocks || len(slack.Blocks) < 40 {
			t.Errorf("got %d blocks for Slack, want up to %d", len(slack.Blocks), slackBlocks)
		}
		for _, b := range slack.Blocks {
			if b.Text != nil && len([]rune(b.Text.Text)) > slackSection {
				t.Errorf("got a section of %d characters", len([]rune(b.Text.Text)))
			}
		}
		if n := jsonBytes(fit(m, teamsForm, func(b teamsMessage) bool { return jsonBytes(b) <= teamsBytes })); n > teamsBytes || n < teamsBytes/2 {
			t.Errorf("got %d bytes for Teams", n)
		}
		if n := jsonBytes(fit(m, feishuForm, func(b feishuMessage) bool { return jsonBytes(b) <= feishuBytes })); n > feishuBytes || n < feishuBytes/2 {
			t.Errorf("got %d bytes for Feishu", n)
		}
		text := fit(m, func(m *message) string { return m.markdown("\n", true) }, func(s string) bool { return len(s) <= weComBytes })
		if len(text) > weComBytes || !strings.Contains(text, "](https://example.com/p/") {
			t.Errorf("got %d bytes for WeCom: %s", len(text), text)
		}
		if text := fit(m, telegramForm, func(s string) bool { return len([]rune(s)) <= telegramText }); len([]rune(text)) > telegramText {
			t.Errorf("got %d characters for Telegram", len([]rune(text)))
		}
	}
}

func TestBudgetsKeepToTheLimitOfTheChannel(t *testing.T) {
	var b budgets
	now := time.Now()
	k := channelKinds[news.ChannelDingTalk]
	told := 0
	for i := range 600 { // a minute, asked ten times a second
		if b.wait("r", k, now.Add(time.Duration(i)*100*time.Millisecond)) == 0 {
			told++
		}
	}
	if told != 20 {
		t.Errorf("got %d notices a minute, want 20", told)
	}
	if d := b.wait("r", k, now.Add(58*time.Second)); d <= 0 || d > 3*time.Second {
		t.Errorf("got a wait of %s, want up to 3 s", d)
	}
}

func TestRepeatsOfAStoryAreLoggedNotTold(t *testing.T) {
	c := newChat(t, news.ChannelSlack)
	f := newFixture(t)
	f.unlimited(c.channel())
	f.store(news.Rule{ID: "once", Channels: []news.Channel{c.channel()}})
	f.store(news.Rule{ID: "each", Channels: []news.Channel{c.channel()}, Repeats: true})
	f.run()
	same := sketch.Of("HBM 供应紧张", "三大存储厂商表示高带宽内存明年的产能已经售罄，价格仍将上调。")
	for _, rule := range []string{"once", "each"} {
		for _, id := range []string{"a1", "a2"} {
			f.publish(rule, id, func(a *news.Alert) { a.Fingerprint = same })
			c2 := c.channel()
			if rule == "once" && id == "a2" {
				l := f.letter(rule, ID(rule, id, ""), is(Repeat))
				if l.Repeats != "a1" {
					t.Errorf("got a repeat of %q, want a1", l.Repeats)
				}
				c.quiet()
				continue
			}
			f.reached(rule, id, c2, is(Delivered))
			c.next()
		}
	}
	// The same alert once more, as after a crash, is no repeat of itself.
	if article, err := f.service.repeats(t.Context(), &news.Alert{Rule: "once", Article: news.Article{ID: "a1"}, Fingerprint: same, Matched: time.Now()}); article != "" || err != nil {
		t.Errorf("got a repeat of %q, %v, want none", article, err)
	}
}

func TestMutedRulesAreLoggedOnly(t *testing.T) {
	c := newChat(t, news.ChannelSlack)
	f := newFixture(t)
	f.store(news.Rule{ID: "r", Channels: []news.Channel{c.channel()}, MutedUntil: time.Now().Add(time.Hour)})
	f.run()
	f.publish("r", "a1", nil)
	f.letter("r", ID("r", "a1", ""), is(Delivered))
	list, err := f.service.List(t.Context(), Filter{Rule: "r"})
	if err != nil || len(list) != 1 {
		t.Errorf("got %v, %v, want the log alone", list, err)
	}
	c.quiet()
}

// clockAt makes the service's clock go from a time of day on.
func (f *fixture) clockAt(hour, minute, second, ms int) {
	began := time.Now()
	start := time.Date(2025, 11, 17, hour, minute, second, ms*1e6, time.UTC)
	f.service.now = func() time.Time { return start.Add(time.Since(began)) }
}

func TestNoticesWaitAndComeTogether(t *testing.T) {
	for _, tc := range []struct {
		name string
		rule news.Rule
		at   [4]int // when the alerts come
		now  int    // how many are told at once
	}{
		{"quiet_hours", news.Rule{Quiet: &news.Quiet{From: "22:00", To: "07:00"}}, [4]int{6, 59, 58, 0}, 0},
		{"hourly", news.Rule{Digest: &news.Digest{Every: news.EveryHour}}, [4]int{6, 59, 58, 0}, 0},
		{"daily_in_a_zone", news.Rule{Digest: &news.Digest{Every: news.EveryDay, At: "08:30", Zone: "Asia/Taipei"}}, [4]int{0, 29, 58, 0}, 0},
		{"throttle", news.Rule{Throttle: &news.Throttle{Most: 1, Per: news.Duration(2 * time.Second)}}, [4]int{6, 0, 0, 0}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newChat(t, news.ChannelSlack, reply{status: 500}) // the first message fails once
			f := newFixture(t)
			f.unlimited(c.channel())
			f.clockAt(tc.at[0], tc.at[1], tc.at[2], tc.at[3])
			rule := tc.rule
			rule.ID, rule.Channels = "r", []news.Channel{c.channel()}
			f.store(rule)
			stop := f.run()
			for i := range tc.now {
				f.publish("r", fmt.Sprint("now", i), nil)
				f.reached("r", fmt.Sprint("now", i), c.channel(), is(Delivered))
				c.next()
				c.next()
			}
			for _, id := range []string{"a1", "a2", "a3"} {
				f.publish("r", id, nil)
				f.reached("r", id, c.channel(), is(Waiting))
			}
			c.quiet()
			stop() // what waits survives
			f.service.o.Metrics = nil
			again := New(f.service.o)
			again.now, again.client = f.service.now, newClient(5*time.Second, true)
			f.service = again
			f.unlimited(c.channel())
			f.run()
			body := c.next()
			if tc.now == 0 {
				body = c.next() // the first failed
			}
			for _, id := range []string{"a1", "a2", "a3"} {
				if !strings.Contains(body, "涨价 "+id) {
					t.Errorf("got %s, want %s in it", body, id)
				}
				f.reached("r", id, c.channel(), is(Delivered))
			}
			if !strings.Contains(body, "3 篇文章") {
				t.Errorf("got %s, want the number of articles", body)
			}
			c.quiet()
		})
	}
}

func TestLettersThatComeWhileADigestIsSent(t *testing.T) {
	c := newChat(t, news.ChannelSlack)
	f := newFixture(t)
	f.unlimited(c.channel())
	f.clockAt(6, 30, 0, 0)
	ch := c.channel()
	rule := news.Rule{ID: "r", Name: "r", Channels: []news.Channel{ch}, Digest: &news.Digest{Every: news.EveryHour}}
	f.store(rule)
	alert := func(id string) *news.Alert {
		return &news.Alert{Version: news.Version, ID: id, Rule: "r", RuleName: "r", Article: news.Article{ID: id, Title: id}, Matched: f.service.now()}
	}
	tell := func(a *news.Alert) (time.Duration, *letter) {
		t.Helper()
		wait, err := f.service.tellChannel(t.Context(), &rule, &ch, a)
		if err != nil && !errors.Is(err, errDigest) {
			t.Fatal(err)
		}
		l, err := f.service.journal.get(t.Context(), "r", ID("r", a.Article.ID, identity(&ch)))
		if err != nil {
			t.Fatal(err)
		}
		return wait, l
	}
	one := alert("a1")
	wait, l := tell(one)
	if wait != 0 || l.Status != Waiting {
		t.Fatalf("got a wait of %s, %s, want the letter in its digest", wait, l.Status)
	}
	entry, err := f.service.journal.kv.Get(t.Context(), digestKey("r", l.Digest))
	if err != nil {
		t.Fatal(err)
	}
	// Somebody has taken the digest: a message that comes again must wait, and
	// another letter goes into the next one.
	d := digest{ID: l.Digest, Rule: "r", Receiver: l.Receiver, State: digestSending, Due: l.NextTry, Next: l.NextTry}
	revision, err := f.service.updateDigest(t.Context(), &d, entry.Revision())
	if err != nil {
		t.Fatal(err)
	}
	if wait, again := tell(one); wait == 0 || again.Digest != l.Digest {
		t.Errorf("got a wait of %s in digest %s, want to wait for the same", wait, again.Digest)
	}
	if wait, other := tell(alert("a2")); wait != 0 || other.Digest == l.Digest || !other.NextTry.After(l.NextTry) {
		t.Errorf("got a wait of %s until %s, want the next digest", wait, other.NextTry)
	}
	// The digest is done, and one was not part of it: it goes into another.
	d.State = digestDone
	if _, err := f.service.updateDigest(t.Context(), &d, revision); err != nil {
		t.Fatal(err)
	}
	if wait, again := tell(one); wait != 0 || again.Status != Waiting || again.Digest == l.Digest {
		t.Errorf("got a wait of %s, %s in %s, want another digest", wait, again.Status, again.Digest)
	}
	// Was it part of it, nothing is told again.
	two := alert("a3")
	_, l = tell(two)
	l.Status = Delivered
	if err := f.service.journal.put(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	if wait, again := tell(two); wait != 0 || again.Status != Delivered {
		t.Errorf("got a wait of %s, %s, want it delivered", wait, again.Status)
	}
}

func TestChannelThatFailsHandsOver(t *testing.T) {
	for _, digest := range []bool{false, true} {
		t.Run(fmt.Sprint("digest_", digest), func(t *testing.T) {
			bad := newChat(t, news.ChannelFeishu, make([]reply, 50)...) // status 0 is written as 200 with no JSON
			for i := range bad.script {
				bad.script[i] = reply{status: 502}
			}
			badURL := bad.URL
			good := newChat(t, news.ChannelWeCom)
			t.Setenv("TEST_BAD_URL", badURL)
			f := newFixture(t)
			f.service.o.FirstDelay = 20 * time.Millisecond
			first := bad.channel()
			first.URLEnv, first.Name, first.Escalate, first.EscalateAfter = "TEST_BAD_URL", "desk", "night", news.Duration(100*time.Millisecond)
			second := good.channel()
			second.Name, second.Backup = "night", true
			f.unlimited(first)
			f.unlimited(second)
			rule := news.Rule{ID: "r", Channels: []news.Channel{first, second}}
			want := []string{"a1"}
			if digest {
				f.clockAt(6, 4, 59, 0)
				rule.Digest = &news.Digest{Every: news.EveryHour, At: "00:05"}
				want = []string{"a1", "a2"}
			}
			f.store(rule)
			f.run()
			for _, id := range want {
				f.publish("r", id, nil)
			}
			body := good.next()
			for _, s := range append(want, "desk") {
				if !strings.Contains(body, s) {
					t.Errorf("got %s, want %s in it", body, s)
				}
			}
			good.quiet() // told once, however often the first is tried
		})
	}
}

func TestScheduleInZones(t *testing.T) {
	utc := func(s string) time.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return v.UTC()
	}
	for _, tc := range []struct {
		name      string
		digest    news.Digest
		now, want string
	}{
		{"before", news.Digest{Every: "day", At: "08:30", Zone: "Asia/Taipei"}, "2025-11-17T00:10:00Z", "2025-11-17T00:30:00Z"},
		{"at", news.Digest{Every: "day", At: "08:30", Zone: "Asia/Taipei"}, "2025-11-17T00:30:00Z", "2025-11-18T00:30:00Z"},
		{"midnight", news.Digest{Every: "day"}, "2025-11-17T12:00:00Z", "2025-11-18T00:00:00Z"},
		{"summer_begins", news.Digest{Every: "day", At: "02:30", Zone: "Europe/Berlin"}, "2025-03-29T02:00:00Z", "2025-03-30T01:30:00Z"}, // 02:30 does not exist
		{"summer_ends", news.Digest{Every: "day", At: "08:00", Zone: "Europe/Berlin"}, "2025-10-25T10:00:00Z", "2025-10-26T07:00:00Z"},
		{"hour", news.Digest{Every: "hour"}, "2025-11-17T12:34:56Z", "2025-11-17T13:00:00Z"},
		{"hour_at", news.Digest{Every: "hour", At: "00:45"}, "2025-11-17T12:34:56Z", "2025-11-17T12:45:00Z"},
	} {
		if got := nextDigest(&tc.digest, utc(tc.now)); !got.Equal(utc(tc.want)) {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
	for _, tc := range []struct {
		name      string
		quiet     news.Quiet
		now, want string
	}{
		{"evening", news.Quiet{From: "22:00", To: "07:00", Zone: "Asia/Taipei"}, "2025-11-17T14:30:00Z", "2025-11-17T23:00:00Z"},
		{"night", news.Quiet{From: "22:00", To: "07:00", Zone: "Asia/Taipei"}, "2025-11-17T18:00:00Z", "2025-11-17T23:00:00Z"},
		{"morning", news.Quiet{From: "22:00", To: "07:00", Zone: "Asia/Taipei"}, "2025-11-17T23:00:00Z", ""},
		{"noon", news.Quiet{From: "12:00", To: "13:00"}, "2025-11-17T12:59:59Z", "2025-11-17T13:00:00Z"},
		{"after_noon", news.Quiet{From: "12:00", To: "13:00"}, "2025-11-17T13:00:00Z", ""},
	} {
		got, ok := quietEnd(&tc.quiet, utc(tc.now))
		if ok != (tc.want != "") || ok && !got.Equal(utc(tc.want)) {
			t.Errorf("%s: got %s, %t, want %s", tc.name, got, ok, tc.want)
		}
	}
	if got := aside(news.ChannelFeishu, utc("2025-11-17T13:00:00Z"), "r"); !got.After(utc("2025-11-17T13:00:59Z")) || got.After(utc("2025-11-17T13:03:00Z")) {
		t.Errorf("got %s, want a little after the full hour", got)
	}
}

// mailServer speaks enough SMTP to take messages; refuse gives its answers to
// RCPT, in turn.
type mailServer struct {
	net.Listener
	mu     sync.Mutex
	refuse []string
	got    chan *mail.Message
}

func newMailServer(t *testing.T, refuse ...string) *mailServer {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &mailServer{Listener: l, refuse: refuse, got: make(chan *mail.Message, 10)}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { s.serve(c) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); conns.Wait() })
	return s
}

func (s *mailServer) serve(c net.Conn) {
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second)) // else a broken client would keep the test
	r := bufio.NewReader(c)
	say := func(line string) { _, _ = io.WriteString(c, line+"\r\n") }
	say("220 test ESMTP")
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		switch verb := strings.ToUpper(strings.TrimSpace(line)); {
		case strings.HasPrefix(verb, "EHLO"):
			say("250-test")
			say("250 8BITMIME")
		case strings.HasPrefix(verb, "RCPT"):
			s.mu.Lock()
			a := "250 OK"
			if len(s.refuse) > 0 {
				a, s.refuse = s.refuse[0], s.refuse[1:]
			}
			s.mu.Unlock()
			say(a)
		case strings.HasPrefix(verb, "DATA"):
			say("354 go on")
			var b strings.Builder
			for {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				b.WriteString(strings.TrimPrefix(line, "."))
			}
			if m, err := mail.ReadMessage(strings.NewReader(b.String())); err == nil {
				s.got <- m
			}
			say("250 taken")
		case strings.HasPrefix(verb, "QUIT"):
			say("221 bye")
			return
		default:
			say("250 OK")
		}
	}
}

func (s *mailServer) config() SMTP {
	return SMTP{Host: "127.0.0.1", Port: s.Addr().(*net.TCPAddr).Port, From: "Xinwen <xinwen@example.com>", TLS: TLSNone}
}

func TestEmailHasTextAndHTML(t *testing.T) {
	s := newMailServer(t, "451 try later", "250 OK", "250 OK")
	f := newFixture(t)
	f.service.o.SMTP = s.config()
	c := news.Channel{Kind: news.ChannelEmail, To: []string{"desk@example.com"}, Language: "zh-Hant"}
	f.unlimited(c)
	f.store(news.Rule{ID: "r", Name: "價格", Channels: []news.Channel{c}, Owner: "晶圓組"})
	f.run()
	f.publish("r", "a1", func(a *news.Alert) { a.Article.Title = nasty })
	l := f.reached("r", "a1", c, is(Delivered))
	if l.Attempts != 2 {
		t.Errorf("got %+v, want the second attempt delivered", l.Record)
	}
	m := <-s.got
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || !strings.HasPrefix(subject, "【價格】 台积电](") {
		t.Errorf("got subject %q, %v", subject, err)
	}
	for header, want := range map[string]string{
		"List-Unsubscribe": "<mailto:xinwen@example.com?subject=unsubscribe%20r>", "Message-Id": "<" + l.ID + "@example.com>",
		"To": "<desk@example.com>", "From": `"Xinwen" <xinwen@example.com>`, "Auto-Submitted": "auto-generated",
	} {
		if got := m.Header.Get(header); got != want {
			t.Errorf("%s: got %q, want %q", header, got, want)
		}
	}
	parts := bodies(t, m)
	for kind, wants := range map[string][]string{
		"text/plain": {nasty, "https://example.com/a1?a=1&b=(2)", "符合：HBM、涨价", "晶圓組"},
		"text/html":  {"&lt;b&gt;x&lt;/b&gt;", `href="https://example.com/a1?a=1&amp;b=%282%29"`, `lang="zh-Hant"`},
	} {
		for _, want := range wants {
			if !strings.Contains(parts[kind], want) {
				t.Errorf("got %s %s, want %q in it", kind, parts[kind], want)
			}
		}
	}
}

func bodies(t *testing.T, m *mail.Message) map[string]string {
	t.Helper()
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]string)
	r := multipart.NewReader(m.Body, params["boundary"])
	for {
		p, err := r.NextRawPart()
		if err != nil {
			return out
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		var body io.Reader = p
		if p.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(p)
		}
		data, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		out[kind] = string(data)
	}
}

func TestOneRefusedAddressDoesNotHoldUpTheOthers(t *testing.T) {
	s := newMailServer(t)
	f := newFixture(t)
	f.service.o.SMTP = s.config()
	c := news.Channel{Kind: news.ChannelEmail, To: []string{"good@example.com"}}
	bad := news.Channel{Kind: news.ChannelEmail, To: []string{"nobody@example.com"}}
	f.unlimited(c)
	f.unlimited(bad)
	f.store(news.Rule{ID: "r", Channels: []news.Channel{c}})
	f.run()
	f.publish("r", "a1", nil)
	f.reached("r", "a1", c, is(Delivered))
	both := c
	both.To = []string{"nobody@example.com", "good@example.com"}
	s.mu.Lock()
	s.refuse = []string{"550 no such user", "550 no such user", "550 no such user", "550 no such user", "550 no such user", "550 no such user"}
	s.mu.Unlock()
	f.store(news.Rule{ID: "r", Channels: []news.Channel{{Kind: news.ChannelEmail, To: []string{"nobody@example.com"}}}})
	f.publish("r", "a2", nil)
	if l := f.reached("r", "a2", bad, is(Dead)); !strings.Contains(l.Error, "550") {
		t.Errorf("got %q, want the server's words", l.Error)
	}
	s.mu.Lock()
	s.refuse = nil
	s.mu.Unlock()
	f.store(news.Rule{ID: "r", Channels: []news.Channel{both}})
	f.publish("r", "a3", nil)
	f.reached("r", "a3", c, is(Delivered))
	f.reached("r", "a3", bad, is(Delivered))
}
