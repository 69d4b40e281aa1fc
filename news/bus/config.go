package bus

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// Config is what the operator writes. The zero value, with a Dir, runs an
// embedded server.
type Config struct {
	// URL is the external NATS server, or several separated by commas, or
	// unix://PATH for the socket of an embedded one in another process; "" runs an
	// embedded one.
	URL string `json:"url,omitempty" yaml:"url,omitempty"`
	// Credentials is a file with the user's JWT and seed, NKey one with the seed
	// of an nkey alone, CA one with the certificate authority of an external
	// server.
	Credentials string `json:"credentials,omitempty" yaml:"credentials,omitempty"`
	NKey        string `json:"nkey,omitempty" yaml:"nkey,omitempty"`
	CA          string `json:"ca,omitempty" yaml:"ca,omitempty"`
	// Monitor lists monitoring addresses of the external servers
	// (http://host:8222), by which Open checks that they sync always.
	Monitor []string `json:"monitor,omitempty" yaml:"monitor,omitempty"`
	// Dir holds the embedded server's store and the outbox. Without it an
	// external bus has no outbox.
	Dir string `json:"dir,omitempty" yaml:"dir,omitempty"`
	// Listen is the host:port the embedded server opens; "" opens none.
	Listen string `json:"listen,omitempty" yaml:"listen,omitempty"`
	// Replicas is how many servers keep each stream: 1, or 3 on a cluster. 0 is 1
	// for a new stream and leaves an existing one as it is.
	Replicas int `json:"replicas,omitempty" yaml:"replicas,omitempty"`
	// Limits bound the streams.
	Limits Limits `json:"limits,omitzero" yaml:"limits,omitempty"`
	// MinFreeBytes of disk must be left under Dir for Publish to accept pages
	// and frontier entries, half of it for anything; default 512 MiB, -1 for no
	// check.
	MinFreeBytes int64 `json:"min_free_bytes,omitempty" yaml:"min_free_bytes,omitempty"`
	// RetryWindow is how long Publish tries before it turns to the outbox,
	// default 60 s: longer than a cluster takes to elect a leader.
	RetryWindow time.Duration `json:"retry_window,omitempty" yaml:"retry_window,omitempty"`
	// OutboxMaxBytes bounds the outbox, default 1 GiB.
	OutboxMaxBytes int64 `json:"outbox_max_bytes,omitempty" yaml:"outbox_max_bytes,omitempty"`
}

// DefaultMinFreeBytes is the default of Config.MinFreeBytes.
const DefaultMinFreeBytes = 512 << 20

// Limits bound streams and buckets; a stream that is full refuses new messages
// and never drops old ones, except PAGES those that all consumers have acked.
// Zero means the default for a new stream and no
// change to an existing one.
type Limits struct {
	FrontierBytes   int64 `json:"frontier_bytes,omitempty" yaml:"frontier_bytes,omitempty"`     // 1 GiB
	PagesBytes      int64 `json:"pages_bytes,omitempty" yaml:"pages_bytes,omitempty"`           // 8 GiB
	ArticlesBytes   int64 `json:"articles_bytes,omitempty" yaml:"articles_bytes,omitempty"`     // 64 GiB
	AlertsBytes     int64 `json:"alerts_bytes,omitempty" yaml:"alerts_bytes,omitempty"`         // 4 GiB
	QuarantineBytes int64 `json:"quarantine_bytes,omitempty" yaml:"quarantine_bytes,omitempty"` // 4 GiB
	ObjectBytes     int64 `json:"object_bytes,omitempty" yaml:"object_bytes,omitempty"`         // 4 GiB
	BucketBytes     int64 `json:"bucket_bytes,omitempty" yaml:"bucket_bytes,omitempty"`         // 2 GiB each
	// PagesAge is how long pages are kept, default 7 days.
	PagesAge time.Duration `json:"pages_age,omitempty" yaml:"pages_age,omitempty"`
}

// Options is what code passes to Open.
type Options struct {
	Config
	// Name is the service's name: it names the connection, the outbox and
	// quarantined messages. Default "xinwen".
	Name string
	// Logger defaults to discarding.
	Logger *slog.Logger
	// Traces makes spans of what is sent and handled, and carries them in the
	// headers of messages; nil makes none.
	Traces trace.TracerProvider
	// Reached, if not nil, is told when the process comes to a boundary of its
	// work (see Bus.Reached). A test that kills the process there sets it.
	Reached func(boundary string)
}

func (o Options) withDefaults() (Options, error) {
	if o.Name == "" {
		o.Name = "xinwen"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.RetryWindow == 0 {
		o.RetryWindow = time.Minute
	}
	if o.OutboxMaxBytes == 0 {
		o.OutboxMaxBytes = 1 << 30
	}
	if o.MinFreeBytes == 0 {
		o.MinFreeBytes = DefaultMinFreeBytes
	}
	return o, o.Validate()
}

// Validate returns every fault of c at once.
func (c Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("bus: "+format, args...)) }
	if c.URL == "" {
		if c.Dir == "" {
			bad("dir is required for the embedded server (or give the url of an external one)")
		}
		if c.Replicas > 1 {
			bad("replicas %d needs an external cluster: set url, or replicas to 1", c.Replicas)
		}
		if c.Credentials != "" || c.NKey != "" || c.CA != "" || len(c.Monitor) > 0 {
			bad("credentials, nkey, ca and monitor are for an external server: set url")
		}
	} else if c.Listen != "" {
		bad("listen is for the embedded server: remove url or listen")
	}
	if c.Credentials != "" && c.NKey != "" {
		bad("credentials and nkey are two ways to say who we are: remove one")
	}
	if c.Listen != "" {
		if _, _, err := net.SplitHostPort(c.Listen); err != nil {
			bad("listen %q is not host:port: %w", c.Listen, err)
		}
	}
	if c.Replicas < 0 || c.Replicas > 5 {
		bad("replicas %d is not between 1 and 5", c.Replicas)
	}
	if c.RetryWindow < 0 {
		bad("retry_window %s is negative", c.RetryWindow)
	}
	l := c.Limits
	for name, n := range map[string]int64{
		"frontier_bytes": l.FrontierBytes, "pages_bytes": l.PagesBytes, "articles_bytes": l.ArticlesBytes,
		"alerts_bytes": l.AlertsBytes, "quarantine_bytes": l.QuarantineBytes, "object_bytes": l.ObjectBytes,
		"bucket_bytes": l.BucketBytes, "pages_age": int64(l.PagesAge), "outbox_max_bytes": c.OutboxMaxBytes,
	} {
		if n < 0 {
			bad("%s is negative", name)
		}
	}
	return errors.Join(errs...)
}

// urls returns URL as written without user names and passwords, for messages.
func (c Config) urls() string {
	var out []string
	for u := range strings.SplitSeq(c.URL, ",") {
		scheme, rest, ok := strings.Cut(strings.TrimSpace(u), "://")
		if !ok {
			scheme, rest = "nats", scheme
		}
		if i := strings.LastIndexByte(rest, '@'); i >= 0 {
			rest = rest[i+1:]
		}
		out = append(out, scheme+"://"+rest)
	}
	return strings.Join(out, ",")
}
