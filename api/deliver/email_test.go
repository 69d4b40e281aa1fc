package deliver

import (
	"bufio"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"xinwen/news"
)

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

// Names and titles cannot add headers to a mail, nor anything to its HTML that runs.
func TestEmailTakesNothingFromNamesAndTitles(t *testing.T) {
	const script = `</title><script>alert(1)</script><img src=x onerror=alert(1)><a href="javascript:alert(1)">x</a>`
	s := newMailServer(t)
	f := newFixture(t)
	f.service.o.SMTP = s.config()
	c := news.Channel{Kind: news.ChannelEmail, To: []string{"desk@example.com"}}
	f.unlimited(c)
	f.store(news.Rule{ID: "r", Name: "x\r\nBcc: elsewhere@example.net\r\n\r\n" + script, Channels: []news.Channel{c}, Owner: script})
	f.run()
	f.publish("r", "a1", func(a *news.Alert) {
		a.Article.Title, a.Article.Publisher, a.Article.URL = "y\nReply-To: elsewhere@example.net\n"+script, script, "javascript:alert(1)"
	})
	f.reached("r", "a1", c, is(Delivered))
	m := <-s.got
	for _, header := range []string{"Bcc", "Reply-To", "Cc"} {
		if got := m.Header.Get(header); got != "" {
			t.Errorf("got header %s: %s, want none", header, got)
		}
	}
	if to := m.Header.Get("To"); to != "<desk@example.com>" {
		t.Errorf("got it sent to %s", to)
	}
	html := bodies(t, m)["text/html"]
	for _, bad := range []string{"<script", "<img", "href=\"javascript:", "<a href=\"x"} {
		if strings.Contains(strings.ToLower(html), bad) {
			t.Errorf("got %q in the mail: %s", bad, html)
		}
	}
	if !strings.Contains(html, "&lt;script&gt;") {
		t.Errorf("got %s, want the names as text", html)
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
