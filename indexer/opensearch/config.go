package opensearch

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"
	"time"
)

// Config says which cluster to use and how. Only URLs is required.
type Config struct {
	// URLs are those of some or all nodes; the others are not looked for.
	URLs []string `json:"urls,omitempty" yaml:"urls,omitempty"`
	// Username and Password log in. PasswordFile is read where Password is empty.
	Username     string `json:"username,omitempty" yaml:"username,omitempty"`
	Password     string `json:"-" yaml:"password,omitempty"`
	PasswordFile string `json:"password_file,omitempty" yaml:"password_file,omitempty"`
	// CA is a file of certificates in PEM that sign those of the nodes.
	CA string `json:"ca,omitempty" yaml:"ca,omitempty"`
	// Prefix begins the names of all that is made in the cluster, and is the alias
	// of the index in use. Default xinwen.
	Prefix string `json:"prefix,omitempty" yaml:"prefix,omitempty"`
	// Shards is the number of primary shards of an index, Replicas how many copies
	// there are of each. Default 1, and as OpenSearch finds nodes for, up to 1.
	Shards   int  `json:"shards,omitempty" yaml:"shards,omitempty"`
	Replicas *int `json:"replicas,omitempty" yaml:"replicas,omitempty"`
	// Monthly keeps the articles of each month, by their time, in an index of its
	// own, which pays from some 10 million articles on.
	Monthly bool `json:"monthly,omitempty" yaml:"monthly,omitempty"`
	// KeepDays is after how many days an article leaves the index, with Monthly
	// those of a whole month at once; 0 is never.
	KeepDays int `json:"keep_days,omitempty" yaml:"keep_days,omitempty"`
	// ReadOnly leaves writing to another indexer.
	ReadOnly bool `json:"read_only,omitempty" yaml:"read_only,omitempty"`
	// Timeout bounds one request. Default 30 s.
	Timeout time.Duration `json:"timeout,omitempty" yaml:"timeout,omitempty"`
}

// DefaultPrefix is the value of an empty Config.Prefix.
const DefaultPrefix = "xinwen"

const defaultTimeout = 30 * time.Second

var prefixForm = regexp.MustCompile(`^[a-z][a-z0-9_.-]*$`)

// Validate returns every fault of c at once.
func (c Config) Validate() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("opensearch: "+format, args...)) }
	if len(c.URLs) == 0 {
		wrong("urls is empty: name at least one node, such as http://127.0.0.1:9200")
	}
	for _, s := range c.URLs {
		if u, err := url.Parse(s); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			wrong("url %q is not of the form http://HOST:PORT", s)
		}
	}
	if c.Prefix != "" && !prefixForm.MatchString(c.Prefix) {
		wrong("prefix %q: use a small letter first, then a-z, 0-9, -, _ and .", c.Prefix)
	}
	if c.Shards < 0 || c.Shards > 1024 {
		wrong("shards %d is not from 1 to 1024", c.Shards)
	}
	if c.Replicas != nil && *c.Replicas < 0 {
		wrong("replicas %d is negative", *c.Replicas)
	}
	if c.KeepDays < 0 {
		wrong("keep_days %d is negative", c.KeepDays)
	}
	if c.Timeout < 0 {
		wrong("timeout %s is negative", c.Timeout)
	}
	return errors.Join(errs...)
}

// withDefaults fills in what is empty and reads the password.
func (c Config) withDefaults() (Config, error) {
	if c.Prefix == "" {
		c.Prefix = DefaultPrefix
	}
	if c.Shards == 0 {
		c.Shards = 1
	}
	if c.Timeout == 0 {
		c.Timeout = defaultTimeout
	}
	if c.Password == "" && c.PasswordFile != "" {
		data, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return c, fmt.Errorf("opensearch: password_file: %w", err)
		}
		c.Password = strings.TrimRight(string(data), "\r\n")
	}
	return c, nil
}
