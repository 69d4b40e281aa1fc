package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"xinwen/api"
	"xinwen/api/auth"
	"xinwen/crawler"
	"xinwen/crawler/source"
	"xinwen/deploy/app"
	"xinwen/indexer"
	"xinwen/indexer/analysis"
	"xinwen/indexer/bleve"
	"xinwen/indexer/query"
	"xinwen/news"
	"xinwen/news/bus"
	"xinwen/news/lexicon"
)

type doctorCmd struct {
	apiFlags
	busFlags
	Listen string `placeholder:"ADDR" env:"XINWEN_LISTEN" help:"Address that the api listens on, if the configuration does not say it."`
	Open   bool   `env:"XINWEN_OPEN" hidden:""`
}

// Run makes every check, prints what it found, and fails if anything is wrong.
func (d *doctorCmd) Run(ctx context.Context, c *cli) error {
	p := patient{now: time.Now()}
	config, err := d.app(c)
	p.check("configuration", err)
	config.API.Listen = cmp.Or(d.Listen, config.API.Listen)
	config.API.Auth.Open = config.API.Auth.Open || d.Open
	p.written(config)
	p.secrets(config)
	p.machine(config)
	if !p.streams(ctx, config) {
		p.check("access", checkAccess(config.API, nil, false, p.now))
	}
	p.cluster(ctx, config)
	p.running(ctx, d.client(), config.API.Listen)
	if p.faults > 0 {
		return fmt.Errorf("%d of %d checks failed", p.faults, p.checks)
	}
	fmt.Printf("all %d checks passed, %d warnings\n", p.checks, p.warnings)
	return nil
}

// patient counts checks and prints them.
type patient struct {
	checks, faults, warnings int

	now time.Time
}

func (p *patient) check(what string, err error) {
	p.checks++
	if err == nil {
		fmt.Printf("ok    %s\n", what)
		return
	}
	p.faults++
	tell("FAULT", what, err)
}

// warn prints what works and may not be meant, or will be in the way later.
func (p *patient) warn(what string, err error) {
	for _, err := range leaves(err) {
		p.warnings++
		tell("WARN ", what, err)
	}
}

// tell prints each fault with its mend.
func tell(word, what string, err error) {
	for _, err := range leaves(err) {
		fmt.Printf("%s %s: %s\n", word, what, indented(err.Error()))
		var h interface{ Hint() string }
		if errors.As(err, &h) && h.Hint() != "" {
			fmt.Printf("      → %s\n", h.Hint())
		}
	}
}

// leaves returns what err joins, or err; none of nil.
func leaves(err error) []error {
	if err == nil {
		return nil
	}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range j.Unwrap() {
			all = append(all, leaves(e)...)
		}
		return all
	}
	return []error{err}
}

func (p *patient) note(format string, args ...any) { fmt.Printf("--    "+format+"\n", args...) }

// written looks at what the operator has written.
func (p *patient) written(config app.Config) {
	l, err := lexicon.Load(filepath.Join(config.Dir, "lexicon"))
	p.check("lexicon", err)
	if err == nil {
		p.words(config, l)
	}
	switch file := config.Crawler.Sources; file {
	case "":
	case crawler.NoSources:
		p.warn("sources", hint(errors.New("none are followed but those that were added while it ran"), "take out --sources none to follow the built-in ones"))
	default:
		set, err := source.Load(file)
		if err == nil && set.Len() == 0 {
			err = hint(fmt.Errorf("%s has none", file), "write some, or leave --sources out for the built-in ones")
		}
		p.check("sources", err)
	}
	p.check("time zones", checkZones(config.API.TimeZone, "Asia/Shanghai", "Asia/Taipei"))
	p.warn("time zone", checkPageZone(config.API.TimeZone, time.Local, p.now))
}

// words looks at what follows from the words: rules that can be understood, and
// the index that they make.
func (p *patient) words(config app.Config, l *lexicon.Lexicon) {
	an, err := analysis.New(analysis.Options{Lexicon: l})
	p.check("analysis", err)
	if err != nil {
		return
	}
	evaluator := query.NewEvaluator(an, lexicon.NewStore(l))
	p.ruleFiles(config.API.AlertsDir, func(q string) (query.Node, error) { return evaluator.Parse(q, nil) })
	if config.Indexer.Engine == indexer.EngineOpenSearch {
		return
	}
	dir := filepath.Join(config.Data, "index")
	var names []string
	entries, _ := os.ReadDir(dir) // none where no indexer runs
	for _, e := range entries {
		names = append(names, e.Name())
	}
	p.warn("index", checkIndexDirs(names, filepath.Base(bleve.Path(dir, an))))
}

// secrets looks at who can read what is secret.
func (p *patient) secrets(config app.Config) {
	c := config.API
	var errs []error
	for _, path := range []string{
		config.Data, config.NATS.NKey, config.NATS.Credentials, c.Auth.AdminKeyFile, c.Auth.OIDC.ClientSecretFile, c.TLS.Key, c.SMTP.PasswordFile, c.SecretsDir,
	} {
		errs = append(errs, checkPrivate(path))
	}
	p.check("secrets", errors.Join(errs...))
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
// anything, and reports whether it could.
func (p *patient) streams(ctx context.Context, config app.Config) bool {
	if config.NATS.URL == "" && !answers(ctx, bus.SocketPath(config.NATS.Dir)) {
		p.note("streams: no xinwen runs over %s", config.Data)
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	b, err := openBus(ctx, config, slog.New(warnings{p}), false)
	p.check("NATS", err)
	if err != nil {
		return false
	}
	defer func() { _ = b.Close() }() // only read from
	if config.NATS.URL != "" && len(config.NATS.Monitor) == 0 {
		p.note("whether the NATS servers sync always cannot be seen: set nats.monitor to their monitoring addresses")
	}
	list, err := b.Status(ctx)
	p.check("streams", err)
	for _, s := range list {
		p.stream(ctx, b, s, config.NATS.Limits)
	}
	if free, err := freeBytes(config.Data); err == nil && config.NATS.URL == "" {
		p.warn("disk", checkRoom(list, free, config.NATS.MinFreeBytes))
	}
	states, err := sourceStates(ctx, b)
	p.check("states of sources", err)
	if err == nil {
		p.warn("sources", checkFollowed(states))
	}
	for _, s := range states {
		if err := checkSource(s, p.now); err != nil {
			p.check("source "+s.ID, err)
		}
	}
	p.alerts(ctx, b, config)
	keys := auth.NewStore(b, slog.New(slog.DiscardHandler))
	err = keys.Load(ctx)
	p.check("keys", err)
	if err == nil {
		p.check("access", checkAccess(config.API, keys.List(), true, p.now))
		p.warn("access", checkKeys(config.API, keys.List(), p.now))
	}
	if out := b.Outbox(); out.Messages > 0 {
		p.note("outbox: %d messages wait for the NATS server", out.Messages)
	}
	return true
}

// stream looks at one stream, and at what is behind in it.
func (p *patient) stream(ctx context.Context, b *bus.Bus, s bus.StreamStatus, limits bus.Limits) {
	p.check("stream "+s.Name, checkStream(s))
	operators := map[string]int64{bus.Pages: limits.PagesBytes, bus.Articles: limits.ArticlesBytes, bus.Alerts: limits.AlertsBytes, bus.Quarantine: limits.QuarantineBytes}
	p.warn("stream "+s.Name, checkLimit(s, operators[s.Name]))
	asked := time.Now()
	stream, err := b.JetStream().Stream(ctx, s.Name)
	if err != nil {
		p.check("stream "+s.Name, err)
		return
	}
	info, took := stream.CachedInfo(), time.Since(asked)
	if s.Name == bus.Articles { // one of them is enough
		p.check("clock against the NATS server", checkSkew(info.TimeStamp.Sub(asked.Add(took/2)), took))
	}
	if last := info.State.LastTime; !last.IsZero() {
		p.check("clock against "+s.Name, checkClockAgainst(time.Now(), last))
	}
	if s.Name == bus.Pages || s.Name == bus.Articles {
		for _, c := range s.Consumers {
			since, err := waiting(ctx, stream, c)
			p.check(c.Name, errors.Join(err, checkWaiting(c.Name, since)))
		}
	}
	if s.Name == bus.Quarantine && s.Messages > 0 {
		p.note("quarantine holds %d messages: xinwen quarantine list", s.Messages)
	}
}

// waiting returns how long the oldest message that a consumer has not handled
// has been in the stream.
func waiting(ctx context.Context, s jetstream.Stream, c bus.ConsumerStatus) (time.Duration, error) {
	if c.Pending == 0 && c.AckPending == 0 {
		return 0, nil
	}
	consumer, err := s.Consumer(ctx, c.Name)
	if err != nil {
		return 0, err
	}
	m, err := s.GetMsg(ctx, consumer.CachedInfo().AckFloor.Stream+1, jetstream.WithGetMsgSubject(">"))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return 0, nil // handled in between
	}
	if err != nil {
		return 0, err
	}
	return time.Since(m.Time), nil
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
	if err != nil && api.key == "" {
		err = hint(err, "put a key with the role read into XINWEN_API_KEY, if the api asks for one")
	}
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
