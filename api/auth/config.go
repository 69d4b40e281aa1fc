package auth

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"time"
)

// Config is what the operator writes.
type Config struct {
	// Open lets everybody who reaches the api do everything, wherever it listens.
	// Without keys it otherwise answers this machine only.
	Open bool `yaml:"open"`
	// AdminKeyFile names a file that holds a key with the role admin; the
	// environment variable XINWEN_ADMIN_KEY may hold it instead.
	AdminKeyFile string `yaml:"admin_key_file"`
	// AdminKey is that key itself; it is not read from a file of configuration.
	AdminKey string `yaml:"-"`
	// Session is how long a browser stays logged in (default 12 h).
	Session time.Duration `yaml:"session"`
	// RequestsPerMinute bounds the requests of one key, and of one address
	// without a key (default 1200). Costly ones count for several.
	RequestsPerMinute int `yaml:"requests_per_minute"`
	// TrustedProxies are the addresses, or ranges of them, of proxies whose
	// X-Forwarded-For and X-Forwarded-Proto are believed.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// OIDC lets people log in at an identity provider.
	OIDC OIDC `yaml:"oidc"`
}

const (
	defaultSession  = 12 * time.Hour
	defaultRequests = 1200
	// minAdminKey is the least length of a key that somebody has chosen.
	minAdminKey = 32
)

// Validate returns all faults of c at once.
func (c *Config) Validate() error {
	var errs []error
	if c.Session < 0 {
		errs = append(errs, errors.New("auth: session is negative; leave it out for 12h"))
	}
	if c.RequestsPerMinute < 0 {
		errs = append(errs, errors.New("auth: requests_per_minute is negative; leave it out for 1200"))
	}
	if _, err := c.proxies(); err != nil {
		errs = append(errs, err)
	}
	if c.AdminKey != "" && c.AdminKeyFile != "" {
		errs = append(errs, errors.New("auth: XINWEN_ADMIN_KEY and admin_key_file are both set; remove one"))
	}
	if err := c.OIDC.validate(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (c *Config) proxies() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, text := range c.TrustedProxies {
		p, err := netip.ParsePrefix(text)
		if a, bad := netip.ParseAddr(text); bad == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("auth: trusted_proxies: %q is no address or range; write for example 10.0.0.0/8", text)
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

// HasAdmin reports whether the operator has chosen a key with the role admin. The
// error says what is wrong with it.
func (c *Config) HasAdmin() (bool, error) {
	keys, err := c.adminKeys()
	return len(keys) > 0, err
}

// adminKeys returns the keys that the operator has chosen.
func (c *Config) adminKeys() ([]string, error) {
	key, where := c.AdminKey, "XINWEN_ADMIN_KEY"
	if c.AdminKeyFile != "" {
		data, err := os.ReadFile(c.AdminKeyFile)
		if err != nil {
			return nil, fmt.Errorf("auth: admin_key_file: %w", err)
		}
		key, where = strings.TrimSpace(string(data)), c.AdminKeyFile
	}
	switch {
	case key == "" && c.AdminKeyFile == "":
		return nil, nil
	case len(key) < minAdminKey:
		return nil, fmt.Errorf("auth: the key in %s is shorter than %d characters; make one with `openssl rand -hex 32`", where, minAdminKey)
	case garbled(key):
		return nil, fmt.Errorf("auth: the key in %s is not whole: a character was lost or changed", where)
	}
	return []string{key}, nil
}
