package app

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"xinwen/api"
	"xinwen/crawler"
	"xinwen/extractor"
	"xinwen/indexer"
	"xinwen/news/bus"
)

// Config is what the operator writes: the configuration file, over which
// environment and flags are laid. The zero value runs everything with data
// under ./data.
type Config struct {
	// Data is the directory that holds everything kept: streams, index, outbox.
	// Default ./data.
	Data string `yaml:"data"`
	// Dir is the directory of alerts/*.yaml and lexicon/*.yaml. Default: where
	// the configuration file lies, else Data/config.
	Dir string `yaml:"-"`
	// Metrics is the address at which a service without an api answers
	// /metrics, /healthz and /readyz; "" for none. The api has them itself.
	Metrics   string           `yaml:"metrics"`
	Log       Log              `yaml:"log"`
	NATS      bus.Config       `yaml:"nats"`
	Crawler   crawler.Config   `yaml:"crawler"`
	Extractor extractor.Config `yaml:"extractor"`
	Indexer   indexer.Config   `yaml:"indexer"`
	API       api.Config       `yaml:"api"`
}

// Log says what is logged and how.
type Log struct {
	// Level is debug, info (the default), warn or error.
	Level string `yaml:"level"`
	// Format is text (the default) or json.
	Format string `yaml:"format"`
}

// ReadConfig reads a configuration file. Keys it does not know are errors.
func ReadConfig(path string) (Config, error) {
	var c Config
	data, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("configuration: %w", err)
	}
	if len(bytes.TrimSpace(data)) > 0 {
		if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&c); err != nil {
			return c, fmt.Errorf("configuration %s: %s", path, strings.TrimSpace(yaml.FormatError(err, false, true)))
		}
	}
	c.Dir = filepath.Dir(path)
	return c, nil
}

// WithDefaults fills in what is empty and returns every fault at once.
func (c Config) WithDefaults() (Config, error) {
	if c.Data == "" {
		c.Data = "data"
	}
	if c.Dir == "" {
		c.Dir = filepath.Join(c.Data, "config")
	}
	if c.NATS.Dir == "" {
		c.NATS.Dir = filepath.Join(c.Data, "nats")
	}
	if c.API.AlertsDir == "" {
		c.API.AlertsDir = filepath.Join(c.Dir, "alerts")
	}
	var errs []error
	if _, err := c.Log.level(); err != nil {
		errs = append(errs, err)
	}
	if c.Log.Format != "" && c.Log.Format != "text" && c.Log.Format != "json" {
		errs = append(errs, fmt.Errorf("log: format %q is neither text nor json", c.Log.Format))
	}
	errs = append(errs, c.NATS.Validate(), c.Crawler.Validate(), c.Extractor.Validate(), c.Indexer.Validate(), c.API.Validate())
	return c, errors.Join(errs...)
}

func (l Log) level() (slog.Level, error) {
	var level slog.Level
	if l.Level == "" {
		return slog.LevelInfo, nil
	}
	if err := level.UnmarshalText([]byte(l.Level)); err != nil {
		return level, fmt.Errorf("log: level %q is not debug, info, warn or error", l.Level)
	}
	return level, nil
}

// Logger returns a logger that writes to standard error as l says.
func (l Log) Logger() (*slog.Logger, error) {
	level, err := l.level()
	if err != nil {
		return nil, err
	}
	o := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, o)), nil
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o)), nil
}

// CheckData makes the data directory (./data if dir is empty) and checks that it
// can be written.
func CheckData(dir string) error {
	if dir == "" {
		dir = "data"
	}
	if err := os.MkdirAll(dir, 0o700); err != nil { // whoever reads it knows everything
		return fmt.Errorf("data directory: %w; name another with --data", err)
	}
	probe, err := os.CreateTemp(dir, ".writable-*")
	if err != nil {
		return fmt.Errorf("data directory %s cannot be written: %w; give this user the right to, or name another with --data", dir, err)
	}
	probe.Close()
	return os.Remove(probe.Name())
}
