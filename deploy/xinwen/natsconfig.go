package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/nats-io/nkeys"

	"xinwen/deploy/app"
	"xinwen/news/bus"
)

type natsConfigCmd struct {
	Dir     string   `arg:"" placeholder:"DIR" type:"path" help:"New directory for the configuration, the keys and the certificates."`
	Host    []string `default:"localhost,127.0.0.1" help:"Names and addresses of the servers, for their certificate."`
	Listen  string   `default:"0.0.0.0:4222" help:"Address to listen on."`
	Store   string   `default:"/var/lib/nats" help:"Directory of the streams."`
	Cluster []string `placeholder:"HOST" help:"Servers of a cluster, three of them: each gets the same files and its own name in $NATS_NAME."`
}

// Run writes a configuration for NATS servers with TLS and a user for each
// service.
func (c *natsConfigCmd) Run() error {
	if n := len(c.Cluster); n != 0 && n != 3 && n != 5 {
		return hint(fmt.Errorf("nats-config: %d servers make no cluster", n), "name 3 or 5 with --cluster")
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return fmt.Errorf("nats-config: %w", err)
	}
	if files, err := os.ReadDir(c.Dir); err != nil {
		return fmt.Errorf("nats-config: %w", err)
	} else if len(files) > 0 {
		return hint(fmt.Errorf("nats-config: %s is not empty", c.Dir), "name a new directory: keys in use are not overwritten")
	}
	files, err := c.files()
	if err != nil {
		return fmt.Errorf("nats-config: %w", err)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(c.Dir, name), data, 0o600); err != nil {
			return fmt.Errorf("nats-config: %w", err)
		}
	}
	fmt.Printf(`written to %s:
  nats.conf, server.pem, server-key.pem, ca.pem   for the servers: nats-server -c nats.conf
  ca.pem and SERVICE.nk                           for each service: --nats tls://HOST:4222, nats.ca and nats.nkey
  admin.nk                                        for tools; first of all: xinwen streams --nats tls://HOST:4222 --nkey admin.nk --ca ca.pem
`, c.Dir)
	return nil
}

// natsUsers are the users in the order of the configuration.
var natsUsers = append([]string{bus.Admin}, app.All...)

// files makes all files by name.
func (c *natsConfigCmd) files() (map[string][]byte, error) {
	files := make(map[string][]byte)
	type user struct {
		Name, Key string
		bus.Access
	}
	var users []user
	for _, name := range natsUsers {
		access, ok := bus.AccessOf(name)
		if !ok {
			return nil, fmt.Errorf("no rights are known for %s", name)
		}
		pair, err := nkeys.CreateUser()
		if err != nil {
			return nil, err
		}
		seed, err := pair.Seed()
		if err != nil {
			return nil, err
		}
		public, err := pair.PublicKey()
		if err != nil {
			return nil, err
		}
		files[name+".nk"] = append(seed, '\n')
		users = append(users, user{name, public, access})
	}
	if err := c.certificates(files); err != nil {
		return nil, err
	}
	var conf bytes.Buffer
	err := natsTemplate.Execute(&conf, map[string]any{"C": c, "Users": users})
	files["nats.conf"] = conf.Bytes()
	return files, err
}

// certificates adds a certificate authority, whose key is not kept, and a
// certificate of the servers.
func (c *natsConfigCmd) certificates(files map[string][]byte) error {
	now := time.Now()
	caKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	ca := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Xinwen NATS authority"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &caKey.PublicKey, caKey)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	server := &x509.Certificate{
		SerialNumber: new(big.Int).Add(serial, big.NewInt(1)), Subject: pkix.Name{CommonName: "Xinwen NATS server"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
		// Servers of a cluster are each other's clients.
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, h := range append(append([]string(nil), c.Host...), c.Cluster...) {
		if ip := net.ParseIP(h); ip != nil {
			server.IPAddresses = append(server.IPAddresses, ip)
		} else {
			server.DNSNames = append(server.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, server, ca, &key.PublicKey, caKey)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for name, block := range map[string]*pem.Block{
		"ca.pem":         {Type: "CERTIFICATE", Bytes: caDER},
		"server.pem":     {Type: "CERTIFICATE", Bytes: der},
		"server-key.pem": {Type: "PRIVATE KEY", Bytes: keyDER},
	} {
		files[name] = pem.EncodeToMemory(block)
	}
	return nil
}

var natsTemplate = template.Must(template.New("nats.conf").Funcs(template.FuncMap{
	"list": func(subjects []string) string {
		return `["` + strings.Join(subjects, "\", \"") + `"]`
	},
}).Parse(`# Written by xinwen nats-config. Paths are relative to the working directory of
# nats-server; each user's seed is in the file of its name with the ending .nk.
{{if .C.Cluster}}server_name: $NATS_NAME{{else}}server_name: xinwen{{end}}
listen: "{{.C.Listen}}"
http: "127.0.0.1:8222"
max_payload: 1MB

jetstream {
  store_dir: "{{.C.Store}}"
  # With the default of two minutes a power cut loses messages that were acked.
  sync_interval: always
}

tls {
  cert_file: "server.pem"
  key_file: "server-key.pem"
  ca_file: "ca.pem"
  timeout: 5
}
{{if .C.Cluster}}
cluster {
  name: xinwen
  listen: "0.0.0.0:6222"
  routes: [{{range .C.Cluster}}"nats-route://{{.}}:6222" {{end}}]
  tls {
    cert_file: "server.pem"
    key_file: "server-key.pem"
    ca_file: "ca.pem"
    timeout: 5
  }
}
{{end}}
authorization {
  timeout: 5
  users: [
{{- range .Users}}
    { # {{.Name}}
      nkey: {{.Key}}
      permissions: {
        publish: { allow: {{list .Publish}} }
        subscribe: { allow: {{list .Subscribe}} }
{{- if .Responses}}
        allow_responses: { max: 1000, expires: "1m" }
{{- end}}
      }
    }
{{- end}}
  ]
}
`))

type streamsCmd struct {
	busFlags
	Replicas int `placeholder:"N" env:"XINWEN_NATS_REPLICAS" help:"Servers that keep each stream: 3 on a cluster."`
}

// Run makes the streams that are missing, mends the others, and prints how they
// are.
func (c *streamsCmd) Run(ctx context.Context, k *cli) (err error) {
	config, err := c.app(k)
	if err != nil {
		return err
	}
	if c.Replicas != 0 {
		config.NATS.Replicas = c.Replicas
	}
	log, err := config.Log.Logger()
	if err != nil {
		return err
	}
	b, err := openBus(ctx, config, log, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	list, err := b.Status(ctx)
	if err != nil {
		return err
	}
	for _, s := range list {
		fmt.Printf("%-12s %9d messages up to %-9d %9d KiB of %d MiB\n", s.Name, s.Messages, s.LastSeq, s.Bytes>>10, s.MaxBytes>>20)
		for _, consumer := range s.Consumers {
			fmt.Printf("  %-20s %9d to come, %d under way\n", consumer.Name, consumer.Pending, consumer.AckPending)
		}
	}
	return nil
}
