package api

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// TLS names the files that make the api speak https. They are read again when
// they have changed, so that a certificate can be renewed under a running api.
type TLS struct {
	// Cert is the certificate with its chain, Key its key, both PEM.
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

func (c *TLS) validate() error {
	if (c.Cert == "") != (c.Key == "") {
		return errors.New("tls needs both cert and key")
	}
	if c.Cert == "" {
		return nil
	}
	if _, err := tls.LoadX509KeyPair(c.Cert, c.Key); err != nil {
		return fmt.Errorf("tls: %w", err)
	}
	return nil
}

// config returns what a server needs, nil without files.
func (c *TLS) config() *tls.Config {
	if c.Cert == "" {
		return nil
	}
	files := &certificate{files: *c}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return files.current() },
	}
}

// certificateFresh is how often the files are looked at.
const certificateFresh = 30 * time.Second

// certificate keeps what the files held.
type certificate struct {
	files TLS

	mu     sync.Mutex
	looked time.Time // when the files were looked at
	stamp  time.Time // when they were changed
	pair   *tls.Certificate
}

// current returns the certificate of the files, or the last one that was whole.
func (c *certificate) current() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pair != nil && time.Since(c.looked) < certificateFresh {
		return c.pair, nil
	}
	c.looked = time.Now()
	var stamp time.Time
	for _, name := range []string{c.files.Cert, c.files.Key} {
		if info, err := os.Stat(name); err == nil && info.ModTime().After(stamp) {
			stamp = info.ModTime()
		}
	}
	if c.pair != nil && stamp.Equal(c.stamp) {
		return c.pair, nil
	}
	pair, err := tls.LoadX509KeyPair(c.files.Cert, c.files.Key)
	if err != nil {
		if c.pair != nil {
			return c.pair, nil // half written; the next look will tell
		}
		return nil, err
	}
	c.pair, c.stamp = &pair, stamp
	return c.pair, nil
}
