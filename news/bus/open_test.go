package bus_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/news/bus"
)

func TestOpenSaysWhatToDo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	readOnly := filepath.Join(t.TempDir(), "read-only")
	if err := os.Mkdir(readOnly, 0o500); err != nil {
		t.Fatal(err)
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	used := t.TempDir()
	open(t, bus.Options{Config: bus.Config{Dir: used}})
	n := startNode(t)
	lazy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"jetstream":{"config":{"sync_interval":120000000000}}}`)
	}))
	defer lazy.Close()
	closedPort := freePorts(t, 1)[0]
	for _, c := range []struct {
		name   string
		config bus.Config
		want   []string // parts of the message
	}{
		{
			"NoDir",
			bus.Config{Replicas: 3, Monitor: []string{"x"}, OutboxMaxBytes: -1},
			[]string{"dir is required", "replicas 3 needs", "monitor are for an external server", "outbox_max_bytes is negative"},
		},
		{"BadListen", bus.Config{Dir: used, Listen: "4222"}, []string{"not host:port"}},
		{"ListenWithURL", bus.Config{URL: n.url, Listen: ":1"}, []string{"remove url or listen"}},
		{"FileInTheWay", bus.Config{Dir: filepath.Join(file, "data")}, []string{"choose another directory"}},
		{"ReadOnly", bus.Config{Dir: filepath.Join(readOnly, "data")}, []string{"make it writable"}},
		{"Locked", bus.Config{Dir: used}, []string{fmt.Sprintf("process %d uses it", os.Getpid()), "stop process"}},
		{"PortTaken", bus.Config{Dir: t.TempDir(), Listen: taken.Addr().String()}, []string{"another program uses this port"}},
		{"NotSyncing", bus.Config{URL: n.url, Monitor: []string{lazy.URL}}, []string{"sync_interval: always"}},
		{"MonitorIsNone", bus.Config{URL: n.url, Monitor: []string{fmt.Sprintf("http://127.0.0.1:%d", closedPort)}}, []string{"monitoring address"}},
		{"TooManyReplicas", bus.Config{URL: n.url, Replicas: 3}, []string{"set up stream", "replicas > 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "ReadOnly" && os.Geteuid() == 0 {
				t.Skip("root may write everywhere")
			}
			b, err := bus.Open(deadline(t), bus.Options{Config: c.config})
			if err == nil {
				_ = b.Close() // the test has failed
				t.Fatal("got no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to contain %q", err, want)
				}
			}
		})
	}
}

func TestOpenWithAServerOfTheClusterDown(t *testing.T) {
	n := startNode(t)
	open(t, bus.Options{Config: bus.Config{URL: n.url, Monitor: []string{fmt.Sprintf("http://127.0.0.1:%d", freePorts(t, 1)[0]), n.monitor}}})
}

func TestOpenUnreachableServer(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	url := fmt.Sprintf("nats://someone:secret@127.0.0.1:%d", freePorts(t, 1)[0])
	_, err := bus.Open(ctx, bus.Options{Config: bus.Config{URL: url}})
	if err == nil || !strings.Contains(err.Error(), "start the server, correct url") || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v, want what to do, and no password", err)
	}
}

func TestOpenMendsDrift(t *testing.T) {
	n := startNode(t)
	o := bus.Options{Config: bus.Config{URL: n.url}, Logger: testLog(t)}
	b := open(t, o)
	ctx := deadline(t)
	s, err := b.JetStream().Stream(ctx, bus.Pages)
	if err != nil {
		t.Fatal(err)
	}
	want := s.CachedInfo().Config
	drifted := want
	drifted.Discard, drifted.Duplicates, drifted.MaxMsgSize = jetstream.DiscardOld, time.Second, 100
	drifted.MaxBytes, drifted.MaxAge = 1<<20, time.Hour // the operator's own limits stay
	if _, err := b.JetStream().UpdateStream(ctx, drifted); err != nil {
		t.Fatal(err)
	}
	open(t, o)
	if s, err = b.JetStream().Stream(ctx, bus.Pages); err != nil {
		t.Fatal(err)
	}
	got := s.CachedInfo().Config
	if got.Discard != want.Discard || got.Duplicates != want.Duplicates || got.MaxMsgSize != want.MaxMsgSize {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got.MaxBytes != 1<<20 || got.MaxAge != time.Hour {
		t.Errorf("got limits %d, %s, want the operator's", got.MaxBytes, got.MaxAge)
	}
	o.Limits = bus.Limits{PagesBytes: 2 << 20, PagesAge: 2 * time.Hour}
	open(t, o)
	if s, err = b.JetStream().Stream(ctx, bus.Pages); err != nil {
		t.Fatal(err)
	}
	if got := s.CachedInfo().Config; got.MaxBytes != 2<<20 || got.MaxAge != 2*time.Hour {
		t.Errorf("got limits %d, %s, want those of the configuration", got.MaxBytes, got.MaxAge)
	}
}

func TestEmbeddedOpensNoPortUnlessAsked(t *testing.T) {
	b := open(t, bus.Options{Config: bus.Config{Dir: t.TempDir()}})
	if got := b.URL(); got != "" {
		t.Errorf("got URL %q, want none", got)
	}
	b = open(t, bus.Options{Config: bus.Config{Dir: t.TempDir(), Listen: "127.0.0.1:0"}})
	outside := open(t, bus.Options{Config: bus.Config{URL: b.URL()}, Name: "outside"})
	if err := outside.Check(deadline(t)); err != nil {
		t.Error(err)
	}
}

func TestConnect(t *testing.T) {
	b := open(t, bus.Options{Config: bus.Config{Dir: t.TempDir()}, Name: "all"})
	c, err := b.Connect("crawler")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Connect("crawler"); err == nil {
		t.Error("two clients of one name share an outbox")
	}
	if err := c.PublishArticle(deadline(t), article()); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if err := b.Check(deadline(t)); err != nil {
		t.Errorf("closing a client harmed the server: %v", err)
	}
	if c, err = b.Connect("crawler"); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := c.PublishArticle(deadline(t), article()); err == nil {
		t.Error("a client of a closed bus publishes")
	}
	if _, err := b.Connect("late"); err == nil {
		t.Error("a closed bus gives clients")
	}
}

func TestDiskNearlyFullIsBackPressure(t *testing.T) {
	b := open(t, bus.Options{Config: bus.Config{Dir: t.TempDir(), MinFreeBytes: 1 << 60}})
	err := b.PublishArticle(deadline(t), article())
	if !errors.Is(err, bus.ErrFull) || !strings.Contains(err.Error(), "free some space") {
		t.Errorf("got %v, want ErrFull and what to do", err)
	}
	if err := b.Check(deadline(t)); !errors.Is(err, bus.ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
}
