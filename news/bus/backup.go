package bus

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ManifestFile is the file of a backup that describes the others. It is written
// last: a directory without it is no backup.
const ManifestFile = "manifest.json"

// manifestVersion grows with every change that an older Restore cannot read.
const manifestVersion = 1

// Manifest describes a backup.
type Manifest struct {
	Version int           `json:"version"`
	Created time.Time     `json:"created"`
	Streams []SavedStream `json:"streams"`
}

// SavedStream is one stream of a backup: messages, configuration, and how far
// its consumers are. Buckets and object stores are streams too (KV_, OBJ_).
type SavedStream struct {
	Name     string                 `json:"name"`
	File     string                 `json:"file"`
	Bytes    int64                  `json:"bytes"`
	SHA256   string                 `json:"sha256"`
	Messages uint64                 `json:"messages"`
	FirstSeq uint64                 `json:"first_seq"`
	LastSeq  uint64                 `json:"last_seq"`
	Config   jetstream.StreamConfig `json:"config"`
	State    json.RawMessage        `json:"state"`
}

// backupOrder goes down the pipeline, so that a backup of a running system
// loses nothing: what was on its way is in a stream that is saved later, at the
// worst it is done a second time.
func backupOrder() []string {
	names := []string{
		"KV_" + KVErased, "KV_" + KVSeen, "KV_" + KVFeeds, "KV_" + KVHosts, "KV_" + KVSources, "KV_" + KVRules, "KV_" + KVKeys, "KV_" + KVSourceChanges,
		Frontier, Pages, "KV_" + KVParts, "KV_" + KVMemory, Articles, Alerts, Quarantine, "KV_" + KVDeliveries,
	}
	for _, o := range []string{objectsPages, objectsKept} {
		names = append(names, "OBJ_"+o)
	}
	return names
}

const (
	snapshotChunk = 256 << 10
	// snapshotQuiet is how long a server may be silent: it reads a whole stream
	// before the first chunk.
	snapshotQuiet = 2 * time.Minute
)

// Backup writes all streams and buckets into dir, which must be empty or not
// exist. The system may run meanwhile. Each finished stream is told to progress,
// if that is not nil.
func (b *Bus) Backup(ctx context.Context, dir string, progress func(SavedStream)) (*Manifest, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, dirError("backup to "+dir, err)
	}
	if files, err := os.ReadDir(dir); err != nil {
		return nil, dirError("backup to "+dir, err)
	} else if len(files) > 0 {
		return nil, hint("backup to "+dir, errors.New("it is not empty"), "name a new directory")
	}
	m := &Manifest{Version: manifestVersion, Created: time.Now().UTC()}
	for _, name := range backupOrder() {
		s, err := b.saveStream(ctx, dir, name)
		if err != nil {
			return nil, fmt.Errorf("backup of %s: %w", name, err)
		}
		m.Streams = append(m.Streams, s)
		if progress != nil {
			progress(s)
		}
	}
	data, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	return m, writeFile(filepath.Join(dir, ManifestFile), func(w io.Writer) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
}

// writeFile writes a file that is on the disk when it returns.
func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return dirError("write "+path, err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return dirError("write "+path, err)
	}
	return nil
}

// apiAnswer is what the JetStream API says of a failed request.
type apiAnswer struct {
	Error *jetstream.APIError `json:"error"`
}

// request asks the JetStream API for what nats.go has no call for.
func (b *Bus) request(ctx context.Context, subject string, in, out any) error {
	data, err := json.Marshal(in)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, snapshotQuiet)
	defer cancel()
	msg, err := b.nc.RequestWithContext(ctx, "$JS.API."+subject, data)
	if err != nil {
		return err
	}
	var a apiAnswer
	if err := json.Unmarshal(msg.Data, &a); err != nil {
		return err
	}
	if a.Error != nil {
		return a.Error
	}
	return json.Unmarshal(msg.Data, out)
}

// saveStream writes one stream's snapshot.
func (b *Bus) saveStream(ctx context.Context, dir, name string) (SavedStream, error) {
	s := SavedStream{Name: name, File: name + ".snapshot"}
	inbox := b.nc.NewInbox()
	sub, err := b.nc.SubscribeSync(inbox)
	if err != nil {
		return s, err
	}
	defer func() { _ = sub.Unsubscribe() }() // the connection may be gone
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return s, err
	}
	var answer struct {
		Config jetstream.StreamConfig `json:"config"`
		State  json.RawMessage        `json:"state"`
	}
	err = b.request(ctx, "STREAM.SNAPSHOT."+name, map[string]any{
		"deliver_subject": inbox, "chunk_size": snapshotChunk, "jsck": true,
	}, &answer)
	if err != nil {
		return s, err
	}
	s.Config, s.State = answer.Config, answer.State
	var state jetstream.StreamState
	if err := json.Unmarshal(answer.State, &state); err != nil {
		return s, err
	}
	s.Messages, s.FirstSeq, s.LastSeq = state.Msgs, state.FirstSeq, state.LastSeq
	sum := sha256.New()
	err = writeFile(filepath.Join(dir, s.File), func(w io.Writer) error {
		w = io.MultiWriter(w, sum)
		for {
			chunk, err := nextChunk(ctx, sub)
			if err != nil || chunk == nil {
				return err
			}
			s.Bytes += int64(len(chunk.Data))
			if _, err := w.Write(chunk.Data); err != nil {
				return err
			}
			if chunk.Reply != "" {
				if err := b.nc.Publish(chunk.Reply, nil); err != nil {
					return err
				}
			}
		}
	})
	s.SHA256 = hex.EncodeToString(sum.Sum(nil))
	return s, err
}

// nextChunk returns nil at the end.
func nextChunk(ctx context.Context, sub *nats.Subscription) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, snapshotQuiet)
	defer cancel()
	msg, err := sub.NextMsgWithContext(ctx)
	if err != nil {
		return nil, err
	}
	if len(msg.Data) > 0 {
		return msg, nil
	}
	if status := msg.Header.Get("Status"); status != "" && status != "204" {
		return nil, fmt.Errorf("the server broke off: %s %s", status, msg.Header.Get("Description"))
	}
	return nil, nil
}

// ReadManifest reads and checks the manifest of a backup and, with files set,
// that its files are whole.
func ReadManifest(dir string, files bool) (*Manifest, error) {
	op := "backup " + dir
	data, err := os.ReadFile(filepath.Join(dir, ManifestFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil, hint(op, err, "name a directory that a backup was written to and finished in")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, fmt.Errorf("%s: %s: %w", op, ManifestFile, err)
	}
	if m.Version != manifestVersion {
		return nil, hint(op, fmt.Errorf("it has version %d, this program reads %d", m.Version, manifestVersion), "restore it with the release that wrote it")
	}
	var errs []error
	for _, s := range m.Streams {
		if s.File != filepath.Base(s.File) || s.Name != s.Config.Name {
			errs = append(errs, fmt.Errorf("%s: stream %q has file %q and configuration %q", op, s.Name, s.File, s.Config.Name))
			continue
		}
		if !files {
			continue
		}
		if err := checkFile(filepath.Join(dir, s.File), s); err != nil {
			errs = append(errs, hint(op, err, "copy the backup anew, or use another"))
		}
	}
	return &m, errors.Join(errs...)
}

func checkFile(path string, s SavedStream) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, f)
	if err != nil {
		return err
	}
	if n != s.Bytes || hex.EncodeToString(sum.Sum(nil)) != s.SHA256 {
		return fmt.Errorf("%s is not as it was written: %d bytes of %d", path, n, s.Bytes)
	}
	return nil
}

// Restore brings all streams and buckets of a backup back. No service may run,
// and none of the streams may hold messages other than those of the backup.
// After a failure it can be repeated.
func (b *Bus) Restore(ctx context.Context, dir string, progress func(SavedStream)) (*Manifest, error) {
	m, err := ReadManifest(dir, true)
	if err != nil {
		return nil, err
	}
	var todo []SavedStream
	for _, s := range m.Streams {
		done, err := b.restored(ctx, s)
		if err != nil {
			return nil, err
		}
		if !done {
			todo = append(todo, s)
		}
	}
	for _, s := range todo {
		if err := b.restoreStream(ctx, dir, s); err != nil {
			return nil, fmt.Errorf("restore %s: %w", s.Name, err)
		}
		if progress != nil {
			progress(s)
		}
	}
	// Limits and replicas of this system, not of the one that was saved.
	return m, b.setup(ctx)
}

// restored reports whether a stream is there already as it was saved, and
// refuses where it holds anything else.
func (b *Bus) restored(ctx context.Context, s SavedStream) (bool, error) {
	have, err := b.js.Stream(ctx, s.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("stream %s: %w", s.Name, err)
	}
	switch st := have.CachedInfo().State; {
	case st.LastSeq == 0:
		return s.LastSeq == 0, nil
	case st.Msgs == s.Messages && st.FirstSeq == s.FirstSeq && st.LastSeq == s.LastSeq:
		return true, nil
	default:
		return false, hint("restore "+s.Name, fmt.Errorf("the stream is in use: it has %d messages up to %d", st.Msgs, st.LastSeq),
			"stop all services and restore into an empty data directory or an empty NATS server")
	}
}

// restoreStream replaces an empty stream by a saved one.
func (b *Bus) restoreStream(ctx context.Context, dir string, s SavedStream) error {
	if err := b.js.DeleteStream(ctx, s.Name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return err
	}
	s.Config.Replicas = max(b.config.Replicas, 1)
	var answer struct {
		DeliverSubject string `json:"deliver_subject"`
	}
	if err := b.request(ctx, "STREAM.RESTORE."+s.Name, map[string]any{"config": s.Config, "state": s.State}, &answer); err != nil {
		return err
	}
	f, err := os.Open(filepath.Join(dir, s.File))
	if err != nil {
		return err
	}
	defer f.Close()
	chunk := make([]byte, snapshotChunk)
	for {
		n, err := io.ReadFull(f, chunk)
		if n > 0 {
			if err := b.sendChunk(ctx, answer.DeliverSubject, chunk[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return b.sendChunk(ctx, answer.DeliverSubject, nil)
		}
		if err != nil {
			return err
		}
	}
}

// sendChunk sends a part of a snapshot, or its end if data is empty, and waits
// until the server has it.
func (b *Bus) sendChunk(ctx context.Context, subject string, data []byte) error {
	ctx, cancel := context.WithTimeout(ctx, snapshotQuiet)
	defer cancel()
	msg, err := b.nc.RequestWithContext(ctx, subject, data)
	if err != nil {
		return err
	}
	var a apiAnswer
	if len(msg.Data) > 0 && json.Unmarshal(msg.Data, &a) == nil && a.Error != nil {
		return a.Error
	}
	return nil
}
