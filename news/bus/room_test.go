package bus_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"xinwen/news/bus"
)

// serverWithRoom runs a server in this process that gives its streams so many
// bytes.
func serverWithRoom(t *testing.T, change func(*natsserver.Options)) *natsserver.Server {
	t.Helper()
	opts := &natsserver.Options{
		Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
	}
	change(opts)
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
	return ns
}

func maxBytes(t *testing.T, b *bus.Bus) map[string]int64 {
	t.Helper()
	all := make(map[string]int64)
	list := b.JetStream().ListStreams(deadline(t))
	for s := range list.Info() {
		all[s.Config.Name] = s.Config.MaxBytes
	}
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestOpenHalvesDefaultsOnASmallServer(t *testing.T) {
	for _, c := range []struct {
		name   string
		room   int64
		limits bus.Limits
		want   map[string]int64
		warns  bool
	}{
		{
			"enough", 111 << 30,
			bus.Limits{},
			map[string]int64{bus.Articles: 64 << 30, bus.Pages: 8 << 30, "KV_seen": 2 << 30},
			false,
		},
		{
			"half", 57 << 30,
			bus.Limits{},
			map[string]int64{bus.Articles: 32 << 30, bus.Pages: 4 << 30, "KV_seen": 1 << 30},
			true,
		},
		{
			"smallest", 7 << 30,
			bus.Limits{},
			map[string]int64{bus.Articles: 1 << 30, bus.Pages: 1 << 30, "KV_seen": 256 << 20},
			true,
		},
		{
			"the-operators-own-stays", 57 << 30,
			bus.Limits{ArticlesBytes: 40 << 30},
			map[string]int64{bus.Articles: 40 << 30, bus.Pages: 2 << 30, "KV_seen": 512 << 20},
			true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			ns := serverWithRoom(t, func(o *natsserver.Options) { o.JetStreamMaxStore = c.room })
			var log bytes.Buffer
			b := open(t, bus.Options{
				Config: bus.Config{URL: ns.ClientURL(), Limits: c.limits}, Logger: slog.New(slog.NewTextHandler(&log, nil)),
			})
			got := maxBytes(t, b)
			for name, want := range c.want {
				if got[name] != want {
					t.Errorf("got a limit of %d for %s, want %d", got[name], name, want)
				}
			}
			if n := strings.Count(log.String(), "cannot reserve"); (n == 1) != c.warns || n > 1 {
				t.Errorf("got %d warnings of smaller limits, want them: %v; log:\n%s", n, c.warns, &log)
			}
		})
	}
}

// TestOpenSaysWhenNoLimitFits also holds that nothing was promised on the way:
// what takes part of the room would keep a cluster from changing any stream.
func TestOpenSaysWhenNoLimitFits(t *testing.T) {
	t.Parallel()
	ns := serverWithRoom(t, func(o *natsserver.Options) { o.JetStreamMaxStore = 3 << 30 })
	_, err := bus.Open(deadline(t), bus.Options{Config: bus.Config{URL: ns.ClientURL()}})
	if err == nil || !strings.Contains(err.Error(), "raise max_file_store") {
		t.Errorf("got %v, want what to do", err)
	}
	if all, err := ns.Jsz(nil); err != nil || all.Streams > 0 {
		t.Errorf("%d streams were made, %v, though there is no room for all", all.Streams, err)
	}
}

// TestOpenLooksForRoomAgain holds most of the room while a service looks for some,
// as another one does that starts at the same time, until it has come to the
// smallest limits: it must neither go on with those nor give up.
func TestOpenLooksForRoomAgain(t *testing.T) {
	t.Parallel()
	ns := serverWithRoom(t, func(o *natsserver.Options) { o.JetStreamMaxStore = 57 << 30 })
	nc, err := nats.Connect(ns.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	held := jetstream.StreamConfig{Name: "HELD", Subjects: []string{"held"}, MaxBytes: 53 << 30}
	if _, err := js.CreateStream(deadline(t), held); err != nil {
		t.Fatal(err)
	}
	// Seven halvings come to the smallest.
	var looks atomic.Int64
	if _, err := nc.Subscribe("$JS.API.STREAM.CREATE.XINWEN_PROBE", func(*nats.Msg) {
		if looks.Add(1) == 7 {
			if err := js.DeleteStream(context.Background(), held.Name); err != nil {
				t.Error(err)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	b := open(t, bus.Options{Config: bus.Config{URL: ns.ClientURL()}})
	for name, want := range map[string]int64{bus.Articles: 32 << 30, bus.Pages: 4 << 30} {
		if got := maxBytes(t, b)[name]; got != want {
			t.Errorf("got a limit of %d for %s, want %d: there was room in the end", got, name, want)
		}
	}
}

func TestOpenHalvesDefaultsOnASmallCluster(t *testing.T) {
	t.Parallel()
	if testing.Short() || raceDetector {
		t.Skip("three servers: not with -short, too slow for elections with -race")
	}
	ports := freePorts(t, 3)
	var routes []*url.URL
	for _, p := range ports {
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", p)})
	}
	var urls []string
	for i, p := range ports {
		ns := serverWithRoom(t, func(o *natsserver.Options) {
			o.ServerName, o.JetStreamMaxStore, o.Routes = fmt.Sprintf("n%d", i), 33<<30, routes
			o.Cluster = natsserver.ClusterOpts{Name: "small", Host: "127.0.0.1", Port: p, PoolSize: -1}
		})
		urls = append(urls, ns.ClientURL())
	}
	// Services start at the same time.
	errs := make(chan error, 4)
	for i := range cap(errs) {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 45*time.Second)
			defer cancel()
			b, err := bus.Open(ctx, bus.Options{
				Config: bus.Config{URL: strings.Join(urls, ","), Replicas: 3}, Name: fmt.Sprint("service", i), Logger: testLog(t),
			})
			if err == nil {
				err = b.Close()
			}
			errs <- err
		}()
	}
	for range cap(errs) {
		if err := next(t, errs); err != nil {
			t.Error(err)
		}
	}
	b := open(t, bus.Options{Config: bus.Config{URL: strings.Join(urls, ","), Replicas: 3}})
	for name, n := range maxBytes(t, b) {
		if n > 16<<30 {
			t.Errorf("%s has a limit of %d bytes", name, n)
		}
	}
	s, err := b.JetStream().Stream(deadline(t), bus.Articles)
	if err != nil {
		t.Fatal(err)
	}
	if r := s.CachedInfo().Config; r.Replicas != 3 || r.Discard != jetstream.DiscardNew {
		t.Errorf("got %+v, want three replicas and DiscardNew", r)
	}
}
