package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"xinwen/deploy/warc"
	"xinwen/news/lines"
)

type importCmd struct {
	apiFlags
	Files []string `arg:"" placeholder:"FILE" help:"JSONL articles or WARC files, also .gz and .zst; - is standard input (JSONL)."`
	Wait  bool     `help:"Return when all of it is searchable."`
	Fast  bool     `help:"Leave out entities, for bulk measurements."`
}

const (
	// importBatchBytes is how much goes to the api at once.
	importBatchBytes = 4 << 20
	// maxImportLine bounds one line of a file.
	maxImportLine = 16 << 20
)

// Run sends files to the api, batch by batch, and says how far it is.
func (c *importCmd) Run(ctx context.Context) error {
	im := &importer{client: c.client(), id: rand.Text(), fast: c.Fast, started: time.Now()}
	for _, name := range c.Files {
		switch st, err := os.Stat(name); {
		case name == "-":
			im.endless = true
		case err != nil:
			return hint(fmt.Errorf("import: %w", err), "check the name; nothing was imported")
		case st.Mode().IsRegular():
			im.size += st.Size()
		default:
			im.endless = true
		}
	}
	for _, name := range c.Files {
		if err := im.file(ctx, name); err != nil {
			return fmt.Errorf("import %s: %w", name, err)
		}
	}
	fmt.Printf("%d accepted, %d refused in %s\n", im.accepted, im.refused, time.Since(im.started).Round(time.Millisecond))
	if c.Wait && im.accepted > 0 {
		err := await(ctx, func() (bool, error) {
			s, err := im.client.status(ctx)
			return err == nil && s.idle(), err
		})
		if err != nil {
			return err
		}
		took := time.Since(im.started)
		fmt.Printf("searchable after %s, %.1f articles/s\n", took.Round(time.Millisecond), float64(im.accepted)/took.Seconds())
	}
	var errs []error
	if im.refused > 0 {
		errs = append(errs, fmt.Errorf("%d lines were refused", im.refused))
	}
	if im.damaged > 0 {
		errs = append(errs, fmt.Errorf("%d files could not be read to the end", im.damaged))
	}
	if len(errs) > 0 {
		return hint(errors.Join(errs...), "mend what is named above and import it again; what was accepted is not taken twice")
	}
	return nil
}

// importer sends lines to one endpoint of the api.
type importer struct {
	client *client
	id     string // by which the api knows its batches as one import
	fast   bool
	// read is how many bytes of the files were read, of size in all; endless says
	// that the size is not known.
	read, size int64
	endless    bool
	started    time.Time
	accepted   int
	refused    int
	damaged    int // files that could not be read to the end
}

func (im *importer) file(ctx context.Context, name string) error {
	in := os.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	r, err := decompress(&counted{in, &im.read})
	if err != nil {
		im.broken(name, "it does not unpack", err)
		return nil
	}
	head, err := r.Peek(5)
	if err != nil && !errors.Is(err, io.EOF) {
		im.broken(name, "its beginning", err)
		return nil
	}
	if string(head) == "WARC/" {
		return im.warc(ctx, name, r)
	}
	return im.articles(ctx, name, r)
}

// broken tells of a file that cannot be read on from a place. What came before it
// is imported, and so are the other files.
func (im *importer) broken(name, place string, err error) {
	im.damaged++
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the file ends too early")
	}
	fmt.Fprintf(os.Stderr, "%s: %s: %v; the rest of the file is not imported\n", name, place, err)
}

// counted counts what is read of a file.
type counted struct {
	io.Reader
	n *int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	*c.n += int64(n)
	return n, err
}

// decompress reads gzip and zstd by their first bytes, whatever the name says.
// A WARC file of one gzip member a record is one stream to the reader.
func decompress(in io.Reader) (*bufio.Reader, error) {
	r := bufio.NewReaderSize(in, 1<<20)
	head, err := r.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(r)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		return bufio.NewReaderSize(z, 1<<20), nil
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(r, zstd.WithDecoderMaxMemory(256<<20), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		return bufio.NewReaderSize(z, 1<<20), nil
	}
	return r, nil
}

// articles sends the lines of a JSONL file.
func (im *importer) articles(ctx context.Context, name string, r *bufio.Reader) error {
	b := batch{path: "/v1/articles", name: name}
	list := lines.NewReader(r, maxImportLine)
	for {
		line, err := list.Next()
		switch {
		case errors.Is(err, lines.ErrTooLong):
			im.refused++
			fmt.Fprintf(os.Stderr, "%s:%d: the line is longer than %d bytes; write one article a line (JSONL)\n", name, list.N(), maxImportLine)
			continue
		case errors.Is(err, io.EOF):
			return im.send(ctx, &b)
		case err != nil:
			im.broken(name, fmt.Sprintf("line %d", list.N()+1), err)
			return im.send(ctx, &b)
		}
		if err := im.add(ctx, &b, list.N(), line); err != nil {
			return err
		}
	}
}

// warc sends the pages of the responses in a WARC file.
func (im *importer) warc(ctx context.Context, name string, r *bufio.Reader) error {
	b := batch{path: "/v1/pages", name: name}
	records := warc.NewReader(r)
	for n := 1; ; n++ {
		record, err := records.Next()
		if errors.Is(err, io.EOF) {
			return im.send(ctx, &b)
		}
		if err != nil {
			im.broken(name, fmt.Sprintf("record %d", n), err)
			return im.send(ctx, &b)
		}
		page, ok, err := record.Page()
		if err != nil {
			im.refused++
			fmt.Fprintf(os.Stderr, "%s: record %d: %v\n", name, n, err)
			continue
		}
		if !ok {
			continue
		}
		line, err := json.Marshal(map[string]any{
			"url": page.URL, "fetched": page.Fetched, "content_type": page.ContentType,
			"source": "import", "body_base64": page.Body,
		})
		if err != nil {
			return err
		}
		if err := im.add(ctx, &b, n, line); err != nil {
			return err
		}
	}
}

// batch gathers lines and remembers which of the file they are.
type batch struct {
	path  string
	name  string
	data  bytes.Buffer
	lines []int
}

func (im *importer) add(ctx context.Context, b *batch, n int, line []byte) error {
	if len(bytes.TrimSpace(line)) == 0 {
		return nil
	}
	b.data.Write(line)
	b.data.WriteByte('\n')
	b.lines = append(b.lines, n)
	if b.data.Len() < importBatchBytes {
		return nil
	}
	return im.send(ctx, b)
}

// send gives a batch to the api and prints what was refused.
func (im *importer) send(ctx context.Context, b *batch) error {
	if len(b.lines) == 0 {
		return nil
	}
	var out struct {
		Accepted int
		Rejected int
		Errors   []struct {
			Line    int
			Message string
		}
		Error string
	}
	q := url.Values{"import": {im.id}, "name": {filepath.Base(b.name)}}
	if im.fast && b.path == "/v1/articles" {
		q.Set("fast", "true")
	}
	if !im.endless {
		q.Set("read", strconv.FormatInt(im.read, 10))
		q.Set("size", strconv.FormatInt(im.size, 10))
	}
	address := im.client.base + b.path + "?" + q.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(b.data.Bytes()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	if im.client.key != "" {
		req.Header.Set("Authorization", "Bearer "+im.client.key)
	}
	resp, err := im.client.http.Do(req)
	if err != nil {
		return hint(fmt.Errorf("send to %s: %w", im.client.base, err), "start the api with `xinwen`, or name it with --api")
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return fmt.Errorf("answer of the api: %w", err)
	}
	if err := json.Unmarshal(data, &out); err != nil || out.Accepted+out.Rejected == 0 {
		resp.Body = io.NopCloser(bytes.NewReader(data))
		return apiError(resp)
	}
	im.accepted += out.Accepted
	im.refused += out.Rejected
	for _, e := range out.Errors {
		line := e.Line
		if line >= 1 && line <= len(b.lines) {
			line = b.lines[line-1]
		}
		fmt.Fprintf(os.Stderr, "%s:%d: %s\n", b.name, line, e.Message)
	}
	if out.Error != "" {
		return hint(errors.New(strings.TrimSuffix(out.Error, ".")), "import the file again when the cause is gone; what was accepted is not taken twice")
	}
	took := time.Since(im.started)
	left := ""
	if !im.endless && im.read > 0 && im.read < im.size {
		left = fmt.Sprintf(", %d %%, about %s left", 100*im.read/im.size, time.Duration(float64(took)*float64(im.size-im.read)/float64(im.read)).Round(time.Second))
	}
	fmt.Fprintf(os.Stderr, "%s: %d accepted, %d refused, %.0f/s%s\n", b.name, im.accepted, im.refused, float64(im.accepted)/took.Seconds(), left)
	b.data.Reset()
	b.lines = b.lines[:0]
	return nil
}
