package run

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Process is a part in a process of its own.
type Process struct {
	Part
	cmd     *exec.Cmd
	stdin   io.Closer
	log     *tail
	addr    string        // valid when started is closed; "" if it ended before
	started chan struct{} // closed when it has started, or ended
	ended   chan struct{} // closed when it has ended
	err     error         // how; valid then
}

// Launch starts a process. What it logs is shown if the test fails.
func Launch(t *testing.T, p Part) *Process {
	t.Helper()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	if p.Namespace != "" {
		cmd = exec.CommandContext(t.Context(), "ip", "netns", "exec", p.Namespace, exe) // which becomes exe
	}
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	log := &tail{}
	cmd.Stderr = log
	t.Cleanup(func() {
		if text := log.String(); t.Failed() && text != "" {
			t.Logf("log of %s:\n%s", p.Name, text)
		}
	})
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pr := &Process{Part: p, cmd: cmd, stdin: stdin, log: log, started: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		line, _ := bufio.NewReader(stdout).ReadString('\n') // an end is an end
		pr.addr = strings.TrimSpace(line)
		close(pr.started)
		pr.err = cmd.Wait()
		close(pr.ended)
	}()
	return pr
}

// Started is closed when the process has started or ended.
func (p *Process) Started() <-chan struct{} { return p.started }

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Addr returns the address of the api, "" if the process ended before it had
// one. It is valid when Started is closed.
func (p *Process) Addr() string { return p.addr }

// Client returns a client of the process when that answers.
func (p *Process) Client(t *testing.T) *Client {
	t.Helper()
	<-p.started
	if p.addr == "" {
		p.Kill()
		t.Fatal("the process ended before it answered")
	}
	return &Client{T: t, Base: "http://" + p.addr}
}

// Log returns the end of what the process has logged.
func (p *Process) Log() string { return p.log.String() }

// Kill ends the process as kill -9 does.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
}

// Stall stops the process for a while, as a machine does that has other things
// to do, and lets it go on.
func (p *Process) Stall(d time.Duration) {
	if p.cmd.Process.Signal(syscall.SIGSTOP) != nil {
		return // it has ended
	}
	rest := time.NewTimer(d)
	<-rest.C
	_ = p.cmd.Process.Signal(syscall.SIGCONT) // it may have been killed
}

// Stop ends the process in good order.
func (p *Process) Stop(t *testing.T) {
	t.Helper()
	_ = p.stdin.Close() // the sign to stop; the pipe may be broken already
	<-p.ended
	if p.err != nil {
		t.Errorf("stop %s: %v", p.Name, p.err)
	}
}

// FreeAddr returns an address that nobody listens on.
func FreeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

const tailBytes = 8 << 10

// Write implements io.Writer.
func (l *tail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.b = append(l.b, p...)
	if len(l.b) > 2*tailBytes {
		l.b = bytes.Clone(l.b[len(l.b)-tailBytes:])
	}
	return len(p), nil
}

// String returns what is kept.
func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.b)
}
