package crawler

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"xinwen/crawler/fetch"
	"xinwen/crawler/render"
	"xinwen/crawler/source"
	"xinwen/crawler/warc"
	"xinwen/crawler/websub"
	"xinwen/news/bus"
)

// NoSources as Config.Sources follows no sources at all.
const NoSources = "none"

// Config is what the operator writes.
type Config struct {
	// Sources is the file of sources; "" means the built-in ones, "none" none.
	Sources string `json:"sources,omitempty" yaml:"sources,omitempty"`
	// UserAgent names us; Contact, a URL or mail address, joins it so that
	// publishers can reach the operator.
	UserAgent string `json:"user_agent,omitempty" yaml:"user_agent,omitempty"`
	Contact   string `json:"contact,omitempty" yaml:"contact,omitempty"`
	// Resolve overrides name resolution: "HOST:PORT=ADDRESS", "*=ADDRESS".
	Resolve []string `json:"resolve,omitempty" yaml:"resolve,omitempty"`
	// AllowPrivate lets addresses be fetched that are not public.
	AllowPrivate bool `json:"allow_private,omitempty" yaml:"allow_private,omitempty"`
	// MaxBodyBytes bounds one answer, default 10 MiB.
	MaxBodyBytes int64 `json:"max_body_bytes,omitempty" yaml:"max_body_bytes,omitempty"`
	// HeaderTimeout and Timeout bound the time to the header of an answer and to
	// its end, default 10 s and 30 s.
	HeaderTimeout time.Duration `json:"header_timeout,omitempty" yaml:"header_timeout,omitempty"`
	Timeout       time.Duration `json:"timeout,omitempty" yaml:"timeout,omitempty"`
	// Concurrency bounds the requests under way, default 16.
	Concurrency int `json:"concurrency,omitempty" yaml:"concurrency,omitempty"`
	// MinInterval bounds how often a source is polled, default 60 s. Less is for
	// simulated webs.
	MinInterval time.Duration `json:"min_interval,omitempty" yaml:"min_interval,omitempty"`
	// WebSub subscribes to feeds at their hubs.
	WebSub websub.Config `json:"websub,omitzero" yaml:"websub,omitempty"`
	// WARC writes what was fetched into web archives.
	WARC warc.Config `json:"warc,omitzero" yaml:"warc,omitempty"`
	// Render runs the scripts of pages whose sources ask for it.
	Render render.Config `json:"render,omitzero" yaml:"render,omitempty"`
	// Once ends the crawl when every source was polled once and the frontier is
	// empty.
	Once bool `json:"once,omitempty" yaml:"once,omitempty"`
}

// Options is what code passes.
type Options struct {
	Config
	Bus *bus.Bus
	// List takes the place of Config.Sources; nil means that that is read.
	List *source.Set
	// Logger defaults to discarding, Metrics to none.
	Logger  *slog.Logger
	Metrics prometheus.Registerer

	leaseTTL time.Duration // tests take over sooner
}

// Defaults of Config.
const (
	DefaultConcurrency = 16
	DefaultMinInterval = time.Minute
)

// Validate returns every fault of c at once.
func (c Config) Validate() error {
	errs := []error{c.WebSub.Validate(), c.WARC.Validate(), c.Render.Validate()}
	for name, n := range map[string]int64{
		"max_body_bytes": c.MaxBodyBytes, "header_timeout": int64(c.HeaderTimeout), "timeout": int64(c.Timeout),
		"concurrency": int64(c.Concurrency), "min_interval": int64(c.MinInterval),
	} {
		if n < 0 {
			errs = append(errs, fmt.Errorf("crawler: %s is negative", name))
		}
	}
	if c.MaxBodyBytes > bus.MaxPageBytes {
		errs = append(errs, fmt.Errorf("crawler: max_body_bytes is %d, more than the bus takes (%d)", c.MaxBodyBytes, bus.MaxPageBytes))
	}
	return errors.Join(errs...)
}

func (o Options) withDefaults() (Options, error) {
	if o.Bus == nil {
		return o, errors.New("crawler: no bus")
	}
	if err := o.Validate(); err != nil {
		return o, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Concurrency == 0 {
		o.Concurrency = DefaultConcurrency
	}
	if o.MinInterval == 0 {
		o.MinInterval = DefaultMinInterval
	}
	return o, nil
}

// ReadSources returns the sources that c names, or every fault of their file.
func (c Config) ReadSources() (*source.Set, error) {
	switch {
	case c.Sources == "":
		return source.Default(), nil
	case c.Sources == NoSources:
		return source.NewSet(), nil
	}
	return source.Load(c.Sources)
}

// sources returns list, or else the sources that c names.
func (c Config) sources(list *source.Set) (*source.Set, error) {
	if list != nil {
		return list, nil
	}
	return c.ReadSources()
}

// client returns what fetches as c says.
func (c Config) client() (*fetch.Client, error) {
	client, err := fetch.New(fetch.Config{
		UserAgent: c.UserAgent, Contact: c.Contact, Resolve: c.Resolve, AllowPrivate: c.AllowPrivate,
		MaxBodyBytes: c.MaxBodyBytes, HeaderTimeout: c.HeaderTimeout, Timeout: c.Timeout,
	})
	if err != nil {
		return nil, fmt.Errorf("crawler: %w", err)
	}
	return client, nil
}
