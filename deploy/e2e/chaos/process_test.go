package chaos

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"xinwen/deploy/app"
	"xinwen/news/bus"
)

// childEnv makes the test binary run a part of Xinwen instead of tests; its
// value is the part.
const childEnv = "XINWEN_CHAOS_CHILD"

func TestMain(m *testing.M) {
	if text := os.Getenv(childEnv); text != "" {
		if err := child(text); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if err := os.Setenv("XINWEN_CHAOS_SECRET", "whsec_c2ltdWxhdGVkIHdlYiBvZiBtYW55IHNpdGVz"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// part is what one process runs: services against a NATS server, everything if
// there is no server named, or a NATS server alone. It crosses to the process as
// JSON.
type part struct {
	Name     string
	Services []string
	Data     string
	NATS     string // where the server is
	Serve    string // listen there, and be the server
	Listen   string // of the api
	Sources  string
	Resolve  []string
	Alerts   string
	MinFree  int64
}

func (p part) config() app.Config {
	c := app.Config{Data: p.Data, NATS: bus.Config{URL: p.NATS, MinFreeBytes: p.MinFree}}
	c.Crawler.Sources, c.Crawler.Resolve, c.Crawler.MinInterval = p.Sources, p.Resolve, 100*time.Millisecond
	c.API.Listen, c.API.AlertsDir = p.Listen, p.Alerts
	c.API.AllowPrivateWebhooks, c.API.WebhookFirstDelay = true, 50*time.Millisecond
	return c
}

// child runs a part until its input ends.
func child(text string) error {
	var p part
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return err
	}
	ctx := context.Background()
	var stop func(context.Context) error
	if p.Serve != "" {
		b, err := bus.Open(ctx, bus.Options{Config: bus.Config{Dir: p.Data, Listen: p.Serve}})
		if err != nil {
			return err
		}
		stop = func(context.Context) error { return b.Close() }
	} else {
		log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError + 4}))
		a, err := app.New(app.Options{Config: p.config(), Services: p.Services, Logger: log, Version: "chaos"})
		if err != nil {
			return err
		}
		if err := a.Start(ctx); err != nil {
			return err
		}
		stop = a.Stop
	}
	fmt.Println("started")
	_, _ = io.Copy(io.Discard, os.Stdin) // its end is the sign to stop
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return stop(ctx)
}

// process is a part in a process of its own.
type process struct {
	part
	cmd     *exec.Cmd
	stdin   io.Closer
	started chan struct{} // closed when it has started, or ended
	ended   chan struct{} // closed when it has ended
	err     error         // how; valid then
}

func launch(t *testing.T, p part) *process {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pr := &process{part: p, cmd: cmd, stdin: stdin, started: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		_, _ = bufio.NewReader(stdout).ReadString('\n') // an end is an end
		close(pr.started)
		pr.err = cmd.Wait()
		close(pr.ended)
	}()
	return pr
}

// kill ends the process as kill -9 does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
}

// stop ends the process in good order.
func (p *process) stop(t *testing.T) {
	t.Helper()
	_ = p.stdin.Close() // the sign to stop; the pipe may be broken already
	<-p.ended
	if p.err != nil {
		t.Errorf("stop %s: %v", p.Name, p.err)
	}
}

// system is the processes that run, by name. It starts anew what has ended by
// itself, as a supervisor does.
type system struct {
	t       *testing.T
	parts   []part
	running map[string]*process
	revived int
}

func (s *system) start(p part) *process {
	s.t.Helper()
	s.running[p.Name] = launch(s.t, p)
	return s.running[p.Name]
}

// kill kills a process and starts it again.
func (s *system) kill(name string) {
	s.t.Helper()
	s.running[name].kill()
	s.start(s.running[name].part)
}

// supervise starts anew what has ended.
func (s *system) supervise() {
	s.t.Helper()
	for _, p := range s.running {
		select {
		case <-p.ended:
			s.revived++
			s.start(p.part)
		default:
		}
	}
}

// stop stops all, NATS last.
func (s *system) stop() {
	s.t.Helper()
	for _, p := range slices.Backward(s.parts) {
		if r := s.running[p.Name]; r != nil {
			r.stop(s.t)
		}
	}
}

// parts are the processes of a system whose services run alone, the NATS server
// first.
func parts(t *testing.T, w *world) []part {
	t.Helper()
	nats, api := freeAddr(t), freeAddr(t)
	w.api = "http://" + api
	dir := t.TempDir()
	list := []part{{Name: "nats", Data: filepath.Join(dir, "nats"), Serve: nats}}
	for _, name := range []string{app.Indexer, app.API, app.Extractor, app.Crawler} {
		list = append(list, part{
			Name: name, Services: []string{name}, Data: filepath.Join(dir, name), NATS: "nats://" + nats, Listen: api,
			Sources: w.sources, Resolve: []string{w.web.Resolve()}, Alerts: w.alerts,
		})
	}
	return list
}

// whole is everything in one process.
func whole(t *testing.T, w *world) part {
	t.Helper()
	api := freeAddr(t)
	w.api = "http://" + api
	return part{
		Name: "xinwen", Data: t.TempDir(), Listen: api,
		Sources: w.sources, Resolve: []string{w.web.Resolve()}, Alerts: w.alerts,
	}
}

// freeAddr returns an address that nobody listens on.
func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
