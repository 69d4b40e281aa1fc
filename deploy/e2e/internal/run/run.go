// Package run runs parts of Xinwen in processes of their own for the end-to-end
// tests: a whole system, single services or a NATS server, which can be stopped
// in good order or killed. It also has what is around such a system: a client of
// its api and a receiver of its webhooks.
//
// A process is the test binary again, so a package that uses Launch needs
//
//	func TestMain(m *testing.M) { run.Main(m) }
package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"xinwen/deploy/app"
	"xinwen/deploy/e2e/internal/baddisk"
	"xinwen/deploy/e2e/internal/wallclock"
	"xinwen/news/bus"
)

// childEnv makes the test binary run a part of Xinwen instead of tests; its
// value is the part.
const childEnv = "XINWEN_E2E_CHILD"

// Main runs tests, or the part or the bad disk that a process was launched for.
func Main(m *testing.M) {
	if baddisk.Serve() {
		return
	}
	if text := os.Getenv(childEnv); text != "" {
		if err := child(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if err := os.Setenv(secretEnv, secret); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// Part is what one process runs: services against a NATS server, everything if
// there is no server named, or a NATS server alone. It crosses to the process as
// JSON.
type Part struct {
	Name     string
	Services []string
	Data     string
	NATS     string // where the server is
	Serve    string // listen there, and be the server
	Cluster  string // where a server of a cluster listens for the others
	Routes   []string
	Replicas int
	Listen   string // of the api; any port if empty
	Sources  string // file
	Resolve  []string
	Alerts   string // directory of rules, "" for none
	Timeout  time.Duration
	Once     bool // the crawler ends when it is through
	MinFree  int64
	Death    Death
	// Clock is the file of a wallclock.Clock that the process follows, "" for none.
	Clock string
	// Namespace is the network namespace to run in, "" for this one.
	Namespace string
}

// Death is where a process kills itself as kill -9 does: when it comes to a
// boundary (see bus.Bus.Reached) for the After-th time. No boundary, no death.
type Death struct {
	Boundary string
	After    int64
}

// reached returns what tells d of boundaries.
func (d Death) reached() func(string) {
	if d.Boundary == "" {
		return nil
	}
	var times atomic.Int64
	return func(boundary string) {
		if boundary == d.Boundary && times.Add(1) == d.After {
			if self, err := os.FindProcess(os.Getpid()); err == nil {
				_ = self.Kill() // what fails to die is seen by the test
			}
			select {}
		}
	}
}

// Config returns the configuration that p means.
func (p Part) Config() app.Config {
	c := app.Config{Data: p.Data, NATS: bus.Config{URL: p.NATS, MinFreeBytes: p.MinFree, Replicas: p.Replicas}}
	c.Crawler.Sources = p.Sources
	c.Crawler.Resolve = p.Resolve
	c.Crawler.Timeout = p.Timeout
	c.Crawler.HeaderTimeout = p.Timeout
	c.Crawler.Once = p.Once
	c.Crawler.MinInterval = 100 * time.Millisecond
	c.API.Listen = p.Listen
	if c.API.Listen == "" {
		c.API.Listen = "127.0.0.1:0"
	}
	c.API.AlertsDir = p.Alerts
	c.API.AllowPrivateWebhooks = true
	c.API.WebhookFirstDelay = 50 * time.Millisecond
	return c
}

// child runs a part, prints the address of its api, and stops when its input
// ends or the part fails.
func child(text string) error {
	var p Part
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
	if p.Clock != "" {
		if err := wallclock.Follow(p.Clock); err != nil {
			return err
		}
	}
	ctx := context.Background()
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	var stop func(context.Context) error
	addr := ""
	failed := make(<-chan struct{}) // never, of a server
	switch {
	case p.Cluster != "":
		s, err := node(p)
		if err != nil {
			return err
		}
		stop = func(context.Context) error { s.Shutdown(); s.WaitForShutdown(); return nil }
	case p.Serve != "":
		b, err := bus.Open(ctx, bus.Options{Config: bus.Config{Dir: p.Data, Listen: p.Serve}, Logger: log})
		if err != nil {
			return err
		}
		stop = func(context.Context) error { return b.Close() }
	default:
		a, err := app.New(app.Options{Config: p.Config(), Services: p.Services, Logger: log, Version: "e2e", Reached: p.Death.reached()})
		if err != nil {
			return err
		}
		if err := a.Start(ctx); err != nil {
			return err
		}
		stop, addr, failed = a.Stop, a.Addr(), a.Done()
	}
	fmt.Println(addr)
	told := make(chan struct{})
	go func() {
		defer close(told)
		_, _ = io.Copy(io.Discard, os.Stdin) // its end is the sign to stop
	}()
	select {
	case <-told:
	case <-failed: // a supervisor would see the process end, and so must a test
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return stop(ctx)
}

// node starts a server of a cluster that keeps its streams as ours are kept.
func node(p Part) (*natsserver.Server, error) {
	o := &natsserver.Options{
		ServerName: p.Name, NoSigs: true, JetStream: true, StoreDir: p.Data, SyncAlways: true,
		Cluster: natsserver.ClusterOpts{Name: "chaos", PoolSize: -1},
	}
	for _, at := range []struct {
		addr string
		host *string
		port *int
	}{{p.Serve, &o.Host, &o.Port}, {p.Cluster, &o.Cluster.Host, &o.Cluster.Port}} {
		addr, err := netip.ParseAddrPort(at.addr)
		if err != nil {
			return nil, err
		}
		*at.host, *at.port = addr.Addr().String(), int(addr.Port())
	}
	for _, r := range p.Routes {
		o.Routes = append(o.Routes, &url.URL{Scheme: "nats", Host: r})
	}
	s, err := natsserver.NewServer(o)
	if err != nil {
		return nil, err
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		return nil, errors.New("the NATS server does not answer")
	}
	return s, nil
}
