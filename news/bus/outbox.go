package bus

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"
	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// outbox keeps messages that no server took, on the local disk, a line for each
// stream. A line is sent in order.
type outbox struct {
	db  *bolt.DB
	max int64
	ch  chan struct{} // wakes the drain

	run    string   // names this run of the process
	before []string // the runs before it on this directory, which have ended

	mu    sync.Mutex
	lines map[string]*line
	bytes int64
}

// runsBucket holds the last runs, and maxRuns of them: several may end before
// one of them gets to where the names of those before matter.
const (
	runsBucket = "runs"
	maxRuns    = 8
)

type line struct {
	n    int  // messages stored or being stored
	full bool // the stream refused the head of the line
}

// OutboxStatus tells how much waits for the server.
type OutboxStatus struct {
	Messages int
	Bytes    int64
}

func openOutbox(dir, name string, maxBytes int64) (*outbox, error) {
	path := filepath.Join(dir, "outbox", Key(name)+".db")
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, dirError("outbox "+path, err)
	}
	db, err := bolt.Open(path, 0o640, &bolt.Options{Timeout: time.Second, FreelistType: bolt.FreelistMapType})
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return nil, hint("outbox "+path, errors.New("another process uses it"),
			"stop the other %s, or give this one another directory", name)
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum), errors.Is(err, bolterrors.ErrVersionMismatch):
		return nil, hint("outbox "+path, err, "it is damaged; move the file away, what it held must be crawled again")
	case err != nil:
		return nil, dirError("outbox "+path, err)
	}
	o := &outbox{db: db, max: maxBytes, ch: make(chan struct{}, 1), lines: make(map[string]*line), run: nuid.Next()}
	err = db.Update(func(tx *bolt.Tx) error {
		if err := o.enter(tx); err != nil {
			return err
		}
		for _, s := range streams {
			bucket, err := tx.CreateBucketIfNotExists([]byte(s.name))
			if err != nil {
				return err
			}
			l := &line{}
			o.lines[s.name] = l
			if err := bucket.ForEach(func(_, v []byte) error {
				l.n++
				o.bytes += int64(len(v))
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("outbox %s: %w", path, err), db.Close())
	}
	o.wake()
	return o, nil
}

// enter notes this run and reads those before. The lock on the file says that
// they have ended.
func (o *outbox) enter(tx *bolt.Tx) error {
	bucket, err := tx.CreateBucketIfNotExists([]byte(runsBucket))
	if err != nil {
		return err
	}
	key := []byte("last")
	if text := string(bucket.Get(key)); text != "" {
		o.before = strings.Fields(text)
	}
	o.before = o.before[max(0, len(o.before)-maxRuns):]
	return bucket.Put(key, []byte(strings.Join(append(slices.Clone(o.before), o.run), " ")))
}

func (o *outbox) close() error { return o.db.Close() }

// wake makes the drain try now.
func (o *outbox) wake() {
	select {
	case o.ch <- struct{}{}:
	default:
	}
}

func (o *outbox) status() OutboxStatus {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := OutboxStatus{Bytes: o.bytes}
	for _, l := range o.lines {
		s.Messages += l.n
	}
	return s
}

// follow stores m if others of its stream wait already, and says so. It returns
// ErrFull when they wait because the stream is full.
func (o *outbox) follow(name string, m *Message) (waiting bool, err error) {
	o.mu.Lock()
	l := o.lines[name]
	n, full := l.n, l.full
	o.mu.Unlock()
	switch {
	case n == 0:
		return false, nil
	case full:
		return true, fmt.Errorf("stream %s is %w", name, ErrFull)
	}
	return true, o.put(name, m)
}

// put stores m at the end of its line.
func (o *outbox) put(name string, m *Message) error {
	v, err := encodeMessage(m)
	if err != nil {
		return err
	}
	size := int64(len(v))
	o.mu.Lock()
	if o.bytes+size > o.max {
		o.mu.Unlock()
		return fmt.Errorf("outbox is %w", ErrFull)
	}
	// Counted before it is stored, so that nobody overtakes it meanwhile.
	o.lines[name].n++
	o.bytes += size
	o.mu.Unlock()
	err = o.db.Batch(func(tx *bolt.Tx) error {
		bucket := tx.Bucket([]byte(name))
		seq, err := bucket.NextSequence()
		if err != nil {
			return err
		}
		return bucket.Put(binary.BigEndian.AppendUint64(nil, seq), v)
	})
	if err != nil {
		o.uncount(name, 1, size)
		return dirError("outbox", err)
	}
	o.wake()
	return nil
}

func (o *outbox) uncount(name string, n int, size int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines[name].n -= n
	o.bytes -= size
}

func (o *outbox) setFull(name string, full bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines[name].full = full
}

// entry is one stored message.
type entry struct {
	key  []byte
	size int64
	m    *Message
	err  error // it cannot be read
}

// head returns the first entries of a line: up to 64, or 4 MiB.
func (o *outbox) head(name string) ([]entry, error) {
	var entries []entry
	err := o.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket([]byte(name)).Cursor()
		size := 0
		for k, v := c.First(); k != nil && len(entries) < 64 && size < 4<<20; k, v = c.Next() {
			size += len(v)
			m, err := decodeMessage(bytes.Clone(v))
			entries = append(entries, entry{bytes.Clone(k), int64(len(v)), m, err})
		}
		return nil
	})
	return entries, err
}

// remove deletes sent entries.
func (o *outbox) remove(name string, sent []entry) error {
	if len(sent) == 0 {
		return nil
	}
	var size int64
	err := o.db.Update(func(tx *bolt.Tx) error {
		bucket := tx.Bucket([]byte(name))
		for _, e := range sent {
			size += e.size
			if err := bucket.Delete(e.key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	o.uncount(name, len(sent), size)
	return nil
}

// drain sends what the outbox holds until ctx is done.
func (b *Bus) drain(ctx context.Context) {
	wait := firstWait
	before := 0
	for {
		again, err := b.drainOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		left := b.out.status().Messages
		if left == 0 && before > 0 {
			b.log.Info("outbox is empty again")
		}
		before = left
		var timer <-chan time.Time
		if again || err != nil {
			b.log.Debug("outbox waits", "messages", left, "err", err)
			wait = min(2*wait, maxWait)
			timer = time.After(jitter(wait))
		} else {
			wait = firstWait
		}
		select {
		case <-ctx.Done():
			return
		case <-timer:
		case <-b.out.ch:
		}
	}
}

// drainOnce sends every line as far as it goes. It returns the first error that
// is not back-pressure, and whether messages are left.
func (b *Bus) drainOnce(ctx context.Context) (again bool, err error) {
	for i := range streams {
		name := streams[i].name
		for {
			entries, err := b.out.head(name)
			if err != nil {
				return true, err
			}
			if len(entries) == 0 {
				break
			}
			n, err := b.sendEntries(ctx, name, entries)
			b.out.setFull(name, errors.Is(err, ErrFull))
			if rerr := b.out.remove(name, entries[:n]); rerr != nil {
				return true, rerr
			}
			if errors.Is(err, ErrFull) {
				again = true
				break // other streams may have room
			}
			if err != nil {
				return true, err
			}
		}
	}
	return again, nil
}

// sendEntries returns how many of entries are done with.
func (b *Bus) sendEntries(ctx context.Context, name string, entries []entry) (int, error) {
	for i, e := range entries {
		if e.err != nil {
			b.log.Error("outbox: entry is damaged and dropped", "stream", name, "err", e.err)
			continue
		}
		err := b.send(ctx, name, e.m)
		if IsPermanent(err) {
			b.log.Error("outbox: stream refuses message, it goes to quarantine", "subject", e.m.Subject, "err", err)
			err = b.quarantine(ctx, b.name, "", e.m, err)
		}
		if err != nil {
			return i, err
		}
	}
	return len(entries), nil
}

type storedMessage struct {
	Subject string      `json:"subject"`
	ID      string      `json:"id"`
	Header  nats.Header `json:"header,omitempty"`
}

// encodeMessage writes JSON, a newline, and the data.
func encodeMessage(m *Message) ([]byte, error) {
	head, err := json.Marshal(storedMessage{m.Subject, m.ID, m.Header})
	if err != nil {
		return nil, err
	}
	v := make([]byte, 0, len(head)+1+len(m.Data))
	v = append(append(v, head...), '\n')
	return append(v, m.Data...), nil
}

func decodeMessage(v []byte) (*Message, error) {
	head, data, ok := bytes.Cut(v, []byte{'\n'})
	if !ok {
		return nil, errors.New("no newline after the head")
	}
	var s storedMessage
	if err := json.Unmarshal(head, &s); err != nil {
		return nil, err
	}
	return &Message{Subject: s.Subject, ID: s.ID, Header: s.Header, Data: data}, nil
}

// Outbox tells how much waits in this client's outbox.
func (b *Bus) Outbox() OutboxStatus {
	if b.out == nil {
		return OutboxStatus{}
	}
	return b.out.status()
}
