package deliver

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"xinwen/news"
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
