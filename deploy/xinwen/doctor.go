package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"xinwen/api"
	"xinwen/crawler"
	"xinwen/crawler/source"
	"xinwen/deploy/app"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/lexicon"
)

type doctorCmd struct {
	apiFlags
	busFlags
}

// Run makes every check, prints what it found, and fails if anything is wrong.
func (d *doctorCmd) Run(ctx context.Context, c *cli) error {
	var p patient
	config, err := d.app(c)
	p.check("configuration", err)
	p.written(config)
	p.machine(config)
	p.streams(ctx, config)
	p.cluster(ctx, config)
	p.running(ctx, d.client(), config.API.Listen)
	if p.faults > 0 {
		return fmt.Errorf("%d of %d checks failed", p.faults, p.checks)
	}
	fmt.Printf("all %d checks passed\n", p.checks)
	return nil
}

// patient counts checks and prints them.
type patient struct{ checks, faults int }

func (p *patient) check(what string, err error) {
	p.checks++
	if err == nil {
		fmt.Printf("ok    %s\n", what)
		return
	}
	p.faults++
	fmt.Printf("FAULT %s: %s\n", what, indented(err.Error()))
	var h interface{ Hint() string }
	if errors.As(err, &h) && h.Hint() != "" {
		fmt.Printf("      → %s\n", h.Hint())
	}
}

func (p *patient) note(format string, args ...any) { fmt.Printf("--    "+format+"\n", args...) }

// written looks at what the operator has written.
func (p *patient) written(config app.Config) {
	_, err := lexicon.Load(filepath.Join(config.Dir, "lexicon"))
	p.check("lexicon", err)
	if file := config.Crawler.Sources; file != "" && file != crawler.NoSources {
		_, err := source.Load(file)
		p.check("sources", err)
	}
	p.check("time zones", checkZones(config.API.TimeZone, "Asia/Shanghai", "Asia/Taipei"))
}

// machine looks at what the machine gives us.
func (p *patient) machine(config app.Config) {
	err := app.CheckData(config.Data)
	p.check("data directory", err)
	p.check("clock", checkClock(time.Now()))
	p.check("open files", checkFiles())
	if err != nil {
		return
	}
	free, err := freeBytes(config.Data)
	if err == nil {
		err = checkDisk(free, config.NATS.MinFreeBytes)
	}
	p.check("disk", err)
}

// streams looks at the streams, if they can be reached without starting
// anything.
func (p *patient) streams(ctx context.Context, config app.Config) {
	if config.NATS.URL == "" && !answers(ctx, bus.SocketPath(config.NATS.Dir)) {
		p.note("streams: no xinwen runs over %s", config.Data)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	b, err := openBus(ctx, config, slog.New(warnings{p}), false)
	p.check("NATS", err)
	if err != nil {
		return
	}
	defer func() { _ = b.Close() }() // only read from
	if config.NATS.URL != "" && len(config.NATS.Monitor) == 0 {
		p.note("whether the NATS servers sync always cannot be seen: set nats.monitor to their monitoring addresses")
	}
	list, err := b.Status(ctx)
	p.check("streams", err)
	for _, s := range list {
		p.check("stream "+s.Name, checkStream(s))
		last, err := lastTime(ctx, b, s.Name)
		if err == nil && !last.IsZero() {
			p.check("clock against "+s.Name, checkClockAgainst(time.Now(), last))
		}
		if s.Name == bus.Quarantine && s.Messages > 0 {
			p.note("quarantine holds %d messages: xinwen quarantine list", s.Messages)
		}
	}
	states, err := sourceStates(ctx, b)
	p.check("states of sources", err)
	for _, s := range states {
		if err := checkSource(s, time.Now()); err != nil {
			p.check("source "+s.ID, err)
		}
	}
	if out := b.Outbox(); out.Messages > 0 {
		p.note("outbox: %d messages wait for the NATS server", out.Messages)
	}
}

// running looks at a system if one answers.
func (p *patient) running(ctx context.Context, api *client, listen string) {
	resp, err := api.do(ctx, http.MethodGet, "/healthz", nil, "", nil)
	if err != nil {
		p.note("api: %v (it listens on %s unless told otherwise)", err, orDefault(listen))
		return
	}
	resp.Body.Close()
	if resp, err = api.do(ctx, http.MethodGet, "/readyz", nil, "", nil); err == nil {
		resp.Body.Close()
	}
	p.check("ready", err)
	s, err := api.status(ctx)
	p.check("status", err)
	if err != nil {
		return
	}
	var problems error
	if len(s.Problems) > 0 {
		problems = errors.New(strings.Join(s.Problems, "; "))
	}
	p.check("pipeline", problems)
	if s.Index != nil {
		p.check("index", checkLag(s.Index.Lag, s.Index.Rebuilding))
		p.note("index: %d articles, %d messages behind", s.Index.Docs, s.Index.Lag)
	}
}

func orDefault(listen string) string {
	if listen == "" {
		return api.DefaultListen
	}
	return listen
}

// warnings turns what a log warns of into failed checks.
type warnings struct{ p *patient }

// Enabled implements slog.Handler.
func (w warnings) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelWarn }

// Handle implements slog.Handler.
func (w warnings) Handle(_ context.Context, r slog.Record) error {
	text, mend := r.Message, ""
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "hint" {
			mend = a.Value.String()
		} else {
			text += fmt.Sprintf(" %s=%v", a.Key, a.Value)
		}
		return true
	})
	if strings.Contains(text, "cannot see whether") {
		return nil // noted
	}
	w.p.check("NATS", hint(errors.New(text), mend))
	return nil
}

// WithAttrs implements slog.Handler.
func (w warnings) WithAttrs([]slog.Attr) slog.Handler { return w }

// WithGroup implements slog.Handler.
func (w warnings) WithGroup(string) slog.Handler { return w }

// sourceStates returns the states of all sources.
func sourceStates(ctx context.Context, b *bus.Bus) ([]*news.SourceState, error) {
	kv := b.KV(bus.KVSources)
	keys, err := kv.ListKeys(ctx)
	if err != nil {
		return nil, err
	}
	var states []*news.SourceState
	for key := range keys.Keys() {
		e, err := kv.Get(ctx, key)
		if err != nil {
			continue // just removed
		}
		if s, err := news.ParseSourceState(e.Value()); err == nil { // else of a newer crawler
			states = append(states, s)
		}
	}
	return states, nil
}

// lastTime returns when the last message of a stream was stored, zero if it is
// empty.
func lastTime(ctx context.Context, b *bus.Bus, name string) (time.Time, error) {
	s, err := b.JetStream().Stream(ctx, name)
	if err != nil {
		return time.Time{}, err
	}
	return s.CachedInfo().State.LastTime, nil
}
