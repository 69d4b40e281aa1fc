package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"xinwen/deploy/app"
	"xinwen/deploy/simweb"
	"xinwen/news/bus"
)

// secured is a NATS server with the generated configuration.
type secured struct {
	dir string
	url string
}

func secureServer(t *testing.T) secured {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "nats")
	c := natsConfigCmd{Dir: dir, Host: []string{"localhost", "127.0.0.1"}, Listen: "127.0.0.1:-1", Store: t.TempDir()}
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if err := c.Run(); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("written over keys in use: got %v, want an error", err)
	}
	t.Chdir(dir) // the paths in the file are relative
	opts, err := natsserver.ProcessConfigFile("nats.conf")
	if err != nil {
		t.Fatal(err)
	}
	opts.NoLog, opts.NoSigs, opts.HTTPPort, opts.JetStreamMaxStore = true, true, 0, 1<<40
	ns, err := natsserver.NewServer(opts)
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(func() {
		ns.Shutdown()
		ns.WaitForShutdown()
	})
	if !ns.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server did not start")
	}
	return secured{dir: dir, url: strings.Replace(ns.ClientURL(), "nats://", "tls://", 1)}
}

func (s secured) config(user string) bus.Config {
	return bus.Config{URL: s.url, NKey: filepath.Join(s.dir, user+".nk"), CA: filepath.Join(s.dir, "ca.pem"), RetryWindow: time.Second}
}

func (s secured) open(t *testing.T, user string) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Config: s.config(user), Name: user})
	if err != nil {
		t.Fatalf("%s: %v", user, err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func TestNATSUsersHaveTheLeastRights(t *testing.T) {
	s := secureServer(t)
	if _, err := bus.Open(t.Context(), bus.Options{Config: s.config(app.Crawler), Name: app.Crawler}); err == nil || !strings.Contains(err.Error(), "xinwen streams") {
		t.Errorf("a crawler before there are streams: got %v, want what to do", err)
	}
	nobody := s.config(app.Crawler)
	nobody.NKey = ""
	if _, err := bus.Open(t.Context(), bus.Options{Config: nobody}); err == nil {
		t.Error("a client without a key is let in")
	}
	s.open(t, bus.Admin) // makes the streams
	for _, c := range []struct {
		user          string
		publish, read []string // what it must not
	}{
		{app.Crawler, []string{"xinwen.articles.x", "xinwen.alerts.x", "xinwen.quarantine.api", "$KV.rules.x", "$KV.erased.x"}, []string{bus.Alerts, bus.Articles, bus.Quarantine, bus.Pages, "KV_rules", "KV_deliveries"}},
		{app.Extractor, []string{"xinwen.pages.x", "xinwen.alerts.x", "$KV.rules.x", "$KV.seen.x"}, []string{bus.Alerts, bus.Quarantine, bus.Frontier, "KV_rules"}},
		{app.Indexer, []string{"xinwen.pages.x", "xinwen.articles.x", "xinwen.frontier.fetch.x", "$KV.rules.x"}, []string{bus.Alerts, bus.Pages, bus.Frontier, bus.Quarantine}},
		{app.API, []string{"$KV.seen.x", "$KV.hosts.x", "$KV.erased.x"}, []string{bus.Pages, bus.Frontier, "KV_hosts"}},
	} {
		t.Run(c.user, func(t *testing.T) {
			b := s.open(t, c.user)
			denied := func(what string, f func() error) {
				t.Helper()
				before := b.Conn().LastError()
				err := f()
				if err == nil {
					err = b.Conn().Flush()
				}
				if err == nil && !errors.Is(b.Conn().LastError(), nats.ErrPermissionViolation) || b.Conn().LastError() == before { //nolint:errorlint // the same value again: nothing new was refused
					t.Errorf("%s may %s: %v, last %v", c.user, what, err, b.Conn().LastError())
				}
			}
			for _, subject := range append(c.publish, "$JS.API.STREAM.CREATE.X", "$JS.API.STREAM.UPDATE.PAGES", "$JS.API.STREAM.DELETE.ARTICLES", "$JS.API.STREAM.SNAPSHOT.ARTICLES", "_INBOX.other.x") {
				denied("publish to "+subject, func() error { return b.Conn().Publish(subject, []byte("x")) })
			}
			for _, stream := range c.read {
				for _, subject := range []string{"$JS.API.CONSUMER.CREATE." + stream, "$JS.API.CONSUMER.CREATE." + stream + ".x", "$JS.API.STREAM.MSG.GET." + stream, "$JS.API.DIRECT.GET." + stream} {
					denied("ask "+subject, func() error { return b.Conn().Publish(subject, []byte("{}")) })
				}
			}
			for _, subject := range []string{">", "xinwen.>", "xinwen.alerts.>", "xinwen.articles.>", "_INBOX.>", "$KV.>", "$JS.>"} {
				denied("subscribe to "+subject, func() error {
					_, err := b.Conn().SubscribeSync(subject)
					return err
				})
			}
		})
	}
}

func TestServicesRunWithTheirRights(t *testing.T) {
	s := secureServer(t)
	s.open(t, bus.Admin)
	web, err := simweb.New(simweb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := web.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	told := make(chan struct{}, 1000)
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { told <- struct{}{} }))
	defer receiver.Close()
	t.Setenv("XINWEN_TEST_SECRET", "whsec_c2ltdWxhdGVkIHdlYiBvZiBtYW55IHNpdGVz")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"sources.yaml": web.SourcesFor(simweb.SourceOptions{Delay: 20 * time.Millisecond}),
		"rule.yaml":    fmt.Sprintf("id: tsmc\nname: tsmc\nquery: 台积电\nwebhooks:\n  - url: %s\n    secret_env: XINWEN_TEST_SECRET\n", receiver.URL),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	shared := &logLock{}
	log := slog.New(slog.NewTextHandler(shared, &slog.HandlerOptions{Level: slog.LevelWarn}))
	var address string
	for _, name := range []string{app.Indexer, app.API, app.Extractor, app.Crawler} {
		c := app.Config{Data: filepath.Join(dir, name), NATS: s.config(name)}
		c.API.Listen, c.API.AlertsDir, c.API.AllowPrivateWebhooks = "127.0.0.1:0", dir, true
		c.Crawler.Sources, c.Crawler.Resolve = filepath.Join(dir, "sources.yaml"), []string{web.Resolve()}
		a, err := app.New(app.Options{Config: c, Services: []string{name}, Logger: log})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer func() {
			ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
			defer cancel()
			if err := a.Stop(ctx); err != nil {
				t.Error(err)
			}
			if t.Failed() {
				t.Logf("log:\n%s", shared)
			}
		}()
		if name == app.API {
			address = a.Addr()
		}
	}
	want := len(web.Articles())
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	err = await(ctx, func() (bool, error) {
		var r struct{ Total int }
		return count(address, &r) == nil && r.Total == want, nil
	})
	if err != nil {
		t.Fatalf("not all of %d articles can be found: %v", want, err)
	}
	select {
	case <-told:
	case <-ctx.Done():
		t.Error("nobody was told")
	}
	if strings.Contains(shared.String(), "ermission") {
		t.Error("a service asked for what it may not")
	}
}

func count(address string, v any) error {
	res, err := http.Get("http://" + address + "/v1/search?size=0")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return json.NewDecoder(res.Body).Decode(v)
}

// logLock is a log that several write and that is read meanwhile.
type logLock struct {
	mu sync.Mutex
	b  strings.Builder
}

// Write implements io.Writer.
func (l *logLock) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String implements fmt.Stringer.
func (l *logLock) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
