// Package service is what the commands of the single services share: their
// flags, the bus, the log, and an address for metrics and health.
//
// A command's main is little more than a call of Main with what its service
// runs. Every flag has an environment variable, so that a container needs no
// arguments.
package service

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	_ "time/tzdata" // containers have no zone files

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"xinwen/news/bus"
	"xinwen/news/lexicon"
)

// Service is what Main gives a service to run with.
type Service struct {
	Bus     *bus.Bus
	Log     *slog.Logger
	Metrics *prometheus.Registry
	// Data is the directory for everything that the service keeps, Config the
	// one of what the operator writes: alerts/*.yaml and lexicon/*.yaml.
	Data, Config string
	// Version names the build.
	Version string

	background sync.WaitGroup
}

// Lexicon loads the built-in entities and the operator's own, and keeps up with
// changes until ctx is done.
func (s *Service) Lexicon(ctx context.Context) (*lexicon.Store, error) {
	dir := filepath.Join(s.Config, "lexicon")
	l, err := lexicon.Load(dir)
	if err != nil {
		return nil, fmt.Errorf("lexicon: %w", err)
	}
	store := lexicon.NewStore(l)
	s.background.Go(func() {
		if err := store.Watch(ctx, s.Log, dir); err != nil {
			s.Log.Error("changes of the lexicon are not seen: start the service again after one", "path", dir, "err", err)
		}
	})
	return store, nil
}

// Main runs a service until it is told to stop, and ends the process. It
// defines its own flags beside those of flag.CommandLine that the command has
// defined before.
func Main(name, version string, run func(context.Context, *Service) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := Run(ctx, name, version, flag.CommandLine, os.Args[1:], run)
	stop()
	os.Exit(code)
}

// Run is Main with its arguments given, and returns the exit status: 0 done, 1
// failed, 2 wrong usage.
func Run(ctx context.Context, name, version string, flags *flag.FlagSet, args []string, run func(context.Context, *Service) error) int {
	var o options
	o.define(flags)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	fail := func(err error, code int) int {
		fmt.Fprintf(flags.Output(), "%s: %v\n", name, err)
		return code
	}
	if flags.NArg() > 0 {
		return fail(fmt.Errorf("%q is no flag; -help lists them", flags.Arg(0)), 2)
	}
	version = Version(version)
	switch {
	case o.version:
		fmt.Fprintln(flags.Output(), version)
		return 0
	case o.check:
		if err := check(ctx, o.metrics); err != nil {
			return fail(err, 1)
		}
		return 0
	}
	log, err := o.logger(flags.Output())
	if err != nil {
		return fail(err, 2)
	}
	if err := o.serve(ctx, name, version, log, run); err != nil {
		return fail(err, 1)
	}
	return 0
}

type options struct {
	bus                 bus.Config
	data, config        string
	metrics             string
	monitor             string
	logLevel, logFormat string
	check, version      bool
}

func (o *options) define(f *flag.FlagSet) {
	f.StringVar(&o.bus.URL, "nats", Env("XINWEN_NATS", "nats://127.0.0.1:4222"), "NATS server, or several separated by commas (XINWEN_NATS)")
	f.StringVar(&o.bus.Credentials, "credentials", Env("XINWEN_NATS_CREDENTIALS", ""), "file with a user's JWT and seed for NATS (XINWEN_NATS_CREDENTIALS)")
	f.StringVar(&o.bus.NKey, "nkey", Env("XINWEN_NATS_NKEY", ""), "file with the seed of a user's nkey for NATS (XINWEN_NATS_NKEY)")
	f.StringVar(&o.bus.CA, "ca", Env("XINWEN_NATS_CA", ""), "file with the certificate authority of the NATS server (XINWEN_NATS_CA)")
	f.StringVar(&o.monitor, "monitor", Env("XINWEN_NATS_MONITOR", ""), "monitoring addresses of the NATS servers, such as http://nats-1:8222, separated by commas: whether they sync always is seen there (XINWEN_NATS_MONITOR)")
	f.IntVar(&o.bus.Replicas, "replicas", envInt("XINWEN_NATS_REPLICAS", 0), "servers that keep each stream: 3 on a cluster; 0 is 1 for new ones (XINWEN_NATS_REPLICAS)")
	f.StringVar(&o.data, "data", Env("XINWEN_DATA", "data"), "directory for everything kept (XINWEN_DATA)")
	f.StringVar(&o.config, "config", Env("XINWEN_CONFIG_DIR", ""), "directory of alerts/*.yaml and lexicon/*.yaml, DATA/config if empty (XINWEN_CONFIG_DIR)")
	f.StringVar(&o.metrics, "metrics", Env("XINWEN_METRICS", ""), "address for /metrics, /healthz and /readyz, none if empty (XINWEN_METRICS)")
	f.StringVar(&o.logLevel, "log-level", Env("XINWEN_LOG_LEVEL", "info"), "debug, info, warn or error (XINWEN_LOG_LEVEL)")
	f.StringVar(&o.logFormat, "log-format", Env("XINWEN_LOG_FORMAT", "text"), "text or json (XINWEN_LOG_FORMAT)")
	f.BoolVar(&o.check, "check", false, "ask the service that runs at the metrics address whether it is ready, and end")
	f.BoolVar(&o.version, "version", false, "print the version")
}

// Env returns an environment variable, or another text if that is empty.
func Env(key, other string) string {
	if v := os.Getenv(key); v != "" {
		return v
	}
	return other
}

// envInt is -1 for what is no number, which the bus refuses.
func envInt(key string, other int) int {
	v := os.Getenv(key)
	if v == "" {
		return other
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		return -1
	}
	return n
}

func (o *options) logger(w io.Writer) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.logLevel)); err != nil {
		return nil, fmt.Errorf("log level %q is not debug, info, warn or error", o.logLevel)
	}
	h := &slog.HandlerOptions{Level: level}
	switch o.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(w, h)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, h)), nil
	}
	return nil, fmt.Errorf("log format %q is neither text nor json", o.logFormat)
}

// serve opens what the service needs, runs it, and closes it again.
func (o *options) serve(ctx context.Context, name, version string, log *slog.Logger, run func(context.Context, *Service) error) (err error) {
	o.bus.Dir = o.data // of the outbox
	if o.monitor != "" {
		o.bus.Monitor = strings.Split(o.monitor, ",")
	}
	traces, flush, err := Traces(ctx, name, version, log)
	if err != nil {
		return err
	}
	defer flush(ctx)
	b, err := bus.Open(ctx, bus.Options{Config: o.bus, Name: name, Logger: log, Traces: traces})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	RegisterBus(metrics, b)
	if o.metrics != "" {
		server, err := Listen(ctx, o.metrics, Handler(metrics, b.Check))
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, server.Close()) }()
	}
	log.Info("started", "service", name, "version", version, "data", o.data)
	s := &Service{Bus: b, Log: log, Metrics: metrics, Data: o.data, Config: cmp.Or(o.config, filepath.Join(o.data, "config")), Version: version}
	ctx, cancel := context.WithCancel(ctx)
	err = run(ctx, s)
	cancel()
	s.background.Wait()
	log.Info("stopped", "service", name)
	return err
}

// check asks the service at address whether it is ready. Containers without a
// shell are checked by it.
func check(ctx context.Context, address string) error {
	if address == "" {
		return errors.New("check: name the address of the running service with -metrics")
	}
	if host, port, err := net.SplitHostPort(address); err == nil && (host == "" || host == "0.0.0.0" || host == "::") {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10)) // only for the message
		return fmt.Errorf("not ready: %s", strings.TrimSpace(string(text)))
	}
	return nil
}

// Version returns the given version, or if it is empty the commit that was
// built.
func Version(version string) string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				return "dev-" + s.Value[:12]
			}
		}
	}
	return "dev"
}
