// Package api is the door to Xinwen: the HTTP interface with its OpenAPI
// description, live streams and feeds, the pages for people, and the delivery of
// alerts.
//
// It asks the index through search.Searcher, which may be in this process or
// behind NATS, and everything else through the bus. Nothing is kept here: rules
// and the log of deliveries lie in KV, so an api can be stopped, moved or doubled
// at any time.
//
//	rules (files, HTTP) ──► KV rules ──► percolator ──► ALERTS ──► deliver ──► log, webhooks, channels
//	ARTICLES ──► stream (SSE)          Searcher ──► /v1/search, feeds, export, ui
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"xinwen/api/auth"
	"xinwen/api/deliver"
	"xinwen/api/rules"
	"xinwen/api/stream"
	"xinwen/api/suggest"
	"xinwen/api/ui"
	"xinwen/api/work"
	"xinwen/indexer/query"
	"xinwen/indexer/search"
	"xinwen/news/bus"
	"xinwen/news/lexicon"
)

// DefaultListen is the address an api listens on if none is given: only this
// machine can reach it.
const DefaultListen = "127.0.0.1:8080"

// Config is what the operator writes.
type Config struct {
	// Listen is the address to listen on, DefaultListen if empty. Others than this
	// machine reach it only if Auth asks for keys, or says that it is open.
	Listen string `yaml:"listen"`
	// TLS makes the api speak https.
	TLS TLS `yaml:"tls"`
	// Auth says who may do what.
	Auth auth.Config `yaml:"auth"`
	// PublicURL is where others reach the api, such as https://news.example.com.
	// Links in feeds begin with it; if empty, with the Host of the request.
	PublicURL string `yaml:"public_url"`
	// AlertsDir holds the YAML files of alert rules; empty means none.
	AlertsDir string `yaml:"alerts_dir"`
	// SecretsDir holds the files that rules made over HTTP may name; empty means
	// none. Rule files may name any.
	SecretsDir string `yaml:"secrets_dir"`
	// AllowPrivateWebhooks lets webhooks reach loopback and private addresses.
	AllowPrivateWebhooks bool `yaml:"allow_private_webhooks"`
	// TimeZone is the IANA zone of times on pages, UTC if empty.
	TimeZone string `yaml:"time_zone"`
	// MaxStreams bounds the clients of /v1/stream at one time (default 100).
	MaxStreams int `yaml:"max_streams"`
	// MaxLineBytes bounds one line of an import (default 4 MiB).
	MaxLineBytes int `yaml:"max_line_bytes"`
	// WebhookTimeout bounds one attempt at a webhook (default 10 s).
	WebhookTimeout time.Duration `yaml:"webhook_timeout"`
	// WebhookFirstDelay is how long after a first failure a webhook is tried
	// again (default 2 s).
	WebhookFirstDelay time.Duration `yaml:"webhook_first_delay"`
	// SMTP is the mail server of alerts by e-mail.
	SMTP deliver.SMTP `yaml:"smtp"`
	// TelegramURL is where Telegram's bots are reached, for those who run a
	// server of their own (default https://api.telegram.org).
	TelegramURL string `yaml:"telegram_url"`
}

// Validate returns all faults of c at once.
func (c *Config) Validate() error {
	var errs []error
	if c.Listen != "" {
		if _, _, err := net.SplitHostPort(c.Listen); err != nil {
			errs = append(errs, fmt.Errorf("listen %q is not host:port; write for example %s", c.Listen, DefaultListen))
		}
	}
	if c.PublicURL != "" {
		if u, err := url.Parse(c.PublicURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" {
			errs = append(errs, fmt.Errorf("public_url %q is not an http or https address", c.PublicURL))
		}
	}
	if _, err := time.LoadLocation(c.TimeZone); err != nil {
		errs = append(errs, fmt.Errorf("time_zone %q is not an IANA zone; write for example Asia/Taipei", c.TimeZone))
	}
	for name, negative := range map[string]bool{
		"max_streams": c.MaxStreams < 0, "max_line_bytes": c.MaxLineBytes < 0,
		"webhook_timeout": c.WebhookTimeout < 0, "webhook_first_delay": c.WebhookFirstDelay < 0,
	} {
		if negative {
			errs = append(errs, fmt.Errorf("%s is negative; leave it out for the default", name))
		}
	}
	if u, err := url.Parse(c.TelegramURL); c.TelegramURL != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		errs = append(errs, fmt.Errorf("telegram_url %q is not an http or https address", c.TelegramURL))
	}
	for _, err := range []error{c.Auth.Validate(), c.TLS.validate()} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if err := c.SMTP.Validate(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// Options are what a Server is made from.
type Options struct {
	Bus       *bus.Bus
	Searcher  search.Searcher
	Evaluator *query.Evaluator
	Lexicon   *lexicon.Store
	Config    Config
	Logger    *slog.Logger
	// Metrics is served at /metrics; nil makes one of its own.
	Metrics *prometheus.Registry
	// Rebuilder rebuilds the index; nil takes the Searcher if it can.
	Rebuilder search.Rebuilder
	// Version is shown in the OpenAPI description.
	Version string
}

// Server is a running api.
type Server struct {
	o       Options
	log     *slog.Logger
	guard   *auth.Guard
	rules   *rules.Store
	deliver *deliver.Service
	stream  *stream.Server
	ui      *ui.UI
	zone    *time.Location
	metrics *metrics
	suggest suggest.Finder
	ready   readiness
	names   sourceNames
	board   work.Board

	registered *registered
	patterns   []string // of the routes

	http     *http.Server
	listener net.Listener
	cancel   context.CancelFunc
	work     sync.WaitGroup
	failed   chan error
}

// New checks o and returns a server; Start makes it answer.
func New(o Options) (*Server, error) {
	if err := o.Config.Validate(); err != nil {
		return nil, fmt.Errorf("api: %w", err)
	}
	if o.Bus == nil || o.Searcher == nil || o.Evaluator == nil || o.Lexicon == nil {
		return nil, errors.New("api: bus, searcher, evaluator and lexicon are required")
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = prometheus.NewRegistry()
	}
	if o.Config.Listen == "" {
		o.Config.Listen = DefaultListen
	}
	if o.Config.MaxLineBytes == 0 {
		o.Config.MaxLineBytes = 4 << 20
	}
	if o.Rebuilder == nil {
		o.Rebuilder, _ = o.Searcher.(search.Rebuilder)
	}
	if o.Version == "" {
		o.Version = "dev"
	}
	s := &Server{o: o, log: o.Logger, failed: make(chan error, 1)}
	s.zone, _ = time.LoadLocation(o.Config.TimeZone) // validated
	s.registered = &registered{Registerer: o.Metrics}
	s.metrics = newMetrics(s.registered, o.Bus, o.Searcher, o.Logger)
	s.rules = rules.NewStore(rules.Options{
		Bus: o.Bus, Dir: o.Config.AlertsDir, Logger: o.Logger,
		Parse:   func(q string) (query.Node, error) { return o.Evaluator.Parse(q, nil) },
		Changed: o.Evaluator.Changed,
	})
	s.deliver = deliver.New(deliver.Options{
		Bus: o.Bus, Rules: s.rules, Logger: o.Logger, Metrics: s.registered,
		AllowPrivate: o.Config.AllowPrivateWebhooks,
		Timeout:      o.Config.WebhookTimeout, FirstDelay: o.Config.WebhookFirstDelay,
		SMTP: o.Config.SMTP, TelegramURL: strings.TrimSuffix(o.Config.TelegramURL, "/"), PublicURL: o.Config.PublicURL, Zone: s.zone,
	})
	s.stream = stream.New(stream.Options{
		Bus: o.Bus, Evaluator: o.Evaluator, Logger: o.Logger, Metrics: s.registered, MaxClients: o.Config.MaxStreams,
	})
	guard, err := auth.NewGuard(auth.Options{
		Config: o.Config.Auth, Bus: o.Bus, Logger: o.Logger, Metrics: s.registered, PublicURL: o.Config.PublicURL, Pages: pages{s},
	})
	if err != nil {
		s.registered.unregister()
		return nil, fmt.Errorf("api: %w", err)
	}
	s.guard = guard
	s.ui, err = ui.New(ui.Options{
		Searcher: o.Searcher, Lexicon: o.Lexicon, Zone: s.zone, Logger: o.Logger, Mail: o.Config.SMTP.Host != "",
		Suggest: func(beginning string, size int) []suggest.Suggestion {
			return s.suggest.Find(o.Lexicon.Current(), beginning, size)
		},
		Revisions: o.Bus.Revisions, SourceNames: s.sourceNames, Desk: desk{s}, Guard: guard, Board: &s.board,
	})
	if err := errors.Join(err, s.registered.err); err != nil {
		s.registered.unregister()
		return nil, fmt.Errorf("api: %w", err)
	}
	return s, nil
}

// Start listens, brings the rule files into KV and begins to deliver. When it
// returns, requests are answered and rules are in force.
func (s *Server) Start(ctx context.Context) error {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.o.Config.Listen)
	if err != nil {
		return listenError(s.o.Config.Listen, err)
	}
	handler, err := s.prepare(ctx, l.Addr())
	if err != nil {
		_ = l.Close() // the first error counts
		return fmt.Errorf("api: %w", err)
	}
	s.listener = l
	s.http = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		TLSConfig:         s.o.Config.TLS.config(),
	}
	s.http.RegisterOnShutdown(s.stream.Close)
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	s.work.Go(func() {
		serve := s.http.Serve
		if s.o.Config.TLS.Cert != "" {
			serve = func(l net.Listener) error { return s.http.ServeTLS(l, "", "") }
		}
		if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
			s.fail(fmt.Errorf("serve http: %w", err))
		}
	})
	s.work.Go(func() {
		if err := s.deliver.Run(run); err != nil && run.Err() == nil {
			s.fail(fmt.Errorf("deliver alerts: %w", err))
		}
	})
	s.work.Go(func() {
		if err := s.rules.Watch(run); err != nil && run.Err() == nil {
			s.log.Error("alert rules are no longer watched", "err", err, "hint", "restart after each change of a rule")
		}
	})
	s.work.Go(func() { s.guard.Run(run) })
	s.log.Info("api started", "listen", s.Addr(), "alerts_dir", s.o.Config.AlertsDir, "keys", !s.guard.Opened())
	switch {
	case !s.guard.Opened():
	case s.o.Config.Auth.Open:
		s.log.Warn("the api lets everybody in who reaches it", "listen", s.Addr(), "hint", "make keys, or put a proxy with a login before it")
	default:
		s.log.Info("the api answers this machine only, and asks it for no key", "listen", s.Addr())
	}
	return nil
}

// prepare makes ready what must be in force before the first request.
func (s *Server) prepare(ctx context.Context, addr net.Addr) (http.Handler, error) {
	if err := s.guard.Load(ctx); err != nil {
		return nil, err
	}
	if err := s.guard.Listening(addr); err != nil {
		return nil, err
	}
	if err := s.rules.Sync(ctx); err != nil {
		return nil, err
	}
	return s.handler()
}

func (s *Server) fail(err error) {
	select {
	case s.failed <- err:
	default: // one reason is enough to stop
	}
}

// Stop takes no new requests, lets those under way end until ctx is done, and
// returns when nothing of s runs any more.
func (s *Server) Stop(ctx context.Context) error {
	defer s.registered.unregister()
	if s.http == nil {
		return nil
	}
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	s.cancel()
	s.work.Wait()
	return err
}

// Failed tells why a started server cannot go on, if that happens; its owner
// should then call Stop.
func (s *Server) Failed() <-chan error { return s.failed }

// Addr returns the address the server listens on.
func (s *Server) Addr() string {
	if s.listener == nil {
		return s.o.Config.Listen
	}
	return s.listener.Addr().String()
}

// Run starts an api, and stops it when ctx is done.
func Run(ctx context.Context, o Options) error {
	s, err := New(o)
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-s.Failed():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return errors.Join(failed, s.Stop(stop))
}

func listenError(addr string, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("api: %s is taken by another program; stop it, or choose another address with --listen", addr)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("api: not allowed to listen on %s; choose a port above 1023 with --listen", addr)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("api: %s is not an address of this machine; choose one that is with --listen", addr)
	}
	return fmt.Errorf("api: listen on %s: %w; choose another address with --listen", addr, err)
}
