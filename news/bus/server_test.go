package bus_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"

	"xinwen/news/bus"
)

// serverEnv makes the test binary a NATS server: "name,port,dir[,route port,
// routes…]".
const serverEnv = "XINWEN_BUS_TEST_SERVER"

func TestMain(m *testing.M) {
	if spec := os.Getenv(serverEnv); spec != "" {
		if err := serve(strings.Split(spec, ",")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if dir := os.Getenv(victimEnv); dir != "" {
		if err := victim(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serve runs a server until standard input ends, which it does with the test.
func serve(spec []string) error {
	port, err := strconv.Atoi(spec[1])
	if err != nil {
		return err
	}
	opts := &natsserver.Options{
		ServerName: spec[0], Host: "127.0.0.1", Port: port, NoSigs: true, NoLog: true,
		JetStream: true, StoreDir: spec[2], SyncAlways: true, JetStreamMaxStore: 1 << 50,
		HTTPHost: "127.0.0.1", HTTPPort: -1,
	}
	if len(spec) > 3 {
		routePort, err := strconv.Atoi(spec[3])
		if err != nil {
			return err
		}
		opts.Cluster = natsserver.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: routePort, PoolSize: -1}
		for _, r := range spec[4:] {
			opts.Routes = append(opts.Routes, &url.URL{Scheme: "nats", Host: r})
		}
	}
	ns, err := natsserver.NewServer(opts)
	if err != nil {
		return err
	}
	ns.Start()
	if !ns.ReadyForConnections(20 * time.Second) {
		return fmt.Errorf("server %s did not start", spec[0])
	}
	fmt.Println("ready", ns.MonitorAddr())
	_, err = io.Copy(io.Discard, os.Stdin)
	ns.Shutdown()
	ns.WaitForShutdown()
	return err
}

// node is this test binary in a process of its own, as a NATS server or as a
// victim.
type node struct {
	name    string
	env     string
	spec    string
	url     string
	monitor string
	cmd     *exec.Cmd
	stdin   io.Closer
}

func (n *node) start(t *testing.T) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	n.cmd = exec.Command(exe)
	n.cmd.Env = append(os.Environ(), n.env+"="+n.spec)
	n.cmd.Stderr = os.Stderr
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if n.stdin, err = n.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := n.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("process %s: %v", n.name, err)
	}
	n.monitor = "http://" + strings.TrimSpace(strings.TrimPrefix(line, "ready "))
}

// kill ends the process without any chance to tidy up.
func (n *node) kill(t *testing.T) {
	t.Helper()
	if n.cmd == nil {
		return
	}
	if err := n.cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = n.cmd.Wait() // killed
	_ = n.stdin.Close()
	n.cmd = nil
}

// startNode runs a single server.
func startNode(t *testing.T) *node {
	t.Helper()
	port := freePorts(t, 1)[0]
	n := &node{
		name: "single", env: serverEnv, url: fmt.Sprintf("nats://127.0.0.1:%d", port),
		spec: fmt.Sprintf("single,%d,%s", port, t.TempDir()),
	}
	n.start(t)
	t.Cleanup(func() { n.kill(t) })
	return n
}

// startCluster runs three servers that know each other.
func startCluster(t *testing.T) []*node {
	t.Helper()
	ports := freePorts(t, 6)
	var routes []string
	for _, p := range ports[3:] {
		routes = append(routes, fmt.Sprintf("127.0.0.1:%d", p))
	}
	dir := t.TempDir()
	var nodes []*node
	for i := range 3 {
		name := fmt.Sprintf("n%d", i)
		nodes = append(nodes, &node{
			name: name, env: serverEnv, url: fmt.Sprintf("nats://127.0.0.1:%d", ports[i]),
			spec: fmt.Sprintf("%s,%d,%s,%d,%s", name, ports[i], filepath.Join(dir, name), ports[3+i], strings.Join(routes, ",")),
		})
	}
	for _, n := range nodes {
		n.start(t)
		t.Cleanup(func() { n.kill(t) })
	}
	return nodes
}

func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		ports = append(ports, ln.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// open opens a bus with the test's deadline and closes it at its end.
func open(t testing.TB, o bus.Options) *bus.Bus {
	t.Helper()
	b, err := bus.Open(deadline(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// deadline is the context of a whole test.
func deadline(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// wait polls for what the server has no event for.
func wait(t testing.TB, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	timeout := time.After(30 * time.Second)
	for !cond() {
		select {
		case <-tick.C:
		case <-timeout:
			t.Fatalf("waited too long: %s", what)
		}
	}
}

// testLog writes a bus's log where go test -v shows it.
func testLog(t testing.TB) *slog.Logger {
	if !testing.Verbose() {
		return nil
	}
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelInfo}))
}
