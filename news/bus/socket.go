package bus

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
)

// SocketPath returns where the embedded server over dir can be reached by the
// tools of the same user, while it runs: connect to "unix://" + SocketPath.
func SocketPath(dir string) string { return filepath.Join(dir, "nats.sock") }

// socket leads connections of a Unix socket to an embedded server. Who may open
// the file may do everything, so only its owner may.
type socket struct {
	ln net.Listener
	wg sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{} // nil once closed
}

// openSocket opens the socket; the lock of its directory is held, so a file
// that is there was left by a process that died.
func openSocket(path string, ns *natsserver.Server) (*socket, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	ln, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	s := &socket{ln: ln, conns: make(map[net.Conn]struct{})}
	s.wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return // closed
			}
			s.wg.Go(func() { s.serve(c, ns) })
		}
	})
	return s, nil
}

// serve copies both ways until one side ends.
func (s *socket) serve(c net.Conn, ns *natsserver.Server) {
	defer c.Close()
	inner, err := ns.InProcessConn()
	if err != nil || !s.add(c) {
		return // the server is shutting down
	}
	defer s.remove(c)
	defer inner.Close()
	var wg sync.WaitGroup
	wg.Go(func() {
		_, _ = io.Copy(inner, c) // an end is an end
		_ = inner.Close()
	})
	_, _ = io.Copy(c, inner)
	_ = c.Close()
	wg.Wait()
}

func (s *socket) add(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conns == nil {
		return false
	}
	s.conns[c] = struct{}{}
	return true
}

func (s *socket) remove(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// close removes the socket and ends its connections.
func (s *socket) close() {
	if s == nil {
		return
	}
	_ = s.ln.Close() // removes the file
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.conns = nil
	s.mu.Unlock()
	s.wg.Wait()
}

// socketDialer dials one socket, whatever it is asked for.
type socketDialer string

// Dial implements nats.CustomDialer.
func (d socketDialer) Dial(string, string) (net.Conn, error) {
	return net.DialTimeout("unix", string(d), 3*time.Second)
}
