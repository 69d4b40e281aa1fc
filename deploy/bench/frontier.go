package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"xinwen/crawler"
	"xinwen/crawler/frontier"
	"xinwen/crawler/source"
	"xinwen/news/bus"
	"xinwen/news/weburl"
)

// knownURLs is how many the frontier knows before it is started.
const knownURLs = 1_000_000

func knownURL(i int) string {
	return fmt.Sprintf("http://site%d.example/2025/11/%d/story-%d.html", i%500, i%28+1, i)
}

// scale starts a crawler whose frontier knows a million URLs, in a process of its
// own, and asks it for some of them.
func scale(ctx context.Context) (err error) {
	if dir := os.Getenv("FRONTIER_DIR"); dir != "" {
		return startKnown(ctx, dir)
	}
	dir, err := os.MkdirTemp("", "xinwen-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	data := filepath.Join(dir, "bus")
	b, err := bus.Open(ctx, bus.Options{Config: bus.Config{Dir: data}, Name: "bench"}) // makes the streams
	if err != nil {
		return err
	}
	if err := b.Close(); err != nil {
		return err
	}
	if err := fill(ctx, data); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "frontier")
	cmd.Env, cmd.Stderr = append(os.Environ(), "FRONTIER_DIR="+data), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	var f [5]float64
	for i, s := range strings.Fields(string(out)) {
		if f[i], err = strconv.ParseFloat(s, 64); err != nil {
			return err
		}
	}
	figure("known URLs", f[4], "URLs", "")
	figure("start, until the first page is out", f[0], "s", "")
	figure("memory", f[1], "MiB", "")
	figure("memory at its highest", f[2], "MiB", "")
	figure("look up a known URL", f[3], "µs", "")
	return nil
}

// fill writes the records of URLs past the bus, by a server that does not sync
// each of them.
func fill(ctx context.Context, data string) error {
	s, err := server.NewServer(&server.Options{JetStream: true, StoreDir: data, DontListen: true, NoLog: true, NoSigs: true})
	if err != nil {
		return err
	}
	s.Start()
	defer func() {
		s.Shutdown()
		s.WaitForShutdown()
	}()
	for !s.ReadyForConnections(time.Second) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(4000))
	if err != nil {
		return err
	}
	value, err := json.Marshal(frontier.Record{Outcome: frontier.Fetched, Source: "bench", Time: time.Now().UTC(), Published: true, Status: 200})
	if err != nil {
		return err
	}
	for i := range knownURLs {
		canonical, err := weburl.Canonical(knownURL(i))
		if err != nil {
			return err
		}
		if _, err := js.PublishAsync("$KV."+bus.KVSeen+"."+bus.Key(weburl.ID(canonical)), value, jetstream.WithStallWait(time.Minute)); err != nil {
			return err
		}
	}
	select {
	case <-js.PublishAsyncComplete():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// startKnown is the process under measurement.
func startKnown(ctx context.Context, dir string) error {
	w, err := serve(ctx, "portal")
	if err != nil {
		return err
	}
	defer func() { _ = w.stop() }() // it ends with us
	began := time.Now()
	b, err := bus.Open(ctx, bus.Options{Config: bus.Config{Dir: dir}, Name: "bench"})
	if err != nil {
		return err
	}
	home := "http://fresh.example/"
	c, err := crawler.New(crawler.Options{
		Config: crawler.Config{Resolve: []string{"*=" + w.addr}}, Bus: b,
		List: source.NewSet(&source.Source{ID: "fresh", Home: home, Enabled: true, Feeds: []string{home + "feed"}, Interval: time.Hour}),
	})
	if err != nil {
		return err
	}
	if err := c.Start(ctx); err != nil {
		return err
	}
	for c.Report().Pages == 0 && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	took := time.Since(began)
	f := frontier.New(b)
	known, began := 0, time.Now()
	const asked = 20_000
	for i := range asked {
		canonical, err := weburl.Canonical(knownURL(i * (knownURLs / asked)))
		if err != nil {
			return err
		}
		if _, ok, err := f.Known(ctx, canonical); err != nil {
			return err
		} else if ok {
			known++
		}
	}
	lookup := time.Since(began)
	memory, err := memoryOf(os.Getpid())
	if err != nil {
		return err
	}
	fmt.Println(took.Seconds(), memory.now/(1<<20), memory.highest/(1<<20), float64(lookup.Microseconds())/asked, float64(known)*knownURLs/asked)
	return errors.Join(c.Stop(), b.Close())
}
