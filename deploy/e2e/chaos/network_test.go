package chaos

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// network is hosts in network namespaces of their own, joined by a switch in one
// more, to which this host is connected, too.
type network struct {
	t    *testing.T
	name string // that all names begin with
	net  string // the first three numbers of addresses
}

// newNetwork makes a network that ends with the test. It skips the test where that
// is not permitted.
func newNetwork(t *testing.T, hosts int) *network {
	t.Helper()
	n := &network{t: t, name: fmt.Sprintf("xw%d", os.Getpid()), net: fmt.Sprintf("10.213.%d", os.Getpid()%250)}
	t.Cleanup(func() {
		for i := range hosts + 1 {
			_ = n.ip("netns", "del", n.namespace(i-1)) // and with it both ends of its links
		}
	})
	hub := n.namespace(-1)
	steps := [][]string{
		{"netns", "add", hub},
		{"-n", hub, "link", "add", "switch", "type", "bridge"},
		{"-n", hub, "link", "set", "switch", "up"},
		{"link", "add", n.name, "type", "veth", "peer", "name", "here", "netns", hub},
		{"-n", hub, "link", "set", "here", "master", "switch", "up"},
		{"addr", "add", n.net + ".1/24", "dev", n.name},
		{"link", "set", n.name, "up"},
	}
	for i := range hosts {
		own := n.namespace(i)
		steps = append(steps, [][]string{
			{"netns", "add", own},
			{"link", "add", "wire", "netns", own, "type", "veth", "peer", "name", own, "netns", hub},
			{"-n", own, "addr", "add", n.host(i) + "/24", "dev", "wire"},
			{"-n", own, "link", "set", "wire", "up"},
			{"-n", own, "link", "set", "lo", "up"},
			{"-n", hub, "link", "set", own, "up"},
			n.joining(i),
		}...)
	}
	for _, step := range steps {
		if err := n.ip(step...); err != nil {
			t.Skipf("no network of its own can be made here: %v", err)
		}
	}
	return n
}

// namespace names that of a host, or of the switch, which is number -1.
func (n *network) namespace(host int) string { return fmt.Sprintf("%s-%d", n.name, host+1) }

// host is the address of a host.
func (n *network) host(i int) string { return fmt.Sprintf("%s.%d", n.net, 10+i) }

func (n *network) joining(i int) []string {
	return []string{"-n", n.namespace(-1), "link", "set", n.namespace(i), "master", "switch"}
}

// cut parts a host from all others: what is sent is lost, and nobody is told.
func (n *network) cut(i int) {
	n.t.Helper()
	if err := n.ip("-n", n.namespace(-1), "link", "set", n.namespace(i), "nomaster"); err != nil {
		n.t.Fatal(err)
	}
}

// join joins a host to the others again.
func (n *network) join(i int) {
	n.t.Helper()
	if err := n.ip(n.joining(i)...); err != nil {
		n.t.Fatal(err)
	}
}

func (n *network) ip(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}
