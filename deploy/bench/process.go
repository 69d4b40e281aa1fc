package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// program is the xinwen binary under measurement, in a folder of its own.
type program struct{ dir, path string }

// build compiles xinwen as a release is.
func build(ctx context.Context) (*program, error) {
	dir, err := os.MkdirTemp("", "xinwen-bench-")
	if err != nil {
		return nil, err
	}
	p := &program{dir: dir, path: filepath.Join(dir, "xinwen")}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", p.path, "xinwen/deploy/xinwen")
	cmd.Dir = ".." // its own module decides versions, not this one
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=")
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, errors.Join(fmt.Errorf("build xinwen: %w", err), p.remove())
	}
	return p, nil
}

func (p *program) remove() error { return os.RemoveAll(p.dir) }

// process is a running xinwen.
type process struct {
	cmd  *exec.Cmd
	addr string
}

// start runs xinwen and returns when it says it is ready, with the time that
// took.
func (p *program) start(ctx context.Context, args ...string) (*process, time.Duration, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, 0, err
	}
	addr := l.Addr().String()
	l.Close()
	cmd := exec.CommandContext(ctx, p.path, append(args, "--listen", addr, "--log-level", "error")...)
	cmd.Stderr = os.Stderr
	started := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, 0, err
	}
	r := &process{cmd: cmd, addr: addr}
	for time.Since(started) < time.Minute {
		resp, err := http.Get("http://" + addr + "/readyz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return r, time.Since(started), nil
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	return nil, 0, errors.Join(errors.New("xinwen was not ready within a minute"), r.stop())
}

// stop ends the process as an operator would.
func (r *process) stop() error {
	if err := r.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	_ = r.cmd.Wait() // an interrupted process may exit with any status
	return nil
}

// resident is the resident set of a process in bytes: now, at its highest, and
// now without the pages of mapped files, which the kernel takes back when it
// needs them.
type resident struct{ now, highest, own float64 }

// memory returns the resident set of the process.
func (r *process) memory() (resident, error) { return memoryOf(r.cmd.Process.Pid) }

// memoryOf returns the resident set of a process.
func memoryOf(pid int) (m resident, err error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return m, fmt.Errorf("memory is read from /proc, which this system lacks: %w", err)
	}
	for line := range strings.Lines(string(data)) {
		name, value, _ := strings.Cut(line, ":")
		n, _ := strconv.ParseFloat(strings.Trim(value, " \t\nkB"), 64)
		switch name {
		case "VmRSS":
			m.now = n * 1024
		case "VmHWM":
			m.highest = n * 1024
		case "RssAnon":
			m.own = n * 1024
		}
	}
	return m, nil
}

// cpu returns the processor seconds used so far.
func (r *process) cpu() (float64, error) { return cpuOf(r.cmd.Process.Pid) }

// cpuOf returns the processor seconds that a process has used so far.
func cpuOf(pid int) (float64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("/proc/PID/stat is shorter than expected")
	}
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100, nil // ticks of 10 ms
}

// transportTo returns a transport that leads every host to one address.
func transportTo(addr string) *http.Transport {
	var d net.Dialer
	return &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return d.DialContext(ctx, network, addr)
		},
		MaxIdleConnsPerHost: 16,
	}
}
