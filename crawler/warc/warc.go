// Package warc writes what was fetched into web archives (ISO 28500, WARC 1.1):
// files of one gzip or zstd member a record, which the usual tools read.
//
// Bodies are written as they were understood, without transfer and content
// encoding, so the headers that speak of those are left out. A file that is being
// written ends in ".open"; it gets its name when it has reached its size or the
// Writer is closed. After a crash an .open file is whole up to its last record.
package warc

import (
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/nats-io/nuid"
)

// DefaultMaxBytes is when a file is full.
const DefaultMaxBytes = 1 << 30

// Config is what the operator writes.
type Config struct {
	// Dir is where archives go, "" for none.
	Dir string `json:"dir,omitempty" yaml:"dir,omitempty"`
	// MaxBytes is the size from which on another file is begun, default 1 GiB.
	MaxBytes int64 `json:"max_bytes,omitempty" yaml:"max_bytes,omitempty"`
	// Compression is gzip (default) or zstd.
	Compression string `json:"compression,omitempty" yaml:"compression,omitempty"`
}

// Validate returns what is wrong with c.
func (c Config) Validate() error {
	if c.MaxBytes < 0 {
		return errors.New("warc: max_bytes is negative")
	}
	if c.Compression != "" && c.Compression != "gzip" && c.Compression != "zstd" {
		return fmt.Errorf("warc: compression %q is unknown; use gzip or zstd", c.Compression)
	}
	return nil
}

// Response is one answer.
type Response struct {
	URL    string
	Time   time.Time
	Status int
	Header http.Header
	Body   []byte
}

// Writer writes archives. It may be used concurrently.
type Writer struct {
	config   Config
	software string
	encoder  *zstd.Encoder

	mu   sync.Mutex
	file *os.File
	name string
	size int64
	n    int
}

// New returns a writer; software names what writes, such as the User-Agent. The
// folder is made if need be.
func New(c Config, software string) (*Writer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = DefaultMaxBytes
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("warc: %w; choose a folder that can be written", err)
	}
	w := &Writer{config: c, software: software}
	if c.Compression == "zstd" {
		var err error
		if w.encoder, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1)); err != nil {
			return nil, fmt.Errorf("warc: %w", err)
		}
	}
	return w, nil
}

// Write writes a record of r. It is in the file, though not yet synced to the
// disk, when Write returns.
func (w *Writer) Write(r Response) error {
	block := httpBlock(r)
	head := [][2]string{
		{"WARC-Type", "response"},
		{"WARC-Target-URI", r.URL},
		{"WARC-Payload-Digest", digest(r.Body)},
		{"WARC-Block-Digest", digest(block)},
	}
	record, err := w.record(head, "application/http; msgtype=response", r.Time, block)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.file != nil && w.size+int64(len(record)) > w.config.MaxBytes {
		if err := w.end(); err != nil {
			return err
		}
	}
	if w.file == nil {
		if err := w.begin(r.Time); err != nil {
			return err
		}
	}
	return w.append(record)
}

// Close ends the file that is being written.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.end()
}

func (w *Writer) begin(t time.Time) error {
	w.n++
	ext := ".warc.gz"
	if w.encoder != nil {
		ext = ".warc.zst"
	}
	w.name = filepath.Join(w.config.Dir, fmt.Sprintf("xinwen-%s-%05d-%s%s", t.UTC().Format("20060102150405"), w.n, nuid.Next()[:8], ext))
	f, err := os.OpenFile(w.name+".open", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("warc: %w", err)
	}
	w.file, w.size = f, 0
	info := "software: " + w.software + "\r\nformat: WARC File Format 1.1\r\nconformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n"
	record, err := w.record([][2]string{{"WARC-Type", "warcinfo"}, {"WARC-Filename", filepath.Base(w.name)}}, "application/warc-fields", t, []byte(info))
	if err != nil {
		return err
	}
	return w.append(record)
}

// append writes a member; of one that could not be written whole nothing stays.
func (w *Writer) append(member []byte) error {
	n, err := w.file.Write(member)
	if err != nil {
		if n > 0 {
			err = errors.Join(err, w.file.Truncate(w.size))
			if _, serr := w.file.Seek(w.size, io.SeekStart); serr != nil {
				err = errors.Join(err, serr)
			}
		}
		return fmt.Errorf("warc: %w; is the disk full?", err)
	}
	w.size += int64(n)
	return nil
}

func (w *Writer) end() error {
	if w.file == nil {
		return nil
	}
	f := w.file
	w.file = nil
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("warc: %w", err)
	}
	if err := os.Rename(w.name+".open", w.name); err != nil {
		return fmt.Errorf("warc: %w", err)
	}
	return nil
}

// record makes a compressed record.
func (w *Writer) record(head [][2]string, contentType string, t time.Time, block []byte) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("WARC/1.1\r\n")
	head = append(head, [][2]string{
		{"WARC-Date", t.UTC().Format("2006-01-02T15:04:05.000000Z")},
		{"WARC-Record-ID", "<urn:uuid:" + uuid() + ">"},
		{"Content-Type", contentType},
		{"Content-Length", fmt.Sprint(len(block))},
	}...)
	for _, h := range head {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], oneLine.Replace(h[1]))
	}
	b.WriteString("\r\n")
	b.Write(block)
	b.WriteString("\r\n\r\n")
	if w.encoder != nil {
		return w.encoder.EncodeAll(b.Bytes(), nil), nil
	}
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b.Bytes()); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

var oneLine = strings.NewReplacer("\r", " ", "\n", " ")

// encoded are the headers that speak of a body as it was sent.
var encoded = map[string]bool{"Content-Encoding": true, "Transfer-Encoding": true, "Content-Length": true, "Connection": true, "Trailer": true}

// httpBlock writes an answer as HTTP.
func httpBlock(r Response) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %03d %s\r\n", r.Status, http.StatusText(r.Status))
	for _, k := range slices.Sorted(maps.Keys(r.Header)) {
		if encoded[k] {
			continue
		}
		for _, v := range r.Header[k] {
			fmt.Fprintf(&b, "%s: %s\r\n", k, oneLine.Replace(v))
		}
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(r.Body))
	b.Write(r.Body)
	return b.Bytes()
}

func digest(b []byte) string {
	sum := sha1.Sum(b) // what the tools expect; nothing is proved by it
	return "sha1:" + base32.StdEncoding.EncodeToString(sum[:])
}
