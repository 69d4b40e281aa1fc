package deliver

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
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
