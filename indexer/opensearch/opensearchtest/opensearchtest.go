// Package opensearchtest gives tests and benchmarks a real OpenSearch: the nodes
// named in XINWEN_OPENSEARCH_URL (with commas between), or one that is started on
// loopback from the server in XINWEN_OPENSEARCH_HOME, which deploy/opensearch's
// install makes.
package opensearchtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Environment variables that say which OpenSearch to use.
const (
	EnvURL  = "XINWEN_OPENSEARCH_URL"
	EnvHome = "XINWEN_OPENSEARCH_HOME"
)

// startWithin bounds the start of a node, stopWithin its end.
const (
	startWithin = 5 * time.Minute
	stopWithin  = 20 * time.Second
)

// Quick are options of Java for servers that live for minutes only: they start
// with half the work.
const Quick = "-XX:TieredStopAtLevel=1"

// ErrNone says that no OpenSearch is at hand.
var ErrNone = errors.New("no OpenSearch: set " + EnvURL + " to a running one, or " + EnvHome + " to a folder that deploy/opensearch/install has filled")

// Cluster is nodes that were started together.
type Cluster struct {
	dir   string
	nodes []*Node
}

// Node is a running server.
type Node struct {
	URL string
	// PID is its process's.
	PID  int
	cmd  *exec.Cmd
	done chan struct{}
	out  *os.File
}

// Start starts nodes that form a cluster and returns when all of them answer.
func Start(ctx context.Context, nodes int, javaOptions string) (*Cluster, error) {
	home := os.Getenv(EnvHome)
	if home == "" {
		return nil, ErrNone
	}
	if _, err := exec.LookPath("java"); err != nil && os.Getenv("OPENSEARCH_JAVA_HOME") == "" {
		return nil, fmt.Errorf("%w (and no java was found)", ErrNone)
	}
	dir, err := os.MkdirTemp("", "opensearch-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // the server may run as another user
		return nil, err
	}
	c := &Cluster{dir: dir}
	ports, err := freePorts(2 * nodes)
	if err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	all := ""
	if nodes > 1 {
		all = strings.Join(ports[nodes:], ",")
	}
	for i := range nodes {
		n, err := c.start(home, ports[i], ports[nodes+i], all, javaOptions)
		if err != nil {
			return nil, errors.Join(err, c.Stop())
		}
		c.nodes = append(c.nodes, n)
	}
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	for _, n := range c.nodes {
		if err := n.await(ctx, nodes); err != nil {
			return nil, errors.Join(err, c.Stop())
		}
	}
	return c, nil
}

func (c *Cluster) start(home, port, transport, all, javaOptions string) (*Node, error) {
	data := filepath.Join(c.dir, "node-"+transport)
	if err := os.MkdirAll(data, 0o755); err != nil {
		return nil, err
	}
	out, err := os.Create(filepath.Join(c.dir, "node-"+transport+".log"))
	if err != nil {
		return nil, err
	}
	args := []string{home, data, port, transport}
	if all != "" {
		args = append(args, all)
	}
	n := &Node{URL: "http://127.0.0.1:" + port, cmd: exec.Command(script(), args...), done: make(chan struct{}), out: out}
	n.cmd.Stdout, n.cmd.Stderr = out, out
	n.cmd.Env = append(os.Environ(), "XINWEN_OPENSEARCH_JAVA_OPTS="+javaOptions)
	// A group of its own, which is ended as a whole.
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := n.cmd.Start(); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	n.PID = n.cmd.Process.Pid
	go func() {
		_ = n.cmd.Wait() // how it ends is told by the log
		close(n.done)
	}()
	return n, nil
}

// script returns deploy/opensearch/node, which lies beside this module.
func script() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "../../../deploy/opensearch/node")
}

// await returns when the node answers and sees as many nodes.
func (n *Node) await(ctx context.Context, nodes int) error {
	url := fmt.Sprintf("%s/_cluster/health?wait_for_nodes=%d&wait_for_status=yellow&timeout=5s", n.URL, nodes)
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-n.done:
			return fmt.Errorf("OpenSearch has ended:\n%s", n.Log())
		case <-ctx.Done():
			return fmt.Errorf("OpenSearch did not answer:\n%s", n.Log())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Log returns the end of what the node has printed.
func (n *Node) Log() string {
	f, err := os.Open(n.out.Name())
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil {
		_, _ = f.Seek(max(0, info.Size()-4096), io.SeekStart) // else from the beginning
	}
	data, _ := io.ReadAll(f) // what there is
	return string(data)
}

// Kill ends the node at once, as a loss of power does.
func (n *Node) Kill() { n.signal(syscall.SIGKILL) }

func (n *Node) signal(s syscall.Signal) {
	_ = syscall.Kill(-n.PID, s) // it may have ended
	if s == syscall.SIGKILL {
		<-n.done
	}
}

// Nodes returns the nodes.
func (c *Cluster) Nodes() []*Node { return c.nodes }

// URLs returns the addresses of the nodes.
func (c *Cluster) URLs() []string {
	var list []string
	for _, n := range c.nodes {
		list = append(list, n.URL)
	}
	return list
}

// Stop ends all nodes and removes their data.
func (c *Cluster) Stop() error {
	for _, n := range c.nodes {
		n.signal(syscall.SIGTERM)
	}
	for _, n := range c.nodes {
		select {
		case <-n.done:
		case <-time.After(stopWithin):
			n.Kill()
		}
		_ = n.out.Close() // nothing is written to it by us
	}
	return os.RemoveAll(c.dir)
}

// freePorts returns ports on loopback that nothing listens on at the moment.
func freePorts(n int) ([]string, error) {
	ports := make([]string, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // not before all are chosen, so that they differ
		ports[i] = strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

var (
	once    sync.Once
	shared  *Cluster
	problem error
)

// URLs returns the nodes of an OpenSearch for the test, which is started when it
// is first asked for, and skips the test where there is none. Main ends it.
func URLs(t testing.TB) []string {
	t.Helper()
	if s := os.Getenv(EnvURL); s != "" {
		return strings.Split(s, ",")
	}
	once.Do(func() { shared, problem = Start(context.Background(), 1, Quick) })
	if errors.Is(problem, ErrNone) {
		t.Skip(problem)
	}
	if problem != nil {
		t.Fatal(problem)
	}
	return shared.URLs()
}

// Main runs the tests of a package that calls URLs and ends what that started.
func Main(m *testing.M) {
	code := m.Run()
	if shared != nil {
		if err := shared.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}
