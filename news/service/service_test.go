package service_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"xinwen/news/bus"
	"xinwen/news/service"
)

// run runs a command line, and returns its exit status and what it printed.
func run(t *testing.T, ctx context.Context, f func(context.Context, *service.Service) error, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	flags := flag.NewFlagSet("tester", flag.ContinueOnError)
	flags.SetOutput(&out)
	code := service.Run(ctx, "tester", "v1", flags, args, f)
	return code, out.String()
}

func never(context.Context, *service.Service) error { return fmt.Errorf("it runs") }

func TestRunRefusesWrongUsage(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"unknown-flag", []string{"-sauce", "x"}, 2, "-nats"},
		{"argument", []string{"start"}, 2, `"start" is no flag`},
		{"log-level", []string{"-log-level", "loud"}, 2, "loud"},
		{"log-format", []string{"-log-format", "xml"}, 2, "xml"},
		{"version", []string{"-version"}, 0, "v1"},
		{"help", []string{"-help"}, 0, "XINWEN_NATS"},
		{"check-without-address", []string{"-check"}, 1, "-metrics"},
		{"two-identities", []string{"-nkey", "a", "-credentials", "b"}, 1, "remove one"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out := run(t, t.Context(), never, c.args...)
			if code != c.code || !strings.Contains(out, c.want) {
				t.Errorf("got %d and %q, want %d and %q", code, out, c.code, c.want)
			}
		})
	}
}

func TestRunServesMetricsAndHealth(t *testing.T) {
	server, err := bus.Open(t.Context(), bus.Options{Config: bus.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"}})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	get := func(path string) string {
		res, err := http.Get("http://" + address + path)
		if err != nil {
			t.Error(err)
			return ""
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Error(err)
		}
		return res.Status + "\n" + string(body)
	}
	f := func(ctx context.Context, s *service.Service) error {
		if s.Version != "v1" || s.Bus.Name() != "tester" {
			t.Errorf("got version %q and bus %q", s.Version, s.Bus.Name())
		}
		for path, want := range map[string]string{
			"/healthz": "200 OK\nok",
			"/readyz":  "200 OK\nok",
			"/metrics": "xinwen_bus_connected 1",
		} {
			if got := get(path); !strings.Contains(got, want) {
				t.Errorf("%s: got %q, want %q", path, got, want)
			}
		}
		if code, out := run(t, ctx, never, "-check", "-metrics", address); code != 0 {
			t.Errorf("-check: got %d, %q, want 0", code, out)
		}
		if err := server.Close(); err != nil { // what it needs goes away
			t.Error(err)
		}
		for s.Bus.Conn().IsConnected() {
			select {
			case <-s.Bus.Conn().StatusChanged():
			case <-time.After(10 * time.Millisecond):
			}
		}
		if got := get("/readyz"); !strings.HasPrefix(got, "503") {
			t.Errorf("/readyz without a server: got %q, want 503", got)
		}
		if code, out := run(t, ctx, never, "-check", "-metrics", address); code != 1 || !strings.Contains(out, "not ready") {
			t.Errorf("-check without a server: got %d, %q, want 1", code, out)
		}
		return nil
	}
	if code, out := run(t, ctx, f, "-nats", server.URL(), "-data", t.TempDir(), "-metrics", address); code != 0 {
		t.Errorf("got %d, %q, want 0", code, out)
	}
}
