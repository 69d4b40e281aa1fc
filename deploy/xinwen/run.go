package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"xinwen/deploy/app"
)

// configFlags are laid over a configuration file.
type configFlags struct {
	Data   string `placeholder:"DIR" env:"XINWEN_DATA" help:"Directory for everything kept (default ./data)."`
	Config string `placeholder:"FILE" env:"XINWEN_CONFIG" type:"existingfile" help:"Configuration file; alerts/*.yaml and lexicon/*.yaml beside it are read too."`
	engineFlags
}

func (f configFlags) config(c *cli) (app.Config, error) {
	var config app.Config
	if f.Config != "" {
		var err error
		if config, err = app.ReadConfig(f.Config); err != nil {
			return config, err
		}
	}
	if f.Data != "" {
		config.Data = f.Data
	}
	config.API.Auth.AdminKey = os.Getenv("XINWEN_ADMIN_KEY")
	if c.LogLevel != "" {
		config.Log.Level = c.LogLevel
	}
	if c.LogFormat != "" {
		config.Log.Format = c.LogFormat
	}
	return config, f.lay(&config.Indexer)
}

type runCmd struct {
	configFlags
	Listen  string   `placeholder:"ADDR" env:"XINWEN_LISTEN" help:"Address of the api and the pages (default 127.0.0.1:8080)."`
	Open    bool     `env:"XINWEN_OPEN" help:"Let everybody who reaches the api do everything, also from other machines; without it that needs a key."`
	Sources string   `placeholder:"FILE|none" env:"XINWEN_SOURCES" help:"Sources to follow instead of the built-in ones; none follows nothing."`
	Resolve []string `placeholder:"HOST:PORT:ADDR" env:"XINWEN_RESOLVE" help:"Where to find hosts instead of asking DNS, as curl has it; '*=ADDR' for all."`
}

// Run runs everything until it is told to stop.
func (r *runCmd) Run(ctx context.Context, c *cli) error {
	config, err := r.config(c)
	if err != nil {
		return err
	}
	if r.Listen != "" {
		config.API.Listen = r.Listen
	}
	config.API.Auth.Open = config.API.Auth.Open || r.Open
	if r.Sources != "" {
		config.Crawler.Sources = r.Sources
	}
	config.Crawler.Resolve = append(config.Crawler.Resolve, r.Resolve...)
	log, err := config.Log.Logger()
	if err != nil {
		return err
	}
	a, err := app.New(app.Options{Config: config, Logger: log, Version: versionText()})
	if err != nil {
		return err
	}
	if err := a.Start(ctx); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "Xinwen is at http://%s — Ctrl-C stops it\n", a.Addr())
	select {
	case <-ctx.Done():
	case <-a.Done():
	}
	return stop(ctx, a)
}

// stop gives an App the time to end what it has begun.
func stop(ctx context.Context, a *app.App) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 15*time.Second)
	defer cancel()
	return a.Stop(ctx)
}

type serviceCmd struct {
	configFlags
	NATS    string   `name:"nats" placeholder:"URL" env:"XINWEN_NATS" help:"NATS server, or several separated by commas."`
	NKey    string   `name:"nkey" placeholder:"FILE" env:"XINWEN_NATS_NKEY" help:"Seed of the service's nkey for the NATS server."`
	CA      string   `name:"ca" placeholder:"FILE" env:"XINWEN_NATS_CA" help:"Certificate authority of the NATS server."`
	Listen  string   `placeholder:"ADDR" help:"api: address to listen on (default 127.0.0.1:8080)."`
	Open    bool     `env:"XINWEN_OPEN" help:"api: let everybody who reaches it do everything, also from other machines."`
	Sources string   `placeholder:"FILE|none" env:"XINWEN_SOURCES" help:"crawler: sources to follow instead of the built-in ones."`
	Resolve []string `placeholder:"HOST:PORT:ADDR" env:"XINWEN_RESOLVE" help:"crawler: where to find hosts instead of asking DNS, as curl has it; '*=ADDR' for all."`
	Metrics string   `placeholder:"ADDR" env:"XINWEN_METRICS" help:"crawler, extractor, indexer: address for /metrics, /healthz and /readyz."`
}

// Run runs the service that the command line names.
func (s *serviceCmd) Run(ctx context.Context, c *cli, k *kong.Context) error {
	service := k.Selected().Name
	config, err := s.config(c)
	if err != nil {
		return err
	}
	config.NATS.URL = cmp.Or(s.NATS, config.NATS.URL)
	config.NATS.NKey = cmp.Or(s.NKey, config.NATS.NKey)
	config.NATS.CA = cmp.Or(s.CA, config.NATS.CA)
	if config.NATS.URL == "" {
		return hint(fmt.Errorf("the %s alone needs a NATS server", service), "name it with --nats nats://HOST:4222, or run everything in one process with `xinwen`")
	}
	if s.Listen != "" {
		config.API.Listen = s.Listen
	}
	config.API.Auth.Open = config.API.Auth.Open || s.Open
	if s.Sources != "" {
		config.Crawler.Sources = s.Sources
	}
	config.Crawler.Resolve = append(config.Crawler.Resolve, s.Resolve...)
	if s.Metrics != "" {
		config.Metrics = s.Metrics
	}
	log, err := config.Log.Logger()
	if err != nil {
		return err
	}
	return app.Run(ctx, app.Options{Config: config, Services: []string{service}, Logger: log, Version: versionText()})
}
