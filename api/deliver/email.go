package deliver

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/mail"
	"net/url"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"xinwen/news"
)

// How a mail server is spoken to.
const (
	TLSStart = "starttls" // begins plain and must change to TLS (port 587)
	TLSFull  = "tls"      // from the beginning (port 465)
	TLSNone  = "none"     // never; only for a server on the same machine
)

// SMTP is the mail server that e-mail is sent by; without Host no e-mail is
// sent.
type SMTP struct {
	Host string `yaml:"host"`
	// Port is 587, or 465 with TLS "tls", if zero.
	Port int `yaml:"port"`
	// From is the sender, such as "Xinwen <xinwen@example.com>".
	From string `yaml:"from"`
	// User logs in with the password of PasswordEnv or PasswordFile; empty does
	// not log in.
	User         string `yaml:"user"`
	PasswordEnv  string `yaml:"password_env"`
	PasswordFile string `yaml:"password_file"`
	// TLS is "starttls" (the default), "tls" or "none".
	TLS string `yaml:"tls"`
	// Unsubscribe is where a reader asks not to be told any more, a mailto: or
	// https: address; a message to From if empty.
	Unsubscribe string `yaml:"unsubscribe"`
}

// Validate returns all faults of c at once.
func (c *SMTP) Validate() error {
	if c.Host == "" {
		if *c != (SMTP{}) {
			return errors.New("smtp: host is missing; name the mail server")
		}
		return nil
	}
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if _, err := mail.ParseAddress(c.From); err != nil {
		add("smtp: from %q is not an e-mail address; write for example Xinwen <xinwen@example.com>", c.From)
	}
	if c.Port < 0 || c.Port > 65535 {
		add("smtp: port %d is none", c.Port)
	}
	if c.TLS != "" && c.TLS != TLSStart && c.TLS != TLSFull && c.TLS != TLSNone {
		add("smtp: tls %q is not known; write starttls, tls or none", c.TLS)
	}
	if c.User != "" && (c.PasswordEnv == "") == (c.PasswordFile == "") {
		add("smtp: user needs either password_env or password_file")
	}
	if u := c.Unsubscribe; u != "" && !strings.HasPrefix(u, "mailto:") && !strings.HasPrefix(u, "https://") || strings.ContainsAny(u, "<> \r\n") {
		add("smtp: unsubscribe %q is not a mailto: or https: address", u)
	}
	return errors.Join(errs...)
}

// sendEmail sends a notice to one address as text and HTML.
func sendEmail(ctx context.Context, s *Service, c *news.Channel, n *notice, m *message) outcome {
	conf := &s.o.SMTP
	if conf.Host == "" {
		return outcome{err: errors.New("no mail server is set; set smtp in the api's configuration")}
	}
	msg, err := emailForm(conf, c, n, m)
	if err != nil {
		return outcome{err: err, status: refused}
	}
	client, err := mailClient(s, conf)
	if err != nil {
		return outcome{err: err}
	}
	err = client.DialAndSendWithContext(ctx, msg)
	if err == nil {
		return outcome{}
	}
	out := outcome{err: fmt.Errorf("mail server: %s", clip(line(err.Error()), 300))}
	var send *gomail.SendError
	if errors.As(err, &send) && !send.IsTemp() && send.ErrorCode() >= 500 {
		out.status = refused
	}
	return out
}

func mailClient(s *Service, conf *SMTP) (*gomail.Client, error) {
	port, policy := 587, gomail.TLSMandatory
	opts := []gomail.Option{gomail.WithTimeout(s.o.Timeout)}
	switch conf.TLS {
	case TLSFull:
		port = 465
		opts = append(opts, gomail.WithSSL())
	case TLSNone:
		policy = gomail.NoTLS
	}
	if conf.Port > 0 {
		port = conf.Port
	}
	opts = append(opts, gomail.WithTLSPolicy(policy), gomail.WithPort(port))
	if conf.User != "" {
		password, err := reference("password of the mail server", conf.PasswordEnv, conf.PasswordFile)
		if err != nil {
			return nil, err
		}
		auth := gomail.SMTPAuthAutoDiscover
		if conf.TLS == TLSNone {
			auth = gomail.SMTPAuthPlainNoEnc
		}
		opts = append(opts, gomail.WithSMTPAuth(auth), gomail.WithUsername(conf.User), gomail.WithPassword(password))
	}
	client, err := gomail.NewClient(conf.Host, opts...)
	if err != nil {
		return nil, fmt.Errorf("mail server %s: %w", conf.Host, err)
	}
	return client, nil
}

func emailForm(conf *SMTP, c *news.Channel, n *notice, m *message) (*gomail.Msg, error) {
	msg := gomail.NewMsg()
	if err := msg.From(conf.From); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	if err := msg.To(c.To...); err != nil {
		return nil, fmt.Errorf("address: %w", err)
	}
	subject := m.heading
	if len(m.items) > 0 {
		subject += " " + m.items[0].title
	}
	msg.Subject(clip(subject, 150))
	from, err := mail.ParseAddress(conf.From)
	if err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	// The same on every attempt: mail programs show a message once.
	msg.SetMessageIDWithValue(n.id + "@" + domain)
	msg.SetDateWithValue(n.alerts[len(n.alerts)-1].Matched)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("List-ID", "<"+n.rule.ID+".xinwen."+domain+">")
	stop := conf.Unsubscribe
	if stop == "" {
		stop = "mailto:" + from.Address + "?subject=" + url.PathEscape("unsubscribe "+n.rule.ID)
	}
	msg.SetGenHeaderPreformatted("List-Unsubscribe", "<"+stop+">")
	text, html, err := emailBodies(m, n.rule, stop)
	if err != nil {
		return nil, err
	}
	msg.SetBodyString(gomail.TypeTextPlain, text)
	msg.AddAlternativeString(gomail.TypeTextHTML, html)
	return msg, nil
}

// emailView is what the template of the HTML part is filled with.
type emailView struct {
	Language, Heading string
	Notes             []string
	Items             []emailItem
	Link, LinkText    string
	Stop, StopText    string
}

type emailItem struct{ Title, URL, About string }

var emailTemplate = template.Must(template.New("email").Parse(`<!DOCTYPE html>
<html lang="{{.Language}}"><head><meta charset="utf-8"><title>{{.Heading}}</title></head>
<body style="font-family:system-ui,-apple-system,'Segoe UI','PingFang SC','PingFang TC','Microsoft YaHei',sans-serif;color:#1a1a1a;max-width:40em">
<h1 style="font-size:1.2em">{{.Heading}}</h1>
{{range .Notes}}<p>{{.}}</p>
{{end}}{{range .Items}}<p style="margin:1em 0 0">{{if .URL}}<a href="{{.URL}}">{{.Title}}</a>{{else}}{{.Title}}{{end}}<br><span style="color:#666;font-size:.9em">{{.About}}</span></p>
{{end}}{{if .Link}}<p style="margin-top:1.5em"><a href="{{.Link}}">{{.LinkText}}</a></p>
{{end}}<p style="margin-top:2em;color:#666;font-size:.8em">{{.StopText}}</p>
</body></html>
`))

// emailBodies gives a message the forms of both parts.
func emailBodies(m *message, rule *news.Rule, stop string) (text, html string, err error) {
	p := phrasesOf(m.language)
	owner := rule.Owner
	if owner == "" {
		owner = strings.TrimPrefix(stop, "mailto:")
		owner, _, _ = strings.Cut(owner, "?")
	}
	v := emailView{m.language, m.heading, m.notes, nil, m.link, m.linkText, stop, p.stop + owner}
	if v.Language == "" {
		v.Language = english
	}
	var b strings.Builder
	b.WriteString(m.heading + "\n")
	for _, n := range m.notes {
		b.WriteString(n + "\n")
	}
	for _, i := range m.items {
		v.Items = append(v.Items, emailItem{i.title, i.url, i.about})
		b.WriteString("\n" + i.title + "\n" + i.about + "\n")
		if i.url != "" {
			b.WriteString(i.url + "\n")
		}
	}
	if m.link != "" {
		b.WriteString("\n" + m.linkText + ": " + m.link + "\n")
	}
	b.WriteString("\n-- \n" + v.StopText + "\n")
	var h strings.Builder
	if err := emailTemplate.Execute(&h, v); err != nil {
		return "", "", err
	}
	return b.String(), h.String(), nil
}
