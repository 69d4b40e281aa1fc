// Package websub subscribes to feeds at their hubs (W3C WebSub), so that news
// comes when it is published instead of at the next poll.
//
// A subscriber answers at one address, with an own path for each feed that nobody
// can guess. The hub's challenge is answered only for what was asked; what a hub
// sends counts only with the right signature, and even then it is taken as a hint
// to poll the feed: a hub is trusted with time, not with content. Leases are
// renewed well before they end; while a subscription stands, the feed is still
// polled, only less.
package websub

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// lease is how long a subscription is asked for; renewed after two thirds.
	lease    = 7 * 24 * time.Hour
	minLease = 5 * time.Minute
	// pendingFor is how long a hub may take to verify a subscription.
	pendingFor = time.Hour
	// retryAfter is how soon a hub is asked again that refused or did not answer.
	retryAfter = 6 * time.Hour
	// maxBody bounds what a hub may send.
	maxBody = 10 << 20
)

// Config is what the operator writes.
type Config struct {
	// Listen is the address to listen on, "" for no subscriptions.
	Listen string `json:"listen,omitempty" yaml:"listen,omitempty"`
	// PublicURL is the address that hubs reach it by, such as
	// https://news.example/websub.
	PublicURL string `json:"public_url,omitempty" yaml:"public_url,omitempty"`
}

// Validate returns what is wrong with c.
func (c Config) Validate() error {
	if c.Listen == "" && c.PublicURL == "" {
		return nil
	}
	if c.Listen == "" || c.PublicURL == "" {
		return errors.New("websub: listen and public_url go together: set both, or neither")
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		return fmt.Errorf("websub: listen %q is not host:port: %w", c.Listen, err)
	}
	u, err := url.Parse(c.PublicURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" {
		return fmt.Errorf("websub: public_url %q is not an http or https address without a query", c.PublicURL)
	}
	return nil
}

// Post sends a form to a hub, as politely as everything is sent, and returns the
// status of its answer.
type Post func(ctx context.Context, hub string, form url.Values) (int, error)

// Subscriber holds subscriptions. Make one with Listen.
type Subscriber struct {
	public   string
	post     Post
	log      *slog.Logger
	listener net.Listener
	server   *http.Server

	mu   sync.Mutex
	subs map[string]*subscription // by path
	keys map[string]*subscription // by key
}

// subscription is one feed at one hub.
type subscription struct {
	key, path, secret string
	hub, topic        string
	notify            func()
	asked             time.Time // when we last asked the hub
	until             time.Time // when the lease ends; zero before it is verified
	denied            bool
}

// Listen starts to answer hubs at c.Listen. Its errors say what to do.
func Listen(c Config, post Post, log *slog.Logger) (*Subscriber, error) {
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("websub: %w; choose a free port", err)
	}
	s := &Subscriber{
		public: strings.TrimSuffix(c.PublicURL, "/"), post: post, log: log, listener: l,
		subs: make(map[string]*subscription), keys: make(map[string]*subscription),
	}
	s.server = &http.Server{
		Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10,
	}
	return s, nil
}

// Addr returns the address that is listened on.
func (s *Subscriber) Addr() string { return s.listener.Addr().String() }

// Run answers hubs until ctx is done.
func (s *Subscriber) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = s.server.Close() }) // its error is Serve's
	defer stop()
	if err := s.server.Serve(s.listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("websub: %w", err)
	}
	return nil
}

// Subscribe sees to it that a subscription to topic at hub stands: it asks the hub
// if there is none, if its lease is two thirds over, or if the hub has been silent
// for long. notify is called when there is news. key tells the feed from others.
func (s *Subscriber) Subscribe(ctx context.Context, key, hub, topic string, notify func()) error {
	now := time.Now()
	s.mu.Lock()
	sub := s.keys[key]
	if sub != nil && (sub.hub != hub || sub.topic != topic) {
		delete(s.subs, sub.path)
		sub = nil
	}
	if sub == nil {
		sub = &subscription{key: key, path: token(), secret: token(), hub: hub, topic: topic}
		s.subs[sub.path], s.keys[key] = sub, sub
	}
	sub.notify = notify
	if !sub.due(now) {
		s.mu.Unlock()
		return nil
	}
	sub.asked, sub.denied = now, false
	form := url.Values{
		"hub.mode": {"subscribe"}, "hub.topic": {topic}, "hub.callback": {s.public + "/" + sub.path},
		"hub.secret": {sub.secret}, "hub.lease_seconds": {strconv.Itoa(int(lease / time.Second))},
	}
	s.mu.Unlock()
	status, err := s.post(ctx, hub, form)
	if err == nil && (status < 200 || status > 299) {
		err = fmt.Errorf("the hub answers %d", status)
	}
	if err != nil {
		s.mu.Lock()
		sub.denied = true
		s.mu.Unlock()
		return fmt.Errorf("subscribe to %s at %s: %w", topic, hub, err)
	}
	return nil
}

// due reports whether the hub must be asked.
func (s *subscription) due(now time.Time) bool {
	switch {
	case s.asked.IsZero():
		return true
	case s.denied:
		return now.Sub(s.asked) >= retryAfter
	case s.until.Before(s.asked): // not verified since we asked
		return now.Sub(s.asked) >= pendingFor
	}
	return now.After(s.asked.Add(s.until.Sub(s.asked) * 2 / 3))
}

// Standing reports whether the subscription of a key is verified and its lease not
// over.
func (s *Subscriber) Standing(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub := s.keys[key]
	return sub != nil && time.Now().Before(sub.until)
}

func token() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b) // it never fails
	return hex.EncodeToString(b)
}

// serve answers a hub: its question whether we meant it, or its news.
func (s *Subscriber) serve(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	s.mu.Lock()
	sub := s.subs[path]
	s.mu.Unlock()
	if sub == nil {
		http.Error(w, "no such subscription", http.StatusNotFound)
		return
	}
	switch r.Method {
	case http.MethodGet:
		s.verify(w, r, sub)
	case http.MethodPost:
		s.receive(w, r, sub)
	default:
		http.Error(w, "only GET and POST", http.StatusMethodNotAllowed)
	}
}

// verify answers the hub's question.
func (s *Subscriber) verify(w http.ResponseWriter, r *http.Request, sub *subscription) {
	q := r.URL.Query()
	s.mu.Lock()
	defer s.mu.Unlock()
	if q.Get("hub.topic") != sub.topic {
		http.Error(w, "another topic was asked for", http.StatusNotFound)
		return
	}
	switch q.Get("hub.mode") {
	case "subscribe":
		now := time.Now()
		given := lease
		if n, err := strconv.ParseInt(q.Get("hub.lease_seconds"), 10, 64); err == nil && n > 0 && n < int64(lease/time.Second)*10 {
			given = max(time.Duration(n)*time.Second, minLease)
		}
		if sub.asked.IsZero() || q.Get("hub.challenge") == "" || len(q.Get("hub.challenge")) > 4<<10 {
			http.Error(w, "nothing was asked for", http.StatusNotFound)
			return
		}
		sub.until, sub.denied = now.Add(given), false
		s.log.Info("subscribed to a feed", "url", sub.topic, "hub", sub.hub, "lease", given)
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, q.Get("hub.challenge")) // a hub that left asks again
	case "denied":
		sub.until, sub.denied = time.Time{}, true
		s.log.Info("hub denies a subscription", "url", sub.topic, "hub", sub.hub, "reason", fmt.Sprintf("%.200q", q.Get("hub.reason")))
	default: // we never unsubscribe: leases end
		http.Error(w, "not asked for", http.StatusNotFound)
	}
}

// receive takes news. A wrong signature is answered like a right one, as the
// standard asks, but nothing follows from it.
func (s *Subscriber) receive(w http.ResponseWriter, r *http.Request, sub *subscription) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	s.mu.Lock()
	secret, notify, standing := sub.secret, sub.notify, time.Now().Before(sub.until)
	s.mu.Unlock()
	if standing && signed(r.Header.Get("X-Hub-Signature"), secret, body) {
		notify()
	} else {
		s.log.Warn("message of a hub without a right signature is ignored", "url", sub.topic, "hub", sub.hub)
	}
	w.WriteHeader(http.StatusAccepted)
}

// signed reports whether header is the signature of body.
func signed(header, secret string, body []byte) bool {
	method, value, ok := strings.Cut(strings.TrimSpace(header), "=")
	if !ok {
		return false
	}
	var h func() hash.Hash
	switch strings.ToLower(method) {
	case "sha1":
		h = sha1.New
	case "sha256":
		h = sha256.New
	case "sha384":
		h = sha512.New384
	case "sha512":
		h = sha512.New
	default:
		return false
	}
	want, err := hex.DecodeString(value)
	if err != nil {
		return false
	}
	mac := hmac.New(h, []byte(secret))
	mac.Write(body)
	return hmac.Equal(want, mac.Sum(nil))
}
