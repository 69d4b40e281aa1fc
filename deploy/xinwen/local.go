package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net"
	"time"

	"xinwen/deploy/app"
	"xinwen/news/bus"
)

// busFlags reach the streams themselves: those of a NATS server, of a running
// xinwen with its data on this machine, or of one that is stopped.
type busFlags struct {
	configFlags
	NATS string `name:"nats" placeholder:"URL" env:"XINWEN_NATS" help:"NATS server, or several separated by commas; without it the streams under --data."`
	NKey string `name:"nkey" placeholder:"FILE" env:"XINWEN_NATS_NKEY" help:"Seed of a user's nkey for the NATS server."`
	CA   string `name:"ca" placeholder:"FILE" env:"XINWEN_NATS_CA" help:"Certificate authority of the NATS server."`
}

// app returns the configuration with the flags laid over it.
func (f busFlags) app(c *cli) (app.Config, error) {
	config, err := f.config(c)
	if err != nil {
		return config, err
	}
	config.NATS.URL = cmp.Or(f.NATS, config.NATS.URL)
	config.NATS.NKey = cmp.Or(f.NKey, config.NATS.NKey)
	config.NATS.CA = cmp.Or(f.CA, config.NATS.CA)
	return config.WithDefaults()
}

// open opens the streams. With stopped set, nothing else may be using them.
func (f busFlags) open(ctx context.Context, c *cli, stopped bool) (*bus.Bus, error) {
	config, err := f.app(c)
	if err != nil {
		return nil, err
	}
	if config.Log.Level == "" {
		config.Log.Level = "error"
	}
	log, err := config.Log.Logger()
	if err != nil {
		return nil, err
	}
	return openBus(ctx, config, log, stopped)
}

func openBus(ctx context.Context, config app.Config, log *slog.Logger, stopped bool) (*bus.Bus, error) {
	o := bus.Options{Config: config.NATS, Name: "tool", Logger: log}
	switch socket := bus.SocketPath(config.NATS.Dir); {
	case o.URL != "":
		o.Dir = "" // of an outbox: a tool has none
	case answers(ctx, socket):
		if stopped {
			return nil, hint(fmt.Errorf("xinwen is running over %s", config.Data), "stop it first")
		}
		o.Config = bus.Config{URL: "unix://" + socket, Limits: o.Limits}
	}
	return bus.Open(ctx, o)
}

// answers reports whether a process listens on a socket.
func answers(ctx context.Context, path string) bool {
	c, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
	if err != nil {
		return false
	}
	_ = c.Close() // it answered
	return true
}
