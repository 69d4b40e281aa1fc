package bus

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
)

// embedded is a nats-server inside this process, and the lock on its store.
type embedded struct {
	ns     *natsserver.Server
	socket *socket // nil if it could not be opened
	lock   *os.File
	closed bool        // no port: all clients are in this process
	broken atomic.Bool // something could not be written, and cannot be until it is opened anew

	mu   sync.Mutex
	used map[string]bool
}

// firstUse reports whether name is asked about for the first time since the
// server started, and all its clients are in this process.
func (e *embedded) firstUse(name string) bool {
	if e == nil || !e.closed {
		return false
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	first := !e.used[name]
	e.used[name] = true
	return first
}

// startServer locks c.Dir and starts a server over it.
func startServer(ctx context.Context, c Config, log *slog.Logger) (*embedded, error) {
	lock, err := lockDir(c.Dir)
	if err != nil {
		return nil, err
	}
	e := &embedded{lock: lock, closed: c.Listen == "", used: make(map[string]bool)}
	opts := &natsserver.Options{
		ServerName:             "xinwen",
		DontListen:             c.Listen == "",
		NoSigs:                 true,
		JetStream:              true,
		StoreDir:               c.Dir, // the server appends "jetstream"
		SyncAlways:             true,
		JetStreamMaxStore:      maxStore,
		JetStreamMaxMemory:     maxMemory,
		DisableJetStreamBanner: true,
		MaxPayload:             1 << 20,
	}
	if c.Listen != "" {
		host, port, err := listenAddr(c.Listen)
		if err != nil {
			e.unlock()
			return nil, err
		}
		opts.Host, opts.Port = host, port
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			log.Warn("the embedded NATS server is open to the network without passwords", "listen", c.Listen,
				"hint", "listen on 127.0.0.1, or run a NATS server with users and give its url")
		}
	}
	adapter := &serverLog{log: log, fatal: make(chan string, 1), broken: &e.broken}
	e.ns, err = natsserver.NewServer(opts)
	if err != nil {
		e.unlock()
		return nil, fmt.Errorf("embedded NATS server: %w", err)
	}
	e.ns.SetLoggerV2(adapter, false, false, false)
	started := make(chan struct{})
	go func() {
		defer close(started)
		e.ns.Start()
	}()
	// A large store takes a while to check, so there is no other limit than ctx.
	for !e.ns.ReadyForConnections(250 * time.Millisecond) {
		select {
		case text := <-adapter.fatal:
			<-started
			e.stop()
			return nil, hint("start embedded NATS server", errors.New(text),
				"if the store in %s is damaged, move it away and import or crawl again", filepath.Join(c.Dir, "jetstream"))
		case <-ctx.Done():
			<-started
			e.stop()
			return nil, fmt.Errorf("start embedded NATS server: %w", ctx.Err())
		default:
		}
	}
	<-started
	if e.socket, err = openSocket(SocketPath(c.Dir), e.ns); err != nil {
		log.Warn("tools cannot reach this process", "err", err,
			"hint", "stop it before backup, restore or delete; or shorten the path of the data directory")
	}
	return e, nil
}

// The streams' own limits bound the store; the server must only not refuse to
// reserve them.
const (
	maxStore  = 1 << 60
	maxMemory = 64 << 20
)

// enoughToRevive is how much of the disk must be free for the streams to be
// started again.
const enoughToRevive = 32 << 20

// revive starts JetStream anew when a disk that was full or failed can be written
// again: a stream or consumer whose write failed does not write before, and a
// server that cannot write even less stops all of them. It returns when done is
// closed.
func (e *embedded) revive(dir string, log *slog.Logger, done <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	told, tries := false, 0
	for {
		select {
		case <-done:
			return
		case <-tick.C:
		}
		if e.ns.JetStreamEnabled() && !e.broken.Load() {
			told, tries = false, 0
			continue
		}
		if !told {
			log.Error("streams cannot be written: the disk is full or fails", "dir", dir,
				"hint", "free some space, or see the kernel's log for the disk's faults; work goes on by itself when it can be written")
			told = true
		}
		if free, err := freeBytes(dir); err != nil || free < enoughToRevive || tryWrite(dir) != nil {
			continue
		}
		var err error
		if e.ns.JetStreamEnabled() {
			err = e.ns.ShutdownJetStream()
		}
		e.broken.Store(false)
		err = errors.Join(err, e.ns.EnableJetStream(&natsserver.JetStreamConfig{
			StoreDir: dir, MaxStore: maxStore, MaxMemory: maxMemory, SyncAlways: true,
		}))
		if err != nil {
			log.Error("streams do not start again, will try once more", "dir", dir, "err", err)
			continue
		}
		// What cannot be read just now, the server leaves out without an error.
		if missing := e.notLoaded(dir); len(missing) > 0 {
			if tries++; tries <= maxRevives {
				e.broken.Store(true)
				continue
			}
			log.Error("streams or consumers cannot be read", "missing", missing, "hint", "restart; if it does not help, restore a backup")
		}
		log.Info("the disk can be written, the streams are there again", "dir", dir)
	}
}

// maxRevives is how often what cannot be read is tried again.
const maxRevives = 10

// notLoaded names the streams and durable consumers that are on the disk and that
// the server does not know.
func (e *embedded) notLoaded(dir string) (missing []string) {
	known := make(map[string]bool)
	all, err := e.ns.Jsz(&natsserver.JSzOptions{Accounts: true, Streams: true, Consumer: true, Limit: 1 << 20})
	if err != nil {
		return []string{err.Error()}
	}
	for _, a := range all.AccountDetails {
		for _, s := range a.Streams {
			known[s.Name] = true
			for _, c := range s.Consumer {
				known[s.Name+"/"+c.Name] = true
			}
		}
	}
	streams := filepath.Join(dir, "jetstream", natsserver.DEFAULT_GLOBAL_ACCOUNT, "streams")
	for _, pattern := range []string{"*/meta.inf", "*/obs/*/meta.inf"} {
		files, err := filepath.Glob(filepath.Join(streams, pattern))
		if err != nil {
			return []string{err.Error()}
		}
		for _, f := range files {
			name, err := filepath.Rel(streams, filepath.Dir(f))
			if err != nil {
				return []string{err.Error()}
			}
			if name = strings.Replace(filepath.ToSlash(name), "/obs/", "/", 1); !known[name] {
				missing = append(missing, name)
			}
		}
	}
	return missing
}

// tryWrite writes a little to the disk of dir.
func tryWrite(dir string) error {
	f, err := os.CreateTemp(dir, "try-")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 4<<10))
	return errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
}

// stop shuts the server down and waits for it.
func (e *embedded) stop() {
	e.socket.close()
	e.ns.Shutdown()
	e.ns.WaitForShutdown()
	e.unlock()
}

func (e *embedded) unlock() {
	_ = e.lock.Close() // closing gives the lock up
}

// listenAddr splits address and checks that it can be opened, because the
// server itself would only log that.
func listenAddr(address string) (string, int, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		h := "choose another address for listen"
		if errors.Is(err, syscall.EADDRINUSE) {
			h = "another program uses this port: stop it, or choose another address for listen"
		}
		return "", 0, hint("open NATS port", err, "%s", h)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	if err := ln.Close(); err != nil {
		return "", 0, fmt.Errorf("open NATS port: %w", err)
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("open NATS port: %w", err)
	}
	if host == "" {
		host = "0.0.0.0"
	}
	return host, port, nil
}

// lockDir creates dir and takes the lock that keeps two processes from one
// store.
func lockDir(dir string) (*os.File, error) {
	op := "data directory " + dir
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, dirError(op, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, dirError(op, err)
	}
	if err := lockFile(f); err != nil {
		defer f.Close()
		if !errors.Is(err, errLocked) {
			return nil, hint(op, err, "the file system must support file locks; choose a local directory")
		}
		who := "another process"
		buf := make([]byte, 32)
		n, _ := f.ReadAt(buf, 0) // best effort: only for the message
		if pid := strings.TrimSpace(string(buf[:n])); pid != "" {
			who = "process " + pid
		}
		return nil, hint(op, fmt.Errorf("%s uses it", who),
			"stop %s, or give this one another directory", who)
	}
	err = f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		_ = f.Close() // the write error says more
		return nil, dirError(op, err)
	}
	return f, nil
}

func dirError(op string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return hint(op, err, "make it writable for this user, or choose another directory")
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return hint(op, err, "a file is in the way; choose another directory")
	case errors.Is(err, syscall.ENOSPC):
		return hint(op, err, "free some disk space, or choose another directory")
	case errors.Is(err, syscall.EROFS):
		return hint(op, err, "the file system is read-only; choose another directory")
	}
	return fmt.Errorf("%s: %w", op, err)
}

// serverLog writes the server's log to slog. Its notices are debug to us: the
// bus itself logs start and stop.
type serverLog struct {
	log   *slog.Logger
	fatal chan string
	once  sync.Once
	// broken is set when the server tells that it could not write.
	broken *atomic.Bool
}

func (l *serverLog) Noticef(f string, v ...any) { l.write(slog.LevelDebug, f, v) }
func (l *serverLog) Warnf(f string, v ...any)   { l.write(slog.LevelWarn, f, v) }

// Errorf also notes what the server has no event for.
func (l *serverLog) Errorf(f string, v ...any) {
	text := fmt.Sprintf(f, v...)
	if strings.Contains(text, syscall.ENOSPC.Error()) || strings.Contains(strings.ToLower(text), "critical write error") {
		if l.broken.Swap(true) {
			return // told of
		}
	}
	l.write(slog.LevelError, f, v)
}

func (l *serverLog) Debugf(f string, v ...any) { l.write(slog.LevelDebug, f, v) }
func (l *serverLog) Tracef(f string, v ...any) { l.write(slog.LevelDebug, f, v) }

func (l *serverLog) Fatalf(f string, v ...any) {
	l.write(slog.LevelError, f, v)
	l.once.Do(func() { l.fatal <- fmt.Sprintf(f, v...) })
}

func (l *serverLog) write(level slog.Level, f string, v []any) {
	if l.log.Enabled(context.Background(), level) {
		l.log.Log(context.Background(), level, "nats server", "text", strings.TrimSpace(fmt.Sprintf(f, v...)))
	}
}
