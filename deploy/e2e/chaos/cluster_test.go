package chaos

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"xinwen/deploy/e2e/internal/run"
)

// cluster is the parts of three NATS servers, and their addresses as a client
// wants them. Each listens on the host of its number.
func cluster(t *testing.T, host func(int) string) ([]run.Part, string) {
	t.Helper()
	dir := t.TempDir()
	var list []run.Part
	var urls []string
	for i := range 3 {
		client, peers := run.FreeAddr(t), run.FreeAddr(t)
		list = append(list, run.Part{
			Name: fmt.Sprint("nats-", i), Data: filepath.Join(dir, fmt.Sprint(i)),
			Serve: on(host(i), client), Cluster: on(host(i), peers),
		})
		urls = append(urls, "nats://"+list[i].Serve)
	}
	for i := range list {
		for _, other := range list {
			list[i].Routes = append(list[i].Routes, other.Cluster)
		}
	}
	return list, strings.Join(urls, ",")
}

func loopback(int) string { return "127.0.0.1" }

// on puts the port of an address on another host.
func on(host, addr string) string { return host + addr[strings.LastIndex(addr, ":"):] }
